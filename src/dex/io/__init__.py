"""Files in and out: tables of counts, h5ad, zarr, tables of results, gene sets.

Everything is written whole or not at all: a full disk or a kill leaves the old file as it was.
"""

from dex.data.gmt import read_gmt
from dex.io._anndata import read_h5ad, read_zarr, write_h5ad, write_zarr
from dex.io._counts import read_counts
from dex.io._enrichment import write_enrichment
from dex.io._gmt import write_gmt
from dex.io._model import load_model, save_model
from dex.io._results import write_results

__all__ = [
    "load_model",
    "read_counts",
    "read_gmt",
    "read_h5ad",
    "read_zarr",
    "save_model",
    "write_enrichment",
    "write_gmt",
    "write_h5ad",
    "write_results",
    "write_zarr",
]

"""Files in and out: tables of counts, h5ad, zarr, tables of results, gene sets.

Everything is written whole or not at all: a full disk or a kill leaves the old file as it was.
"""

from typing import TYPE_CHECKING, Any

from dex.io._anndata import read_h5ad, read_zarr, write_h5ad, write_zarr
from dex.io._counts import read_counts
from dex.io._enrichment import write_enrichment
from dex.io._gmt import write_gmt
from dex.io._model import load_model, save_model
from dex.io._results import write_results

if TYPE_CHECKING:
    from dex.data.gmt import read_gmt

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


def __getattr__(name: str) -> Any:
    if name == "read_gmt":  # its room brings numba, which files alone need not wait for
        from dex.data.gmt import read_gmt as found

        return found
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)

"""Files in and out: tables of counts, h5ad, zarr, tables of results.

Everything is written whole or not at all: a full disk or a kill leaves the old file as it was.
"""

from __future__ import annotations

from dex.io._anndata import read_any, read_h5ad, read_zarr, write_h5ad, write_zarr
from dex.io._atomic import atomic_path
from dex.io._counts import read_counts
from dex.io._results import write_results
from dex.io._tables import write_table

__all__ = [
    "atomic_path",
    "read_any",
    "read_counts",
    "read_h5ad",
    "read_zarr",
    "write_h5ad",
    "write_results",
    "write_table",
    "write_zarr",
]

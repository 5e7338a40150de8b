"""One way to read columns of genes from dense, CSR, CSC and backed matrices."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import h5py
import numpy as np
from anndata.abc import CSCDataset, CSRDataset
from scipy import sparse

from dex._numba import kernel
from dex.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Float, Int

_BLOCK_BYTES = 8 * 2**20  # a few blocks fit the cache of a core
_STREAM_BYTES = 256 * 2**20  # every block of a CSR or dense file may cost a sweep of the file
_ROWS_PER_READ = 4096
_SAMPLE_VALUES = 2_000_000


class Reader(Protocol):
    """Reads genes for chosen observations."""

    block_bytes: int

    def read(self, genes: Int) -> Float:
        """Values ``(n_obs, len(genes))`` as float64, Fortran order: a gene is contiguous."""


def reader_for(matrix: Any, rows: Int) -> Reader:
    """Return the reader of ``matrix`` for the observations ``rows`` (sorted positions).

    Raises
    ------
    InputError
        If nothing here reads that type of matrix.
    """
    form = getattr(matrix, "format", None)
    if sparse.issparse(matrix) and form == "csr":
        return _CSR(_with_sorted_indices(matrix), rows)
    if isinstance(matrix, CSRDataset):
        return _BackedCSR(matrix, rows)
    if isinstance(matrix, h5py.Dataset):
        return _Columns(matrix, rows, _STREAM_BYTES)
    if isinstance(matrix, np.ndarray | CSCDataset) or form == "csc":
        return _Columns(matrix, rows)
    msg = (
        f"a matrix of type {type(matrix).__module__}.{type(matrix).__name__} cannot be read; "
        "dex reads NumPy arrays, SciPy CSR and CSC, and backed h5ad"
    )
    raise InputError(msg)


def sample_rows(matrix: Any, *, n_rows: int | None = None) -> Float:
    """Return up to ``n_rows`` evenly spaced observations, all genes, as dense float64.

    The default is what makes about two million values, between 50 and 500.
    """
    n_obs, n_vars = matrix.shape
    n_rows = n_rows or int(np.clip(_SAMPLE_VALUES // n_vars, 50, 500))
    chosen = np.unique(np.linspace(0, n_obs - 1, min(n_rows, n_obs)).astype(np.intp))
    return read_rows(matrix, chosen)


def read_rows(matrix: Any, rows: Int) -> Float:
    """Return the observations ``rows`` (sorted positions), all genes, as dense float64.

    Of CSC in a file, all has to be read for it, block by block.
    """
    if isinstance(matrix, CSCDataset):
        n_obs, n_vars = matrix.shape
        blocks = np.array_split(np.arange(n_vars), 1 + 8 * n_obs * n_vars // _STREAM_BYTES)
        reader = reader_for(matrix, rows)
        return np.hstack([reader.read(genes) for genes in blocks])
    chosen = matrix[_as_slice(rows)]
    return np.asarray(chosen if isinstance(chosen, np.ndarray) else chosen.toarray(), np.float64)


def row_pieces(matrix: Any, rows: Int) -> list[Int]:
    """Split ``rows`` into pieces to be read one by one: larger where reading few is as dear."""
    by_column = getattr(matrix, "format", None) == "csc"
    per_piece = max((_STREAM_BYTES if by_column else _BLOCK_BYTES) // (8 * matrix.shape[1]), 1)
    return np.array_split(rows, max(-(-len(rows) // per_piece), 1))


@dataclass(slots=True)
class _Columns:
    """Slices the columns of what can do so: NumPy, CSC, HDF5 and CSC in a file."""

    matrix: Any
    rows: Int
    block_bytes: int = _BLOCK_BYTES
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, genes: Int) -> Float:
        with self.lock:  # HDF5 serves one reader at a time
            columns: Any = self.matrix[:, _as_slice(genes)]
        dense = columns if isinstance(columns, np.ndarray) else columns.toarray(order="F")
        return np.asarray(dense[_as_slice(self.rows)], dtype=np.float64, order="F")


@dataclass(slots=True)
class _CSR:
    matrix: Any
    rows: Int
    block_bytes: int = _BLOCK_BYTES

    def read(self, genes: Int) -> Float:
        out = np.zeros((len(self.rows), len(genes)), order="F")
        matrix = self.matrix
        _gather_csr(matrix.indptr, matrix.indices, matrix.data, self.rows, *_lookup(genes), out, 0)
        return out


@dataclass(slots=True)
class _BackedCSR:
    """Streams the rows of the file into the buffer of a block; columns are never sliced."""

    matrix: Any
    rows: Int
    block_bytes: int = _STREAM_BYTES
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, genes: Int) -> Float:
        out = np.zeros((len(self.rows), len(genes)), order="F")
        lookup = _lookup(genes)
        for first in range(0, self.matrix.shape[0], _ROWS_PER_READ):
            with self.lock:
                chunk = self.matrix[first : first + _ROWS_PER_READ]
            start, stop = np.searchsorted(self.rows, [first, first + _ROWS_PER_READ])
            chunk = _with_sorted_indices(chunk)
            rows = self.rows[start:stop] - first
            _gather_csr(chunk.indptr, chunk.indices, chunk.data, rows, *lookup, out, start)
        return out


def _as_slice(positions: Int) -> slice | Int:
    """Return sorted, contiguous positions as a slice, which copies nothing."""
    if len(positions) and positions[-1] - positions[0] == len(positions) - 1:
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions


def _with_sorted_indices(matrix: Any) -> Any:
    return matrix if matrix.has_sorted_indices else matrix.sorted_indices()


def _lookup(genes: Int) -> tuple[int, Int]:
    """First gene, and for every gene from there on its column in the block, or -1."""
    first = int(genes[0])
    column = np.full(int(genes[-1]) - first + 1, -1, dtype=np.intp)
    column[genes - first] = np.arange(len(genes))
    return first, column


@kernel
def _gather_csr(  # noqa: PLR0917  # kernels take no keywords
    indptr: NDArray[Any],
    indices: NDArray[Any],
    data: NDArray[Any],
    rows: Int,
    first: int,
    column: Int,
    out: Float,
    offset: int,
) -> None:
    """Scatter the genes ``first + i`` with ``column[i] >= 0`` of ``rows`` into ``out[offset:]``."""
    last = first + column.size
    for i in range(rows.size):
        start, stop = indptr[rows[i]], indptr[rows[i] + 1]
        k = start + np.searchsorted(indices[start:stop], first)
        while k < stop and indices[k] < last:
            if column[indices[k] - first] >= 0:
                out[offset + i, column[indices[k] - first]] += data[k]
            k += 1

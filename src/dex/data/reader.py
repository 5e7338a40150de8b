"""One way to read columns of genes from dense, CSR, CSC and backed matrices, and from dask."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import h5py
import numpy as np
from anndata.abc import CSCDataset, CSRDataset
from scipy import sparse

from dex.data.lazy import dense_of, is_lazy, sampled_rows
from dex.data.memory import DEFAULT_STREAMED
from dex.data.sparse_reader import (
    CSCReader,
    CSRReader,
    Room,
    SparseReader,
    as_slice,
    csr_block_size,
)
from dex.data.stream import StreamedCSR, StreamedDense
from dex.errors import InputError
from dex.stats.sparse_genes import SparseGenes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Float, Int

BLOCK_BYTES = 2 * 2**20
"""Of dense values: a few blocks fit the cache of a core."""
_STREAM_BYTES = 256 * 2**20  # every block of a CSR or dense file may cost a sweep of the file
_LISTED_BYTES = 32 * 2**20  # as if with all zeros
_SAMPLE_VALUES = 2_000_000


class Reader(Protocol):
    """Reads genes for chosen observations."""

    @property
    def genes_per_block(self) -> int:
        """Genes to be read at a time, so that a block is of good size."""

    def read(self, genes: Int) -> Float:
        """Values ``(n_obs, len(genes))`` as float64, Fortran order: a gene is contiguous."""


def reader_for(matrix: Any, rows: Int, max_memory: int | None = None) -> Reader:
    """Return the reader of ``matrix`` for the observations ``rows`` (sorted positions).

    Raises
    ------
    InputError
        If nothing here reads that type of matrix.
    """
    if isinstance(matrix, np.ndarray):
        return _Columns(matrix, rows, BLOCK_BYTES)
    if stores_zeros(matrix):
        return _Stored(StreamedDense(matrix, rows, max_memory or _STREAM_BYTES))
    return _Filled(sparse_reader_for(matrix, rows, 1, max_memory), len(rows))


def sparse_reader_for(
    matrix: Any, rows: Int, n_threads: int, max_memory: int | None = None
) -> SparseReader:
    """Return the reader that lists only what is not zero; like :func:`reader_for`.

    ``max_memory`` is what all blocks that are read at a time may take together, in bytes. What a
    thread reads may be put over what it has read before.
    """
    form = getattr(matrix, "format", None)
    at_a_time = (max_memory or DEFAULT_STREAMED) * 2 // 3  # the rest is for what tests make of it
    each = at_a_time // n_threads
    if isinstance(matrix, np.ndarray):
        return _Listed(_Columns(matrix, rows, min(_LISTED_BYTES, each)))
    if stores_zeros(matrix):
        return StreamedDense(matrix, rows, at_a_time)
    if isinstance(matrix, CSRDataset):
        return StreamedCSR(matrix, rows, at_a_time)
    if sparse.issparse(matrix) and form == "csr":
        return CSRReader(matrix, rows, csr_block_size(matrix, n_threads, each), Room())
    if form == "csc":
        return CSCReader(matrix, rows, each)
    msg = (
        f"a matrix of type {type(matrix).__module__}.{type(matrix).__name__} cannot be read; "
        "dex reads NumPy arrays, SciPy CSR and CSC, backed h5ad and zarr, and dask arrays"
    )
    raise InputError(msg)


def stores_zeros(matrix: Any) -> bool:
    """Whether the matrix is dense, in memory or in a file."""
    return isinstance(matrix, np.ndarray | h5py.Dataset) or _is_zarr(matrix)


def _is_zarr(matrix: Any) -> bool:
    return type(matrix).__module__.startswith("zarr.") and hasattr(matrix, "dtype")


def sample_rows(matrix: Any, *, n_rows: int | None = None) -> Float:
    """Return up to ``n_rows`` evenly spaced observations, all genes, as dense float64.

    The default is what makes about two million values, between 50 and 500.
    """
    n_obs, n_vars = matrix.shape
    n_rows = n_rows or int(np.clip(_SAMPLE_VALUES // n_vars, 50, 500))
    if is_lazy(matrix):
        return read_rows(matrix, sampled_rows(matrix, min(n_rows, n_obs)))
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
    if is_lazy(matrix):
        return dense_of(matrix[as_slice(rows)])
    if _is_zarr(matrix):
        return np.asarray(matrix.oindex[as_slice(rows)], np.float64)
    in_memory_csr = sparse.issparse(matrix) and getattr(matrix, "format", None) == "csr"
    chosen = _csr_rows(matrix, rows) if in_memory_csr else matrix[as_slice(rows)]
    return np.asarray(chosen if isinstance(chosen, np.ndarray) else chosen.toarray(), np.float64)


def _csr_rows(matrix: Any, rows: Int) -> Any:
    """Rows of CSR; SciPy would first copy all indices if they and ``indptr`` differ in type."""
    starts = matrix.indptr[rows]
    sizes = matrix.indptr[rows + 1] - starts
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    stored = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], sizes)
    parts = (matrix.data[stored], matrix.indices[stored], indptr)
    return sparse.csr_matrix(parts, shape=(len(rows), matrix.shape[1]))


def row_pieces(matrix: Any, rows: Int) -> list[Int]:
    """Split ``rows`` into pieces to be read one by one: larger where reading few is as dear."""
    by_column = getattr(matrix, "format", None) == "csc"
    per_piece = max((_STREAM_BYTES if by_column else BLOCK_BYTES) // (8 * matrix.shape[1]), 1)
    return np.array_split(rows, max(-(-len(rows) // per_piece), 1))


@dataclass(slots=True)
class _Columns:
    """Slices the columns of a NumPy array."""

    matrix: NDArray[Any]
    rows: Int
    block_bytes: int

    @property
    def genes_per_block(self) -> int:
        return self.block_bytes // (8 * len(self.rows))

    def read(self, genes: Int) -> Float:
        return np.asarray(self.stored(genes), dtype=np.float64, order="F")

    def stored(self, genes: Int) -> NDArray[Any]:
        """Values of the type that they are stored in."""
        columns: NDArray[Any] = self.matrix[:, as_slice(genes)]
        return columns[as_slice(self.rows)]


@dataclass(slots=True)
class _Listed:
    """Lists what is not zero in columns that are stored with their zeros."""

    columns: _Columns

    @property
    def genes_per_block(self) -> int:
        return self.columns.genes_per_block

    def read(self, genes: Int) -> SparseGenes:
        return SparseGenes.from_dense(self.columns.stored(genes))


@dataclass(slots=True)
class _Stored:
    """Reads the columns of a dense file, one reader at a time."""

    file: StreamedDense
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def genes_per_block(self) -> int:
        return self.file.max_bytes // (16 * len(self.file.rows))

    def read(self, genes: Int) -> Float:
        with self.lock:
            return np.asarray(self.file.stored(genes), dtype=np.float64, order="F")


@dataclass(slots=True)
class _Filled:
    """Fills in the zeros of genes that are stored without them."""

    listed: SparseReader
    n_obs: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def genes_per_block(self) -> int:
        return min(self.listed.genes_per_block, _STREAM_BYTES // (8 * self.n_obs))

    def read(self, genes: Int) -> Float:
        with self.lock:
            return self.listed.read(genes).to_dense()

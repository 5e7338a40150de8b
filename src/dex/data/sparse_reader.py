"""Columns of genes from CSR, CSC and backed CSC, without their zeros."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dex._numba import kernel
from dex.stats.sparse_genes import Int32, SparseGenes, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Int

_BLOCK_BYTES = 16 * 2**20
_BYTES_PER_VALUE = 24  # a row, a value and what tests make of it
_FEWEST_SWEEPS = 8
_LARGEST_BLOCK = 256 * 2**20
_NOWHERE = np.uint32(2**32 - 1)
_HALF = np.uint64(32)
_HALVES = np.dtype(
    {"names": ["row", "value"], "formats": [np.int32, np.float32], "offsets": [0, 4]}
    if sys.byteorder == "little"
    else {"names": ["value", "row"], "formats": [np.float32, np.int32], "offsets": [0, 4]}
)


class SparseReader(Protocol):
    """Reads genes for chosen observations."""

    @property
    def genes_per_block(self) -> int:
        """Genes to be read at a time, so that a block is of good size."""

    def read(self, genes: Int) -> SparseGenes:
        """Return the genes at these sorted positions, values as stored or as float64."""


@dataclass(slots=True)
class CSCReader:
    """Slices columns, in memory or in a file."""

    matrix: Any
    rows: Int
    max_bytes: int = _BLOCK_BYTES
    """Of a block: a few megabytes of values."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def genes_per_block(self) -> int:
        """As many as fit, on average."""
        return min(self.max_bytes, _BLOCK_BYTES) // _bytes_per_gene(self.matrix)

    def read(self, genes: Int) -> SparseGenes:
        """Genes at these sorted positions."""
        with self.lock:  # HDF5 serves one reader at a time
            block = _canonical(self.matrix[:, as_slice(genes)])
        place = np.full(block.shape[0], -1, np.int32)
        place[self.rows] = np.arange(len(self.rows))
        starts = np.zeros(len(genes) + 1, np.intp)
        kept, values = np.empty(block.nnz, np.int32), np.empty(block.nnz, _value_type(block))
        _keep_rows((block.indptr, block.indices, block.data), place, starts, (kept, values))
        return SparseGenes(starts, kept[: starts[-1]], values[: starts[-1]], len(self.rows))


@dataclass(slots=True)
class CSRReader:
    """Gathers a block of genes in a sweep of the rows.

    Blocks are large, as it is dear to visit a row: its memory is far from that of the last one.
    """

    matrix: Any
    rows: Int
    genes_per_block: int
    room: Room | None = None
    """Where genes are put, over those read before by the same thread; None is new memory."""
    index: CSRIndex | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.matrix = _canonical(self.matrix)

    def read(self, genes: Int) -> SparseGenes:
        """Genes at these sorted positions."""
        with self.lock:
            if self.index is None:
                self.index = CSRIndex.of(self.matrix, self.rows, self.genes_per_block)
        index, matrix, step = self.index, self.matrix, self.genes_per_block
        starts = np.concatenate([[0], np.cumsum(index.counts[genes])])
        n, dtype = int(starts[-1]), _value_type(matrix)
        room, ever = (self.room, max(n, index.largest(step))) if self.room else (Room(), n)
        listed, values, pair = room.of(n, ever, dtype)
        # It may begin and end within a step of the grid: what is beside it has no place.
        place = np.full((genes[-1] // step + 1) * step, _NOWHERE, np.uint32)
        place[genes] = starts[:-1]
        spans = (index.grid[genes[0] // step], index.grid[genes[-1] // step + 1])
        data = matrix.data.view(np.uint32) if values is None else matrix.data
        _gather((matrix.indptr, matrix.indices, data), (self.rows, *spans), place, listed, values)
        return SparseGenes(starts, *pair, len(self.rows))


class Room(threading.local):
    """Memory for what is listed, which every thread takes once.

    A row and a float32 share a word of 64 bits: to write here and there in memory, to as many
    places as there are genes, is what takes the time.
    """

    listed: NDArray[Any] = np.empty(0, np.uint64)
    values: NDArray[Any] | None = None

    def of(
        self, n: int, ever: int, dtype: type[np.floating[Any]]
    ) -> tuple[Any, Any, tuple[Any, Any]]:
        """Words of ``n`` listed and None, or rows and values; then their rows and values.

        They are overwritten by what is read next. ``ever`` are the most that are thought to come:
        memory that is never written to is never taken.
        """
        single = dtype == np.float32
        if len(self.listed) < n or (self.values is None) is not single:
            self.listed = np.empty(ever, np.uint64 if single else np.int32)
            self.values = None if single else np.empty(ever, dtype)
        listed = self.listed[:n]
        if self.values is not None:
            return listed, self.values[:n], (listed, self.values[:n])
        halves = listed.view(_HALVES)
        return listed, None, (halves["row"], halves["value"])


@dataclass(frozen=True, slots=True)
class CSRIndex:
    """Where genes are in the rows of a matrix."""

    grid: Int32
    """Where in each row the genes from 0, step, 2 step, ... on start, ``(n_steps + 1, n_rows)``."""
    counts: Int
    """Stored values of each gene, ``(n_vars,)``."""

    @classmethod
    def of(cls, matrix: Any, rows: Int, step: int) -> CSRIndex:
        """Read the indices once."""
        n_vars = matrix.shape[1]
        grid = np.empty((-(-n_vars // step) + 1, len(rows)), np.int32)
        counts = np.zeros(n_vars, np.intp)
        _index(matrix.indptr, matrix.indices, rows, step, (grid, counts))
        return cls(grid, counts)

    def largest(self, step: int) -> int:
        """Stored values of the block of ``step`` genes that has the most."""
        return int(np.add.reduceat(self.counts, range(0, len(self.counts), step)).max())


def as_slice(positions: Int) -> slice | Int:
    """Return sorted, contiguous positions as a slice, which copies nothing."""
    if len(positions) and positions[-1] - positions[0] == len(positions) - 1:
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions


def csr_block_size(matrix: Any, n_threads: int, max_bytes: int = _LARGEST_BLOCK) -> int:
    """Genes to gather at a time: a share of the matrix, so that few sweeps are made."""
    largest = min(max_bytes, _LARGEST_BLOCK)
    n_bytes = _BYTES_PER_VALUE * len(matrix.data) // 2
    n_blocks = max(_FEWEST_SWEEPS, 4 * n_threads, n_bytes // largest)
    return -(-int(matrix.shape[1]) // n_blocks)


def _canonical(matrix: Any) -> Any:
    """Return the matrix itself if its indices are sorted and single, else a copy that is so."""
    # SciPy remembers its answer, but would copy all indices if they and indptr differ in type.
    same = matrix.indptr.dtype == matrix.indices.dtype
    if matrix.has_canonical_format if same else _ascend(matrix.indptr, matrix.indices):
        return matrix
    copy = matrix.copy()
    copy.sum_duplicates()
    return copy


def _bytes_per_gene(matrix: Any) -> int:
    stored = matrix.nnz if hasattr(matrix, "nnz") else matrix.group["data"].shape[0]
    return 1 + _BYTES_PER_VALUE * int(stored) // int(matrix.shape[1])


def _value_type(matrix: Any) -> type[np.floating[Any]]:
    """Type of the values of a matrix: float32 if it is, else float64, which holds whole numbers."""
    return np.float32 if matrix.data.dtype == np.float32 else np.float64


@kernel
def _ascend(indptr: NDArray[Any], indices: NDArray[Any]) -> bool:
    """Whether the indices of every row ascend, without one twice."""
    for i in range(indptr.shape[0] - 1):
        for k in range(indptr[i] + 1, indptr[i + 1]):
            if indices[k] <= indices[k - 1]:
                return False
    return True


@kernel
def _index(
    indptr: NDArray[Any], indices: NDArray[Any], rows: Int, step: int, out: tuple[Int32, Int]
) -> None:
    """Fill grid and counts."""
    grid, counts = out
    for i in range(rows.size):
        start, stop = np.uint64(indptr[rows[i]]), np.uint64(indptr[rows[i] + 1])
        n_found, first = 0, np.uint32(0)
        for k in range(start, stop):
            j = np.uint32(indices[k])
            counts[j] += 1
            while first <= j:
                grid[n_found, i] = k - start
                n_found += 1
                first += np.uint32(step)
        for n in range(n_found, grid.shape[0]):
            grid[n, i] = stop - start


@kernel
def _gather(
    matrix: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    spans: tuple[Int, Int32, Int32],
    place: NDArray[np.uint32],
    listed: Any,
    values: Values | None,
) -> None:
    """Put what is within spans of rows where their genes have ``place``, which moves.

    ``spans`` are the rows, and where in each they begin and end. Rows are listed beside their
    values; without ``values``, in one word with the bits of ``data``.
    """
    indptr, indices, data = matrix
    rows, begins, ends = spans
    for i in range(rows.size):
        start = indptr[rows[i]]
        # Unsigned, so that no index is taken to count from the end.
        for k in range(np.uint64(start + begins[i]), np.uint64(start + ends[i])):
            j = np.uint32(indices[k])
            spot = place[j]
            if spot == _NOWHERE:
                continue
            place[j] = spot + np.uint32(1)
            if values is None:
                listed[spot] = np.uint64(data[k]) << _HALF | np.uint64(i)
            else:
                listed[spot], values[spot] = i, data[k]


@kernel
def _keep_rows(
    matrix: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    place: Int32,
    starts: Int,
    out: tuple[Int32, Values],
) -> None:
    """List what is in the rows with ``place >= 0``, column by column."""
    indptr, indices, data = matrix
    rows, values = out
    n = 0
    for j in range(starts.shape[0] - 1):
        for k in range(indptr[j], indptr[j + 1]):
            if place[indices[k]] >= 0:
                rows[n], values[n] = place[indices[k]], data[k]
                n += 1
        starts[j + 1] = n

"""Columns of genes from CSR, CSC and backed CSR and CSC, without their zeros."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dex._numba import kernel
from dex.stats.sorted_search import leap
from dex.stats.sparse_genes import Int32, SparseGenes, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Int

_BLOCK_BYTES = 16 * 2**20
_STREAM_BYTES = 256 * 2**20  # every block of a CSR file costs a sweep of the file
_BYTES_PER_VALUE = 24  # a row, a value and what tests make of it
_ROWS_PER_READ = 4096


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
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def genes_per_block(self) -> int:
        return _BLOCK_BYTES // _bytes_per_gene(self.matrix)

    def read(self, genes: Int) -> SparseGenes:
        with self.lock:  # HDF5 serves one reader at a time
            block = _canonical(self.matrix[:, as_slice(genes)])
        place = np.full(block.shape[0], -1, np.int32)
        place[self.rows] = np.arange(len(self.rows))
        starts = np.zeros(len(genes) + 1, np.intp)
        kept, values = np.empty(block.nnz, np.int32), _values_like(block)
        _keep_rows(block.indptr, block.indices, block.data, place, starts, (kept, values))
        return SparseGenes(starts, kept[: starts[-1]], values[: starts[-1]], len(self.rows))


@dataclass(slots=True)
class CSRReader:
    """Gathers a block of genes in a sweep of the rows, from where the thread's last one ended."""

    matrix: Any
    rows: Int
    local: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.matrix = _canonical(self.matrix)

    @property
    def genes_per_block(self) -> int:
        return _BLOCK_BYTES // _bytes_per_gene(self.matrix)

    def read(self, genes: Int) -> SparseGenes:
        matrix, spans = self.matrix, self._spans(int(genes[0]))
        window = _window(genes)
        starts = np.zeros(len(genes) + 1, np.intp)
        _find_spans(matrix.indptr, matrix.indices, self.rows, spans, window, starts)
        self.local.next_gene = int(genes[-1]) + 1
        np.cumsum(starts, out=starts)
        rows, values = np.empty(starts[-1], np.int32), _values_like(matrix, starts[-1])
        _gather(matrix.indices, matrix.data, spans, window, starts[:-1].copy(), (rows, values))
        return SparseGenes(starts, rows, values, len(self.rows))

    def _spans(self, first: int) -> Int:
        """Where the thread's last block starts and stops in every row, before gene ``first``."""
        local = self.local
        if first < getattr(local, "next_gene", first + 1):
            local.spans = np.repeat(self.matrix.indptr[self.rows][None].astype(np.intp), 2, axis=0)
        spans: Int = local.spans
        return spans


@dataclass(slots=True)
class BackedCSRReader:
    """Streams the rows of the file into the lists of a block; columns are never sliced."""

    matrix: Any
    rows: Int
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def genes_per_block(self) -> int:
        return _STREAM_BYTES // _bytes_per_gene(self.matrix)

    def read(self, genes: Int) -> SparseGenes:
        parts: list[SparseGenes] = []
        for first in range(0, self.matrix.shape[0], _ROWS_PER_READ):
            start, stop = np.searchsorted(self.rows, [first, first + _ROWS_PER_READ])
            if start == stop:
                continue
            with self.lock:
                chunk = self.matrix[first : first + _ROWS_PER_READ]
            parts.append(CSRReader(chunk, self.rows[start:stop] - first).read(genes))
        return _stacked(parts)


def as_slice(positions: Int) -> slice | Int:
    """Return sorted, contiguous positions as a slice, which copies nothing."""
    if len(positions) and positions[-1] - positions[0] == len(positions) - 1:
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions


def _canonical(matrix: Any) -> Any:
    """Return the matrix itself if its indices are sorted and single, else a copy that is so."""
    if matrix.has_canonical_format:
        return matrix
    copy = matrix.copy()
    copy.sum_duplicates()
    return copy


def _bytes_per_gene(matrix: Any) -> int:
    stored = matrix.nnz if hasattr(matrix, "nnz") else matrix.group["data"].shape[0]
    return 1 + _BYTES_PER_VALUE * int(stored) // matrix.shape[1]


def _values_like(matrix: Any, n: int | None = None) -> Values:
    """Room for values of a matrix: float32 if it is, else float64, which holds whole numbers."""
    dtype = np.float32 if matrix.data.dtype == np.float32 else np.float64
    return np.empty(len(matrix.data) if n is None else n, dtype)


def _window(genes: Int) -> tuple[int, Int]:
    """First gene, and for every gene from there on its place in the block, or -1."""
    first = int(genes[0])
    column = np.full(int(genes[-1]) - first + 1, -1, dtype=np.intp)
    column[genes - first] = np.arange(len(genes))
    return first, column


def _stacked(parts: list[SparseGenes]) -> SparseGenes:
    """Put the observations of the parts one after the other."""
    starts = np.sum([part.starts for part in parts], axis=0)
    rows = np.empty(starts[-1], np.int32)
    values = np.empty(starts[-1], parts[0].values.dtype)
    place, n_obs = starts[:-1].copy(), 0
    for part in parts:
        _append((part.starts, part.rows, part.values), n_obs, place, (rows, values))
        n_obs += part.n_obs
    return SparseGenes(starts, rows, values, n_obs)


@kernel
def _find_spans(
    indptr: NDArray[Any],
    indices: NDArray[Any],
    rows: Int,
    spans: Int,
    window: tuple[int, Int],
    starts: Int,
) -> None:
    """Find where the genes of the window start and stop in each of the rows, and count each gene.

    ``spans`` come with the stops of an earlier window; the counts go to ``starts[1:]``.
    """
    first, column = window
    last = first + column.size
    for i in range(rows.size):
        stop = indptr[rows[i] + 1]
        k = leap(indices, spans[1, i], stop, first)
        spans[0, i] = k
        while k < stop and indices[k] < last:
            j = column[indices[k] - first]
            starts[j + 1] += j >= 0
            k += 1
        spans[1, i] = k


@kernel
def _gather(
    indices: NDArray[Any],
    data: NDArray[Any],
    spans: Int,
    window: tuple[int, Int],
    place: Int,
    out: tuple[Int32, Values],
) -> None:
    """Put the values within the spans where their genes have ``place``."""
    first, column = window
    rows, values = out
    for i in range(spans.shape[1]):
        for k in range(spans[0, i], spans[1, i]):
            j = column[indices[k] - first]
            if j >= 0:
                rows[place[j]], values[place[j]] = i, data[k]
                place[j] += 1


@kernel
def _keep_rows(
    indptr: NDArray[Any],
    indices: NDArray[Any],
    data: NDArray[Any],
    place: Int32,
    starts: Int,
    out: tuple[Int32, Values],
) -> None:
    """List what is in the rows with ``place >= 0``, column by column."""
    rows, values = out
    n = 0
    for j in range(starts.shape[0] - 1):
        for k in range(indptr[j], indptr[j + 1]):
            if place[indices[k]] >= 0:
                rows[n], values[n] = place[indices[k]], data[k]
                n += 1
        starts[j + 1] = n


@kernel
def _append(
    genes: tuple[Int, Int32, Values], offset: int, place: Int, out: tuple[Int32, Values]
) -> None:
    """Put the lists where their genes have ``place``; ``offset`` is the first row."""
    starts, rows, values = genes
    for j in range(place.shape[0]):
        for k in range(starts[j], starts[j + 1]):
            out[0][place[j]], out[1][place[j]] = offset + rows[k], values[k]
            place[j] += 1

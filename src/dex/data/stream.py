"""Genes from files that are stored by rows: the rows stream by, and a block of genes is listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from dex._numba import kernel
from dex.data.threads import read_ahead
from dex.stats.sparse_genes import Int32, SparseGenes, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dex.typing import Int

_CHUNK_BYTES = 32 * 2**20


@dataclass(slots=True)
class StreamedCSR:
    """Sweeps the rows of a CSR file once for every block of genes; columns are never sliced."""

    matrix: Any
    """``anndata``'s CSR dataset, of HDF5 or zarr."""
    rows: Int
    max_bytes: int
    """Of a block."""
    indptr: Int = field(init=False)
    counts: Int | None = None
    """Values of every gene in the rows, ``(n_vars,)``, once they have been counted."""

    def __post_init__(self) -> None:
        self.indptr = np.asarray(self.matrix.group["indptr"][:], np.intp)

    @property
    def genes_per_block(self) -> int:
        """As many as fit, on average."""
        per_gene = int(self.indptr[-1]) * (4 + self._dtype.itemsize) // self.matrix.shape[1]
        return int(self.max_bytes // max(per_gene, 1))

    def split(self, genes: Int) -> list[Int]:
        """Blocks of these genes that take at most ``max_bytes``, one gene at least."""
        per_value = 4 + self._dtype.itemsize
        block = np.cumsum(self._counts()[genes] * per_value) // max(self.max_bytes, 1)
        return np.split(genes, np.flatnonzero(np.diff(block)) + 1)

    def read(self, genes: Int) -> SparseGenes:
        """Genes at these sorted positions."""
        starts = np.concatenate([[0], np.cumsum(self._counts()[genes])])
        rows, values = np.empty(starts[-1], np.int32), np.empty(starts[-1], self._dtype)
        place = np.full(self.matrix.shape[1], -1, np.intp)
        place[genes] = starts[:-1]
        for first, own, chunk in self.chunks():
            listed = (chunk.indptr, chunk.indices, chunk.data)
            _scatter(listed, own, first, place, (rows, values))
        return SparseGenes(starts, rows, values, len(self.rows))

    def chunks(self, *, with_values: bool = True) -> Iterator[tuple[int, Int, Any]]:
        """Rows of the file, some at a time, while the next ones are read.

        How many of ``rows`` came before, those in the chunk (positions in it), and the chunk, CSR.
        """
        per_value = 4 + self.matrix.group["data"].dtype.itemsize
        cuts = np.arange(0, self.indptr[-1], max(_CHUNK_BYTES // per_value, 1))
        ends = {0, *np.searchsorted(self.indptr, cuts).tolist(), self.matrix.shape[0]}
        spans = list(pairwise(sorted(ends)))
        chunks = read_ahead(lambda span: self._chunk(*span, with_values), spans)
        for (first, last), chunk in zip(spans, chunks, strict=True):
            start, stop = np.searchsorted(self.rows, [first, last])
            if start < stop:
                yield int(start), self.rows[start:stop] - first, chunk

    @property
    def _dtype(self) -> np.dtype[Any]:
        single = self.matrix.group["data"].dtype == np.float32
        return np.dtype(np.float32 if single else np.float64)

    def _counts(self) -> Int:
        if self.counts is None:
            self.counts = np.zeros(self.matrix.shape[1], np.intp)
            for _, own, chunk in self.chunks(with_values=False):
                _count(chunk.indptr, chunk.indices, own, self.counts)
        return self.counts

    def _chunk(self, first: int, last: int, with_values: bool) -> Any:  # noqa: FBT001
        """Rows of the file, every entry once; without values for where they are only."""
        group, stored = self.matrix.group, slice(self.indptr[first], self.indptr[last])
        indices = np.asarray(group["indices"][stored])
        data = np.asarray(group["data"][stored]) if with_values else indices
        indptr = (self.indptr[first : last + 1] - self.indptr[first]).astype(indices.dtype)
        shape = (last - first, self.matrix.shape[1])
        chunk = sparse.csr_matrix((data, indices, indptr), shape=shape)
        if not chunk.has_canonical_format:
            chunk = chunk.copy()
            chunk.sum_duplicates()
        return chunk


@dataclass(slots=True)
class StreamedDense:
    """Reads a block of genes of a dense file by rows, and lists what is not zero."""

    matrix: Any
    """A dataset of HDF5, or an array of zarr."""
    rows: Int
    max_bytes: int

    @property
    def genes_per_block(self) -> int:
        """As many as fit if no value is zero."""
        return self.max_bytes // (len(self.rows) * (4 + 2 * self._dtype.itemsize))

    def split(self, genes: Int) -> list[Int]:
        """Blocks of these genes that take at most ``max_bytes``, one gene at least."""
        per_block = max(self.genes_per_block, 1)
        return np.split(genes, range(per_block, len(genes), per_block))

    def read(self, genes: Int) -> SparseGenes:
        """Genes at these sorted positions."""
        return SparseGenes.from_dense(self.stored(genes))

    def stored(self, genes: Int) -> NDArray[Any]:
        """Values, float32 if they are stored so, else float64; a gene is contiguous."""
        out = np.empty((len(genes), len(self.rows)), self._dtype)
        if not len(genes):
            return out.T
        span = slice(int(genes[0]), int(genes[-1]) + 1)
        size = self.matrix.dtype.itemsize * (span.stop - span.start)
        per_chunk = max(_CHUNK_BYTES // size, 1)
        for first in range(0, self.matrix.shape[0], per_chunk):
            start, stop = np.searchsorted(self.rows, [first, first + per_chunk])
            if start < stop:
                chunk = np.asarray(self.matrix[first : first + per_chunk, span])
                own = chunk[np.ix_(self.rows[start:stop] - first, genes - genes[0])]
                out[:, start:stop] = own.T
        return out.T

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32 if self.matrix.dtype == np.float32 else np.float64)


@kernel
def _count(indptr: NDArray[Any], indices: NDArray[Any], rows: Int, counts: Int) -> None:
    """Add the stored values of every gene in the rows."""
    for i in rows:
        for k in range(indptr[i], indptr[i + 1]):
            counts[indices[k]] += 1


@kernel
def _scatter(
    chunk: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    rows: Int,
    offset: int,
    place: Int,
    out: tuple[Int32, Values],
) -> None:
    """Put the values of the rows where their genes have ``place``, which moves."""
    indptr, indices, data = chunk
    for i in range(rows.shape[0]):
        for k in range(indptr[rows[i]], indptr[rows[i] + 1]):
            spot = place[indices[k]]
            if spot >= 0:
                out[0][spot], out[1][spot] = offset + i, data[k]
                place[indices[k]] = spot + 1

"""Dask arrays, as ``anndata.experimental.read_lazy`` gives them: work goes to where chunks are.

What is asked of cells (totals, numbers of values) is reduced chunk by chunk. For what is asked of
genes, every chunk of cells is split into lists of what is not zero in some genes, and the lists of
the same genes are put together, as many genes at a time as memory allows. Any scheduler does it,
threads here or a cluster; what comes back to the caller are columns of results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import numpy as np
from scipy import sparse

from dex._numba import kernel
from dex._progress import progress
from dex.data.memory import DEFAULT_STREAMED
from dex.data.sparse_reader import CSCReader, CSRReader
from dex.data.threads import thread_count
from dex.errors import InputError
from dex.stats.sparse_genes import Int32, SparseGenes, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dex.typing import Bool, Float, Int

_R = TypeVar("_R")
_BYTES_PER_VALUE = 24  # a row and a value, as a list of a chunk and as one of all cells
_BLOCKS_PER_WORKER = 2
_SAMPLED_CHUNKS = 8
_ADDED_AT_A_TIME = 8


def is_lazy(matrix: Any) -> bool:
    """Whether it is a dask array."""
    return type(matrix).__module__.startswith("dask.")


def dense_of(matrix: Any) -> Float:
    """Compute what is left of a dask array after slicing, as a dense one."""
    found = matrix.compute()
    return np.asarray(found if isinstance(found, np.ndarray) else found.toarray(), np.float64)


def sampled_rows(matrix: Any, n_rows: int) -> Int:
    """Evenly spaced observations, of a few evenly spaced chunks: each has to be read whole."""
    starts = _starts(matrix, 0)
    n_chunks = min(len(starts) - 1, _SAMPLED_CHUNKS)
    chosen = np.unique(np.linspace(0, len(starts) - 2, n_chunks).astype(np.intp))
    each = -(-n_rows // len(chosen))
    rows = [
        np.linspace(starts[i], starts[i + 1] - 1, min(each, starts[i + 1] - starts[i]))
        for i in chosen
        if starts[i + 1] > starts[i]
    ]
    return np.unique(np.concatenate(rows).astype(np.intp))


def map_lazily(
    matrix: Any,
    rows: Int,
    genes: Int,
    work: Callable[[SparseGenes, slice], _R],
    *,
    n_threads: int | None,
    max_memory: int | None,
    label: str,
) -> list[_R]:
    """Apply ``work`` to blocks of genes and their places among ``genes``, where the data are."""
    dask = _dask()
    cells = _Chunks.of(matrix, rows)
    n_values = cells.reduce(_count_values, np.add, n_threads)[genes]
    blocks = _blocks(genes, n_values, _starts(matrix, 1), _limits(n_threads, max_memory))
    node = dask.delayed(work, name=f"dex-{uuid4().hex}", traverse=False)
    found: list[_R] = []
    with dask.config.set(num_workers=thread_count(n_threads)):
        for some in progress(blocks, total=len(blocks), label=label):
            found += dask.compute(*cells.tasks(node, genes, some))
    return found


def lazy_sums(matrix: Any, rows: Int, *, n_threads: int | None) -> tuple[Float, Bool, bool]:
    """Totals of cells, genes above zero in any, and whether all values are finite and >= 0."""
    dask = _dask()
    cells = _Chunks.of(matrix, rows)
    tasks = [
        dask.delayed(_sums_of)(chunk, own)
        for chunks, own in zip(cells.chunks, cells.rows, strict=True)
        for chunk in chunks
    ]
    with dask.config.set(num_workers=thread_count(n_threads)):
        found = iter(dask.compute(*tasks))
    by_cell = [[next(found) for _ in chunks] for chunks in cells.chunks]
    totals = [np.sum([total for total, _, _ in row], axis=0) for row in by_cell]
    expressed = [np.any([row[j][1] for row in by_cell], axis=0) for j in range(len(by_cell[0]))]
    good = all(chunk_is_good for row in by_cell for _, _, chunk_is_good in row)
    return np.concatenate(totals), np.concatenate(expressed), good


def lazy_sample_sums(
    matrix: Any, labels: Int, n_samples: int, *, n_threads: int | None
) -> tuple[Float, bool]:
    """Sums of the rows of every sample, and whether all values are finite and >= 0.

    Chunks are added up where they are, a few at a time, so that one table of sums comes back.
    """
    dask = _dask()
    cells = _Chunks.of(matrix, np.flatnonzero(labels >= 0))
    first = _starts(matrix, 0)
    sums = []
    for j in range(len(cells.columns) - 1):
        parts = [
            dask.delayed(_sample_sums_of)(chunks[j], own, labels[first[i] + own], n_samples)
            for chunks, own, i in zip(cells.chunks, cells.rows, cells.places, strict=True)
        ]
        while len(parts) > 1:
            parts = [
                dask.delayed(_add_sums)(parts[k : k + _ADDED_AT_A_TIME])
                for k in range(0, len(parts), _ADDED_AT_A_TIME)
            ]
        sums += parts
    with dask.config.set(num_workers=thread_count(n_threads)):
        found = dask.compute(*sums)
    return np.hstack([part for part, _ in found]), all(good for _, good in found)


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Delayed chunks with any of the observations, and which of their rows those are."""

    chunks: list[list[Any]]
    """Of cells, each of chunks of genes."""
    rows: list[Int]
    places: list[int]
    """Which chunks of cells these are."""
    columns: Int
    """Where the chunks of genes start, and the number of genes."""

    @classmethod
    def of(cls, matrix: Any, rows: Int) -> _Chunks:
        starts = _starts(matrix, 0)
        places = np.searchsorted(rows, starts)
        used = [i for i in range(len(starts) - 1) if places[i] < places[i + 1]]
        own = [rows[places[i] : places[i + 1]] - starts[i] for i in used]
        delayed = matrix.to_delayed()
        return cls([list(delayed[i]) for i in used], own, used, _starts(matrix, 1))

    def reduce(
        self, function: Callable[[Any, Int], Int], combine: np.ufunc, n_threads: int | None
    ) -> Int:
        """Combine over the cells what a function says of the genes of every chunk."""
        dask = _dask()
        tasks = [
            dask.delayed(function)(chunk, own)
            for chunks, own in zip(self.chunks, self.rows, strict=True)
            for chunk in chunks
        ]
        with dask.config.set(num_workers=thread_count(n_threads)):
            found = dask.compute(*tasks)
        per_row = len(self.chunks[0])
        by_cell = [np.concatenate(found[i : i + per_row]) for i in range(0, len(found), per_row)]
        return np.asarray(combine.reduce(by_cell, axis=0))

    def tasks(self, work: Any, genes: Int, places: Sequence[slice]) -> list[Any]:
        """One delayed result for every block of genes; a chunk is split for all of them at once."""
        dask = _dask()
        column = [
            int(np.searchsorted(self.columns, genes[place.start], side="right")) - 1
            for place in places
        ]
        results: dict[int, Any] = {}
        for j in sorted(set(column)):
            mine = [b for b in range(len(places)) if column[b] == j]
            wanted = [genes[places[b]] - self.columns[j] for b in mine]
            split = [
                dask.delayed(_split, nout=len(mine))(chunks[j], own, wanted)
                for chunks, own in zip(self.chunks, self.rows, strict=True)
            ]
            for k, b in enumerate(mine):
                lists = [parts[k] for parts in split]
                place = (places[b].start, places[b].stop)
                results[b] = dask.delayed(_put_together)(work, place, lists)
        return [results[b] for b in range(len(places))]


def _blocks(genes: Int, n_values: Int, columns: Int, limits: tuple[int, int]) -> list[list[slice]]:
    """Places of blocks of genes, each within one chunk of genes, by what is read at a time."""
    per_block, at_a_time = limits
    size = n_values * _BYTES_PER_VALUE
    in_column = np.searchsorted(columns, genes, side="right")
    number = np.cumsum(size) // per_block
    new = np.flatnonzero((np.diff(number) > 0) | (np.diff(in_column) > 0)) + 1
    stops = [0, *new.tolist(), len(genes)]
    sizes = np.add.reduceat(size, stops[:-1])
    passes = np.cumsum(sizes) // at_a_time
    some: list[list[slice]] = []
    for b in range(len(sizes)):
        if b == 0 or passes[b] != passes[b - 1]:
            some.append([])
        some[-1].append(slice(stops[b], stops[b + 1]))
    return some


def _limits(n_threads: int | None, max_memory: int | None) -> tuple[int, int]:
    """Bytes of a block of genes, and of all that are made at a time."""
    at_a_time = max_memory or DEFAULT_STREAMED
    return max(at_a_time // (_BLOCKS_PER_WORKER * thread_count(n_threads)), 1), at_a_time


def _starts(matrix: Any, axis: int) -> Int:
    """Where the chunks start along an axis, and its length."""
    sizes = matrix.chunks[axis]
    if np.isnan(sizes).any():
        msg = "a dask array with chunks of unknown size cannot be read; compute_chunk_sizes() first"
        raise InputError(msg)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)


def _dask() -> Any:
    import dask

    return dask


# What follows runs on the workers.


def _split(chunk: Any, rows: Int, wanted: list[Int]) -> list[SparseGenes]:
    """Lists of what is not zero in these rows of a chunk, for every set of genes wanted."""
    if isinstance(chunk, np.ndarray):
        return [SparseGenes.from_dense(chunk[np.ix_(rows, genes)]) for genes in wanted]
    if getattr(chunk, "format", None) == "csc":
        reader: Any = CSCReader(chunk, rows)
    else:
        chunk = _csr(chunk)
        reader = CSRReader(chunk, rows, -(-chunk.shape[1] // len(wanted)))
    return [reader.read(genes) for genes in wanted]


def _csr(chunk: Any) -> Any:
    if not sparse.issparse(chunk):
        kind = f"{type(chunk).__module__}.{type(chunk).__name__}"
        msg = f"chunks of type {kind} cannot be read; dex reads NumPy and SciPy's CSR and CSC"
        raise InputError(msg)
    return chunk if chunk.format == "csr" else chunk.tocsr()  # type: ignore[attr-defined]


def _put_together(
    work: Callable[[SparseGenes, slice], _R], place: tuple[int, int], lists: list[SparseGenes]
) -> _R:
    """Work on the lists of all chunks of cells, one after the other."""
    return work(_stacked(lists), slice(*place))


def _count_values(chunk: Any, rows: Int) -> Int:
    """Values of every gene that are not zero, or are stored."""
    if isinstance(chunk, np.ndarray):
        return np.asarray(np.count_nonzero(chunk[rows], axis=0))
    if getattr(chunk, "format", None) == "csc":
        return np.asarray(np.diff(chunk[rows].indptr), np.intp)
    return np.bincount(_csr(chunk)[rows].indices, minlength=chunk.shape[1])


def _sums_of(chunk: Any, rows: Int) -> tuple[Float, Bool, bool]:
    own = chunk[rows]
    values = own if isinstance(own, np.ndarray) else own.data
    low, high = values.min(initial=0), values.max(initial=0)
    totals = np.asarray(own.sum(axis=1, dtype=np.float64)).ravel()
    expressed = np.asarray((own > 0).sum(axis=0)).ravel() > 0
    return totals, expressed, bool(low >= 0 and high < np.inf)


def _sample_sums_of(chunk: Any, rows: Int, labels: Int, n_samples: int) -> tuple[Float, bool]:
    member = sparse.csr_array(
        (np.ones(len(rows)), (labels, np.arange(len(rows)))), shape=(n_samples, len(rows))
    )
    own = chunk[rows]
    values = own if isinstance(own, np.ndarray) else own.data
    sums = member @ own.astype(np.float64)
    good = bool(values.min(initial=0) >= 0 and values.max(initial=0) < np.inf)
    return np.asarray(sums if isinstance(sums, np.ndarray) else sums.toarray()), good


def _add_sums(parts: list[tuple[Float, bool]]) -> tuple[Float, bool]:
    return np.sum([part for part, _ in parts], axis=0), all(good for _, good in parts)


def _stacked(parts: list[SparseGenes]) -> SparseGenes:
    """Put the observations of the parts one after the other."""
    if len(parts) == 1:
        return parts[0]
    starts = np.sum([part.starts for part in parts], axis=0)
    rows = np.empty(starts[-1], np.int32)
    values = np.empty(starts[-1], parts[0].values.dtype)
    place, n_obs = starts[:-1].copy(), 0
    for part in parts:
        _append((part.starts, part.rows, part.values), n_obs, place, (rows, values))
        n_obs += part.n_obs
    return SparseGenes(starts, rows, values, n_obs)


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

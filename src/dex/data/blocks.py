"""A matrix block by block of genes, as it is stored; bad values are found on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dex._progress import progress
from dex.data.lazy import dense_of, is_lazy, map_lazily
from dex.data.reader import BLOCK_BYTES, Reader, reader_for, sparse_reader_for
from dex.data.scale import Scale
from dex.data.sparse_reader import as_slice
from dex.data.stream import StreamedCSR, StreamedDense
from dex.data.threads import map_threads, thread_count
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from dex.data.source import Source
    from dex.data.sparse_reader import SparseReader
    from dex.stats.sparse_genes import SparseGenes
    from dex.typing import Bool, Float, Int

_R = TypeVar("_R")
_FEWEST_GENES = 16
_PART_VALUES, _PART_TESTS = 2**20, 2**16
"""Enough that calls do not count, few enough for a processor's caches, as of every test many
numbers are made."""
_NOT_NEGATIVE = frozenset({Scale.COUNTS, Scale.LINEAR})


@dataclass(frozen=True, slots=True)
class GeneBlocks:
    """Some genes of some observations of a source."""

    source: Source
    rows: Int
    """Observations, as sorted positions."""
    genes: Int
    """Genes, as sorted positions."""
    gaps: bool = False
    """Whether values may be NaN: missing."""

    @classmethod
    def all_genes(cls, source: Source, rows: Int) -> GeneBlocks:
        """All that is known of some observations."""
        return cls(source, rows, np.arange(len(source.var_names)))

    def map(self, function: Callable[[Float], _R], n_threads: int | None, label: str) -> list[_R]:
        """Apply ``function`` to every block, ``(n_obs, n_genes)`` with a gene contiguous.

        Raises
        ------
        InputError
            If a value is not finite, or if counts or linear values are negative.
        """
        return self.map_placed(lambda raw, _: function(raw), n_threads, label)

    def map_placed(
        self, function: Callable[[Float, slice], _R], n_threads: int | None, label: str
    ) -> list[_R]:
        """Like :meth:`map`, of every block and its place among the genes.

        So a second pass can use what a first one has found of the same genes.
        """
        if not isinstance(self.source.matrix, np.ndarray):
            per_part = max(BLOCK_BYTES // (8 * len(self.rows)), _FEWEST_GENES)
            return self.map_sparse(
                lambda raw, place: function(raw.to_dense(), place),
                n_threads,
                label,
                genes_per_part=per_part,
            )
        reader = reader_for(self.source.matrix, self.rows)

        def work(place: slice) -> _R:
            raw = reader.read(self.genes[place])
            self._require_good(raw)
            return function(raw, place)

        return map_threads(work, self._places(reader), n_threads=n_threads, label=label)

    def map_sparse(
        self,
        function: Callable[[SparseGenes, slice], _R],
        n_threads: int | None,
        label: str,
        *,
        genes_per_part: int | None = None,
        n_tests: int = 1,
    ) -> list[_R]:
        """Apply ``function`` to every block of sparse genes and its place among the genes.

        It raises what :meth:`map` does. What is read at a time is large, and handed on in parts:
        of ``genes_per_part``, or as many as make good use of a processor's cache if there are
        ``n_tests`` of every gene.
        Of a dask array, ``function`` may be called in another process.
        """
        how = _How(n_threads, label, genes_per_part, n_tests, self.gaps)
        if is_lazy(self.source.matrix):
            return self._map_lazily(function, how)
        n = thread_count(n_threads)
        reader = sparse_reader_for(self.source.matrix, self.rows, n, self.source.max_memory)
        places = self._places(reader)
        if isinstance(reader, StreamedCSR | StreamedDense):
            return self._stream(function, reader, places, how)

        def work(place: slice) -> list[_R]:
            raw = reader.read(self.genes[place])
            self._require_good(raw.values)
            return [function(*part) for part in how.parts(raw, place)]

        found = map_threads(work, places, n_threads=n_threads, label=label)
        return list(chain.from_iterable(found))

    def _stream(
        self,
        function: Callable[[SparseGenes, slice], _R],
        reader: StreamedCSR | StreamedDense,
        places: list[slice],
        how: _How,
    ) -> list[_R]:
        """Blocks are read one after the other, as large as they may be; threads share the parts."""
        found: list[_R] = []
        for place in progress(places, total=len(places), label=how.label):
            raw = reader.read(self.genes[place])
            self._require_good(raw.values)
            found += map_threads(
                lambda part: function(*part),
                list(how.parts(raw, place)),
                n_threads=how.n_threads,
                label=how.label,
            )
            del raw  # before the next one is read
        return found

    def _map_lazily(self, function: Callable[[SparseGenes, slice], _R], how: _How) -> list[_R]:
        """Workers of dask read and work."""
        found = map_lazily(
            self.source.matrix,
            self.rows,
            self.genes,
            partial(_checked, function, self._cannot_be_used, how),
            n_threads=how.n_threads,
            max_memory=self.source.max_memory,
            label=how.label,
        )
        if any(part is None for part in found):
            raise InputError(self._diagnosis())
        return list(chain.from_iterable(part for part in found if part is not None))

    def _pieces(self, reader: Reader | SparseReader) -> list[Int]:
        if isinstance(reader, StreamedCSR | StreamedDense):
            return reader.split(self.genes)
        fewest = _FEWEST_GENES if self.source.max_memory is None else 1
        per_block = max(reader.genes_per_block, fewest)
        return np.split(self.genes, range(per_block, len(self.genes), per_block))

    def _places(self, reader: Reader | SparseReader) -> list[slice]:
        """Where each piece is among the genes."""
        stops = np.cumsum([len(piece) for piece in self._pieces(reader)])
        return [slice(a, b) for a, b in pairwise([0, *stops.tolist()])]

    def _require_good(self, raw: NDArray[Any]) -> None:
        if self._cannot_be_used(raw):
            raise InputError(self._diagnosis())

    def _dense_blocks(self) -> Iterator[tuple[Int, Float]]:
        """All values, a few genes at a time."""
        matrix = self.source.matrix
        if is_lazy(matrix):
            per_block = max(BLOCK_BYTES // (8 * len(self.rows)), 1)
            for genes in np.split(self.genes, range(per_block, len(self.genes), per_block)):
                yield genes, dense_of(matrix[:, as_slice(genes)][as_slice(self.rows)])
            return
        reader = reader_for(matrix, self.rows, self.source.max_memory)
        for genes in self._pieces(reader):
            yield genes, reader.read(genes)

    @property
    def _cannot_be_used(self) -> Callable[[NDArray[Any]], bool]:
        """Whether there is a value that no test can take."""
        return partial(_has_bad_values, scale=self.source.scale, gaps=self.gaps)

    def _diagnosis(self) -> str:
        """Say which value cannot be used: the first gene and sample, and how many there are."""
        total, first = 0, ""
        for genes, raw in self._dense_blocks():
            bad = _bad_values(raw, self.source.scale, gaps=self.gaps)
            total += int(bad.sum())
            if not first and bad.any():
                j = int(np.flatnonzero(bad.any(axis=0))[0])
                i = int(np.flatnonzero(bad[:, j])[0])
                gene, sample = self.source.var_names[genes[j]], self.source.obs_names[self.rows[i]]
                first = f"the first is {raw[i, j]:g}, gene {gene!r} in {sample!r}"
        positive = "" if self.source.scale.is_log else " and >= 0"
        in_totals = self.source.scale is Scale.COUNTS
        kind = "not finite" if self.source.scale.is_log else "negative or not finite"
        return (
            f"{self.source.where} has {total} value{'s' if total > 1 else ''} {kind} ({first}); "
            f"{self.source.scale.words} must be finite{positive}: "
            f"drop those genes or samples{'' if in_totals else ', or mask genes with mask_var='}."
        )


@dataclass(frozen=True, slots=True)
class _How:
    """Ways to go through the blocks."""

    n_threads: int | None
    label: str
    genes_per_part: int | None
    n_tests: int
    gaps: bool

    def parts(self, raw: SparseGenes, place: slice) -> Iterator[tuple[SparseGenes, slice]]:
        """Some genes at a time, and their place; their values have been checked."""
        raw = replace(raw, no_nan=not self.gaps)
        of_values = 1 + _PART_VALUES * raw.n_vars // (1 + len(raw.values))
        n = self.genes_per_part or min(of_values, 1 + _PART_TESTS // self.n_tests)
        for i in range(0, raw.n_vars, n):
            yield raw.take(i, i + n), slice(place.start + i, min(place.start + i + n, place.stop))


def _checked(
    function: Callable[[SparseGenes, slice], _R],
    cannot_be_used: Callable[[NDArray[Any]], bool],
    how: _How,
    raw: SparseGenes,
    place: slice,
) -> list[_R] | None:
    """Like :meth:`GeneBlocks.map_sparse` on a worker; None where a value cannot be used."""
    if cannot_be_used(raw.values):
        return None
    return [function(*part) for part in how.parts(raw, place)]


def _has_bad_values(raw: NDArray[Any], *, scale: Scale, gaps: bool) -> bool:
    """Whether there is a value that no test can take; cheap, as it is asked of every block."""
    if _are_positive(raw):
        return False
    low, high = raw.min(initial=0.0), raw.max(initial=0.0)  # NaN, if there is one, comes through
    fine = np.isfinite(low) and np.isfinite(high) and (scale not in _NOT_NEGATIVE or low >= 0)
    return not fine and bool(_bad_values(raw, scale, gaps=gaps).any())


def _are_positive(raw: NDArray[Any]) -> bool:
    """Whether all floats are 0 or more, and finite; it may say no of minus zero.

    Read as whole numbers without a sign, theirs are the smallest bits.
    """
    if raw.dtype.kind != "f" or not raw.size:
        return False
    bits = raw.view(f"u{raw.dtype.itemsize}")
    infinity = np.array(np.inf, raw.dtype).view(bits.dtype)
    return bool(bits.max() < infinity)


def _bad_values(raw: NDArray[Any], scale: Scale, *, gaps: bool) -> Bool:
    bad = np.isinf(raw) if gaps else ~np.isfinite(raw)
    return bad | (raw < 0) if scale in _NOT_NEGATIVE else bad

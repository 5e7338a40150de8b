"""A matrix block by block of genes, as it is stored; bad values are found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dex.data.reader import (
    BLOCK_BYTES,
    Reader,
    reader_for,
    sparse_reader_for,
    stores_zeros,
)
from dex.data.scale import Scale
from dex.data.threads import map_threads, thread_count
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dex.data.source import Source
    from dex.data.sparse_reader import SparseReader
    from dex.stats.sparse_genes import SparseGenes
    from dex.typing import Bool, Float, Int

_R = TypeVar("_R")
_FEWEST_GENES = 16
_PART_VALUES = 2**19  # enough that calls do not count, few enough for a processor's cache
_NOT_NEGATIVE = frozenset({Scale.COUNTS, Scale.LINEAR})


@dataclass(frozen=True, slots=True)
class GeneBlocks:
    """Some genes of some observations of a source."""

    source: Source
    rows: Int
    """Observations, as sorted positions."""
    genes: Int
    """Genes, as sorted positions."""

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
        if not stores_zeros(self.source.matrix):
            fill = lambda raw, _: function(raw.to_dense())  # noqa: E731
            per_part = max(BLOCK_BYTES // (8 * len(self.rows)), _FEWEST_GENES)
            return self.map_sparse(fill, n_threads, label, genes_per_part=per_part)
        reader = reader_for(self.source.matrix, self.rows)

        def work(genes: Int) -> _R:
            raw = reader.read(genes)
            self._require_good(raw)
            return function(raw)

        return map_threads(work, self._pieces(reader), n_threads=n_threads, label=label)

    def map_sparse(
        self,
        function: Callable[[SparseGenes, slice], _R],
        n_threads: int | None,
        label: str,
        *,
        genes_per_part: int | None = None,
    ) -> list[_R]:
        """Apply ``function`` to every block of sparse genes and its place among the genes.

        It raises what :meth:`map` does. What is read at a time is large, and handed on in parts.
        """
        reader = sparse_reader_for(self.source.matrix, self.rows, thread_count(n_threads))

        def work(place: slice) -> list[_R]:
            raw = reader.read(self.genes[place])
            self._require_good(raw.values)
            n = genes_per_part or 1 + _PART_VALUES * raw.n_vars // (1 + len(raw.values))
            return [
                function(
                    raw.take(i, i + n), slice(place.start + i, min(place.start + i + n, place.stop))
                )
                for i in range(0, raw.n_vars, n)
            ]

        stops = np.cumsum([len(piece) for piece in self._pieces(reader)])
        places = [slice(a, b) for a, b in pairwise([0, *stops.tolist()])]
        parts = map_threads(work, places, n_threads=n_threads, label=label)
        return list(chain.from_iterable(parts))

    def _pieces(self, reader: Reader | SparseReader) -> list[Int]:
        per_block = max(reader.genes_per_block, _FEWEST_GENES)
        return np.split(self.genes, range(per_block, len(self.genes), per_block))

    def _require_good(self, raw: NDArray[Any]) -> None:
        if _has_bad_values(raw, self.source.scale):
            raise InputError(self._diagnosis())

    def _diagnosis(self) -> str:
        """Say which value cannot be used: the first gene and sample, and how many there are."""
        reader = reader_for(self.source.matrix, self.rows)
        total, first = 0, ""
        for genes in self._pieces(reader):
            raw = reader.read(genes)
            bad = _bad_values(raw, self.source.scale)
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


def _has_bad_values(raw: NDArray[Any], scale: Scale) -> bool:
    """Whether there is a value that no test can take; cheap, as it is asked of every block."""
    low, high = raw.min(initial=0.0), raw.max(initial=0.0)  # NaN, if there is one, comes through
    return bool(
        not (np.isfinite(low) and np.isfinite(high)) or (scale in _NOT_NEGATIVE and low < 0)
    )


def _bad_values(raw: Float, scale: Scale) -> Bool:
    bad = ~np.isfinite(raw)
    return bad | (raw < 0) if scale in _NOT_NEGATIVE else bad

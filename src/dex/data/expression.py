"""Blocks of genes on the scale that a test needs, normalised on the way where they are counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dex.data.reader import Reader, reader_for
from dex.data.scale import Scale
from dex.data.threads import map_threads
from dex.errors import InputError
from dex.stats.normalize import library_size_factors, ln1p, log_cpm

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.source import Source
    from dex.typing import Bool, Float, Int

_R = TypeVar("_R")
_FEWEST_GENES = 16
_LAZY = frozenset({Scale.COUNTS, Scale.LINEAR})
_NOT_NEGATIVE = frozenset({Scale.COUNTS, Scale.LINEAR})

Columns = dict[str, NDArray[Any]]
"""Columns of a result by name, each ``(n_vars, n_tests)``."""


@dataclass(frozen=True, slots=True)
class GeneBlock:
    """Some genes of all observations; every array is ``(n_obs, n_genes)``, a gene contiguous."""

    values: Float
    """On the scale that is tested."""
    linear: Float
    """Normalised, not logged; NaN where the scale has no linear counterpart."""
    abundance: Float | None
    """Above zero where the gene is expressed; None on scales that do not keep zeros."""


@dataclass(frozen=True, slots=True)
class Expression:
    """The observations and genes to be tested, as a sequence of blocks of genes."""

    source: Source
    rows: Int
    """Observations used, as sorted positions."""
    genes: Int
    """Genes used, as sorted positions."""
    scale: Scale
    """Of the values in the blocks; differs from the source's where blocks are normalised."""
    library_sizes: Float | None = None
    """Total counts of ``rows``, over all genes of the source, where counts are normalised."""
    pseudocount: float = 1.0
    """About one count per typical library, in linear units of the blocks."""
    notes: tuple[str, ...] = ()

    @classmethod
    def from_source(
        cls, source: Source, rows: Int, genes: Int, *, n_threads: int | None = None
    ) -> Expression:
        """Blocks on a log scale: counts are normalised lazily, whichever matrix holds them.

        Cells get the natural log of 1 + counts per median library (scanpy's), samples get
        edgeR's log2 counts per million. Linear values in ``X`` are logged; in a layer that was
        named they are left as they are. No layer is made.

        Raises
        ------
        InputError
            If a value is not finite, if counts are negative, or if a sample has no counts.
        """
        if source.scale not in _LAZY or (source.explicit and source.scale is Scale.LINEAR):
            notes = (*source.notes, *_warnings(source))
            return cls(source, rows, genes, source.scale, None, source.pseudocount, notes)
        if source.scale is Scale.LINEAR:
            notes = (*source.notes, f"{source.where} holds linear values: tested as log2(x + 1).")
            return cls(source, rows, genes, Scale.LOG2P1, None, source.pseudocount, notes)
        everything = cls(source, rows, np.arange(len(source.var_names)), Scale.COUNTS)
        sizes = everything.totals(n_threads)
        _refuse_empty_samples(source, rows, sizes)
        cells = source.unit == "cells"
        scale = Scale.LN1P if cells else Scale.LOGCPM
        how = "log1p of counts per median library" if cells else "log2 CPM (prior count 2)"
        notes = (*source.notes, f"{source.where} holds counts: tested as {how}, made on the way.")
        one_count = 1.0 if cells else 1e6 / sizes.mean()
        return cls(source, rows, genes, scale, sizes, one_count, notes)

    def totals(self, n_threads: int | None = None) -> Float:
        """Sum over the genes per observation, shape ``(n_obs,)``."""
        sums = self._map(lambda raw: raw.sum(axis=1), n_threads, label="library sizes")
        return np.sum(sums, axis=0)

    def select_genes(self, rule: Callable[[Float, Float], Bool]) -> Bool:
        """Apply a rule over values ``(n_obs, n_genes)`` of a block and totals ``(n_obs,)``."""
        totals = self.totals()
        return np.concatenate(self._map(lambda raw: rule(raw, totals), None, label="filter"))

    def reduce_observations(
        self, function: Callable[[Float], Float], n_threads: int | None = None
    ) -> Float:
        """Apply ``function`` to the source's values, ``(n_obs, n_genes)``, block by block."""
        return np.hstack(self._map(function, n_threads, label="pseudobulk"))

    def map_blocks(
        self, function: Callable[[GeneBlock], Columns], *, n_threads: int | None, label: str
    ) -> Columns:
        """Apply ``function`` to every block by threads and stack its columns along the genes."""
        parts = self._map(lambda raw: function(self._block(raw)), n_threads, label)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def values(self) -> Float:
        """All values at once, ``(n_obs, n_genes)``: for a handful of genes, as plots need."""
        return np.hstack(self._map(lambda raw: self._block(raw).values, 1, label="values"))

    def _map(self, function: Callable[[Float], _R], n_threads: int | None, label: str) -> list[_R]:
        reader = reader_for(self.source.matrix, self.rows)

        def work(genes: Int) -> _R:
            raw = reader.read(genes)
            if _has_bad_values(raw, self.source.scale):
                raise InputError(self._diagnosis(reader))
            return function(raw)

        pieces = self._pieces(reader)
        return map_threads(work, pieces, n_threads=n_threads, label=label)

    def _pieces(self, reader: Reader) -> list[Int]:
        per_block = max(reader.block_bytes // (8 * len(self.rows)), _FEWEST_GENES)
        return np.array_split(self.genes, max(-(-len(self.genes) // per_block), 1))

    def _block(self, raw: Float) -> GeneBlock:
        abundance = raw if self.source.scale.keeps_zero else None
        if self.library_sizes is None:
            linear = self.source.scale.to_linear(raw)
            log = self.scale is Scale.LOG2P1 and self.source.scale is Scale.LINEAR
            return GeneBlock(np.log2(1 + raw) if log else raw, linear, abundance)
        if self.scale is Scale.LOGCPM:
            cpm = raw / self.library_sizes[:, None] * 1e6
            return GeneBlock(log_cpm(raw, self.library_sizes), cpm, abundance)
        factors = library_size_factors(self.library_sizes)
        values = ln1p(raw, factors)
        return GeneBlock(values, np.expm1(values), abundance)

    def _diagnosis(self, reader: Reader) -> str:
        """Say which value cannot be used: the first gene and sample, and how many there are."""
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


def _has_bad_values(raw: Float, scale: Scale) -> bool:
    """Whether there is a value that no test can take; cheap, as it is asked of every block."""
    low, high = raw.min(initial=0.0), raw.max(initial=0.0)  # NaN, if there is one, comes through
    return bool(
        not (np.isfinite(low) and np.isfinite(high)) or (scale in _NOT_NEGATIVE and low < 0)
    )


def _bad_values(raw: Float, scale: Scale) -> Bool:
    bad = ~np.isfinite(raw)
    return bad | (raw < 0) if scale in _NOT_NEGATIVE else bad


def _refuse_empty_samples(source: Source, rows: Int, sizes: Float) -> None:
    """A cell without counts stays zero; a sample without counts has no expression at all."""
    empty = source.obs_names[rows[sizes <= 0]]
    if len(empty) and source.unit == "samples":
        msg = (
            f"{len(empty)} of {len(rows)} samples have no counts at all in {source.where} "
            f"(the first is {empty[0]!r}); drop them."
        )
        raise InputError(msg)


def _warnings(source: Source) -> tuple[str, ...]:
    """What follows from a layer that was named and is not on a log scale."""
    if source.scale.is_log:
        return ()
    linear = source.scale is Scale.LINEAR
    why = "not logged" if linear else "fold changes cannot be had from them and are NaN"
    return (f"{source.where} holds {source.scale.words}, tested as they are: {why}.",)

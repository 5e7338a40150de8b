"""Blocks of genes on the scale that a test needs, normalised on the way where they are counts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dex.data.blocks import GeneBlocks
from dex.data.depths import Depths, Unit, check_lengths_shape
from dex.data.lazy import is_lazy
from dex.data.reader import reader_for
from dex.data.scale import Scale
from dex.data.shared_columns import distinct, widen
from dex.data.size_factors import Factors, estimate_factors
from dex.errors import InputError
from dex.stats.normalize import PRIOR_COUNT, ln1p, log_cpm, log_cpm_of_shares

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dex.data.source import Source
    from dex.stats.sparse_genes import SparseGenes
    from dex.typing import Bool, Float, Int

_LAZY = frozenset({Scale.COUNTS, Scale.LINEAR})

Columns = dict[str, NDArray[Any]]
"""Columns of a result by name, each ``(n_vars, n_tests)``."""


def stacked(parts: list[Columns]) -> Columns:
    """Columns of some genes after those of others."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True, slots=True)
class GeneBlock:
    """Some genes of all observations; every array is ``(n_obs, n_genes)``, a gene contiguous."""

    values: Float
    """On the scale that is tested."""
    linear: Float
    """Normalised, not logged; NaN where the scale has no linear counterpart."""
    abundance: Float | None
    """Above zero where the gene is expressed; None on scales that do not keep zeros."""
    weights: Float | None = None
    """Of the values, where they have any."""


@dataclass(frozen=True, slots=True)
class SparseBlock:
    """A :class:`GeneBlock` of sparse genes."""

    values: SparseGenes
    linear: SparseGenes
    abundance: SparseGenes | None


@dataclass(frozen=True, slots=True)
class Expression:
    """The observations and genes to be tested, as a sequence of blocks of genes."""

    blocks: GeneBlocks
    """As they are stored."""
    scale: Scale
    """Of the values in the blocks; differs from the source's where blocks are normalised."""
    factors: Factors | None = None
    """Of the observations, over all genes of the source, where counts are normalised."""
    pseudocount: float = 1.0
    """About one count per typical library, in linear units of the blocks."""
    notes: tuple[str, ...] = ()
    lengths: Any = None
    """Average transcript lengths beside counts that are modelled, of the source's shape."""
    weights: Any = None
    """Weights of the observations, gene by gene, of the source's shape."""

    @classmethod
    def from_source(
        cls,
        source: Source,
        rows: Int,
        genes: Int,
        *,
        size_factors: str = "auto",
        obs: pd.DataFrame | None = None,
        divisors: Float | None = None,
        scale: Scale | None = None,
        control_genes: Bool | None = None,
        whole: bool = False,
        n_threads: int | None = None,
    ) -> Expression:
        """Blocks on a log scale: counts are normalised lazily, whichever matrix holds them.

        Cells get the natural log of 1 + counts over size factors (by default library sizes over
        their median: scanpy's), samples get edgeR's log2 counts per million of their effective
        libraries (by default TMM's). Linear values in ``X`` are logged; in a layer that was named
        they are left as they are. No layer is made. ``divisors``, ``(n_obs,)``, are what the counts
        were divided by before (as :attr:`divisors` gives them), in place of ``size_factors``.
        ``scale`` is ``LN1P`` or ``LOGCPM``, to have one of these of counts, whoever is counted.
        ``control_genes``, ``(n_vars,)``, are those that medians of ratios are over; ``whole``
        rounds counts before they are taken.

        Raises
        ------
        InputError
            If a value is not finite, if counts are negative, if a sample has no counts, or if
            there are no such ``size_factors`` (a method, or a column of ``obs``) for them.
        """
        if source.scale is not Scale.COUNTS and size_factors != "auto":
            msg = (
                f"size_factors={size_factors!r} normalises counts, and {source.where} holds "
                f"{source.scale.words}; name the layer with the counts, or leave it out."
            )
            raise InputError(msg)
        blocks = GeneBlocks(source, rows, genes)
        if source.scale not in _LAZY or (source.explicit and source.scale is Scale.LINEAR):
            notes = (*source.notes, *_warnings(source))
            return cls(blocks, source.scale, None, source.pseudocount, notes)
        if source.scale is Scale.LINEAR:
            taken = "taken as log2(x + 1); raw counts, if there are any, are better."
            notes = (*source.notes, f"{source.where} holds linear values: {taken}")
            return cls(blocks, Scale.LOG2P1, None, source.pseudocount, notes)
        cells = source.unit == "cells"
        method = ("library" if cells else "tmm") if size_factors == "auto" else size_factors
        scale = scale or (Scale.LN1P if cells else Scale.LOGCPM)
        per_million = scale is Scale.LOGCPM
        if divisors is not None:
            factors = Factors.known(method, divisors, per_million=per_million)
        else:
            factors = estimate_factors(
                source,
                rows,
                method,
                obs=obs,
                control_genes=control_genes,
                whole=whole,
                n_threads=n_threads,
            )
        how = _how(factors, per_million=per_million)
        notes = (*source.notes, f"{source.where} holds counts: taken as {how}, made on the way.")
        typical = factors.effective.mean() / 1e6 if per_million else factors.typical
        one_count = float(1 / typical)
        return cls(blocks, scale, factors, one_count, notes)

    @classmethod
    def of_counts(
        cls,
        source: Source,
        rows: Int,
        genes: Int,
        *,
        size_factors: str,
        obs: pd.DataFrame | None = None,
        scale: Scale = Scale.LOGCPM,
        lengths: Any = None,
        control_genes: Bool | None = None,
        whole: bool = False,
        n_threads: int | None = None,
    ) -> Expression:
        """Counts to be modelled as they are: ``blocks`` holds them, ``factors`` their depths.

        ``scale`` says in what unit means are told: ``LOGCPM``, per million of the effective
        library; ``LN1P``, per size factor. ``lengths`` are average transcript lengths, observations
        x genes as the source's matrix, and the factors then of counts over relative ones;
        :meth:`depths` has both.

        Raises
        ------
        InputError
            If the source holds no counts, if lengths are not positive or not of its shape, and as
            :meth:`from_source`.
        """
        made = cls.from_source(
            source,
            rows,
            genes,
            size_factors=size_factors,
            obs=obs,
            scale=scale,
            control_genes=control_genes,
            whole=whole,
            n_threads=n_threads,
        )
        if made.factors is None:
            msg = f"{source.where} holds {source.scale.words}, and a count model needs counts."
            raise InputError(msg)
        if lengths is not None:
            check_lengths_shape(lengths, source)
            factors = estimate_factors(
                source,
                rows,
                made.factors.method,
                obs=obs,
                control_genes=control_genes,
                lengths=lengths,
                whole=whole,
                n_threads=n_threads,
            )
            made = replace(made, factors=factors, lengths=lengths)
        by = cast("Factors", made.factors).title
        by += "" if lengths is None else " of counts over relative transcript lengths"
        note = f"{source.where} holds counts, modelled as they are; their depths are told by {by}."
        return replace(made, notes=(*source.notes, note))

    @property
    def source(self) -> Source:
        """Where the values are from."""
        return self.blocks.source

    @property
    def rows(self) -> Int:
        """Observations used, as sorted positions."""
        return self.blocks.rows

    @property
    def divisors(self) -> Float | None:
        """What the counts are divided by to be linear, shape ``(n_obs,)``; None if they are not.

        Effective libraries in millions for counts per million, else size factors.
        """
        if self.factors is None:
            return None
        per_million = self.scale is Scale.LOGCPM
        return self.factors.effective / 1e6 if per_million else self.factors.size_factors

    def depths(self, unit: Unit) -> Depths:
        """What multiplies the means of counts that are modelled."""
        assert self.factors is not None  # as of_counts() makes sure
        return Depths(self.blocks, self.factors, unit, self.lengths)

    def weights_of(self, place: slice | Int) -> Float | None:
        """Weights of the genes at ``place`` (sorted), ``(n_obs, n_genes)``; None without."""
        if self.weights is None:
            return None
        return reader_for(self.weights, self.rows).read(self.blocks.genes[place])

    def take(self, rows: Int) -> Expression:
        """Only some observations (``rows`` are positions among these), normalised as they were."""
        blocks = replace(self.blocks, rows=self.rows[rows])
        factors = None if self.factors is None else self.factors.take(rows)
        return replace(self, blocks=blocks, factors=factors)

    def map_blocks(
        self, function: Callable[[GeneBlock], Columns], *, n_threads: int | None, label: str
    ) -> Columns:
        """Apply ``function`` to every block by threads and stack its columns along the genes."""
        block = (self._without_matrix() if is_lazy(self.source.matrix) else self)._block
        parts = self.blocks.map_placed(
            lambda raw, place: function(block(raw, place)), n_threads, label
        )
        return stacked(parts)

    def map_sparse(
        self,
        function: Callable[[SparseBlock], Columns],
        *,
        n_threads: int | None,
        label: str,
        n_tests: int = 1,
    ) -> Columns:
        """Like :meth:`map_blocks`, of sparse genes: zeros are neither stored nor looked at.

        ``n_tests`` is how many numbers ``function`` makes of a gene, in every column.
        """
        columns = _Stacked(len(self.blocks.genes))
        if is_lazy(self.source.matrix):
            block = self._without_matrix()._sparse_block
            work = lambda raw, place: (place, function(block(raw)))  # noqa: E731  # may travel
            for place, found in self.blocks.map_sparse(work, n_threads, label, n_tests=n_tests):
                columns.put(place, found)
            return columns.columns
        self.blocks.map_sparse(
            lambda raw, place: columns.put(place, function(self._sparse_block(raw))),
            n_threads,
            label,
            n_tests=n_tests,
        )
        return columns.columns

    def values(self) -> Float:
        """All values at once, ``(n_obs, n_genes)``: for a handful of genes, as plots need."""
        blocks = self.blocks.map_placed(self._block, 1, "values")
        return np.hstack([block.values for block in blocks])  # noqa: PD011

    def _without_matrix(self) -> Expression:
        """What makes blocks of raw values, to be sent to workers that have the values."""
        nobody = np.empty(0, dtype=object)
        source = replace(self.source, matrix=None, obs_names=nobody, var_names=nobody)
        return replace(self, blocks=replace(self.blocks, source=source))

    def _block(self, raw: Float, place: slice) -> GeneBlock:
        abundance = raw if self.source.scale.keeps_zero else None
        weights = self.weights_of(place)
        if self.factors is None:
            linear = self.source.scale.to_linear(raw)
            values = np.log2(1 + raw) if self._logs_linear else raw
            return GeneBlock(values, linear, abundance, weights)
        if self.scale is Scale.LOGCPM:
            libraries = self.factors.effective
            linear = raw / libraries[:, None] * 1e6
            return GeneBlock(log_cpm(raw, libraries), linear, abundance, weights)
        values = ln1p(raw, self.factors.size_factors)
        return GeneBlock(values, np.expm1(values), abundance, weights)

    def _sparse_block(self, raw: SparseGenes) -> SparseBlock:
        abundance = raw if self.source.scale.keeps_zero else None
        if self.factors is None:
            is_linear = self.source.scale is Scale.LINEAR
            linear = raw if is_linear else raw.map(self.source.scale.to_linear)
            logged = raw.map(lambda x: np.log2(1 + x)) if self._logs_linear else raw
            return SparseBlock(logged, linear, abundance)
        if self.scale is Scale.LOGCPM:
            shares = raw.divided_by(self.factors.effective)
            prior = PRIOR_COUNT / self.factors.effective.mean()
            logged = shares.map(lambda x: log_cpm_of_shares(x, prior))
            return SparseBlock(logged, shares.map(lambda x: x * 1e6), abundance)
        normalised = raw.divided_by(self.factors.size_factors)
        return SparseBlock(normalised.map(np.log1p), normalised, abundance)

    @property
    def _logs_linear(self) -> bool:
        return self.scale is Scale.LOG2P1 and self.source.scale is Scale.LINEAR


class _Stacked:
    """Columns of all genes, filled in block by block from any thread."""

    def __init__(self, n_vars: int) -> None:
        self.columns: Columns = {}
        """Read-only views where all tests share a column."""
        self._filled: Columns = {}
        self._n_vars = n_vars
        self._lock = threading.Lock()

    def put(self, place: slice, block: Columns) -> None:
        """Put the rows of some genes in their place."""
        parts = {name: distinct(rows) for name, rows in block.items()}
        with self._lock:
            for name, rows in parts.items():
                if name not in self._filled:
                    taken = np.empty((self._n_vars, *rows.shape[1:]), rows.dtype)
                    self._filled[name] = taken
                    self.columns[name] = widen(taken, (self._n_vars, *block[name].shape[1:]))
        for name, rows in parts.items():
            self._filled[name][place] = rows


def _how(factors: Factors, *, per_million: bool) -> str:
    """How counts are normalised, in messages."""
    if per_million:
        return f"log2 CPM (prior count 2, {factors.title})"
    by = "median library" if factors.method == "library" else f"size factor ({factors.title})"
    return f"log1p of counts per {by}"


def _warnings(source: Source) -> tuple[str, ...]:
    """What follows from a layer that was named and is not on a log scale."""
    if source.scale.is_log:
        return ()
    linear = source.scale is Scale.LINEAR
    why = "not logged" if linear else "fold changes cannot be had from them and are NaN"
    return (f"{source.where} holds {source.scale.words}, taken as they are: {why}.",)

"""Counts of an expression by blocks of genes, with what multiplies their means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dex.data.expression import stacked
from dex.stats.abundance import ave_log_cpm

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data import Expression
    from dex.data.expression import Columns
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Counted:
    """What models of counts go through, again and again; never all counts at once as numbers."""

    expression: Expression
    n_threads: int | None

    @property
    def libraries(self) -> Float:
        """Effective library sizes, shape ``(n_obs,)``."""
        factors = self.expression.factors
        assert factors is not None  # of counts that are modelled as they are
        return factors.effective

    @property
    def sizes(self) -> Float:
        """Library sizes that abundances are told by, shape ``(n_obs,)``.

        As edgeR has it after ``scaleOffset``, they are plain totals with transcript lengths.
        """
        factors = self.expression.factors
        assert factors is not None
        return factors.effective if factors.counted is None else factors.lib_sizes

    def depths(self, place: slice | Int) -> Float:
        """What multiplies the means of the genes at ``place`` (sorted).

        Libraries ``(n_obs,)``, or with transcript lengths ``(n_obs, n_genes)``.
        """
        return self.expression.depths("library").of(place)

    def weights(self, place: slice | Int) -> Float | None:
        """Weights of the genes at ``place`` (sorted), ``(n_obs, n_genes)``; None without."""
        return self.expression.weights_of(place)

    def map(self, function: Callable[[Float, slice], Columns], label: str) -> Columns:
        """Apply ``function`` to the counts of every block and its place; stack its columns."""
        parts = self.expression.blocks.map_placed(function, self.n_threads, label)
        return stacked(parts)

    def map_some(
        self, function: Callable[[Float, Int], Columns], places: Int, label: str
    ) -> Columns:
        """Likewise of the genes at sorted ``places``; ``function`` gets those of its block."""
        blocks = self.expression.blocks
        some = replace(blocks, genes=blocks.genes[places])
        parts = some.map_placed(
            lambda counts, place: function(counts, places[place]), self.n_threads, label
        )
        return stacked(parts)

    def of_genes(self, places: Int) -> Float:
        """Counts of some genes, at sorted places, at once: ``(n_obs, len(places))``."""
        blocks = self.expression.blocks
        some = replace(blocks, genes=blocks.genes[places])
        return np.asfortranarray(
            np.hstack(some.map(lambda raw: raw, self.n_threads, "counts")), dtype=np.float64
        )

    def abundances(self, dispersion: float) -> Columns:
        """Average log2 counts per million of every gene, and their mean on the linear scale."""
        libraries, sizes = self.libraries, self.sizes

        def columns(counts: Float, place: slice) -> Columns:
            weights = self.weights(place)
            return {
                "base_mean": (counts / libraries[:, None]).mean(axis=0) * 1e6,
                "abundance": ave_log_cpm(counts, sizes, dispersion=dispersion, weights=weights),
            }

        return self.map(columns, "abundance")

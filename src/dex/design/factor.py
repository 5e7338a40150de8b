"""A categorical variable of a design, and the columns that hold its main effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.design.reference import choose_reference
from dex.errors import DesignError, InputError

if TYPE_CHECKING:
    from dex.design.labels import Labels
    from dex.typing import Bool, Float, Int


@dataclass(frozen=True, slots=True)
class FactorLevels:
    """Levels of a factor, the reference first, before anything is coded."""

    name: str
    """As the formula writes it: ``drug`` or ``C(batch)``."""
    variable: str
    """The column of ``obs``."""
    levels: tuple[str, ...]
    """Levels in use; the first is the reference."""
    codes: Int
    """Index into ``levels``, shape ``(n_kept,)``."""
    reference_reason: str
    notes: tuple[str, ...] = ()

    @classmethod
    def from_labels(
        cls, labels: Labels, *, name: str, variable: str, reference: object | None = None
    ) -> FactorLevels:
        """Levels of a column with the reference moved to the front.

        Raises
        ------
        DesignError
            If there is one level only.
        InputError
            If ``reference`` is not a level.
        """
        if len(labels.levels) == 1:
            msg = (
                f"obs[{variable!r}] has one level only, {labels.levels[0]!r}, in the observations "
                f"used ({labels.codes.size:,}); take it out of the design."
            )
            raise DesignError(msg)
        chosen = choose_reference(labels, column=variable, given=reference)
        order = [chosen.index, *(i for i in range(len(labels.levels)) if i != chosen.index)]
        rank = np.empty(len(order), dtype=np.intp)
        rank[order] = np.arange(len(order))
        levels = tuple(labels.levels[i] for i in order)
        return cls(name, variable, levels, rank[labels.codes], chosen.reason, chosen.notes)


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor and its place in a design."""

    name: str
    """As the formula writes it: ``drug`` or ``C(batch)``."""
    variable: str
    """The column of ``obs``."""
    levels: tuple[str, ...]
    """Levels in use; the first is the reference."""
    codes: Int
    """Index into ``levels``, shape ``(n_kept,)``."""
    reference_reason: str
    terms: tuple[str, ...]
    """Names of the design's terms that it takes part in."""
    main_effect: Int | None
    """Column of each level, shape ``(n_levels,)``; -1 for a level that the intercept stands for;
    None if the factor appears in interactions only."""
    held_at: tuple[str, ...]
    """Where its main effect is taken, for each partner in an interaction: ``genotype = wt``."""
    held: Bool
    """Observations there, shape ``(n_kept,)``: all without interactions, none where a partner is
    numeric."""

    @property
    def where(self) -> str:
        """In words, for the names of tests; nothing without interactions."""
        return f" ({', '.join(self.held_at)})" if self.held_at else ""

    @property
    def coded_in_full(self) -> bool:
        """Whether every level has a column, as in a design without an intercept."""
        return self.main_effect is not None and bool(np.all(self.main_effect >= 0))

    def vector(self, weights: Float, *, n_columns: int) -> Float:
        """Weights of the design's columns that weight the levels by ``weights`` ``(n_levels,)``.

        Raises
        ------
        InputError
            If the factor has no main effect.
        """
        if self.main_effect is None:
            msg = (
                f"{self.name!r} has no main effect in the design, only {', '.join(self.terms)}, so "
                f"the effect of a level is not defined; add '+ {self.name}', or write the contrast "
                "over the names of the coefficients."
            )
            raise InputError(msg)
        vector = np.zeros(n_columns)
        coded = self.main_effect >= 0
        vector[self.main_effect[coded]] = weights[coded]
        return vector

    def against(self, group: int, reference: int) -> Float:
        """Level weights of a group minus a reference, shape ``(n_levels,)``."""
        weights = np.zeros(len(self.levels))
        weights[group] += 1.0
        weights[reference] -= 1.0
        return weights

    def against_others(self, group: int) -> Float:
        """Level weights of a group minus the unweighted mean of the others."""
        weights = np.full(len(self.levels), -1.0 / (len(self.levels) - 1))
        weights[group] = 1.0
        return weights

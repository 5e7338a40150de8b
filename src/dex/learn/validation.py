"""Cross-validation: every observation is predicted by models that its donor had no part in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.learn.areas import fold_areas

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dex.learn.depth import Table
    from dex.learn.folds import Split
    from dex.learn.recipe import Fitted, Outcome, Recipe
    from dex.learn.units import Units
    from dex.typing import Float, Int

    Mapper = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Out-of-fold predictions of every repeat."""

    values: Float
    """Probabilities ``(n_repeats, n_obs, n_classes)``, or numbers, ``(n_repeats, n_obs, 1)``."""
    folds: Int
    """Fold in which each observation is tested, ``(n_repeats, n_obs)``; -1 in none."""
    genes: Int
    """How often each gene was chosen, ``(n_vars,)``."""
    n_fits: int

    @property
    def mean(self) -> Float:
        """Over repeats, ``(n_obs, n_classes)``; NaN where never tested."""
        tested = self.folds >= 0
        total = np.where(tested[:, :, None], self.values, 0.0).sum(axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / tested.sum(axis=0)[:, None], dtype=np.float64)


def in_turn(function: Callable[[Any], Any], pieces: Sequence[Any]) -> list[Any]:
    """Map one by one."""
    return [function(piece) for piece in pieces]


def cross_validate(
    table: Table,
    outcome: Outcome,
    repeats: Sequence[Sequence[Split]],
    recipe: Recipe,
    *,
    mapper: Mapper = in_turn,
) -> Predictions:
    """Fit to the training side of every split and predict the other."""
    pieces = [(r, f, split) for r, splits in enumerate(repeats) for f, split in enumerate(splits)]

    def work(piece: tuple[int, int, Split]) -> tuple[Int, Float]:
        fitted: Fitted = recipe.fit(table, piece[2].train, outcome)
        return fitted.genes, fitted.predict(table, piece[2].test, outcome.batches)

    n_obs, n_vars = table.shape
    values = np.full((len(repeats), n_obs, max(outcome.n_classes, 1)), np.nan)
    folds = np.full((len(repeats), n_obs), -1, dtype=np.intp)
    chosen = np.zeros(n_vars, dtype=np.intp)
    for (r, f, split), (genes, predicted) in zip(pieces, mapper(work, pieces), strict=True):
        values[r, split.test], folds[r, split.test] = predicted, f
        chosen[genes] += 1
    return Predictions(values, folds, chosen, len(pieces))


@dataclass(frozen=True, slots=True)
class Scored:
    """What areas are taken over: units where donors are of one class, else observations."""

    scores: Float
    """``(n_repeats, n, n_classes)``."""
    codes: Int
    folds: Int
    """``(n_repeats, n)``."""
    donors: Int

    @classmethod
    def of(cls, predictions: Predictions, units: Units) -> Scored:
        """Average the observations of a unit, where it is units that are independent."""
        if not units.constant:
            return cls(predictions.values, units.codes, predictions.folds, units.donors)
        n = len(units.unit_codes)
        tested = predictions.folds >= 0
        values = np.where(tested[:, :, None], predictions.values, 0.0)
        scores = np.zeros((len(values), n, values.shape[2]))
        folds = np.full((len(values), n), -1, dtype=np.intp)
        for r in range(len(values)):
            np.add.at(scores[r], units.of_obs, values[r])
            scores[r] /= np.maximum(np.bincount(units.of_obs, tested[r], n), 1)[:, None]
            folds[r, units.of_obs] = predictions.folds[r]
        return cls(scores, units.unit_codes, folds, units.unit_donors)

    @property
    def mean(self) -> Float:
        """Mean scores over repeats, ``(n, n_classes)``."""
        return np.asarray(self.scores.mean(axis=0), dtype=np.float64)

    def area(self) -> float:
        """Mean over repeats of the area within folds."""
        return float(
            np.mean(
                [
                    fold_areas(s, self.codes, f).auc
                    for s, f in zip(self.scores, self.folds, strict=True)
                ]
            )
        )

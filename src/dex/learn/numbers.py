"""How good predicted numbers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.learn.areas import concordance
from dex.learn.folds import Split, dealt
from dex.stats.auc import logit_interval

if TYPE_CHECKING:
    from dex.learn.permutation import Null
    from dex.learn.units import Units
    from dex.learn.validation import Predictions
    from dex.typing import Float, Int

_FEWEST_FOR_VARIANCE = 19


def number_folds(units: Units, y: Float, n_splits: int, rng: np.random.Generator) -> list[Split]:
    """Deal donors into folds so that each has small, middling and large numbers."""
    n = np.bincount(units.donors)
    means = np.bincount(units.donors, y) / n
    order = np.argsort(means, kind="stable")
    strata = np.empty(len(means), dtype=np.intp)
    strata[order] = np.arange(len(means)) // n_splits
    fold = dealt(strata, n_splits, rng)[units.donors]
    return [Split(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(n_splits)]


@dataclass(frozen=True, slots=True)
class Predicted:
    """Numbers of units where donors have one, else of observations."""

    values: Float
    """``(n_repeats, n)``."""
    y: Float
    folds: Int
    """``(n_repeats, n)``."""
    donors: Int
    baseline: Float
    """Mean of the training observations, ``(n_repeats, n)``."""

    @classmethod
    def of(cls, predictions: Predictions, units: Units, y: Float) -> Predicted:
        """Average the observations of a unit, where it is units that are independent."""
        values, folds = predictions.values[:, :, 0], predictions.folds
        baseline = np.array([_training_mean(one, y) for one in folds])
        if not units.constant:
            return cls(values, y, folds, units.donors, baseline)
        n = np.bincount(units.of_obs)
        first = np.unique(units.of_obs, return_index=True)[1]
        return cls(
            np.array([np.bincount(units.of_obs, row) / n for row in values]),
            np.bincount(units.of_obs, y) / n,
            folds[:, first],
            units.unit_donors,
            baseline[:, first],
        )

    def concordance(self) -> float:
        """Mean over repeats of the concordance within folds."""
        pairs = zip(self.values, self.folds, strict=True)
        return float(np.mean([concordance(v, self.y, f)[0] for v, f in pairs]))

    def by_fold(self) -> Float:
        """Concordance of every repeat and fold."""
        pairs = zip(self.values, self.folds, strict=True)
        return np.array([concordance(v, self.y, f)[1] for v, f in pairs])

    def interval(self, null: Null | None) -> tuple[float, float]:
        """95% interval of the concordance over donors, by t on the logit scale.

        The variance is that of a mean over pairs, enlarged by what permutations show.
        """
        n = len(np.unique(self.donors))
        place = np.nanmean(
            [_placed(v, self.y, f) for v, f in zip(self.values, self.folds, strict=True)], axis=0
        )
        each = np.bincount(self.donors, np.nan_to_num(place, nan=0.5)) / np.bincount(self.donors)
        variance = 4 * float(each.var(ddof=1)) / n
        if null is not None and len(null.drawn) >= _FEWEST_FOR_VARIANCE:
            of_given = (2 * (2 * n + 5)) / (9 * n * (n - 1)) / 4
            variance *= max(1.0, float(np.mean((null.drawn - 0.5) ** 2)) / of_given)
        pairs = n * (n - 1) / 2
        return logit_interval(self.concordance(), variance, n - 1.0, n_pairs=pairs)

    def metrics(self) -> dict[str, float]:
        """Numbers by name; chance is what the mean of the training observations gives."""
        error = self.values - self.y
        by_mean = self.baseline - self.y
        mean = self.values.mean(axis=0)
        return {
            "r2": float(1 - np.sum(error**2) / np.sum(by_mean**2)),
            "rmse": float(np.sqrt(np.mean(error**2))),
            "rmse_chance": float(np.sqrt(np.mean(by_mean**2))),
            "mae": float(np.abs(error).mean()),
            "mae_chance": float(np.abs(by_mean).mean()),
            "pearson": _correlation(mean, self.y),
        }


def _training_mean(folds: Int, y: Float) -> Float:
    out = np.empty(len(y))
    for fold in range(int(folds.max()) + 1):
        out[folds == fold] = y[folds != fold].mean()
    return out


def _placed(prediction: Float, y: Float, folds: Int) -> Float:
    """Share of the pairs of each observation, within its fold, that are in the right order."""
    out = np.full(len(y), np.nan)
    for fold in range(int(folds.max()) + 1):
        own = np.flatnonzero(folds == fold)
        order = np.sign(y[own, None] - y[own])
        said = np.sign(prediction[own, None] - prediction[own])
        n = (order != 0).sum(axis=1)
        right = np.where(order != 0, (1 + order * said) / 2, 0.0).sum(axis=1)
        out[own[n > 0]] = right[n > 0] / n[n > 0]
    return out


def _correlation(a: Float, b: Float) -> float:
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])

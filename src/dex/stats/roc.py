"""Curves of a score: sensitivity, precision and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve by its corners; both arrays have the same length."""

    x: Float
    y: Float

    def at(self, grid: Float) -> Float:
        """Heights at ``grid``, by straight lines between corners; of a vertical line, its end."""
        corners = self.x + 1e-9 * np.arange(len(self.x))
        return np.asarray(np.interp(grid, corners, self.y), dtype=np.float64)


def roc_curve(score: Float, is_group: Bool) -> Curve:
    """Sensitivity (``y``) against the false positive rate (``x``); equal scores are one corner.

    Examples
    --------
    >>> curve = roc_curve(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    true, false = _cumulative(score, is_group)
    start = np.zeros(1)
    return Curve(
        np.concatenate([start, false / max(false[-1], 1)]),
        np.concatenate([start, true / max(true[-1], 1)]),
    )


def precision_recall_curve(score: Float, is_group: Bool) -> Curve:
    """Precision (``y``) against recall (``x``); equal scores are one corner.

    Recall begins at 0 with the precision of the highest score.
    """
    true, false = _cumulative(score, is_group)
    precision = true / (true + false)
    recall = true / max(true[-1], 1)
    return Curve(np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision]))


def average_precision(score: Float, is_group: Bool) -> float:
    """Mean of the precision over the gains in recall; by chance, the share of the group.

    Examples
    --------
    >>> round(average_precision(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]) > 0), 4)
    0.8333
    """
    true, false = _cumulative(score, is_group)
    gains = np.diff(true, prepend=0.0) / max(true[-1], 1)
    return float(np.sum(gains * true / (true + false)))


def _cumulative(score: Float, is_group: Bool) -> tuple[Float, Float]:
    """Members and others at or above each different score, from the highest."""
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))
    true = np.cumsum(is_group[order].astype(float))[last]
    return np.asarray(true), np.asarray(last + 1.0 - true)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predicted against observed frequencies in bins of equally many; arrays ``(n_bins,)``."""

    predicted: Float
    """Mean probability."""
    observed: Float
    """Share of the group."""
    n: Int
    """Observations."""


def reliability(probability: Float, is_group: Bool, *, n_bins: int) -> Reliability:
    """Bins of nearly equal size along the sorted probabilities, fewer where there are few.

    Examples
    --------
    >>> bins = reliability(np.array([0.1, 0.2, 0.7, 0.8]), np.array([0, 0, 1, 1]) > 0, n_bins=2)
    >>> bins.predicted.round(2).tolist(), bins.observed.tolist()
    ([0.15, 0.75], [0.0, 1.0])
    """
    parts = np.array_split(np.argsort(probability, kind="stable"), min(n_bins, len(probability)))
    return Reliability(
        np.array([probability[part].mean() for part in parts]),
        np.array([is_group[part].mean() for part in parts]),
        np.array([len(part) for part in parts], dtype=np.intp),
    )

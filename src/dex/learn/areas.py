"""Areas under ROC curves within folds, of two classes or of all pairs of several."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.auc import placements

if TYPE_CHECKING:
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Areas:
    """Of one assignment of folds."""

    by_fold: Float
    """Mean over pairs of classes, ``(n_folds,)``; NaN where a fold has but one class."""
    auc: float
    """Mean over pairs of classes of the areas in all folds, each weighted by its pairs of
    observations [Hand2001]_."""
    influence: Float
    """What each observation adds to it, ``(n_obs,)``; see
    :func:`dex.stats.auc.clustered_variance`."""


def fold_areas(scores: Float, codes: Int, folds: Int) -> Areas:
    """Compare observations with those of the same fold only.

    Parameters
    ----------
    scores
        Probabilities of the classes, ``(n_obs, n_classes)``.
    codes, folds
        Class, and test fold, of each observation; -1 is in no fold.

    References
    ----------
    .. [Hand2001] Hand DJ, Till RJ (2001). A simple generalisation of the area under the ROC curve
       for multiple class classification problems. Machine Learning 45, 171-186.
    """
    pairs = list(combinations(range(scores.shape[1]), 2))
    n_folds = int(folds.max()) + 1
    area, weight = np.full((n_folds, len(pairs)), np.nan), np.zeros((n_folds, len(pairs)))
    influence = np.zeros(len(codes))
    for p, (a, b) in enumerate(pairs):
        place = np.full(len(codes), np.nan)
        for fold in range(n_folds):
            low = np.flatnonzero((folds == fold) & (codes == a))
            high = np.flatnonzero((folds == fold) & (codes == b))
            if len(low) and len(high):
                place[high], place[low] = _placed(scores, low, high, (a, b), two=len(pairs) == 1)
                area[fold, p], weight[fold, p] = place[high].mean(), len(low) * len(high)
        influence += _influence(place, codes, (a, b), area[:, p], weight[:, p])
    known = weight.sum(axis=0) > 0
    total = np.nansum(area * weight, axis=0)[known] / weight.sum(axis=0)[known]
    counted = ~np.isnan(area)
    by_fold = np.full(n_folds, np.nan)
    some = counted.any(axis=1)
    by_fold[some] = np.nansum(area[some], axis=1) / counted[some].sum(axis=1)
    auc = float(total.mean()) if len(total) else float("nan")
    return Areas(by_fold, auc, influence / len(pairs))


def _placed(
    scores: Float, low: Int, high: Int, pair: tuple[int, int], *, two: bool
) -> tuple[Float, Float]:
    """Placements of both sides: of more than two classes, the mean by either probability."""
    a, b = pair
    of_high, of_low = placements(scores[high, b], scores[low, b])
    if two:
        return of_high, of_low
    of_low_too, of_high_too = placements(scores[low, a], scores[high, a])
    return (of_high + of_high_too) / 2, (of_low + of_low_too) / 2


def _influence(
    place: Float, codes: Int, pair: tuple[int, int], area: Float, weight: Float
) -> Float:
    out = np.zeros(len(codes))
    if not weight.sum():
        return out
    mean = float(np.nansum(area * weight) / weight.sum())
    for code in pair:
        own = np.flatnonzero((codes == code) & ~np.isnan(place))
        out[own] = (place[own] - mean) / len(own)
    return out


def concordance(prediction: Float, y: Float, folds: Int) -> tuple[float, Float]:
    """Share of the pairs of a fold that are in the right order; ties count half.

    Returns
    -------
    That of all folds, each weighted by its pairs, and that of every fold, ``(n_folds,)``.

    Examples
    --------
    >>> concordance(np.array([1.0, 2, 3]), np.array([1.0, 3, 2]), np.zeros(3, int))[0].__round__(3)
    0.667
    """
    n_folds = int(folds.max()) + 1
    right, pairs = np.zeros(n_folds), np.zeros(n_folds)
    for fold in range(n_folds):
        own = np.flatnonzero(folds == fold)
        i, j = np.triu_indices(len(own), 1)
        order = np.sign(y[own[i]] - y[own[j]])
        said = np.sign(prediction[own[i]] - prediction[own[j]])
        differ = order != 0
        pairs[fold] = differ.sum()
        right[fold] = ((1 + order * said) / 2)[differ].sum()
    with np.errstate(invalid="ignore"):
        by_fold = right / pairs
    return float(right.sum() / pairs.sum()) if pairs.sum() else float("nan"), by_fold

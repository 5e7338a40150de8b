"""How good probabilities are, besides their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit

from dex.learn.areas import fold_areas
from dex.learn.logistic import Logistic
from dex.stats.auc import (
    area_variance,
    clustered_variance,
    logit_interval,
    score_interval,
)
from dex.stats.roc import average_precision, precision_recall_curve, reliability, roc_curve

if TYPE_CHECKING:
    from dex.learn.permutation import Null
    from dex.learn.validation import Scored
    from dex.typing import Float, Int

GRID = np.linspace(0, 1, 101)
_MOST_BINS = 10
_PER_BIN = 8
_FEWEST_FOR_VARIANCE = 19
_CLIP = 1e-6


@dataclass(frozen=True, slots=True)
class Area:
    """The area under the ROC curve, and what is compatible with the data."""

    auc: float
    low: float
    high: float
    by_fold: Float
    """``(n_repeats, n_folds)``."""


def area_of(scored: Scored, null: Null | None, *, constant: bool) -> Area:
    """Mean area over folds and repeats with a 95% interval over donors.

    Where donors are of one of two classes the interval is a score interval for so many donors on
    both sides, its variance enlarged by what permutations show of cross-validated areas; else it is
    by t on the logit scale from the clustered variance.
    """
    pairs = zip(scored.scores, scored.folds, strict=True)
    repeats = [fold_areas(scores, scored.codes, folds) for scores, folds in pairs]
    auc = float(np.mean([one.auc for one in repeats]))
    by_fold = np.array([one.by_fold for one in repeats])
    sizes = np.bincount(scored.codes).astype(float)
    if constant and len(sizes) == 2:
        inflation = _inflation(null, area_variance(0.5, sizes[0], sizes[1]))
        low, high = score_interval(auc, sizes[0], sizes[1], inflation=inflation)
        return Area(auc, low, high, by_fold)
    donors = np.unique(scored.donors, return_inverse=True)[1].ravel()
    n_donors = int(donors.max()) + 1
    influence = np.mean([one.influence for one in repeats], axis=0)
    variance = clustered_variance(influence, donors)
    df = n_donors - (float(len(sizes)) if constant else 1.0)
    if constant and variance > 0:
        variance *= 1 + (_inflation(null, variance) - 1) * (1 - abs(2 * auc - 1))
    fewest = np.sort(sizes)[:2]
    n_pairs = float(fewest.prod()) if constant else float(n_donors**2)
    low, high = logit_interval(auc, variance, df, n_pairs=n_pairs)
    return Area(auc, low, high, by_fold)


def _inflation(null: Null | None, expected: float) -> float:
    """Variance of areas of permuted labels over what is ``expected`` of them; at least 1."""
    if null is None or len(null.drawn) < _FEWEST_FOR_VARIANCE:
        return 1.0
    return max(1.0, float(np.mean((null.drawn - 0.5) ** 2) / expected))


def decided(probability: Float, prior: Float) -> Int:
    """The class whose probability is highest relative to its share of the observations.

    So a rare class is predicted where it is much likelier than elsewhere, and balanced accuracy is
    best.
    """
    return np.asarray(np.argmax(probability / prior, axis=1), dtype=np.intp)


def metrics(probability: Float, codes: Int, prior: Float) -> dict[str, float]:
    """Numbers by name; chance is what the shares of the classes alone would give."""
    n, n_classes = probability.shape
    one_hot = np.eye(n_classes)[codes]
    said = decided(probability, prior)
    recall = [float((said[codes == k] == k).mean()) for k in range(n_classes)]
    columns = [1] if n_classes == 2 else list(range(n_classes))
    precision = [average_precision(probability[:, k], codes == k) for k in columns]
    inside = np.clip(probability[np.arange(n), codes], _CLIP, 1)
    halves = 2.0 if n_classes == 2 else 1.0  # of two classes, Brier's score of the one
    shares = one_hot.mean(axis=0)
    out = {
        "balanced_accuracy": float(np.mean(recall)),
        "balanced_accuracy_chance": 1 / n_classes,
        "accuracy": float((said == codes).mean()),
        "average_precision": float(np.mean(precision)),
        "average_precision_chance": float(np.mean([shares[k] for k in columns])),
        "brier": float(np.sum((probability - one_hot) ** 2) / n / halves),
        "brier_chance": float(np.sum((shares - one_hot) ** 2) / n / halves),
        "log_loss": float(-np.mean(np.log(inside))),
        "log_loss_chance": float(-np.mean(np.log(shares[codes]))),
    }
    if n_classes == 2:
        slope, intercept = recalibration(probability[:, 1], codes)
        out |= {"calibration_slope": slope, "calibration_intercept": intercept}
    return out


def recalibration(probability: Float, codes: Int) -> tuple[float, float]:
    """Slope and intercept of the log odds observed on those predicted [Cox1958]_; ideally 1 and 0.

    A slope below 1 says that probabilities are too sure of themselves. NaN where the classes lie
    apart, as then the slope is infinite.

    References
    ----------
    .. [Cox1958] Cox DR (1958). Two further applications of a model for binary regression.
       Biometrika 45, 562-565.
    """
    group, other = probability[codes == 1], probability[codes == 0]
    if group.min() >= other.max() or group.max() <= other.min():
        return float("nan"), float("nan")
    eta = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    model = Logistic(C=1e8).fit(eta[:, None], codes)
    return float(model.coef[0, 0]), float(model.intercept[0])


def confusion(codes: Int, said: Int, n_classes: int) -> Int:
    """Numbers of observations by class (rows) and prediction (columns)."""
    return np.bincount(codes * n_classes + said, minlength=n_classes**2).reshape(n_classes, -1)


def curves(scored: Scored, classes: tuple[str, ...]) -> dict[str, Any]:
    """ROC and precision-recall curves on a grid, and the calibration of the mean probabilities.

    Of two classes a curve for each fold (of up to 200), ``(n_curves, 101)``; of more a curve for
    each class against the rest, the mean over folds.
    """
    n_classes = len(classes)
    each = [1] if n_classes == 2 else list(range(n_classes))
    roc: dict[int, list[Float]] = {k: [] for k in each}
    recall: dict[int, list[Float]] = {k: [] for k in each}
    for scores, folds in zip(scored.scores, scored.folds, strict=True):
        for fold in range(int(folds.max()) + 1):
            own = folds == fold
            for k in each:
                is_group = scored.codes[own] == k
                if is_group.any() and not is_group.all():
                    roc[k].append(roc_curve(scores[own, k], is_group).at(GRID))
                    recall[k].append(precision_recall_curve(scores[own, k], is_group).at(GRID))
    mean = scored.mean
    member = np.eye(n_classes, dtype=bool)[scored.codes]
    columns = [1] if n_classes == 2 else list(range(n_classes))
    n_bins = int(np.clip(len(mean) * len(columns) // _PER_BIN, 2, _MOST_BINS))
    bins = reliability(mean[:, columns].ravel(), member[:, columns].ravel(), n_bins=n_bins)
    return {
        "grid": GRID,
        "roc": _shown(roc),
        "precision_recall": _shown(recall),
        "prevalence": member.mean(axis=0)[each],
        "calibration": {
            "predicted": bins.predicted,
            "observed": bins.observed,
            "n": bins.n.astype(np.int64),
        },
    }


def _shown(found: dict[int, list[Float]]) -> Float:
    """Every fold's curve of the one class there is, or the mean curve of each of several."""
    if len(found) == 1:
        return np.array(next(iter(found.values())))
    return np.array([np.mean(curves, axis=0) for curves in found.values()])

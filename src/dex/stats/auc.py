"""Areas under the ROC curve from placements, and intervals for them that hold for few donors.

A placement is the share of the other side that an observation is above: the area is their mean
[DeLong1988]_. Placements are taken within folds, as scores of different models cannot be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from dex.stats.tails import t_quantile

if TYPE_CHECKING:
    from dex.typing import Float, Int

_MANY_DF = 1e6
_EDGE = 1e-6


def placements(group: Float, reference: Float) -> tuple[Float, Float]:
    """Share of the other side that is below each of ``group``, and above each of ``reference``.

    Ties count half. The mean of either is the area under the ROC curve [DeLong1988]_, eq. 4.

    References
    ----------
    .. [DeLong1988] DeLong ER, DeLong DM, Clarke-Pearson DL (1988). Comparing the areas under two or
       more correlated receiver operating characteristic curves. Biometrics 44, 837-845.

    Examples
    --------
    >>> of_group, of_reference = placements(np.array([0.9, 0.4]), np.array([0.4, 0.1]))
    >>> of_group.tolist(), of_reference.tolist()
    ([1.0, 0.75], [0.75, 1.0])
    """
    below, above = np.sort(reference), np.sort(group)
    of_group = _share_below(group, below)
    of_reference = 1 - _share_below(reference, above)
    return of_group, of_reference


def _share_below(values: Float, others: Float) -> Float:
    low = np.searchsorted(others, values, side="left")
    high = np.searchsorted(others, values, side="right")
    return np.asarray((low + high) / 2 / max(len(others), 1), dtype=np.float64)


def clustered_variance(influence: Float, clusters: Int) -> float:
    """Variance of an area from the influence of every observation, by cluster [Obuchowski1997]_.

    Parameters
    ----------
    influence
        What each observation adds to the estimate less its expectation, shape ``(n_obs,)``: its
        placement less the area, over the number of its side. They sum to zero.
    clusters
        Donor of each observation, codes from 0, shape ``(n_obs,)``.

    References
    ----------
    .. [Obuchowski1997] Obuchowski NA (1997). Nonparametric analysis of clustered ROC curve data.
       Biometrics 53, 567-578. Equations 4 to 6.
    """
    sums = np.bincount(clusters, influence)
    n = len(sums)
    return float(np.sum(sums**2) * n / (n - 1)) if n > 1 else float("nan")


def area_variance(auc: float, n_group: float, n_reference: float) -> float:
    """Variance of the area of two samples, exact for identical distributions [Newcombe2006]_.

    Method 5: that of Hanley & McNeil with both sizes replaced by their mean in the last terms, so
    that it does not matter which side is called the group. At 0.5 it is nearly that of Wilcoxon's
    statistic.

    References
    ----------
    .. [Newcombe2006] Newcombe RG (2006). Confidence intervals for an effect size measure based on
       the Mann-Whitney statistic. Part 2: asymptotic methods and evaluation. Statistics in Medicine
       25, 559-573.

    Examples
    --------
    >>> round(area_variance(0.5, 4, 4), 6)  # Wilcoxon's: (4 + 4 + 1) / 12 / 16
    0.046875
    """
    typical = (n_group + n_reference) / 2 - 1
    extra = typical * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return auc * (1 - auc) * (1 + extra) / (n_group * n_reference)


def score_interval(
    auc: float,
    n_group: float,
    n_reference: float,
    *,
    inflation: float = 1.0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Areas that the observed one does not contradict [Newcombe2006]_, method 5.

    They are those from which it is less than a quantile of t (on the degrees of freedom of both
    sides) of their own standard errors away, so that an area of 1 from four against four has a
    lower limit, too.

    Parameters
    ----------
    auc
        The area observed.
    n_group, n_reference
        Independent units on both sides.
    inflation
        Of the variance at 0.5, as that of cross-validated areas is larger than that of given
        scores. It wanes linearly to none at 0 and 1, where models of all folds agree.
    level
        Of confidence.

    Examples
    --------
    >>> [round(end, 3) for end in score_interval(1.0, 10, 10)]
    [0.775, 1.0]
    """
    quantile = float(t_quantile((1 + level) / 2, np.array([n_group + n_reference - 2.0]))[0])

    def beyond(theta: float) -> float:
        wider = 1 + (inflation - 1) * (1 - abs(2 * theta - 1))
        variance = wider * area_variance(theta, n_group, n_reference)
        return (auc - theta) ** 2 - quantile**2 * variance

    inside = float(np.clip(auc, _EDGE, 1 - _EDGE))  # at the ends the variance is 0
    low = 0.0 if auc <= 0 else float(brentq(beyond, 0.0, inside))
    high = 1.0 if auc >= 1 else float(brentq(beyond, inside, 1.0))
    return low, high


def logit_interval(
    auc: float, variance: float, df: float, *, n_pairs: float, level: float = 0.95
) -> tuple[float, float]:
    """Interval by t on the logit scale; an area of 0 or 1 is moved in by half a pair.

    Examples
    --------
    >>> [round(end, 3) for end in logit_interval(0.8, 0.01, 20, n_pairs=100)]
    [0.521, 0.936]
    """
    if not np.isfinite(variance) or df < 1:
        return 0.0, 1.0
    inside = float(np.clip(auc, 0.5 / (n_pairs + 1), 1 - 0.5 / (n_pairs + 1)))
    least = inside * (1 - inside) / n_pairs  # of as many independent pairs
    se = np.sqrt(max(variance, least)) / (inside * (1 - inside))
    half = float(t_quantile((1 + level) / 2, np.array([min(df, _MANY_DF)]))[0]) * se
    low, high = expit(logit(inside) - half), expit(logit(inside) + half)
    return min(float(low), auc), max(float(high), auc)

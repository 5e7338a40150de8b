"""One p-value from those of several independent parts: the worst of them, or all together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri_exp

from dex.stats.tails import normal_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float

_LN10 = float(np.log(10.0))


@dataclass(frozen=True, slots=True)
class CombinedTest:
    """Combined tests, each field of the shape of one part."""

    stat: Float
    """Normal deviate, positive where the effect is."""
    log10_pval: Float
    """log10 of the two-sided p-value; NaN where no part has one."""


def deviates(log10_pval: Float, sign: Float) -> Float:
    """Normal deviates that have these two-sided p-values, with the signs of ``sign``.

    Examples
    --------
    >>> deviates(np.array([np.log10(0.05), -5000.0, 0.0]), np.array([1.0, -1.0, 1.0])).round(3)
    array([   1.96 , -151.708,    0.   ])
    """
    log_half = log10_pval * _LN10 - np.log(2)
    z = -np.asarray(ndtri_exp(np.minimum(log_half, -np.log(2))), dtype=np.float64)
    return np.sign(sign) * np.maximum(z, 0.0)


def worst_test(z: Float) -> CombinedTest:
    """Test that every part has an effect, all in one direction [Berger1982]_.

    The intersection-union test: one-sided p-values of both directions, the largest of each over the
    parts, and twice the smaller. That is the largest two-sided p-value where all parts agree in
    their sign, and 1 where they do not.

    Parameters
    ----------
    z
        Normal deviates by part, shape ``(n_parts, ...)``; NaN where a part has no test.

    References
    ----------
    .. [Berger1982] Berger (1982). Multiparameter hypothesis testing and acceptance sampling.
       Technometrics 24, 295-300.

    Examples
    --------
    >>> test = worst_test(np.array([[1.96, 1.96], [3.0, -3.0]]))
    >>> test.stat.tolist(), (10**test.log10_pval).round(3).tolist()
    ([1.96, 0.0], [0.05, 1.0])
    """
    known = ~np.isnan(z)
    low = np.where(known, z, np.inf).min(axis=0)
    high = np.where(known, z, -np.inf).max(axis=0)
    stat = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    stat = np.where(known.any(axis=0), stat, np.nan)
    return CombinedTest(stat, normal_log10_pval(stat))


def stouffer_test(z: Float, weights: Float) -> CombinedTest:
    """Test all parts together: the weighted sum of their deviates [Stouffer1949]_, [Whitlock2005]_.

    Parameters
    ----------
    z
        Normal deviates by part, shape ``(n_parts, ...)``; NaN where a part has no test.
    weights
        Of the parts, broadcast to ``z``: best, the root of their effective sizes.

    References
    ----------
    .. [Stouffer1949] Stouffer et al. (1949). The American Soldier, vol. 1. Princeton University
       Press; with weights, Liptak (1958).
    .. [Whitlock2005] Whitlock (2005). Combining probability from independent tests: the weighted
       Z-method is superior to Fisher's approach. Journal of Evolutionary Biology 18, 1368-1373.

    Examples
    --------
    >>> test = stouffer_test(np.array([[1.5], [1.5], [1.5], [1.5]]), np.ones((4, 1)))
    >>> test.stat.tolist(), (10**test.log10_pval).round(4).tolist()
    ([3.0], [0.0027])
    """
    known = ~np.isnan(z)
    kept = np.where(known, weights, 0.0)
    total = np.sum(kept * np.where(known, z, 0.0), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        stat = total / np.sqrt(np.sum(kept**2, axis=0))
    return CombinedTest(stat, normal_log10_pval(stat))

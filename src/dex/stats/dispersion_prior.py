"""How far true dispersions lie from their trend: the prior's variance [Love2014]_.

The spread of the estimates' logs around the trend is the sum of the prior's variance and of the
sampling variance of a log variance estimate, that of the log of a chi-square over its degrees of
freedom. For few degrees of freedom that logarithm is so skewed that the difference of variances is
not used; the distribution of the sum is compared with the estimates' as a whole.

.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550. Equations 7 and 8, and "Empirical prior".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr, polygamma
from scipy.stats import chi2, median_abs_deviation

if TYPE_CHECKING:
    from dex.typing import Float

LEAST_VARIANCE: Final = 0.25
_FEW_DF: Final = 3
_EDGES: Final = np.arange(-20, 21) / 2
_LARGEST: Final = 8.0
_VARIANCES: Final = np.linspace(0.0, _LARGEST, 200)
_SPAN: Final = 0.2
_DRAWS: Final = 10_000
_N_NODES: Final = 500


@dataclass(frozen=True, slots=True)
class DispersionSpread:
    """Spread of log dispersions around their trend."""

    observed: float
    """Robust variance of the estimates' logs."""
    prior: float
    """Variance that the true ones are taken to have: the width of the prior."""


def dispersion_spread(residuals: Float, df_residual: int) -> DispersionSpread:
    """Variance of the prior of log dispersions, at least 0.25.

    Parameters
    ----------
    residuals
        Natural logs of estimates over their trend, of eligible genes.
    df_residual
        Observations less coefficients. From 4 on the sampling variance, trigamma of half of them,
        is taken off the observed one. Up to 3, the variance is that under which a normal added to
        the log of a chi-square over its degrees of freedom is nearest to the residuals.

    Notes
    -----
    Near is meant in Kullback and Leibler's sense, of histograms with bins of width one half. DESeq2
    draws the second one at random; here it is integrated, with what 10,000 draws would be expected
    to leave of the divergence, and smoothed over the variance as there. DESeq2's own value for the
    same residuals lies within about 0.04 of it, the size of its Monte Carlo error.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> spread = dispersion_spread(rng.normal(0, 1.0, 5000), 20)
    >>> round(spread.prior, 1), round(spread.observed, 1)
    (0.9, 1.0)
    """
    observed = float(median_abs_deviation(residuals, scale="normal") ** 2)
    if df_residual > _FEW_DF:
        prior = observed - float(polygamma(1, df_residual / 2))
    else:
        prior = _nearest_variance(residuals, df_residual)
    return DispersionSpread(observed, max(prior, LEAST_VARIANCE))


def _nearest_variance(residuals: Float, df: int) -> float:
    width = _EDGES[1] - _EDGES[0]
    counted = np.histogram(residuals, _EDGES)[0]
    density = counted / max(counted.sum(), 1) / width
    expected = _expected_histograms(df) / width
    smallest = np.append(density[density > 0], 1 / (_DRAWS * width)).min()
    logs = np.log(density + smallest) - np.log(expected + smallest)
    divergence = (density * logs).sum(axis=1)
    return _smooth_minimum(_VARIANCES, divergence)


@cache
def _expected_histograms(df: int) -> Float:
    """Probabilities of the bins under every variance, shape ``(n_variances, n_bins)``."""
    levels = (np.arange(_N_NODES) + 0.5) / _N_NODES
    nodes = np.log(chi2.ppf(levels, df) / df)
    below = np.empty((len(_VARIANCES), len(_EDGES)))
    below[0] = chi2.cdf(df * np.exp(_EDGES), df)
    for i, variance in enumerate(_VARIANCES[1:], start=1):
        below[i] = ndtr((_EDGES[:, None] - nodes) / np.sqrt(variance)).mean(axis=1)
    inside = np.diff(below, axis=1)
    return np.asarray(inside / inside.sum(axis=1, keepdims=True))


def _smooth_minimum(x: Float, y: Float) -> float:
    """Where local parabolas with tricube weights, over a share of the points, are lowest."""
    n_near = int(len(x) * _SPAN)
    at = np.linspace(x[0], x[-1], 5 * len(x))
    away = x - at[:, None]
    reach = np.partition(np.abs(away), n_near - 1, axis=1)[:, n_near - 1, None]
    roots = np.sqrt(np.clip(1 - (np.abs(away) / reach) ** 3, 0, None) ** 3)
    designs = np.stack([np.ones_like(away), away, away**2], axis=2) * roots[:, :, None]
    normal = np.einsum("aij,aik->ajk", designs, designs)
    moments = np.einsum("aij,ai->aj", designs, roots * y)
    heights = np.linalg.solve(normal, moments[:, :, None])[:, 0, 0]
    return float(at[np.argmin(heights)])

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
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy  # its stats load at first use
from scipy.interpolate import CubicHermiteSpline
from scipy.special import polygamma

if TYPE_CHECKING:
    from dex.typing import Float

LEAST_VARIANCE: Final = 0.25
_FEW_DF: Final = 3
_EDGES: Final = np.arange(-20, 21) / 2
_WIDTH: Final = 0.5
_VARIANCES: Final = np.linspace(0.0, 8.0, 200)
_ANSWERS: Final = np.linspace(0.0, 8.0, 1000)
_SPAN: Final = 0.2
_MARGIN: Final = 0.005


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
    Near is meant in Kullback and Leibler's sense, of histograms with bins of width one half. The
    second histogram is of random draws, which DESeq2 makes anew with the same seed; a table of them
    is kept here, so that the answer is DESeq2's. Their Monte Carlo error is about a twentieth of
    the variance.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> spread = dispersion_spread(rng.normal(0, 1.0, 5000), 20)
    >>> round(spread.prior, 1), round(spread.observed, 1)
    (0.9, 1.0)
    """
    observed = float(scipy.stats.median_abs_deviation(residuals, scale="normal") ** 2)
    if df_residual > _FEW_DF:
        prior = observed - float(polygamma(1, df_residual / 2))
    else:
        prior = _nearest_variance(residuals, df_residual)
    return DispersionSpread(observed, max(prior, LEAST_VARIANCE))


def _nearest_variance(residuals: Float, df: int) -> float:
    inside = residuals[np.abs(residuals) < _EDGES[-1]]
    # bins are open on the left: what lies on an edge belongs below it
    bins = np.searchsorted(_EDGES, inside) - 1
    observed = np.bincount(bins, minlength=len(_EDGES) - 1) / max(len(inside), 1) / _WIDTH
    drawn = _drawn_densities(df)
    smallest = np.where(drawn > 0, drawn, np.inf).min(axis=1)
    smallest = np.minimum(smallest, observed[observed > 0].min(initial=np.inf))[:, None]
    divergence = (observed * np.log((observed + smallest) / (drawn + smallest))).sum(axis=1)
    return float(_ANSWERS[np.argmin(_smooth(_VARIANCES, divergence)(_ANSWERS))])


@cache
def _drawn_densities(df: int) -> Float:
    """Histograms of the draws under every variance, shape ``(n_variances, n_bins)``."""
    with files("dex.stats").joinpath("dispersion_draws.npz").open("rb") as file:
        counts = np.load(file)["counts"][df - 1].astype(np.float64)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True) / _WIDTH)


def _smooth(x: Float, y: Float) -> CubicHermiteSpline:
    """Local parabolas with tricube weights at some points, and cubics between [Cleveland1991]_.

    The points are those at which a k-d tree cuts ``x``, until a cell has no more than a share of
    the points of a neighbourhood, as in R's ``loess``.

    .. [Cleveland1991] Cleveland WS, Grosse E (1991). Computational methods for local regression.
       Statistics and Computing 1, 47-62.
    """
    n_near = int(len(x) * _SPAN + 1e-5)
    margin = _MARGIN * (x[-1] - x[0])
    cuts = _cuts(0, len(x) - 1, int(n_near * _SPAN))
    vertices = np.concatenate([[x[0] - margin], x[cuts], [x[-1] + margin]])
    levels = [_parabola(x - vertex, y, n_near) for vertex in vertices]
    return CubicHermiteSpline(vertices, *np.transpose(levels))


def _cuts(first: int, last: int, most: int) -> list[int]:
    if last - first + 1 <= most:
        return []
    middle = (first + last) // 2
    return [*_cuts(first, middle, most), middle, *_cuts(middle + 1, last, most)]


def _parabola(away: Float, y: Float, n_near: int) -> tuple[float, float]:
    """Value and slope at 0."""
    reach = np.partition(np.abs(away), n_near - 1)[n_near - 1]
    roots = np.sqrt(np.clip(1 - (np.abs(away) / reach) ** 3, 0, None) ** 3)
    design = np.column_stack([np.ones_like(away), away, away**2]) * roots[:, None]
    value, slope, _ = np.linalg.lstsq(design, roots * y, rcond=None)[0]
    return float(value), float(slope)

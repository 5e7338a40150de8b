"""Quasi-dispersions about a trend of dispersions, and their prior, as in glmGamPoi [Ahlmann2020]_.

.. [Ahlmann2020] Ahlmann-Eltze C, Huber W (2020). glmGamPoi: fitting Gamma-Poisson generalized
   linear models on single cell count data. Bioinformatics 36, 5701-5702.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln

from dex._numba import kernel, part
from dex.stats.variance_prior import VariancePrior

if TYPE_CHECKING:
    from dex.typing import Float, Int

_NEIGHBOURS: Final = 0.1
"""Share of the genes that a running median is over."""
_WINDOW_ENDS: Final = 3.0
"""Standard deviations of the normal curve by which neighbours count."""
_TIGHT: Final[Any] = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000}


def running_median(x: Float, y: Float) -> Float:
    """Weighted median of ``y`` over a tenth of the values, next to each other by their ``x``.

    Neighbours count by the normal curve over their ranks, three standard deviations wide on either
    side; the first and last windows are those of the values half a window inwards.

    Examples
    --------
    >>> x = np.arange(400.0)
    >>> running_median(x, np.where(x == 250, 99.0, x // 100))[[0, 150, 250, 399]].tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    half = max(1, round(len(x) * _NEIGHBOURS)) // 2
    half = min(half, (len(x) - 1) // 2)
    deviates = np.linspace(-_WINDOW_ENDS, _WINDOW_ENDS, 2 * half + 1) if half else np.zeros(1)
    order = np.argsort(x, kind="stable")
    values, rank = y[order], np.empty(len(x), dtype=np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(x))
    medians = _window_medians(values, rank, np.exp(-0.5 * deviates**2))
    out = np.empty(len(x))
    out[order] = np.pad(medians, half, mode="edge")
    return out


@kernel
def _window_medians(values: Float, rank: Int, weights: Float) -> Float:
    """Weighted medians of all windows; the places of a window are kept sorted by their values."""
    width = len(weights)
    out, inside = np.empty(len(values) - width + 1), np.empty(width, dtype=np.int64)
    for last in range(len(values)):
        first, size = last - width + 1, min(last, width)
        if size == width:  # the place before the first leaves
            k = 0
            while inside[k] != first - 1:
                k += 1
            for later in range(k + 1, width):
                inside[later - 1] = inside[later]
            size -= 1
        while size > 0 and rank[inside[size - 1]] > rank[last]:
            inside[size] = inside[size - 1]
            size -= 1
        inside[size] = last
        if first >= 0:
            out[first] = values[_middle(inside, first, weights)]
    return out


@part
def _middle(inside: Int, first: int, weights: Float) -> int:
    """Place of the smallest value at which half of the weight is reached."""
    half, reached, k = 0.0, 0.0, -1
    for place in inside:
        half += 0.5 * weights[place - first]
    while reached < half:
        k += 1
        reached += weights[inside[k] - first]
    return int(inside[k])


def excess_over_trend(mean: Float, dispersion: Float, trend: Float) -> Float:
    """Quasi-dispersion: variance of counts by the gene's own dispersion over that by the trend.

    Examples
    --------
    >>> excess_over_trend(np.array([10.0]), np.array([0.3]), np.array([0.1])).tolist()
    [2.0]
    """
    return np.asarray((1 + mean * dispersion) / (1 + mean * trend))


def likeliest_prior(var: Float, df: float) -> VariancePrior:
    """Prior under which variances on ``df`` degrees of freedom are most likely: scaled F's.

    Parameters
    ----------
    var
        Positive, shape ``(n_vars,)``.
    df
        Of all of them.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> prior = likeliest_prior(1.5 * rng.f(6, 8, 5000), 6.0)
    >>> prior.var.round(1).tolist(), prior.df.round().tolist()
    ([1.5], [8.0])
    """

    def loss(at: Float) -> float:
        ratio, prior_df = var * df / np.exp(at[0] + at[1]), np.exp(at[1])
        logs = (df / 2) * np.log(ratio) - ((df + prior_df) / 2) * np.log1p(ratio)
        return -float(np.mean(logs) - betaln(df / 2, prior_df / 2))

    found = minimize(
        loss, [np.log(np.median(var)), np.log(df)], method="Nelder-Mead", options=_TIGHT
    ).x
    return VariancePrior(np.exp(found[1:]), np.exp(found[:1]))

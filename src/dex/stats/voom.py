"""Precision weights of log counts from their mean-variance trend: voom [Law2014]_."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel
from dex.stats.lowess import Curve, choose_span, lowess_curve

if TYPE_CHECKING:
    from typing import Literal

    from dex.typing import Float, Int

    Span = float | Literal["adaptive"]

SPAN = 0.5
"""limma's default."""
_BINS = 4096
_STRAIGHT, _SAME = 1e-15, 1e-13
"""Parts of the largest value: what is rounding in one point, and in all."""


def voom_logs(counts: Float, libraries: Float) -> Float:
    """log2 counts per million, half a count added to each and one to its library.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    libraries
        Effective library sizes, shape ``(n_obs,)``.

    Examples
    --------
    >>> voom_logs(np.array([[0.0, 31.5]]), np.array([999_999.0])).tolist()
    [[-1.0, 5.0]]
    """
    out: Float = np.add(counts, 0.5)
    np.log2(out, out=out)
    out -= log2_depths(libraries)[:, None]
    return out


def log2_depths(libraries: Float) -> Float:
    """log2 of a library in millions: what is added to log2 CPM to be log2 counts, ``(n_obs,)``."""
    return np.asarray(np.log2(libraries + 1.0) - np.log2(1e6))


def voom_trend(mean_log2: Float, var: Float, libraries: Float, *, span: Span = SPAN) -> Curve:
    """Trend of the root of the standard deviation against the mean log2 count, by LOWESS.

    Parameters
    ----------
    mean_log2, var
        Of the genes that have counts: mean log2 CPM and residual variance, shape ``(n_vars,)``;
        genes with NaN take no part.
    libraries
        Effective library sizes.
    span
        Share of the genes that are neighbours, or ``"adaptive"``: by their number.

    References
    ----------
    .. [Law2014] Law CW, Chen Y, Shi W, Smyth GK (2014). voom: precision weights unlock linear model
       analysis tools for RNA-seq read counts. Genome Biology 15, R29.
    """
    x, y = voom_points(mean_log2, var, libraries)
    known = np.isfinite(x) & np.isfinite(y)
    chosen = choose_span(int(known.sum())) if span == "adaptive" else float(span)
    return _without_straight_points(lowess_curve(x[known], y[known], span=chosen))


def _without_straight_points(curve: Curve) -> Curve:
    """Drop the points between which LOWESS interpolates, so that the curve is quickly read off."""
    x, y = curve.x, curve.y
    if len(x) < 3:
        return curve
    share = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    off = np.abs(y[1:-1] - y[:-2] - share * (y[2:] - y[:-2]))
    kept = np.r_[True, off > _STRAIGHT * np.abs(y).max(), True]
    short = Curve(x[kept], y[kept])
    same = np.abs(short(x) - y).max() <= _SAME * np.abs(y).max()
    return short if same else curve


def voom_points(mean_log2: Float, var: Float, libraries: Float) -> tuple[Float, Float]:
    """What the trend is drawn through: mean log2 counts and roots of standard deviations."""
    return mean_log2 + float(log2_depths(libraries).mean()), np.asarray(var**0.25)


def voom_weights(fitted_log2: Float, libraries: Float, trend: Curve) -> Float:
    """Inverse variances that the trend foretells at the fitted counts.

    Parameters
    ----------
    fitted_log2
        Fitted log2 CPM, shape ``(n_obs, n_vars)``.
    libraries
        Effective library sizes, shape ``(n_obs,)``.
    trend
        From :func:`voom_trend`.

    Returns
    -------
    Shape ``(n_obs, n_vars)``.
    """
    x, y = trend.x, trend.y
    if len(x) == 1:
        return np.full(fitted_log2.shape, y[0] ** -4.0)
    starts = np.linspace(x[0], x[-1], _BINS + 1)
    knots = np.maximum(np.searchsorted(x, starts, side="right") - 1, 0)
    out = np.empty(fitted_log2.shape)
    _weigh(fitted_log2, log2_depths(libraries), (x, y), knots, out)
    return out


@kernel
def _weigh(
    fitted: Float, depths: Float, trend: tuple[Float, Float], knots: Int, out: Float
) -> None:
    """Read off the trend; ``knots`` are where to begin in each of many bins of equal width."""
    x, y = trend
    per_unit = (len(knots) - 1) / (x[-1] - x[0])
    for i in range(fitted.shape[0]):
        for j in range(fitted.shape[1]):
            at = fitted[i, j] + depths[i]
            root = y[0] if at <= x[0] else y[-1]
            if x[0] < at < x[-1]:
                k = min(knots[int((at - x[0]) * per_unit)], len(x) - 2)
                while at > x[k + 1]:
                    k += 1
                while at < x[k]:
                    k -= 1
                root = y[k] + (at - x[k]) * (y[k + 1] - y[k]) / (x[k + 1] - x[k])
            square = root * root
            out[i, j] = 1.0 / (square * square)

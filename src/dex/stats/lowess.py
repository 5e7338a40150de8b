"""Locally weighted regression of a scatterplot [Cleveland1979]_, with skipping [Cleveland1981]_.

statsmodels' ``lowess`` places the points that it interpolates between otherwise than Cleveland's
own program and R do, which moves a trend in the fifth digit; hence this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import inner, kernel

if TYPE_CHECKING:
    from dex.typing import Float

_NEAR, _FAR = 0.001, 0.999
"""Parts of the bandwidth within which a point has all of its weight, and beyond which none."""
_NEGLIGIBLE = 1e-7  # part of the mean residual: the fit is exact, no residual is an outlier


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve through points."""

    x: Float
    """Ascending, without ties, shape ``(n_points,)``."""
    y: Float

    def __call__(self, at: Float) -> Float:
        """Interpolate linearly; beyond the points, the value of the last one."""
        return np.interp(at, self.x, self.y)


def lowess(
    x: Float, y: Float, *, span: float = 2 / 3, n_iter: int = 3, delta: float | None = None
) -> Float:
    """Smooth ``y`` against ``x`` by local lines with tricube weights.

    Parameters
    ----------
    x, y
        Points in any order, shape ``(n_points,)``; without NaN.
    span
        Share of the points that has influence on a fitted value.
    n_iter
        Robustifying iterations, which take weight from points with large residuals.
    delta
        Fitted values nearer than this along ``x`` are interpolated; by default a hundredth of the
        range, as in R.

    Returns
    -------
    Fitted values in the order of ``x``.

    References
    ----------
    .. [Cleveland1979] Cleveland WS (1979). Robust locally weighted regression and smoothing
       scatterplots. Journal of the American Statistical Association 74, 829-836.
    .. [Cleveland1981] Cleveland WS (1981). LOWESS: a program for smoothing scatterplots by robust
       locally weighted regression. The American Statistician 35, 54.

    Examples
    --------
    >>> x = np.arange(6.0)
    >>> lowess(x, 2 * x, span=0.9).round(6).tolist()
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) < 2:
        return y.copy()
    order = np.argsort(x, kind="stable")
    x, y = np.ascontiguousarray(x[order]), np.ascontiguousarray(y[order])
    n_near = max(min(int(span * len(x) + 1e-7), len(x)), 2)
    step = 0.01 * (x[-1] - x[0]) if delta is None else delta
    weights = np.ones(len(x))
    fitted = _local_lines(x, y, weights, n_near, step)
    for _ in range(n_iter):
        residuals = np.abs(y - fitted)
        scale = 6.0 * np.median(residuals)
        if scale < _NEGLIGIBLE * residuals.mean():
            break
        weights = _bisquare(residuals, scale)
        fitted = _local_lines(x, y, weights, n_near, step)
    out = np.empty_like(fitted)
    out[order] = fitted
    return out


def lowess_curve(
    x: Float, y: Float, *, span: float = 2 / 3, n_iter: int = 3, delta: float | None = None
) -> Curve:
    """Return the smooth as a curve; of points with the same ``x``, which have one fitted value.

    Parameters and references are those of :func:`lowess`.
    """
    fitted = lowess(x, y, span=span, n_iter=n_iter, delta=delta)
    knots, first = np.unique(np.asarray(x, dtype=np.float64), return_index=True)
    return Curve(knots, fitted[first])


def _bisquare(residuals: Float, scale: float) -> Float:
    weights = np.square(1.0 - np.square(residuals / scale))
    weights[residuals <= _NEAR * scale] = 1.0
    weights[residuals > _FAR * scale] = 0.0
    return np.asarray(weights)


@kernel
def _local_lines(x: Float, y: Float, weights: Float, n_near: int, delta: float) -> Float:
    """Fitted values at ``x``, ascending; those within ``delta`` of a fitted one interpolated."""
    n = len(x)
    fitted = np.empty(n)
    left, right = 0, n_near - 1
    last, i = -1, 0
    while True:
        while right < n - 1 and x[i] - x[left] > x[right + 1] - x[i]:
            left += 1
            right += 1
        fitted[i] = _line_at(x, y, weights, i, left, right)
        for j in range(last + 1, i):
            share = (x[j] - x[last]) / (x[i] - x[last])
            fitted[j] = share * fitted[i] + (1.0 - share) * fitted[last]
        last = i
        if last == n - 1:
            return fitted
        reach = x[last] + delta
        i = last + 1
        while i < n and x[i] <= reach:
            if x[i] == x[last]:
                fitted[i] = fitted[last]
                last = i
            i += 1
        if last == n - 1:
            return fitted
        i = max(last + 1, i - 1)  # the last one within reach, or the next there is


@inner
def _line_at(  # kernels take plain arguments
    x: Float, y: Float, robustness: Float, i: int, left: int, right: int
) -> float:
    """Value at ``x[i]`` of the weighted line through its neighbours; ``y[i]`` if none has weight.

    Ties with the farthest neighbour count too.
    """
    n, at = len(x), x[i]
    bandwidth = max(at - x[left], x[right] - at)
    stop = left
    weights = np.empty(n - left)
    total = 0.0
    while stop < n:
        distance = abs(x[stop] - at)
        weight = 0.0
        if distance <= _FAR * bandwidth:
            weight = robustness[stop]
            if distance > _NEAR * bandwidth:
                weight *= (1.0 - (distance / bandwidth) ** 3) ** 3
        elif x[stop] > at:
            break
        weights[stop - left] = weight
        total += weight
        stop += 1
    if total <= 0.0:
        return float(y[i])
    centre, level = 0.0, 0.0
    for j in range(left, stop):
        centre += weights[j - left] * x[j] / total
        level += weights[j - left] * y[j] / total
    spread, slope = 0.0, 0.0
    for j in range(left, stop):
        share = weights[j - left] / total
        spread += share * (x[j] - centre) ** 2
        slope += share * (x[j] - centre) * y[j]
    if np.sqrt(spread) <= _NEAR * (x[n - 1] - x[0]):
        return float(level)  # the neighbours are at one place: a line through them has no slope
    return float(level + (at - centre) * slope / spread)

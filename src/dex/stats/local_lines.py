"""Local lines through the neighbours of a point, and the weights that make them robust.

What lowess with and without weights share: anchors, where a line is fitted; radii, within which
points are neighbours; and straight lines between the anchors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import inner, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Float

_EXACT = 1e-7
"""Residuals smaller than this part of their mean are a perfect fit, not a scale."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a curve is smoothed."""

    enough: float
    """Weight of the neighbours of a point."""
    delta: float
    n_iter: int
    rounding: float
    """Weights this near to 0 or 1, and spreads this near to 0, are rounded."""
    overstep: bool
    """Whether the next anchor is the first point beyond ``delta``, not the last one within."""


def smooth(x: Float, y: Float, prior: Float, rule: Rule) -> Float:
    """Fitted values in the order of the points; ``prior`` are the weights of the points."""
    order = np.argsort(x, kind="stable")
    ordered, values, prior = x[order], y[order], prior[order]
    anchors = _anchors(ordered, rule.delta, rule.overstep)
    radii = _radii(ordered, prior, anchors, rule.enough)
    rounding = rule.rounding
    fitted = _local_lines(ordered, values, prior, anchors, radii, rounding)
    for _ in range(rule.n_iter):
        robust = _bisquare(values - fitted, prior, rounding)
        if robust is None:
            break
        fitted = _local_lines(ordered, values, prior * robust, anchors, radii, rounding)
    out = np.empty(len(x))
    out[order] = fitted
    return out


def _bisquare(residuals: Float, prior: Float, rounding: float) -> Float | None:
    """Robust weights by six median sizes of a residual; None where nearly all are zero."""
    size = np.abs(residuals)
    bound = 6 * _weighted_median(size, prior)
    if bound < _EXACT * size.mean() or bound == 0:
        return None
    weights = np.square(1 - np.square(np.minimum(size / bound, 1)))
    weights[size <= rounding * bound] = 1.0
    weights[size > (1 - rounding) * bound] = 0.0
    return np.asarray(weights)


def _weighted_median(values: Float, weights: Float) -> float:
    """Value that halves the weight; the mean of two where it lies between them."""
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    half = cumulated[-1] / 2
    at = int(np.searchsorted(cumulated, half))
    upper = at + 1 if cumulated[at] == half else at
    return float((values[order[at]] + values[order[upper]]) / 2)


@kernel
def _anchors(x: NDArray[np.float64], delta: float, overstep: bool) -> NDArray[np.intp]:
    """Positions in sorted ``x`` where local lines are fitted."""
    n = len(x)
    out = np.empty(n, np.intp)
    n_anchors, last, at = 0, -1, 0
    while last < n - 1:
        out[n_anchors] = at
        n_anchors += 1
        last = at
        while last < n - 1 and x[last + 1] == x[at]:
            last += 1
        beyond = last + 1
        while beyond < n and (
            x[beyond] - x[last] <= delta if overstep else x[beyond] <= x[last] + delta
        ):  # equal but for rounding, which decides where values are rounded too
            beyond += 1
        at = min(beyond, n - 1) if overstep else max(last + 1, beyond - 1)
    return out[:n_anchors]


@kernel
def _radii(
    x: NDArray[np.float64], weights: NDArray[np.float64], anchors: NDArray[np.intp], enough: float
) -> NDArray[np.float64]:
    """Distance from each anchor to the neighbour with which the weights reach ``enough``."""
    out = np.empty(len(anchors))
    for k in range(len(anchors)):
        at = anchors[k]
        low = high = at
        total, radius = weights[at], 0.0
        while total < enough and (low > 0 or high < len(x) - 1):
            left = x[at] - x[low - 1] if low > 0 else np.inf
            right = x[high + 1] - x[at] if high < len(x) - 1 else np.inf
            radius = min(left, right)
            if left <= right:
                low -= 1
                total += weights[low]
            else:
                high += 1
                total += weights[high]
        out[k] = radius
    return out


@kernel
def _local_lines(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    anchors: NDArray[np.intp],
    radii: NDArray[np.float64],
    rounding: float,
) -> NDArray[np.float64]:
    """Fitted values at sorted ``x``: local fits at anchors, straight lines between."""
    out = np.empty(len(x))
    last = 0
    for k in range(len(anchors)):
        at = anchors[k]
        out[at] = _local_line(x, y, weights, at, radii[k], rounding)
        for i in range(last + 1, at):
            share = (x[i] - x[last]) / (x[at] - x[last])
            out[i] = share * out[at] + (1 - share) * out[last]
        last = at
        while last < len(x) - 1 and x[last + 1] == x[at]:
            last += 1
            out[last] = out[at]
    return out


@inner
def _local_line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    at: int,
    radius: float,
    rounding: float,
) -> float:
    """Weighted least squares at ``x[at]``; ``y[at]`` where no neighbour has any weight."""
    start = stop = at
    while start > 0 and x[at] - x[start - 1] <= radius:
        start -= 1
    while stop < len(x) and x[stop] - x[at] <= radius:
        stop += 1
    total = mean_x = mean_y = 0.0
    for i in range(start, stop):
        w = weights[i] * _tricube(abs(x[i] - x[at]), radius, rounding)
        total += w
        mean_x += w * x[i]
        mean_y += w * y[i]
    if total <= 0:
        return float(y[at])
    mean_x /= total
    mean_y /= total
    sxx = sxy = 0.0
    for i in range(start, stop):
        w = weights[i] * _tricube(abs(x[i] - x[at]), radius, rounding) / total
        sxx += w * (x[i] - mean_x) * (x[i] - mean_x)
        sxy += w * (x[i] - mean_x) * y[i]
    if np.sqrt(sxx) <= rounding * (x[-1] - x[0]):
        return float(mean_y)
    return float(mean_y + (x[at] - mean_x) * sxy / sxx)


@inner
def _tricube(distance: float, radius: float, rounding: float) -> float:
    """Weight of a neighbour; ``rounding`` is the share of the radius that is as good as nothing."""
    if distance <= rounding * radius:
        return 1.0
    if distance > (1 - rounding) * radius:
        return 0.0
    ratio = distance / radius
    return float((1 - ratio * ratio * ratio) ** 3)

"""Where points of one group stand beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float

_BINS = 256
_MOST_IN_SWARM = 150


def beside(y: Float, *, diameter: float, half_width: float) -> Float:
    """Offsets of points at heights ``y``, ``(n,)``, so that they do not overlap.

    Up to 150 points go as near to the middle as they can without touching another, in the order of
    their heights; where the widest row is beyond ``half_width``, all are drawn together. More
    points fill the outline of their density evenly. The same heights give the same offsets.
    """
    if len(y) < 2:
        return np.zeros(len(y))
    if len(y) > _MOST_IN_SWARM:
        return _within_density(y) * half_width
    offsets = _swarm(y, diameter)
    widest = np.abs(offsets).max()
    return offsets * min(1.0, half_width / widest) if widest > 0 else offsets


def _swarm(y: Float, diameter: float) -> Float:
    order = np.argsort(y, kind="stable")
    offsets = np.zeros(len(y))
    for i, point in enumerate(order):
        placed = order[:i]
        near = placed[y[point] - y[placed] < diameter]
        reach = np.sqrt(np.maximum(diameter**2 - (y[point] - y[near]) ** 2, 0))
        candidates = np.concatenate([[0.0], offsets[near] - reach, offsets[near] + reach])
        clear = np.abs(candidates[:, None] - offsets[near]) >= reach * (1 - 1e-9)
        free = candidates[clear.all(axis=1)]
        offsets[point] = free[np.argmin(np.abs(free))]
    return offsets


def _within_density(y: Float) -> Float:
    """Between -1 and 1: the density at ``y`` times a sequence that fills an interval evenly."""
    grid, height = density(y)
    rank = np.empty(len(y), dtype=np.intp)
    rank[np.argsort(y, kind="stable")] = np.arange(len(y))
    return np.interp(y, grid, height) * (2 * _van_der_corput(len(y))[rank] - 1)


def _van_der_corput(n: int) -> Float:
    """First ``n`` numbers of the base-2 sequence of van der Corput, in (0, 1)."""
    left, weight, out = np.arange(1, n + 1), 0.5, np.zeros(n)
    while left.any():
        out += weight * (left & 1)
        left, weight = left >> 1, weight / 2
    return out


def density(y: Float) -> tuple[Float, Float]:
    """Heights and density of ``y`` with its peak at 1; a Gaussian kernel on a grid.

    The width of the kernel is Silverman's rule [Silverman1986]_, eq. 3.31. The grid ends at the
    least and the greatest value, as nothing was seen beyond.

    References
    ----------
    .. [Silverman1986] Silverman BW (1986). Density Estimation for Statistics and Data Analysis.
       Chapman and Hall.
    """
    low, high = float(y.min()), float(y.max())
    if not high > low:
        return np.array([low, low]), np.zeros(2)
    counts, edges = np.histogram(y, bins=_BINS, range=(low, high))
    step = edges[1] - edges[0]
    quartiles = np.subtract(*np.percentile(y, [75, 25]))
    spread = min(y.std(ddof=1), quartiles / 1.34) if quartiles > 0 else y.std(ddof=1)
    width = max(0.9 * spread * len(y) ** -0.2, step)
    reach = np.arange(-_BINS, _BINS + 1) * step
    kernel = np.exp(-0.5 * (reach / width) ** 2)
    smooth = np.convolve(counts, kernel)[_BINS : 2 * _BINS]
    return (edges[1:] + edges[:-1]) / 2, smooth / smooth.max()

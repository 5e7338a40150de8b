"""Where the quantile of one gamma distribution lies in another, also far out in the tails."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from dex._numba import inner, kernel

if TYPE_CHECKING:
    from dex.typing import Float

_TINY: Final = 1e-250  # scipy's inverses are good above
_MAX_ITER: Final = 200
_CLOSE: Final = 1e-13


def same_quantile(x: Float, shape: Float, other_shape: Float) -> Float:
    """Find the points with the same tails in gamma distributions of other shapes, all of scale 1.

    Parameters
    ----------
    x, shape, other_shape
        Points, and shapes of the distributions that they are from and go to, of one shape.

    Examples
    --------
    >>> same_quantile(np.array([3.0]), np.array([2.0]), np.array([2.0])).round(9).tolist()
    [3.0]
    """
    lower, upper = special.gammainc(shape, x), special.gammaincc(shape, x)
    out = np.where(
        lower < upper,
        special.gammaincinv(other_shape, lower),
        special.gammainccinv(other_shape, upper),
    )
    far = (np.minimum(lower, upper) < _TINY) & (x > 0)
    if far.any():
        out[far] = _far_quantiles(x[far], shape[far], other_shape[far])
    return np.asarray(out)


@inner
def _log_tail(a: float, x: float) -> float:
    """Natural log of the tail of a gamma distribution of shape ``a`` that ``x`` is in."""
    log_density = a * math.log(x) - x - math.lgamma(a)
    if x < a:  # the power series
        total, term, k = 1.0 / a, 1.0 / a, a
        while term > 1e-17 * total:
            k += 1.0
            term *= x / k
            total += term
        return log_density + math.log(total)
    b = x + 1.0 - a  # the continued fraction, by Lentz' algorithm
    c, d = 1e300, 1.0 / b
    h = d
    for i in range(1, 100_000):
        an = -i * (i - a)
        b += 2.0
        d = 1.0 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return log_density + math.log(h)


@kernel
def _far_quantiles(x: Float, shape: Float, other_shape: Float) -> Float:
    """By Newton's method on the log of the tail, which is concave."""
    out = np.empty(len(x))
    for i in range(len(x)):
        a, target = other_shape[i], _log_tail(shape[i], x[i])
        below = x[i] < shape[i]
        z = a * x[i] / shape[i]
        for _ in range(_MAX_ITER):
            log_tail = _log_tail(a, z)
            slope = math.exp((a - 1.0) * math.log(z) - z - math.lgamma(a) - log_tail)
            step = (log_tail - target) / (-slope if below else slope)
            # at most half way to an end of the tail
            new = (
                min(max(z + step, 0.5 * z), 0.5 * (z + a))
                if below
                else max(z + step, 0.5 * (z + a))
            )
            moved = abs(new - z)
            z = new
            if moved < _CLOSE * z:
                break
        out[i] = z
    return out

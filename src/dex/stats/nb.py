"""The negative binomial distribution of a count, in forms that stay right at any dispersion.

``var = mu + dispersion * mu**2``; at no dispersion it is the Poisson distribution, and nothing here
divides by the dispersion.
"""

from __future__ import annotations

import math

from dex._numba import inner

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_STIRLING = 16.0
"""From here on, Stirling's series has all digits in a few terms."""


@inner
def log1p_ratio(x: float) -> float:
    """``log(1 + x) / x``; 1 at 0."""
    if abs(x) > 1e-4:
        return math.log1p(x) / x
    return 1.0 - x * (0.5 - x * (1.0 / 3.0 - 0.25 * x))


@inner
def xlog1p_gap(x: float) -> float:
    """``((1 + x) log(1 + x) - x) / x**2``; a half at 0."""
    if abs(x) > 0.05:
        if x <= -1.0:
            return 1.0
        return ((1.0 + x) * math.log1p(x) - x) / (x * x)
    total, power = 0.0, 1.0
    for k in range(14):
        total += power / ((k + 1) * (k + 2))
        power *= -x
    return total


@inner
def stirling_error(x: float) -> float:
    """What Stirling's formula ``(x - 1/2) log(x) - x + log(2 pi) / 2`` lacks of ``lgamma(x)``."""
    shift = 0.0
    while x < _STIRLING:
        shift += (x + 0.5) * math.log1p(1.0 / x) - 1.0
        x += 1.0
    y = 1.0 / (x * x)
    series = 1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360 - y / 156)))
    return shift + (1 / 12 - y * (1 / 360 - y * series)) / x


@inner
def rising(count: float, dispersion: float) -> float:
    """Sum of ``log(1 + k * dispersion)`` over ``k = 0, ..., count - 1``, also between counts.

    It is ``lgamma(count + a) - lgamma(a) - count * log(a)`` with ``a = 1 / dispersion``: all that
    the log probability has of the dispersion without the mean.
    """
    if count <= 0.0 or dispersion <= 0.0:
        return 0.0
    x = count * dispersion
    size = 1.0 / dispersion
    level = count * x * xlog1p_gap(x) - 0.5 * math.log1p(x)
    return level + stirling_error(count + size) - stirling_error(size)


@inner
def nb_mean_kernel(count: float, mu: float, log_mu: float, dispersion: float) -> float:
    """Log probability of a count but for what the mean has no part in."""
    x = dispersion * mu
    return count * (log_mu - math.log1p(x)) - mu * log1p_ratio(x)

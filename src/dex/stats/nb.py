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
def log1p_gap(x: float) -> float:
    """``(x - log(1 + x)) / x**2``; a half at 0."""
    if abs(x) > 0.05:
        return (x - math.log1p(x)) / (x * x)
    total, power = 0.0, 1.0
    for k in range(14):
        total += power / (k + 2)
        power *= -x
    return total


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
def _digamma_rest(x: float) -> float:
    """``log(x) - digamma(x) - 1 / (2 x)``, from 16 on."""
    y = 1.0 / (x * x)
    series = y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * 691 / 32760))))
    return y / 12 - series * y


@inner
def _trigamma_rest(x: float) -> float:
    """``trigamma(x) - 1 / x - 1 / (2 x**2)``, from 16 on."""
    y = 1.0 / (x * x)
    series = 1 / 6 - y * (1 / 30 - y * (1 / 42 - y * (1 / 30 - y * (5 / 66 - y * 691 / 2730))))
    return series * y / x


@inner
def digamma_gap(x: float) -> float:
    """``log(x) - digamma(x)``."""
    shift = 0.0
    while x < _STIRLING:
        shift += 1.0 / x - math.log1p(1.0 / x)
        x += 1.0
    return shift + 0.5 / x + _digamma_rest(x)


@inner
def trigamma(x: float) -> float:
    """Second derivative of ``lgamma``."""
    total = 0.0
    while x < _STIRLING:
        total += 1.0 / (x * x)
        x += 1.0
    return total + (1.0 + 0.5 / x) / x + _trigamma_rest(x)


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
def rising_slopes(count: float, dispersion: float) -> tuple[float, float]:
    """First and second derivative of :func:`rising` by the log of the dispersion.

    They are sums of ``p`` and of ``p * (1 - p)``, where ``p = k d / (1 + k d)``.
    """
    if count <= 0.0 or dispersion <= 0.0:
        return 0.0, 0.0
    x, size = count * dispersion, 1.0 / dispersion
    upper = count + size
    gaps = digamma_gap(upper) - digamma_gap(size)
    first = count * x * log1p_gap(x) + size * gaps
    if size < _STIRLING:
        return first, count - first - size * size * (trigamma(size) - trigamma(upper))
    # The leading terms of both series cancel but for -share * (1 - share) / 2.
    share = 1.0 / (1.0 + x)
    rest = size * (_digamma_rest(size) - _digamma_rest(upper))
    rest += size * size * (_trigamma_rest(upper) - _trigamma_rest(size))
    level = count * x * xlog1p_gap(x) * share
    return first, level - 0.5 * x * share * share + rest


@inner
def nb_log_kernel(count: float, mu: float, log_mu: float, dispersion: float) -> float:
    """Log probability of a count but for what the mean and the dispersion have no part in."""
    x = dispersion * mu
    return rising(count, dispersion) + count * (log_mu - math.log1p(x)) - mu * log1p_ratio(x)


@inner
def nb_mean_kernel(count: float, mu: float, log_mu: float, dispersion: float) -> float:
    """Log probability of a count but for what the mean has no part in."""
    x = dispersion * mu
    return count * (log_mu - math.log1p(x)) - mu * log1p_ratio(x)

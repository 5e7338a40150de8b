"""log10 of tail probabilities that stay right where the probability itself underflows.

Scipy's double-precision functions serve as long as they are well above underflow. Below, the
tail is the leading term of the incomplete beta or gamma function, in logs, times a continued
fraction (Didonato & Morris 1992, ACM Trans. Math. Softw. 18:360; NIST DLMF 8.9.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from dex.typing import Alternative, Float

_LN10 = float(np.log(10.0))
_LN2 = float(np.log(2.0))
_LOG10_2 = float(np.log10(2.0))
_TINY_PVAL = 1e-250
"""Scipy's functions serve above; below, they near the subnormal numbers."""
_NEAR_Z, _FAR_Z = 0.1, 25.0
"""Between them the complementary error function has all digits of p, and its log of log p."""
_LARGEST_F = 1e300
"""Cap of a finite F, so that nothing overflows."""
_FEW_DF = 500.0
_MAX_TERMS = 100_000
_MAX_NEWTON = 100
_NEAR = 1e-10
_CONVERGED = 1e-15


def normal_log10_pval(z: ArrayLike) -> Float:
    """log10 of the two-sided p-value of a standard normal statistic.

    Parameters
    ----------
    z
        Statistics, any shape. NaN stays NaN, plus or minus infinity gives minus infinity.

    Returns
    -------
    log10 p, in the shape of ``z``.

    Examples
    --------
    >>> normal_log10_pval([0.0, 1.959963984540054, -100.0]).round(6).tolist()
    [0.0, -1.30103, -2173.570513]
    """
    size = np.abs(np.asarray(z, dtype=np.float64))
    x = size / np.sqrt(2.0)
    near, far = size < _NEAR_Z, size > _FAR_Z  # false for NaN
    with np.errstate(divide="ignore", over="ignore"):  # z beyond 1e154: log10 p is minus infinity
        log_pval = np.asarray(np.log(special.erfc(x)))
        log_pval[near] = np.log1p(-special.erf(x[near]))
        log_pval[far] = special.log_ndtr(-size[far]) + _LN2
    return log_pval / _LN10 + 0.0  # never -0


def t_log10_pval(stat: ArrayLike, df: ArrayLike) -> Float:
    """log10 of the two-sided p-value of Student's t.

    Parameters
    ----------
    stat, df
        Statistics and degrees of freedom, broadcast together. ``df = inf`` is the normal limit;
        NaN in either, or ``df`` that is not positive, gives NaN. A finite ``stat`` above 1e150
        counts as 1e150.

    Returns
    -------
    log10 p, in the broadcast shape.

    Examples
    --------
    >>> t_log10_pval([0.0, 2.0, 1e5], 30).round(6).tolist()
    [0.0, -1.262608, -128.68342]
    """
    size = np.abs(np.asarray(stat, dtype=np.float64))
    square = np.square(np.minimum(size, np.sqrt(_LARGEST_F)))
    return f_log10_pval(np.where(np.isinf(size), np.inf, square), 1.0, df)


def t_of_log10_pval(log10_pval: ArrayLike, df: ArrayLike) -> Float:
    """Size of the Student's t that has a two-sided p-value: the inverse of :func:`t_log10_pval`.

    Newton's method on log p as a function of log t, which is concave: after its first step it
    comes down to the root from above.

    Parameters
    ----------
    log10_pval, df
        log10 of p-values and degrees of freedom, broadcast together. ``df = inf`` is the normal
        limit; NaN in either gives NaN.

    Examples
    --------
    >>> t_of_log10_pval([0.0, -1.262608, -128.68342], 30).round(3).tolist()
    [0.0, 2.0, 99999.998]
    """
    log_p, every_df = (np.asarray(a, dtype=np.float64) for a in (log10_pval, df))
    target, d = np.broadcast_arrays(np.atleast_1d(log_p) * _LN10, every_df)
    out = np.where(target == 0, 0.0, np.nan)
    inside = np.isfinite(target) & (target < 0) & (d > 0)
    d, wanted = d[inside], target[inside]
    x = np.log(-2 * wanted) / 2  # the normal's, where log p is already about as steep
    for _ in range(_MAX_NEWTON):
        log_p = t_log10_pval(np.exp(x), d) * _LN10
        slope = np.exp(_LN2 + x + _t_log_density(np.exp(x), d) - log_p)
        step = (log_p - wanted) / slope
        x = x + step
        if (np.abs(step) <= _NEAR).all():  # what is left is about its square
            break
    out[inside] = np.exp(x)
    out[np.isneginf(target)] = np.inf
    return out.reshape(np.broadcast_shapes(np.shape(log10_pval), np.shape(df)))


def _t_log_density(t: Float, df: Float) -> Float:
    finite = np.where(np.isinf(df), 1.0, df)
    constant = special.gammaln((finite + 1) / 2) - special.gammaln(finite / 2)
    constant -= np.log(finite * np.pi) / 2
    normal = -t * t / 2 - np.log(2 * np.pi) / 2
    student = constant - (finite + 1) / 2 * np.log1p(t * t / finite)
    return np.asarray(np.where(np.isinf(df), normal, student), dtype=np.float64)


def t_quantile(probability: float, df: ArrayLike) -> Float:
    """Quantile of Student's t, in the shape of ``df``; NaN stays NaN.

    From ``df`` of 500 on it is the normal quantile with the first four terms of Fisher's expansion
    in 1 / df (Abramowitz & Stegun, 26.7.5), which are exact to double precision there.

    Examples
    --------
    >>> t_quantile(0.975, [1.0, 30.0, 1000.0, np.inf]).round(6).tolist()
    [12.706205, 2.042272, 1.962339, 1.959964]
    """
    df = np.asarray(df, dtype=np.float64)
    few, z = df < _FEW_DF, float(special.ndtri(probability))
    with np.errstate(divide="ignore", invalid="ignore"):  # of few df, replaced below
        out = np.asarray(np.polynomial.polynomial.polyval(1 / df, _fisher_terms(z)))
    out[few] = special.stdtrit(df[few], probability)
    return np.asarray(out, dtype=np.float64)


def _fisher_terms(z: float) -> list[float]:
    """Coefficients of 1, 1 / df, ... in the quantile of t that belongs to the normal one."""
    powers = (
        (1.0, (1,)),
        (4.0, (1, 1)),
        (96.0, (3, 16, 5)),
        (384.0, (-15, 17, 19, 3)),
        (92160.0, (-945, -1920, 1482, 776, 79)),
    )
    return [
        sum(c * z ** (2 * k + 1) for k, c in enumerate(terms)) / divisor
        for divisor, terms in powers
    ]


def log10_pval_against(alternative: Alternative, *, stat: ArrayLike, two_sided: ArrayLike) -> Float:
    """log10 of the p-value against one side, from the two-sided one of a symmetric statistic.

    Parameters
    ----------
    alternative
        ``"greater"`` is the upper tail, ``"less"`` the lower one; ``"two-sided"`` changes nothing.
    stat
        Statistics, symmetric about 0 under the null: only their sign is read.
    two_sided
        Their log10 of the two-sided p-value, in the same shape; NaN stays NaN.

    Returns
    -------
    log10 p. It keeps its digits at either end: p is half of the two-sided one, or 1 less that half.

    Examples
    --------
    >>> z = np.array([3.0, -3.0, 0.0])
    >>> log10_p = log10_pval_against("greater", stat=z, two_sided=normal_log10_pval(z))
    >>> (10**log10_p).round(6).tolist()
    [0.00135, 0.99865, 0.5]
    """
    both = np.asarray(two_sided, dtype=np.float64)
    if alternative == "two-sided":
        return both
    ahead = np.asarray(stat) * (1 if alternative == "greater" else -1) >= 0
    half = both - _LOG10_2
    return np.where(ahead, half, np.log1p(-np.exp(half * _LN10)) / _LN10)


def f_log10_pval(stat: ArrayLike, df_num: ArrayLike, df_den: ArrayLike) -> Float:
    """log10 of the upper tail probability of Fisher's F.

    Parameters
    ----------
    stat, df_num, df_den
        Statistics and degrees of freedom, broadcast together. ``df_den = inf`` is the chi-square
        limit, ``chi2 / df_num``; ``df_num`` is finite. NaN in any, or degrees of freedom that are
        not positive, gives NaN. A finite ``stat`` above 1e300 counts as 1e300.

    Returns
    -------
    log10 p, in the broadcast shape.
    """
    F, d1, d2 = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (stat, df_num, df_den)))
    valid = ~np.isnan(F) & (d1 > 0) & np.isfinite(d1) & (d2 > 0)
    out = np.where(valid & np.isposinf(F), -np.inf, np.nan)
    beta, gamma = (valid & np.isfinite(F) & limit for limit in (np.isfinite(d2), np.isposinf(d2)))
    out[beta] = _beta_tail(np.clip(F[beta], 0.0, _LARGEST_F), d1[beta] / 2, d2[beta] / 2)
    out[gamma] = chi2_log10_pval(F[gamma] * d1[gamma], d1[gamma])
    return out


def chi2_log10_pval(stat: ArrayLike, df: ArrayLike) -> Float:
    """log10 of the upper tail probability of chi-square.

    Parameters
    ----------
    stat, df
        Statistics and degrees of freedom, broadcast together. NaN in either, or ``df`` that is not
        positive and finite, gives NaN.

    Returns
    -------
    log10 p, in the broadcast shape.
    """
    x, d = np.broadcast_arrays(np.asarray(stat, np.float64), np.asarray(df, np.float64))
    valid = ~np.isnan(x) & (d > 0) & np.isfinite(d)
    out = np.where(valid & np.isposinf(x), -np.inf, np.nan)
    finite = valid & np.isfinite(x)
    out[finite] = _gamma_tail(np.maximum(x[finite], 0.0) / 2, d[finite] / 2)
    return out


def _beta_tail(F: Float, b: Float, a: Float) -> Float:
    """log10 of I_x(a, b) at x = a / (a + b F), the upper tail of F on 2b and 2a degrees."""
    x, y = a / (a + b * F), b * F / (a + b * F)
    return _log10_tail(
        lambda j: _ibeta(a[j], b[j], x[j], y[j]),
        lambda j: _ibeta(b[j], a[j], y[j], x[j]),
        lambda j: _beta_log_tail(F[j], b[j], a[j]),
        F.shape,
    )


def _gamma_tail(x: Float, a: Float) -> Float:
    """log10 of the regularised upper incomplete gamma function Q(a, x)."""
    return _log10_tail(
        lambda j: special.gammaincc(a[j], x[j]),
        lambda j: special.gammainc(a[j], x[j]),
        lambda j: _gamma_log_tail(x[j], a[j]),
        x.shape,
    )


def _log10_tail(
    upper: Callable[..., Float],
    lower: Callable[..., Float],
    log_upper: Callable[..., Float],
    shape: tuple[int, ...],
) -> Float:
    """log10 of the upper tail, by the function that is exact at its size."""
    pval = upper(np.arange(shape[0]))
    out = np.empty(shape)
    large, tiny = pval > 0.5, pval < _TINY_PVAL
    moderate = ~(large | tiny)
    out[moderate] = np.log(pval[moderate])
    out[large] = np.log1p(-lower(np.flatnonzero(large)))
    if tiny.any():
        out[tiny] = log_upper(np.flatnonzero(tiny))
    return out / _LN10 + 0.0  # never -0


def _ibeta(a: Float, b: Float, x: Float, y: Float) -> Float:
    """Regularised incomplete beta I_x(a, b) with y = 1 - x."""
    out = np.empty(x.shape)
    near_one = y < 0.01  # x has lost the digits of y; the complement is slower by a factor of ten
    special.betainc(a, b, x, out=out, where=~near_one)
    special.betaincc(b, a, y, out=out, where=near_one)
    return out


def _beta_log_tail(F: Float, b: Float, a: Float) -> Float:
    """Natural log of I_x(a, b) at x = a / (a + b F), for F above 1.

    The leading term x^a y^b / B(a, b) is taken relative to its maximum (Didonato & Morris 1992):
    large terms that cancel never appear.
    """
    scale = a + b * F
    shift = b * (F - 1.0) / scale  # 1 - x / x_max
    log_x = -np.log1p(b * (F - 1.0) / (a + b))  # log(x / x_max)
    drop_a = np.where(shift < 0.3, _log1p_gap(-np.minimum(shift, 0.3)), -shift - log_x)
    rise = a * (F - 1.0) / scale
    drop_b = np.where(rise < 0.3, _log1p_gap(np.minimum(rise, 0.3)), rise - log_x - np.log(F))
    leading = 0.5 * np.log(a / (a + b) * b / (2 * np.pi)) - a * drop_a - b * drop_b
    leading -= _stirling(a) + _stirling(b) - _stirling(a + b)
    return leading + np.log(_beta_fraction(F, b, a))


def _gamma_log_tail(x: Float, a: Float) -> Float:
    """Natural log of Q(a, x) for x above a; the leading term is x^a exp(-x) / Gamma(a)."""
    rise = (x - a) / a
    drop = np.where(rise < 0.3, _log1p_gap(np.minimum(rise, 0.3)), rise - np.log1p(rise))
    leading = 0.5 * np.log(a / (2 * np.pi)) - a * drop - _stirling(a)
    return leading + np.log(_gamma_fraction(a, x))


def _log1p_gap(u: Float) -> Float:
    """Return u - log(1 + u) for abs(u) of at most 0.3, by the series of artanh: nothing cancels."""
    r = u / (2.0 + u)
    series = np.polynomial.polynomial.polyval(r * r, 1.0 / np.arange(3.0, 31.0, 2.0))
    return u * r - 2.0 * r**3 * series


def _stirling(z: Float) -> Float:
    """Return what Stirling's formula lacks: log Gamma(z) - (z - 1/2) log z + z - log(2 pi) / 2."""
    small = np.minimum(z, 10.0)
    direct = special.gammaln(small) - (small - 0.5) * np.log(small) + small - np.log(2 * np.pi) / 2
    inverse = 1.0 / np.maximum(z, 10.0)
    terms = [
        1 / 12,
        -1 / 360,
        1 / 1260,
        -1 / 1680,
        1 / 1188,
        -691 / 360360,
        1 / 156,
        -3617 / 122400,
    ]
    series = inverse * np.polynomial.polynomial.polyval(inverse * inverse, terms)
    return np.asarray(np.where(z < 10.0, direct, series))


def _beta_fraction(F: Float, b: Float, a: Float) -> Float:
    """B(a, b) I_x(a, b) / (x^a y^b) at x = a / (a + b F) (Didonato & Morris 1992).

    Through ``excess = a - (a + b) x``, which is exact in F, also where x is 1 to all digits.
    """
    scale = a + b * F
    x, y, excess = a / scale, b * F / scale, a * (b * (F - 1.0) / scale)

    def numerator(n: int) -> Float:
        s = a + 2 * n - 1
        return (a + n - 1) / s * ((a + b + n - 1) / s) * n * (b - n) * x * x

    def denominator(n: int) -> Float:
        step = (a + n) / (a + 2 * n + 1) * (excess + 1 + n * (1 + y))
        return n + n * (b - n) * x / (a + 2 * n - 1) + step

    return 1.0 / _lentz(numerator, denominator)


def _gamma_fraction(a: Float, x: Float) -> Float:
    """Gamma(a) Q(a, x) / (x^a exp(-x)), the continued fraction of DLMF 8.9.2 contracted."""
    return 1.0 / _lentz(lambda n: -n * (n - a), lambda n: x + (2 * n + 1) - a)


def _lentz(numerator: Callable[[int], Float], denominator: Callable[[int], Float]) -> Float:
    """b0 + a1 / (b1 + a2 / (b2 + ...)) by Lentz' algorithm (Thompson & Barnett 1986)."""
    value = denominator(0)
    C, D = value.copy(), np.zeros_like(value)
    for n in range(1, _MAX_TERMS):
        a, b = numerator(n), denominator(n)
        D = 1.0 / _away_from_zero(b + a * D)
        C = _away_from_zero(b + a / C)
        value *= C * D
        if (np.abs(C * D - 1.0) < _CONVERGED).all():
            break
    return value


def _away_from_zero(value: Float) -> Float:
    return np.where(np.abs(value) < 1e-300, 1e-300, value)

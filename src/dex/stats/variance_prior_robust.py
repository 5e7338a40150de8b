"""The prior of gene-wise variances where some genes are outliers [Phipson2016]_.

Moments of winsorised log variances are matched with those of a winsorised log F; then every gene
that is too variable for this prior gets fewer prior degrees of freedom: it is squeezed less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its stats load at first use
from scipy.optimize import brentq
from scipy.special import roots_legendre

from dex.stats.lowess import lowess
from dex.stats.tails import f_log10_pval
from dex.stats.variance_prior import VariancePrior, fit_variance_prior, informative, positive

if TYPE_CHECKING:
    from dex.typing import Float

WINSOR_TAILS = (0.05, 0.1)
"""Shares of the genes winsorised at the low and at the high end."""
_SPAN = 0.4
_N_NODES = 128
_SMALLEST_DF, _SMALLEST_VAR = 1e-6, 1e-12


def fit_robust_prior(
    var: Float,
    df: Float,
    *,
    covariate: Float | None = None,
    tails: tuple[float, float] = WINSOR_TAILS,
) -> VariancePrior:
    """Estimate the prior from winsorised variances; outliers have prior df of their own.

    Parameters
    ----------
    var, df, covariate
        As in :func:`~dex.stats.variance_prior.fit_variance_prior`; the trend is LOWESS.
    tails
        Shares of the genes that are winsorised at either end.

    Returns
    -------
    The prior with ``df`` for every gene, ``(n_vars,)``.

    References
    ----------
    .. [Phipson2016] Phipson B, Lee S, Majewski IJ, Alexander WS, Smyth GK (2016). Robust
       hyperparameter estimation protects against hypervariable genes and improves power to detect
       differential expression. Annals of Applied Statistics 10, 946-963. Sections 4 and 5.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> var = rng.f(4, 10, size=2000)
    >>> var[:20] *= 1000
    >>> prior = fit_robust_prior(var, np.full(2000, 4.0))
    >>> bool(prior.df[:20].max() < 1), bool(np.median(prior.df) > 7)
    (True, True)
    """
    known = informative(var, df) & (df > _SMALLEST_DF)
    plain = fit_variance_prior(var, np.where(known, df, np.nan), covariate=covariate)
    n = int(known.sum())
    if n < 3 or max(tails) < 1 / n:
        return plain
    x = positive(var[known], smallest=_SMALLEST_VAR)
    scale = np.broadcast_to(plain.var, var.shape)[known]
    x, df1 = _to_largest_df(x, df[known], scale, float(plain.df[0]))
    z = np.log(x)
    trend = _trend(z, None if covariate is None else covariate[known], tails)
    target = _winsorised(z - trend, tails)
    if np.isinf(plain.df[0]) and target.var > _log_f_moments(df1, np.inf, tails).var:
        return plain  # outliers make variances vary more, never less
    prior_df = _matching_df(target.var, df1, float(plain.df[0]), tails)
    level = trend + target.mean - _log_f_moments(df1, prior_df, tails).mean
    own_df = np.full(var.shape, prior_df)
    ratio = np.exp(z - level)
    log_tail = f_log10_pval(ratio, df1, prior_df) * np.log(10)
    own_df[known] = less_for_outliers(ratio, log_tail, df1=df1, prior_df=prior_df)
    if covariate is None:
        return VariancePrior(own_df, np.exp(level[:1]))
    return VariancePrior(own_df, _spread(np.exp(level), known, covariate))


@dataclass(frozen=True, slots=True)
class _Moments:
    mean: float
    var: float


def _to_largest_df(x: Float, df: Float, scale: Float, prior_df: float) -> tuple[Float, float]:
    """Variances as if all had the largest ``df``: the same tail probability under the prior."""
    largest = float(df.max())
    lower = df < largest - 1e-14
    if not lower.any():
        return x, largest
    F = scipy.stats.f(df[lower], prior_df) if np.isfinite(prior_df) else _chi2_ratio(df[lower])
    to = scipy.stats.f(largest, prior_df) if np.isfinite(prior_df) else _chi2_ratio(largest)
    ratio = x[lower] / scale[lower]
    right, left = F.sf(ratio), F.cdf(ratio)
    x = x.copy()
    x[lower] = np.where(right < left, to.isf(right), to.ppf(left)) * scale[lower]
    return x, largest


def _chi2_ratio(df: Float | float) -> Any:
    """A chi-square over its degrees of freedom: F with infinite denominator df."""
    return scipy.stats.chi2(df, scale=1 / df)


def _trend(z: Float, covariate: Float | None, tails: tuple[float, float]) -> Float:
    if covariate is None:
        return np.full(z.shape, scipy.stats.trim_mean(z, tails[1]))
    return lowess(covariate, z, span=_SPAN)


def _winsorised(residuals: Float, tails: tuple[float, float]) -> _Moments:
    low, high = np.quantile(residuals, [tails[0], 1 - tails[1]])
    values = np.clip(residuals, low, high)
    return _Moments(float(values.mean()), float(values.var(ddof=1)))


def _log_f_moments(df1: float, df2: float, tails: tuple[float, float]) -> _Moments:
    """Mean and variance of the log of an F whose tails are winsorised.

    By Gauss-Legendre quadrature along ``F / (1 + F)``, which is bounded.
    """
    F = scipy.stats.f(df1, df2) if np.isfinite(df2) else _chi2_ratio(df1)
    ends = np.array([F.ppf(tails[0]), F.isf(tails[1])])
    low, high = ends / (1 + ends)
    nodes, weights = roots_legendre(_N_NODES)
    u = low + (high - low) * (nodes + 1) / 2
    mass = F.pdf(u / (1 - u)) / np.square(1 - u) * weights * (high - low) / 2
    z, z_ends, shares = np.log(u / (1 - u)), np.log(ends), np.asarray(tails)
    mean = float(mass @ z + shares @ z_ends)
    var = float(mass @ np.square(z - mean) + shares @ np.square(z_ends - mean))
    return _Moments(mean, var)


def _matching_df(var: float, df1: float, plain: float, tails: tuple[float, float]) -> float:
    """Prior df at which the winsorised log F varies as the winsorised logs do.

    It is not below that without winsorising, since outliers can only make variances vary more.
    """

    def excess(u: float) -> float:
        df2 = u / (1 - u) if u < 1 else np.inf
        return float(np.log(var / _log_f_moments(df1, df2, tails).var))

    if excess(1.0) <= 0:
        return np.inf
    lowest = plain / (1 + plain) if np.isfinite(plain) else 1.0
    if lowest == 1.0 or excess(lowest) >= 0:
        return plain
    u = brentq(excess, lowest, 1.0, xtol=1e-14)
    return float(u / (1 - u))


def less_for_outliers(
    ratio: Float, log_tail: Float, *, df1: Float | float, prior_df: float
) -> Float:
    """Prior df of every gene, fewer where its variance is too large for the prior [Phipson2016]_.

    The share of genes beyond a gene's F that the prior accounts for is its probability of being no
    outlier; the prior df of an outlier are those at which the largest F would be the median.

    Parameters
    ----------
    ratio
        Variances over the prior's, shape ``(n_vars,)``.
    log_tail
        Log of their upper tail probabilities under the prior.
    df1
        Degrees of freedom of the variances.
    prior_df
        Of genes that are no outliers.
    """
    n = len(ratio)
    log_no_outlier = np.minimum(log_tail - np.log((n - scipy.stats.rankdata(ratio) + 0.5) / n), 0.0)
    if (log_no_outlier == 0).all():
        return np.full(n, prior_df)
    order = np.argsort(log_tail, kind="stable")  # the most extreme first
    no_outlier = np.exp(log_no_outlier)
    if np.isinf(prior_df):
        own = np.where(no_outlier < 1, no_outlier * n * df1, np.inf)
        own[order] = np.maximum.accumulate(own[order])
        return own
    worst = order[0]
    df_of_worst = float(np.broadcast_to(df1, ratio.shape)[worst])
    of_outlier = _median_df(float(ratio[worst]), float(log_tail[worst]), df_of_worst, prior_df)
    own = no_outlier * prior_df - np.expm1(log_no_outlier) * of_outlier
    return _monotone(own, order)


def _median_df(largest: float, log_tail: float, df1: float, prior_df: float) -> float:
    """Prior df at which the largest F has a tail of a half; the log tail is near linear in it."""
    if np.isneginf(log_tail):
        return 0.0
    df2 = np.log(0.5) / log_tail * prior_df
    again = float(f_log10_pval(largest, df1, df2)) * np.log(10)
    return float(np.log(0.5) / again * df2)


def _monotone(own: Float, order: np.ndarray) -> Float:
    """Make prior df ascend along ``order``; the first few have the mean that is the least."""
    ordered = own[order]
    means = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    lowest = int(np.argmin(means))
    ordered[: lowest + 1] = means[lowest]
    out = np.empty_like(own)
    out[order] = np.maximum.accumulate(ordered)
    return out


def _spread(values: Float, known: np.ndarray, covariate: Float) -> Float:
    """Prior variances of all genes along the covariate: those unknown are interpolated."""
    if known.all():
        return values
    order = np.argsort(covariate[known], kind="stable")
    return np.exp(np.interp(covariate, covariate[known][order], np.log(values[order])))

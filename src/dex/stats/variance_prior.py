"""The prior of gene-wise variances, by the moments of their logs [Smyth2004]_.

Given its true variance, a residual variance on ``df`` degrees of freedom is a scaled chi-square;
under a scaled inverse chi-square prior it is ``prior.var`` times an F on ``df`` and ``prior.df``
degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, polygamma

from dex.stats.splines import NaturalSpline

if TYPE_CHECKING:
    from dex.typing import Bool, Float

_SMALLEST_DF = 1e-15
_SMALLEST_VAR = 1e-5
"""Of the median variance: below, a log would be an outlier by rounding alone."""


@dataclass(frozen=True, slots=True)
class VariancePrior:
    """Scaled inverse chi-square prior of the variances."""

    df: Float
    """Prior degrees of freedom, ``inf`` where all genes share one variance; shape ``(1,)``, or
    ``(n_vars,)`` where genes have their own."""
    var: Float
    """Prior variance, shape ``(1,)``, or ``(n_vars,)`` along a trend."""


def fit_variance_prior(var: Float, df: Float, *, covariate: Float | None = None) -> VariancePrior:
    """Estimate the prior from residual variances by the moments of their logs.

    Parameters
    ----------
    var
        Residual variances, shape ``(n_vars,)``; genes with NaN take no part.
    df
        Their degrees of freedom, shape ``(n_vars,)``; genes without any take no part.
    covariate
        What the prior variance depends on smoothly, as the mean expression, shape ``(n_vars,)``:
        the trend is a natural spline with 1, 2, 3 or 4 degrees of freedom by the number of genes
        (from 1, 3, 6, 30) [Phipson2016]_.

    Returns
    -------
    The prior; with NaN for ``var`` if no gene tells of it.

    References
    ----------
    .. [Smyth2004] Smyth GK (2004). Linear models and empirical Bayes methods for assessing
       differential expression in microarray experiments. Statistical Applications in Genetics and
       Molecular Biology 3, Article 3. Section 6.2.
    .. [Phipson2016] Phipson B, Lee S, Majewski IJ, Alexander WS, Smyth GK (2016). Robust
       hyperparameter estimation protects against hypervariable genes and improves power to detect
       differential expression. Annals of Applied Statistics 10, 946-963. Section 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> var = rng.f(4, 10, size=20_000) * 0.5
    >>> prior = fit_variance_prior(var, np.full(20_000, 4.0))
    >>> prior.df.round(1).tolist(), prior.var.round(2).tolist()
    ([10.0], [0.5])
    """
    known = informative(var, df)
    if known.sum() < 2:
        return _of_one_gene(var, known)
    x, d = positive(var[known]), df[known]
    spline = None if covariate is None else _spline(covariate[known])
    if spline is None:
        level, spread = _moments(x, d, np.ones((len(x), 1)))
        prior_df = _prior_df(spread, d)
        # All genes of one variance: the pooled one is its maximum likelihood estimate.
        scale = x.mean(keepdims=True) if np.isinf(prior_df) else _scale(level[:1], prior_df)
        shape = (1,) if covariate is None else var.shape
        return VariancePrior(np.array([prior_df]), np.broadcast_to(scale, shape).copy())
    basis = spline.basis(np.asarray(covariate, dtype=np.float64))
    level, spread = _moments(x, d, basis[known], everywhere=basis)
    prior_df = _prior_df(spread, d)
    return VariancePrior(np.array([prior_df]), _scale(level, prior_df))


def informative(var: Float, df: Float) -> Bool:
    """Genes that tell of the prior: a finite variance and degrees of freedom, ``(n_vars,)``."""
    return np.isfinite(df) & (df > _SMALLEST_DF) & np.isfinite(var) & (var > -_SMALLEST_DF)


def positive(var: Float, *, smallest: float = _SMALLEST_VAR) -> Float:
    """Variances, those near zero raised to a small part of the median so that they have logs."""
    typical = np.median(np.maximum(var, 0.0))
    return np.maximum(var, smallest * (typical if typical > 0 else 1.0))


def log_mean_digamma(d: Float | float) -> Float:
    """``log(d) - digamma(d)``: how far the mean log of a chi-square lies below the log mean."""
    return np.asarray(np.log(d) - digamma(d))


def trigamma_inverse(y: float) -> float:
    """Return x with ``trigamma(x) = y``, by Newton's method on ``1 / trigamma`` [Smyth2004]_.

    ``1 / trigamma(x)`` is convex and close to linear, so that Newton's steps from below the root
    never overshoot.

    Examples
    --------
    >>> round(float(polygamma(1, trigamma_inverse(0.3))), 12)
    0.3
    """
    if y > 1e7:
        return float(1 / np.sqrt(y))
    if y < 1e-6:
        return 1 / y
    x = 0.5 + 1 / y
    for _ in range(50):
        value = float(polygamma(1, x))
        step = value * (1 - value / y) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-14:
            break
    return x


def _spline(covariate: Float) -> NaturalSpline | None:
    """Spline for the trend; None where there are too few different values for one."""
    n = len(covariate)
    df = min(1 + (n >= 3) + (n >= 6) + (n >= 30), len(np.unique(covariate)))
    return NaturalSpline.at_quantiles(covariate, df) if df > 1 else None


def _moments(
    x: Float, df: Float, basis: Float, *, everywhere: Float | None = None
) -> tuple[Float, float]:
    """Mean of the logs, bias removed, along the basis, and their variance about it."""
    e = np.log(x) + log_mean_digamma(df / 2)
    Q, R = np.linalg.qr(basis)
    effects = Q.T @ e
    residuals = e - Q @ effects
    spread = float(np.square(residuals).sum() / (len(e) - basis.shape[1]))
    rows = basis if everywhere is None else everywhere
    return rows @ np.linalg.solve(R, effects), spread


def _prior_df(spread: float, df: Float) -> float:
    excess = spread - float(polygamma(1, df / 2).mean())
    return 2 * trigamma_inverse(excess) if excess > 0 else np.inf


def _scale(level: Float, prior_df: float) -> Float:
    if np.isinf(prior_df):
        return np.exp(level)
    return np.asarray(np.exp(level - log_mean_digamma(prior_df / 2)))


def _of_one_gene(var: Float, known: Bool) -> VariancePrior:
    only = var[known] if known.any() else np.array([np.nan])
    return VariancePrior(np.zeros(1), np.maximum(only, 0.0))

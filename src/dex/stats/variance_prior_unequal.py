"""The prior of gene-wise variances whose degrees of freedom differ, as in edgeR v4 [Chen2025]_.

A variance on more degrees of freedom tells more of the trend, by the precision of its log. The
prior degrees of freedom are where the likelihood of the F distribution about that trend is largest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from dex.stats.lowess import choose_span, lowess, weighted_lowess
from dex.stats.multitest import adjust_log10_pval
from dex.stats.tails import f_log10_pval
from dex.stats.variance_prior import VariancePrior, log_mean_digamma
from dex.stats.variance_prior_robust import less_for_outliers

if TYPE_CHECKING:
    from dex.typing import Bool, Float

_INFORMATIVE_DF = 0.01
_SMALLEST_VAR = 1e-12
"""Of the median variance."""
_SMALLEST_WEIGHT = 1e-8
"""Of the median weight: the trend passes over these genes, but is told there."""
_OUTLIER_FDR = 0.3
_SMALL_N = 500
"""Up to so many genes all are neighbours in the trend."""
_LOWEST, _HIGHEST = 0.5, 0.9998
"""Bounds of ``df / (df + 2)``: prior df from 2 to 9998, where more make no difference."""


def fit_unequal_prior(
    var: Float, df: Float, *, covariate: Float | None = None, robust: bool = False
) -> VariancePrior:
    """Estimate the prior by weighted moments along the trend and maximum likelihood for the df.

    Parameters
    ----------
    var
        Residual variances, shape ``(n_vars,)``; genes with NaN take no part.
    df
        Their degrees of freedom, shape ``(n_vars,)``, also fractions; below 0.01, genes take no
        part.
    covariate
        What the prior variance depends on smoothly, shape ``(n_vars,)``; the trend is LOWESS
        without robust iterations.
    robust
        Whether genes whose variance is improbable on either side weigh less in a second round, by
        their false discovery rate, and those with too large a variance have fewer prior df.

    Returns
    -------
    The prior, with ``df`` between 2 and 9998 for all, or for every gene if ``robust``.

    References
    ----------
    .. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4: powerful
       differential analysis of sequencing data with expanded functionality and improved support for
       small counts and larger datasets. Nucleic Acids Research 53, gkaf018.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> df = rng.choice([0.5, 2.0, 4.0], size=20_000)
    >>> prior = fit_unequal_prior(rng.f(df, 10) * 0.5, df)
    >>> prior.df.round(0).tolist(), prior.var.round(2).tolist()
    ([10.0], [0.5])
    """
    known = np.isfinite(var) & np.isfinite(df) & (df >= _INFORMATIVE_DF)
    x = np.where(np.isfinite(var), np.maximum(var, 0.0), 0.0)
    if known.sum() < 2 or not x[known].any():
        return _uninformed(x, known)
    d1 = np.where(known, df, 1.0)
    prior = _fit(x, d1, covariate, known, np.ones(len(x)))
    if not robust:
        return prior
    ratio, log10_tail, fdr = _outliers(x, d1, prior)
    if fdr.min() == 1:
        return VariancePrior(np.repeat(prior.df, len(x)), prior.var)
    prior = _fit(x, d1, covariate, np.ones_like(known), fdr)  # the uninformative weigh ~0 by now
    own_df = less_for_outliers(ratio, log10_tail * np.log(10), df1=d1, prior_df=float(prior.df[0]))
    return VariancePrior(own_df, prior.var)


def _fit(x: Float, d1: Float, covariate: Float | None, known: Bool, share: Float) -> VariancePrior:
    """One round: the trend of the logs, then the df; ``share`` are weights of the genes."""
    x = np.maximum(x, _SMALLEST_VAR * np.median(x[known & (x > 0)]))
    logs = np.log(x) + log_mean_digamma(d1 / 2)
    level = _level(logs, _weights(d1, known) * share, covariate)
    prior_df = _most_likely_df(x[known], d1[known], level[known], share[known])
    scale = np.exp(level - log_mean_digamma(prior_df / 2))
    return VariancePrior(np.array([prior_df]), scale[:1] if covariate is None else scale)


def _weights(d1: Float, known: Bool) -> Float:
    """Precisions of the logs, relative to their median; 0 where nothing is known."""
    precision = np.where(known, 1 / polygamma(1, d1 / 2), 0.0)
    return np.asarray(precision / np.median(precision[precision > 0]))


def _level(logs: Float, weights: Float, covariate: Float | None) -> Float:
    weights = np.maximum(weights, _SMALLEST_WEIGHT)
    if covariate is None:
        return np.full(logs.shape, np.average(logs, weights=weights))
    span = choose_span(len(logs), small_n=_SMALL_N)
    if np.ptp(weights) < _SMALLEST_WEIGHT:
        return lowess(covariate, logs, span=span, n_iter=0)
    return weighted_lowess(covariate, logs, weights, span=span, n_iter=0)


def _most_likely_df(x: Float, d1: Float, level: Float, share: Float) -> float:
    """Prior df at which the scaled F about ``level``, the mean of the logs, is most likely.

    In ``b``, half the df, the odds ``r = d1 x / (2 b scale)`` have the log ``log(d1 x / 2) - level
    - digamma(b)``, since ``level`` fixes the scale for every b.
    """
    a = d1 / 2
    log_odds = np.log(a * x) - level

    def slope(u: float) -> float:
        b = u / (1 - u)
        log_r = log_odds - digamma(b)
        falls = polygamma(1, b)
        each = (
            digamma(a + b)
            - digamma(b)
            - a * falls
            - np.logaddexp(0.0, log_r)
            + (a + b) * falls / (1 + np.exp(-log_r))
        )
        return float(share @ each)

    if slope(_LOWEST) <= 0:
        u = _LOWEST
    elif slope(_HIGHEST) >= 0:
        u = _HIGHEST
    else:
        u = float(brentq(slope, _LOWEST, _HIGHEST, xtol=1e-14))
    return 2 * u / (1 - u)


def _outliers(x: Float, d1: Float, prior: VariancePrior) -> tuple[Float, Float, Float]:
    """Ratios to the prior variance, log10 of their upper tails, and false discovery rates.

    The rates are of either tail, and 1 where they are so large that they mean nothing.
    """
    ratio, d2 = x / prior.var, float(prior.df[0])
    upper = f_log10_pval(ratio, d1, d2)
    with np.errstate(divide="ignore"):
        lower = f_log10_pval(1 / ratio, d2, d1)
    both = np.minimum(np.minimum(upper, lower) + np.log10(2), 0.0)
    fdr = 10 ** adjust_log10_pval(both, "fdr_bh")
    return ratio, upper, np.where(fdr > _OUTLIER_FDR, 1.0, fdr)


def _uninformed(x: Float, known: Bool) -> VariancePrior:
    return VariancePrior(np.zeros(1), x[known] if known.sum() == 1 else np.full(1, np.nan))

"""Moderated t and F tests, and the log-odds of differential expression [Smyth2004]_.

Estimates are tested against variances squeezed by :func:`dex.stats.ebayes.squeeze_var`, on the
degrees of freedom of both the gene and the prior.

References
----------
.. [Smyth2004] Smyth GK (2004). Linear models and empirical Bayes methods for assessing differential
   expression in microarray experiments. Statistical Applications in Genetics and Molecular Biology
   3, Article 3. Sections 4 to 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from dex.stats.linear_model import FTest, wald_statistic
from dex.stats.tails import f_log10_pval, t_log10_pval, t_of_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float

PROPORTION = 0.01
"""limma's share of the genes that are differentially expressed."""
STDEV_LIMITS = (0.1, 4.0)
"""limma's bounds of the standard deviation of log fold changes of these."""
_MANY_DF = 1e6


def total_df(df_residual: Float, df_prior: Float) -> Float:
    """Degrees of freedom of moderated statistics: the gene's and the prior's.

    They are no more than those of all genes together.
    """
    return np.minimum(df_residual + df_prior, np.nansum(df_residual))


def moderated_f_test(effects: Float, covariance: Float, var_post: Float, df: Float) -> FTest:
    """Test that all of several effects are zero, gene by gene [Smyth2004]_, eq. 13.

    Parameters
    ----------
    effects
        Linearly independent contrasts of the coefficients, shape ``(n_vars, rank)``.
    covariance
        Theirs at a variance of 1, shape ``(n_vars, rank, rank)``, or ``(1, rank, rank)`` for all.
    var_post, df
        Posterior variances and total degrees of freedom, shape ``(n_vars,)``.
    """
    rank = effects.shape[1]
    every = np.broadcast_to(covariance, (len(effects), rank, rank))
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = wald_statistic(effects, every) / rank / var_post
    stat[~(var_post > 0)] = np.nan
    return FTest(stat, float(rank), df, f_log10_pval(stat, rank, df))


def log_odds(
    stat: Float,
    se_unscaled: Float,
    df: Float,
    prior: tuple[Float, Float],
    *,
    proportion: float = PROPORTION,
    stdev_limits: tuple[float, float] = STDEV_LIMITS,
) -> Float:
    """Log-odds (natural) that a gene is differentially expressed, the B-statistic.

    [Smyth2004]_, eq. 11; the variance of the true effects is estimated from the largest statistics
    as in section 6.3.

    Parameters
    ----------
    stat
        Moderated t, shape ``(n_vars, n_tests)``.
    se_unscaled
        Standard errors at a variance of 1, in the same shape or ``(1, n_tests)``.
    df
        Total degrees of freedom, shape ``(n_vars,)``.
    prior
        Prior variances and prior degrees of freedom, each of shape ``(1,)`` or ``(n_vars,)``.
    proportion
        Share of the genes that are differentially expressed, assumed.
    stdev_limits
        Bounds of the standard deviation of their true effects, in the unit of the estimates.

    Returns
    -------
    Shape ``(n_vars, n_tests)``.
    """
    var_prior, df_prior = prior
    se_unscaled = np.broadcast_to(se_unscaled, stat.shape)
    if not np.isfinite(var_prior).any():
        return np.full(stat.shape, np.nan)
    typical = np.nanmedian(var_prior)
    limits = np.square(stdev_limits) / typical
    v0 = np.array(
        [
            effect_var(t, v, df, proportion=proportion, limits=limits)
            for t, v in zip(stat.T, np.square(se_unscaled).T, strict=True)
        ]
    )
    v0 = np.where(np.isfinite(v0), v0, 1.0 / typical)
    r = 1.0 + v0 / np.square(se_unscaled)
    square, d = np.square(stat), df[:, None]
    with np.errstate(invalid="ignore"):
        finite = (1 + d) / 2 * np.log((square + d) / (square / r + d))
    limit = square * (1 - 1 / r) / 2
    kernel = np.where(np.broadcast_to(df_prior, df.shape)[:, None] > _MANY_DF, limit, finite)
    return np.asarray(special.logit(proportion) - np.log(r) / 2 + kernel)


def effect_var(
    stat: Float, var_unscaled: Float, df: Float, *, proportion: float, limits: Float
) -> float:
    """Variance of true effects over a gene's variance, such that the top statistics are as seen.

    Each of the top ``proportion / 2`` of the absolute statistics tells of it by how far it exceeds
    the quantile that it should have under the null alone; their mean, each within ``limits``, is
    taken. NaN without such a gene.
    """
    known = np.isfinite(stat) & np.isfinite(var_unscaled) & np.isfinite(df)
    size, v1, d, n = np.abs(stat[known]), var_unscaled[known], df[known], int(known.sum())
    n_top = int(np.ceil(proportion / 2 * n))
    if n_top < 1:
        return float("nan")
    share = max(n_top / n, proportion)
    largest = float(d.max())
    fewer = d < largest
    if fewer.any():
        size = size.copy()
        size[fewer] = t_of_log10_pval(t_log10_pval(size[fewer], d[fewer]), largest)
    top = np.argsort(-size, kind="stable")[:n_top]
    size, v1 = size[top], v1[top]
    null = 10 ** t_log10_pval(size, largest)
    expected = (np.arange(1, n_top + 1) - 0.5) / n
    wanted = (expected - (1 - share) * null) / share
    above = wanted > null
    v0 = np.zeros(n_top)
    quantile = t_of_log10_pval(np.log10(wanted[above]), largest)
    v0[above] = v1[above] * (np.square(size[above] / quantile) - 1)
    return float(np.clip(v0, *limits).mean())

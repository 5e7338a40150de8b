"""Tests of estimates whose variance is a sum of estimated variances [Satterthwaite1946]_.

The variance of such an estimate has about a scaled chi-square distribution. Its degrees of freedom
are those of the chi-square that varies as much, relative to its mean.

References
----------
.. [Satterthwaite1946] Satterthwaite FE (1946). An approximate distribution of estimates of variance
   components. Biometrics Bulletin 2, 110-114.
.. [Fai1996] Fai AHT, Cornelius PL (1996). Approximate F-tests of multiple degree of freedom
   hypotheses in generalized least squares analyses of unbalanced split-plot experiments. Journal of
   Statistical Computation and Simulation 54, 363-378.
.. [Kuznetsova2017] Kuznetsova A, Brockhoff PB, Christensen RHB (2017). lmerTest package: tests in
   linear mixed effects models. Journal of Statistical Software 82(13), 1-26.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.stats.linear_model import FTest
from dex.stats.packed import unpack
from dex.stats.tails import f_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float

_SAME_DF = 1e-8
_RANK = 1e-8
"""An eigenvalue below this part of the largest is of a contrast that follows from others."""
_UNLIKE = 1e3
"""Ratio of standard errors from which on estimates are brought to one unit. lmerTest does not,
and drops the small ones."""


def satterthwaite_df(variance: Float, between: Float, uncertainty: Float) -> Float:
    """Degrees of freedom of estimates, ``(n_vars, n_tests)``.

    Parameters
    ----------
    variance
        Of the estimates, ``(n_vars, n_tests)``: proportional to the first of two parameters, whose
        log is uncertain.
    between
        Its derivative in the second, in the same shape.
    uncertainty
        Sampling variance of the log of the first, covariance, and variance of the second, shape
        ``(n_vars, 3)``.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> satterthwaite_df(one, 0 * one, np.array([[0.25, -0.25, 0.75]])).item()  # 2 / 0.25
    8.0
    """
    first, both, second = (uncertainty[:, i : i + 1] for i in range(3))
    spread = first * variance**2 + 2 * both * variance * between + second * between**2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * variance**2 / spread)


def satterthwaite_f_test(effects: Float, cov: Float, between: Float, uncertainty: Float) -> FTest:
    """Test that several estimates are all zero, gene by gene [Kuznetsova2017]_.

    The estimates are turned into uncorrelated ones, each with degrees of freedom of its own, and
    the mean of their squared t is taken for an F with the same expectation [Fai1996]_. As in
    lmerTest these depend on which of the contrasts with the same span are given.

    Parameters
    ----------
    effects
        Shape ``(n_vars, n_contrasts)``.
    cov, between
        Their covariance and its derivative, ``(n_vars, n_contrasts, n_contrasts)``.
    uncertainty
        As in :func:`satterthwaite_df`.
    """
    known = np.isfinite(cov).all(axis=(1, 2)) & np.isfinite(between).all(axis=(1, 2))
    cov = np.where(known[:, None, None], cov, 0.0)
    size = _sizes(cov)
    alike = cov / np.multiply.outer(size, size)
    values = np.linalg.eigvalsh(alike)
    rank = int((values > _RANK * values[:, -1:]).sum(axis=1).max(initial=0))
    if size.max() > _UNLIKE * size.min():
        cov, between = alike, between / np.multiply.outer(size, size)
        effects = effects / size
    values, vectors = np.linalg.eigh(cov)
    variance, vectors = values[:, -rank:], vectors[:, :, -rank:]
    turned = np.einsum("gk,gkr->gr", effects, vectors)
    slopes = np.einsum("gkr,gkl,glr->gr", vectors, between, vectors)
    df = fai_cornelius_df(satterthwaite_df(variance, slopes, uncertainty))
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = np.where(known, (turned**2 / variance).mean(axis=1), np.nan)
    df = np.where(known, df, np.nan)
    return FTest(stat, float(rank), df, f_log10_pval(stat, float(rank), df))


def _sizes(cov: Float) -> Float:
    """Typical standard errors of the estimates, ``(n_contrasts,)``."""
    typical = np.sqrt(np.median(np.diagonal(cov, axis1=1, axis2=2), axis=0))
    return np.asarray(np.where(typical > 0, typical, 1.0))


def fai_cornelius_df(df: Float) -> Float:
    """Denominator degrees of freedom of a mean of squared t [Fai1996]_, ``(n_vars,)``.

    F on q and d degrees of freedom has the mean d / (d - 2): d is such that q times it is the sum
    of the means of the squares. One that has no mean, on 2 or fewer, leaves 2.

    Parameters
    ----------
    df
        Of every t, ``(n_vars, q)``.

    Examples
    --------
    >>> fai_cornelius_df(np.array([[8.0, 8.0], [5.0, 20.0], [1.5, 9.0]])).round(6).tolist()
    [8.0, 7.142857, 2.0]
    """
    q = df.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (df / (df - 2)).sum(axis=1)
        both = 2 * mean / (mean - q)
    same = np.ptp(df, axis=1) <= _SAME_DF
    out = np.where(same, df.mean(axis=1), both)
    return np.where(~same & (df <= 2).any(axis=1), 2.0, out)


def contrast_matrices(triangles: Float, contrasts: Float) -> Float:
    """``L M L'`` of every packed M, ``(n_vars, n_contrasts, n_contrasts)``."""
    return np.asarray(contrasts @ unpack(triangles) @ contrasts.T)

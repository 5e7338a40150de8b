"""Ordinary least squares for all genes at once, and tests of contrasts of the coefficients.

The design is decomposed once, in :mod:`dex.stats.basis`; here is what is done to every block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.stats.tails import f_log10_pval, t_log10_pval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.stats.basis import Basis, JointContrasts, SeparateContrasts
    from dex.typing import Bool, Float

_EPS = float(np.finfo(np.float64).eps)
_SINGULAR = 1e-12
"""A variance below this part of the largest is rounding: twelve digits have cancelled."""


@dataclass(frozen=True, slots=True)
class LinearFit:
    """Least squares of a block of genes on one design, before a contrast is chosen."""

    coef: Float
    """Shape ``(n_vars, n_coefs)``."""
    var: Float
    """Residual variance, shape ``(n_vars,)``; NaN where ``df_residual`` is 0."""
    df_residual: float
    """Observations less coefficients, the same for all genes."""
    constant: Bool
    """Genes that the design fits exactly, shape ``(n_vars,)``: ``var`` is exactly 0, no test is
    possible. False for all at ``df_residual`` 0, where every gene is fitted exactly."""
    squares: Float
    """Squared residuals, shape ``(n_obs, n_vars)``."""


@dataclass(frozen=True, slots=True)
class ContrastTest:
    """t tests of contrasts, gene by gene."""

    estimate: Float
    """Contrast of the coefficients, shape ``(n_vars, n_tests)``."""
    se: Float
    """Standard error of ``estimate``, shape ``(n_vars, n_tests)``."""
    stat: Float
    """t, shape ``(n_vars, n_tests)``; NaN where ``se`` is 0."""
    df: float
    """Degrees of freedom of ``stat``."""
    log10_pval: Float
    """log10 of the two-sided p-value, shape ``(n_vars, n_tests)``."""


@dataclass(frozen=True, slots=True)
class FTest:
    """F tests that several contrasts are all zero, gene by gene."""

    stat: Float
    """F, shape ``(n_vars,)``; NaN where the residual variance is 0."""
    df_num: float
    """Rank of the contrasts."""
    df_den: float | Float
    """Degrees of freedom of the variance; moderated, shape ``(n_vars,)``."""
    log10_pval: Float
    """log10 of the upper tail probability, shape ``(n_vars,)``."""


def lm_fit(values: NDArray[np.floating], basis: Basis) -> LinearFit:
    """Fit ``values = design @ coef`` by least squares, all genes at once.

    A residual no larger than the rounding error of the terms that it is the rest of counts as
    zero. So a gene that the design fits exactly has variance 0 instead of 1e-32, and is marked
    ``constant`` instead of being called highly significant.

    Parameters
    ----------
    values
        Expression, shape ``(n_obs, n_vars)``; a gene with NaN gets NaN everywhere.
    basis
        Of the design, from :meth:`Basis.from_design`.

    Returns
    -------
    The fit of every gene.

    Raises
    ------
    InputError
        If ``values`` and the design differ in their observations.

    Examples
    --------
    >>> from dex.stats.basis import Basis
    >>> values = np.array([[1.0, 5.0], [3.0, 5.0], [6.0, 5.0], [8.0, 5.0]])
    >>> design = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    >>> fit = lm_fit(values, Basis.from_design(design))
    >>> fit.coef.round(6).tolist(), fit.constant.tolist()
    ([[2.0, 5.0], [5.0, 0.0]], [False, True])
    """
    genes = np.asarray(values, dtype=np.float64)
    _require_same_observations(genes, basis)
    effects = genes.T @ basis.Q
    coef = effects @ basis.to_coef.T
    squares = _squared_residuals(genes, basis.Q, effects, size_of_terms(genes, basis, coef))
    rss, df = squares.sum(axis=0), basis.df_residual
    var = rss / df if df else np.full(rss.shape, np.nan)
    return LinearFit(coef, var, df, var == 0, squares)


def contrast_t_test(fit: LinearFit, contrasts: SeparateContrasts) -> ContrastTest:
    """Test every contrast of the coefficients by t, with HC3 standard errors where prepared.

    Parameters
    ----------
    fit
        From :func:`lm_fit`.
    contrasts
        Of the same design.

    Returns
    -------
    Estimates and tests. Without residual degrees of freedom there are estimates only; genes
    without residual variance have an ``se`` of 0 and no test; contrasts that are not estimable
    have NaN as their ``se``.
    """
    estimate = fit.coef @ contrasts.vectors.T
    if contrasts.hc3_weights is None:
        se = np.sqrt(fit.var)[:, None] * contrasts.se_unscaled
    else:
        se = np.sqrt(fit.squares.T @ np.square(contrasts.hc3_weights))
    se[:, ~contrasts.estimable] = np.nan
    stat = np.divide(estimate, se, out=np.full(se.shape, np.nan), where=se > 0)
    return ContrastTest(estimate, se, stat, fit.df_residual, t_log10_pval(stat, fit.df_residual))


def contrast_f_test(fit: LinearFit, contrasts: JointContrasts) -> FTest:
    """Test that all contrasts are zero by F, or by Wald's F with the HC3 covariance if prepared.

    Parameters
    ----------
    fit
        From :func:`lm_fit`.
    contrasts
        Of the same design.

    Returns
    -------
    The test on as many numerator degrees of freedom as the contrasts have rank.
    """
    rank = contrasts.vectors.shape[0]
    effects = fit.coef @ contrasts.vectors.T
    if contrasts.hc3_weights is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            stat = np.square(effects).sum(axis=1) / rank / fit.var
    else:
        stat = wald_statistic(effects, _hc3_covariance(fit.squares, contrasts.hc3_weights)) / rank
    stat[fit.constant | (not contrasts.estimable)] = np.nan
    log10_pval = f_log10_pval(stat, rank, fit.df_residual)
    return FTest(stat, float(rank), fit.df_residual, log10_pval)


def _require_same_observations(values: Float, basis: Basis) -> None:
    if len(values) != len(basis.Q):
        msg = (
            f"The design has {len(basis.Q)} observations and the values have {len(values)}; "
            "both need the same rows."
        )
        raise InputError(msg)


def size_of_terms(values: Float, basis: Basis, coef: Float) -> Float:
    """Root mean square of what is added up in a residual, per gene: the values, or the terms."""
    of_values = np.sqrt(np.einsum("ij,ij->j", values, values) / values.shape[0])
    return np.asarray(np.maximum(of_values, np.abs(coef) @ basis.sizes))


def rounding_of(Q: Float) -> float:
    """Rounding error of a residual, as a part of the size of its terms.

    A scalar product over n_obs has an error of about ``eps sqrt(n_obs)`` times the length of its
    terms, and n_coefs of them meet in a fitted value; 8 covers the constants.
    """
    return float(8 * _EPS * np.sqrt(Q.size))


def _squared_residuals(values: Float, Q: Float, effects: Float, size: Float) -> Float:
    """Squared residuals, shape ``(n_obs, n_vars)``, rounding set to 0."""
    residuals = (effects @ Q.T).T
    np.subtract(values, residuals, out=residuals)
    squares = np.square(residuals, out=residuals)
    squares[squares <= np.square(rounding_of(Q) * size)] = 0.0
    return squares


def _hc3_covariance(squares: Float, weights: Float) -> Float:
    """Covariance of the contrasts, gene by gene, shape ``(n_vars, rank, rank)``."""
    rank = weights.shape[1]
    covariance = np.empty((squares.shape[1], rank, rank))
    for a in range(rank):
        covariance[:, a, a:] = squares.T @ (weights[:, a:] * weights[:, [a]])
        covariance[:, a:, a] = covariance[:, a, a:]
    return covariance


def wald_statistic(effects: Float, covariance: Float) -> Float:
    """Wald's chi-square, shape ``(n_vars,)``; NaN where the covariance is singular.

    Parameters
    ----------
    effects, covariance
        Of every gene, shapes ``(n_vars, rank)`` and ``(n_vars, rank, rank)``.
    """
    stat = np.full(effects.shape[0], np.nan)
    finite = np.isfinite(covariance).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(covariance[finite])
    rotated = np.einsum("ga,gab->gb", effects[finite], vectors)
    regular = values[:, 0] > _SINGULAR * values[:, -1]
    terms = np.square(rotated[regular]) / values[regular]
    stat[np.flatnonzero(finite)[regular]] = terms.sum(axis=1)
    return stat

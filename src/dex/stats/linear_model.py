"""Ordinary least squares for all genes at once, and tests of contrasts of the coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import DesignError, InputError
from dex.stats.tails import f_log10_pval, t_log10_pval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Bool, Float

_EPS = float(np.finfo(np.float64).eps)
_CANCELLED = 1e-12
"""A sum below this fraction of its addends is rounding: twelve digits have cancelled."""


@dataclass(frozen=True, slots=True)
class LinearFit:
    """Least squares of every gene on one design, before a contrast is chosen."""

    coef: Float
    """Shape ``(n_vars, n_coefs)``."""
    var: Float
    """Residual variance, shape ``(n_vars,)``; NaN where ``df_residual`` is 0."""
    df_residual: float
    """Observations less coefficients, the same for all genes."""
    cov_unscaled: Float
    """Inverse of X'X, ``(n_coefs, n_coefs)``; times ``var`` it is the covariance of ``coef``."""
    constant: Bool
    """Genes that the design fits exactly, shape ``(n_vars,)``: ``var`` is exactly 0, no test is
    possible. False for all at ``df_residual`` 0, where every gene is fitted exactly."""
    cov_hc3: Float | None = None
    """HC3 covariance of ``coef`` per gene, shape ``(n_vars, n_coefs * (n_coefs + 1) / 2)``: the
    upper triangle row by row, as ``np.triu_indices``. None where it was not asked for."""
    lone_rows: Float | None = None
    """Weights in ``coef`` of the observations of leverage 1, shape ``(n_lone, n_coefs)``. They are
    left out of ``cov_hc3``: HC3 of a contrast that they enter does not exist."""


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
    df_den: float
    """Residual degrees of freedom."""
    log10_pval: Float
    """log10 of the upper tail probability, shape ``(n_vars,)``."""


def lm_fit(values: NDArray[np.floating], design: Float, *, hc3: bool = False) -> LinearFit:
    """Fit ``values = design @ coef`` by least squares, all genes through one QR decomposition.

    A residual no larger than the rounding error of the terms that it is the rest of counts as
    zero. So a gene that the design fits exactly has variance 0 instead of 1e-32, and is marked
    ``constant`` instead of being called highly significant.

    Parameters
    ----------
    values
        Expression, shape ``(n_obs, n_vars)``; a gene with NaN gets NaN everywhere.
    design
        Design matrix of full column rank, shape ``(n_obs, n_coefs)``.
    hc3
        Also compute the covariance that allows each observation its own variance: HC3 of
        MacKinnon & White (1985), the squared residuals over ``(1 - leverage)^2``.

    Returns
    -------
    The fit of every gene.

    Raises
    ------
    DesignError
        If the design does not have full column rank.
    InputError
        If ``values`` and ``design`` differ in their observations.

    Examples
    --------
    >>> values = np.array([[1.0, 5.0], [3.0, 5.0], [6.0, 5.0], [8.0, 5.0]])
    >>> design = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    >>> fit = lm_fit(values, design)
    >>> fit.coef.round(6).tolist(), fit.constant.tolist()
    ([[2.0, 5.0], [5.0, 0.0]], [False, True])
    """
    genes, design = np.asarray(values, dtype=np.float64), np.asarray(design, dtype=np.float64)
    Q, R, scale = _orthonormal_basis(genes, design)
    n_obs, n_coefs = design.shape
    effects = genes.T @ Q
    coef = np.linalg.solve(R, effects.T).T / scale
    squares = _squared_residuals(genes, Q, effects, _size_of_terms(genes, design, coef))
    df = n_obs - n_coefs
    rss = squares.sum(axis=0)
    var = rss / df if df else np.full(rss.shape, np.nan)
    R_inverse = np.linalg.inv(R) / scale[:, None]
    cov_hc3, lone_rows = _hc3(squares, Q, Q @ R_inverse.T) if hc3 else (None, None)
    return LinearFit(coef, var, float(df), R_inverse @ R_inverse.T, var == 0, cov_hc3, lone_rows)


def contrast_t_test(fit: LinearFit, contrasts: Float) -> ContrastTest:
    """Test every contrast of the coefficients by t, with HC3 standard errors where fitted.

    Parameters
    ----------
    fit
        From :func:`lm_fit`.
    contrasts
        Weights of the coefficients, shape ``(n_tests, n_coefs)``.

    Returns
    -------
    Estimates and tests. Without residual degrees of freedom there are estimates only; genes
    without residual variance have an ``se`` of 0 and no test; HC3 of a contrast that rests on an
    observation of leverage 1 has NaN as its ``se``.
    """
    contrasts = _checked(contrasts, fit)
    estimate = fit.coef @ contrasts.T
    if fit.cov_hc3 is None:
        basis = _root(fit.cov_unscaled).T @ contrasts.T
        se = np.sqrt(fit.var)[:, None] * np.sqrt(np.square(basis).sum(axis=0))
    else:
        se = np.sqrt(_hc3_covariances(fit, contrasts, contrasts)[0])
        se[:, _rests_on_lone_rows(fit, contrasts)] = np.nan
        if fit.df_residual == 0:
            se[:] = np.nan
    stat = np.divide(estimate, se, out=np.full(se.shape, np.nan), where=se > 0)
    return ContrastTest(estimate, se, stat, fit.df_residual, t_log10_pval(stat, fit.df_residual))


def contrast_f_test(fit: LinearFit, contrasts: Float) -> FTest:
    """Test that all contrasts are zero by F, or by Wald's F with the HC3 covariance where fitted.

    Parameters
    ----------
    fit
        From :func:`lm_fit`.
    contrasts
        Weights of the coefficients, shape ``(n_rows, n_coefs)``; rows that follow from others add
        nothing.

    Returns
    -------
    The test on as many numerator degrees of freedom as the contrasts have rank.

    Raises
    ------
    InputError
        If no contrast has a weight.
    """
    basis = _unit_variance_contrasts(_checked(contrasts, fit), fit.cov_unscaled)
    rank = basis.shape[0]
    effects = fit.coef @ basis.T
    if fit.cov_hc3 is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            stat = np.square(effects).sum(axis=1) / rank / fit.var
    else:
        stat = _hc3_wald(fit, basis, effects) / rank
    stat[fit.constant] = np.nan
    if fit.df_residual == 0:
        stat[:] = np.nan
    log10_pval = f_log10_pval(stat, rank, fit.df_residual)
    return FTest(stat, float(rank), fit.df_residual, log10_pval)


def _orthonormal_basis(values: Float, design: Float) -> tuple[Float, Float, Float]:
    """QR of the design with columns of length 1, and their lengths: units do not matter."""
    if values.shape[0] != design.shape[0]:
        msg = (
            f"The design has {design.shape[0]} observations and the values have "
            f"{values.shape[0]}; both need the same rows."
        )
        raise InputError(msg)
    scale = np.sqrt(np.square(design).sum(axis=0))
    scaled = design / np.where(scale > 0, scale, 1.0)
    rank = int(np.linalg.matrix_rank(scaled))
    if rank < design.shape[1]:
        msg = (
            f"The design has {design.shape[1]} columns and rank {rank}: some columns follow from "
            "others. Remove them, or collect more observations."
        )
        raise DesignError(msg)
    Q, R = np.linalg.qr(scaled)
    return Q, R, scale


def _size_of_terms(values: Float, design: Float, coef: Float) -> Float:
    """Root mean square of what is added up in a residual, per gene: the values, or the terms."""
    n_obs = values.shape[0]
    of_values = np.sqrt(np.einsum("ij,ij->j", values, values) / n_obs)
    of_terms = np.abs(coef) @ np.sqrt(np.square(design).mean(axis=0))
    return np.asarray(np.maximum(of_values, of_terms))


def _squared_residuals(values: Float, Q: Float, effects: Float, size: Float) -> Float:
    """Squared residuals, shape ``(n_obs, n_vars)``, rounding set to 0.

    A scalar product over n_obs has an error of about ``eps sqrt(n_obs)`` times the length of its
    terms, and n_coefs of them meet in a fitted value; 8 covers the constants.
    """
    residuals = (effects @ Q.T).T
    np.subtract(values, residuals, out=residuals)
    squares = np.square(residuals, out=residuals)
    rounding = 8 * _EPS * np.sqrt(Q.size) * size
    squares[squares <= np.square(rounding)] = 0.0
    return squares


def _hc3(squares: Float, Q: Float, weights: Float) -> tuple[Float, Float]:
    """HC3 covariance, packed, and the rows of ``weights`` (n_obs, n_coefs) of leverage 1."""
    freedom = 1.0 - np.square(Q).sum(axis=1)
    lone = freedom < 64 * _EPS * Q.shape[1]
    j, k = np.triu_indices(Q.shape[1])
    products = weights[:, j] * weights[:, k]
    products /= np.where(lone, np.inf, freedom)[:, None] ** 2
    return squares.T @ products, weights[lone]


def _checked(contrasts: Float, fit: LinearFit) -> Float:
    contrasts = np.atleast_2d(np.asarray(contrasts, np.float64))
    n_coefs = fit.coef.shape[1]
    if contrasts.shape[1] != n_coefs:
        msg = f"Contrasts have {contrasts.shape[1]} weights; the design has {n_coefs} coefficients."
        raise InputError(msg)
    return contrasts


def _root(cov: Float) -> Float:
    """Lower triangular L with ``cov = L L'``, from the correlations: units do not matter."""
    scale = np.sqrt(np.diag(cov))
    return np.asarray(scale[:, None] * np.linalg.cholesky(cov / scale / scale[:, None]))


def _unit_variance_contrasts(contrasts: Float, cov_unscaled: Float) -> Float:
    """Uncorrelated contrasts of unscaled variance 1 and the same span, ``(rank, n_coefs)``."""
    loadings = contrasts @ _root(cov_unscaled)
    length = np.sqrt(np.square(loadings).sum(axis=1, keepdims=True))
    contrasts = contrasts[length[:, 0] > 0] / length[length[:, 0] > 0]
    if not len(contrasts):
        msg = "All weights of the contrasts are zero: nothing to test."
        raise InputError(msg)
    U, S, _ = np.linalg.svd(contrasts @ _root(cov_unscaled), full_matrices=False)
    kept = S / S[0] > 1e-9
    return np.asarray((U[:, kept] / S[kept]).T @ contrasts)


def _hc3_covariances(fit: LinearFit, left: Float, right: Float) -> tuple[Float, Float]:
    """Covariance of pairs of contrasts, and its addends' sizes summed; ``(n_vars, n_pairs)`` each.

    What is nothing but rounding is set to 0.
    """
    assert fit.cov_hc3 is not None
    j, k = np.triu_indices(fit.coef.shape[1])
    pairs = left[:, j] * right[:, k] + np.where(j < k, left[:, k] * right[:, j], 0.0)
    covariance = fit.cov_hc3 @ pairs.T
    size = np.abs(fit.cov_hc3) @ np.abs(pairs).T
    covariance[np.abs(covariance) <= _CANCELLED * size] = 0.0
    return covariance, size


def _rests_on_lone_rows(fit: LinearFit, contrasts: Float) -> Bool:
    """Whether a contrast gives weight to an observation of leverage 1, shape ``(n_tests,)``."""
    assert fit.lone_rows is not None
    weight = np.abs(contrasts @ fit.lone_rows.T)
    size = np.abs(contrasts) @ np.abs(fit.lone_rows).T
    return np.asarray((weight > 1e-9 * size).any(axis=1))


def _hc3_wald(fit: LinearFit, basis: Float, effects: Float) -> Float:
    """Wald's chi-square of the contrasts in ``basis``; NaN where their covariance is singular."""
    rank = basis.shape[0]
    stat = np.full(effects.shape[0], np.nan)
    if _rests_on_lone_rows(fit, basis).any():
        return stat
    a, b = np.indices((rank, rank)).reshape(2, -1)
    covariance, size = _hc3_covariances(fit, basis[a], basis[b])
    finite = np.isfinite(covariance).all(axis=1)
    values, vectors = np.linalg.eigh(covariance[finite].reshape(-1, rank, rank))
    rotated = np.einsum("ga,gab->gb", effects[finite], vectors)
    regular = values[:, 0] > _CANCELLED * size[finite].max(axis=1)
    terms = np.square(rotated[regular]) / values[regular]
    stat[np.flatnonzero(finite)[regular]] = terms.sum(axis=1)
    return stat

"""What least squares on one design share, whatever the values: a basis, and contrasts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import DesignError, InputError

if TYPE_CHECKING:
    from dex.typing import Bool, Float

_EPS = float(np.finfo(np.float64).eps)
_NO_WEIGHT = 1e-9
"""A weight below this part of the largest possible is rounding."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Orthonormal basis of the columns of a design: what the fits of all genes share."""

    Q: Float
    """The basis, shape ``(n_obs, n_coefs)``."""
    to_coef: Float
    """Coefficients of the design per effect ``Q.T @ values``, shape ``(n_coefs, n_coefs)``."""
    sizes: Float
    """Root mean squares of the design's columns, shape ``(n_coefs,)``."""
    freedom: Float
    """One less the leverage of each observation, shape ``(n_obs,)``; exactly 0 where the leverage
    is 1: the design fits that observation whatever its value."""

    @classmethod
    def from_design(cls, design: Float) -> Basis:
        """Decompose a design matrix of full column rank, shape ``(n_obs, n_coefs)``.

        Columns are brought to length 1 first: their units do not matter.

        Raises
        ------
        DesignError
            If a column follows from those before it.
        """
        design = np.asarray(design, dtype=np.float64)
        length = np.sqrt(np.square(design).sum(axis=0))
        Q, R = np.linalg.qr(design / np.where(length > 0, length, 1.0))
        _require_full_rank(R, len(design))
        freedom = 1.0 - np.square(Q).sum(axis=1)
        freedom[freedom < 64 * _EPS * Q.shape[1]] = 0.0
        to_coef = np.linalg.inv(R) / length[:, None]
        return cls(Q, to_coef, length / np.sqrt(len(design)), freedom)

    @property
    def df_residual(self) -> float:
        """Observations less coefficients."""
        return float(self.Q.shape[0] - self.Q.shape[1])

    @property
    def cov_unscaled(self) -> Float:
        """Inverse of X'X, ``(n_coefs, n_coefs)``; times the variance, the coefficients' own."""
        return np.asarray(self.to_coef @ self.to_coef.T)


@dataclass(frozen=True, slots=True)
class SeparateContrasts:
    """Contrasts of the coefficients of a design, to be tested one by one."""

    vectors: Float
    """Weights of the coefficients, shape ``(n_tests, n_coefs)``."""
    se_unscaled: Float
    """Standard errors at a residual variance of 1, shape ``(n_tests,)``."""
    estimable: Bool
    """Whether there are standard errors, shape ``(n_tests,)``. HC3 of a contrast that an
    observation of leverage 1 enters does not exist."""
    hc3_weights: Float | None
    """Weights of the observations in the contrasts, over one less the leverage, shape
    ``(n_obs, n_tests)``; None for the classical standard errors."""

    @classmethod
    def from_basis(cls, basis: Basis, vectors: Float, *, hc3: bool = False) -> SeparateContrasts:
        """Prepare contrasts ``vectors`` ``(n_tests, n_coefs)`` of the design of ``basis``.

        Parameters
        ----------
        basis, vectors
            Design and weights of its coefficients.
        hc3
            Whether each observation has its own variance: HC3 of MacKinnon & White (1985), the
            squared residuals over ``(1 - leverage)^2``.
        """
        vectors = _checked(vectors, basis)
        loadings = vectors @ basis.to_coef
        length = np.sqrt(np.square(loadings).sum(axis=1))
        if not hc3:
            return cls(vectors, length, np.ones(len(vectors), dtype=bool), None)
        return cls(vectors, length, _hc3_exists(basis, loadings), _hc3_weights(basis, loadings))


@dataclass(frozen=True, slots=True)
class JointContrasts:
    """Contrasts of the coefficients of a design, to be tested all at once."""

    vectors: Float
    """Uncorrelated contrasts of the same span, each with a variance of 1 at a residual variance of
    1; shape ``(rank, n_coefs)``."""
    estimable: bool
    """Whether they have a covariance, as in :class:`SeparateContrasts`."""
    hc3_weights: Float | None
    """As in :class:`SeparateContrasts`, shape ``(n_obs, rank)``."""

    @classmethod
    def from_basis(cls, basis: Basis, vectors: Float, *, hc3: bool = False) -> JointContrasts:
        """Prepare contrasts ``vectors`` ``(n_rows, n_coefs)``; rows that follow add nothing.

        Raises
        ------
        InputError
            If no contrast has a weight.
        """
        vectors = _uncorrelated(_checked(vectors, basis), basis)
        if not hc3:
            return cls(vectors, estimable=True, hc3_weights=None)
        loadings = vectors @ basis.to_coef
        estimable = bool(_hc3_exists(basis, loadings).all())
        return cls(vectors, estimable, _hc3_weights(basis, loadings))


def _require_full_rank(R: Float, n_obs: int) -> None:
    """The diagonal of R is what earlier columns leave of each column of length 1."""
    n_coefs = R.shape[1]
    rank = int((np.abs(np.diag(R)) > max(n_obs, n_coefs) * _EPS).sum())
    if rank < n_coefs:
        msg = (
            f"The design has {n_coefs} columns and rank {rank}: some columns follow from "
            "others. Remove them, or collect more observations."
        )
        raise DesignError(msg)


def _checked(vectors: Float, basis: Basis) -> Float:
    vectors = np.atleast_2d(np.asarray(vectors, np.float64))
    n_coefs = basis.Q.shape[1]
    if vectors.shape[1] != n_coefs:
        msg = f"Contrasts have {vectors.shape[1]} weights; the design has {n_coefs} coefficients."
        raise InputError(msg)
    return vectors


def _uncorrelated(vectors: Float, basis: Basis) -> Float:
    """Uncorrelated contrasts of unscaled variance 1 and the same span, ``(rank, n_coefs)``."""
    loadings = vectors @ basis.to_coef
    length = np.sqrt(np.square(loadings).sum(axis=1))
    some = length > 0
    if not some.any():
        msg = "All weights of the contrasts are zero: nothing to test."
        raise InputError(msg)
    vectors, loadings = (rows[some] / length[some, None] for rows in (vectors, loadings))
    U, S, _ = np.linalg.svd(loadings, full_matrices=False)
    kept = S / S[0] > 1e-9
    return np.asarray((U[:, kept] / S[kept]).T @ vectors)


def _hc3_exists(basis: Basis, loadings: Float) -> Bool:
    """Whether no observation of leverage 1 enters the contrasts, shape ``(n_tests,)``."""
    weights = loadings @ basis.Q[basis.freedom == 0].T
    length = np.sqrt(np.square(loadings).sum(axis=1, keepdims=True))
    return np.asarray((np.abs(weights) <= _NO_WEIGHT * length).all(axis=1))


def _hc3_weights(basis: Basis, loadings: Float) -> Float:
    """Weights of the observations over ``1 - leverage``; 0 where the leverage is 1.

    ``loadings`` ``(n_tests, n_coefs)`` are the contrasts' weights of the basis, so that by Cauchy
    and Schwarz no weight is larger than their length times the root of the leverage.
    """
    weights = basis.Q @ loadings.T
    length = np.sqrt(np.square(loadings).sum(axis=1))
    largest = np.sqrt(1.0 - basis.freedom)[:, None] * length
    weights[np.abs(weights) <= _NO_WEIGHT * largest] = 0.0
    weights /= np.where(basis.freedom > 0, basis.freedom, np.inf)[:, None]
    return np.asarray(weights)

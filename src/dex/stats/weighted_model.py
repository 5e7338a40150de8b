"""Least squares where genes have weights, missing values or correlated observations of their own.

All of it is done in the basis of the design that the genes share, in which the normal equations are
as well conditioned as the weights allow: their matrices of all genes are one matrix product, and
are solved gene by gene, twice, the second time for what the first has left in the residuals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.stats.linear_model import rounding_of, size_of_terms
from dex.stats.packed import pack, unpack

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from dex.stats.basis import Basis
    from dex.typing import Bool, Float, Int

_SINGULAR = 1e-10
"""An eigenvalue below this part of the largest is of a direction that no observation has."""
_NOTHING = 1e-12
"""Squared share of a contrast in such a direction that is rounding."""


@dataclass(frozen=True, slots=True)
class GeneModels:
    """Least squares of genes that each have their own precision, before a contrast is chosen."""

    coef: Float
    """Shape ``(n_vars, n_coefs)``. Of a gene whose missing values make the design deficient it is
    one of many solutions, of which only estimable contrasts mean something; see ``cov``."""
    var: Float
    """Residual variance at weight 1, ``(n_vars,)``; NaN where ``df_residual`` is 0."""
    df_residual: Float
    """Observations less rank of the design among them, ``(n_vars,)``."""
    cov: Float
    """Covariance of the coefficients at a variance of 1, packed, ``(n_vars, k (k + 1) / 2)``; one
    row where all genes share it.

    Singular where the design is deficient: it spans the estimable contrasts. NaN for a gene
    without any observation."""
    deficient: Bool
    """Genes whose observations do not determine all coefficients, ``(n_vars,)``."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Observations in blocks, within which all have the same correlation."""

    codes: Int
    """Block of each observation, ``(n_obs,)``, from 0."""
    correlation: float
    """Above ``-1 / (largest block - 1)`` and below 1."""


def fit_gene_models(
    values: ArrayLike,
    basis: Basis,
    *,
    weights: ArrayLike | None = None,
    blocks: Blocks | None = None,
) -> GeneModels:
    """Fit ``values = design @ coef`` to every gene by weighted or generalised least squares.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``; NaN where missing.
    basis
        Of the design.
    weights
        Inverse variances up to a factor: shape ``(n_obs,)``, ``(n_obs, 1)``, ``(1, n_vars)`` or
        ``(n_obs, n_vars)``. An observation with a weight of 0, below, or NaN is missing.
    blocks
        Correlated observations [Smyth2005]_, or None.

    Raises
    ------
    InputError
        If shapes differ, or no correlation of that size exists.

    References
    ----------
    .. [Smyth2005] Smyth GK, Michaud J, Scott HS (2005). Use of within-array replicate spots for
       assessing differential expression in microarray experiments. Bioinformatics 21, 2067-2075.

    Examples
    --------
    >>> from dex.stats.basis import Basis
    >>> basis = Basis.from_design(np.ones((3, 1)))
    >>> fit = fit_gene_models([[1.0], [np.nan], [5.0]], basis, weights=[3.0, 1.0, 1.0])
    >>> fit.coef.round(6).tolist(), fit.df_residual.tolist(), fit.var.round(6).tolist()
    ([[2.0]], [1.0], [12.0])
    """
    genes = np.asarray(values, dtype=np.float64)
    w = _weights(weights, genes, basis)
    y = genes if w.shape[1] == 1 and (w > 0).all() else np.where(w > 0, genes, 0.0)
    equations = _Equations(basis.Q, w, blocks)
    inverse, rank = _inverses(equations.gram(), complete=bool((w > 0).all()))
    effects = _solve(inverse, equations.right_side(y))
    effects += _solve(inverse, equations.right_side(y - basis.Q @ effects.T))
    coef = effects @ basis.to_coef.T
    n_used = np.count_nonzero(w, axis=0)
    df = np.broadcast_to((n_used - rank).astype(np.float64), y.shape[1:])
    residuals = y - basis.Q @ effects.T
    rounding = rounding_of(basis.Q) * size_of_terms(y, basis, coef)
    residuals[np.abs(residuals) <= rounding] = 0.0
    residuals *= w > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        var = np.where(df > 0, equations.sum_of_squares(residuals) / df, np.nan)
    cov = pack(basis.to_coef @ inverse @ basis.to_coef.T)
    cov = np.where((n_used == 0)[:, None], np.nan, cov)
    coef[np.broadcast_to(n_used == 0, df.shape)] = np.nan
    deficient = np.broadcast_to(rank < coef.shape[1], df.shape)
    return GeneModels(coef, var, df, cov, deficient)


def estimable(cov: Float, basis: Basis, contrasts: Float) -> Bool:
    """Return which contrasts the observations of each gene determine, ``(n_vars, n_tests)``.

    Parameters
    ----------
    cov
        From :class:`GeneModels`, packed.
    basis
        Of the design.
    contrasts
        Shape ``(n_tests, n_coefs)``.
    """
    k = contrasts.shape[1]
    known = np.isfinite(cov[:, 0])
    from_coef = np.linalg.inv(basis.to_coef)
    inverse = from_coef @ unpack(np.where(known[:, None], cov, 0.0)) @ from_coef.T
    values, vectors = np.linalg.eigh(inverse)
    unseen = values <= _SINGULAR * np.maximum(values[:, -1:], np.finfo(float).tiny)
    loadings = contrasts @ basis.to_coef
    along = loadings @ vectors  # (n_vars, n_tests, k)
    lost = np.square(along * unseen[:, None, :]).sum(axis=2)
    return np.asarray(lost <= k * _NOTHING * np.square(loadings).sum(axis=1))


@dataclass(frozen=True, slots=True)
class _Equations:
    """Normal equations in the basis, of all genes.

    Within a block of m observations that are all correlated by r, the inverse correlation is
    ``(I - c J) / (1 - r)`` with ``c = r / (1 + (m - 1) r)``: a product less one of block sums.
    """

    Q: Float
    weights: Float
    """``(n_obs, n_vars)``, or one column that all genes share; 0 where missing."""
    blocks: Blocks | None

    def gram(self) -> Float:
        """``Q' V^-1 Q`` of every gene, ``(n_vars, k, k)``."""
        rows, columns = np.triu_indices(self.Q.shape[1])
        full = unpack(self.weights.T @ (self.Q[:, rows] * self.Q[:, columns]))
        if self.blocks is None:
            return full
        for members, roots, c in self._of_blocks(self.blocks):
            sums = roots.T @ self.Q[members]
            full -= (c[:, None] * sums)[:, :, None] * sums[:, None, :]
        return full / (1 - self.blocks.correlation)

    def right_side(self, y: Float) -> Float:
        """``Q' V^-1 y`` of every gene, ``(n_vars, k)``."""
        full = (self.weights * y).T @ self.Q
        if self.blocks is None:
            return full
        for members, roots, c in self._of_blocks(self.blocks):
            sums = c * (roots * y[members]).sum(axis=0)
            full -= sums[:, None] * (roots.T @ self.Q[members])
        return np.asarray(full / (1 - self.blocks.correlation))

    def sum_of_squares(self, residuals: Float) -> Float:
        """``r' V^-1 r`` of every gene, ``(n_vars,)``."""
        total = (self.weights * np.square(residuals)).sum(axis=0)
        if self.blocks is None:
            return np.asarray(total)
        for members, roots, c in self._of_blocks(self.blocks):
            total -= c * np.square((roots * residuals[members]).sum(axis=0))
        return np.asarray(total / (1 - self.blocks.correlation))

    def _of_blocks(self, blocks: Blocks) -> list[tuple[Int, Float, Float]]:
        """Members of every block, roots of their weights, and c of every gene."""
        r, out = blocks.correlation, []
        for members in _members(blocks.codes):
            roots = np.sqrt(self.weights[members])
            m = np.count_nonzero(roots, axis=0)
            out.append((members, roots, r / (1 + (m - 1) * r)))
        return out


def _members(codes: Int) -> list[Int]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _weights(weights: ArrayLike | None, genes: Float, basis: Basis) -> Float:
    """Weights of all values, 0 where one is missing; one column where nothing depends on genes."""
    if len(genes) != len(basis.Q):
        msg = f"The design has {len(basis.Q)} observations, the values have {len(genes)}."
        raise InputError(msg)
    given = np.asarray(1.0 if weights is None else weights, dtype=np.float64)
    if given.ndim == 1:
        given = given[:, None]
    try:
        w = np.broadcast_to(given, genes.shape)
    except ValueError:
        msg = f"weights of shape {given.shape} do not fit values of shape {genes.shape}."
        raise InputError(msg) from None
    known = np.isfinite(genes)
    if given.shape in {(), (len(genes), 1)} and known.all():
        w, known = np.broadcast_to(given, (len(genes), 1)), known[:, :1]
    return np.where(known & (w > 0) & np.isfinite(w), w, 0.0)


def _inverses(gram: Float, *, complete: bool) -> tuple[Float, NDArray[np.intp]]:
    """Inverses of the Gram matrices, of singular ones the pseudo-inverse, and their ranks.

    Where every observation has a weight, the design keeps its rank.
    """
    if complete:
        return np.linalg.inv(gram), np.full(len(gram), gram.shape[1])
    values, vectors = np.linalg.eigh(gram)
    kept = values > _SINGULAR * np.maximum(values[:, -1:], 0.0)
    reciprocal = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    inverse = (vectors * reciprocal[:, None, :]) @ vectors.transpose(0, 2, 1)
    return inverse, np.count_nonzero(kept, axis=1)


def _solve(inverse: Float, right_side: Float) -> Float:
    return np.asarray((inverse @ right_side[:, :, None])[:, :, 0])

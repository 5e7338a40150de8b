"""Quality weights of samples, by how well their values follow the linear models [Ritchie2006]_.

The log variance of a value is that of its gene plus that of its sample; the samples' add up to 0.
Weights are squeezed towards equality by some prior genes, which all samples fit equally well.

References
----------
.. [Ritchie2006] Ritchie ME, Diyagama D, Neilson J, van Laar R, Dobrovic A, Holloway A, Smyth GK
   (2006). Empirical array quality weights in the analysis of microarray data. BMC Bioinformatics 7,
   261.
.. [Smyth2002] Smyth GK (2002). An efficient algorithm for REML in heteroscedastic regression.
   Journal of Computational and Graphical Statistics 11, 836-847.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.typing import Float

PRIOR_GENES = 10.0
_NO_VARIANCE = 1e-15
_SINGULAR = 1e-10
_FEWEST_DF = 2
_MAX_ITER = 200
_CONVERGED = 1e-12


def variance_design(n_obs: int) -> Float:
    """Contrasts in which log variances of samples add up to 0, ``(n_obs, n_obs - 1)``."""
    return np.vstack([np.eye(n_obs - 1), -np.ones(n_obs - 1)])


class GeneByGene:
    """One scoring step per gene, in their order: for genes with weights or missing values."""

    def __init__(self, design: Float, *, prior_genes: float = PRIOR_GENES) -> None:
        self._design = design
        self._Z = variance_design(len(design))
        self._gamma = np.zeros(self._Z.shape[1])
        self._information = prior_genes * self._Z.T @ self._Z
        self.weights = np.ones(len(design))
        """So far; their product is 1."""

    def add(self, values: Float, weights: Float | None = None) -> None:
        """Learn from genes ``(n_obs, n_genes)``, NaN where missing, with weights of the values."""
        for j in range(values.shape[1]):
            own = None if weights is None else weights[:, j]
            self._add(values[:, j], own)

    def _add(self, y: Float, own: Float | None) -> None:
        known = np.isfinite(y) if own is None else np.isfinite(y) & (own > 0)
        root = np.sqrt(self.weights if own is None else self.weights * np.where(known, own, 0))
        basis = _basis(self._design[known] * root[known, None])
        df = int(known.sum()) - basis.shape[1]
        if df < _FEWEST_DF:
            return
        scaled = root[known] * y[known]
        squares = np.square(scaled - basis @ (basis.T @ scaled))
        var = squares.sum() / df
        if var < _NO_VARIANCE:
            return
        Z, freedom = self._Z[known], 1 - np.square(basis).sum(axis=1)
        self._information += _information(Z, np.diag(freedom), freedom, df)
        self._gamma += np.linalg.solve(self._information, Z.T @ (squares / var - freedom))
        self.weights = np.exp(-self._Z @ self._gamma)


def reml_weights(
    relative_squares: Callable[[Float], tuple[Float, int]],
    design: Float,
    *,
    prior_genes: float = PRIOR_GENES,
) -> Float:
    """Weights of largest restricted likelihood, by Fisher scoring [Smyth2002]_: for complete data.

    Parameters
    ----------
    relative_squares
        Given weights, the squared weighted residuals over their gene's variance, added up over
        the genes, ``(n_obs,)``, and the number of genes with any variance.
    design
        Shape ``(n_obs, n_coefs)``.
    prior_genes
        Genes by which the weights are squeezed.

    Returns
    -------
    Shape ``(n_obs,)``; their product is 1.
    """
    Z = variance_design(len(design))
    gamma, weights = np.zeros(Z.shape[1]), np.ones(len(design))
    df = len(design) - design.shape[1]
    for _ in range(_MAX_ITER):
        squares, n_genes = relative_squares(weights)
        Q = np.linalg.qr(design * np.sqrt(weights)[:, None])[0]
        leverage = np.square(Q).sum(axis=1)
        score = Z.T @ (squares - n_genes * (1 - leverage) + prior_genes * (weights - 1))
        covariance = np.diag(1 - 2 * leverage) + np.square(Q @ Q.T)
        information = n_genes * _information(Z, covariance, 1 - leverage, df)
        step = np.linalg.solve(information + prior_genes * Z.T @ Z, score)
        gamma += step
        weights = np.exp(-Z @ gamma)
        if np.abs(step).max() < _CONVERGED:
            break
    return weights


def relative_squares_of(values: Float, design: Float, weights: Float) -> tuple[Float, int]:
    """What :func:`reml_weights` asks for, of some genes ``(n_obs, n_genes)``."""
    root = np.sqrt(weights)[:, None]
    Q = np.linalg.qr(design * root)[0]
    scaled = root * values
    squares = np.square(scaled - Q @ (Q.T @ scaled))
    var = squares.sum(axis=0) / (len(design) - design.shape[1])
    some = var > _NO_VARIANCE
    return (squares[:, some] / var[some]).sum(axis=1), int(some.sum())


def _information(Z: Float, covariance: Float, freedom: Float, df: float) -> Float:
    """Of the samples' log variances, the gene's own taken out."""
    with_gene = Z.T @ freedom
    return np.asarray(Z.T @ covariance @ Z - np.outer(with_gene, with_gene) / df)


def _basis(X: Float) -> Float:
    """Orthonormal basis of the columns, which may be deficient."""
    U, S, _ = np.linalg.svd(X, full_matrices=False)
    return np.asarray(U[:, _SINGULAR * S.max(initial=0.0) < S])

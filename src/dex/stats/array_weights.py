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

from dex._numba import inner, kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.typing import Float

PRIOR_GENES = 10.0
_NO_VARIANCE = 1e-15
_SINGULAR = 1e-14
"""Squared share of a column that those before it leave: rounding."""
_SOLVED = 1e-28
_FEWEST_DF = 2
_MAX_ITER = 200
_CONVERGED = 1e-12


def variance_design(n_obs: int) -> Float:
    """Contrasts in which log variances of samples add up to 0, ``(n_obs, n_obs - 1)``."""
    return np.vstack([np.eye(n_obs - 1), -np.ones(n_obs - 1)])


class GeneByGene:
    """One scoring step per gene, in their order: for genes with weights or missing values."""

    def __init__(self, design: Float, *, prior_genes: float = PRIOR_GENES) -> None:
        n_obs = len(design)
        self._Q = np.linalg.qr(np.asarray(design, dtype=np.float64))[0]
        self._gamma = np.zeros(n_obs)
        self._information = prior_genes * (np.eye(n_obs) - 1.0 / n_obs)

    @property
    def weights(self) -> Float:
        """So far, ``(n_obs,)``; their product is 1."""
        return np.exp(-self._gamma)

    def add(self, values: Float, weights: Float | None = None) -> None:
        """Learn from genes ``(n_obs, n_genes)``, NaN where missing, with weights of the values."""
        genes = np.ascontiguousarray(values.T, dtype=np.float64)
        own = np.ones((1, 1)) if weights is None else weights.T
        every = np.ascontiguousarray(np.broadcast_to(own, genes.shape), dtype=np.float64)
        _walk(genes, every, self._Q, self._gamma, self._information)


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


@kernel
def _walk(genes: Float, weights: Float, Q: Float, gamma: Float, information: Float) -> None:
    """Move ``gamma`` and add to ``information``, ``(n_obs, n_obs)``, gene by gene.

    Of a gene's information only the diagonal is taken, one less the leverages, and of that what
    the gene's own variance leaves.
    """
    n_obs, k = Q.shape
    basis, root, rest = np.empty((k, n_obs)), np.empty(n_obs), np.empty(n_obs)
    free, step = np.empty(n_obs), np.zeros(n_obs)
    for j in range(len(genes)):
        n_used = _scale(genes[j], weights[j], gamma, root, rest)
        rank = _orthonormal_rows(Q, root, basis)
        df = n_used - rank
        if df < _FEWEST_DF:
            continue
        _fit(basis[:rank], root, rest, free)
        var = (rest * rest).sum() / df
        if var < _NO_VARIANCE:
            continue
        total = free.sum()
        for i in range(n_obs):
            information[i, i] += free[i]
            for b in range(n_obs):
                information[i, b] -= free[i] * free[b] / total
        _solve(information, rest * rest / var - free, step)
        gamma += step - step.mean()


@inner
def _scale(y: Float, weights: Float, gamma: Float, root: Float, out: Float) -> int:
    """Roots of all weights of a gene, its values times these, and how many it has."""
    n_used = 0
    for i in range(len(y)):
        used = np.isfinite(y[i]) and weights[i] > 0.0
        root[i] = np.sqrt(weights[i] * np.exp(-gamma[i])) if used else 0.0
        out[i] = root[i] * y[i] if used else 0.0
        n_used += used
    return n_used


@inner
def _fit(basis: Float, root: Float, rest: Float, free: Float) -> None:
    """Residuals in place of values, and one less the leverages; 0 where nothing is measured."""
    for _ in range(2):  # the second time for what rounding left
        for a in range(len(basis)):
            _remove(basis[a], rest)
    for i in range(len(root)):
        free[i] = 1.0 if root[i] > 0.0 else 0.0
        for a in range(len(basis)):
            free[i] -= basis[a, i] * basis[a, i]


@inner
def _remove(direction: Float, rest: Float) -> None:
    along = 0.0
    for i in range(len(rest)):
        along += direction[i] * rest[i]
    for i in range(len(rest)):
        rest[i] -= along * direction[i]


@inner
def _orthonormal_rows(Q: Float, root: Float, out: Float) -> int:
    """Basis of the columns of Q, each row times its root, in rows of ``out``; their number."""
    rank = 0
    for a in range(Q.shape[1]):
        before = 0.0
        for i in range(len(root)):
            out[rank, i] = root[i] * Q[i, a]
            before += out[rank, i] * out[rank, i]
        for _ in range(2):
            for b in range(rank):
                _remove(out[b], out[rank])
        after = 0.0
        for i in range(len(root)):
            after += out[rank, i] * out[rank, i]
        if after > _SINGULAR * before:
            for i in range(len(root)):
                out[rank, i] /= np.sqrt(after)
            rank += 1
    return rank


@inner
def _solve(matrix: Float, right: Float, x: Float) -> None:
    """Conjugate gradients with the diagonal; ``matrix`` has ones in its null space, as sums are 0.

    It is the diagonal less a few directions, nearly, so that a handful of steps do, of n_obs^2 each
    where a factorisation would take n_obs^3.
    """
    n = len(right)
    r, z, p, q = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    rz, start = 0.0, 0.0
    for i in range(n):
        x[i] = 0.0
        r[i] = right[i]
        z[i] = r[i] / matrix[i, i]
        p[i] = z[i]
        rz += r[i] * z[i]
    start = rz
    for _ in range(4 * n):
        if rz <= _SOLVED * start:
            return
        pq = 0.0
        for i in range(n):
            q[i] = 0.0
            for b in range(n):
                q[i] += matrix[i, b] * p[b]
            pq += p[i] * q[i]
        if pq <= 0.0:
            return
        alpha, new = rz / pq, 0.0
        for i in range(n):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
            z[i] = r[i] / matrix[i, i]
            new += r[i] * z[i]
        for i in range(n):
            p[i] = z[i] + new / rz * p[i]
        rz = new

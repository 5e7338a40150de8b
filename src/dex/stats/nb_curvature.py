"""Covariances and hat values of negative binomial models at fitted coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel, part
from dex.stats.gene_rows import by_gene, gene_first, of_every_gene
from dex.stats.nb_newton import exp_rows, row_slopes
from dex.stats.small_matrices import add_outer, assign, cholesky, fill, invert_factored

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Float, Int


def nb_covariance(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    coef: Float,
    *,
    weights: Float | None = None,
    ridge: Float | None = None,
    floor: float = 0.0,
) -> Float:
    """Covariance of the coefficients at ``coef``: the inverse of the Fisher information.

    Arguments as :func:`~dex.stats.nb_glm.fit_nb_glm`. Upper triangles by rows,
    ``(n_vars, n_packed)``; with ``ridge`` it is the covariance of the posterior mode as an
    estimate, ``(I + R)^-1 I (I + R)^-1``, as DESeq2 reports it.
    """
    n_obs, n_vars = counts.shape
    depth = by_gene(depths, n_obs, n_vars)
    weighted = by_gene(weights, n_obs, n_vars)
    penalty = np.empty(0) if ridge is None else np.asarray(ridge, dtype=np.float64)
    return _covariances(
        gene_first(counts),
        design.rows,
        design.index,
        depth,
        of_every_gene(dispersion, n_vars),
        weighted,
        penalty,
        floor,
        np.ascontiguousarray(coef),
    )


def leverages(
    design: DesignRows, mu: Float, dispersion: Float, cov: Float, *, weights: Float | None = None
) -> Float:
    """Hat values, shape ``(n_obs, n_vars)``: the weight of a count in its own fitted mean.

    ``cov`` is packed, as :func:`nb_covariance` gives it.
    """
    n_obs, n_vars = mu.shape
    weighted = by_gene(weights, n_obs, n_vars)
    return _leverages(design.rows, design.index, gene_first(mu), dispersion, cov, weighted).T


@kernel
def _covariances(
    counts: Float,
    rows: Float,
    index: Int,
    depths: Float,
    dispersions: Float,
    weights: Float,
    penalty: Float,
    floor: float,
    coefs: Float,
) -> Float:
    n_vars, (n_rows, k) = len(counts), rows.shape
    cov = np.empty((n_vars, k * (k + 1) // 2))
    work, room = np.empty((4, n_rows)), np.empty((3, k, k))
    means, score, information, observed = work[0], work[1], work[2], work[3]
    matrix, inverse, unpenalised = room[0], room[1], room[2]
    for j in range(n_vars):
        y, depth = counts[j], depths[j if len(depths) > 1 else 0]
        weight = weights[j if len(weights) > 1 else 0]
        exp_rows(rows, coefs[j], means)
        row_slopes(
            y, index, depth, dispersions[j], weight, floor, means, score, information, observed
        )
        add_outer(rows, information, matrix)
        for a in range(len(penalty)):
            assign(unpenalised[a], matrix[a])
            matrix[a, a] += penalty[a]
        if not cholesky(matrix):
            fill(cov[j], np.nan)
            continue
        invert_factored(matrix, inverse)
        if len(penalty):
            _sandwich(inverse, unpenalised, matrix)
            for a in range(k):
                assign(inverse[a], matrix[a])
        place = 0
        for a in range(k):
            for b in range(a, k):
                cov[j, place] = inverse[a, b]
                place += 1
    return cov


@part
def _sandwich(outer: Float, lower: Float, out: Float) -> None:
    """``outer @ inner @ outer``, both symmetric, the inner one's lower triangle given."""
    k = len(outer)
    for a in range(k):
        for b in range(k):
            out[a, b] = 0.0
            for c in range(k):
                for d in range(k):
                    inner_value = lower[c, d] if c >= d else lower[d, c]
                    out[a, b] += outer[a, c] * inner_value * outer[d, b]


@kernel
def _leverages(
    rows: Float, index: Int, mu: Float, dispersions: Float, cov: Float, weights: Float
) -> Float:
    n_vars, n_obs = mu.shape
    n_rows, k = rows.shape
    out, of_row = np.empty((n_vars, n_obs)), np.empty(n_rows)
    for j in range(n_vars):
        weight = weights[j if len(weights) > 1 else 0]
        for r in range(n_rows):
            of_row[r] = 0.0
            place = 0
            for a in range(k):
                for b in range(a, k):
                    twice = 1.0 if a == b else 2.0
                    of_row[r] += twice * cov[j, place] * rows[r, a] * rows[r, b]
                    place += 1
        for i in range(n_obs):
            w = weight[i] * mu[j, i] / (1.0 + dispersions[j] * mu[j, i])
            out[j, i] = w * of_row[index[i]]
    return out

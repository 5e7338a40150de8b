"""Negative binomial generalised linear models with a log link, for many genes at once.

Newton's method with Levenberg's damping: with a log link the observed information is positive, so
that the likelihood has one maximum. What a gene costs is governed by the different rows of the
design: observations that share a row share ``mu`` up to their depth, so that one exponential and
one outer product serve all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import inner, kernel, part
from dex.stats.gene_rows import by_gene, gene_first, of_every_gene
from dex.stats.nb import nb_mean_kernel
from dex.stats.nb_groups import fit_groups
from dex.stats.nb_newton import climb
from dex.stats.small_matrices import add_outer, assign, cholesky, fill, solve_factored

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Bool, Float, Int

_NO_COUNT: Final = 1e-12
"""Counts of a group that has none."""
_NO_EXPOSURE: Final = 1e-300


@dataclass(frozen=True, slots=True)
class NbFit:
    """Coefficients of every gene."""

    coef: Float
    """Natural logs, shape ``(n_vars, n_coefs)``. Where a group has no counts they are as far out as
    makes no difference to the likelihood."""
    converged: Bool
    """Shape ``(n_vars,)``."""


def fit_nb_glm(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    *,
    weights: Float | None = None,
    ridge: Float | None = None,
    floor: float = 0.0,
    start: Float | None = None,
) -> NbFit:
    """Maximise the likelihood of every gene's coefficients, or their posterior with ``ridge``.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``; Fortran order is fastest. They need not be whole numbers.
    design
        Of full column rank.
    depths
        What multiplies the means, positive: library sizes or size factors ``(n_obs,)``, or
        normalisation factors of every count ``(n_obs, n_vars)``.
    dispersion
        Shape ``(n_vars,)``; 0 is Poisson.
    weights
        Of the observations, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    ridge
        Precision of a normal prior of each coefficient, centred at 0, ``(n_coefs,)``.
    floor
        Means are not taken below it in working weights and responses [Love2014]_.
    start
        Coefficients to start from, ``(n_vars, n_coefs)``.

    Raises
    ------
    InputError
        If shapes do not fit.

    References
    ----------
    .. [McCullagh1989] McCullagh P, Nelder JA (1989). Generalized linear models. Chapman & Hall.
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[2.0], [4.0], [10.0], [14.0]])
    >>> design = DesignRows.from_design(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]))
    >>> fit = fit_nb_glm(counts, design, np.ones(4), np.array([0.1]))
    >>> np.exp(fit.coef).round(6).tolist()
    [[3.0, 4.0]]
    """
    if design.to_coef is not None and ridge is None and floor == 0.0:
        return _of_groups(counts, design, depths, dispersion, weights, start)
    n_obs, n_vars = counts.shape
    penalty = np.zeros(design.n_coefs) if ridge is None else np.asarray(ridge, dtype=np.float64)
    coef, converged = _fit(
        gene_first(counts),
        design.rows,
        design.index,
        by_gene(depths, n_obs, n_vars),
        of_every_gene(dispersion, n_vars),
        by_gene(weights, n_obs, n_vars),
        penalty,
        floor,
        np.empty((0, design.n_coefs)) if start is None else np.ascontiguousarray(start),
    )
    return NbFit(coef, converged)


def _of_groups(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    weights: Float | None,
    start: Float | None,
) -> NbFit:
    """Coefficients of a design whose rows are as many: they follow from the groups' shares."""
    near = None if start is None else np.exp(start @ design.rows.T)
    fit = fit_groups(counts, design.index, depths, dispersion, weights=weights, start=near)
    least = _NO_COUNT / np.maximum(fit.exposure, _NO_EXPOSURE)
    logs = np.log(np.where(fit.share > 0, fit.share, least))
    return NbFit(logs @ np.asarray(design.to_coef).T, fit.converged)


def fitted_means(design: DesignRows, depths: Float, coef: Float) -> Float:
    """Fitted means, shape ``(n_obs, n_vars)``."""
    per_row = np.exp(design.rows @ coef.T)[design.index]
    return np.asarray(per_row * (depths[:, None] if depths.ndim == 1 else depths))


@inner
def row_sums(
    y: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    floor: float,
    means: Float,
    score: Float,
    expected: Float,
    observed: Float,
) -> float:
    """Fill in score and information of every row's log mean; the log likelihood's part of it.

    ``means`` are ``exp(rows @ coef)``. Below ``floor`` a working response is that of the floor, and
    the information is expected, as there is no likelihood.
    """
    fill(score, 0.0)
    fill(expected, 0.0)
    fill(observed, 0.0)
    total = 0.0
    for i in range(len(y)):
        r = index[i]
        mu = depth[i] * means[r]
        if floor == 0.0:  # else nobody asks, and logs are most of the work
            total += weight[i] * nb_mean_kernel(y[i], mu, math.log(mu), dispersion)
        lift = 0.0
        if mu < floor:
            lift = math.log(floor / mu)
            mu = floor
        w = weight[i] * mu / (1.0 + dispersion * mu)
        score[r] += w * (lift + (y[i] - mu) / mu)
        expected[r] += w
        more = 1.0 if floor > 0.0 else (1.0 + dispersion * y[i]) / (1.0 + dispersion * mu)
        observed[r] += w * more
    return total


@kernel
def _fit(
    counts: Float,
    rows: Float,
    index: Int,
    depths: Float,
    dispersions: Float,
    weights: Float,
    penalty: Float,
    floor: float,
    start: Float,
) -> tuple[Float, Bool]:
    n_vars, (n_rows, k) = len(counts), rows.shape
    coefs, converged = np.empty((n_vars, k)), np.empty(n_vars, dtype=np.bool_)
    work, vectors, matrix = np.empty((4, n_rows)), np.empty((3, k)), np.empty((k, k))
    for j in range(n_vars):
        y, depth, coef = counts[j], depths[j if len(depths) > 1 else 0], coefs[j]
        weight, dispersion = weights[j if len(weights) > 1 else 0], dispersions[j]
        if len(start):
            assign(coef, start[j])
        else:
            _starting_coef(y, rows, index, depth, dispersion, weight, penalty, coef, work, matrix)
        converged[j] = climb(
            y, rows, index, depth, dispersion, weight, penalty, floor, coef, work, vectors, matrix
        )
    return coefs, converged


@part
def _starting_coef(
    y: Float,
    rows: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    penalty: Float,
    coef: Float,
    work: Float,
    matrix: Float,
) -> None:
    """Weighted least squares of the rows' own log means; a row without counts has half a count."""
    n_rows, k = rows.shape
    total, exposure, information = work[0], work[1], work[2]
    for part_of_row in range(3):
        fill(work[part_of_row], 0.0)
    for i in range(len(y)):
        w = weight[i] / (1.0 + dispersion * y[i])
        total[index[i]] += w * y[i]
        exposure[index[i]] += w * depth[i]
        information[index[i]] += weight[i]
    fill(coef, 0.0)
    for r in range(n_rows):
        if exposure[r] > 0.0:
            share = total[r] + 0.5 if total[r] < 0.5 else total[r]
            mean = share / (information[r] + dispersion * share)
            information[r] *= mean
            log_mean = math.log(share / exposure[r])
            for a in range(k):
                coef[a] += information[r] * rows[r, a] * log_mean
    add_outer(rows, information, matrix)
    for a in range(k):
        matrix[a, a] = matrix[a, a] * (1.0 + 1e-12) + penalty[a] + 1e-300
    if cholesky(matrix):
        solve_factored(matrix, coef)
    else:
        fill(coef, 0.0)

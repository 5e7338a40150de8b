"""Cox-Reid adjusted profile likelihood of the dispersion: means are fitted at every dispersion.

``log L(coef_hat(d), d) - log det(information) / 2`` [McCarthy2012]_, where the second term makes up
for the coefficients having been estimated from the same counts [Cox1987]_.

.. [McCarthy2012] McCarthy DJ, Chen Y, Smyth GK (2012). Differential expression analysis of
   multifactor RNA-Seq experiments with respect to biological variation. Nucleic Acids Research 40,
   4288-4297.
.. [Cox1987] Cox DR, Reid N (1987). Parameter orthogonality and approximate conditional inference.
   Journal of the Royal Statistical Society B 49, 1-39.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel, part
from dex.stats.gene_rows import by_gene, gene_first, of_every_gene
from dex.stats.information import factor_information
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.nb_groups import pooled_shares
from dex.stats.nb_newton import exp_rows
from dex.stats.small_matrices import fill

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Float, Int

_LARGE = 1e200  # of a product of factors whose logs are summed


def adjusted_profile(
    counts: Float,
    design: DesignRows,
    depths: Float,
    log_dispersions: Float,
    *,
    weights: Float | None = None,
) -> Float:
    """Adjusted profile log likelihoods, the coefficients fitted anew at every dispersion.

    Parameters
    ----------
    counts, design, depths, weights
        As in :func:`~dex.stats.nb_glm.fit_nb_glm`.
    log_dispersions
        Natural logs, also minus infinity: a grid ``(n_grid,)`` for all genes, or of each gene
        ``(n_vars, n_grid)``. Each fit starts where the last one ended.

    Returns
    -------
    Shape ``(n_vars, n_grid)``, but for what does not depend on the dispersion: large counts would
    drown the differences in rounding.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[2.0], [4.0], [10.0], [34.0]])
    >>> design = DesignRows.from_design(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]))
    >>> adjusted_profile(counts, design, np.ones(4), np.log([0.1, 0.3, 1])).round(2).tolist()
    [[1.25, 2.03, 1.71]]
    """
    grid = np.exp(np.atleast_2d(np.asarray(log_dispersions, dtype=np.float64)))
    out, coef = np.empty((counts.shape[1], grid.shape[1])), None
    counts = np.asfortranarray(counts, dtype=np.float64)
    for p in range(grid.shape[1]):
        at = of_every_gene(grid[:, p], counts.shape[1])
        coef = fit_nb_glm(counts, design, depths, at, weights=weights, start=coef).coef
        out[:, p] = adjusted_likelihood(counts, design, depths, at, coef, weights=weights)
    return out


def adjusted_likelihood(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    coef: Float,
    *,
    weights: Float | None = None,
) -> Float:
    """Adjusted log likelihood at ``coef`` fitted with ``dispersion``, shape ``(n_vars,)``.

    Arguments as in :func:`~dex.stats.nb_glm.fit_nb_glm`; it lacks what :func:`adjusted_profile`
    does.
    """
    n_obs, n_vars = counts.shape
    return _likelihoods(
        gene_first(counts),
        design.rows,
        design.index,
        by_gene(depths, n_obs, n_vars),
        by_gene(weights, n_obs, n_vars),
        of_every_gene(dispersion, n_vars),
        np.ascontiguousarray(coef),
    )


@part
def _log_likelihood(
    y: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    means: Float,
    information: Float,
) -> float:
    """Log probability of a gene's counts, but for ``y log(mu) - y``; fills in the information.

    By Stirling's formula it is ``(y + size) log((1 + d y) / (1 + d mu)) - log(1 + d y) / 2`` with
    ``size = 1 / d``, and what the formula lacks at ``y + size``, less the same at ``size``.
    A count with a weight is the mean of so many, whose sum has a dispersion of ``d / weight``.
    Sums of logs without a factor are logs of products.
    """
    fill(information, 0.0)
    total, product = 0.0, 1.0
    if dispersion <= 0.0:
        for i in range(len(y)):
            mu = depth[i] * means[index[i]]
            information[index[i]] += weight[i] * mu
            total += weight[i] * (y[i] - mu)
        return total
    size = 1.0 / dispersion
    size_error = _stirling_error(size)
    for i in range(len(y)):
        r = index[i]
        mu = depth[i] * means[r]
        inverse = 1.0 / (1.0 + dispersion * mu)
        information[r] += weight[i] * mu * inverse
        log_ratio = math.log1p(dispersion * (y[i] - mu) * inverse)
        total += weight[i] * (y[i] + size) * log_ratio
        if y[i] > 0.0:
            total += _stirling_error(weight[i] * (y[i] + size))
            total -= size_error if weight[i] == 1.0 else _stirling_error(weight[i] * size)
            product *= 1.0 + dispersion * y[i]
            if product > _LARGE:
                total -= 0.5 * math.log(product)
                product = 1.0
    return total - 0.5 * math.log(product)


@part
def _stirling_error(x: float) -> float:
    """What Stirling's formula lacks of ``lgamma(x)``, less a constant."""
    if x < 16.0:
        return math.lgamma(x) - (x - 0.5) * math.log(x) + x - 0.9189385332046727
    y = 1.0 / (x * x)
    return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x


@kernel
def _likelihoods(
    counts: Float,
    rows: Float,
    index: Int,
    depths: Float,
    weights: Float,
    dispersions: Float,
    coefs: Float,
) -> Float:
    n_vars, (n_rows, k) = len(counts), rows.shape
    out, work, matrix = np.empty(n_vars), np.empty((5, n_rows)), np.empty((k, k))
    means, information, totals, pooled = work[0], work[1], work[2], work[3]
    for j in range(n_vars):
        y, depth = counts[j], depths[j if len(depths) > 1 else 0]
        weight = weights[j if len(weights) > 1 else 0]
        exp_rows(rows, coefs[j], means)
        value = _log_likelihood(y, index, depth, dispersions[j], weight, means, information)
        pooled_shares(y, index, depth, weight, pooled, totals, work[4])
        for r in range(n_rows):
            if totals[r] > 0.0:
                value += totals[r] * math.log(means[r] / pooled[r])
        out[j] = value - 0.5 * factor_information(rows, information, matrix)
    return out

"""Means of groups of negative binomial counts, by maximum likelihood, for many genes at once.

In a group without covariates the mean of a count is ``depth * share``, and the likelihood's slope
along the share, ``sum((y - depth * share) / (1 + dispersion * depth * share))``, falls and is
convex. So Newton's steps from below the root never overshoot, and no exponential or logarithm is
needed on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel
from dex.stats.nb_glm import by_gene, gene_first
from dex.stats.nb_shares import improve_shares, pooled_shares

if TYPE_CHECKING:
    from dex.typing import Float, Int


def group_shares(
    counts: Float,
    index: Int,
    depths: Float,
    dispersion: Float,
    *,
    weights: Float | None = None,
) -> Float:
    """Mean per unit of depth of every group, gene by gene.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    index
        Group of every observation, 0, 1, ..., shape ``(n_obs,)``.
    depths
        Library sizes, or what else multiplies the means, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    dispersion
        Shape ``(n_vars,)``.
    weights
        Of the observations, ``(n_obs,)`` or ``(n_obs, n_vars)``.

    Returns
    -------
    Shape ``(n_vars, n_groups)``; 0 where a group has no counts.

    Examples
    --------
    >>> counts = np.array([[2.0], [4.0], [10.0]])
    >>> group_shares(counts, np.array([0, 0, 1]), np.array([1.0, 1, 2]), np.zeros(1)).tolist()
    [[3.0, 5.0]]
    """
    n_obs, n_vars = counts.shape
    return _shares(
        gene_first(counts),
        np.asarray(index, dtype=np.int64),
        int(index.max()) + 1,
        by_gene(depths, n_obs, n_vars),
        np.asarray(dispersion, dtype=np.float64),
        by_gene(np.ones(1) if weights is None else weights, n_obs, n_vars),
    )


@kernel
def _shares(
    counts: Float, index: Int, n_groups: int, depths: Float, dispersions: Float, weights: Float
) -> Float:
    n_vars = len(counts)
    shares = np.empty((n_vars, n_groups))
    slope, curvature = np.empty(n_groups), np.empty(n_groups)
    for j in range(n_vars):
        depth = depths[j if len(depths) > 1 else 0]
        weight = weights[j if len(weights) > 1 else 0]
        y, share = counts[j], shares[j]
        pooled_shares(y, index, depth, weight, share, slope, curvature)
        if dispersions[j] > 0.0:
            improve_shares(y, index, depth, dispersions[j], weight, share, slope, curvature)
    return shares

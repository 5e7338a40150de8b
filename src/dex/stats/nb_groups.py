"""Means of groups of negative binomial counts, by maximum likelihood, for many genes at once.

In a group without covariates the mean of a count is ``depth * share``, and the likelihood's slope
along the share, ``sum((y - depth * share) / (1 + dispersion * depth * share))``, falls and is
convex. So Newton's steps from below the root never overshoot, and no exponential or logarithm is
needed on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import inner, kernel
from dex.stats.nb_glm import by_gene, gene_first

if TYPE_CHECKING:
    from dex.typing import Float, Int

_CONVERGED: Final = 1e-8
"""Relative size of a last step: the error after it is of its square."""
_MAX_STEPS: Final = 60


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


@inner
def fit_shares(
    y: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    share: Float,
    slope: Float,
    curvature: Float,
) -> bool:
    """Fill in the shares of one gene's groups; the last two arguments are room for sums."""
    slope[:] = 0.0
    curvature[:] = 0.0
    for i in range(len(y)):
        slope[index[i]] += weight[i] * y[i]
        curvature[index[i]] += weight[i] * depth[i]
    for r in range(len(share)):  # no dispersion: this is the solution
        share[r] = slope[r] / curvature[r] if curvature[r] > 0.0 else 0.0
    if dispersion <= 0.0:
        return True
    for _ in range(_MAX_STEPS):
        slope[:] = 0.0
        curvature[:] = 0.0
        for i in range(len(y)):
            r = index[i]
            mu = depth[i] * share[r]
            inverse = 1.0 / (1.0 + dispersion * mu)
            slope[r] += weight[i] * (y[i] - mu) * inverse
            curvature[r] += weight[i] * depth[i] * (1.0 + dispersion * y[i]) * inverse * inverse
        largest = 0.0
        for r in range(len(share)):
            if share[r] > 0.0:
                step = max(slope[r] / curvature[r], -0.9 * share[r])
                largest = max(largest, abs(step) / share[r])
                share[r] += step
        if largest < _CONVERGED:
            return True
    return False


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
        fit_shares(counts[j], index, depth, dispersions[j], weight, shares[j], slope, curvature)
    return shares

"""Means of groups of negative binomial counts, by maximum likelihood, for many genes at once.

In a group without covariates the mean of a count is ``depth * share``, and the likelihood's slope
along the share, ``sum((y - depth * share) / (1 + dispersion * depth * share))``, falls and is
convex. So Newton's steps from below the root never overshoot, and no exponential or logarithm is
needed on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import kernel, part
from dex.stats.gene_rows import by_gene, gene_first, of_every_gene
from dex.stats.small_matrices import fill

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

_CONVERGED: Final = 1e-7
"""Relative size of a last step: the error after it is of its square."""
_MAX_STEPS: Final = 60


@dataclass(frozen=True, slots=True)
class GroupFit:
    """Means of the groups of every gene."""

    share: Float
    """Mean per unit of depth, shape ``(n_vars, n_groups)``; 0 where a group has no counts."""
    exposure: Float
    """Sum of the depths, weighted, likewise."""
    converged: Bool
    """Shape ``(n_vars,)``."""


def fit_groups(
    counts: Float,
    index: Int,
    depths: Float,
    dispersion: Float,
    *,
    weights: Float | None = None,
    start: Float | None = None,
) -> GroupFit:
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
    start
        Positive shares to start from, ``(n_vars, n_groups)``.

    Examples
    --------
    >>> counts = np.array([[2.0], [4.0], [10.0]])
    >>> fit_groups(counts, np.array([0, 0, 1]), np.array([1.0, 1, 2]), np.zeros(1)).share.tolist()
    [[3.0, 5.0]]
    """
    (n_obs, n_vars), n_groups = counts.shape, int(index.max()) + 1
    share, exposure, converged = _fit(
        gene_first(counts),
        np.asarray(index, dtype=np.int64),
        by_gene(depths, n_obs, n_vars),
        of_every_gene(dispersion, n_vars),
        by_gene(weights, n_obs, n_vars),
        np.empty((0, n_groups)) if start is None else np.ascontiguousarray(start),
    )
    return GroupFit(share, exposure, converged)


@kernel
def _fit(
    counts: Float, index: Int, depths: Float, dispersions: Float, weights: Float, start: Float
) -> tuple[Float, Float, Bool]:
    n_vars, n_groups = len(counts), start.shape[1]
    shares, exposures = np.empty((n_vars, n_groups)), np.empty((n_vars, n_groups))
    converged = np.empty(n_vars, dtype=np.bool_)
    slope, curvature = np.empty(n_groups), np.empty(n_groups)
    for j in range(n_vars):
        y, depth = counts[j], depths[j if len(depths) > 1 else 0]
        weight, share = weights[j if len(weights) > 1 else 0], shares[j]
        pooled_shares(y, index, depth, weight, share, slope, exposures[j])
        converged[j] = dispersions[j] <= 0.0
        if converged[j]:
            continue
        for r in range(n_groups):
            if len(start) and share[r] > 0.0:
                share[r] = start[j, r]
        converged[j] = _improve(y, index, depth, dispersions[j], weight, share, slope, curvature)
    return shares, exposures, converged


@part
def pooled_shares(
    y: Float,
    index: Int,
    depth: Float,
    weight: Float,
    share: Float,
    total: Float,
    exposure: Float,
) -> None:
    """Fill in the shares of one gene's groups if there were no dispersion."""
    fill(total, 0.0)
    fill(exposure, 0.0)
    for i in range(len(y)):
        total[index[i]] += weight[i] * y[i]
        exposure[index[i]] += weight[i] * depth[i]
    for r in range(len(share)):
        share[r] = total[r] / exposure[r] if exposure[r] > 0.0 else 0.0


@part
def _improve(
    y: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    share: Float,
    slope: Float,
    curvature: Float,
) -> bool:
    """Move the shares of one gene's groups to the maximum, in place; whether it was reached."""
    for _ in range(_MAX_STEPS):
        fill(slope, 0.0)
        fill(curvature, 0.0)
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

"""Means of groups of negative binomial counts, by maximum likelihood: the loops.

In a group without covariates the mean of a count is ``depth * share``, and the likelihood's slope
along the share, ``sum((y - depth * share) / (1 + dispersion * depth * share))``, falls and is
convex. So Newton's steps from below the root never overshoot, and no exponential or logarithm is
needed on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import inner, kernel
from dex.stats.small_matrices import fill

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

_CONVERGED: Final = 1e-7
"""Relative size of a last step: the error after it is of its square."""
_MAX_STEPS: Final = 60


@inner
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


@inner
def improve_shares(
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


@kernel
def shares_of_groups(
    counts: Float, index: Int, n_groups: int, depths: Float, dispersions: Float, weights: Float
) -> tuple[Float, Float, Bool]:
    """Shares of many genes' groups, what they are exposed to, and whether the maximum was reached.

    A kernel of its own: data of groups do not wait for that of any design to be compiled.
    """
    n_vars = len(counts)
    shares, exposure = np.empty((n_vars, n_groups)), np.empty((n_vars, n_groups))
    converged = np.ones(n_vars, dtype=np.bool_)
    slope, curvature = np.empty(n_groups), np.empty(n_groups)
    for j in range(n_vars):
        depth = depths[j if len(depths) > 1 else 0]
        weight = weights[j if len(weights) > 1 else 0]
        y, share = counts[j], shares[j]
        pooled_shares(y, index, depth, weight, share, slope, exposure[j])
        if dispersions[j] > 0.0:
            converged[j] = improve_shares(
                y, index, depth, dispersions[j], weight, share, slope, curvature
            )
    return shares, exposure, converged

"""How often points are clustered together when some are left out [Monti2003]_.

References
----------
.. [Monti2003] Monti, Tamayo, Mesirov and Golub (2003), Machine Learning 52:91; section 3.
.. [Senbabaoglu2014] Senbabaoglu, Michailidis and Li (2014), Scientific Reports 4:6207.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from dex.stats.partitions import Procedure, cut_tree, partitions

if TYPE_CHECKING:
    from dex.typing import Float, Int

_AMBIGUOUS = (0.1, 0.9)
"""Between these a pair is neither together nor apart [Senbabaoglu2014]_."""
_STARTS = 3
"""Of k-means in each resample: that they end apart is part of what is measured."""


def resampled_together(
    points: Float,
    k_max: int,
    *,
    procedure: Procedure,
    fraction: float,
    rng: np.random.Generator,
) -> tuple[Int, Int]:
    """Rows of one resample, and their labels in 1 to ``k_max`` clusters, ``(k_max, n_rows)``."""
    n_obs = len(points)
    n_rows = min(max(round(fraction * n_obs), k_max + 1), n_obs)
    rows = np.sort(rng.choice(n_obs, n_rows, replace=False))
    found = partitions(points[rows], k_max, procedure=procedure, rng=rng, n_starts=_STARTS)
    return rows, np.stack([one.labels for one in found])


def consensus_matrix(resamples: list[tuple[Int, Int]], k: int, n_obs: int) -> Float:
    """Share of the resamples with both points in which they are in one cluster of ``k``.

    Shape ``(n_obs, n_obs)``, with 1 on the diagonal; 0 of pairs that no resample has.
    """
    together = np.zeros((n_obs, n_obs), dtype=np.float32)
    drawn = np.zeros((n_obs, len(resamples)), dtype=np.float32)
    for i, (rows, labels) in enumerate(resamples):
        drawn[rows, i] = 1
        members = np.zeros((n_obs, k), dtype=np.float32)
        members[rows, labels[k - 1]] = 1
        together += members @ members.T
    both = drawn @ drawn.T
    shares = np.divide(together, both, out=np.zeros_like(together), where=both > 0)
    np.fill_diagonal(shares, 1.0)
    return np.asarray(shares, dtype=np.float64)


def consensus_labels(consensus: Float, k: int) -> Int:
    """``k`` clusters of the points that are most often together, by average linkage."""
    if k == 1:
        return np.zeros(len(consensus), dtype=np.intp)
    tree = linkage(squareform(1 - consensus, checks=False), method="average")
    return cut_tree(np.asarray(tree, dtype=np.float64), k)


def ambiguous_share(consensus: Float) -> float:
    """Share of the pairs that are neither together nor apart [Senbabaoglu2014]_; 0 is best.

    Examples
    --------
    >>> ambiguous_share(np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 1.0], [0.0, 1.0, 1.0]])).__round__(3)
    0.333
    """
    low, high = _AMBIGUOUS
    pairs = consensus[np.triu_indices(len(consensus), 1)]
    return float(np.mean((pairs > low) & (pairs < high)))


def stability(consensus: Float, labels: Int) -> Float:
    """How often each point is with the others of its cluster, ``(n_obs,)``; 1 where it is alone."""
    same = labels[:, None] == labels[None, :]
    np.fill_diagonal(same, val=False)
    others = same.sum(axis=1)
    together = np.where(same, consensus, 0).sum(axis=1)
    return np.where(others > 0, together / np.maximum(others, 1), 1.0)

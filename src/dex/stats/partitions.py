"""Points divided into 1, 2, 3, ... clusters by one procedure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from dex.stats.kmeans import N_STARTS, Partition, kmeans, largest_first, within_scatter

if TYPE_CHECKING:
    from dex.typing import Float, Int

Procedure = Literal["kmeans", "hierarchical"]


def partitions(
    points: Float,
    k_max: int,
    *,
    procedure: Procedure,
    rng: np.random.Generator,
    n_starts: int = N_STARTS,
) -> tuple[Partition, ...]:
    """Divide ``points``, ``(n_obs, n_dims)``, into 1 to ``k_max`` clusters.

    ``"hierarchical"`` cuts one tree by Ward's criterion [Ward1963]_, of which as many clusters may
    not be had where points coincide.

    References
    ----------
    .. [Ward1963] Ward (1963), Journal of the American Statistical Association 58:236.

    Examples
    --------
    >>> points = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]])
    >>> rng = np.random.default_rng(0)
    >>> [one.labels.max() + 1 for one in partitions(points, 3, procedure="hierarchical", rng=rng)]
    [np.int64(1), np.int64(2), np.int64(3)]
    """
    sizes = range(1, k_max + 1)
    if procedure == "kmeans":
        return tuple(kmeans(points, k, rng=rng, n_starts=n_starts) for k in sizes)
    tree = ward_tree(points)
    labels = [cut_tree(tree, k) for k in sizes]
    return tuple(Partition(one, within_scatter(points, one)) for one in labels)


def ward_tree(points: Float) -> Float:
    """Merges of :func:`scipy.cluster.hierarchy.linkage` by Ward's criterion."""
    return np.asarray(linkage(points, method="ward"), dtype=np.float64)


def cut_tree(tree: Float, k: int) -> Int:
    """Labels from 0 of ``k`` clusters, or fewer where merges are as high as each other."""
    return largest_first(fcluster(tree, k, criterion="maxclust").astype(np.intp))


def log_within(found: tuple[Partition, ...]) -> Float:
    """Log of the share of the scatter that is within clusters, shape ``(k_max,)``; finite always.

    The first of ``found`` is one cluster, whose share is 1.
    """
    within = np.array([one.within for one in found])
    least = np.finfo(np.float64).tiny
    return np.asarray(np.log(np.maximum(within / max(within[0], least), least)), np.float64)

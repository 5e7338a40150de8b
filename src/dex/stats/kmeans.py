"""k-means: clusters of least scatter around their means [Lloyd1982]_, begun well [Arthur2007]_.

References
----------
.. [Lloyd1982] Lloyd (1982), IEEE Transactions on Information Theory 28:129.
.. [Arthur2007] Arthur and Vassilvitskii (2007), Proceedings of the 18th ACM-SIAM Symposium on
   Discrete Algorithms, 1027; section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel, part

if TYPE_CHECKING:
    from dex.typing import Float, Int

N_STARTS = 10
"""Times that k-means begins anew; the best end is kept."""
_MOST_ITERATIONS = 100


@dataclass(frozen=True, slots=True)
class Partition:
    """Points divided into clusters."""

    labels: Int
    """From 0, the largest cluster first, shape ``(n_obs,)``."""
    within: float
    """Sum of the squared distances of the points to the means of their clusters."""


def kmeans(
    points: Float, k: int, *, rng: np.random.Generator, n_starts: int = N_STARTS
) -> Partition:
    """Divide ``points``, ``(n_obs, n_dims)``, into ``k`` clusters of least scatter.

    Examples
    --------
    >>> points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1]])
    >>> kmeans(points, 2, rng=np.random.default_rng(0)).labels.tolist()
    [0, 0, 0, 1, 1]
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    if k == 1:
        return Partition(np.zeros(len(points), dtype=np.intp), within_scatter(points))
    labels, within = _best_of_starts(points, rng.random((n_starts, k)), _MOST_ITERATIONS)
    return Partition(largest_first(labels), float(within))


def within_scatter(points: Float, labels: Int | None = None) -> float:
    """Sum of squared distances to the means of the clusters, or of all points.

    Examples
    --------
    >>> within_scatter(np.array([[0.0], [2.0], [5.0]]), np.array([0, 0, 1]))
    2.0
    """
    labels = np.zeros(len(points), dtype=np.intp) if labels is None else labels
    members = np.eye(int(labels.max()) + 1)[labels]
    means = members.T @ points / members.sum(axis=0)[:, None]
    return float(((points - means[labels]) ** 2).sum())


def largest_first(labels: Int) -> Int:
    """Number clusters by their sizes; of equal ones the first that occurs comes first.

    Examples
    --------
    >>> largest_first(np.array([7, 3, 3, 5])).tolist()
    [1, 0, 0, 2]
    """
    _, first, codes, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(sizes), dtype=np.intp)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return rank[codes]


@kernel
def _best_of_starts(points: Float, draws: Float, most_iterations: int) -> tuple[Int, float]:
    """Labels and scatter of the best of ``(n_starts, k)`` ``draws`` of first centres."""
    best_labels, best = np.zeros(points.shape[0], dtype=np.intp), np.inf
    labels = np.empty(points.shape[0], dtype=np.intp)
    distances = np.empty(points.shape[0])
    centres = np.empty((draws.shape[1], points.shape[1]))
    for start in range(draws.shape[0]):
        _first_centres(points, draws[start], centres, distances)
        labels[:] = -1
        for _ in range(most_iterations):
            if not _assign(points, centres, labels, distances):
                break
            _move(points, centres, labels, distances)
        within = distances.sum()
        if within < best:
            best = within
            best_labels[:] = labels
    return best_labels, best


@part
def _first_centres(points: Float, draws: Float, centres: Float, distances: Float) -> None:
    """Draw points, each with a chance in proportion to its squared distance to those drawn."""
    n, k = points.shape[0], centres.shape[0]
    distances[:] = 1.0
    for c in range(k):
        target = draws[c] * distances.sum()
        chosen, passed = n - 1, 0.0
        for i in range(n):
            passed += distances[i]
            if passed > target:
                chosen = i
                break
        centres[c] = points[chosen]
        for i in range(n):
            apart = _squared_distance(points, i, centres, c)
            if c == 0 or apart < distances[i]:
                distances[i] = apart


@part
def _assign(points: Float, centres: Float, labels: Int, distances: Float) -> bool:
    """Give every point to its nearest centre; tell whether any has moved."""
    moved = False
    for i in range(points.shape[0]):
        nearest, least = 0, np.inf
        for c in range(centres.shape[0]):
            apart = _squared_distance(points, i, centres, c)
            if apart < least:
                nearest, least = c, apart
        distances[i] = least
        if labels[i] != nearest:
            labels[i] = nearest
            moved = True
    return moved


@part
def _move(points: Float, centres: Float, labels: Int, distances: Float) -> None:
    """Move centres to the means; an empty cluster takes the point that is farthest from its own."""
    sizes = np.zeros(centres.shape[0])
    centres[:] = 0.0
    for i in range(points.shape[0]):
        sizes[labels[i]] += 1
        for d in range(points.shape[1]):
            centres[labels[i], d] += points[i, d]
    for c in range(centres.shape[0]):
        if sizes[c] > 0:
            centres[c] /= sizes[c]
        else:
            farthest = distances.argmax()
            centres[c] = points[farthest]
            distances[farthest] = 0.0


@part
def _squared_distance(points: Float, i: int, centres: Float, c: int) -> float:
    total = 0.0
    for d in range(points.shape[1]):
        total += (points[i, d] - centres[c, d]) ** 2
    return total

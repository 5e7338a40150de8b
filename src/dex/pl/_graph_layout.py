"""Places for the nodes of a graph: near each other as the graph has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, shortest_path

if TYPE_CHECKING:
    from dex.typing import Float, Int

_MOST_ROUNDS = 300
_APART = 1.3
"""Distance between parts of a graph, in diameters of the larger."""
_STILL = 1e-4


def graph_places(n: int, edges: Int, lengths: Float) -> Float:
    """Places of nodes, ``(n, 2)``, from 0 to 1 in both directions, by stress [Gansner2004]_.

    Distances are to be those along the edges; parts without an edge between lie apart. The result
    depends on nothing random.

    Parameters
    ----------
    n
        Number of nodes.
    edges
        Pairs of nodes, ``(n_edges, 2)``.
    lengths
        Wanted length of each edge.

    References
    ----------
    .. [Gansner2004] Gansner ER, Koren Y, North S (2004). Graph drawing by stress majorization. In
       Graph Drawing, 239-250.

    Examples
    --------
    >>> places = graph_places(3, np.array([[0, 1], [1, 2]]), np.ones(2))
    >>> bool(np.ptp(places[:, 0]) == 1)
    True
    """
    pairs = np.asarray(edges, dtype=np.intp).reshape(-1, 2)
    graph = coo_array((lengths, (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    _, part = connected_components(graph, directed=False)
    distances = np.asarray(shortest_path(graph, directed=False))
    boxes = [np.flatnonzero(part == one) for one in np.unique(part)]
    boxes.sort(key=len, reverse=True)
    drawn = [_majorized(distances[np.ix_(own, own)]) for own in boxes]
    places = np.empty((n, 2))
    for own, spots in zip(boxes, _packed(drawn), strict=True):
        places[own] = spots
    low, reach = places.min(axis=0), np.ptp(places, axis=0)
    return np.where(reach > 0, (places - low) / np.where(reach > 0, reach, 1.0), 0.5)


def _majorized(distances: Float) -> Float:
    """Least sum of squared relative errors of distances, from places on a circle."""
    n = len(distances)
    if n == 1:
        return np.zeros((1, 2))
    angle = np.arange(n) * np.pi * (3 - np.sqrt(5))  # golden: neighbours in number lie apart
    spots = np.sqrt(np.arange(1, n + 1) / n)[:, None] * np.column_stack(
        [np.cos(angle), np.sin(angle)]
    )
    spots *= distances.max() / 2
    weight = np.divide(1.0, distances**2, out=np.zeros_like(distances), where=distances > 0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.pinv(laplacian)
    for _ in range(_MOST_ROUNDS):
        gaps = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1))
        ratio = np.divide(weight * distances, gaps, out=np.zeros_like(gaps), where=gaps > 1e-12)
        moved = inverse @ ((np.diag(ratio.sum(axis=1)) - ratio) @ spots)
        step = np.abs(moved - spots).max()
        spots = moved
        if step < _STILL * distances.max():
            break
    centred = spots - spots.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)  # the longest way lies level
    turned = centred @ axes.T
    side = np.where(turned[np.abs(turned).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    return np.asarray(turned * side, dtype=np.float64)


def _packed(parts: list[Float]) -> list[Float]:
    """Put parts into rows of about the width of the whole, the largest first."""
    sizes = [np.ptp(spots, axis=0) + _APART for spots in parts]
    widest = max(size[0] for size in sizes)
    width = max(widest, np.sqrt(1.4 * sum(map(np.prod, sizes))))
    placed, x, y, row = [], 0.0, 0.0, 0.0
    for spots, size in zip(parts, sizes, strict=True):
        if x > 0 and x + size[0] > width + 1e-9:
            x, y, row = 0.0, y - row, 0.0
        corner = np.array([spots[:, 0].min(), spots[:, 1].max()])
        placed.append(spots - corner + np.array([x + _APART / 2, y - _APART / 2]))
        x, row = x + size[0], max(row, size[1])
    return placed

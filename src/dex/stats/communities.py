"""Communities of a graph of nearest neighbours, by the Leiden algorithm [Traag2019]_.

References
----------
.. [Traag2019] Traag, Waltman and van Eck (2019), Scientific Reports 9:5233.
.. [Reichardt2006] Reichardt and Bornholdt (2006), Physical Review E 74:016110; modularity with a
   resolution.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from dex.errors import InputError
from dex.stats.kmeans import largest_first

if TYPE_CHECKING:
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Graph:
    """Points joined to their neighbours; every edge once."""

    n: int
    ends: Int
    """Shape ``(n_edges, 2)``."""
    weights: Float
    """Shape ``(n_edges,)``."""


def neighbour_graph(points: Float, n_neighbors: int) -> Graph:
    """Join points, ``(n_obs, n_dims)``, with shared neighbours, by the Jaccard index of these.

    Every point is its own neighbour; those that are joined are among the ``n_neighbors`` of one or
    the other.

    Examples
    --------
    >>> graph = neighbour_graph(np.array([[0.0], [1.0], [9.0], [10.0]]), 2)
    >>> graph.ends.tolist(), graph.weights.tolist()
    ([[0, 1], [2, 3]], [1.0, 1.0])
    """
    n, k = len(points), min(n_neighbors, len(points))
    neighbours = KDTree(points).query(points, k=k)[1].reshape(n, k)
    flat = np.repeat(np.arange(n), k)
    near = sparse.csr_array((np.ones(n * k), (flat, neighbours.ravel())), shape=(n, n))
    shared = sparse.triu(near @ near.T, 1).tocoo()
    joined = sparse.csr_array(near + near.T)[shared.row, shared.col] > 0
    both = shared.data[joined]
    ends = np.column_stack([shared.row[joined], shared.col[joined]]).astype(np.intp)
    return Graph(n, ends, np.asarray(both / (2 * k - both), dtype=np.float64))


def modularity(graph: Graph, labels: Int, *, resolution: float = 1.0) -> float:
    """Share of the weight within communities, less ``resolution`` times that by chance.

    Examples
    --------
    >>> graph = Graph(4, np.array([[0, 1], [2, 3]]), np.ones(2))
    >>> modularity(graph, np.array([0, 0, 1, 1]))
    0.5
    """
    total = graph.weights.sum()
    first, second = labels[graph.ends].T
    within = graph.weights[first == second].sum() / total
    size = int(labels.max()) + 1
    degree = np.bincount(first, graph.weights, size) + np.bincount(second, graph.weights, size)
    return float(within - resolution * np.sum((degree / (2 * total)) ** 2))


def leiden(graph: Graph, *, resolution: float, rng: np.random.Generator) -> Int:
    """Communities of largest modularity, the largest first, ``(n_obs,)``.

    The random numbers of igraph are set, which threads share: one call at a time.

    Raises
    ------
    InputError
        If igraph is not installed.
    """
    igraph = import_igraph()
    igraph.set_random_number_generator(random.Random(int(rng.integers(2**31))))
    try:
        found = igraph.Graph(graph.n, graph.ends.tolist()).community_leiden(
            objective_function="modularity",
            weights=graph.weights.tolist(),
            resolution=resolution,
            n_iterations=-1,
        )
    finally:
        igraph.set_random_number_generator(random)
    return largest_first(np.asarray(found.membership, dtype=np.intp))


def import_igraph() -> Any:
    """Return igraph, or say how to get it.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import igraph
    except ImportError as error:
        msg = "method='leiden' needs igraph: pip install 'dex-de[leiden]'."
        raise InputError(msg) from error
    return igraph

from __future__ import annotations

import numpy as np
import pytest

from dex.stats.communities import Graph, leiden, modularity, neighbour_graph


@pytest.fixture(scope="module")
def heaps():
    """Three heaps of 20, 15 and 10 points in five dimensions."""
    rng = np.random.default_rng(0)
    return np.repeat(np.eye(3, 5) * 12, (20, 15, 10), axis=0) + rng.normal(size=(45, 5))


def test_neighbours_are_joined_by_what_they_share(heaps):
    graph = neighbour_graph(heaps, 8)
    apart = np.linalg.norm(heaps[:, None] - heaps, axis=2)
    near = np.argsort(apart, axis=1)[:, :8]
    for (i, j), weight in zip(graph.ends[::17], graph.weights[::17], strict=True):
        assert j in near[i] or i in near[j]
        shared = len(set(near[i]) & set(near[j]))
        assert weight == pytest.approx(shared / (16 - shared))
    n_joined = sum(j in near[i] or i in near[j] for i in range(45) for j in range(i))
    assert len(graph.ends) == n_joined, "those next to each other share at least one of them"


def test_modularity_is_that_of_the_formula(heaps):
    graph = neighbour_graph(heaps, 8)
    labels = np.arange(45) % 4
    A = np.zeros((45, 45))
    A[tuple(graph.ends.T)] = graph.weights
    A += A.T
    degree, total = A.sum(axis=0), A.sum()
    same = labels[:, None] == labels
    expected = ((A - 1.3 * np.outer(degree, degree) / total) * same).sum() / total
    assert modularity(graph, labels, resolution=1.3) == pytest.approx(expected)


def test_heaps_are_communities(heaps):
    igraph = pytest.importorskip("igraph")
    graph = neighbour_graph(heaps, 8)
    found = leiden(graph, resolution=0.3, rng=np.random.default_rng(0))
    assert found.tolist() == np.repeat([0, 1, 2], (20, 15, 10)).tolist()
    again = leiden(graph, resolution=0.3, rng=np.random.default_rng(0))
    assert found.tolist() == again.tolist()
    theirs = igraph.Graph(45, graph.ends.tolist()).modularity(
        found.tolist(), weights=graph.weights.tolist()
    )
    assert modularity(graph, found) == pytest.approx(theirs)


def test_one_community_has_no_modularity():
    graph = Graph(3, np.array([[0, 1], [1, 2]]), np.ones(2))
    assert modularity(graph, np.zeros(3, dtype=np.intp)) == 0

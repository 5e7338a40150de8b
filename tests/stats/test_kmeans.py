from __future__ import annotations

import numpy as np
import pytest

from dex.stats.kmeans import kmeans, largest_first, within_scatter
from dex.stats.partitions import log_within, partitions


@pytest.fixture
def heaps():
    """Three heaps of 8, 5 and 3 points."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(3) * 20, (8, 5, 3), axis=0)
    return centres + rng.normal(size=(16, 3))


def test_heaps_are_found(heaps):
    found = kmeans(heaps, 3, rng=np.random.default_rng(1))
    assert found.labels.tolist() == [0] * 8 + [1] * 5 + [2] * 3
    assert found.within == pytest.approx(within_scatter(heaps, found.labels))


def test_scatter_is_that_of_scikit_learn(heaps):
    from sklearn.cluster import KMeans

    for k in (2, 4, 5):
        found = kmeans(heaps, k, rng=np.random.default_rng(1), n_starts=30)
        theirs = KMeans(k, n_init=30, random_state=0).fit(heaps)
        assert found.within == pytest.approx(theirs.inertia_, rel=1e-6)


def test_order_of_points_does_not_matter(heaps):
    order = np.random.default_rng(2).permutation(len(heaps))
    found = kmeans(heaps[order], 3, rng=np.random.default_rng(1))
    assert found.labels.tolist() == np.repeat([0, 1, 2], (8, 5, 3))[order].tolist()


def test_points_that_coincide_can_be_divided():
    found = kmeans(np.zeros((6, 2)), 3, rng=np.random.default_rng(0))
    assert found.within == 0
    assert len(found.labels) == 6
    assert np.isfinite(log_within((found, found))).all()


@pytest.mark.parametrize("procedure", ["kmeans", "hierarchical"])
def test_more_clusters_scatter_less(heaps, procedure):
    found = partitions(heaps, 6, procedure=procedure, rng=np.random.default_rng(0))
    assert [one.labels.max() + 1 for one in found] == [1, 2, 3, 4, 5, 6]
    assert (np.diff(log_within(found)) < 0).all()
    assert found[2].labels.tolist() == [0] * 8 + [1] * 5 + [2] * 3


def test_the_largest_is_first():
    assert largest_first(np.array([2, 2, 0, 0, 0, 1])).tolist() == [1, 1, 0, 0, 0, 2]

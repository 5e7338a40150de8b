from __future__ import annotations

import numpy as np

from dex.stats.consensus import (
    ambiguous_share,
    consensus_labels,
    consensus_matrix,
    resampled_together,
    stability,
)


def resamples_of(points, n=40, k_max=4):
    rng = np.random.default_rng(0)
    return [
        resampled_together(points, k_max, procedure="kmeans", fraction=0.7, rng=one)
        for one in rng.spawn(n)
    ]


def test_is_the_share_of_resamples_with_both():
    """By hand, from the resamples themselves."""
    points = np.random.default_rng(1).normal(size=(12, 2))
    resamples = resamples_of(points)
    consensus = consensus_matrix(resamples, 3, 12)
    both = together = 0
    for rows, labels in resamples:
        if 2 in rows and 7 in rows:
            both += 1
            of = dict(zip(rows.tolist(), labels[2].tolist(), strict=True))
            together += of[2] == of[7]
    assert consensus[2, 7] == consensus[7, 2]
    np.testing.assert_allclose(consensus[2, 7], together / both, rtol=1e-6)
    np.testing.assert_array_equal(np.diag(consensus), 1)


def test_heaps_are_never_ambiguous():
    rng = np.random.default_rng(2)
    points = np.repeat([[0.0, 0], [30, 0], [0, 30]], (7, 5, 4), axis=0) + rng.normal(size=(16, 2))
    consensus = consensus_matrix(resamples_of(points), 3, 16)
    assert ambiguous_share(consensus) == 0
    labels = consensus_labels(consensus, 3)
    assert labels.tolist() == [0] * 7 + [1] * 5 + [2] * 4
    np.testing.assert_array_equal(stability(consensus, labels), 1)
    noise = consensus_matrix(resamples_of(rng.normal(size=(16, 2))), 3, 16)
    assert ambiguous_share(noise) > 0.2
    assert consensus_labels(noise, 1).tolist() == [0] * 16


def test_what_is_alone_is_stable():
    assert stability(np.eye(3), np.array([0, 0, 1])).tolist() == [0, 0, 1]

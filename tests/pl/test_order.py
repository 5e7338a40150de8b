from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet, dendrogram, linkage
from scipy.spatial.distance import pdist

from dex.errors import InputError
from dex.pl._order import arranged, cut, grow, similar_first, within_blocks, z_scores
from dex.pl._page import centres, column_spans, dodged, merged_columns, row_spans, with_room


def length(rows: np.ndarray, order) -> float:
    return float(np.linalg.norm(np.diff(rows[list(order)], axis=0), axis=1).sum())


def test_order_is_the_shortest_that_the_tree_allows():
    rng = np.random.default_rng(0)
    rows = np.repeat([0.0, 10.0], 3)[:, None] + rng.normal(0, 1, (6, 4))
    order = similar_first(rows)
    halves = [p for p in itertools.permutations(range(6)) if set(p[:3]) in ({0, 1, 2}, {3, 4, 5})]
    two_halves = sorted(length(rows, p) for p in halves)
    assert sorted(order) == list(range(6))
    assert length(rows, order) <= np.median(two_halves)
    assert set(order[:3]) in ({0, 1, 2}, {3, 4, 5})


def test_many_rows_are_ordered_by_their_main_direction():
    rng = np.random.default_rng(0)
    hidden = rng.permutation(3000)
    rows = np.outer(hidden, [1.0, -2.0, 3.0]) + rng.normal(0, 0.01, (3000, 3))
    along = hidden[similar_first(rows)]
    assert (along == np.arange(3000)).all() or (along == np.arange(3000)[::-1]).all()


def test_blocks_stay_together():
    rng = np.random.default_rng(0)
    block = np.array([0, 0, 0, 1, 1, 2])
    order = within_blocks(rng.normal(size=(6, 3)), block)
    assert block[order].tolist() == block.tolist()
    assert sorted(order) == list(range(6))


def test_z_scores_do_not_divide_by_rounding_errors():
    values = np.column_stack([np.full(7, 0.1) * 3, np.arange(7.0)])
    z = z_scores(values)
    assert (z[:, 0] == 0).all()
    np.testing.assert_allclose(z[:, 1].std(ddof=1), 1)
    assert (z_scores(values[:1]) == 0).all()


def test_spans_fill_the_width_in_proportion():
    spans = column_spans(np.array([500, 250, 1]), 100.0)
    widths = np.diff(spans, axis=1).ravel()
    assert spans[0, 0] == 0
    assert abs(spans[-1, 1] - 100) < 1e-9
    assert widths[2] > 3
    assert abs((widths[0] - widths[2]) / (widths[1] - widths[2]) - 499 / 249) < 1e-9


def test_hundred_groups_fit():
    spans = column_spans(np.arange(1, 101), 50.0)
    assert (np.diff(spans, axis=1) > 0).all()
    assert abs(spans[-1, 1] - 50) < 1e-9


def test_centres_are_the_middles_of_equal_columns():
    middle = centres(np.array([2, 1]), np.array([[0.0, 4.0], [5.0, 6.0]]))
    assert middle.tolist() == [1, 3, 5.5]


def test_merged_columns_keep_the_mean():
    values = np.arange(20.0).reshape(2, 10)
    merged = merged_columns(values, 4)
    assert merged.shape == (2, 4)
    assert merged[0, 0] == 0.5
    assert merged_columns(values, 10) is values


def test_labels_with_room_keep_the_most_important():
    keep = with_room(np.array([0.0, 1, 2, 3, 4]), np.array([4, 0, 1, 2, 3]), 2.0)
    assert keep.tolist() == [False, True, False, True, False]


def test_joints_are_those_of_scipy():
    rows = np.random.default_rng(0).normal(size=(12, 5))
    tree = grow(rows)
    drawn = tree.joints(np.arange(12.0))
    plan = dendrogram(tree.merges, no_plot=True)
    expected = np.stack([(np.array(plan["icoord"]) - 5) / 10, plan["dcoord"]], axis=2)
    key = lambda bars: np.lexsort([bars[:, 0, 0], bars[:, 1, 1]])  # noqa: E731
    np.testing.assert_allclose(drawn[key(drawn)], expected[key(expected)])
    assert cophenet(tree.merges).max() == tree.height


def test_trees_of_blocks_begin_where_their_blocks_do():
    rows = np.random.default_rng(0).normal(size=(9, 3))
    found = arranged(rows, np.repeat([0, 1, 2], [4, 1, 4]))
    assert [tree.first for tree in found.trees] == [0, 5]
    feet = np.concatenate([tree.joints(np.arange(9.0))[:, [0, 3]] for tree in found.trees])
    assert set(feet[feet[..., 1] == 0][:, 0]) == {0, 1, 2, 3, 5, 6, 7, 8}


def test_parts_are_clusters_in_the_order_of_leaves():
    rows = np.repeat([[0.0], [50.0], [100.0]], [3, 4, 5], axis=0)
    rows = rows + np.random.default_rng(0).normal(size=(12, 1))
    found = cut(rows, 3, argument="split_genes")
    assert found.part.tolist() == sorted(found.part.tolist())
    groups = [set((found.order[found.part == p]).tolist()) for p in range(3)]
    assert {frozenset(g) for g in groups} == {
        frozenset(range(3)),
        frozenset(range(3, 7)),
        frozenset(range(7, 12)),
    }
    np.testing.assert_allclose(found.trees[0].merges[-1, 2], linkage(pdist(rows), "average")[-1, 2])
    with pytest.raises(InputError, match="split_genes=13"):
        cut(rows, 13, argument="split_genes")
    with pytest.raises(InputError, match="3,000"):
        cut(np.zeros((3000, 1)), 2, argument="split_obs")


def test_names_are_moved_as_little_as_can_be():
    wanted = np.array([1.0, 10.0, 10.5, 11.0, 30.0])
    moved = dodged(wanted, 2.0, 31.0)
    np.testing.assert_allclose(moved, [1, 8.5, 10.5, 12.5, 30])
    assert (np.diff(dodged(np.zeros(4), 2.0, 31.0)) >= 2 - 1e-9).all()
    ends = dodged(np.full(4, 31.0), 2.0, 31.0)
    assert ends.max() <= 30 + 1e-9
    assert (np.diff(ends) >= 2 - 1e-9).all()
    assert (np.diff(dodged(np.zeros(40), 2.0, 31.0)) > 0).all()
    assert not len(dodged(np.zeros(0), 2.0, 31.0))


def test_rows_are_equally_high_in_all_blocks():
    spans = row_spans(np.array([10, 5, 1]), 100.0, 2.0)
    heights = spans[:, 1] - spans[:, 0]
    np.testing.assert_allclose(heights, 6.0 * np.array([10, 5, 1]))
    np.testing.assert_allclose(spans[1:, 0] - spans[:-1, 1], 2)


def test_gaps_between_outer_groups_are_wider():
    spans = column_spans(np.array([5, 5, 5]), 100.0, wide=np.array([True, False]))
    gaps = spans[1:, 0] - spans[:-1, 1]
    assert gaps[0] > 2 * gaps[1] > 0
    assert abs(spans[-1, 1] - 100) < 1e-9

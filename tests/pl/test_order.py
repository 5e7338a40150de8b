from __future__ import annotations

import itertools

import numpy as np

from dex.pl._order import similar_first, within_blocks, z_scores
from dex.pl._page import centres, column_spans, merged_columns, with_room


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

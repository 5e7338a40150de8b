from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dex.pl._labels import LINES, place_labels
from dex.pl._labels_columns import Columns
from dex.pl._labels_layout import Ink, crosses, crosses_box, overlaps, place_near

SIZE = np.array([200.0, 150.0])
NONE = np.empty((0, 4))


def near(anchors, sizes, *, points=None, boxes=NONE, lines=NONE):
    ink = Ink.of(anchors if points is None else points, SIZE)
    return place_near(anchors, sizes, ink=ink, radius=1.5, boxes=boxes, lines=lines)


def test_geometry_against_worked_examples():
    box = np.array([[0.0, 0, 10, 10]])
    others = np.array([[5.0, 5, 15, 15], [10, 0, 20, 10], [-5, 11, 5, 20]])
    assert overlaps(box, others).tolist() == [[True, False, False]]
    lines = np.array([[-5.0, 5, 15, 5], [2, 2, 3, 3], [-5, 11, 15, 11], [12, 0, 12, 9]])
    assert crosses_box(lines, box)[:, 0].tolist() == [True, True, False, False]
    others = np.array([[0.0, 0, 0, 10], [20, 0, 20, 10], [-5, 5, -9, 9]])
    assert crosses(lines[:1], others).tolist() == [[True, False, False]]


def test_crossing_agrees_with_sampled_lines():
    rng = np.random.default_rng(0)
    lines, boxes = rng.uniform(0, 10, (300, 4)), np.sort(rng.uniform(0, 10, (50, 2, 2)), axis=1)
    boxes = boxes.reshape(50, 4)
    steps = np.linspace(0, 1, 3001)[:, None]
    inside = np.empty((300, 50), dtype=bool)
    for i, line in enumerate(lines):
        spots = line[:2] + steps * (line[2:] - line[:2])
        within = (spots[:, None] > boxes[:, :2]) & (spots[:, None] < boxes[:, 2:])
        inside[i] = within.all(axis=2).any(axis=0)
    found = crosses_box(lines, boxes)
    assert (found | ~inside).all()
    assert (found != inside).mean() < 0.01  # lines that cut a corner between two samples


def test_ink_counts_cells_in_boxes():
    ink = Ink.of(np.array([[3.5, 4.5], [3.6, 4.6], [100.0, 90.0], [500.0, 1.0]]), SIZE)
    boxes = np.array([[3.0, 4, 4, 5], [0, 0, 200, 150], [50, 50, 60, 60], [-50, -50, -10, -10]])
    assert ink.within(boxes).tolist() == [1, 2, 0, 0]
    assert ink.along(np.array([[0.0, 4.5, 10, 4.5], [0, 50, 10, 50]]))[1] == 0


def test_nothing_meets_in_a_crowd():
    rng = np.random.default_rng(3)
    points = rng.normal(SIZE / 2, 20, (2000, 2))
    anchors = points[np.argsort(-points[:, 1])[:30]]
    placed = near(anchors, np.tile([25.0, 7], (30, 1)), points=points)
    boxes, lines = placed.boxes[placed.found], placed.lines[placed.drawn]
    assert len(boxes) >= 12
    assert (overlaps(boxes, boxes) == np.eye(len(boxes), dtype=bool)).all()
    assert not crosses_box(lines, boxes + np.array([0.1, 0.1, -0.1, -0.1])).any()
    assert not crosses(lines, lines).any()
    low, high = points[:, None] > boxes[:, :2], points[:, None] < boxes[:, 2:]
    assert not (low & high).all(axis=2).any()
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= SIZE).all()


def test_names_go_outwards():
    cloud = np.random.default_rng(1).normal(SIZE / 2, 12, (800, 2))
    anchors = np.array([[160.0, 90.0], [40.0, 90.0]])
    placed = near(anchors, np.tile([20.0, 7], (2, 1)), points=np.vstack([cloud, anchors]))
    centres = (placed.boxes[:, 0] + placed.boxes[:, 2]) / 2
    assert centres[0] > 160
    assert centres[1] < 40


def test_what_is_there_is_kept_clear():
    anchor, size = np.array([[100.0, 75.0]]), np.array([[20.0, 7.0]])
    alone = near(anchor, size)
    blocked = near(anchor, size, boxes=alone.boxes)
    assert not overlaps(blocked.boxes, alone.boxes).any()
    assert not near(anchor, size, boxes=np.array([[0.0, 0, 200, 150]])).found.any()


@pytest.mark.parametrize("n", [1, 7, 40, 90])
def test_columns_hold_all_names_without_crossing(n):
    rng = np.random.default_rng(n)
    sizes = np.column_stack([rng.uniform(10, 30, n), np.full(n, 7.0)])
    columns = Columns.for_names(sizes, SIZE)
    room = columns.width if columns.n_sides == 2 else 0.0
    anchors = rng.uniform([room, 0], [SIZE[0] - columns.width, SIZE[1]], (n, 2))
    placed = columns.place(anchors, NONE, radius=1.5)
    assert placed.found.all()
    assert (overlaps(placed.boxes, placed.boxes) == np.eye(n, dtype=bool)).all()
    assert not crosses_box(placed.lines, placed.boxes).any()
    assert not crosses(placed.lines, placed.lines).any()
    assert (placed.boxes >= -1e-9).all()
    assert (placed.boxes[:, 2:] <= SIZE + 1e-9).all()
    assert (columns.scale < 1) == (n >= 40)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_columns_leave_the_points_where_the_ticks_say(scale):
    figure, ax = plt.subplots(figsize=(3, 2.5))
    rng = np.random.default_rng(0)
    points = 10 ** rng.uniform(0, 2, (4000, 2))
    ax.scatter(*points.T, s=4)
    ax.set_xscale(scale)
    ax.set_xlim(1, 100)
    ax.set_ylim(1, 100)
    figure.draw_without_rendering()
    names = [f"name{i}" for i in range(20)]
    texts = place_labels(ax, points[:20], names, points=points, radius=1, always=True)
    assert [text.get_text() for text in texts] == names
    low, high = ax.get_xlim()
    assert low < 1
    assert high > 100
    assert ax.spines["bottom"].get_bounds() == (1, 100)
    assert ((ax.get_xticks() >= 1) & (ax.get_xticks() <= 100)).all()
    boxes = [text.get_window_extent() for text in texts]
    data = ax.transData.transform([(1, 1), (100, 1)])[:, 0]
    assert all(box.x1 < data[0] or box.x0 > data[1] for box in boxes)
    (lines,) = [one for one in ax.collections if one.get_gid() == LINES]
    ends = np.array([segment[1] for segment in lines.get_segments()])
    near_points = ax.transData.transform(ends) - ax.transData.transform(points[:20])
    assert np.hypot(*near_points.T).max() < 2 * figure.dpi / 72


def test_second_call_respects_the_first():
    figure, ax = plt.subplots(figsize=(3, 3))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    figure.draw_without_rendering()
    spots = np.full((6, 2), 0.5) + np.linspace(0, 0.05, 6)[:, None]
    options = {"points": spots, "radius": 2.0}
    place_labels(ax, spots[:3], ["a", "b", "c"], always=True, **options)
    place_labels(ax, spots[3:], ["d", "e", "f"], always=False, **options)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 6
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_no_names_and_odd_names():
    figure, ax = plt.subplots()
    figure.draw_without_rendering()
    one = np.array([[0.5, 0.5]])
    assert place_labels(ax, one[:0], [], points=one, radius=1, always=True) == []
    (text,) = place_labels(ax, one, ["$a_b$ H19"], points=one, radius=1, always=False)
    assert text.get_text() == "$a_b$ H19"
    assert not text.get_parse_math()

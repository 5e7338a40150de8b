"""Where names go: the best of many places around each point, none over another.

Lengths are in typographical points, from the lower left corner of the axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

_ANGLES = np.arange(24) * (np.pi / 12)
_DISTANCES = np.concatenate([np.arange(3.0, 12.0, 1.5), np.geomspace(13.0, 130.0, 17)])
"""Between the edge of a point and its name."""
_ROUNDS = 3
"""Each name is placed again this often, once it is known where the others are."""
_MARGIN = 0.8
"""Least distance between a name and what is not to be covered."""
_INWARDS, _THROUGH_POINTS, _ON_OTHER_SIDE = 0.4, 3.0, 2.0
"""Cost of a name that lies inwards or over the middle, and of a line over points, in multiples of
the distance."""
HIGHEST_COST = 200.0
"""A name that has only places worse than this is left out, so that it does not confuse."""
_SHORTEST_LINE = 4.5
"""A name nearer to its point than this needs no line."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What is drawn already, as a grid of cells of one square point."""

    size: Float
    """Width and height of the axes, ``(2,)``."""
    total: Float
    """Cells with ink left of and below each corner, ``(n_x + 1, n_y + 1)``."""

    @classmethod
    def of(cls, points: Float, size: Float) -> Ink:
        """Ink of ``points``, ``(n_points, 2)``."""
        shape = np.ceil(size).astype(np.intp) + 1
        cells = np.floor(points).astype(np.intp)
        cells = cells[((cells >= 0) & (cells < shape)).all(axis=1)]
        grid = np.zeros(shape)
        grid[tuple(cells.T)] = 1
        total = np.zeros(shape + 1)
        total[1:, 1:] = grid.cumsum(axis=0).cumsum(axis=1)
        return cls(size, total)

    def within(self, boxes: Float) -> Float:
        """Cells with ink in each of ``boxes``, ``(n, 4)`` as x0, y0, x1, y1."""
        last = np.array(self.total.shape) - 1
        low = np.clip(np.floor(boxes[:, :2]).astype(np.intp), 0, last)
        high = np.clip(np.ceil(boxes[:, 2:]).astype(np.intp), 0, last)
        total = self.total
        across = total[high[:, 0], high[:, 1]] - total[low[:, 0], high[:, 1]]
        return np.asarray(across - total[high[:, 0], low[:, 1]] + total[low[:, 0], low[:, 1]])

    def along(self, lines: Float) -> Float:
        """Fraction of each line that runs over ink; ``lines`` are ``(n, 4)``."""
        steps = np.linspace(0, 1, 12)[:, None, None]
        spots = lines[None, :, :2] * (1 - steps) + lines[None, :, 2:] * steps
        boxes = np.concatenate([spots - 0.5, spots + 0.5], axis=2).reshape(-1, 4)
        return np.asarray((self.within(boxes).reshape(len(steps), -1) > 0).mean(axis=0))


@dataclass(frozen=True, slots=True)
class Divide:
    """A line between two sides, as fold changes of zero."""

    axis: int
    """0: it is vertical; 1: horizontal."""
    at: float
    strict: bool = False
    """Whether no name may be on the other side of its point's."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a name and its line must keep clear of."""

    ink: Ink
    boxes: Float
    """Of names and other texts, ``(n_boxes, 4)``."""
    lines: Float
    """To other names, ``(n_lines, 4)``."""
    markers: Float
    """Boxes of the other points that are named: a line through one would be taken for its own."""

    def allows(self, tried: Placed, radius: float) -> Bool:
        """Which places are inside the axes and free, and their lines too."""
        inside = (tried.boxes[:, :2] >= 1).all(axis=1)
        inside &= (tried.boxes[:, 2:] <= self.ink.size - 1).all(axis=1)
        pad = np.array([-1, -1, 1, 1]) * _MARGIN
        clear = np.sign(pad) * max(radius, _MARGIN)
        allowed = inside & (self.ink.within(tried.boxes + clear) == 0)
        kept = np.flatnonzero(allowed)
        boxes, lines = tried.boxes[kept] + pad, tried.lines[kept]
        allowed[kept] = ~(
            overlaps(boxes, self.boxes).any(axis=1)
            | crosses_box(self.lines, boxes).any(axis=0)
            | crosses_box(lines, np.vstack([self.boxes + pad, self.markers])).any(axis=1)
            | crosses(lines, self.lines).any(axis=1)
        )
        return np.asarray(allowed)


@dataclass(frozen=True, slots=True)
class Placed:
    """Names in their places; rows of NaN where there was no room."""

    boxes: Float
    """x0, y0, x1, y1 of each name, ``(n, 4)``."""
    lines: Float
    """From the name to its point, ``(n, 4)``; NaN where it needs no line."""

    @property
    def found(self) -> Bool:
        """Which names have a place."""
        return ~np.isnan(self.boxes[:, 0])

    @property
    def drawn(self) -> Bool:
        """Which names have a line."""
        return ~np.isnan(self.lines[:, 0])


def place_near(
    anchors: Float,
    sizes: Float,
    *,
    ink: Ink,
    radius: float,
    boxes: Float,
    lines: Float,
    divide: Divide | None = None,
    reach: float = np.inf,
    highest_cost: float = HIGHEST_COST,
) -> Placed:
    """Place names near their points, outwards and where nothing is drawn.

    No name lies over ink, over another name or a line, and no line over a name or another line.
    Names take their places in turn, and three times, as the others move; in two orders, of which
    the one that finds room for more is returned.

    Parameters
    ----------
    anchors
        The points named, ``(n, 2)``.
    sizes
        Width and height of the names, ``(n, 2)``.
    ink
        The points and lines of the plot.
    radius
        Of the points.
    boxes, lines
        Names and their lines that are there already, ``(n_boxes, 4)`` and ``(n_lines, 4)``.
    divide
        A line that names had better not cross.
    reach
        Longest line from a name to its point.
    highest_cost
        Of a place that is better than none.
    """
    first_to_last = np.arange(len(anchors))
    top_to_bottom = np.argsort(-anchors[:, 1], kind="stable")
    orders = [first_to_last, top_to_bottom]
    if np.isinf(highest_cost):  # every name counts, and there are few
        orders += [top_to_bottom[::-1], np.argsort(anchors[:, 0]), np.argsort(-anchors[:, 0])]
    layouts = [
        _place_in_turn(
            order,
            anchors,
            sizes,
            radius=radius,
            scene=Scene(ink, boxes, lines, boxes[:0]),
            divide=divide,
            reach=reach,
            highest_cost=highest_cost,
        )
        for order in orders
    ]
    best = max(layouts, key=lambda placed: int(placed.found.sum()))
    best.lines[_length(best.lines) < _SHORTEST_LINE] = np.nan
    return best


def _place_in_turn(
    order: Int,
    anchors: Float,
    sizes: Float,
    *,
    radius: float,
    scene: Scene,
    divide: Divide | None,
    reach: float,
    highest_cost: float,
) -> Placed:
    placed = Placed(np.full((len(anchors), 4), np.nan), np.full((len(anchors), 4), np.nan))
    outwards = _outwards(anchors, scene.ink)
    markers = np.column_stack([anchors - radius, anchors + radius])
    every = [candidates(*one, radius) for one in zip(anchors, sizes, strict=True)]
    for i in np.tile(order, _ROUNDS):
        placed.boxes[i] = placed.lines[i] = np.nan
        around = Scene(
            scene.ink,
            np.vstack([scene.boxes, placed.boxes[placed.found]]),
            np.vstack([scene.lines, placed.lines[placed.drawn]]),
            markers[~overlaps(markers, markers[i : i + 1])[:, 0]],
        )
        cost = _cost(every[i], anchors[i], outwards[i], scene.ink, divide)
        cost[~around.allows(every[i], radius) | (_length(every[i].lines) > reach)] = np.inf
        best = np.argmin(cost)
        if cost[best] < highest_cost:
            placed.boxes[i], placed.lines[i] = every[i].boxes[best], every[i].lines[best]
    return placed


def candidates(anchor: Float, size: Float, radius: float) -> Placed:
    """Places around a point, in all directions and at all distances."""
    angle, distance = (grid.ravel() for grid in np.meshgrid(_ANGLES, _DISTANCES, indexing="ij"))
    direction = np.column_stack([np.cos(angle), np.sin(angle)])
    nearest = anchor + (radius + distance)[:, None] * direction
    # The side of the box that faces the point slides along it as the direction turns.
    centre = nearest + direction * size / 2
    boxes = np.column_stack([centre - size / 2, centre + size / 2])
    ends = np.clip(anchor, boxes[:, :2], boxes[:, 2:])
    return Placed(boxes, to_edge(ends, anchor, radius))


def to_edge(ends: Float, anchors: Float, radius: float) -> Float:
    """Lines from ``ends`` to the edges of the points."""
    reach = ends - anchors
    length = np.hypot(*reach.T)[:, None]
    edges = anchors + reach / np.maximum(length, 1e-9) * np.minimum(radius, length)
    return np.column_stack([ends, edges])


def _outwards(anchors: Float, ink: Ink) -> Float:
    """Unit vectors away from the middle of what is drawn, sideways rather than up."""
    reach = (anchors - ink.size * [0.5, 0.35]) * [1.5, 1.0]
    return np.asarray(reach / np.maximum(np.hypot(*reach.T), 1e-9)[:, None])


def _cost(tried: Placed, anchor: Float, outwards: Float, ink: Ink, divide: Divide | None) -> Float:
    """Distance; more of it where the name lies inwards or its line runs over points."""
    centres = (tried.boxes[:, :2] + tried.boxes[:, 2:]) / 2
    reach = centres - anchor
    inwards = 1 - reach @ outwards / np.maximum(np.hypot(*reach.T), 1e-9)
    worse = 1 + _INWARDS * inwards
    if divide is not None:
        own = anchor[divide.axis] - divide.at
        across = (centres[:, divide.axis] - divide.at) * own < 0
        worse[across] += np.inf if divide.strict else _ON_OTHER_SIDE
    return np.asarray(
        (_length(tried.lines) + 4) * (worse + _THROUGH_POINTS * ink.along(tried.lines))
    )


def _length(lines: Float) -> Float:
    return np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])


def distances(boxes: Float, spots: Float) -> Float:
    """From boxes to spots, ``(n_boxes, n_spots)``; 0 inside."""
    nearest = np.clip(spots[None], boxes[:, None, :2], boxes[:, None, 2:])
    return np.asarray(np.hypot(*np.moveaxis(spots[None] - nearest, 2, 0)))


def overlaps(boxes: Float, others: Float) -> Bool:
    """Whether boxes share an area, ``(n_boxes, n_others)``."""
    a, b = boxes[:, None], others[None]
    return np.asarray((a[..., :2] < b[..., 2:]).all(axis=2) & (b[..., :2] < a[..., 2:]).all(axis=2))


def crosses(lines: Float, others: Float) -> Bool:
    """Whether line segments meet, ``(n_lines, n_others)``."""
    a, b = lines[:, None], others[None]
    sides = _side(a, b[..., :2]) * _side(a, b[..., 2:]), _side(b, a[..., :2]) * _side(b, a[..., 2:])
    return np.asarray((sides[0] < 0) & (sides[1] < 0))


def crosses_box(lines: Float, boxes: Float) -> Bool:
    """Whether line segments have a part in boxes, ``(n_lines, n_boxes)``; by their slabs."""
    start, reach = lines[:, None, :2], (lines[:, 2:] - lines[:, :2])[:, None]
    reach = np.where(np.abs(reach) < 1e-9, 1e-9, reach)
    low, high = (boxes[None, :, :2] - start) / reach, (boxes[None, :, 2:] - start) / reach
    enters = np.minimum(low, high).max(axis=2)
    leaves = np.maximum(low, high).min(axis=2)
    return np.asarray(np.maximum(enters, 0) < np.minimum(leaves, 1))


def _side(lines: Float, spots: Float) -> Float:
    """On which side of a line a spot is, by the sign."""
    along, to = lines[..., 2:] - lines[..., :2], spots - lines[..., :2]
    return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])

"""Names beside points, without overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from dex.pl._labels_columns import Columns
from dex.pl._labels_layout import (
    HIGHEST_COST,
    Divide,
    Ink,
    Placed,
    Scene,
    candidates,
    distances,
    place_near,
)
from dex.pl._theme import FAINT, INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    from dex.typing import Float

LINES = "lines to names"
"""``gid`` of the lines between names and their points."""
_ENOUGH = 0.6
"""Fraction of names beside their points below which columns are better."""
_REACH = 35.0
"""So that no line to a name that need not be there runs through all points."""
_MUCH_FARTHER, _BESIDE = 2.0, 10.0
"""How far other points are from the name of a group, and how near its own."""
_SPOT = np.array([-0.5, -0.5, 0.5, 0.5])
_LEAST_SCALE = 0.95
"""Of the type of names that need not be written."""
_WEIGHTS = {True: "bold", False: "normal"}


def place_labels(
    ax: Axes,
    anchors: Float,
    texts: Sequence[str],
    *,
    points: Float,
    radius: float,
    always: bool,
    columns: bool = False,
    divide: Literal["x", "y"] | None = None,
    anywhere: bool = False,
) -> list[Text]:
    """Write ``texts`` near ``anchors``, with a thin line where they had to move away.

    The layout of the figure and the limits of the axes must be final. Earlier names go first. No
    name overlaps a point, a line, another name or another text of the axes, and no line crosses a
    name or another line. A name for which there is no room is left out; with ``always`` all are
    written in bold, if need be in columns at both sides, for which the x axis is widened.

    Parameters
    ----------
    ax
        Axes to write in.
    anchors
        Where the named points are, ``(n_texts, 2)``.
    texts
        The names.
    points
        All points, ``(n_points, 2)``.
    radius
        Of the points' markers, in typographical points.
    always
        Whether every text is to be written.
    columns
        Whether texts that are not to be written ``always`` may be in columns too, where 40 %
        of them would have to be left out otherwise and they are short.
    divide
        Axis whose zero names had better not cross; those not written ``always`` do not.
    anywhere
        Whether a place far off, or one whose line runs over points, is better than none. Lines to
        names that are not to be written ``always`` are at most 35 points long otherwise.

    Returns
    -------
    list of matplotlib.text.Text
        The texts written.
    """
    if not len(texts):
        return []
    sizes = np.array([_text_size(text, weight=_WEIGHTS[always]) for text in texts])
    boxes = _text_boxes(ax)
    placed = place_near(
        _in_points(ax, anchors),
        sizes,
        ink=Ink.of(np.vstack([_in_points(ax, points), _line_ink(ax)]), _size(ax)),
        radius=radius,
        boxes=boxes,
        lines=_lines(ax),
        divide=None if divide is None else _divide(ax, divide, strict=not always),
        reach=np.inf if always or anywhere else _REACH,
        highest_cost=np.inf if anywhere else HIGHEST_COST,
    )
    if placed.found.all() or not (always or columns):
        return _write(ax, placed, texts, weight=_WEIGHTS[always])
    beside = Columns.for_names(sizes, _size(ax))
    too_long = beside.n_sides == 1 or beside.scale < _LEAST_SCALE
    if not always and (too_long or placed.found.mean() > _ENOUGH):
        return _write(ax, placed, texts, weight=_WEIGHTS[always])
    beside.make_room(ax)
    taken = np.vstack([boxes, np.tile(_line_ink(ax), 2) + _SPOT])
    placed = beside.place(_in_points(ax, anchors), taken, radius=radius)
    size = SMALL * beside.scale
    return _write(ax, placed, texts, weight=_WEIGHTS[always], size=size, flush=True)


def place_group_names(
    ax: Axes, groups: Sequence[Float], texts: Sequence[str], *, radius: float
) -> list[Text]:
    """Write the name of each group of points beside one of them, where no other's point is nearer.

    A group that has no such place has no name. ``groups`` are the points of each, ``(n, 2)``.
    """
    points = [_in_points(ax, group) for group in groups]
    ink = Ink.of(np.vstack(points), _size(ax))
    n = len(texts)
    placed = Placed(np.full((n, 4), np.nan), np.full((n, 4), np.nan))
    texts_there = _text_boxes(ax)
    for i, (own, text) in enumerate(zip(points, texts, strict=True)):
        size = np.array(_text_size(text, weight="bold"))
        around = [candidates(point, size, radius) for point in own]
        boxes = np.vstack([one.boxes for one in around])
        tried = Placed(boxes, np.vstack([one.lines for one in around]))
        taken = np.vstack([texts_there, placed.boxes[placed.found]])
        free = Scene(ink, taken, np.empty((0, 4)), np.empty((0, 4))).allows(tried, radius)
        near = distances(boxes, own).min(axis=1)
        others = [group for j, group in enumerate(points) if j != i]
        far = distances(boxes, np.vstack(others)).min(axis=1) if others else near + np.inf
        cost = np.where(
            free & (far > _MUCH_FARTHER * near), near - 0.1 * np.minimum(far, 60), np.inf
        )
        best = int(np.argmin(cost))
        if near[best] <= radius + _BESIDE and np.isfinite(cost[best]):
            placed.boxes[i] = boxes[best]
    return _write(ax, placed, texts, weight="bold")


def _write(
    ax: Axes,
    placed: Placed,
    texts: Sequence[str],
    *,
    weight: str,
    size: float = SMALL,
    flush: bool = False,
) -> list[Text]:
    """Draw the lines and write the names, in columns ``flush`` with the inner edge."""
    if placed.drawn.any():
        segments = _in_data(ax, placed.lines[placed.drawn].reshape(-1, 2)).reshape(-1, 2, 2)
        lines = LineCollection(
            list(segments), colors=FAINT, linewidths=0.4, zorder=4, capstyle="round"
        )
        lines.set_gid(LINES)
        ax.add_collection(lines, autolim=False)
    boxes = placed.boxes[placed.found]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    alignments = ["center"] * len(boxes)
    if flush:
        on_left = centres[:, 0] < _size(ax)[0] / 2
        centres[:, 0] = np.where(on_left, boxes[:, 2], boxes[:, 0])
        alignments = ["right" if left else "left" for left in on_left]
    names = [text for text, found in zip(texts, placed.found, strict=True) if found]
    return [
        ax.text(
            x,
            y,
            name,
            ha=alignment,
            va="center_baseline",
            fontsize=size,
            fontweight=weight,
            color=INK,
            zorder=5,
            parse_math=False,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.1},
        )
        for (x, y), name, alignment in zip(_in_data(ax, centres), names, alignments, strict=True)
    ]


def _text_size(text: str, *, weight: str) -> tuple[float, float]:
    """Width and height of one line in typographical points, with a little air."""
    font = FontProperties(size=SMALL, weight=weight)
    width = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
    return 1.03 * width + 1.0, 1.15 * SMALL


def _size(ax: Axes) -> Float:
    """Width and height of the axes in typographical points."""
    return np.asarray(ax.bbox.size) * 72 / ax.figure.dpi


def _in_points(ax: Axes, xy: Float) -> Float:
    """From data to typographical points from the lower left corner of the axes."""
    display = ax.transData.transform(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
    return np.asarray((display - ax.bbox.p0) * 72 / ax.figure.dpi)


def _divide(ax: Axes, axis: Literal["x", "y"], *, strict: bool) -> Divide:
    """Where the zero of an axis is."""
    along, limit = (0, ax.get_ylim()[0]) if axis == "x" else (1, ax.get_xlim()[0])
    zero = np.array([[0.0, limit]]) if axis == "x" else np.array([[limit, 0.0]])
    return Divide(along, float(_in_points(ax, zero)[0, along]), strict=strict)


def _in_data(ax: Axes, spots: Float) -> Float:
    display = spots * ax.figure.dpi / 72 + ax.bbox.p0
    return np.asarray(ax.transData.inverted().transform(display))


def _text_boxes(ax: Axes) -> Float:
    """Boxes of the texts and of the legend that are in the axes already, ``(n_boxes, 4)``."""
    legend = ax.get_legend()
    drawn = [text for text in ax.texts if text.get_text()] + ([legend] if legend else [])
    boxes = [box for box in (one.get_window_extent() for one in drawn) if box.overlaps(ax.bbox)]
    corners = np.array([[*box.p0, *box.p1] for box in boxes]).reshape(-1, 4)
    return np.asarray((corners - np.tile(ax.bbox.p0, 2)) * 72 / ax.figure.dpi)


def _lines(ax: Axes) -> Float:
    """Lines of the names that are there already, ``(n_lines, 4)``."""
    drawn = [lines for lines in ax.collections if lines.get_gid() == LINES]
    ends = [np.asarray(one) for lines in drawn for one in lines.get_segments()]  # type: ignore[attr-defined]
    return _in_points(ax, np.array(ends).reshape(-1, 2)).reshape(-1, 4)


def _line_ink(ax: Axes) -> Float:
    """Spots along the lines of the plot, as near to each other as cells of ink."""
    return np.vstack([np.empty((0, 2)), *(_spots(ax, line) for line in ax.lines)])


def _spots(ax: Axes, line: Line2D) -> Float:
    corners = line.get_transform().transform(line.get_path().vertices)
    corners = (corners - ax.bbox.p0) * 72 / ax.figure.dpi
    lengths = np.concatenate([[0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
    along = np.arange(0.0, lengths[-1], 0.9)
    return np.column_stack([np.interp(along, lengths, axis) for axis in corners.T])

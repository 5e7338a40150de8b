"""Points by side, what is beyond the axes, classes of genes, and the names of genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from dex.pl._labels import place_labels
from dex.pl._points_classes import classified
from dex.pl._theme import DOWN, INK, NEUTRAL, UP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from dex.pl._points import Points
    from dex.pl._points_classes import GeneClass
    from dex.typing import Bool, Int

_COLOURS = {0: NEUTRAL, -1: DOWN, 1: UP}
_WORDS = {0: "not significant", -1: "down", 1: "up"}
_PALE = 0.6
"""Part of white in the colours of the other genes where classes are shown."""
_MANY_POINTS = 2000
_TRIANGLE = 16.0
"""Area of a triangle in square points."""


def draw_points(
    ax: Axes, points: Points, classes: Sequence[GeneClass] = (), *, rasterized: bool | None = None
) -> None:
    """Draw all points: by side, those beyond the axes at the edge, the classes on top."""
    raster = len(points.x) > _MANY_POINTS if rasterized is None else rasterized
    style: dict[str, Any] = {"s": marker_size(points), "linewidths": 0, "rasterized": raster}
    codes = classified(list(classes), len(points.x))
    for side in (0, -1, 1):
        here = (points.side == side) & ~points.beyond & (codes < 0)
        colour = _colour(side, pale=bool(classes))
        order = 1.5 + abs(side)
        ax.scatter(
            points.xy[here, 0],
            points.xy[here, 1],
            c=colour,
            label=_WORDS[side],
            zorder=order,
            **style,
        )
    _draw_beyond(ax, points, codes < 0, pale=bool(classes))
    for code, one in enumerate(classes):
        _draw_class(ax, points, one, codes == code, raster=raster)


def marker_size(points: Points) -> float:
    """Area in square points: smaller where there are many."""
    return float(np.clip(400 / np.sqrt(max(len(points.x), 1)), 3, 14))


def _draw_beyond(ax: Axes, points: Points, here: Bool, *, pale: bool) -> None:
    for side in (0, -1, 1):
        colour = _colour(side, pale=pale)
        _draw_triangles(ax, points, here & (points.side == side), colour, "beyond the axes")


def _draw_triangles(ax: Axes, points: Points, here: Bool, colour: str, label: str) -> None:
    """Triangles at the edge that point to where the points are."""
    vertical = points.above | points.below
    left, right = points.x < points.x_ends[0], points.x > points.x_ends[1]
    ways = {"^": points.above, "v": points.below, "<": left & ~vertical, ">": right & ~vertical}
    style: dict[str, Any] = {"s": _TRIANGLE, "linewidths": 0, "zorder": 3, "label": label}
    for marker, beyond in ways.items():
        if (here & beyond).any():
            ax.scatter(
                points.xy[here & beyond, 0],
                points.xy[here & beyond, 1],
                c=colour,
                marker=marker,
                **style,
            )


def _draw_class(ax: Axes, points: Points, one: GeneClass, here: Bool, *, raster: bool) -> None:
    inside = here & ~points.beyond
    style: dict[str, Any] = {"edgecolors": INK, "linewidths": 0.3, "zorder": 3.2}
    size = marker_size(points) + 7
    ax.scatter(
        points.xy[inside, 0],
        points.xy[inside, 1],
        c=one.colour,
        marker=one.marker,
        s=size,
        label=one.label,
        rasterized=raster and int(inside.sum()) > _MANY_POINTS,
        **style,
    )
    _draw_triangles(ax, points, here & points.beyond, one.colour, "beyond the axes")


def _colour(side: int, *, pale: bool) -> str:
    colour = np.array(mpl.colors.to_rgb(_COLOURS[side]))
    pale_part = _PALE if pale and side != 0 else 0.0
    red, green, blue = colour + (1 - colour) * pale_part
    return mpl.colors.to_hex((red, green, blue))


def label_genes(
    ax: Axes, points: Points, wanted: Int, n_labels: int, *, columns: bool = True
) -> None:
    """Name the genes asked for, in bold, then the best where there is room; ring them all.

    With ``columns`` the best may be in columns at the sides; not so in one panel of several.
    """
    best = points.best(n_labels)
    best = best[~np.isin(best, wanted)]
    size = marker_size(points)
    ring = _draw_rings(ax, points, wanted, size=size + 8, width=0.6, label="_asked for")
    _write_names(ax, points, wanted, radius=ring, always=True)
    columns = columns and not len(wanted)
    written = set(_write_names(ax, points, best, radius=np.sqrt(size) / 2, columns=columns))
    named = np.array([i for i in best if str(points.names[i]) in written], dtype=np.intp)
    _draw_rings(ax, points, named, size=size + 2, width=0.4, label="_named")


def _write_names(
    ax: Axes,
    points: Points,
    positions: Int,
    *,
    radius: float,
    always: bool = False,
    columns: bool = False,
) -> list[str]:
    """Return the names for which there was room."""
    texts = place_labels(
        ax,
        points.xy[positions],
        [str(name) for name in points.names[positions]],
        points=points.xy,
        radius=radius,
        always=always,
        columns=columns,
        divide="y" if points.y_ends[0] < 0 else "x",  # the axis of the fold changes
    )
    return [text.get_text() for text in texts]


def _draw_rings(
    ax: Axes, points: Points, positions: Int, *, size: float, width: float, label: str
) -> float:
    """Draw points again with a dark ring; return their radius."""
    inside = positions[~points.beyond[positions]]
    colours = [_COLOURS[side] for side in points.side[inside]]
    # Under the classes of genes, which have colours of their own.
    ax.scatter(
        points.xy[inside, 0],
        points.xy[inside, 1],
        s=size,
        c=colours,
        linewidths=0,
        zorder=3.1,
        label="_lifted",
    )
    style: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": width}
    ax.scatter(
        points.xy[positions, 0], points.xy[positions, 1], s=size, zorder=3.5, label=label, **style
    )
    return float(np.sqrt(size) / 2)

"""The points of a volcano, its thresholds and the names of its genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._labels import place_labels
from dex.pl._theme import DOWN, FAINT, INK, NEUTRAL, SMALL, UP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.pl._points import Points
    from dex.typing import Int

_EDGE = 1.03
"""How far the axes go beyond the limit, so that markers at the edge are whole."""
_COLOURS = {0: NEUTRAL, -1: DOWN, 1: UP}
_MANY_POINTS = 2000


def draw_points(ax: Axes, points: Points) -> None:
    style: dict[str, Any] = {"s": _marker_size(points), "linewidths": 0}
    style["rasterized"] = len(points.x) > _MANY_POINTS
    xy, inside = points.xy, ~points.beyond
    for side, colour, label in ((0, NEUTRAL, "not significant"), (-1, DOWN, "down"), (1, UP, "up")):
        here = (points.side == side) & inside
        ax.scatter(xy[here, 0], xy[here, 1], c=colour, label=label, zorder=1.5 + abs(side), **style)
    _draw_beyond(ax, points)
    ax.set_xlim(-points.x_limit * _EDGE, points.x_limit * _EDGE)
    ax.set_ylim(-0.015 * points.y_limit, points.y_limit * _EDGE)


def _draw_beyond(ax: Axes, points: Points) -> None:
    """Triangles at the edge that point to where the points are."""
    xy, top = points.xy, points.y > points.y_limit
    left, right = points.x < -points.x_limit, points.x > points.x_limit
    for marker, here in (("^", top), ("<", left & ~top), (">", right & ~top)):
        colours = [_COLOURS[side] for side in points.side[here]]
        if colours:
            style: dict[str, Any] = {
                "s": 16,
                "linewidths": 0,
                "zorder": 3,
                "label": "beyond the axes",
            }
            ax.scatter(xy[here, 0], xy[here, 1], c=colours, marker=marker, **style)


def _marker_size(points: Points) -> float:
    """Area in square points: smaller where there are many."""
    return float(np.clip(400 / np.sqrt(len(points.x)), 3, 14))


def draw_thresholds(ax: Axes, points: Points, *, padj: float, log2fc: float) -> None:
    line: dict[str, Any] = {"color": FAINT, "linewidth": 0.6, "linestyle": (0, (4, 3)), "zorder": 1}
    if points.threshold is not None:
        ax.axhline(points.threshold, **line)
        ax.annotate(
            f"padj\n{padj:g}",
            (1, points.threshold),
            xycoords=ax.get_yaxis_transform(),
            xytext=(2, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            linespacing=1,
            fontsize=SMALL,
            color=FAINT,
        )
    if log2fc > 0:
        ax.axvline(-log2fc, **line)
        ax.axvline(log2fc, **line)


def label_genes(ax: Axes, points: Points, wanted: Int, n_labels: int) -> None:
    """Name the genes asked for, each with a ring around it, then the best where there is room."""
    best = np.concatenate([points.best(n_labels, -1), points.best(n_labels, 1)])
    best = np.sort(best[~np.isin(best, wanted)])
    xy, size = points.xy, _marker_size(points)
    ring: dict[str, Any] = {
        "s": size + 8,
        "facecolors": "none",
        "edgecolors": INK,
        "linewidths": 0.6,
    }
    ax.scatter(*xy[wanted].T, zorder=3.5, label="_asked for", **ring)
    for positions, always in ((wanted, True), (best, False)):
        texts = [str(name) for name in points.names[positions]]
        radius = np.sqrt(size) / 2
        place_labels(ax, xy[positions], texts, points=xy, radius=radius, always=always)

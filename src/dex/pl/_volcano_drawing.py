"""The axes of a volcano, its thresholds and the null that it tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex.pl._theme import FAINT, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.pl._points import Points

_BEYOND = 0.03
"""How far the axes go beyond their ends, so that markers at the edge are whole."""
_BEYOND_TOP = 0.06
"""Names lie there too."""
_BAND = "#f1f1f1"
LINE: dict[str, Any] = {"color": FAINT, "linewidth": 0.6, "linestyle": (0, (4, 3)), "zorder": 1}
"""Style of a threshold."""


def set_ends(ax: Axes, points: Points) -> None:
    low, high = points.x_ends
    room = _BEYOND * (high - low) / 2
    ax.set_xlim(low - room, high + room)
    ax.set_ylim(-0.015 * points.y_ends[1], points.y_ends[1] * (1 + _BEYOND_TOP))


def draw_null(ax: Axes, lfc: float) -> None:
    """Shade the fold changes that were part of the null hypothesis."""
    if lfc > 0:
        ax.axvspan(-lfc, lfc, facecolor=_BAND, linewidth=0, zorder=0, label="_null")


def draw_thresholds(ax: Axes, points: Points, *, padj: float, log2fc: float) -> None:
    if points.threshold is not None:
        ax.axhline(points.threshold, **LINE)
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
        ax.axvline(-log2fc, **LINE)
        ax.axvline(log2fc, **LINE)

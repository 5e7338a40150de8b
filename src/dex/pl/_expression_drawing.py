"""Points, boxes, violins and bars of one gene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from dex.pl._expression_points import beside, density
from dex.pl._expression_table import (
    FEW_POINTS,
    FEWEST_OF_BOX,
    FEWEST_OF_DENSITY,
    ExpressionTable,
    mean_interval,
)
from dex.pl._theme import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.typing import Float, Int

_HALF = 0.42
"""Half the width of a group without hue, in units of the x axis."""
_MANY = 2000


def draw_panel(ax: Axes, table: ExpressionTable, j: int, *, sharey: bool) -> None:
    """Draw all but the points of gene ``j``, and set the axes."""
    y = table.values[:, j]
    if table.x is not None:
        _draw_trend(ax, table, y)
    else:
        for group, part, members in table.places():
            _draw_summary(ax, table, y[members], group, part)
        ax.set_xlim(-0.6, len(table.groups) - 0.4)
    ax.set_ylim(_ends(table, table.values if sharey else y))


def _ends(table: ExpressionTable, y: Float) -> tuple[float, float]:
    """Ends of the y axis, which bars begin at zero of; their intervals are within it."""
    low, high = float(y.min()), float(y.max())
    if table.kind == "bar":
        columns = y.reshape(len(y), -1).T
        found = [mean_interval(c[members]) for c in columns for *_, members in table.places()]
        zero = [0.0] if table.has_bars else []
        low = min(low, *zero, *(i.low for i in found if np.isfinite(i.low)))
        high = max(high, *zero, *(i.high for i in found if np.isfinite(i.high)))
    room = 0.06 * (high - low) or 0.5
    return 0.0 if table.has_bars and low == 0 else low - room, high + room


def _half(table: ExpressionTable) -> float:
    return _HALF if not table.hues else 0.46 * table.step


def _draw_summary(ax: Axes, table: ExpressionTable, y: Float, group: int, part: int) -> None:
    x, colour, half = table.place(group, part), table.colour(group, part), _half(table)
    if table.kind == "bar":
        _draw_mean(ax, x, y, colour, 0.8 * half, bar=table.has_bars)
    elif table.kind == "violin" and len(y) >= FEWEST_OF_DENSITY:
        _draw_violin(ax, x, y, colour, half)
        _draw_box(ax, x, y, "white", 0.16 * half)
    elif table.kind != "points" and len(y) >= FEWEST_OF_BOX:
        _draw_box(ax, x, y, colour, 0.7 * half)
    elif len(y) > 1:
        line: dict[str, Any] = {"color": INK, "linewidth": 1.2, "zorder": 4, "label": "median"}
        ax.hlines(np.median(y), x - 0.6 * half, x + 0.6 * half, **line)


def _draw_mean(ax: Axes, x: float, y: Float, colour: str, half: float, *, bar: bool) -> None:
    """Mean and its interval: a bar from zero, or a line where the values have no zero."""
    found = mean_interval(y)
    if bar:
        style: dict[str, Any] = {"color": colour, "alpha": 0.55, "linewidth": 0, "zorder": 1}
        ax.bar(x, found.mean, 2 * half, label="mean", **style)
    else:
        style = {"color": INK, "linewidth": 1.2, "zorder": 4}
        ax.hlines(found.mean, x - 0.6 * half, x + 0.6 * half, label="mean", **style)
    if np.isfinite(found.low):  # behind the points, and as wide as shows where it ends
        style = {"color": INK, "linewidth": 0.8, "zorder": 2.2}
        ax.vlines(x, found.low, found.high, label="95% CI", **style)
        ends = [found.low, found.high]
        ax.hlines(ends, x - 0.25 * half, x + 0.25 * half, label="_ends of the 95% CI", **style)


def _draw_box(ax: Axes, x: float, y: Float, colour: str, half: float) -> None:
    """Median, quartiles, and whiskers to the last values within 1.5 times their distance."""
    lower, middle, upper = np.percentile(y, [25, 50, 75])
    reach = 1.5 * (upper - lower)
    low, high = y[y >= lower - reach].min(), y[y <= upper + reach].max()
    order = 3.0 if colour == "white" else 1.5
    whiskers = [[(x, low), (x, lower)], [(x, upper), (x, high)]]
    style: dict[str, Any] = {"colors": INK, "linewidths": 0.6, "zorder": order, "label": "whiskers"}
    ax.add_collection(LineCollection(whiskers, **style), autolim=False)
    box = Rectangle((x - half, lower), 2 * half, upper - lower, fc=colour, ec=INK, lw=0.6)
    box.set(zorder=order, label="box")
    ax.add_patch(box)
    line: dict[str, Any] = {"color": INK, "linewidth": 1.2, "zorder": order + 0.1}
    ax.hlines(middle, x - half, x + half, label="median", **line)


def _draw_violin(ax: Axes, x: float, y: Float, colour: str, half: float) -> None:
    heights, widths = density(y)
    style: dict[str, Any] = {"facecolor": colour, "edgecolor": colour, "linewidth": 0.5}
    ax.fill_betweenx(heights, x - half * widths, x + half * widths, alpha=0.45, zorder=1, **style)


def _draw_trend(ax: Axes, table: ExpressionTable, y: Float) -> None:
    """Least-squares line of each level of hue."""
    for part in range(table.n_hues):
        members = table.members(0, part)
        x = table.x[members] if table.x is not None else np.zeros(0)
        if len(np.unique(x)) > 1:
            slope, intercept = np.polyfit(x, y[members], 1)
            ends = np.array([x.min(), x.max()])
            colour = table.colour(0, part) if table.hues else INK
            ax.plot(ends, intercept + slope * ends, color=colour, linewidth=1.2, label="trend")


def place_points(ax: Axes, table: ExpressionTable, j: int) -> None:
    """Draw the points of gene ``j``, and the lines that join pairs, at the size the axes have."""
    y = table.values[:, j]
    x = _positions(ax, table, y) if table.x is None else table.x
    _join(ax, table, x, y)
    many = len(y) > _MANY
    size = _marker_size(table)
    style: dict[str, Any] = {"s": size, "rasterized": many, "zorder": 2.5}
    style |= {"linewidths": 0} if size < 6 else {"edgecolors": INK, "linewidths": 0.3}
    limits = ax.get_xlim()
    pale = 0.35 if many else 0.6 if table.kind == "violin" else 0.9
    for group, part, here in table.places():
        label = table.hues[part] if table.hues else table.groups[group]
        colour = table.colour(group, part)
        ax.scatter(x[here], y[here], color=colour, label=label, alpha=pale, **style)
    if table.x is None:
        ax.set_xlim(limits)


def _marker_size(table: ExpressionTable) -> float:
    """Area in square points: smaller where there are many."""
    most = int(table.sizes.max(initial=1)) / table.n_hues
    if most <= FEW_POINTS:
        return 14.0 if most <= 15 else 9.0
    return float(np.clip(900 / most, 0.6, 5.0))


def _positions(ax: Axes, table: ExpressionTable, y: Float) -> Float:
    """Places on the x axis, beside each other where points would lie on each other."""
    box = ax.get_window_extent()
    per_x = box.width / np.diff(ax.get_xlim())[0]
    per_y = box.height / np.diff(ax.get_ylim())[0]
    diameter = 1.08 * np.sqrt(_marker_size(table)) * ax.figure.dpi / 72
    half = (0.9 if table.kind == "violin" else 0.8) * _half(table)
    x = np.empty(len(y))
    for group, part, here in table.places():
        offsets = beside(y[here] * per_y, diameter=diameter, half_width=half * per_x)
        x[here] = table.place(group, part) + offsets / per_x
    return x


def _join(ax: Axes, table: ExpressionTable, x: Float, y: Float) -> None:
    """Join the observations of each pair, or their means, from group to group."""
    if table.x is not None:
        return
    for pair in np.unique(table.pair[table.pair >= 0]):
        points = _means(table, np.flatnonzero(table.pair == pair), x, y)
        if len(points) > 1:
            ax.plot(*points.T, color=FAINT, linewidth=0.5, zorder=2, label="_pair")


def _means(table: ExpressionTable, rows: Int, x: Float, y: Float) -> Float:
    """Mean point of a pair in each group and level of hue, ``(n_places, 2)``, left to right."""
    place = table.group[rows] * table.n_hues + table.part[rows]
    points = [(x[rows[place == p]].mean(), y[rows[place == p]].mean()) for p in np.unique(place)]
    return np.array(points)

"""Panels of genes on a page, and the words around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from dex.errors import InputError
from dex.pl._points_text import width_of
from dex.pl._save import new_figure
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    LARGE,
    MEDIUM,
    PAGE_MM,
    SMALL,
    broken,
    line_height,
    millimetres,
    plain_axes,
    shortened,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.pl._expression_table import ExpressionTable
    from dex.pl._expression_text import Evidence

_SLOT_MM = 7.0
_BESIDE_MM = 9.0
"""Ticks and the space between panels."""
_LEAST_MM, _MOST_MM = 27.0, 170.0
_VALUES_MM = 32.0


def expression_panels(
    table: ExpressionTable,
    said: Evidence | None,
    *,
    n_columns: int | None,
    sharey: bool,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> list[Axes]:
    """Axes of the genes, row by row; ``ax`` alone, if it is given.

    Raises
    ------
    InputError
        If there are no columns.
    """
    if ax is not None:
        return [ax]
    if n_columns is not None and n_columns < 1:
        msg = f"n_columns={n_columns} leaves no room; it must be at least 1."
        raise InputError(msg)
    n = len(table.genes)
    panel = _panel_width(table, said)
    most = PAGE_MM if figsize is None else millimetres(figsize[0])
    room = most - (_legend_width(table) if table.hues else 0)
    if n_columns is None:
        n_columns = max(int(room // panel), 1)
    n_rows = -(-n // min(n, n_columns))
    n_columns = -(-n // n_rows)  # as many in each row
    narrow = n_columns * panel + most - room <= COLUMN_MM
    lines = max((text.count("\n") + 1 for text in said.lines), default=0) if said else 0
    row = _VALUES_MM + 8 + lines * line_height()
    size = (COLUMN_MM if narrow else PAGE_MM, n_rows * row + _label_height(table) + 4)
    if figsize is not None:
        size = (millimetres(figsize[0]), millimetres(figsize[1]))
    figure = new_figure(*size, own=own, layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=sharey)
    for unused in grid.flat[n:]:
        unused.remove()
    return list(grid.flat[:n])


def _panel_width(table: ExpressionTable, said: Evidence | None) -> float:
    """Room for the groups, and for the words above them."""
    n_slots = 6 if table.x is not None else len(table.groups) * (1 + 0.6 * (table.n_hues - 1))
    widest = max(text_width(shortened(gene), LARGE) for gene in table.genes) + 4
    if said:
        widest = max(widest, *(text_width(t) + 4 for s in said.lines for t in s.split("\n")))
    return float(np.clip(max(_BESIDE_MM + _SLOT_MM * n_slots, widest), _LEAST_MM, _MOST_MM))


def _legend_width(table: ExpressionTable) -> float:
    return max(map(text_width, map(shortened, (*table.hues, table.hue)))) + 8


def _label_height(table: ExpressionTable) -> float:
    longest = max(map(text_width, table.groups), default=0.0)
    return min(longest, 30.0) if longest > _SLOT_MM else line_height()


def label_axes(
    axes: list[Axes],
    table: ExpressionTable,
    said: Evidence | None,
    *,
    title: str | None,
    alone: bool,
) -> None:
    """Name genes, groups and the unit; one legend of the hue."""
    for j, ax in enumerate(axes):
        plain_axes(ax)
        heading = table.genes[j] if title is None or len(axes) > 1 else title
        lines = said.lines[j].count("\n") + 1 if said else 0
        ax.set_title(shortened(heading), fontsize=LARGE, pad=3 + 7.2 * lines)
        if said:
            style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
            style |= {"xytext": (0, 2), "ha": "center", "va": "bottom", "linespacing": 1.05}
            ax.annotate(said.lines[j], (0.5, 1), fontsize=SMALL, color=FAINT, **style)
        _label_groups(ax, table, lowest=_is_lowest(axes, j))
        if j == 0 or ax.get_subplotspec() is None or _is_first_column(ax):
            ax.set_ylabel(table.unit, fontsize=MEDIUM, labelpad=2)
    below = [words for words in (said.test if said else "", table.note) if words]
    if below:
        _write_below(axes, "\n".join(below), alone=alone)
    if table.hues:
        _draw_legend(axes, table, alone=alone)


def _write_below(axes: list[Axes], words: str, *, alone: bool) -> None:
    """Write what the numbers above the panels are of, and what is not drawn."""
    figure = axes[0].figure.figure
    width = width_of(axes[0]) if alone else millimetres(figure.get_size_inches()[0]) - 4
    words = wrapped(words, width)
    style: dict[str, Any] = {"fontsize": SMALL, "color": FAINT}
    if alone:
        place: dict[str, Any] = {"xycoords": ("axes fraction", axes[0].xaxis.label)}
        place |= {"textcoords": "offset points", "xytext": (0, -3), "ha": "center", "va": "top"}
        axes[0].annotate(words, (0.5, 0), **place, **style)
    else:
        figure.supxlabel(words, **style)


def _is_first_column(ax: Axes) -> bool:
    place = ax.get_subplotspec()
    return place is None or place.is_first_col()


def _is_lowest(axes: list[Axes], j: int) -> bool:
    """Whether there is no panel below."""
    place = axes[j].get_subplotspec()
    if place is None or len(axes) == 1:
        return True
    return j + place.get_gridspec().ncols >= len(axes)


def _label_groups(ax: Axes, table: ExpressionTable, *, lowest: bool) -> None:
    if table.x is not None:
        ax.set_xlabel(shortened(table.groupby) if lowest else "", fontsize=MEDIUM, labelpad=2)
        return
    ticks = range(len(table.groups))
    if not lowest or not table.groupby:
        ax.set_xticks(ticks, [""] * len(table.groups))
        return
    sizes = [f"n={size:,}" for size in table.sizes]
    room = 0.9 * _slot_width(ax, table)
    names = [broken(shortened(name), max(room, 8.0)) for name in table.groups]
    level = all(text_width(line) <= room for name in names for line in name.split("\n"))
    level &= max(map(text_width, sizes)) <= room
    if level:
        texts = [f"{name}\n{size}" for name, size in zip(names, sizes, strict=True)]
        ax.set_xticks(ticks, texts, fontsize=SMALL, linespacing=1.1)
        return
    texts = [f"{shortened(g)} ({size})" for g, size in zip(table.groups, sizes, strict=True)]
    style: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(ticks, texts, fontsize=SMALL, **style)


def _slot_width(ax: Axes, table: ExpressionTable) -> float:
    """Width of a group in mm, as far as it is known before the layout."""
    width = millimetres(ax.get_window_extent().width / ax.figure.dpi)
    return float(0.95 * width / (len(table.groups) + 0.2))


def _draw_legend(axes: list[Axes], table: ExpressionTable, *, alone: bool) -> None:
    handles = [
        Line2D([], [], marker="o", linestyle="", color=colour, markersize=4, label=shortened(name))
        for name, colour in zip(table.hues, table.colours, strict=True)
    ]
    style: dict[str, Any] = {"title": shortened(table.hue), "frameon": False}
    style |= {"fontsize": SMALL, "title_fontsize": SMALL, "handletextpad": 0.2, "alignment": "left"}
    if alone:
        axes[0].legend(handles=handles, **style)
    else:
        axes[0].figure.figure.legend(handles=handles, loc="outside right upper", **style)

"""The words around a volcano: what it compares, how many genes, what is not drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._theme import (
    DOWN,
    FAINT,
    INK,
    LARGE,
    MEDIUM,
    SMALL,
    UP,
    millimetres,
    plain_axes,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dex.pl._points import Points

_GAP = 4.0
"""Least distance, in mm, between the words under the two ends of the x axis."""
_NBSP = "\N{NO-BREAK SPACE}"


def write_above(
    ax: Axes, points: Points, info: pd.Series, *, log2fc: float, title: str | None
) -> None:
    """Title, counts, and the threshold of the fold change if there is room."""
    plain_axes(ax)
    heading = wrapped(str(info["name"]) if title is None else title, _width(ax), LARGE)
    ax.set_title(heading, fontsize=LARGE, color=INK, pad=13)
    down, up = _counts(points)
    style: dict[str, Any] = {"textcoords": "offset points", "xytext": (0, 3), "va": "bottom"}
    bold = style | {"xycoords": ax.transAxes, "fontsize": MEDIUM, "fontweight": "bold"}
    ax.annotate(down, (0, 1), ha="left", color=DOWN, **bold)
    ax.annotate(up, (1, 1), ha="right", color=UP, **bold)
    if log2fc > 0 and _has_room_above(ax, points, log2fc):
        style |= {"xycoords": ax.transAxes, "fontsize": SMALL, "color": FAINT}
        ax.annotate(_fold_change(log2fc), (0.5, 1), ha="center", **style)


def write_below(ax: Axes, points: Points, info: pd.Series, *, padj: float, log2fc: float) -> None:
    """Axis labels, which side is which, and what is not drawn."""
    ax.set_xlabel("log$_2$ fold change", labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel("$-$log$_{10}$ p", labelpad=3, fontsize=MEDIUM)
    width = _width(ax)
    lower, higher = (wrapped(words, width) for words in _sides(info))
    in_one_line = "\n" not in lower + higher and text_width(lower + higher) < width - _GAP
    _write_line(ax, 0, lower, line=0, ha="left", color=INK)
    line = 0 if in_one_line else lower.count("\n") + 1
    _write_line(ax, 1, higher, line=line, ha="right", color=INK)
    line += higher.count("\n") + 1
    notes = _notes(points, padj)
    if log2fc > 0 and not _has_room_above(ax, points, log2fc):
        notes = [f"dashed: {_fold_change(log2fc)}", *notes]
    for i, note in enumerate(notes):
        _write_line(ax, 0, note, line=line + i, ha="left", color=FAINT)


def _counts(points: Points) -> tuple[str, str]:
    return f"{points.count(-1):,} down", f"{points.count(1):,} up"


def _fold_change(log2fc: float) -> str:
    return f"|log$_2$ FC| = {log2fc:g}"


def _has_room_above(ax: Axes, points: Points, log2fc: float) -> bool:
    """Whether the threshold, centred above the panel, clears the counts in the corners."""
    corner = 1.15 * max(text_width(text, MEDIUM) for text in _counts(points))  # they are bold
    return text_width(f"|log2 FC| = {log2fc:g}") / 2 + corner + 1 < _width(ax) / 2


def _width(ax: Axes) -> float:
    """Width of a panel in millimetres."""
    return millimetres(ax.bbox.width / ax.figure.dpi)


def _sides(info: pd.Series) -> tuple[str, str]:
    """What a negative and a positive fold change mean, in words."""
    group, reference = info["group"], info["reference"]
    if group and reference:
        return f"←{_NBSP}higher in {reference}", f"higher in {group}{_NBSP}→"
    if group:
        return f"←{_NBSP}lower in {group}", f"higher in {group}{_NBSP}→"
    return "← negative", "positive →"


def _notes(points: Points, padj: float) -> list[str]:
    notes = []
    if points.threshold is None and not (points.side != 0).any():
        notes.append(f"no gene at padj <= {padj:g}")
    n_beyond = int(points.beyond.sum())
    if n_beyond:
        notes.append(f"{n_beyond} beyond the axes, up to {_extremes(points)}")
    if points.n_without_p:
        notes.append(f"{points.n_without_p:,} without p-value not drawn")
    return notes


def _extremes(points: Points) -> str:
    """How far the points go that are beyond the axes."""
    top, far = points.y.max(), np.abs(points.x).max()
    extremes = []
    if top > points.y_limit:
        extremes.append(f"$-$log$_{{10}}$ p = {top:,.0f}")
    if far > points.x_limit:
        extremes.append(f"|log$_2$ FC| = {far:.3g}")
    return ", ".join(extremes)


def _write_line(ax: Axes, x: float, text: str, *, line: int, **style: Any) -> None:
    """Write under the axis label; ``line`` counts downwards."""
    ax.annotate(
        text,
        (x, 0),
        xycoords=(ax.transAxes, ax.xaxis.label),
        xytext=(0, -2 - 1.3 * SMALL * line),
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        linespacing=1.1,
        **style,
    )

"""The words around a panel: what it compares, how many genes, what is not drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from dex.pl._points import Points
    from dex.pl._points_classes import GeneClass

_GAP = 4.0
"""Least distance, in mm, between the words under the two ends of the x axis."""
_NBSP = "\N{NO-BREAK SPACE}"


def write_heading(ax: Axes, info: pd.Series, title: str | None, *, pad: float) -> None:
    """Title of the panel: that given, else the name of the test; plain axes."""
    plain_axes(ax)
    heading = wrapped(str(info["name"]) if title is None else title, width_of(ax), LARGE)
    ax.set_title(heading, fontsize=LARGE, color=INK, pad=pad)


def write_counts(ax: Axes, points: Points) -> None:
    """Significant genes down and up, above the corners."""
    style: dict[str, Any] = {
        "textcoords": "offset points",
        "xytext": (0, 3),
        "va": "bottom",
        "xycoords": ax.transAxes,
        "fontsize": MEDIUM,
        "fontweight": "bold",
    }
    down, up = count_words(points)
    ax.annotate(down, (0, 1), ha="left", color=DOWN, **style)
    ax.annotate(up, (1, 1), ha="right", color=UP, **style)


def write_counts_beside(ax: Axes, points: Points) -> None:
    """Significant genes up and down, upright at the right of where they are."""
    style: dict[str, Any] = {"textcoords": "offset points", "xytext": (3, 0), "ha": "left"}
    style |= {"xycoords": ax.transAxes, "fontsize": MEDIUM, "fontweight": "bold", "rotation": 90}
    down, up = count_words(points)
    ax.annotate(f"{up}{_NBSP}→", (1, 1), va="top", color=UP, **style)
    ax.annotate(f"←{_NBSP}{down}", (1, 0), va="bottom", color=DOWN, **style)


def count_words(points: Points) -> tuple[str, str]:
    return f"{points.count(-1):,} down", f"{points.count(1):,} up"


def side_words(info: pd.Series, arrows: str) -> tuple[str, str]:
    """What a negative and a positive fold change mean, ``arrows`` being that of each, ``"←→"``."""
    group, reference = info["group"], info["reference"]
    negative, positive = "negative", "positive"
    if group and reference:
        negative, positive = f"higher in {reference}", f"higher in {group}"
    elif group:
        negative, positive = f"lower in {group}", f"higher in {group}"
    right = f"{positive}{_NBSP}{arrows[1]}" if arrows[1] == "→" else f"{arrows[1]}{_NBSP}{positive}"
    return f"{arrows[0]}{_NBSP}{negative}", right


def write_sides(ax: Axes, words: tuple[str, str]) -> int:
    """Write both under the ends of the x axis; return the number of lines that they take."""
    width = width_of(ax)
    lower, higher = (wrapped(one, width) for one in words)
    in_one_line = "\n" not in lower + higher and text_width(lower + higher) < width - _GAP
    write_line(ax, 0, lower, line=0, ha="left", color=INK)
    line = 0 if in_one_line else lower.count("\n") + 1
    write_line(ax, 1, higher, line=line, ha="right", color=INK)
    return line + higher.count("\n") + 1


def write_notes(
    ax: Axes, notes: Sequence[str], *, line: int, classes: Sequence[GeneClass] = ()
) -> None:
    """Write the legend of the classes and then the notes, each in lines of its own."""
    for one in classes:
        write_line(ax, 0, one.sign, line=line, ha="left", color=one.colour)
        words = wrapped(_class_words(one), width_of(ax) - 3)
        write_line(ax, 0, words, line=line, ha="left", color=INK, indent=1.3 * SMALL)
        line += words.count("\n") + 1
    for note in notes:
        words = wrapped(note, width_of(ax))
        write_line(ax, 0, words, line=line, ha="left", color=FAINT)
        line += words.count("\n") + 1


def _class_words(one: GeneClass) -> str:
    n = len(one.positions)
    of = "" if n == one.n_given else f" of {one.n_given:,}"
    return f"{one.label} ({n:,}{of} gene{'' if one.n_given == 1 else 's'})"


def width_of(ax: Axes) -> float:
    """Width of a panel in millimetres."""
    return millimetres(ax.bbox.width / ax.figure.dpi)


def write_line(
    ax: Axes, x: float, text: str, *, line: float, indent: float = 0.0, **style: Any
) -> None:
    """Write under the axis label; ``line`` counts downwards."""
    ax.annotate(
        text,
        (x, 0),
        xycoords=(ax.transAxes, ax.xaxis.label),
        xytext=(indent, -2 - 1.3 * SMALL * line),
        textcoords="offset points",
        fontsize=SMALL,
        linespacing=1.1,
        **({"va": "top"} | style),
    )

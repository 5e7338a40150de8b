"""A legend of marks in one line under the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex.pl._theme import INK, SMALL, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes


def write_marks(ax: Axes, marks: Sequence[tuple[str, str, str]]) -> None:
    """Write (sign, colour, meaning) one after the other under the label of the x axis."""
    place = 0.0
    for sign, colour, meaning in marks:
        place = _write(ax, place, sign, colour, meaning)


def _write(ax: Axes, place: float, sign: str, colour: str, meaning: str) -> float:
    """Write one entry; return where the next begins, in points."""
    style: dict[str, Any] = {
        "xycoords": (ax.transAxes, ax.xaxis.label),
        "textcoords": "offset points",
        "fontsize": SMALL,
        "va": "top",
        "ha": "left",
    }
    ax.annotate(sign, (0, 0), xytext=(place, -2), color=colour, **style)
    start = place + 1.3 * SMALL
    ax.annotate(meaning, (0, 0), xytext=(start, -2), color=INK, **style)
    return start + text_width(meaning) * 72 / 25.4 + 1.5 * SMALL

"""Curves of p-values against uniform ones, with a table for their legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._points_text import width_of, write_line, write_notes
from dex.pl._pvalues_drawing import Quantiles, draw_band
from dex.pl._strips import palette
from dex.pl._theme import FAINT, INK, LARGE, NEUTRAL, line_height, plain_axes, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from dex.typing import Float, Int

_COLOURS = tuple(palette(8)[i] for i in (4, 5, 2, 0, 6, 1))
"""Without yellow and grey, which are lost on white and among the curves without a colour."""
_NUMBERS = ("inflation", "rate_0.05", "rate_0.01", "rate_0.001")
_HEADINGS = ("λ", "0.05", "0.01", "0.001")
_COLUMN_PT = 27.0
_MARK_PT = 9.0
_NAME_GAP_MM = 2.0
_WIDEST_MM = 90.0
_BASELINE = 0.65
"""Of a line of the table, from its top, in lines."""
_MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Curves:
    """The tests drawn."""

    table: pd.DataFrame
    """Rows of :func:`dex.get.calibration_df`."""
    points: tuple[Quantiles, ...]
    """One for each row."""
    named: Int
    """Rows that have a colour and a line in the table, in its order."""
    limit: float
    """Where the axis of -log10 p ends."""

    @classmethod
    def of(cls, table: pd.DataFrame, every: Sequence[Float], *, y_limit: float | None) -> Curves:
        """Thin the p-values of every test; name all of few tests, the worst of many."""
        points = [Quantiles.of(log10_pval, y_limit=y_limit) for log10_pval in every]
        named = np.arange(len(table))
        if len(table) > len(_COLOURS):
            order = ["rate_0.001", "inflation"]
            worst = table.sort_values(order, ascending=False, kind="stable")
            named = worst.index.to_numpy()[: len(_COLOURS)]
        limit = max(max(one.limit, one.high[0]) for one in points) if y_limit is None else y_limit
        return cls(table, tuple(points), named, float(limit))

    @property
    def colours(self) -> tuple[str, ...]:
        """Colour of each named test."""
        return _COLOURS[: len(self.named)]


def table_height(curves: Curves) -> float:
    """Millimetres that the table takes under the panel."""
    return (len(curves.named) + 6) * line_height()


def draw_curves(ax: Axes, curves: Curves) -> None:
    """Draw the named tests over the others over the band of the smallest."""
    plain_axes(ax)
    smallest = min(curves.points, key=lambda one: one.expected[0])
    draw_band(ax, smallest)
    colours = dict(zip(curves.named.tolist(), curves.colours, strict=True))
    for i, points in enumerate(curves.points):
        _draw_curve(ax, points, curves.limit, colours.get(i), label=str(curves.table["test"][i]))
    far = max(float(points.expected[0]) for points in curves.points)
    ax.set_xlim(-0.02 * far, 1.03 * far)
    ax.set_ylim(-0.015 * curves.limit, 1.04 * curves.limit)


def _draw_curve(
    ax: Axes, points: Quantiles, limit: float, colour: str | None, *, label: str
) -> None:
    style: dict[str, Any] = {"rasterized": True, "markeredgewidth": 0, "linewidth": 0.7}
    style |= {"color": colour or NEUTRAL, "zorder": 3 if colour is None else 4}
    inside = points.observed <= limit
    ax.plot(
        points.expected[inside], points.observed[inside], ".-", markersize=3, label=label, **style
    )
    beyond = points.expected[~inside]
    if len(beyond):
        edge = np.full(len(beyond), limit)
        ax.plot(beyond, edge, "^", markersize=4, label="_beyond", clip_on=False, **style)


def write_table(ax: Axes, curves: Curves, *, title: str) -> None:
    """Write the heading, a row for each named test, the median of many, and what it all means."""
    ax.set_title(title, fontsize=LARGE, color=INK, pad=4)
    _write_row(ax, "test", _HEADINGS, line=0, colour=FAINT)
    for line, (i, colour) in enumerate(zip(curves.named, curves.colours, strict=True), start=1):
        _write_cell(ax, "●", line=line, ha="left", color=colour)
        row = curves.table.loc[i]
        _write_row(ax, str(row["test"]), _words(row), line=line, colour=INK)
    line = len(curves.named) + 1
    if len(curves.table) > 1:
        median = curves.table[list(_NUMBERS)].median()
        name = f"median of {len(curves.table)} tests"
        _write_row(ax, name, _words(median), line=line, colour=INK)
        line += 1
    write_notes(ax, _notes(curves), line=line)


def _write_row(ax: Axes, name: str, words: Sequence[str], *, line: int, colour: str) -> None:
    width = min(width_of(ax), _WIDEST_MM) / _MM_PER_POINT
    room = (width - len(words) * _COLUMN_PT - _MARK_PT) * _MM_PER_POINT - _NAME_GAP_MM
    _write_cell(ax, _cut(name, room), line=line, indent=_MARK_PT, ha="left", color=colour)
    for place, word in enumerate(reversed(words)):
        right = width - place * _COLUMN_PT
        _write_cell(ax, word, line=line, indent=right, ha="right", color=colour)


def _write_cell(ax: Axes, text: str, *, line: int, **style: Any) -> None:
    """Write on the line's baseline, so that words with and without tails stand level."""
    write_line(ax, 0, text, line=line + _BASELINE, va="baseline", **style)


def _cut(text: str, room: float) -> str:
    """Cut in the middle what is wider than ``room`` mm: names of tests differ at both ends."""
    whole, n = text, len(text)
    while text_width(text) > room and n > 3:
        n -= 1
        text = f"{whole[: n - n // 2]}…{whole[len(whole) - n // 2 :]}"
    return text


def _words(row: pd.Series) -> tuple[str, ...]:
    """Inflation, and observed over nominal rates."""
    nominal = (1.0, *(float(name.removeprefix("rate_")) for name in _NUMBERS[1:]))
    ratios = [float(row[name]) / per for name, per in zip(_NUMBERS, nominal, strict=True)]
    return tuple(f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}" for ratio in ratios)


def _notes(curves: Curves) -> list[str]:
    genes = curves.table["n"]
    few, many = f"{genes.min():,}", f"{genes.max():,}"
    notes = [
        "λ: inflation of the median; then, how many times the nominal rate of p-values are at most "
        "0.05, 0.01 and 0.001",
        f"{few if few == many else f'{few} to {many}'} genes a test; grey: 95 % band",
    ]
    beyond = sum(int((one.observed > curves.limit).sum()) for one in curves.points)
    if beyond:
        notes.append(f"{beyond:,} beyond the axis (triangles)")
    return notes

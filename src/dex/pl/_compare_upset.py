"""How many genes several tests share: an UpSet plot [Lex2014]_.

References
----------
.. [Lex2014] Lex A, Gehlenborg N, Strobelt H, Vuillemot R, Pfister H (2014). UpSet: visualization of
   intersecting sets. IEEE Transactions on Visualization and Computer Graphics 20, 1983-1992.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from dex.pl._compare_page import EDGE, open_page, short, title_height, title_lines, write_title
from dex.pl._compare_sets import Intersections
from dex.pl._theme import (
    COLUMN_MM,
    DOWN,
    FAINT,
    INK,
    PAGE_MM,
    SMALL,
    UP,
    line_height,
    plain_axes,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.pl._compare_table import SideBySide
    from dex.pl._page import Page
    from dex.typing import Float, Int

_MOST_SHOWN = 25
_LEAST_STEP, _WIDEST_STEP = 2.6, 7.0
_BARS_MM, _LEAST_BARS, _LEAST_NAME = 32.0, 8.0, 20.0
_AXIS_MM = 9.0
"""Between the words above the names and the bars: the numbers of their axis."""
_WAYS = (("up", UP), ("down", DOWN), ("opposite", FAINT))
_OUTSIDE, _BAND = "#d9d9d9", "#f3f3f3"
_BAR = 0.7
"""Width of a bar, in columns."""


@dataclass(frozen=True, slots=True)
class UpsetPlan:
    """Where things go, in mm."""

    title: str
    names: tuple[str, ...]
    start: float
    """Left end of everything."""
    sizes_width: float
    left: float
    """Of the combinations, right of the names."""
    step: float
    """From one combination to the next."""
    n_shown: int
    top: float
    bars: float
    """Height of the bars."""
    row: float
    """Height of a test."""
    note: str

    @property
    def width(self) -> float:
        """Of all combinations."""
        return self.step * max(self.n_shown, 1)

    @property
    def sets_top(self) -> float:
        """Of the first test."""
        return self.top + self.bars + 1.2

    @property
    def bottom(self) -> float:
        """Under everything."""
        note = line_height() * (self.note.count("\n") + 1) + 1 if self.note else 0.0
        return self.sets_top + self.row * len(self.names) + note + EDGE


def draw_upset(
    table: SideBySide,
    *,
    title: str,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> Axes:
    """Draw the combinations of tests and return the axes of their bars."""
    every = Intersections.of(table)
    width = COLUMN_MM
    if _plan(table, every, title, COLUMN_MM).n_shown < min(len(every.sizes), _MOST_SHOWN):
        width = PAGE_MM
    size = width, _plan(table, every, title, width).bottom
    page = open_page(size, figsize=figsize, ax=ax, own=own)
    plan = _plan(table, every, title, page.width, page.height)
    shown = every.first(plan.n_shown)
    bars = _draw_bars(page, shown, plan)
    _draw_members(page, shown, plan)
    _draw_sizes(page, every.set_ways, plan)
    _write_key(page, table, every, plan)
    write_title(page, plan.title)
    if ax is None:
        page.figure.sca(bars)
    return bars


def _plan(
    table: SideBySide, every: Intersections, title: str, width: float, height: float | None = None
) -> UpsetPlan:
    """Lay out a page of ``width`` x ``height`` mm; with bars of 32 mm without a height."""
    names = tuple(wrapped(label, max(0.27 * width, _LEAST_NAME)) for label in table.labels)
    longest = max(text_width(line) for name in names for line in name.split("\n"))
    number = text_width(f"{every.set_ways.sum(axis=1).max():,}") + 1
    sizes_width, beside = 0.1 * width + number, longest + 3.0
    room = width - 2 * EDGE - sizes_width - beside
    n_shown = min(len(every.sizes), _MOST_SHOWN, max(int(room / _LEAST_STEP), 1))
    step = min(room / max(n_shown, 1), _WIDEST_STEP)
    spare = room - step * max(n_shown, 1)
    wider = min(spare, sizes_width)
    start = EDGE + (spare - wider) / 2
    heading = title_lines(title, width)
    plan = UpsetPlan(
        title=heading,
        names=names,
        start=start,
        sizes_width=sizes_width + wider,
        left=start + sizes_width + wider + beside,
        step=step,
        n_shown=n_shown,
        top=EDGE + title_height(heading),
        bars=_BARS_MM,
        row=max(line_height() * (max(name.count("\n") for name in names) + 1) + 0.8, 3.6),
        note=_note(table, every, n_shown, width),
    )
    return plan if height is None else _fitted(plan, height)


def _fitted(plan: UpsetPlan, height: float) -> UpsetPlan:
    """Make the bars as high as a page of ``height`` mm allows; if need be, the rows lower."""
    bars = _BARS_MM + height - plan.bottom
    lacking = max(_LEAST_BARS - bars, 0.0)
    row = max(plan.row - lacking / len(plan.names), 1.0)
    return replace(plan, bars=max(bars, _LEAST_BARS), row=row)


def _note(table: SideBySide, every: Intersections, n_shown: int, width: float) -> str:
    rest = every.sizes[n_shown:]
    words = ""
    if not len(every.sizes):
        way = "" if table.direction == "both" else f"{table.direction} "
        words = f"no gene {way}at padj ≤ {short(10**table.log10_limit)} in any test"
    elif len(rest):
        words = f"{len(rest):,} smaller combinations with {rest.sum():,} genes not shown"
    return wrapped(words, width - 2 * EDGE)


def _draw_bars(page: Page, shown: Intersections, plan: UpsetPlan) -> Axes:
    """Draw a bar for each combination, stacked by direction, with its size above."""
    ax = page.axes(plan.left, plan.top, plan.width, plan.bars)
    ax.set_label("combinations")
    if not plan.n_shown:
        return ax
    x, sizes = np.arange(plan.n_shown) + 0.5, shown.sizes
    foot = np.zeros(plan.n_shown)
    for way, (label, colour) in enumerate(_WAYS):
        ax.bar(x, shown.ways[:, way], _BAR, bottom=foot, color=colour, label=label)
        foot += shown.ways[:, way]
    largest, longest = int(sizes.max()), text_width(f"{sizes.max():,}")
    turned = longest > plan.step - 0.5
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "rotation": 90 if turned else 0}
    _write_numbers(ax, sizes, np.column_stack([x, sizes]), (0, 1.5), **style)
    above = (longest if turned else line_height()) + 1.0
    ax.set(xlim=(0, plan.n_shown), ylim=(0, largest * plan.bars / max(plan.bars - above, 1.0)))
    ax.spines[["left", "bottom"]].set(visible=True, linewidth=0.6)
    plain_axes(ax)
    ticks = MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]).tick_values(0, largest)
    ax.set_yticks([tick for tick in ticks if 0 <= tick <= largest])
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.spines["left"].set_bounds(0, largest)
    return ax


def _write_numbers(
    ax: Axes, numbers: Int, places: Float, offset: tuple[float, float], **style: Any
) -> None:
    for number, place in zip(numbers, places, strict=True):
        ax.annotate(
            f"{number:,}", place, offset, textcoords="offset points", fontsize=SMALL, **style
        )


def _draw_members(page: Page, shown: Intersections, plan: UpsetPlan) -> None:
    """Draw under every bar which tests it belongs to."""
    n_tests = len(plan.names)
    ax = page.axes(plan.left, plan.sets_top, plan.width, plan.row * n_tests)
    ax.set(xlim=(0, max(plan.n_shown, 1)), ylim=(n_tests, 0), label="members")
    for i in range(0, n_tests, 2):
        ax.axhspan(i, i + 1, color=_BAND, linewidth=0, zorder=0)
    size = (0.62 * min(plan.step, plan.row, 3.6) * 72 / 25.4) ** 2
    for inside, colour, label in ((False, _OUTSIDE, "outside"), (True, INK, "inside")):
        column, row = np.nonzero(shown.members == inside)
        order = 2 + inside
        ax.scatter(
            column + 0.5, row + 0.5, s=size, c=colour, linewidths=0, label=label, zorder=order
        )
    ends = [(np.flatnonzero(member)[[0, -1]] + 0.5) for member in shown.members]
    lines = [[(j + 0.5, low), (j + 0.5, high)] for j, (low, high) in enumerate(ends)]
    ax.add_collection(LineCollection(lines, colors=INK, linewidths=0.9, zorder=2.5), autolim=False)
    ax.set_yticks(np.arange(n_tests) + 0.5, plan.names, fontsize=SMALL, linespacing=1.05)
    ax.tick_params(length=0, pad=3)


def _draw_sizes(page: Page, ways: Int, plan: UpsetPlan) -> None:
    """Draw how many genes each test has in all, to the left of its name."""
    n_tests = len(plan.names)
    ax = page.axes(plan.start, plan.sets_top, plan.sizes_width, plan.row * n_tests)
    sizes = ways.sum(axis=1)
    largest = max(int(sizes.max()), 1)
    number = text_width(f"{largest:,}") + 1
    foot = np.zeros(n_tests)
    y = np.arange(n_tests) + 0.5
    for way, (label, colour) in enumerate(_WAYS):
        ax.barh(y, ways[:, way], 0.62, left=foot, color=colour, label=label)
        foot += ways[:, way]
    full = largest * plan.sizes_width / (plan.sizes_width - number)
    ax.set(xlim=(full, 0), ylim=(n_tests, 0), label="sizes")
    places = np.column_stack([sizes, y])
    _write_numbers(ax, sizes, places, (-1.5, 0), ha="right", va="center_baseline")


def _write_key(page: Page, table: SideBySide, every: Intersections, plan: UpsetPlan) -> None:
    """Say what is counted and what the colours mean, above the names; what is left out, below."""
    width = max(plan.left - plan.start - _AXIS_MM, 8.0)
    way = "" if table.direction == "both" else f"{table.direction} "
    limit = short(10**table.log10_limit)
    found = wrapped(f"genes {way}at padj ≤ {limit} in exactly these tests", width)
    style: dict[str, Any] = {"fontsize": SMALL, "linespacing": 1.1}
    page.text(plan.start, plan.top, found, color=INK, va="top", **style)
    line = plan.top + line_height() * (found.count("\n") + 2) + 0.8
    used = every.ways.sum(axis=0) + every.set_ways.sum(axis=0)
    for (label, colour), n in zip(_WAYS, used, strict=True):
        if n:
            page.text(plan.start, line, "\N{BLACK SQUARE}", color=colour, va="baseline", **style)
            page.text(plan.start + 2.6, line, label, color=INK, va="baseline", **style)
            line += 1.1 * line_height()
    if plan.note:
        page.text(EDGE, plan.bottom - EDGE - 0.2, plan.note, color=FAINT, va="bottom", **style)

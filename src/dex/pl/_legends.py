"""What the bars of colour mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from dex.pl._strips import Levels, Numbers, Strip
from dex.pl._theme import FAINT, SMALL, shortened, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from dex.pl._page import Page

_MOST_ENTRIES = 14
_LINE = 2.9
_BOX = 2.0
_RAMP = 11.0
_SPACE = 2.0


@dataclass(frozen=True, slots=True)
class Legend:
    """The legend of one bar; lengths in mm."""

    strip: Strip

    @property
    def entries(self) -> list[tuple[str, str]]:
        """Names and colours of the levels; the rest of very many are counted."""
        if isinstance(self.strip, Numbers):
            return []
        entries = self.strip.legend()
        if len(entries) <= _MOST_ENTRIES:
            return entries
        return [*entries[: _MOST_ENTRIES - 1], (f"{len(entries) - _MOST_ENTRIES + 1} more", "none")]

    @property
    def width(self) -> float:
        """Of the widest line."""
        name = 1.1 * text_width(shortened(self.strip.name))  # it is bold
        if isinstance(self.strip, Numbers):
            return max(_RAMP, name, sum(map(text_width, self.strip.ends())) + 1.5)
        return max(name, *(text_width(shortened(name)) + _BOX + 1 for name, _ in self.entries))

    @property
    def height(self) -> float:
        """With the space below."""
        return _LINE * (1 + (len(self.entries) or 2)) + _SPACE


def draw_legends(
    page: Page, legends: Sequence[Legend], *, left: float, top: float, room: float
) -> None:
    """Draw legends below each other, as far as ``room`` mm go."""
    for legend in legends:
        if legend.height > room + _SPACE:
            return
        ax = page.axes(left, top, legend.width, legend.height)
        ax.set(
            xlim=(0, legend.width), ylim=(legend.height, 0), label=f"legend of {legend.strip.name}"
        )
        _write(ax, 0, 0.5 * _LINE, shortened(legend.strip.name), bold=True)
        if isinstance(legend.strip, Levels):
            _draw_levels(ax, legend)
        else:
            _draw_ramp(ax, legend.strip)
        top, room = top + legend.height, room - legend.height


def _draw_levels(ax: Axes, legend: Legend) -> None:
    for i, (name, colour) in enumerate(legend.entries):
        y = (i + 1.5) * _LINE
        edge = "none" if colour == "none" else FAINT
        box = Rectangle((0, y - _BOX / 2), _BOX, _BOX, fc=colour, ec=edge, lw=0.3)
        ax.add_patch(box)
        _write(ax, _BOX + 1, y, shortened(name))


def _draw_ramp(ax: Axes, strip: Numbers) -> None:
    ramp = np.linspace(strip.norm.vmin or 0, strip.norm.vmax or 1, 64)[None]
    limits = ax.get_xlim(), ax.get_ylim()
    box = (0.0, _RAMP, 1.4 * _LINE + _BOX / 2, 1.4 * _LINE - _BOX / 2)
    ax.imshow(ramp, cmap=strip.cmap, norm=strip.norm, extent=box, aspect="auto")
    ax.set(xlim=limits[0], ylim=limits[1])
    low, high = strip.ends()
    _write(ax, 0, 2.4 * _LINE, low)
    _write(ax, max(_RAMP - text_width(high), text_width(low) + 1.5), 2.4 * _LINE, high)


def _write(ax: Axes, x: float, y: float, text: str, *, bold: bool = False) -> None:
    weight = "bold" if bold else "normal"
    ax.text(x, y, text, va="center_baseline", fontsize=SMALL, fontweight=weight, linespacing=1)

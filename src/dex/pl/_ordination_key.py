"""The key beside a map: colours, markers, or a scale of colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, TextArea, VPacker
from matplotlib.patches import Rectangle
from matplotlib.transforms import offset_copy

from dex.errors import InputError
from dex.pl._legends import Legend
from dex.pl._strips import Levels, Numbers
from dex.pl._theme import FAINT, INK, NEUTRAL, SMALL, shortened, text_width

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.offsetbox import OffsetBox

    from dex.pl._strips import Strip

MARKERS: Final = ("o", "^", "s", "D", "v", "P", "X", "*")
_BOX, _RAMP_WIDTH, _RAMP_HEIGHT = 6.0, 32.0, 6.0
_LINE_MM, _APART = 2.9, 3.0
_WIDEST_BESIDE = 0.38
_STEPS = 64


@dataclass(frozen=True, slots=True)
class Key:
    """What colours and markers mean, and where that is said; lengths in mm."""

    colour: Strip | None
    shape: Levels | None
    room: float
    """Width for a panel with its key."""

    @property
    def strips(self) -> tuple[Strip, ...]:
        """One for each section: one for both if colours and markers mean the same."""
        if self.colour is not None and self.shape is not None and self.is_shared:
            return (self.shape,)
        return tuple(strip for strip in (self.colour, self.shape) if strip is not None)

    @property
    def is_shared(self) -> bool:
        """Whether colours and markers stand for the same column."""
        both = self.colour is not None and self.shape is not None
        return both and self.colour.name == self.shape.name  # type: ignore[union-attr]

    @property
    def width(self) -> float:
        """About that of the widest section."""
        return max((Legend(strip).width for strip in self.strips), default=0.0)

    @property
    def below(self) -> bool:
        """Whether it is under the axes, because beside them it would leave too little for them."""
        return self.width > _WIDEST_BESIDE * self.room

    @property
    def n_columns(self) -> int:
        """Columns of a key below."""
        return max(int((self.room + _APART) / (self.width + _APART)), 1)

    @property
    def beside_mm(self) -> float:
        """What it takes from the width."""
        return self.width + 2.5 if self.strips and not self.below else 0.0

    @property
    def below_mm(self) -> float:
        """What it takes from the height."""
        if not self.below:
            return 0.0
        lines = [-(-len(Legend(strip).entries) // self.n_columns) or 2 for strip in self.strips]
        return sum(_LINE_MM * (n + 1) + 2.5 for n in lines)

    def draw(self, ax: Axes) -> None:
        """Draw it on axes whose labels are there."""
        if not self.strips:
            return
        n_columns = self.n_columns if self.below else 1
        sections: list[Artist] = [self._section(strip, n_columns) for strip in self.strips]
        shift = {"x": 0.0, "y": -27.0} if self.below else {"x": 5.0, "y": 0.0}
        box = AnchoredOffsetbox(
            loc="upper center" if self.below else "upper left",
            child=VPacker(children=sections, pad=0, sep=7),
            bbox_to_anchor=(0.5, 0) if self.below else (1, 1),
            bbox_transform=offset_copy(ax.transAxes, ax.figure, units="points", **shift),  # type: ignore[arg-type]
            borderpad=0,
            pad=0,
            frameon=False,
        )
        box.set_label("key")
        ax.add_artist(box)

    def _section(self, strip: Strip, n_columns: int) -> OffsetBox:
        if isinstance(strip, Numbers):
            return _ramp(strip)
        return _levels(
            strip,
            colours=strip is not self.shape or self.is_shared,
            markers=strip is self.shape,
            n_columns=n_columns,
        )


def check_shape(shape: Levels) -> None:
    """Refuse more levels than there are markers.

    Raises
    ------
    InputError
        If there are.
    """
    if len(shape.names) > len(MARKERS):
        msg = (
            f"shape={shape.name!r} has {len(shape.names)} levels, and {len(MARKERS)} markers can "
            "be told apart; show it by color=."
        )
        raise InputError(msg)


def _levels(strip: Levels, *, colours: bool, markers: bool, n_columns: int) -> VPacker:
    lines: list[Artist] = []
    for name, colour in Legend(strip).entries:
        place = strip.names.index(name) if name in strip.names else 0
        missing = name == "missing" and name not in strip.names
        marker = MARKERS[place] if markers else "o"
        face = (NEUTRAL if missing else colour) if colours else FAINT
        children: list[Artist] = [_mark(marker, face), _text(name)]
        lines.append(HPacker(children=children, align="center", pad=0, sep=2.5))
    per_column = -(-len(lines) // n_columns)
    columns: list[Artist] = [
        VPacker(children=lines[start : start + per_column], pad=0, sep=2)
        for start in range(0, len(lines), per_column)
    ]
    beside = HPacker(children=columns, align="top", pad=0, sep=_APART * 72 / 25.4)
    return VPacker(children=[_text(strip.name, bold=True), beside], pad=0, sep=2)


def _mark(marker: str, colour: str) -> DrawingArea:
    area = DrawingArea(_BOX, _BOX)
    if colour != "none":
        style = {"markersize": 4.2, "markerfacecolor": colour, "markeredgecolor": INK}
        middle = [_BOX / 2]
        area.add_artist(Line2D(middle, middle, marker=marker, markeredgewidth=0.3, **style))  # type: ignore[arg-type]
    return area


def _ramp(strip: Numbers) -> VPacker:
    """Colours from low to high; each box reaches to the end, so that no seams are seen."""
    width = max(_RAMP_WIDTH, 72 / 25.4 * (sum(map(text_width, strip.ends())) + 1.5))
    area = DrawingArea(width, _RAMP_HEIGHT)
    for part in np.arange(_STEPS) / _STEPS:
        colour = strip.cmap(part + 0.5 / _STEPS)
        left = part * width
        area.add_artist(Rectangle((left, 0), width - left, _RAMP_HEIGHT, fc=colour, ec="none"))
    low, high = strip.ends()
    gap = width - 72 / 25.4 * (text_width(low) + text_width(high))
    ends = HPacker(children=[_text(low), _text(high)], align="baseline", pad=0, sep=gap)
    lines: list[Artist] = [_text(strip.name, bold=True), area, ends]
    if not np.isfinite(strip.values).all():
        missing: list[Artist] = [_mark("o", NEUTRAL), _text("missing")]
        lines.append(HPacker(children=missing, align="center", pad=0, sep=2.5))
    return VPacker(children=lines, pad=0, sep=2)


def _text(text: str, *, bold: bool = False) -> TextArea:
    style = {"fontsize": SMALL, "fontweight": "bold" if bold else "normal", "linespacing": 1}
    return TextArea(shortened(text), textprops=style)

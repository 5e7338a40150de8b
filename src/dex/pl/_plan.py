"""How a heatmap divides its page, in millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.pl._legends import Legend
from dex.pl._page import column_spans
from dex.pl._theme import (
    COLUMN_MM,
    LARGE,
    PAGE_MM,
    line_height,
    millimetres,
    shortened,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

    from dex.pl._strips import Strip
    from dex.pl._table import HeatmapTable
    from dex.typing import Float

STRIP_MM, STRIP_STEP = 2.3, 2.8
BLOCK_MM, BLOCK_STEP = 1.2, 1.8
BAR_WIDTH = 2.4
EDGE = 2.0

_BAR_HEIGHT, _BAR_SPACE = 20.0, 4.0
_BAR_ROOM_ACROSS = 13.0
_FEW_OBSERVATIONS = 24
_MOST_NAMES = 60
_ROW_MM = 2.7
_LEAST_HEIGHT, _MOST_HEIGHT = 24.0, 220.0


@dataclass(frozen=True, slots=True)
class Extras:
    """What surrounds the values of a heatmap."""

    title: str
    note: str
    strips: tuple[Strip, ...]
    """Annotations asked for, over all observations of the AnnData."""
    obs_names: tuple[str, ...]
    """Of the observations shown, in order."""
    block_names: tuple[str, ...]
    z_score: bool
    unit: str
    cmap: str | Colormap | None
    figsize: tuple[float, float] | None
    """In inches."""

    @property
    def has_blocks(self) -> bool:
        """Whether the genes come from several tests."""
        return len(self.block_names) > 1


@dataclass(frozen=True, slots=True)
class Across:
    """From left to right."""

    width: float
    left: float
    heat_width: float
    spans: Float
    """Ends of the groups from the left end of the values, ``(n_groups, 2)``."""
    labels: tuple[str, ...]
    """Of the groups; none where there are no groups."""
    slant: int
    """Angle of the labels: 0, 45 or 90 degrees."""

    @property
    def side(self) -> float:
        """Where legends begin."""
        return self.left + self.heat_width + EDGE


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is on the page."""

    across: Across
    height: float
    title: str
    top: float
    """Upper end of the values; bars of colour and labels are above."""
    heat_height: float
    names: tuple[str, ...]
    """Observations named below; none where there is no room."""
    strips: tuple[Strip, ...]
    legends: tuple[Legend, ...]

    @property
    def bars_top(self) -> float:
        """Upper end of the bars of colour, where the legends begin too."""
        return self.top - STRIP_STEP * len(self.strips)

    @property
    def bar_height(self) -> float:
        """Height of the key to the colours of the values."""
        return min(_BAR_HEIGHT, 0.6 * self.heat_height)

    @property
    def legend_room(self) -> float:
        """Height for the legends, above the key."""
        return self.top - self.bars_top + self.heat_height - self.bar_height - _BAR_SPACE


def plan_page(table: HeatmapTable, extras: Extras) -> Plan:
    """Divide the page among the values and what surrounds them."""
    levels, grouped = table.observations.levels, table.observations.is_grouped
    strips = (*((levels,) if levels is not None else ()), *extras.strips)
    legends = tuple(Legend(strip) for strip in strips if not (grouped and strip is levels))
    across = _across(table, extras, strips, legends)
    title = wrapped(extras.title, across.width - 2 * EDGE, LARGE)
    heading = title.count("\n") * line_height(LARGE) + 4.5 if title else 1.0
    top = heading + _above(across) + len(strips) * STRIP_STEP + 0.3
    names = _names(table, extras, across)
    below = max(map(text_width, names), default=2.5) + 2.5
    below += line_height() + 0.5 if extras.note else 0.0
    heat_height = _heat_height(table, extras, legends, taken=top + below)
    return Plan(across, top + heat_height + below, title, top, heat_height, names, strips, legends)


def _across(
    table: HeatmapTable, extras: Extras, strips: tuple[Strip, ...], legends: tuple[Legend, ...]
) -> Across:
    observations = table.observations
    width = COLUMN_MM if len(observations.rows) <= _FEW_OBSERVATIONS else PAGE_MM
    width = millimetres(extras.figsize[0]) if extras.figsize is not None else width
    words = [shortened(word) for word in (*table.genes, *(strip.name for strip in strips))]
    left = max(map(text_width, words)) + EDGE + 1 + BLOCK_STEP * extras.has_blocks
    side = max(_BAR_ROOM_ACROSS, *(legend.width for legend in legends), 0) + 2 * EDGE
    labels = _group_labels(table)
    heat_width = width - left - side
    spans = column_spans(observations.sizes, heat_width)
    slant = _slant(labels, spans)
    if slant == 45:  # the last labels lean over the legends, and may lean off the page
        beyond = max(_reaches(labels, spans)) - (heat_width + side - EDGE)
        heat_width -= max(beyond, 0)
        spans = column_spans(observations.sizes, heat_width)
    return Across(width, left, heat_width, spans, labels, slant)


def _group_labels(table: HeatmapTable) -> tuple[str, ...]:
    observations = table.observations
    if not observations.is_grouped:
        return ()
    pairs = zip(observations.names, observations.sizes, strict=True)
    return tuple(f"{shortened(name)} (n={size})" for name, size in pairs)


def _slant(labels: tuple[str, ...], spans: Float) -> int:
    """Level if every label fits over its group; leaning if their feet are far enough apart."""
    if all(
        text_width(text) <= high - low for text, (low, high) in zip(labels, spans, strict=False)
    ):
        return 0
    return 45 if np.diff(spans.mean(axis=1)).min(initial=np.inf) >= 1.42 * line_height() else 90


def _reaches(labels: tuple[str, ...], spans: Float) -> list[float]:
    middles = spans.mean(axis=1)
    return [x + 0.71 * text_width(text) for text, x in zip(labels, middles, strict=True)]


def _above(across: Across) -> float:
    """Height of the labels of the groups."""
    if not across.labels:
        return 0.0
    longest = max(map(text_width, across.labels))
    return {0: line_height() + 1, 45: 0.71 * longest + 3, 90: longest + 2}[across.slant]


def _names(table: HeatmapTable, extras: Extras, across: Across) -> tuple[str, ...]:
    """Names of the observations, if there are few and each has a line's width."""
    sizes, spans = table.observations.sizes, across.spans
    narrowest = ((spans[:, 1] - spans[:, 0]) / np.maximum(sizes, 1)).min()
    if len(extras.obs_names) > _MOST_NAMES or narrowest < line_height():
        return ()
    return tuple(map(shortened, extras.obs_names))


def _heat_height(
    table: HeatmapTable, extras: Extras, legends: tuple[Legend, ...], *, taken: float
) -> float:
    if extras.figsize is not None:
        return max(millimetres(extras.figsize[1]) - taken, 5.0)
    beside = sum(legend.height for legend in legends) + _BAR_HEIGHT + _BAR_SPACE
    return min(max(_ROW_MM * len(table.genes), beside, _LEAST_HEIGHT), _MOST_HEIGHT)

"""How a heatmap divides its page, in millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.pl._legends import Legend
from dex.pl._page import centres, column_spans, row_spans
from dex.pl._theme import (
    COLUMN_MM,
    LARGE,
    PAGE_MM,
    SMALL,
    broken,
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
    from dex.typing import Bool, Float

STRIP_MM, STRIP_STEP = 2.3, 2.8
BLOCK_MM, BLOCK_STEP = 1.2, 1.8
TREE_MM, TREE_STEP = 7.0, 8.0
CONNECTOR_MM = 4.0
OUTER_STEP = 3.6
BAR_WIDTH = 2.4
EDGE = 2.0
NAME_LINE = line_height(SMALL - 0.5)
"""Distance from name to name of genes in mm."""

_BAR_HEIGHT, _BAR_SPACE = 20.0, 4.0
_BAR_ROOM_ACROSS = 13.0
_FEW_OBSERVATIONS = 24
_MOST_NAMES = 60
_ROW_MM = 2.7
_ROW_GAP_MM = 0.7
_WIDEST_TITLE = 22.0
_LEAST_HEIGHT, _MOST_HEIGHT = 24.0, 220.0
_LEAST_WIDTH = 30.0


@dataclass(frozen=True, slots=True)
class Extras:
    """What surrounds the values of a heatmap."""

    title: str
    note: str
    strips: tuple[Strip, ...]
    """Bars of colour beside those of the groups, over all observations of the AnnData."""
    obs_names: tuple[str, ...]
    """Of the observations shown, in order."""
    marked: Bool
    """Genes to name in any case, ``(n_genes,)`` in the order drawn."""
    only_marked: bool
    """Whether the other genes have no names."""
    trees: tuple[bool, bool]
    """Whether the trees of genes and of observations are drawn."""
    z_score: bool
    unit: str
    limits: tuple[float, float]
    """Values at the two ends of the colours."""
    cmap: str | Colormap | None
    figsize: tuple[float, float] | None
    """In inches."""


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
    titles: tuple[str, ...]
    """Of the blocks of genes, to the right of them; none where there is one block."""
    upright: bool
    """Whether these titles run from bottom to top."""
    beyond: float
    """Width of the tree and of the titles of the blocks, to the right of the values."""

    @property
    def side(self) -> float:
        """Where legends begin."""
        return self.left + self.heat_width + self.beyond + EDGE


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is on the page."""

    across: Across
    height: float
    title: str
    top: float
    """Upper end of the values; bars of colour and labels are above."""
    heat_height: float
    row_spans: Float
    """Ends of the blocks of genes from the upper end of the values, ``(n_blocks, 2)``."""
    row_centres: Float
    """Of the genes, from the upper end of the values, ``(n_genes,)``."""
    names: tuple[str, ...]
    """Observations named below; none where there is no room."""
    strips: tuple[Strip, ...]
    legends: tuple[Legend, ...]
    gene_tree: bool
    tree_height: float
    """Of the tree of observations; 0 where there is none."""
    outer_top: float
    """Upper end of the labels of the outermost groups."""

    @property
    def row_height(self) -> float:
        """Of one gene."""
        n_genes = len(self.row_centres)
        return float((self.row_spans[:, 1] - self.row_spans[:, 0]).sum() / n_genes)

    @property
    def bars_top(self) -> float:
        """Upper end of the bars of colour, where the legends begin too."""
        return self.top - STRIP_STEP * len(self.strips) - self.tree_height

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
    levels = table.observations.levels
    strips = (*levels, *extras.strips)
    explained = {strip.name for strip in levels} if _names_levels(table) else set()
    legends = tuple(Legend(strip) for strip in strips if strip.name not in explained)
    across = _across(table, extras, strips, legends)
    title = wrapped(extras.title, across.width - 2 * EDGE, LARGE)
    heading = title.count("\n") * line_height(LARGE) + 4.5 if title else 1.0
    tree_height = TREE_STEP if extras.trees[1] and table.observations.trees else 0.0
    top = heading + _above(table, across) + len(strips) * STRIP_STEP + tree_height + 0.3
    names = _names(table, extras, across)
    below = max(map(text_width, names), default=2.5) + 2.5
    below += line_height() + 0.5 if extras.note else 0.0
    heat_height = _heat_height(table, extras, legends, taken=top + below)
    sizes = table.block_sizes
    rows = row_spans(sizes, heat_height, min(_ROW_GAP_MM, 0.2 * heat_height / len(sizes)))
    return Plan(
        across,
        top + heat_height + below,
        title,
        top,
        heat_height,
        rows,
        centres(sizes, rows),
        names,
        strips,
        legends,
        _has_gene_tree(table, extras),
        tree_height,
        heading,
    )


def _names_levels(table: HeatmapTable) -> bool:
    """Whether the labels of the groups say what the colours of their bars mean."""
    observations = table.observations
    nested = len(observations.outer[0]) + 1 if observations.outer else 1
    return observations.is_grouped and len(observations.levels) == nested


def _across(
    table: HeatmapTable, extras: Extras, strips: tuple[Strip, ...], legends: tuple[Legend, ...]
) -> Across:
    left = _left(table, extras, strips)
    side = max(_BAR_ROOM_ACROSS, *(legend.width for legend in legends), 0) + 2 * EDGE
    tree = TREE_STEP * _has_gene_tree(table, extras)
    titles = _block_titles(table)
    upright = _fit_upright(titles, table)
    beyond = tree + _title_room(titles, upright=upright)
    width = _width(table, extras, taken=left + side + beyond)
    if width - left - side - beyond < _LEAST_WIDTH and _are_groups(table):
        titles = tuple(str(n) for n in table.block_sizes)  # the bars have the colours of the groups
        beyond = tree + _title_room(titles, upright=upright)
    heat_width = width - left - side - beyond
    spans = _spans(table, heat_width)
    labels = _group_labels(table, spans)
    slant = _slant(labels, spans)
    if slant == 45:  # the last labels lean over the legends, and may lean off the page
        excess = max(_reaches(labels, spans)) - (heat_width + beyond + side - EDGE)
        heat_width -= max(excess, 0)
        spans = _spans(table, heat_width)
    return Across(width, left, heat_width, spans, labels, slant, titles, upright, beyond)


def _left(table: HeatmapTable, extras: Extras, strips: tuple[Strip, ...]) -> float:
    """Room for the names of genes and bars of colour, and for what joins them to the values."""
    pairs = zip(table.genes, extras.marked, strict=True)
    genes = [gene for gene, marked in pairs if marked or not extras.only_marked]
    words = [shortened(word) for word in (*genes, *(strip.name for strip in strips))]
    joined = BLOCK_STEP * has_blocks(table) + CONNECTOR_MM * bool(extras.marked.any())
    return max(map(text_width, words), default=0.0) + EDGE + 1 + joined


def _width(table: HeatmapTable, extras: Extras, *, taken: float) -> float:
    """One column of a page if that is wide enough, else one and a half, or the page."""
    if extras.figsize is not None:
        return millimetres(extras.figsize[0])
    if len(table.observations.rows) > _FEW_OBSERVATIONS:
        return PAGE_MM
    least = max(_LEAST_WIDTH, _outer_width(table))
    fit = (width for width in (COLUMN_MM, 1.4 * COLUMN_MM) if width - taken >= least)
    return next(fit, PAGE_MM)


def _outer_width(table: HeatmapTable) -> float:
    """Width of the values over which the names of the outer groups have room."""
    outer, sizes = table.observations.outer, table.observations.sizes
    depth = len(outer[0]) if outer else 0
    widest = 0.0
    for level in range(depth):
        paths = [path[: level + 1] for path in outer]
        for path in set(paths):
            size = sum(n for n, other in zip(sizes, paths, strict=True) if other == path)
            widest = max(widest, 1.1 * text_width(shortened(path[-1])) * sizes.sum() / size)
    return widest


def _fit_upright(titles: tuple[str, ...], table: HeatmapTable) -> bool:
    """Whether every title is at most as long as its block is high."""
    room = 0.8 * _ROW_MM * table.block_sizes
    return all(
        "\n" not in title and text_width(title) <= high
        for title, high in zip(titles, room, strict=False)
    )


def _title_room(titles: tuple[str, ...], *, upright: bool) -> float:
    if not titles:
        return 0.0
    if upright:
        return line_height() + 1
    return 1 + max(text_width(line) for title in titles for line in title.split("\n"))


def _has_gene_tree(table: HeatmapTable, extras: Extras) -> bool:
    return extras.trees[0] and bool(table.trees)


def has_blocks(table: HeatmapTable) -> bool:
    """Whether the genes drawn are divided."""
    return len(table.block_names) > 1


def _block_titles(table: HeatmapTable) -> tuple[str, ...]:
    """Name and number of genes of each block."""
    if not has_blocks(table):
        return ()
    pairs = zip(table.block_names, table.block_sizes, strict=True)
    return tuple(broken(f"{shortened(name)} ({n})", _WIDEST_TITLE) for name, n in pairs)


def _spans(table: HeatmapTable, width: float) -> Float:
    outer = table.observations.outer
    changes = np.array([a != b for a, b in zip(outer[1:], outer[:-1], strict=True)], dtype=bool)
    return column_spans(table.observations.sizes, width, wide=changes if outer else None)


def _are_groups(table: HeatmapTable) -> bool:
    """Whether the blocks of genes have the names of the groups of observations."""
    return has_blocks(table) and set(table.block_names) <= set(table.observations.names)


def _group_labels(table: HeatmapTable, spans: Float) -> tuple[str, ...]:
    """Name and size of each group, in two lines where only so they all fit over their groups."""
    observations = table.observations
    if not observations.is_grouped:
        return ()
    pairs = list(zip(observations.names, observations.sizes, strict=True))
    in_one, in_two = (
        tuple(f"{shortened(name)}{between}(n={size:,})" for name, size in pairs)
        for between in (" ", "\n")
    )
    return in_two if _fit(in_two, spans) and not _fit(in_one, spans) else in_one


def _fit(labels: tuple[str, ...], spans: Float) -> bool:
    widths = [max(map(text_width, text.split("\n"))) for text in labels]
    return all(width <= high - low for width, (low, high) in zip(widths, spans, strict=False))


def _slant(labels: tuple[str, ...], spans: Float) -> int:
    """Level if every label fits over its group; leaning if their feet are far enough apart."""
    if _fit(labels, spans):
        return 0
    return 45 if np.diff(spans.mean(axis=1)).min(initial=np.inf) >= 1.42 * line_height() else 90


def _reaches(labels: tuple[str, ...], spans: Float) -> list[float]:
    middles = spans.mean(axis=1)
    return [x + 0.71 * text_width(text) for text, x in zip(labels, middles, strict=True)]


def _above(table: HeatmapTable, across: Across) -> float:
    """Height of the labels of the groups."""
    if not across.labels:
        return 0.0
    longest = max(text_width(line) for text in across.labels for line in text.split("\n"))
    lines = across.labels[0].count("\n") + 1
    depth = len(table.observations.outer[0]) if table.observations.outer else 0
    own = {0: lines * line_height() + 1, 45: 0.71 * longest + 3, 90: longest + 2}[across.slant]
    return own + depth * OUTER_STEP


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
    rows = _ROW_MM * len(table.genes) + _ROW_GAP_MM * (len(table.block_names) - 1)
    return min(max(rows, beside, _LEAST_HEIGHT), _MOST_HEIGHT)

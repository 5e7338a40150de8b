"""A heatmap on its page: values, names, trees, bars of colour, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from dex.pl._legends import draw_legends
from dex.pl._page import Page, centres, dodged, merged_columns, with_room
from dex.pl._plan import (
    BAR_WIDTH,
    BLOCK_MM,
    BLOCK_STEP,
    CONNECTOR_MM,
    EDGE,
    NAME_LINE,
    OUTER_STEP,
    STRIP_MM,
    STRIP_STEP,
    TREE_MM,
    TREE_STEP,
    Extras,
    Plan,
    has_blocks,
    plan_page,
)
from dex.pl._save import new_figure
from dex.pl._theme import FAINT, INK, LARGE, NEUTRAL, SMALL, line_height, shortened, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from dex.pl._order import Tree
    from dex.pl._table import HeatmapTable
    from dex.typing import Bool, Float

_IMAGE: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
"""No smoothing: a gene must not colour its neighbour."""
_PIXELS_PER_MM = 300 / 25.4
_THIN = 0.4


def draw_heatmap(table: HeatmapTable, extras: Extras, *, host: Axes | None, own: bool) -> Axes:
    """Draw it on a new figure, or in the place of ``host``.

    Return the axes of the values, in mm from their upper left corner.
    """
    plan = plan_page(table, extras)
    across = plan.across
    if host is None:
        page = Page(new_figure(across.width, plan.height, own=own), across.width, plan.height)
    else:
        page = Page.inside(host)
    ax = page.axes(across.left, plan.top, across.heat_width, plan.heat_height)
    ax.set_label("values")
    colours = _colours(extras)
    _draw_values(ax, table, colours, plan)
    _name_genes(page, ax, table, extras, plan)
    _name_observations(ax, table, plan)
    _draw_trees(page, table, plan)
    _draw_strips(page, table, plan)
    _name_groups(page, table, plan)
    _draw_blocks(page, table, plan)
    draw_legends(page, plan.legends, left=across.side, top=plan.bars_top, room=plan.legend_room)
    _draw_bar(page, table, extras, colours, plan)
    _write_title(page, extras, plan)
    if host is None:
        page.figure.sca(ax)
    return ax


def _colours(extras: Extras) -> ScalarMappable:
    cmap = extras.cmap if extras.cmap is not None else ("RdBu_r" if extras.z_score else "viridis")
    return ScalarMappable(Normalize(*extras.limits), mpl.colormaps.get_cmap(cmap))


def _draw_values(ax: Axes, table: HeatmapTable, colours: ScalarMappable, plan: Plan) -> None:
    """Draw an image for each block of genes in each group, with white between them."""
    style: dict[str, Any] = {"cmap": colours.cmap, "norm": colours.norm} | _IMAGE
    rows = np.split(table.values, np.cumsum(table.block_sizes)[:-1])
    ends = np.cumsum(table.observations.sizes)[:-1]
    for block, (top, bottom) in zip(rows, plan.row_spans, strict=True):
        parts = np.split(block, ends, axis=1)
        for part, (left, right) in zip(parts, plan.across.spans, strict=True):
            seen = merged_columns(part, int((right - left) * _PIXELS_PER_MM))
            ax.imshow(seen, extent=(left, right, bottom, top), **style)
    ax.set_xlim(0, plan.across.heat_width)
    ax.set_ylim(plan.heat_height, 0)


def _draw_blocks(page: Page, table: HeatmapTable, plan: Plan) -> None:
    """Draw the colour of the group beside the genes that were taken for it, and their number."""
    if not has_blocks(table):
        return
    colour_of = {
        name: colour
        for levels in table.observations.levels
        for name, colour in zip(levels.names, levels.colours, strict=True)
    }
    across = plan.across
    ax = page.axes(across.left - BLOCK_STEP + 0.3, plan.top, BLOCK_MM, plan.heat_height)
    ax.set(xlim=(0, 1), ylim=(plan.heat_height, 0), label="blocks")
    for name, (top, bottom) in zip(table.block_names, plan.row_spans, strict=True):
        colour = colour_of.get(name, NEUTRAL)
        ax.add_patch(Rectangle((0, top), 1, bottom - top, fc=colour, ec="none"))
    left = across.left + across.heat_width + TREE_STEP * plan.gene_tree + 1
    _write_block_titles(page, plan, left)


def _write_block_titles(page: Page, plan: Plan, left: float) -> None:
    """Write the titles beside the middles of their blocks, as far as they have room."""
    titles, middles = plan.across.titles, plan.row_spans.mean(axis=1)
    heights = plan.row_spans[:, 1] - plan.row_spans[:, 0]
    upright = plan.across.upright and all(map(_is_shorter, titles, heights))
    lines = max(title.count("\n") + 1 for title in titles)
    keep = np.ones(len(titles), dtype=bool)
    if not upright:
        keep = with_room(middles, -heights, lines * line_height())
    style: dict[str, Any] = {"va": "center", "fontsize": SMALL, "linespacing": 1}
    style |= {"rotation": 90} if upright else {}
    for title, place, kept in zip(titles, middles, keep, strict=True):
        if kept:
            page.text(left, plan.top + place, title, **style)


def _is_shorter(title: str, height: float) -> bool:
    return text_width(title) <= height


def _name_genes(page: Page, ax: Axes, table: HeatmapTable, extras: Extras, plan: Plan) -> None:
    """Name the genes asked for, joined to their rows; else all, or the best as far as they fit."""
    positions, fit = plan.row_centres, plan.row_height >= NAME_LINE - 1e-9
    beside = BLOCK_STEP * has_blocks(table)
    if extras.marked.any() and (extras.only_marked or not fit):
        keep = _most_important(extras.marked, table, int(plan.heat_height / NAME_LINE))
        places = dodged(positions[keep], NAME_LINE, plan.heat_height)
        _connect(page, positions[keep], places, plan, beside)
        beside += CONNECTOR_MM
    else:
        keep = with_room(positions, table.rank, NAME_LINE)
        places = positions[keep]
        if not keep.all():
            _connect(page, places, places, plan, beside, length=0.8)
            beside += 0.5
    names = [shortened(name) for name, kept in zip(table.genes, keep, strict=True) if kept]
    ax.set_yticks(places, names, fontsize=SMALL)
    ax.tick_params(axis="y", length=0, pad=1.5 + beside * 72 / 25.4)


def _most_important(marked: Bool, table: HeatmapTable, most: int) -> Bool:
    """As many of the genes asked for as can be named, the best first."""
    candidates = np.flatnonzero(marked)
    best = candidates[np.argsort(table.rank[candidates], kind="stable")[: max(most, 1)]]
    keep = np.zeros_like(marked)
    keep[best] = True
    return keep


def _connect(
    page: Page,
    rows: Float,
    places: Float,
    plan: Plan,
    beside: float,
    *,
    length: float = CONNECTOR_MM,
) -> None:
    """Draw lines from rows to the places of their names."""
    left = plan.across.left - beside - length
    ax = page.axes(left, plan.top, length, plan.heat_height)
    ax.set(xlim=(0, 1), ylim=(plan.heat_height, 0), label="connectors")
    x = np.array([0, 0.25, 0.8, 1])
    y = np.column_stack([places, places, rows, rows])
    lines = np.stack([np.broadcast_to(x, y.shape), y], axis=2)
    ax.add_collection(LineCollection(list(lines), colors=FAINT, linewidths=_THIN, clip_on=False))


def _name_observations(ax: Axes, table: HeatmapTable, plan: Plan) -> None:
    """Name every observation, or say how many there are."""
    n = len(table.observations.rows)
    if plan.names:
        ax.set_xticks(_column_centres(table, plan), plan.names, rotation=90, fontsize=SMALL)
        ax.tick_params(axis="x", length=0, pad=1.5)
    else:
        ax.set_xlabel(f"{n:,} observation{'s' if n > 1 else ''}", fontsize=SMALL, labelpad=3)


def _column_centres(table: HeatmapTable, plan: Plan) -> Float:
    return centres(table.observations.sizes, plan.across.spans)


def _draw_trees(page: Page, table: HeatmapTable, plan: Plan) -> None:
    across = plan.across
    if plan.gene_tree:
        left = across.left + across.heat_width + 0.5
        ax = page.axes(left, plan.top, TREE_MM, plan.heat_height)
        ax.set(ylim=(plan.heat_height, 0), label="tree of genes")
        _draw_forest(ax, table.trees, plan.row_centres, upright=False)
    if plan.tree_height:
        ax = page.axes(across.left, plan.bars_top + 0.2, across.heat_width, TREE_MM)
        ax.set(xlim=(0, across.heat_width), label="tree of observations")
        _draw_forest(ax, table.observations.trees, _column_centres(table, plan), upright=True)


def _draw_forest(ax: Axes, trees: Sequence[Tree], positions: Float, *, upright: bool) -> None:
    """Trees with their feet on the values, all on one scale."""
    bars = np.concatenate([tree.joints(positions) for tree in trees])
    top = 1.02 * max(tree.height for tree in trees) or 1.0
    many = len(bars) > 200
    bars = bars if upright else bars[..., ::-1]
    style: dict[str, Any] = {"colors": INK, "linewidths": 0.25 if many else _THIN}
    ax.add_collection(LineCollection(list(bars), **style), autolim=False)
    ax.set(ylim=(0, top)) if upright else ax.set(xlim=(0, top))


def _draw_strips(page: Page, table: HeatmapTable, plan: Plan) -> None:
    across, ends = plan.across, np.cumsum(table.observations.sizes)
    for i, strip in enumerate(plan.strips):
        top = plan.top - 0.5 - STRIP_STEP * (len(plan.strips) - i) + 0.3
        ax = page.axes(across.left, top, across.heat_width, STRIP_MM)
        rgb = strip.rgb()[table.observations.rows][None]
        for part, (left, right) in zip(np.split(rgb, ends[:-1], axis=1), across.spans, strict=True):
            ax.imshow(part, extent=(left, right, 1, 0), **_IMAGE)
        ax.set(xlim=(0, across.heat_width), ylim=(1, 0), label=f"bar of {strip.name}")
        ax.set_yticks([0.5], [shortened(strip.name)], fontsize=SMALL)
        ax.tick_params(axis="y", length=0, pad=1.5)


def _name_groups(page: Page, table: HeatmapTable, plan: Plan) -> None:
    across = plan.across
    if not across.labels:
        return
    bottom = plan.bars_top - 0.8
    middles = across.spans.mean(axis=1)
    apart = {0: 0.0, 45: 1.4, 90: 1.0}[across.slant] * line_height()
    keep = with_room(middles, -table.observations.sizes, apart)
    style: dict[str, Any] = {"rotation": across.slant, "va": "bottom", "fontsize": SMALL}
    style |= {"linespacing": 1.1}
    style |= {"ha": "left", "rotation_mode": "anchor"} if across.slant == 45 else {"ha": "center"}
    for text, x, kept in zip(across.labels, middles, keep, strict=True):
        if kept:
            page.text(across.left + x, bottom, text, **style)
    _name_outer_groups(page, table, plan)


def _name_outer_groups(page: Page, table: HeatmapTable, plan: Plan) -> None:
    """Name what the groups lie in, above a line over its groups."""
    outer, across = table.observations.outer, plan.across
    depth = len(outer[0]) if outer else 0
    for level in range(depth):
        y = plan.outer_top + OUTER_STEP * level + line_height() + 0.4
        paths = [path[: level + 1] for path in outer]
        first = [i for i, path in enumerate(paths) if i == 0 or path != paths[i - 1]]
        for start, stop in zip(first, [*first[1:], len(paths)], strict=True):
            left, right = across.spans[start, 0], across.spans[stop - 1, 1]
            ax = page.axes(across.left + left, y, right - left, 0.5)
            ax.axhline(0.5, color=INK, linewidth=0.6)
            ax.set_label("over " + paths[start][-1])
            middle = across.left + (left + right) / 2
            text = _cut_to(shortened(paths[start][-1]), right - left)
            page.text(middle, y - 0.2, text, ha="center", va="bottom", fontsize=SMALL)


def _cut_to(text: str, width: float) -> str:
    """Leave out the end of what is wider than ``width`` mm."""
    natural = text_width(text)
    if natural <= width:
        return text
    return text[: max(int(len(text) * width / natural) - 1, 1)] + "…"


def _draw_bar(
    page: Page, table: HeatmapTable, extras: Extras, colours: ScalarMappable, plan: Plan
) -> None:
    top = plan.top + plan.heat_height - plan.bar_height
    ax = page.axes(plan.across.side, top, BAR_WIDTH, plan.bar_height)
    ax.set_label("bar of colours")
    low, high = extras.limits
    below, above = bool(table.values.min() < low), bool(table.values.max() > high)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    bar = page.figure.colorbar(colours, cax=ax, extend=extend.get((below, above), "both"))
    bar.set_ticks(_ticks(low, high, symmetric=extras.z_score))
    bar.outline.set_linewidth(_THIN)
    ax.tick_params(length=2, width=_THIN, pad=1.5, labelsize=SMALL)
    words = f"z-score of\n{extras.unit}" if extras.z_score else extras.unit
    ax.set_ylabel(words, fontsize=SMALL, labelpad=2, linespacing=1)


def _ticks(low: float, high: float, *, symmetric: bool) -> list[float]:
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10], symmetric=symmetric).tick_values(low, high)
    return [tick for tick in ticks if low <= tick <= high]


def _write_title(page: Page, extras: Extras, plan: Plan) -> None:
    middle = plan.across.left + plan.across.heat_width / 2
    page.text(middle, 1, plan.title, ha="center", va="top", fontsize=LARGE)
    if extras.note:
        page.text(EDGE, page.height - 1, extras.note, fontsize=SMALL, color=FAINT)

"""A heatmap on its page: values, names, bars of colour, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from dex.pl._legends import draw_legends
from dex.pl._page import Page, centres, merged_columns, with_room
from dex.pl._plan import (
    BAR_WIDTH,
    BLOCK_MM,
    BLOCK_STEP,
    EDGE,
    STRIP_MM,
    STRIP_STEP,
    Extras,
    Plan,
    plan_page,
)
from dex.pl._save import new_figure
from dex.pl._table import Z_LIMIT, HeatmapTable
from dex.pl._theme import FAINT, LARGE, NEUTRAL, SMALL, line_height, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.typing import Float

_IMAGE: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
"""No smoothing: a gene must not colour its neighbour."""
_PIXELS_PER_MM = 300 / 25.4


def draw_heatmap(table: HeatmapTable, extras: Extras, *, own: bool) -> Axes:
    """Draw it on a new figure and return the axes of the values, ``x`` in mm and ``y`` in rows."""
    plan = plan_page(table, extras)
    across = plan.across
    page = Page(new_figure(across.width, plan.height, own=own), across.width, plan.height)
    ax = page.axes(across.left, plan.top, across.heat_width, plan.heat_height)
    colours = _colours(table, extras)
    _draw_values(ax, table, colours, plan)
    ruler = _draw_blocks(page, table, extras, plan) if extras.has_blocks else ax
    _name_genes(ax, ruler, table, plan)
    _name_observations(ax, table, plan)
    _draw_strips(page, table, plan)
    _name_groups(page, table, plan)
    draw_legends(page, plan.legends, left=across.side, top=plan.bars_top, room=plan.legend_room)
    _draw_bar(page, table, extras, colours, plan)
    _write_title(page, extras, plan)
    page.figure.sca(ax)
    return ax


def _colours(table: HeatmapTable, extras: Extras) -> ScalarMappable:
    cmap = extras.cmap if extras.cmap is not None else ("RdBu_r" if extras.z_score else "viridis")
    return ScalarMappable(Normalize(*_limits(table, extras)), mpl.colormaps.get_cmap(cmap))


def _limits(table: HeatmapTable, extras: Extras) -> tuple[float, float]:
    """Symmetric for z-scores; values from 0, or their least, to their 99th percentile."""
    if extras.z_score:
        return -Z_LIMIT, Z_LIMIT
    low, high = float(min(table.values.min(), 0)), float(np.percentile(table.values, 99))
    return low, high if high > low else low + 1


def _draw_values(ax: Axes, table: HeatmapTable, colours: ScalarMappable, plan: Plan) -> None:
    """Draw an image for each group, with white between groups and between blocks of genes."""
    n_genes = len(table.genes)
    style: dict[str, Any] = {"cmap": colours.cmap, "norm": colours.norm} | _IMAGE
    parts = np.split(table.values, np.cumsum(table.observations.sizes)[:-1], axis=1)
    for part, (left, right) in zip(parts, plan.across.spans, strict=True):
        seen = merged_columns(part, int((right - left) * _PIXELS_PER_MM))
        ax.imshow(seen, extent=(left, right, n_genes, 0), **style)
    boundaries = np.flatnonzero(np.diff(table.block)) + 1
    ax.hlines(boundaries, 0, plan.across.heat_width, colors="white", linewidth=1.2)
    ax.set_xlim(0, plan.across.heat_width)
    ax.set_ylim(n_genes, 0)


def _name_genes(ax: Axes, ruler: Axes, table: HeatmapTable, plan: Plan) -> None:
    """Name all genes if there is room, else the best, with a tick each on the ``ruler``."""
    row = plan.heat_height / len(table.genes)
    positions = np.arange(len(table.genes), dtype=np.float64) + 0.5
    keep = with_room(positions * row, table.rank, line_height(SMALL - 0.5))
    names = [shortened(name) for name, kept in zip(table.genes, keep, strict=True) if kept]
    length = 0 if keep.all() else 2
    beside = (ax.bbox.x0 - ruler.bbox.x0) * 72 / ax.figure.dpi + (length if ruler is not ax else 0)
    ruler.set_yticks(positions[keep], labels=[])
    ax.set_yticks(positions[keep], names, fontsize=SMALL)
    ax.tick_params(axis="y", length=0, pad=1.5 + beside)
    ruler.tick_params(axis="y", length=length, width=0.4)


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


def _draw_blocks(page: Page, table: HeatmapTable, extras: Extras, plan: Plan) -> Axes:
    """Draw the colour of the group beside the genes that were taken for it."""
    levels = table.observations.levels
    colour_of = dict(zip(levels.names, levels.colours, strict=True)) if levels is not None else {}
    n_genes = len(table.genes)
    left = plan.across.left - BLOCK_STEP + 0.3
    ax = page.axes(left, plan.top, BLOCK_MM, plan.heat_height)
    ax.set(xlim=(0, 1), ylim=(n_genes, 0), label="blocks")
    for b in np.unique(table.block):
        low, high = np.searchsorted(table.block, [b, b + 1])
        colour = colour_of.get(extras.block_names[b], NEUTRAL)
        ax.add_patch(Rectangle((0, low), 1, high - low, fc=colour, ec="white", lw=1.2))
    return ax


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
    style = {0: ("center", "bottom"), 45: ("left", "bottom"), 90: ("center", "bottom")}[
        across.slant
    ]
    for text, x, kept in zip(across.labels, middles, keep, strict=True):
        if kept:
            page.figure.text(
                (across.left + x) / page.width,
                1 - bottom / page.height,
                text,
                ha=style[0],
                va=style[1],
                rotation=across.slant,
                rotation_mode="anchor" if across.slant == 45 else "default",
                fontsize=SMALL,
            )


def _draw_bar(
    page: Page, table: HeatmapTable, extras: Extras, colours: ScalarMappable, plan: Plan
) -> None:
    top = plan.top + plan.heat_height - plan.bar_height
    ax = page.axes(plan.across.side, top, BAR_WIDTH, plan.bar_height)
    ax.set_label("bar of colours")
    low, high = _limits(table, extras)
    below, above = bool(table.values.min() < low), bool(table.values.max() > high)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    bar = page.figure.colorbar(colours, cax=ax, extend=extend.get((below, above), "both"))
    if extras.z_score:
        bar.set_ticks([-2, 0, 2])
    bar.outline.set_linewidth(0.4)
    ax.tick_params(length=2, width=0.4, pad=1.5, labelsize=SMALL)
    words = f"z-score of\n{extras.unit}" if extras.z_score else extras.unit
    ax.set_ylabel(words, fontsize=SMALL, labelpad=2, linespacing=1)


def _write_title(page: Page, extras: Extras, plan: Plan) -> None:
    middle = (plan.across.left + plan.across.heat_width / 2) / page.width
    top = 1 - 1 / page.height
    page.figure.text(middle, top, plan.title, ha="center", va="top", fontsize=LARGE)
    if extras.note:
        low = 1 / page.height
        page.figure.text(EDGE / page.width, low, extras.note, fontsize=SMALL, color=FAINT)

"""Fold changes of a few genes in several tests, as tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from dex.pl._compare_legend import LEGEND_MM, draw_legend
from dex.pl._compare_page import (
    EDGE,
    Names,
    open_page,
    short,
    title_height,
    title_lines,
    write_title,
)
from dex.pl._order import similar_first, within_blocks
from dex.pl._page import with_room
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    INK,
    PAGE_MM,
    SMALL,
    line_height,
    shortened,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.pl._compare_table import SideBySide
    from dex.pl._page import Page
    from dex.typing import Float, Int

MISSING_TILE = "#e6e6e6"
DOTS = (0.30, 0.46, 0.62)
"""Diameters of the dots, in parts of the shorter side of a tile."""
_STRONGER = (1e-3, 1e-6)
"""Adjusted p-values at which dots are larger."""
_ROW_MM, _LEAST_TILE, _WIDEST_TILE = 2.8, 3.0, 12.0
_GAP = 2.5
_ROBUST = 0.95
"""Quantile of the sizes of log2fc at which colours end."""
_ENDS = np.array([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
_DARK = 0.35
"""Luminance below which a dot is white."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """What the tiles show, in the order drawn."""

    genes: tuple[str, ...]
    tests: tuple[str, ...]
    rank: Int
    """``(n_genes,)``, 0 for the gene that is named first where there is little room."""
    log2fc: Float
    """``(n_genes, n_tests)``."""
    level: Int
    """``(n_genes, n_tests)``, 0 not significant, else the number of the dot, from 1."""
    thresholds: tuple[float, ...]
    """Largest adjusted p-value of each dot."""
    end: float
    """Size of log2fc at which colours end."""

    @classmethod
    def of(
        cls, table: SideBySide, chosen: Int, *, cluster_genes: bool, cluster_tests: bool
    ) -> Tiles:
        """Choose the genes at the positions ``chosen`` and put like beside like."""
        values = table.log2fc[chosen]
        end = colour_end(values)
        seen = np.clip(np.nan_to_num(values), -end, end)
        rows, columns = np.arange(len(chosen)), np.arange(table.n_tests)
        if cluster_tests:
            columns = similar_first(seen.T)
        if cluster_genes:
            rows = _gene_order(table, seen, columns)
        limit = 10**table.log10_limit
        thresholds = (limit, *(p for p in _STRONGER if p < limit))
        passed = table.log10_padj[chosen][..., None] <= np.log10(thresholds)
        level = np.where(table.significant[chosen], passed.sum(axis=-1), 0)
        return cls(
            tuple(table.genes[chosen[i]] for i in rows),
            tuple(table.labels[j] for j in columns),
            rows,
            values[rows][:, columns],
            level[rows][:, columns].astype(np.intp),
            thresholds,
            end,
        )


@dataclass(frozen=True, slots=True)
class TilesPlan:
    """Where things go, in mm."""

    left: float
    top: float
    width: float
    height: float
    names: Names
    title: str


def colour_end(values: Float) -> float:
    """Size at which colours end: about the 95th percentile, rounded up to a plain number."""
    sizes = np.abs(values[np.isfinite(values)])
    robust = float(np.quantile(sizes, _ROBUST)) if len(sizes) else 0.0
    if robust <= 0:
        return 1.0
    scale = 10 ** np.floor(np.log10(robust))
    return float(scale * _ENDS[np.searchsorted(_ENDS, robust / scale * (1 - 1e-9))])


def draw_tiles(
    table: SideBySide,
    chosen: Int,
    *,
    cluster_genes: bool,
    cluster_tests: bool,
    title: str,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> Axes:
    """Draw the genes at the positions ``chosen`` and return the axes of the tiles."""
    tiles = Tiles.of(table, chosen, cluster_genes=cluster_genes, cluster_tests=cluster_tests)
    if not table.significant.any():
        title = f"{title}\nno gene at padj ≤ {short(tiles.thresholds[0])}, best by p-value".strip()
    width = _page_width(tiles)
    natural = _plan(tiles, title, width, None)
    size = width, natural.top + natural.height + _below(natural)
    page = open_page(size, figsize=figsize, ax=ax, own=own)
    plan = _plan(tiles, title, page.width, page.height)
    main = page.axes(plan.left, plan.top, plan.width, plan.height)
    main.set_label("tiles")
    colours = ScalarMappable(Normalize(-tiles.end, tiles.end), mpl.colormaps["RdBu_r"])
    _draw_values(main, tiles, colours)
    _draw_dots(main, tiles, colours, plan)
    _name(main, tiles, plan)
    write_title(page, plan.title)
    _draw_key(page, tiles, colours, plan)
    if ax is None:
        page.figure.sca(main)
    return main


def _gene_order(table: SideBySide, seen: Float, columns: Int) -> Int:
    """Like beside like; of markers within the test that they are strongest in."""
    if table.are_markers:
        place = np.argsort(columns)
        return within_blocks(seen, place[np.argmax(seen, axis=1)])
    rows = similar_first(seen)
    half = len(rows) // 2
    upside_down = seen[rows[:half]].sum() < seen[rows[half:]].sum()
    return rows[::-1] if upside_down else rows  # what goes up is above


def _names_width(tiles: Tiles) -> float:
    return max(text_width(shortened(gene)) for gene in tiles.genes) + 1.2


def _page_width(tiles: Tiles) -> float:
    """One column of a page, unless the tiles would be too narrow in it."""
    room = COLUMN_MM - 2 * EDGE - _names_width(tiles) - _GAP - LEGEND_MM
    return COLUMN_MM if room >= _LEAST_TILE * len(tiles.tests) else PAGE_MM


def _plan(tiles: Tiles, title: str, width: float, height: float | None) -> TilesPlan:
    """Lay out a page of ``width`` x ``height`` mm; as high as the rows need without a height."""
    beside = _names_width(tiles)
    room = max(width - 2 * EDGE - beside - _GAP - LEGEND_MM, 5.0)
    across = min(room, _WIDEST_TILE * len(tiles.tests))
    left = EDGE + beside + (room - across) / 2
    names = Names.under(tiles.tests, across / len(tiles.tests))
    lines = title_lines(title, width)
    top = EDGE + title_height(lines)
    rows = _ROW_MM * len(tiles.genes)
    if height is not None:
        rows = max(height - top - names.height - EDGE - 1.0, 5.0)
    return TilesPlan(left, top, across, rows, names, lines)


def _below(plan: TilesPlan) -> float:
    return plan.names.height + EDGE + 1.0


def _draw_values(ax: Axes, tiles: Tiles, colours: ScalarMappable) -> None:
    n_genes, n_tests = tiles.log2fc.shape
    cmap = colours.cmap.with_extremes(bad=MISSING_TILE)
    style: dict[str, Any] = {"cmap": cmap, "norm": colours.norm, "interpolation": "nearest"}
    ax.imshow(tiles.log2fc, extent=(0, n_tests, n_genes, 0), aspect="auto", **style)
    line: dict[str, Any] = {"colors": "white", "linewidth": 0.6}
    ax.hlines(np.arange(1, n_genes), 0, n_tests, **line)
    ax.vlines(np.arange(1, n_tests), 0, n_genes, **line)
    strokes = [
        [(j + 0.1, i + 0.9), (j + 0.9, i + 0.1)] for i, j in np.argwhere(np.isnan(tiles.log2fc))
    ]
    lines = LineCollection(strokes, colors=FAINT, linewidths=0.4, label="no value")
    ax.add_collection(lines, autolim=False)
    ax.set(xlim=(0, n_tests), ylim=(n_genes, 0))


def _draw_dots(ax: Axes, tiles: Tiles, colours: ScalarMappable, plan: TilesPlan) -> None:
    side = _dot_side(tiles, plan)
    rgb = np.asarray(colours.to_rgba(np.nan_to_num(tiles.log2fc)))[..., :3]
    dark = rgb @ np.array([0.2126, 0.7152, 0.0722]) < _DARK
    for number in range(1, len(tiles.thresholds) + 1):
        i, j = np.nonzero(tiles.level == number)
        shades = np.where(dark[i, j], "white", INK).tolist()
        ax.scatter(
            j + 0.5,
            i + 0.5,
            s=(DOTS[number - 1] * side) ** 2,
            c=shades,
            linewidths=0,
            label=f"padj ≤ {short(tiles.thresholds[number - 1])}",
        )


def _dot_side(tiles: Tiles, plan: TilesPlan) -> float:
    """Shorter side of a tile, in typographical points."""
    side = min(plan.width / len(tiles.tests), plan.height / len(tiles.genes), 4.0)
    return side * 72 / 25.4


def _name(ax: Axes, tiles: Tiles, plan: TilesPlan) -> None:
    """Name the tests, and the genes as far as there is room, the best first."""
    row = plan.height / len(tiles.genes)
    positions = np.arange(len(tiles.genes), dtype=np.float64) + 0.5
    keep = with_room(positions * row, tiles.rank, line_height(SMALL - 0.5))
    names = [shortened(gene) for gene, kept in zip(tiles.genes, keep, strict=True) if kept]
    ax.set_yticks(positions[keep], names, fontsize=SMALL)
    middles = np.arange(len(tiles.tests)) + 0.5
    style: dict[str, Any] = {"fontsize": SMALL, "linespacing": 1.05}
    if plan.names.turned:
        style |= {"rotation": 90, "va": "top", "ma": "right"}
    ax.set_xticks(middles, plan.names.texts, **style)
    ax.tick_params(length=0, pad=2)


def _draw_key(page: Page, tiles: Tiles, colours: ScalarMappable, plan: TilesPlan) -> None:
    left = plan.left + plan.width + _GAP
    sizes = np.abs(tiles.log2fc[np.isfinite(tiles.log2fc)])
    draw_legend(
        page,
        colours.cmap,
        tiles.end,
        left=left,
        top=plan.top,
        clipped=bool((sizes > tiles.end).any()),
        dots=[
            (f"≤ {short(threshold)}", part * _dot_side(tiles, plan))
            for threshold, part in zip(tiles.thresholds, DOTS, strict=False)
        ],
        missing=MISSING_TILE if np.isnan(tiles.log2fc).any() else None,
    )

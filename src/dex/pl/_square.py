"""A clustered square of how each observation or gene is to each other one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform

from dex.pl._legends import Legend, draw_legends
from dex.pl._page import Page
from dex.pl._save import new_figure
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    INK,
    LARGE,
    NEUTRAL,
    PAGE_MM,
    SMALL,
    inches,
    line_height,
    millimetres,
    shortened,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from dex.pl._strips import Strip
    from dex.typing import Float, Int

_MOST_ORDERED = 300
"""Leaves up to which the best order is sought among those that a tree allows."""
_ONE_COLUMN = 24
"""Samples up to which one column of a page is wide enough."""
_EDGE, _TREE_MM, _STRIP_MM, _STRIP_STEP = 2.0, 7.0, 2.3, 2.8
_BAR_WIDTH, _BAR_HEIGHT, _BAR_ROOM = 2.4, 20.0, 15.0
_NUMBER_MM = 4.6
"""Size of a cell that has room for its number."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The page, in mm from its top left corner."""

    width: float
    height: float
    left: float
    top: float
    """Upper end of the distances; bars of colour and the tree are above."""
    side: float
    """Length of a side of the distances."""
    title: str
    names: tuple[str, ...]
    """Of the samples in the order shown; none where there is no room."""

    @property
    def right(self) -> float:
        """Where legends begin."""
        return self.left + self.side + _EDGE

    @property
    def bar_height(self) -> float:
        return min(_BAR_HEIGHT, 0.5 * self.side)


@dataclass(frozen=True, slots=True)
class Square:
    """What is drawn."""

    values: Float
    """Symmetric, shape ``(n, n)``."""
    distances: Float
    """Of which the tree is grown, shape ``(n, n)``."""
    names: tuple[str, ...]
    words: str
    """What the values are, beside their colours."""
    members: str = "samples"
    limits: tuple[float, float] | None = None
    """Ends of the colours; by default the least and the largest value off the diagonal."""
    digits: int = 1
    """Of the numbers, after the point."""


def draw_square(
    square: Square,
    strips: Sequence[Strip],
    *,
    labels: bool | None,
    numbers: bool | None,
    cmap: str | Colormap,
    title: str | None,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> Axes:
    """Draw it with its tree and bars of colour above; the diagonal is grey."""
    tree = _tree(square.distances)
    order = np.array(tree["leaves"], dtype=np.intp)
    names = tuple(shortened(square.names[i]) for i in order)
    page = None if ax is None else Page.inside(ax)
    size = figsize if page is None else (inches(page.width), inches(page.height))
    layout = _layout(names, strips, title=title or "", figsize=size, labels=labels)
    if page is None:
        figure = new_figure(layout.width, layout.height, own=own)
        page = Page(figure, layout.width, layout.height)
    panel = page.axes(layout.left, layout.top, layout.side, layout.side)
    values = square.values[np.ix_(order, order)]
    colours = _draw_values(panel, values, cmap, square.limits)
    _name_members(panel, layout, len(order), square.members)
    if numbers or (numbers is None and layout.side / len(order) >= _NUMBER_MM):
        _write_numbers(panel, values, colours, square.digits)
    _draw_strips(page, layout, strips, order)
    _draw_tree(page, layout, tree, len(strips))
    _draw_side(page, layout, strips, colours, square.words)
    if ax is None:
        page.figure.sca(panel)
    return panel


def _tree(distances: Float) -> dict[str, Any]:
    """Lines and leaves of a tree by average linkage."""
    n = len(distances)
    links = linkage(squareform(distances), method="average", optimal_ordering=n <= _MOST_ORDERED)
    return dict(dendrogram(links, no_plot=True))


def _layout(
    names: tuple[str, ...],
    strips: Sequence[Strip],
    *,
    title: str,
    figsize: tuple[float, float] | None,
    labels: bool | None,
) -> _Layout:
    """Divide the page: a square of distances, and what surrounds it."""
    width = COLUMN_MM if len(names) <= _ONE_COLUMN else PAGE_MM
    width = millimetres(figsize[0]) if figsize is not None else width
    beside = max(_BAR_ROOM, *(Legend(strip).width + _EDGE for strip in strips), 0) + _EDGE
    title = wrapped(title, width - 2 * _EDGE, LARGE)
    heading = (title.count("\n") + 1) * line_height(LARGE) + 2 if title else 1.0
    top = heading + _TREE_MM + _STRIP_STEP * len(strips) + 0.5
    words = [shortened(strip.name) for strip in strips]
    longest = max(map(text_width, names))
    for named in (True, False):
        left = max([longest if named else 0, *map(text_width, words)]) + _EDGE + 1
        below = longest + 2.5 if named else 4.5
        side = width - left - beside
        if figsize is not None:
            side = min(side, millimetres(figsize[1]) - top - below)
        side = max(side, 5.0)
        if labels or (labels is None and side / len(names) >= line_height()):
            break
    height = millimetres(figsize[1]) if figsize is not None else top + side + below
    return _Layout(width, height, left, top, side, title, names if named else ())


def _draw_values(
    ax: Axes, values: Float, cmap: str | Colormap, limits: tuple[float, float] | None
) -> ScalarMappable:
    """Draw them as an image, the diagonal grey; colours go from the least to the largest."""
    n = len(values)
    apart = values[~np.eye(n, dtype=bool)]
    low, high = limits or (float(apart.min()), float(apart.max()))
    norm = Normalize(low, high if high > low else low + 1)
    colours = ScalarMappable(norm, mpl.colormaps.get_cmap(cmap))
    masked = np.ma.masked_array(values, np.eye(n, dtype=bool))
    extent = (0, n, n, 0)
    ax.set_facecolor(NEUTRAL)
    ax.imshow(masked, cmap=colours.cmap, norm=norm, extent=extent, interpolation="nearest")
    ax.set_aspect("auto")
    if n <= _ONE_COLUMN:
        lines = np.arange(1, n)
        ax.hlines(lines, 0, n, colors="white", linewidth=0.4)
        ax.vlines(lines, 0, n, colors="white", linewidth=0.4)
    ax.set(xlim=(0, n), ylim=(n, 0))
    return colours


def _name_members(ax: Axes, layout: _Layout, n: int, members: str) -> None:
    if not layout.names:
        ax.set_xlabel(f"{n:,} {members}", fontsize=SMALL, labelpad=3)
        return
    middles = np.arange(n) + 0.5
    ax.set_xticks(middles, layout.names, rotation=90, fontsize=SMALL)
    ax.set_yticks(middles, layout.names, fontsize=SMALL)
    ax.tick_params(length=0, pad=1.5)


def _write_numbers(ax: Axes, values: Float, colours: ScalarMappable, digits: int) -> None:
    """Write every value in its cell, white where that is dark."""
    n = len(values)
    dark = colours.to_rgba(values)[..., :3] @ (0.2126, 0.7152, 0.0722) < 0.45
    style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": SMALL - 0.5}
    for i, j in permutations(range(n), 2):
        colour = "white" if dark[i, j] else INK
        ax.text(j + 0.5, i + 0.5, f"{values[i, j]:.{digits}f}", color=colour, **style)


def _draw_strips(page: Page, layout: _Layout, strips: Sequence[Strip], order: Int) -> None:
    n = len(order)
    for i, strip in enumerate(strips):
        top = layout.top - 0.5 - _STRIP_STEP * (len(strips) - i) + 0.3
        ax = page.axes(layout.left, top, layout.side, _STRIP_MM)
        ax.imshow(
            strip.rgb()[order][None], extent=(0, n, 1, 0), aspect="auto", interpolation="nearest"
        )
        ax.set(xlim=(0, n), ylim=(1, 0), label=f"bar of {strip.name}")
        ax.set_yticks([0.5], [shortened(strip.name)], fontsize=SMALL)
        ax.tick_params(axis="y", length=0, pad=1.5)


def _draw_tree(page: Page, layout: _Layout, tree: dict[str, Any], n_strips: int) -> None:
    top = layout.top - 0.5 - _STRIP_STEP * n_strips - _TREE_MM
    ax = page.axes(layout.left, top, layout.side, _TREE_MM - 0.4)
    ax.set_label("tree")
    x, y = np.array(tree["icoord"]) / 10, np.array(tree["dcoord"])  # scipy's leaves are 10 apart
    segments = list(np.stack([x, y], axis=-1))
    ax.add_collection(LineCollection(segments, colors=FAINT, linewidths=0.6))
    ax.set(xlim=(0, len(tree["leaves"])), ylim=(0.7 * y[:, 1].min(), 1.03 * y.max()))


def _draw_side(
    page: Page, layout: _Layout, strips: Sequence[Strip], colours: ScalarMappable, words: str
) -> None:
    """Draw the key to the colours below, legends above it, and the title."""
    bars_top = layout.top - _STRIP_STEP * len(strips)
    top = layout.top + layout.side - layout.bar_height
    legends = [Legend(strip) for strip in strips]
    draw_legends(page, legends, left=layout.right, top=bars_top, room=top - bars_top - 4)
    ax = page.axes(layout.right, top, _BAR_WIDTH, layout.bar_height)
    ax.set_label("bar of colours")
    bar = page.figure.colorbar(colours, cax=ax)
    bar.outline.set_linewidth(0.4)
    ax.tick_params(length=2, width=0.4, pad=1.5, labelsize=SMALL)
    ax.set_ylabel(words, fontsize=SMALL, labelpad=2, linespacing=1)
    if layout.title:
        middle = layout.left + layout.side / 2
        page.text(middle, 1, layout.title, ha="center", va="top", fontsize=LARGE)

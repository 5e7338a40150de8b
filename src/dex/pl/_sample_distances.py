"""How far samples are from each other: a clustered heatmap of their distances."""

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

from dex.get import distances_df
from dex.pl._legends import Legend, draw_legends
from dex.pl._ordination_map import compared_column
from dex.pl._page import Page
from dex.pl._panels import deliver
from dex.pl._save import check_save, new_figure
from dex.pl._strips import strip_of
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
    theme,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

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


def sample_distances(
    adata: AnnData,
    annotations: str | Sequence[str] | None = None,
    *,
    key: str = "mds",
    labels: bool | None = None,
    numbers: bool | None = None,
    cmap: str | Colormap = "Blues_r",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the distances of all samples from each other, like beside like.

    The distances are leading log2 fold changes, of :func:`dex.tl.mds`. Samples are ordered by
    average linkage, in the best order that its tree, drawn above, allows. Dark is near; the
    diagonal, where every sample meets itself, is grey.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.mds`.
    annotations
        Columns of ``adata.obs`` to show as bars of colour above. By default the column that
        :func:`dex.tl.rank_genes` has compared, if it has; ``()`` for none.
    key
        Where the distances are.
    labels
        Whether to name the samples; by default where there is room.
    numbers
        Whether to write the distances; by default where there is room.
    cmap
        Colours, from near to far.
    title
        Above all.
    figsize
        Width and height in inches. The default is 85 mm wide for up to 24 samples, else 180 mm, and
        as high as that needs.
    ax
        Axes whose place is taken, instead of a new figure.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot: a notebook shows it when the cell ends. Nothing is shown with
        ``ax`` or ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes or matplotlib.figure.Figure
        The axes of the distances; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If :func:`dex.tl.mds` has not been run, or if there is no such column or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.mds(adata)
    >>> ax = dex.pl.sample_distances(adata, "condition")
    >>> sorted(tick.get_text() for tick in ax.get_yticklabels())[:2]
    ['control_1', 'control_2']
    """
    path = check_save(save)
    distances = distances_df(adata, key=key)
    if annotations is None:
        annotations = [column for column in (compared_column(adata),) if column is not None]
    columns = [annotations] if isinstance(annotations, str) else annotations
    strips = [strip_of(adata, column) for column in columns]
    tree = _tree(distances.to_numpy())
    order = np.array(tree["leaves"], dtype=np.intp)
    names = tuple(shortened(str(distances.index[i])) for i in order)
    with theme():
        page = None if ax is None else Page.inside(ax)
        size = figsize if page is None else (inches(page.width), inches(page.height))
        layout = _layout(names, strips, title=title or "", figsize=size, labels=labels)
        if page is None:
            figure = new_figure(layout.width, layout.height, own=return_fig)
            page = Page(figure, layout.width, layout.height)
        panel = page.axes(layout.left, layout.top, layout.side, layout.side)
        colours = _draw_distances(panel, distances.to_numpy()[np.ix_(order, order)], cmap)
        _name_samples(panel, layout, len(order))
        if numbers or (numbers is None and layout.side / len(order) >= _NUMBER_MM):
            _write_numbers(panel, distances.to_numpy()[np.ix_(order, order)], colours)
        _draw_strips(page, layout, strips, order)
        _draw_tree(page, layout, tree, len(strips))
        _draw_side(page, layout, strips, colours)
        if ax is None:
            page.figure.sca(panel)
        return deliver([panel], path=path, ax=ax, show=show, return_fig=return_fig)


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


def _draw_distances(ax: Axes, distances: Float, cmap: str | Colormap) -> ScalarMappable:
    """Draw them as an image, the diagonal grey; colours go from the least to the largest."""
    n = len(distances)
    apart = distances[~np.eye(n, dtype=bool)]
    low, high = float(apart.min()), float(apart.max())
    norm = Normalize(low, high if high > low else low + 1)
    colours = ScalarMappable(norm, mpl.colormaps.get_cmap(cmap))
    masked = np.ma.masked_array(distances, np.eye(n, dtype=bool))
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


def _name_samples(ax: Axes, layout: _Layout, n: int) -> None:
    if not layout.names:
        ax.set_xlabel(f"{n:,} samples", fontsize=SMALL, labelpad=3)
        return
    middles = np.arange(n) + 0.5
    ax.set_xticks(middles, layout.names, rotation=90, fontsize=SMALL)
    ax.set_yticks(middles, layout.names, fontsize=SMALL)
    ax.tick_params(length=0, pad=1.5)


def _write_numbers(ax: Axes, distances: Float, colours: ScalarMappable) -> None:
    """Write every distance in its cell, white where that is dark."""
    n = len(distances)
    dark = colours.to_rgba(distances)[..., :3] @ (0.2126, 0.7152, 0.0722) < 0.45
    style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": SMALL - 0.5}
    for i, j in permutations(range(n), 2):
        colour = "white" if dark[i, j] else INK
        ax.text(j + 0.5, i + 0.5, f"{distances[i, j]:.1f}", color=colour, **style)


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
    page: Page, layout: _Layout, strips: Sequence[Strip], colours: ScalarMappable
) -> None:
    """Draw the key to the colours of the distances below, legends above it, and the title."""
    bars_top = layout.top - _STRIP_STEP * len(strips)
    top = layout.top + layout.side - layout.bar_height
    legends = [Legend(strip) for strip in strips]
    draw_legends(page, legends, left=layout.right, top=bars_top, room=top - bars_top - 4)
    ax = page.axes(layout.right, top, _BAR_WIDTH, layout.bar_height)
    ax.set_label("bar of colours")
    bar = page.figure.colorbar(colours, cax=ax)
    bar.outline.set_linewidth(0.4)
    ax.tick_params(length=2, width=0.4, pad=1.5, labelsize=SMALL)
    ax.set_ylabel("leading\nlog₂ fold change", fontsize=SMALL, labelpad=2, linespacing=1)
    if layout.title:
        middle = layout.left + layout.side / 2
        page.text(middle, 1, layout.title, ha="center", va="top", fontsize=LARGE)

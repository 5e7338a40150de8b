"""Eigengenes of co-expression modules over the observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from dex.errors import InputError
from dex.get import eigengenes_df
from dex.get._learning import learnt
from dex.pl._legends import Legend, draw_legends
from dex.pl._order import similar_first, within_blocks
from dex.pl._ordination_map import compared_column
from dex.pl._page import Page, merged_columns
from dex.pl._panels import deliver
from dex.pl._save import check_save, new_figure
from dex.pl._strips import Levels, strip_of
from dex.pl._theme import (
    COLUMN_MM,
    LARGE,
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

_LIMIT = 2.5
_ROW_MM, _STRIP_MM, _STRIP_STEP, _EDGE = 4.2, 2.3, 2.8, 2.0
_ONE_COLUMN = 24
_BAR_WIDTH, _BAR_HEIGHT, _BAR_ROOM = 2.4, 18.0, 13.0
_MOST_COLUMNS = 1500


@dataclass(frozen=True, slots=True)
class _Rows:
    """Eigengenes in the order drawn."""

    values: Float
    """Shape ``(n_modules, n_obs)``."""
    order: Int
    """Observations, ``(n_obs,)``."""
    names: tuple[str, ...]
    """Of the modules, with their sizes."""
    obs_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """The page, in mm from its top left corner."""

    width: float
    height: float
    left: float
    top: float
    panel: tuple[float, float]
    """Width and height of the eigengenes."""
    title: str
    named: bool
    """Whether observations are named."""


def modules(
    adata: AnnData,
    annotations: str | Sequence[str] | None = None,
    *,
    key: str = "modules",
    labels: bool | None = None,
    cmap: str | Colormap = "RdBu_r",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the eigengenes of modules: where the genes of each are high, and where low.

    Modules are rows, with the numbers of their genes; like beside like. Observations are columns,
    ordered by the first of ``annotations`` if that has levels, and within them by likeness.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.modules`.
    annotations
        Columns of ``adata.obs`` to show as bars of colour above. By default the column that
        :func:`dex.tl.rank_genes` has compared, if it has; ``()`` for none.
    key
        Where the modules are.
    labels
        Whether to name the observations; by default where there is room.
    cmap
        Colours, from 2.5 standard deviations below the mean to as many above.
    title
        Above all.
    figsize
        Width and height in inches. The default is 85 mm wide for up to 24 observations, else
        180 mm, and as high as the modules need.
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
        The axes of the eigengenes; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there are no modules, or no such column or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(300, 10, log2fc_sd=2, de_fraction=0.3, seed=1)
    >>> dex.tl.modules(adata)
    >>> ax = dex.pl.modules(adata, "condition")
    >>> sorted(tick.get_text()[:2] for tick in ax.get_yticklabels())
    ['M1', 'M2']
    """
    path = check_save(save)
    if annotations is None:
        annotations = [column for column in (compared_column(adata),) if column is not None]
    columns = [annotations] if isinstance(annotations, str) else annotations
    strips = [strip_of(adata, column) for column in columns]
    rows = _rows(adata, key, strips)
    with theme():
        page = None if ax is None else Page.inside(ax)
        size = figsize if page is None else (inches(page.width), inches(page.height))
        layout = _layout(rows, strips, title=title or "", figsize=size, labels=labels)
        if page is None:
            figure = new_figure(layout.width, layout.height, own=return_fig)
            page = Page(figure, layout.width, layout.height)
        panel = page.axes(layout.left, layout.top, *layout.panel)
        colours = ScalarMappable(Normalize(-_LIMIT, _LIMIT), mpl.colormaps.get_cmap(cmap))
        _draw_rows(panel, rows, colours, named=layout.named)
        _draw_strips(page, layout, strips, rows.order)
        _draw_side(page, layout, strips, colours)
        if ax is None:
            page.figure.sca(panel)
        return deliver([panel], path=path, ax=ax, show=show, return_fig=return_fig)


def _rows(adata: AnnData, key: str, strips: Sequence[Strip]) -> _Rows:
    table = eigengenes_df(adata, key=key)
    if table.empty:
        msg = f"there are no modules in {key!r}: no genes rise and fall together; nothing to draw."
        raise InputError(msg)
    values = table.to_numpy(dtype=np.float64)
    blocks = strips[0].codes if strips and isinstance(strips[0], Levels) else None
    order = similar_first(values) if blocks is None else within_blocks(values, blocks)
    of_modules = similar_first(values.T)
    sizes = np.asarray(learnt(adata, key, need="explained")["sizes"])
    names = tuple(f"{table.columns[i]} ({sizes[i]:,})" for i in of_modules)
    return _Rows(
        values[np.ix_(order, of_modules)].T,
        order,
        names,
        tuple(shortened(str(table.index[i])) for i in order),
    )


def _layout(
    rows: _Rows,
    strips: Sequence[Strip],
    *,
    title: str,
    figsize: tuple[float, float] | None,
    labels: bool | None,
) -> _Layout:
    n_modules, n_obs = rows.values.shape
    width = COLUMN_MM if n_obs <= _ONE_COLUMN else PAGE_MM
    width = millimetres(figsize[0]) if figsize is not None else width
    title = wrapped(title, width - 2 * _EDGE, LARGE)
    heading = (title.count("\n") + 1) * line_height(LARGE) + 2 if title else 1.5
    top = heading + _STRIP_STEP * len(strips)
    beside = max(_BAR_ROOM, *(Legend(strip).width + _EDGE for strip in strips), 0) + _EDGE
    words = [*rows.names, *(shortened(strip.name) for strip in strips)]
    left = max(map(text_width, words)) + _EDGE + 1
    across = max(width - left - beside, 5.0)
    named = across / n_obs >= line_height() if labels is None else labels
    below = max(map(text_width, rows.obs_names)) + 2.5 if named else 4.5
    legends = sum(Legend(strip).height for strip in strips)
    down = max(_ROW_MM * n_modules, legends + _BAR_HEIGHT + 4 - _STRIP_STEP * len(strips))
    if figsize is not None:
        down = max(millimetres(figsize[1]) - top - below, 5.0)
    height = millimetres(figsize[1]) if figsize is not None else top + down + below
    return _Layout(width, height, left, top, (across, down), title, named)


def _draw_rows(ax: Axes, rows: _Rows, colours: ScalarMappable, *, named: bool) -> None:
    n_modules, n_obs = rows.values.shape
    ax.imshow(
        merged_columns(rows.values, _MOST_COLUMNS),
        cmap=colours.cmap,
        vmin=-_LIMIT,
        vmax=_LIMIT,
        extent=(0, n_obs, n_modules, 0),
        aspect="auto",
        interpolation="nearest",
    )
    ax.hlines(np.arange(1, n_modules), 0, n_obs, colors="white", linewidth=0.6)
    ax.set(xlim=(0, n_obs), ylim=(n_modules, 0))
    ax.set_yticks(np.arange(n_modules) + 0.5, rows.names, fontsize=SMALL)
    if named:
        ax.set_xticks(np.arange(n_obs) + 0.5, rows.obs_names, rotation=90, fontsize=SMALL)
    else:
        ax.set_xlabel(f"{n_obs:,} observations", fontsize=SMALL, labelpad=3)
    ax.tick_params(length=0, pad=1.5)


def _draw_strips(page: Page, layout: _Layout, strips: Sequence[Strip], order: Int) -> None:
    n = len(order)
    for i, strip in enumerate(strips):
        top = layout.top - 0.5 - _STRIP_STEP * (len(strips) - i) + 0.3
        ax = page.axes(layout.left, top, layout.panel[0], _STRIP_MM)
        ax.imshow(
            strip.rgb()[order][None], extent=(0, n, 1, 0), aspect="auto", interpolation="nearest"
        )
        ax.set(xlim=(0, n), ylim=(1, 0), label=f"bar of {strip.name}")
        ax.set_yticks([0.5], [shortened(strip.name)], fontsize=SMALL)
        ax.tick_params(axis="y", length=0, pad=1.5)


def _draw_side(
    page: Page, layout: _Layout, strips: Sequence[Strip], colours: ScalarMappable
) -> None:
    """Draw the legends, and the key to the colours below them."""
    left = layout.left + layout.panel[0] + _EDGE
    bottom = layout.top + layout.panel[1]
    high = min(_BAR_HEIGHT, layout.panel[1])
    top = layout.top - _STRIP_STEP * len(strips)
    room = bottom - high - top - 2
    draw_legends(page, [Legend(strip) for strip in strips], left=left, top=top, room=room)
    ax = page.axes(left, bottom - high, _BAR_WIDTH, high)
    ax.set_label("bar of colours")
    bar = page.figure.colorbar(colours, cax=ax)
    bar.outline.set_linewidth(0.4)
    ax.tick_params(length=2, width=0.4, pad=1.5, labelsize=SMALL)
    ax.set_ylabel("eigengene\n(sd)", fontsize=SMALL, labelpad=2, linespacing=1)
    if layout.title:
        middle = layout.left + layout.panel[0] / 2
        page.text(middle, 1, layout.title, ha="center", va="top", fontsize=LARGE)

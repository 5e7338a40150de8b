"""Effect against evidence: the volcano plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.get import rank_genes_df, tests_df
from dex.pl._labels import place_labels
from dex.pl._points import Points
from dex.pl._save import check_save, finish, new_figure
from dex.pl._theme import (
    COLUMN_MM,
    DOWN,
    FAINT,
    INK,
    LARGE,
    MEDIUM,
    NEUTRAL,
    PAGE_MM,
    SMALL,
    UP,
    millimetres,
    plain_axes,
    text_width,
    theme,
    wrapped,
)

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.typing import Int

_MOST_PANELS = 12
_PANELS_PER_ROW = 3
_MANY_POINTS = 2000
_COLOURS = {0: NEUTRAL, -1: DOWN, 1: UP}
_GAP = 4.0
"""Least distance, in mm, between the words under the two ends of the x axis."""
_NBSP = "\N{NO-BREAK SPACE}"
_EDGE = 1.03
"""How far the axes go beyond the limit, so that markers at the edge are whole."""


def volcano(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    padj: float = 0.05,
    log2fc: float = 1.0,
    n_labels: int = 10,
    genes: Sequence[str] | None = None,
    gene_symbols: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw log2 fold change against -log10 p, a panel for each test.

    A gene is coloured where its adjusted p-value is at most ``padj`` and its ``log2fc`` at least
    ``log2fc`` in size; the dashed lines say where that is. The ``log2fc`` line is a guide for the eye,
    not a claim about the false discovery rate. Where a few genes would squash all the others, the axis
    ends before them, and they are triangles at its edge. Genes without a p-value are counted below.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    test
        One or several tests, by name, group or number; all of them by default, if they are at most
        12.
    key
        Where the result is.
    padj
        Largest adjusted p-value of a significant gene.
    log2fc
        Smallest size of ``log2fc`` that is coloured; 0 draws no such line.
    n_labels
        Names to write on each side, the best first, as far as there is room.
    genes
        Genes to name in any case, in bold; by ``var_names`` or symbol.
    gene_symbols
        Column of ``adata.var`` to show instead of ``var_names``.
    title
        In place of the name of the test; ``""`` for none.
    figsize
        Width and height in inches. The default is one column of a page, 85 mm wide, or 180 mm for
        three panels in a row.
    ax
        Axes to draw one test in, instead of a new figure.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the figure is
        left to pyplot: a notebook shows it when the cell ends. Nothing is shown with ``ax`` or
        ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes, list of Axes, or matplotlib.figure.Figure
        The axes; a list of them for several tests; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result, test, gene or folder, if there are too many tests, or if a test
        has no fold changes or p-values.
    """
    path = check_save(save)
    tests = _tests(adata, test, key=key, single=ax is not None)
    every = [
        Points.from_frame(
            rank_genes_df(adata, name, key=key, gene_symbols=gene_symbols), padj=padj, log2fc=log2fc
        )
        for name in tests["name"]
    ]
    wanted = [points.find(genes or ()) for points in every]
    with theme():
        axes = [ax] if ax is not None else _panels(len(every), figsize, own=return_fig)
        figure: Figure = axes[0].figure.figure  # type: ignore[assignment]  # the root of subfigures
        for panel, points in zip(axes, every, strict=True):
            _draw_points(panel, points)
            _draw_thresholds(panel, points, padj=padj, log2fc=log2fc)
        figure.draw_without_rendering()
        for panel, points, (_, info) in zip(axes, every, tests.iterrows(), strict=True):
            _write_above(panel, points, info, log2fc=log2fc, title=title)
            _write_below(panel, points, info, padj=padj, log2fc=log2fc)
        with _final_layout(figure):
            for panel, points, positions in zip(axes, every, wanted, strict=True):
                _show_only(panel, axes)
                _label_genes(panel, points, positions, n_labels)
            _show_only(None, axes)
        finish(figure, path, show=bool(show) and ax is None and not return_fig)
    if return_fig:
        return figure
    return axes[0] if len(axes) == 1 else axes


def _tests(
    adata: AnnData, test: str | int | Sequence[str | int] | None, *, key: str, single: bool
) -> pd.DataFrame:
    """Rows of :func:`dex.get.tests_df`, one for each panel."""
    tests = tests_df(adata, key=key)
    if test is not None:
        chosen = rank_genes_df(adata, test, key=key)["test"].unique()
        tests = tests.set_index("name", drop=False).loc[chosen]
    most = 1 if single else _MOST_PANELS
    if len(tests) > most:
        names = ", ".join(map(repr, tests["name"][:20])) + (", ..." if len(tests) > 20 else "")
        where = "ax= holds one test" if single else f"a figure holds {most} tests"
        msg = f"{where}, and there are {len(tests)}; choose with test=: {names}."
        raise InputError(msg)
    return tests


def _panels(n: int, figsize: tuple[float, float] | None, *, own: bool) -> list[Axes]:
    n_columns = min(n, _PANELS_PER_ROW)
    n_rows = -(-n // n_columns)
    width = (COLUMN_MM, 1.4 * COLUMN_MM, PAGE_MM)[n_columns - 1]
    size = (width, 82.0 if n == 1 else 66.0 * n_rows)
    if figsize is not None:
        size = (millimetres(figsize[0]), millimetres(figsize[1]))
    figure = new_figure(*size, own=own, layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for unused in grid.flat[n:]:
        unused.remove()
    return list(grid.flat[:n])


@contextmanager
def _final_layout(figure: Figure) -> Iterator[None]:
    """Lay out once; meanwhile nothing moves, as names that lie inside the axes move nothing."""
    figure.draw_without_rendering()
    engine = figure.get_layout_engine()
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def _show_only(panel: Axes | None, axes: list[Axes]) -> None:
    """Hide the other panels, or none: placing names draws the whole figure, once for each panel."""
    for other in axes:
        other.set_visible(panel is None or other is panel)


def _draw_points(ax: Axes, points: Points) -> None:
    style: dict[str, Any] = {"s": _marker_size(points), "linewidths": 0}
    style["rasterized"] = len(points.x) > _MANY_POINTS
    xy, inside = points.xy, ~points.beyond
    for side, colour, label in ((0, NEUTRAL, "not significant"), (-1, DOWN, "down"), (1, UP, "up")):
        here = (points.side == side) & inside
        ax.scatter(*xy[here].T, c=colour, label=label, zorder=1.5 + abs(side), **style)
    _draw_beyond(ax, points)
    ax.set_xlim(-points.x_limit * _EDGE, points.x_limit * _EDGE)
    ax.set_ylim(-0.015 * points.y_limit, points.y_limit * _EDGE)


def _draw_beyond(ax: Axes, points: Points) -> None:
    """Triangles at the edge that point to where the points are."""
    top = points.y > points.y_limit
    left, right = points.x < -points.x_limit, points.x > points.x_limit
    for marker, here in (("^", top), ("<", left & ~top), (">", right & ~top)):
        colours = [_COLOURS[side] for side in points.side[here]]
        if colours:
            style: dict[str, Any] = {
                "s": 16,
                "linewidths": 0,
                "zorder": 3,
                "label": "beyond the axes",
            }
            ax.scatter(*points.xy[here].T, c=colours, marker=marker, **style)


def _marker_size(points: Points) -> float:
    """Area in square points: smaller where there are many."""
    return float(np.clip(400 / np.sqrt(len(points.x)), 3, 14))


def _draw_thresholds(ax: Axes, points: Points, *, padj: float, log2fc: float) -> None:
    line: dict[str, Any] = {"color": FAINT, "linewidth": 0.6, "linestyle": (0, (4, 3)), "zorder": 1}
    if points.threshold is not None:
        ax.axhline(points.threshold, **line)
        ax.annotate(
            f"padj\n{padj:g}",
            (1, points.threshold),
            xycoords=ax.get_yaxis_transform(),
            xytext=(2, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            linespacing=1,
            fontsize=SMALL,
            color=FAINT,
        )
    if log2fc > 0:
        ax.axvline(-log2fc, **line)
        ax.axvline(log2fc, **line)


def _write_above(
    ax: Axes, points: Points, info: pd.Series, *, log2fc: float, title: str | None
) -> None:
    """Title, counts, and the threshold of the fold change if there is room."""
    plain_axes(ax)
    heading = wrapped(str(info["name"]) if title is None else title, _width(ax), LARGE)
    ax.set_title(heading, fontsize=LARGE, color=INK, pad=13)
    down, up = _counts(points)
    style: dict[str, Any] = {"textcoords": "offset points", "xytext": (0, 3), "va": "bottom"}
    bold = style | {"xycoords": ax.transAxes, "fontsize": MEDIUM, "fontweight": "bold"}
    ax.annotate(down, (0, 1), ha="left", color=DOWN, **bold)
    ax.annotate(up, (1, 1), ha="right", color=UP, **bold)
    if log2fc > 0 and _has_room_above(ax, points, log2fc):
        style |= {"xycoords": ax.transAxes, "fontsize": SMALL, "color": FAINT}
        ax.annotate(_fold_change(log2fc), (0.5, 1), ha="center", **style)


def _write_below(ax: Axes, points: Points, info: pd.Series, *, padj: float, log2fc: float) -> None:
    """Axis labels, which side is which, and what is not drawn."""
    ax.set_xlabel("log$_2$ fold change", labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel("$-$log$_{10}$ p", labelpad=3, fontsize=MEDIUM)
    width = _width(ax)
    lower, higher = (wrapped(words, width) for words in _sides(info))
    in_one_line = "\n" not in lower + higher and text_width(lower + higher) < width - _GAP
    _write_line(ax, 0, lower, line=0, ha="left", color=INK)
    line = 0 if in_one_line else lower.count("\n") + 1
    _write_line(ax, 1, higher, line=line, ha="right", color=INK)
    line += higher.count("\n") + 1
    notes = _notes(points, padj)
    if log2fc > 0 and not _has_room_above(ax, points, log2fc):
        notes = [f"dashed: {_fold_change(log2fc)}", *notes]
    for i, note in enumerate(notes):
        _write_line(ax, 0, note, line=line + i, ha="left", color=FAINT)


def _counts(points: Points) -> tuple[str, str]:
    return f"{points.count(-1):,} down", f"{points.count(1):,} up"


def _fold_change(log2fc: float) -> str:
    return f"|log$_2$ FC| = {log2fc:g}"


def _has_room_above(ax: Axes, points: Points, log2fc: float) -> bool:
    """Whether the threshold, centred above the panel, clears the counts in the corners."""
    corner = 1.15 * max(text_width(text, MEDIUM) for text in _counts(points))  # they are bold
    return text_width(f"|log2 FC| = {log2fc:g}") / 2 + corner + 1 < _width(ax) / 2


def _width(ax: Axes) -> float:
    """Width of a panel in millimetres."""
    return millimetres(ax.bbox.width / ax.figure.dpi)


def _sides(info: pd.Series) -> tuple[str, str]:
    """What a negative and a positive fold change mean, in words."""
    group, reference = info["group"], info["reference"]
    if group and reference:
        return f"←{_NBSP}higher in {reference}", f"higher in {group}{_NBSP}→"
    if group:
        return f"←{_NBSP}lower in {group}", f"higher in {group}{_NBSP}→"
    return "← negative", "positive →"


def _notes(points: Points, padj: float) -> list[str]:
    notes = []
    if points.threshold is None and not (points.side != 0).any():
        notes.append(f"no gene at padj <= {padj:g}")
    n_beyond = int(points.beyond.sum())
    if n_beyond:
        notes.append(f"{n_beyond} beyond the axes, up to {_extremes(points)}")
    if points.n_without_p:
        notes.append(f"{points.n_without_p:,} without p-value not drawn")
    return notes


def _extremes(points: Points) -> str:
    """How far the points go that are beyond the axes."""
    top, far = points.y.max(), np.abs(points.x).max()
    extremes = []
    if top > points.y_limit:
        extremes.append(f"$-$log$_{{10}}$ p = {top:,.0f}")
    if far > points.x_limit:
        extremes.append(f"|log$_2$ FC| = {far:.3g}")
    return ", ".join(extremes)


def _write_line(ax: Axes, x: float, text: str, *, line: int, **style: Any) -> None:
    """Write under the axis label; ``line`` counts downwards."""
    ax.annotate(
        text,
        (x, 0),
        xycoords=(ax.transAxes, ax.xaxis.label),
        xytext=(0, -2 - 1.3 * SMALL * line),
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        linespacing=1.1,
        **style,
    )


def _label_genes(ax: Axes, points: Points, wanted: Int, n_labels: int) -> None:
    """Name the genes asked for, each with a ring around it, then the best where there is room."""
    best = np.concatenate([points.best(n_labels, -1), points.best(n_labels, 1)])
    best = np.sort(best[~np.isin(best, wanted)])
    xy, size = points.xy, _marker_size(points)
    ring: dict[str, Any] = {
        "s": size + 8,
        "facecolors": "none",
        "edgecolors": INK,
        "linewidths": 0.6,
    }
    ax.scatter(*xy[wanted].T, zorder=3.5, label="_asked for", **ring)
    for positions, always in ((wanted, True), (best, False)):
        texts = [str(name) for name in points.names[positions]]
        radius = np.sqrt(size) / 2
        place_labels(ax, xy[positions], texts, points=xy, radius=radius, always=always)

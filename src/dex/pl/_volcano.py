"""Effect against evidence: the volcano plot."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dex.errors import InputError
from dex.get import rank_genes_df
from dex.pl._genes import chosen_tests
from dex.pl._points import Points
from dex.pl._save import check_save, finish, new_figure
from dex.pl._theme import COLUMN_MM, PAGE_MM, millimetres, theme
from dex.pl._volcano_drawing import draw_points, draw_thresholds, label_genes
from dex.pl._volcano_text import write_above, write_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MOST_PANELS = 12
_PANELS_PER_ROW = 3


def volcano(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    padj: float = 0.05,
    log2fc: float = 0.0,
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
    ``log2fc`` in size; the dashed lines say where that is. The ``log2fc`` line is a guide for the
    eye, not a claim about the false discovery rate. Where a few genes would squash all the others,
    the axis ends before them, and they are triangles at its edge. Genes without a p-value are
    counted below.

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
        Smallest size of ``log2fc`` that is coloured. The default colours all significant genes:
        those that pass a cut of both are not found at ``padj``.
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
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot: a notebook shows it when the cell ends. Nothing is shown with
        ``ax`` or ``return_fig``.
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

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> figure = dex.pl.volcano(adata, n_labels=5, return_fig=True)
    >>> [round(25.4 * inches) for inches in figure.get_size_inches()][0]
    85
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
        figure = axes[0].figure.figure  # the root, also of a subfigure
        for panel, points in zip(axes, every, strict=True):
            draw_points(panel, points)
            draw_thresholds(panel, points, padj=padj, log2fc=log2fc)
        figure.draw_without_rendering()
        for panel, points, (_, info) in zip(axes, every, tests.iterrows(), strict=True):
            write_above(panel, points, info, log2fc=log2fc, title=title)
            write_below(panel, points, info, padj=padj, log2fc=log2fc)
        with _final_layout(figure):
            for panel, points, positions in zip(axes, every, wanted, strict=True):
                _show_only(panel, axes)
                label_genes(panel, points, positions, n_labels)
            _show_only(None, axes)
        finish(figure, path, show=bool(show) and ax is None and not return_fig)
    if return_fig:
        return figure
    return axes[0] if len(axes) == 1 else axes


def _tests(
    adata: AnnData, test: str | int | Sequence[str | int] | None, *, key: str, single: bool
) -> pd.DataFrame:
    """Rows of :func:`dex.get.tests_df`, one for each panel."""
    tests = chosen_tests(adata, test, key=key)
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

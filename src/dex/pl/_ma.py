"""Mean expression against fold change: the MA plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.get import params, rank_genes_df
from dex.get._symbols import gene_ids
from dex.pl._limits import check_limits
from dex.pl._ma_drawing import Trend, draw_axes, draw_trend, expression_unit, write_ma
from dex.pl._ma_points import Value, ma_points
from dex.pl._panels import deliver, final_layout, make_panels, tests_shown
from dex.pl._points_classes import gene_classes
from dex.pl._points_drawing import draw_points, label_genes
from dex.pl._points_text import write_counts_beside
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 72.0


def ma(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    per: str | Sequence[str] | None = None,
    padj: float = 0.05,
    value: Value = "log2fc",
    n_labels: int = 10,
    genes: str | Sequence[str] | None = None,
    highlight: Mapping[str, str | Sequence[str]] | None = None,
    y_limit: float | tuple[float, float] | None = None,
    rasterized: bool | None = None,
    gene_symbols: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw mean expression against log2 fold change, a panel for each test.

    Genes with an adjusted p-value of at most ``padj`` are coloured. The dashed line is the running
    median of the fold changes: it lies on zero where most genes of any expression do not change,
    and away from it where normalisation did not take out a difference of composition. Where few
    genes would squash all the others, the axis ends before them, and they are triangles at its
    edge.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    test
        One or several tests, by name, group or number; all of them by default, if they are at most
        12.
    key
        Where the result is.
    per
        One or several strata, as cell types, of a result that was made with ``per=``.
    padj
        Largest adjusted p-value of a significant gene.
    value
        ``"log2fc"``, or ``"log2fc_shrunk"`` where the method gives it.
    n_labels
        Names to write on each side, the best first, as far as there is room.
    genes
        Genes to name in any case, in bold and with a ring, by ``var_names`` or symbol.
    highlight
        Genes of interest by class, ``{label: genes}``, as in :func:`dex.pl.volcano`.
    y_limit
        Where the axis of the fold changes ends: one number, or ``(low, high)``. Genes beyond are
        triangles at the edge, and are counted.
    rasterized
        Whether the points are a bitmap in ``.pdf`` and ``.svg`` files; by default where they are
        more than 2,000.
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
        figure is left to pyplot. Nothing is shown with ``ax`` or ``return_fig``.
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
        If there is no such result, test, gene, column or folder, if there are too many tests, or
        if a test has no fold changes or the values tested no mean on a linear scale.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=300, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> figure = dex.pl.ma(adata, n_labels=5, return_fig=True)
    >>> figure.axes[0].get_xlabel()
    'mean expression (CPM)'
    """
    path = check_save(save)
    check_limits(padj=padj)
    tests = tests_shown(adata, test, key=key, per=per, single=ax is not None)
    every = [
        ma_points(
            rank_genes_df(adata, name, key=key, gene_symbols=gene_symbols),
            padj=padj,
            value=value,
            y_limit=y_limit,
        )
        for name in tests["name"]
    ]
    named = [genes] if isinstance(genes, str) else list(genes or ())
    wanted = [points.find(gene_ids(adata, named, gene_symbols)) for points in every]
    classes = [gene_classes(points, highlight) for points in every]
    trends = [Trend.of(points) for points in every]
    unit = expression_unit(params(adata, key=key))
    infos = [info for _, info in tests.iterrows()]
    with theme():
        height = _HEIGHT if len(every) == 1 else None
        axes = make_panels(len(every), figsize=figsize, ax=ax, own=return_fig, height=height)
        figure = axes[0].figure.figure  # the root, also of a subfigure
        for panel, points, info, found, trend in zip(
            axes, every, infos, classes, trends, strict=True
        ):
            draw_points(panel, points, found, rasterized=rasterized)
            draw_axes(panel, points)
            draw_trend(panel, trend)
            if info["n_tested"]:
                write_counts_beside(panel, points)
        figure.draw_without_rendering()
        for panel, points, info, found, trend in zip(
            axes, every, infos, classes, trends, strict=True
        ):
            write_ma(
                panel,
                points,
                info,
                trend=trend,
                unit=unit,
                value=value,
                padj=padj,
                title=title,
                classes=found,
            )
        alone = len(figure.axes) == 1
        with final_layout(figure):
            for panel, points, positions in zip(axes, every, wanted, strict=True):
                label_genes(panel, points, positions, n_labels, columns=alone)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)

"""Effect against evidence: the volcano plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.get import params, rank_genes_df
from dex.get._symbols import gene_ids
from dex.pl._limits import check_limits
from dex.pl._panels import deliver, final_layout, make_panels, tests_shown
from dex.pl._points_classes import gene_classes
from dex.pl._points_drawing import draw_points, label_genes
from dex.pl._save import check_save
from dex.pl._theme import theme
from dex.pl._volcano_drawing import draw_null, draw_thresholds, set_ends
from dex.pl._volcano_points import Evidence, volcano_points
from dex.pl._volcano_text import write_above, write_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def volcano(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    per: str | Sequence[str] | None = None,
    padj: float = 0.05,
    log2fc: float = 0.0,
    y: Evidence = "pval",
    n_labels: int = 10,
    genes: str | Sequence[str] | None = None,
    highlight: Mapping[str, str | Sequence[str]] | None = None,
    x_limit: float | tuple[float, float] | None = None,
    y_limit: float | None = None,
    rasterized: bool | None = None,
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
    counted below. A result that was tested against a threshold (``lfc=`` of
    :func:`dex.tl.rank_genes`) has a grey band over the fold changes of its null hypothesis.

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
    log2fc
        Smallest size of ``log2fc`` that is coloured. The default colours all significant genes:
        those that pass a cut of both are not found at ``padj``.
    y
        ``"pval"``, with the line where ``padj`` is crossed, or ``"padj"``, adjusted p-values.
    n_labels
        Names to write on each side, the best first, as far as there is room: no name lies over
        another, over a point or over the line to another.
    genes
        Genes to name in any case, in bold and with a ring, by ``var_names`` or symbol: beside
        their points, or all in columns at the sides where there is no room for one of them.
    highlight
        Genes of interest by class, as ``{"hypoxia": [...], "clock": [...]}``, at most six classes:
        each has its own colour and marker and a line in the legend with the number drawn; the
        other genes are pale. Genes that the result does not have are only counted.
    x_limit, y_limit
        Where the axes end: for ``x_limit`` one number or ``(low, high)``, for ``y_limit`` a
        -log10 p. Genes beyond are triangles at the edge, and are counted.
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
    check_limits(padj=padj, log2fc=log2fc)
    tests = tests_shown(adata, test, key=key, per=per, single=ax is not None)
    every = [
        volcano_points(
            rank_genes_df(adata, name, key=key, gene_symbols=gene_symbols),
            padj=padj,
            log2fc=log2fc,
            y=y,
            x_limit=x_limit,
            y_limit=y_limit,
        )
        for name in tests["name"]
    ]
    named = [genes] if isinstance(genes, str) else list(genes or ())
    wanted = [points.find(gene_ids(adata, named, gene_symbols)) for points in every]
    classes = [gene_classes(points, highlight) for points in every]
    lfc = float(params(adata, key=key).get("lfc", 0.0))
    infos = [info for _, info in tests.iterrows()]
    with theme():
        axes = make_panels(len(every), figsize=figsize, ax=ax, own=return_fig)
        figure = axes[0].figure.figure  # the root, also of a subfigure
        for panel, points, found in zip(axes, every, classes, strict=True):
            draw_null(panel, lfc)
            draw_points(panel, points, found, rasterized=rasterized)
            draw_thresholds(panel, points, padj=padj, log2fc=log2fc)
            set_ends(panel, points)
        figure.draw_without_rendering()
        for panel, points, info, found in zip(axes, every, infos, classes, strict=True):
            write_above(panel, points, info, log2fc=log2fc, title=title)
            write_below(panel, points, info, padj=padj, log2fc=log2fc, lfc=lfc, y=y, classes=found)
        alone = len(figure.axes) == 1
        with final_layout(figure):
            for panel, points, positions in zip(axes, every, wanted, strict=True):
                label_genes(panel, points, positions, n_labels, columns=alone)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)

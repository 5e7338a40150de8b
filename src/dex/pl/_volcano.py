"""Effect against evidence: the volcano plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.get import rank_genes_df
from dex.pl._panels import deliver, final_layout, make_panels, one_by_one, tests_shown
from dex.pl._points import Points
from dex.pl._save import check_save
from dex.pl._theme import theme
from dex.pl._volcano_drawing import draw_points, draw_thresholds, label_genes
from dex.pl._volcano_text import write_above, write_below

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    tests = tests_shown(adata, test, key=key, single=ax is not None)
    every = [
        Points.from_frame(
            rank_genes_df(adata, name, key=key, gene_symbols=gene_symbols), padj=padj, log2fc=log2fc
        )
        for name in tests["name"]
    ]
    wanted = [points.find(genes or ()) for points in every]
    with theme():
        axes = make_panels(len(every), figsize=figsize, ax=ax, own=return_fig)
        figure = axes[0].figure.figure  # the root, also of a subfigure
        for panel, points in zip(axes, every, strict=True):
            draw_points(panel, points)
            draw_thresholds(panel, points, padj=padj, log2fc=log2fc)
        figure.draw_without_rendering()
        for panel, points, (_, info) in zip(axes, every, tests.iterrows(), strict=True):
            write_above(panel, points, info, log2fc=log2fc, title=title)
            write_below(panel, points, info, padj=padj, log2fc=log2fc)
        with final_layout(figure):
            for panel, points, positions in zip(one_by_one(axes), every, wanted, strict=True):
                label_genes(panel, points, positions, n_labels)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)

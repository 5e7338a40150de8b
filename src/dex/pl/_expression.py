"""Expression of some genes, a point for each observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.errors import InputError
from dex.pl._expression_drawing import draw_panel, place_points
from dex.pl._expression_layout import expression_panels, label_axes
from dex.pl._expression_source import ExpressionSource
from dex.pl._expression_table import KINDS, ExpressionTable, Kind
from dex.pl._expression_text import best_genes, evidence
from dex.pl._genes import chosen_tests
from dex.pl._panels import deliver, final_layout
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from typing import Literal

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_GENES = 24
_MOST_STRATA = 8
"""Strata of a result that are told apart by colour where nothing else is asked for."""


def expression(
    adata: AnnData,
    genes: str | Sequence[str] | None = None,
    *,
    groupby: str | None = None,
    key: str = "rank_genes",
    per: str | Sequence[str] | None = None,
    kind: Kind = "auto",
    pairs: str | Literal[False] | None = None,
    hue: str | None = None,
    order: Sequence[str] | None = None,
    layer: str | None = None,
    scale: str | None = None,
    gene_symbols: str | None = None,
    annotate: bool = True,
    n_columns: int | None = None,
    sharey: bool = False,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw expression by group: a panel for each gene, a point for each observation.

    The values are those that the result under ``key`` was made of, or of ``layer``. Where cells
    were added up by ``replicate``, the points are the samples that were tested.

    Parameters
    ----------
    adata
        AnnData; a result of :func:`dex.tl.rank_genes` is not needed if ``genes`` are given.
    genes
        Genes to show, by ``var_names`` or symbol, 24 at most; the default is the six best of the
        result.
    groupby
        Column of ``obs``; by default the one that the result compares. Numbers are drawn along the
        x axis, with their least-squares line.
    key
        Where the result is.
    per
        One or several strata, as cell types, of a result that was made with ``per=``.
        Of several, samples are told apart by colour unless ``hue`` is given.
    kind
        ``"points"`` with a line at the median; ``"box"`` (median, quartiles, and whiskers to the
        last value within 1.5 times the quartiles' distance) of at least 5 observations;
        ``"violin"`` (a density, with a box in it) of at least 10, of fewer a box: a line below says
        so. ``"bar"`` is the mean with its 95% confidence interval, by Student's t: a bar from zero
        for a layer of values that are no logs; a line for logs, as which counts are drawn too:
        their zero is no origin that lengths could be read from.
        ``"auto"`` is points for up to 50 observations in a group, else violins. Observations are
        points in all.
    pairs
        Column of ``obs`` whose observations are joined by lines; by default the ``block`` of a
        paired test, or the column of the design that pairs all groups; False for none.
    hue
        Column of ``obs`` that divides each group.
    order
        Levels of ``groupby`` to show, in this order.
    layer
        Layer to read; by default what the result was made of, or ``X``; counts are normalised on
        the way.
    scale
        What the values are, where that is not recorded, as for :func:`dex.tl.rank_genes`.
    gene_symbols
        Column of ``adata.var`` to show instead of ``var_names``.
    annotate
        Write adjusted p-value and log2 fold change under the name of a gene, where the result
        compares ``groupby``; of several tests that with the least p-value.
    n_columns
        Panels in a row; by default as many as fit a column or the width of a page.
    sharey
        Give all genes one y axis.
    title
        In place of the name of the gene, for one gene; ``""`` for none.
    figsize
        Width and height in inches; by default 85 or 180 mm wide.
    ax
        Axes to draw one gene in, instead of a new figure.
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
        The axes; a list of them for several genes; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result, gene, column, level, layer or folder, or if there are too many
        genes.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> figure = dex.pl.expression(adata, return_fig=True)
    >>> len(figure.axes)
    6
    """
    path = check_save(save)
    if kind not in KINDS:
        msg = f"kind={kind!r} is not known; it is one of {', '.join(map(repr, KINDS))}."
        raise InputError(msg)
    has_result = genes is None or key in adata.uns
    tests = chosen_tests(adata, None, key=key, per=per) if has_result else None
    wanted = _wanted(adata, genes, key=key, per=per, single=ax is not None)
    source = ExpressionSource.from_adata(
        adata, key=key if has_result else None, layer=layer, scale=scale
    )
    if hue is None and tests is not None and 1 < len(set(tests["per"])) <= _MOST_STRATA:
        hue = source.text("per")
    table = ExpressionTable.from_source(
        source,
        wanted,
        tests,
        groupby=groupby,
        hue=hue,
        order=order,
        pairs=pairs,
        kind=kind,
        gene_symbols=gene_symbols,
    )
    said = None
    if has_result and annotate:
        said = evidence(adata, wanted, table, source, key=key, per=per, gene_symbols=gene_symbols)
    with theme():
        axes = expression_panels(
            table, said, n_columns=n_columns, sharey=sharey, figsize=figsize, ax=ax, own=return_fig
        )
        for j, panel in enumerate(axes):
            draw_panel(panel, table, j, sharey=sharey)
        label_axes(axes, table, said, title=title, alone=ax is not None)
        with final_layout(axes[0].figure.figure):
            for j, panel in enumerate(axes):
                place_points(panel, table, j)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)


def _wanted(
    adata: AnnData,
    genes: str | Sequence[str] | None,
    *,
    key: str,
    per: str | Sequence[str] | None,
    single: bool,
) -> list[str]:
    if genes is None:
        return best_genes(adata, key=key, per=per, n=1 if single else None)
    wanted = [genes] if isinstance(genes, str) else list(genes)
    most = 1 if single else _MOST_GENES
    if not 1 <= len(wanted) <= most:
        where = "ax= holds 1 gene" if single else f"a figure holds 1 to {most} genes"
        msg = f"{where}, and there are {len(wanted)}; choose with genes=, or dex.pl.heatmap."
        raise InputError(msg)
    return wanted

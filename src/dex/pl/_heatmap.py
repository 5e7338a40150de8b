"""Expression of the best genes, gene by gene and observation by observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.errors import InputError
from dex.pl._genes import GeneChoice, chosen_tests
from dex.pl._heatmap_drawing import draw_heatmap
from dex.pl._plan import Extras
from dex.pl._save import check_save, finish
from dex.pl._strips import strip_of
from dex.pl._table import ClusterObs, HeatmapTable, compared, tested_matrix
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


def heatmap(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    n_genes: int | None = None,
    genes: Sequence[str] | None = None,
    padj: float = 0.05,
    groupby: str | None = None,
    annotations: str | Sequence[str] = (),
    layer: str | None = None,
    gene_symbols: str | None = None,
    z_score: bool = True,
    cluster_genes: bool = True,
    cluster_obs: ClusterObs = "within",
    cmap: str | Colormap | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw the expression of the best genes: genes in rows, observations in columns.

    One test shows its best genes up and down; several tests show the best of each, in blocks. With
    no significant gene the best by p-value are drawn, and the title says so. Columns are grouped by
    ``groupby``, and observations that no test compares are left out; the smallest groups are drawn
    wider than their share, and where there are more observations than can be seen, neighbours are
    averaged.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`; not needed if ``genes`` are given.
    test
        One or several tests, by name, group or number; the default is all of them.
    key
        Where the result is.
    n_genes
        Genes in all for one test, 40 by default, half up and half down as far as there are that
        many; for several tests genes for each, 5 by default, or 3 for more than 12 tests.
    genes
        Genes to show instead, by ``var_names`` or symbol.
    padj
        Largest adjusted p-value of a significant gene.
    groupby
        Column of ``adata.obs``; by default the one that the result compares.
    annotations
        Columns of ``adata.obs`` to show as bars of colour above. Levels have the colours in
        ``adata.uns[f"{column}_colors"]``, as scanpy leaves them, if there is one for each.
    layer
        Layer to read; by default what the result was made from, or ``X``; counts in ``X`` are
        normalised on the way.
    gene_symbols
        Column of ``adata.var`` to show instead of ``var_names``.
    z_score
        Show each gene as its difference from its mean over the observations shown, in standard
        deviations; colours end at 2.5. Else the values themselves.
    cluster_genes
        Put genes that are alike beside each other, within a block: average linkage with the best
        order of leaves. Else they are in the order of their p-values, or as given.
    cluster_obs
        ``"within"`` clusters the observations of each group, True all of them together without
        regard to groups, False leaves them in the order of ``adata``.
    cmap
        Colours; by default ``"RdBu_r"`` for z-scores and ``"viridis"`` for values.
    title
        In place of the name of the test; ``""`` for none.
    figsize
        Width and height in inches. The default is 85 mm wide for up to 24 observations, else
        180 mm, and as high as the genes need.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot: a notebook shows it when the cell ends. Nothing is shown with
        ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes or matplotlib.figure.Figure
        The axes of the values; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result, test, gene, column, layer or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> figure = dex.pl.heatmap(adata, n_genes=20, return_fig=True)
    >>> [round(25.4 * inches) for inches in figure.get_size_inches()][0]
    85
    """
    path = check_save(save)
    _check(cluster_obs, n_genes, genes)
    has_result = genes is None or test is not None or key in adata.uns
    tests = chosen_tests(adata, test, key=key) if has_result else None
    choice = _choose(adata, tests, genes, key=key, n_genes=n_genes, padj=padj)
    scale = None
    if layer is None and has_result:
        layer, scale = tested_matrix(adata, key=key)
    table = HeatmapTable.from_adata(
        adata,
        choice,
        compared(adata, tests, key=key, groupby=groupby),
        layer=layer,
        scale=scale,
        gene_symbols=gene_symbols,
        z_score=z_score,
        cluster_genes=cluster_genes,
        cluster_obs=cluster_obs,
    )
    columns = [annotations] if isinstance(annotations, str) else annotations
    extras = Extras(
        title=_title(tests, choice, padj) if title is None else title,
        note=_note(choice, padj),
        strips=tuple(strip_of(adata, column, offset=i + 1) for i, column in enumerate(columns)),
        obs_names=tuple(map(str, adata.obs_names[table.observations.rows])),
        block_names=choice.blocks,
        z_score=z_score,
        unit=f"layer {layer!r}" if layer is not None else "log expression",
        cmap=cmap,
        figsize=figsize,
    )
    with theme():
        ax = draw_heatmap(table, extras, own=return_fig)
        figure: Figure = ax.figure  # type: ignore[assignment]  # made here, so no subfigure
        finish(figure, path, show=bool(show) and not return_fig)
    return figure if return_fig else ax


def _check(cluster_obs: ClusterObs, n_genes: int | None, genes: Sequence[str] | None) -> None:
    if cluster_obs not in ("within", True, False):
        msg = f"cluster_obs={cluster_obs!r} is not known; it is 'within', True or False."
        raise InputError(msg)
    if n_genes is not None and n_genes < 1:
        msg = f"n_genes={n_genes} leaves nothing to draw; it must be at least 1."
        raise InputError(msg)
    if genes is not None and (isinstance(genes, str) or not len(genes)):
        msg = f"genes={genes!r} is not a list of at least one gene."
        raise InputError(msg)


def _choose(
    adata: AnnData,
    tests: pd.DataFrame | None,
    genes: Sequence[str] | None,
    *,
    key: str,
    n_genes: int | None,
    padj: float,
) -> GeneChoice:
    if genes is not None or tests is None:
        return GeneChoice.given(list(genes or ()))
    choice = GeneChoice.best(adata, tests, key=key, n_genes=n_genes, padj=padj)
    if not choice.genes:
        msg = f"no gene has a p-value under {key!r}; name the genes to draw with genes=."
        raise InputError(msg)
    return choice


def _title(tests: pd.DataFrame | None, choice: GeneChoice, padj: float) -> str:
    name = "" if tests is None or len(tests) > 1 else str(tests["name"].iloc[0])
    if choice.significant:
        return name
    return f"{name}\nno gene at padj <= {padj:g}, best by p-value".strip()


def _note(choice: GeneChoice, padj: float) -> str:
    if not choice.without:
        return ""
    return f"no gene at padj <= {padj:g}: {', '.join(choice.without)}"

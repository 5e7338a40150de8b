"""Expression of the best genes, gene by gene and observation by observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.pl._expression_source import ExpressionSource
from dex.pl._genes import GeneChoice, chosen_tests, labels_of
from dex.pl._heatmap_drawing import draw_heatmap
from dex.pl._limits import check_limits
from dex.pl._page import place_of
from dex.pl._plan import Extras
from dex.pl._save import check_save, finish
from dex.pl._strips import Strip, strip_of
from dex.pl._table import Z_LIMIT, ClusterObs, HeatmapTable, compared
from dex.pl._theme import inches, theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_MOST_DESIGN_COLUMNS = 4


def heatmap(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    per: str | Sequence[str] | None = None,
    n_genes: int | None = None,
    genes: Sequence[str] | None = None,
    padj: float = 0.05,
    mark: str | Sequence[str] = (),
    groupby: str | None = None,
    split_genes: int | str | Mapping[str, Sequence[str]] | pd.Series | None = None,
    split_obs: int | str | Sequence[str] | None = None,
    annotations: str | Sequence[str] | None = None,
    layer: str | None = None,
    gene_symbols: str | None = None,
    z_score: bool = True,
    cluster_genes: bool = True,
    cluster_obs: ClusterObs = "within",
    dendrogram: bool | Literal["genes", "obs"] = False,
    limit: float | tuple[float, float] | None = None,
    cmap: str | Colormap | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw the expression of the best genes: genes in rows, observations in columns.

    One test shows its best genes up and down; several tests show the best of each, in blocks. With
    no significant gene the best by p-value are drawn, and the title says so. Columns are grouped by
    what the result compares, and observations that no test compares are left out; the smallest
    groups are drawn wider than their share, and where there are more observations than can be seen,
    neighbours are averaged. Where cells were added up by ``replicate``, the columns are the samples
    that were tested.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`; not needed if ``genes`` are given.
    test
        One or several tests, by name, group or number; the default is all of them.
    key
        Where the result is.
    per
        One or several strata, as cell types, of a result that was made with ``per=``.
    n_genes
        Genes in all for one test, 40 by default, half up and half down as far as there are that
        many; for several tests genes for each, 5 by default, or 3 for more than 12 tests.
    genes
        Genes to show instead, by ``var_names`` or symbol. Where there are too many for a name on
        every line, lines join the names to their rows.
    padj
        Largest adjusted p-value of a significant gene.
    mark
        Genes to name, of those drawn; the others have no names then.
    groupby
        Column of ``obs``; by default the one that the result compares, or the columns in its
        contrasts. Observations are in the order of a covariate if the result is about one.
    split_genes
        How genes are divided, with gaps, names and numbers: into ``k`` clusters cut from their
        tree; by a column of ``adata.var`` or a Series by gene; or ``{label: genes}``, which are
        then the genes drawn. The default is a block for each of several tests.
    split_obs
        How observations are divided in place of ``groupby``: by one or several columns of ``obs``,
        the outermost first, or into ``k`` clusters cut from their tree. ``groupby`` is a bar of
        colour then.
    annotations
        Columns of ``obs`` to show as bars of colour above; the default is those of the design.
        Levels have the colours in ``adata.uns[f"{column}_colors"]``, as scanpy leaves them, if
        there is one for each.
    layer
        Layer to read; by default what the result was made from, or ``X``; counts in ``X`` are
        normalised on the way.
    gene_symbols
        Column of ``adata.var`` to show instead of ``var_names``.
    z_score
        Show each gene as its difference from its mean over the observations shown, in standard
        deviations. Else the values themselves.
    cluster_genes
        Put genes that are alike beside each other, within a block: average linkage with the best
        order of leaves. Else they are in the order of their p-values, or as given.
    cluster_obs
        ``"within"`` clusters the observations of each group, True all of them together without
        regard to groups, False leaves them in the order of ``adata``.
    dendrogram
        Draw the trees of ``"genes"``, of ``"obs"``, or of both (True), as far as there are any: up
        to 2000 rows or columns of a part are clustered.
    limit
        Where the colours end: one number for both sides of zero, or the lowest and the highest. By
        default 2.5 for z-scores; values go up to their 99th percentile.
    cmap
        Colours; by default ``"RdBu_r"`` for z-scores and ``"viridis"`` for values.
    title
        In place of the name of the test; ``""`` for none.
    figsize
        Width and height in inches. The default is 85 mm wide for up to 24 observations, else
        180 mm, and as high as the genes need.
    ax
        Axes whose place the whole heatmap takes, instead of a new figure; they are hidden.
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
        The axes of the values, in mm; the figure with ``return_fig``.

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
    check_limits(padj=padj)
    _check(cluster_obs, n_genes, genes, dendrogram)
    sets = split_genes if isinstance(split_genes, Mapping) else None
    named = genes is not None or sets is not None
    has_result = not named or test is not None or key in adata.uns
    tests = chosen_tests(adata, test, key=key, per=per) if has_result else None
    if sets is not None:
        choice = GeneChoice.of_sets(sets)
    else:
        choice = _choose(adata, tests, genes, key=key, n_genes=n_genes, padj=padj)
    if isinstance(split_genes, str | pd.Series):
        choice = choice.labelled(labels_of(adata, choice.genes, split_genes, gene_symbols))
    source = ExpressionSource.from_adata(adata, key=key if has_result else None, layer=layer)
    n_obs_parts = int(split_obs) if isinstance(split_obs, int | np.integer) else None
    columns = () if isinstance(split_obs, int | np.integer) else _listed(split_obs or ())
    if split_obs is None and tests is not None and len(set(tests["per"])) > 1:
        groups = [groupby] if groupby else source.contrasted_columns()
        columns = [str(source.text("per")), *groups]
    observations = compared(source, tests, groupby=groupby, split=columns)
    table = HeatmapTable.from_source(
        source,
        choice,
        observations,
        gene_symbols=gene_symbols,
        z_score=z_score,
        cluster_genes=cluster_genes,
        n_gene_parts=int(split_genes) if isinstance(split_genes, int | np.integer) else None,
        cluster_obs=cluster_obs,
        n_obs_parts=n_obs_parts,
    )
    marked = table.find(_listed(mark)) if mark else np.full(len(table.genes), genes is not None)
    extras = Extras(
        title=_title(tests, choice, padj) if title is None else title,
        note=_note(choice, padj),
        strips=_strips(source, table, groupby, annotations),
        obs_names=tuple(map(str, source.shown.obs_names[table.observations.rows])),
        marked=marked,
        only_marked=bool(mark),
        trees=(dendrogram in (True, "genes"), dendrogram in (True, "obs")),
        z_score=z_score,
        unit=source.unit,
        limits=_limits(table, limit, z_score=z_score),
        cmap=cmap,
        figsize=figsize if ax is None else _size_of(ax),
    )
    with theme():
        drawn = draw_heatmap(table, extras, host=ax, own=return_fig)
        figure = drawn.figure.figure  # the root, also of a subfigure
        finish(figure, path, show=bool(show) and ax is None and not return_fig)
    return figure if return_fig else drawn


def _check(
    cluster_obs: ClusterObs, n_genes: int | None, genes: Sequence[str] | None, dendrogram: object
) -> None:
    if cluster_obs not in ("within", True, False):
        msg = f"cluster_obs={cluster_obs!r} is not known; it is 'within', True or False."
        raise InputError(msg)
    if dendrogram not in (True, False, "genes", "obs"):
        msg = f"dendrogram={dendrogram!r} is not known; it is True, False, 'genes' or 'obs'."
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


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _strips(
    source: ExpressionSource,
    table: HeatmapTable,
    groupby: str | None,
    annotations: str | Sequence[str] | None,
) -> tuple[Strip, ...]:
    """Bars of colour beside those of the groups: asked for, or the columns of the design."""
    block = source.text("block")
    design = (*source.contrasted_columns(), *source.design_columns(), *([block] if block else []))
    wanted = design[:_MOST_DESIGN_COLUMNS] if annotations is None else _listed(annotations)
    names = dict.fromkeys([*([groupby] if groupby else []), *wanted])
    bars = [levels.name for levels in table.observations.levels]
    new = [name for name in names if name not in bars]
    return tuple(strip_of(source.shown, name) for name in new)


def _limits(
    table: HeatmapTable, limit: float | tuple[float, float] | None, *, z_score: bool
) -> tuple[float, float]:
    """Symmetric for z-scores; values from 0, or their least, to their 99th percentile."""
    values = table.values  # noqa: PD011
    least = float(min(values.min(), 0))
    if limit is None and not z_score:
        high = float(np.percentile(values, 99))
        return least, high if high > least else least + 1
    if limit is None:
        return -Z_LIMIT, Z_LIMIT
    if isinstance(limit, tuple | list):
        low, high = limit
    else:
        low, high = (-limit if z_score else least), limit
    if not low < high:
        msg = f"limit={limit!r} is not a range of values; give a positive number, or (low, high)."
        raise InputError(msg)
    return float(low), float(high)


def _size_of(ax: Axes) -> tuple[float, float]:
    """Size of the place of given axes in inches, after their figure is laid out."""
    ax.figure.figure.draw_without_rendering()
    width, height = place_of(ax)
    return inches(width), inches(height)


def _title(tests: pd.DataFrame | None, choice: GeneChoice, padj: float) -> str:
    name = "" if tests is None or len(tests) > 1 else str(tests["name"].iloc[0])
    if choice.significant:
        return name
    return f"{name}\nno gene at padj <= {padj:g}, best by p-value".strip()


def _note(choice: GeneChoice, padj: float) -> str:
    if not choice.without:
        return ""
    return f"no gene at padj <= {padj:g}: {', '.join(choice.without)}"

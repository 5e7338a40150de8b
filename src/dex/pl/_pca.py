"""Observations on their principal components."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.get._ordination import Ordination
from dex.get._symbols import gene_labels
from dex.pl._ordination_drawing import draw_maps
from dex.pl._ordination_map import Map, maps_of
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def pca(
    adata: AnnData,
    color: str | Sequence[str] | None = None,
    *,
    shape: str | None = None,
    components: tuple[int, ...] | Sequence[tuple[int, int]] = (1, 2),
    labels: str | Sequence[str] | None = "auto",
    loadings: int = 0,
    key: str = "pca",
    layer: str | None = None,
    gene_symbols: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw observations by two principal components, and say how much of the variance these have.

    Points are drawn in random order, so that no group covers another.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.pca`, or scanpy's.
    color
        Column of ``adata.obs``, or a gene whose expression is shown; several of them make a panel
        each. By default the column that :func:`dex.tl.rank_genes` has compared, if it has. Levels
        have the colours in ``adata.uns[f"{color}_colors"]``, as scanpy leaves them, if there is
        one for each.
    shape
        Column of ``adata.obs`` to show by markers, of up to 8 levels.
    components
        Two of them, counted from 1; a list of pairs, ``[(1, 2), (3, 4)]``, makes a panel each, and
        several numbers, ``(1, 2, 3)``, all their pairs.
    labels
        ``"names"`` writes the name of each observation beside its point; ``"auto"`` does so for up
        to 24 of them. A column of ``obs`` is written instead, or a list of observations named
        alone. ``"groups"`` writes the levels of ``color`` where their points are, and leaves out
        the key if there are at least 100 observations and every group lies apart. None writes
        nothing.
    loadings
        Genes to draw as arrows: those that differ most along the two components. They point to
        where the gene is high, and are as long as it varies there, to a scale of their own.
    key
        Where the result is.
    layer, gene_symbols
        Layer to read the expression of a gene from, by default what the map was made from; and
        column of ``adata.var`` to find and show genes by, instead of ``var_names``.
    title
        Above the panels.
    figsize
        Width and height in inches. The default is one column of a page, 85 mm wide, or 180 mm for
        three panels in a row; as high as gives both axes the same scale, if that is neither very
        flat nor very tall.
    ax
        Axes to draw one panel in, instead of a new figure.
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
        The axes; a list of them for several panels; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If :func:`dex.tl.pca` has not been run, or if there is no such column, gene, component or
        folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_batches=2, seed=1)
    >>> dex.tl.pca(adata)
    >>> ax = dex.pl.pca(adata, "condition", shape="batch")
    >>> ax.get_xlabel()[:5]
    'PC1 ('
    """
    path = check_save(save)
    ordination = Ordination.pca(adata, key)
    if isinstance(loadings, bool) or not isinstance(loadings, int) or loadings < 0:
        msg = f"loadings={loadings!r} is not a number of genes; 0 draws none."
        raise InputError(msg)
    with theme():
        maps = maps_of(
            adata,
            ordination,
            color,
            "PC",
            shape=shape,
            components=components,
            labels=labels,
            layer=layer,
            gene_symbols=gene_symbols,
            single=ax is not None,
        )
        names = gene_labels(adata, gene_symbols) if loadings else []
        maps = [_with_arrows(shown, ordination, loadings, names) for shown in maps]
        return draw_maps(
            maps,
            title=title,
            figsize=figsize,
            ax=ax,
            show=show,
            return_fig=return_fig,
            path=path,
        )


def _with_arrows(shown: Map, ordination: Ordination, n: int, names: list[str]) -> Map:
    """Add the genes of the longest arrows: loadings times the spread along their component."""
    if not n:
        return shown
    if ordination.loadings is None:
        msg = f"loadings={n}: there are none with these components; run dex.tl.pca(adata)."
        raise InputError(msg)
    columns = np.array(shown.pair) - 1
    ends = ordination.loadings[:, columns] * ordination.coordinates[:, columns].std(axis=0)
    lengths = np.hypot(*ends.T)
    best = np.argsort(-lengths, kind="stable")[: min(n, np.count_nonzero(lengths))]
    return replace(shown, arrows=ends[best], arrow_names=tuple(names[j] for j in best))

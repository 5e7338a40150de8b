"""Samples on the map of their leading fold changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.get._ordination import Ordination
from dex.pl._ordination_drawing import draw_maps
from dex.pl._ordination_map import maps_of
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def mds(
    adata: AnnData,
    color: str | Sequence[str] | None = None,
    *,
    shape: str | None = None,
    components: tuple[int, ...] | Sequence[tuple[int, int]] = (1, 2),
    labels: str | Sequence[str] | None = "auto",
    key: str = "mds",
    layer: str | None = None,
    gene_symbols: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw samples so that distances are their leading log2 fold changes.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.mds`.
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
        If :func:`dex.tl.mds` has not been run, or if there is no such column, gene, component or
        folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.mds(adata)
    >>> ax = dex.pl.mds(adata, "condition")
    >>> ax.get_xlabel()[:24]
    'Leading log₂ fold change'
    """
    path = check_save(save)
    ordination = Ordination.mds(adata, key)
    with theme():
        maps = maps_of(
            adata,
            ordination,
            color,
            "Leading log₂ fold change, dim ",
            shape=shape,
            components=components,
            labels=labels,
            layer=layer,
            gene_symbols=gene_symbols,
            single=ax is not None,
        )
        return draw_maps(
            maps,
            title=title,
            figsize=figsize,
            ax=ax,
            show=show,
            return_fig=return_fig,
            path=path,
        )

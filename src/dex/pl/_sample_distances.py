"""How far samples are from each other: a clustered heatmap of their distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.get import distances_df
from dex.pl._ordination_map import compared_column
from dex.pl._panels import deliver
from dex.pl._save import check_save
from dex.pl._square import Square, draw_square
from dex.pl._strips import strip_of
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


def sample_distances(
    adata: AnnData,
    annotations: str | Sequence[str] | None = None,
    *,
    key: str = "mds",
    labels: bool | None = None,
    numbers: bool | None = None,
    cmap: str | Colormap = "Blues_r",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the distances of all samples from each other, like beside like.

    The distances are leading log2 fold changes, of :func:`dex.tl.mds`. Samples are ordered by
    average linkage, in the best order that its tree, drawn above, allows. Dark is near; the
    diagonal, where every sample meets itself, is grey.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.mds`.
    annotations
        Columns of ``adata.obs`` to show as bars of colour above. By default the column that
        :func:`dex.tl.rank_genes` has compared, if it has; ``()`` for none.
    key
        Where the distances are.
    labels
        Whether to name the samples; by default where there is room.
    numbers
        Whether to write the distances; by default where there is room.
    cmap
        Colours, from near to far.
    title
        Above all.
    figsize
        Width and height in inches. The default is 85 mm wide for up to 24 samples, else 180 mm, and
        as high as that needs.
    ax
        Axes whose place is taken, instead of a new figure.
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
        The axes of the distances; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If :func:`dex.tl.mds` has not been run, or if there is no such column or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.mds(adata)
    >>> ax = dex.pl.sample_distances(adata, "condition")
    >>> sorted(tick.get_text() for tick in ax.get_yticklabels())[:2]
    ['control_1', 'control_2']
    """
    path = check_save(save)
    distances = distances_df(adata, key=key)
    if annotations is None:
        annotations = [column for column in (compared_column(adata),) if column is not None]
    columns = [annotations] if isinstance(annotations, str) else annotations
    strips = [strip_of(adata, column) for column in columns]
    square = Square(
        distances.to_numpy(),
        distances.to_numpy(),
        tuple(map(str, distances.index)),
        "leading\nlog₂ fold change",
    )
    with theme():
        panel = draw_square(
            square,
            strips,
            labels=labels,
            numbers=numbers,
            cmap=cmap,
            title=title,
            figsize=figsize,
            ax=ax,
            own=return_fig,
        )
        return deliver([panel], path=path, ax=ax, show=show, return_fig=return_fig)

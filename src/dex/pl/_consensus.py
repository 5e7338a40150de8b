"""How often observations or genes were clustered together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.get import consensus_df
from dex.get._clusters import cluster_labels, clustering
from dex.pl._panels import deliver
from dex.pl._save import check_save
from dex.pl._square import Square, draw_square
from dex.pl._strips import Levels, palette, strip_of
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from dex.pl._strips import Strip


def consensus(
    adata: AnnData,
    annotations: str | Sequence[str] = (),
    *,
    key: str = "cluster",
    labels: bool | None = None,
    cmap: str | Colormap = "Blues",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw how often two observations were clustered together when some were left out.

    Where clusters are sure, dark squares lie on the diagonal and all else is white.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.cluster` by consensus.
    annotations
        Columns of ``adata.obs`` to show as bars of colour above, under that of the clusters; not of
        genes.
    key
        Where the clusters are.
    labels
        Whether to name the observations; by default where there is room.
    cmap
        Colours, from never to always together.
    title
        Above all.
    figsize
        Width and height in inches. The default is 85 mm wide for up to 24 observations, else
        180 mm, and as high as that needs.
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
        The axes of the matrix; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there are no clusters by consensus, or no such column or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=6, log2fc_sd=3, seed=1)
    >>> dex.tl.cluster(adata, 2, n_null=20)
    >>> ax = dex.pl.consensus(adata, "condition")
    >>> len(ax.get_yticklabels())
    12
    """
    path = check_save(save)
    table = consensus_df(adata, key=key)
    named = cluster_labels(adata, key)
    of_obs = clustering(adata, key)["params"]["axis"] == "obs"
    columns = [annotations] if isinstance(annotations, str) else annotations
    strips = [_clusters(named, key), *(strip_of(adata, name) for name in columns if of_obs)]
    square = Square(
        table.to_numpy(),
        1 - table.to_numpy(),
        tuple(map(str, table.index)),
        "share of resamples\ntogether",
        members="samples" if of_obs else "genes",
        limits=(0.0, 1.0),
        digits=1,
    )
    with theme():
        panel = draw_square(
            square,
            strips,
            labels=labels,
            numbers=False,
            cmap=cmap,
            title=title,
            figsize=figsize,
            ax=ax,
            own=return_fig,
        )
        return deliver([panel], path=path, ax=ax, show=show, return_fig=return_fig)


def _clusters(labels: pd.Series, key: str) -> Strip:
    used = labels[labels.notna()]
    names = tuple(map(str, used.cat.categories))
    return Levels(key, np.asarray(used.cat.codes, dtype=np.intp), names, palette(len(names)))

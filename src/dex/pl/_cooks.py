"""Which samples hold counts that fits depend on too much: Cook's distances, sample by sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.get._fit import shared_of
from dex.pl._cooks_drawing import Distances, draw_distances, write_distances
from dex.pl._panels import deliver, make_panels
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 72.0


def cooks(
    adata: AnnData,
    *,
    key: str = "rank_genes",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw Cook's distances of every sample: how far fits would move without its counts.

    A box holds the middle half of the genes and the whiskers 90% of them; a point is the largest
    distance. Boxes of good samples are at about one height. One that stands higher is of a sample
    whose counts disagree with its group in many genes: mislabelled, contaminated, or of poor
    quality. Points above the line are single outlying counts: in groups of three to six they cost
    the gene its p-value (``status`` ``outlier``), in larger ones they are replaced.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`, or a fit of :func:`dex.tl.fit`, by
        ``"deseq2"``.
    key
        Where it is.
    title
        Above the panel; by default the formula of the design; ``""`` for none.
    figsize
        Width and height in inches. The default is one column of a page, 85 mm wide.
    ax
        Axes to draw in, instead of a new figure.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot. Nothing is shown with ``ax`` or ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes or matplotlib.figure.Figure
        The axes; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result, fit or folder, or it has no Cook's distances.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=300, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition", method="deseq2")
    >>> figure = dex.pl.cooks(adata, return_fig=True)
    >>> figure.axes[0].get_ylabel()
    "Cook's distance"
    """
    path, shared = check_save(save), shared_of(adata, key)
    params = dict(adata.uns[key]["params"])
    if "cooks_quantiles" not in shared:
        msg = (
            f"key={key!r}: method={params.get('method')!r} has left no Cook's distances; "
            "method='deseq2' does where there are replicates."
        )
        raise InputError(msg)
    distances = Distances(
        np.asarray(shared["cooks_quantiles"], dtype=np.float64),
        tuple(str(name) for name in shared["observations"]),
        float(shared["cooks_cutoff"]),
    )
    heading = str(params.get("design", "")) if title is None else title
    with theme():
        axes = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=_HEIGHT)
        draw_distances(axes[0], distances)
        axes[0].figure.figure.draw_without_rendering()  # words are broken to the final width
        write_distances(axes[0], distances, title=heading)
        done = deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)
    assert not isinstance(done, list)
    return done

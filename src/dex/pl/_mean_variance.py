"""How variances of genes depend on their means: what voom weighs by, and what limma squeezes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dex.errors import InputError
from dex.get import fit_df
from dex.get._fit import shared_of
from dex.pl._mean_variance_drawing import draw_cloud, moderated_cloud, voom_cloud, write_cloud
from dex.pl._panels import deliver, make_panels
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 72.0
_KINDS = ("voom", "prior")
_NEEDS = {"voom": "voom_root_sd", "prior": "var_prior"}


def mean_variance(
    adata: AnnData,
    *,
    key: str = "rank_genes",
    kind: Literal["voom", "prior"] | None = None,
    rasterized: bool | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw the root of every gene's standard deviation against its mean log expression.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`, or a fit of :func:`dex.tl.fit`, by
        ``"limma"`` or ``"limma_voom"``.
    key
        Where it is.
    kind
        ``"voom"``: before weighting, with the trend that the weights are from; it should fall and
        level off, and a rise at the left says that genes of few counts were not filtered.
        ``"prior"``: residual standard deviations as fitted, with the prior that they are squeezed
        to (limma's ``plotSA``); rings are genes of outlying variance, squeezed less (``robust``).
        By default ``"voom"`` where there is such a trend.
    rasterized
        Whether the points are a bitmap in ``.pdf`` and ``.svg`` files; by default where they are
        more than 2,000.
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
        If there is no such result, fit or folder, or the method has no such trend.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=300, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition", method="limma_voom")
    >>> figure = dex.pl.mean_variance(adata, return_fig=True)
    >>> figure.axes[0].get_xlabel()
    'average log₂ count'
    """
    path = check_save(save)
    if kind is not None and kind not in _KINDS:
        msg = f"kind={kind!r} is not known; it is {' or '.join(map(repr, _KINDS))}."
        raise InputError(msg)
    frame, shared = fit_df(adata, key), shared_of(adata, key)
    kind = kind or ("voom" if _NEEDS["voom"] in frame else "prior")
    params = dict(adata.uns[key]["params"])
    if _NEEDS[kind] not in frame or "mean_log2" not in frame:
        what = "mean-variance trend" if kind == "voom" else "prior of the variances"
        msg = f"kind={kind!r}: method={params.get('method')!r} has no {what} of logs."
        raise InputError(msg)
    cloud = voom_cloud(frame, shared) if kind == "voom" else moderated_cloud(frame)
    heading = str(params.get("design", "")) if title is None else title
    with theme():
        axes = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=_HEIGHT)
        draw_cloud(axes[0], cloud, rasterized=rasterized)
        axes[0].figure.figure.draw_without_rendering()  # words are broken to the final width
        write_cloud(axes[0], cloud, title=heading)
        done = deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)
    assert not isinstance(done, list)
    return done

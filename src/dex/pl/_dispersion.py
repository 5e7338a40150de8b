"""How much genes vary beyond the noise of counting: their own, the trend, and what is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dex.errors import InputError
from dex.get import fit_df
from dex.get._fit import shared_of
from dex.pl._dispersion_drawing import (
    dispersions,
    draw_spread,
    prior_words,
    quasi_dispersions,
    write_spread,
)
from dex.pl._panels import deliver, make_panels
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 72.0
_KINDS = ("dispersion", "quasi")


def dispersion(
    adata: AnnData,
    *,
    key: str = "rank_genes",
    kind: Literal["dispersion", "quasi"] | None = None,
    rasterized: bool | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw the dispersions of all genes against their abundance.

    Grey points are a gene's own estimate, blue ones what is used in the tests: drawn towards the
    line, the trend of genes of like abundance, the more, the fewer replicates there are. Rings are
    genes so far above the trend that they were left where they are.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`, or a fit of :func:`dex.tl.fit`, by a
        method that models counts.
    key
        Where it is.
    kind
        ``"dispersion"``, of negative binomial counts, the square of the biological coefficient of
        variation (BCV); or ``"quasi"``, quasi-dispersions, by which counts vary more or less than
        the model that all genes share. The default is ``"quasi"`` where the fit has them.
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
        If there is no such result, fit or folder, or the method has no such dispersions.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=300, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition", method="edger")
    >>> figure = dex.pl.dispersion(adata, return_fig=True)
    >>> figure.axes[0].get_ylabel()
    'quasi-dispersion'
    """
    path = check_save(save)
    if kind is not None and kind not in _KINDS:
        msg = f"kind={kind!r} is not known; it is {' or '.join(map(repr, _KINDS))}."
        raise InputError(msg)
    frame, shared = fit_df(adata, key), shared_of(adata, key)
    kind = kind or ("quasi" if "quasi_dispersion" in frame else "dispersion")
    needed = "quasi_dispersion" if kind == "quasi" else "dispersion"
    if needed not in frame:
        method = dict(adata.uns[key]["params"]).get("method")
        msg = f"kind={kind!r}: method={method!r} has no {needed.replace('_', '-')} of the genes."
        raise InputError(msg)
    spread = quasi_dispersions(frame) if kind == "quasi" else dispersions(frame)
    words = prior_words(frame, shared, kind)
    heading = str(dict(adata.uns[key]["params"]).get("design", "")) if title is None else title
    with theme():
        axes = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=_HEIGHT)
        draw_spread(axes[0], spread, rasterized=rasterized)
        axes[0].figure.figure.draw_without_rendering()  # words are broken to the final width
        write_spread(axes[0], spread, words, title=heading)
        done = deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)
    assert not isinstance(done, list)
    return done

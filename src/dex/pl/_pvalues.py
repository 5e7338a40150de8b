"""Whether the p-values of a test look as they should: histogram and quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.get import pvalue_shape, rank_genes_df
from dex.pl._panels import deliver, make_panels, tests_shown
from dex.pl._points import why_no_p
from dex.pl._pvalues_drawing import (
    Quantiles,
    draw_histogram,
    draw_quantiles,
    write_histogram,
    write_quantiles,
)
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.get import PvalueShape
    from dex.typing import Float

_HEIGHT = 66.0
_MANY_POINTS = 2000
_KINDS = ("histogram", "qq")


def pvalues(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    per: str | Sequence[str] | None = None,
    kind: Literal["histogram", "qq"] = "histogram",
    y_limit: float | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the distribution of p-values, a panel for each test, with what it means in words.

    Genes that do not change have uniform p-values if the test suits the data: the histogram is
    then level, with a peak at 0 of the genes that change. The dashed line is the level of the
    unchanged genes by Storey's estimate. In the QQ plot these genes lie in the grey band; lambda
    is the inflation of the median (1 if nothing changes). The words are those of
    :func:`dex.get.pvalue_shape`.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    test
        One or several tests, by name, group or number; all of them by default, if they are at most
        12.
    key
        Where the result is.
    per
        One or several strata, as cell types, of a result that was made with ``per=``.
    kind
        ``"histogram"`` (40 bars), or ``"qq"``: sorted -log10 p against that of uniform p-values.
    y_limit
        Where the axis of a QQ plot ends, in -log10 p. Genes beyond are triangles at the edge.
    title
        In place of the name of the test; ``""`` for none.
    figsize
        Width and height in inches. The default is one column of a page, 85 mm wide, or 180 mm for
        three panels in a row.
    ax
        Axes to draw one test in, instead of a new figure.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot. Nothing is shown with ``ax`` or ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes, list of Axes, or matplotlib.figure.Figure
        The axes; a list of them for several tests; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result, test, kind or folder, if there are too many tests, or if a test
        has no p-values.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=300, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> ax = dex.pl.pvalues(adata)
    >>> ax.get_xlabel()
    'p-value'
    """
    if kind not in _KINDS:
        msg = f"kind={kind!r} is not known; it is {' or '.join(map(repr, _KINDS))}."
        raise InputError(msg)
    if y_limit is not None and not (np.isfinite(y_limit) and y_limit > 0):
        msg = f"y_limit={y_limit!r} is not the end of an axis; give a positive -log10 p."
        raise InputError(msg)
    path = check_save(save)
    tests = tests_shown(adata, test, key=key, per=per, single=ax is not None)
    every = [_log10_pval(rank_genes_df(adata, name, key=key)) for name in tests["name"]]
    shapes = [pvalue_shape(adata, name, key=key) for name in tests["name"]]
    with theme():
        axes = make_panels(len(every), figsize=figsize, ax=ax, own=return_fig, height=_HEIGHT)
        quantiles = _draw(axes, every, shapes, kind=kind, y_limit=y_limit)
        axes[0].figure.figure.draw_without_rendering()  # words are broken to the final width
        for panel, points, shape, (_, info) in zip(
            axes, quantiles, shapes, tests.iterrows(), strict=True
        ):
            if points is None:
                write_histogram(panel, info, shape, title=title)
            else:
                write_quantiles(panel, info, shape, points, title=title)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)


def _draw(
    axes: list[Axes],
    every: list[Float],
    shapes: list[PvalueShape],
    *,
    kind: str,
    y_limit: float | None,
) -> list[Quantiles | None]:
    """Draw each panel; return the points of quantile plots."""
    drawn: list[Quantiles | None] = []
    for panel, log10_pval, shape in zip(axes, every, shapes, strict=True):
        points = Quantiles.of(log10_pval, y_limit=y_limit) if kind == "qq" else None
        if points is None:
            draw_histogram(panel, log10_pval, shape)
        else:
            draw_quantiles(panel, points, rasterized=len(points.expected) > _MANY_POINTS)
        drawn.append(points)
    return drawn


def _log10_pval(frame: pd.DataFrame) -> Float:
    values = frame["log10_pval"].to_numpy(dtype=np.float64)
    if np.isnan(values).all():
        test = frame["test"].iloc[0] if len(frame) else ""
        msg = f"test={test!r} has no p-value for any gene{why_no_p(frame)}: nothing to draw."
        raise InputError(msg)
    return values[~np.isnan(values)]

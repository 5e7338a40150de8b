"""Whether tests in which nothing changes say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.get import calibration_df, rank_genes_df
from dex.pl._calibration_drawing import Curves, draw_curves, table_height, write_table
from dex.pl._panels import deliver, make_panels
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 68.0
_MOST_TESTS = 200


def calibration(
    adata: AnnData,
    *,
    key: str = "rank_genes",
    tests: str | Sequence[str] | None = None,
    y_limit: float | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the p-values of tests in which nothing should change, against uniform ones.

    A curve for each test, as of one non-targeting guide of a screen against the others. Calibrated
    tests stay in the grey band, which holds 95 % of uniform p-values. The table below has the
    inflation of the median (lambda) and how many times the nominal rate the p-values at most 0.05,
    0.01 and 0.001 are. Of more than six tests the six most inflated have a colour and a row. See
    :func:`dex.get.calibration_df`, also on why tests of cells are rarely calibrated.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    key
        Where the result is.
    tests
        One or several tests, by name, by group, or by a pattern of either, as ``"NT*"``. The
        default is all of them, if they are at most 200.
    y_limit
        Where the axis ends, in -log10 p. Genes beyond are triangles at the edge.
    title
        Over the panel; ``""`` for none.
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
        If there is no such result, test or folder, if no test has p-values, or if there are too
        many tests.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=300, de_fraction=0, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> ax = dex.pl.calibration(adata)
    >>> ax.get_title()
    'Calibration'
    """
    if y_limit is not None and not (np.isfinite(y_limit) and y_limit > 0):
        msg = f"y_limit={y_limit!r} is not the end of an axis; give a positive -log10 p."
        raise InputError(msg)
    path = check_save(save)
    table = calibration_df(adata, key=key, tests=tests)
    if len(table) > _MOST_TESTS:
        msg = f"{len(table)} tests are more than a plot holds ({_MOST_TESTS}); choose with tests=."
        raise InputError(msg)
    table = table[table["n"] > 0].reset_index(drop=True)
    if not len(table):
        msg = f"no test chosen of {key!r} has a p-value: nothing to draw."
        raise InputError(msg)
    every = [
        rank_genes_df(adata, name, key=key)["log10_pval"].dropna().to_numpy(dtype=np.float64)
        for name in table["test"]
    ]
    curves = Curves.of(table, every, y_limit=y_limit)
    with theme():
        height = _HEIGHT + table_height(curves)
        axes = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=height)
        draw_curves(axes[0], curves)
        axes[0].figure.figure.draw_without_rendering()  # names are cut to the final width
        write_table(axes[0], curves, title="Calibration" if title is None else title)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)

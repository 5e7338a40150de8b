"""How many clusters there are: the data against points that are one cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from dex.get import gap_df
from dex.get._clusters import clustering
from dex.pl._panels import deliver, make_panels
from dex.pl._points_text import write_notes
from dex.pl._save import check_save
from dex.pl._theme import DOWN, FAINT, INK, LARGE, MEDIUM, UP, plain_axes, theme

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 62.0


def gap(
    adata: AnnData,
    *,
    key: str = "cluster",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the gap statistic: how much tighter clusters are than those of one cluster.

    The curve is the mean log share of the scatter that is within k clusters, of points that are one
    cluster, less that of the data, with standard errors. The number of clusters taken is filled; p
    is that of one cluster.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.cluster`.
    key
        Where its result is.
    title
        Above the panel; ``""`` for none.
    figsize
        Width and height in inches; by default one column of a page, 85 mm wide.
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
        If there is no such result or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=6, log2fc_sd=3, seed=1)
    >>> dex.tl.cluster(adata, n_null=20)
    >>> dex.pl.gap(adata).get_xlabel()
    'clusters'
    """
    path = check_save(save)
    table = gap_df(adata, key=key)
    entry = clustering(adata, key)
    with theme():
        (panel,) = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=_HEIGHT)
        _draw(panel, table)
        heading = _heading(int(entry["k"]), float(entry["pval"])) if title is None else title
        panel.set_title(heading, fontsize=LARGE, color=INK, pad=4)
        panel.figure.figure.draw_without_rendering()
        write_notes(panel, _notes(entry["params"], int(entry["k"])), line=0)
        return deliver([panel], path=path, ax=ax, show=show, return_fig=return_fig)


def _draw(ax: Axes, table: pd.DataFrame) -> None:
    plain_axes(ax)
    k, gaps, error = (table[name].to_numpy() for name in ("k", "gap", "error"))
    line: dict[str, Any] = {"color": DOWN, "linewidth": 0.9, "zorder": 2}
    ax.axhline(0, color=FAINT, linewidth=0.5, linestyle=(0, (4, 2)), zorder=1)
    ax.errorbar(k, gaps, yerr=error, capsize=1.6, elinewidth=0.7, label="gap", **line)
    ax.plot(k, gaps, "o", color=DOWN, markerfacecolor="white", markersize=3.6, zorder=3)
    chosen = table["chosen"].to_numpy()
    ax.plot(k[chosen], gaps[chosen], "o", color=UP, markersize=5, zorder=4, label="chosen")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(0.6, k[-1] + 0.4)
    ax.set_xlabel("clusters", labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel("gap in ln of scatter within", labelpad=3, fontsize=MEDIUM)


def _heading(k: int, pval: float) -> str:
    if k == 1:
        return f"One cluster (p = {pval:.2g})"
    return f"{k} clusters (p = {pval:.2g} that they are one)"


def _notes(params: dict[str, Any], k: int) -> list[str]:
    words = {
        "uniform": "uniform along principal components",
        "gaussian": "Gaussian, of the same covariance",
        "permuted": "with every gene permuted",
    }
    if params.get("k_asked") is not None:
        rule = "as asked"
    elif k == 1:
        rule = f"one is not rejected at {params['alpha']:g}"
    else:
        rule = "least of two or more within an error of the next"
    return [
        f"red: {rule}; bars: one standard error",
        f"against {int(params['n_null']):,} draws of one cluster, {words[params['null']]}",
    ]

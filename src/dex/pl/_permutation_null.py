"""What is found where there is nothing to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.pl._learning_panel import CHANCE, draw_panel, name_axes
from dex.pl._theme import INK, MEDIUM, NEUTRAL, UP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def permutation_null(
    adata: AnnData,
    *,
    key: str = "classify",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the area under the ROC curve against those with permuted labels.

    Labels are dealt anew to donors, and all is done again, so that the grey bars are what the same
    procedure finds in noise.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.classify`.
    key
        Where the result is.
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
        If there is no such result or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_permutations=19, repeats=1)
    >>> ax = dex.pl.permutation_null(adata)
    >>> ax.get_title()
    'Permutation null'
    """
    return draw_panel(
        adata,
        key,
        _draw,
        need="permutation",
        heading="Permutation null",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def _draw(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    null = entry["permutation"]
    values, observed = null["values"], float(null["observed"])
    if not len(values):
        msg = "there are no permutations to draw; run it with n_permutations=200."
        raise InputError(msg)
    statistic = "AUC" if "auc" in entry["metrics"] else "concordance"
    low = min(float(values.min()), observed, 0.5)
    high = max(float(values.max()), observed, 0.5)
    margin = 0.06 * max(high - low, 0.1)
    edges = np.linspace(low - margin / 2, high + margin / 2, min(31, 8 + len(values) // 5))
    ax.hist(
        values,
        bins=edges.tolist(),
        color=NEUTRAL,
        edgecolor="white",
        linewidth=0.3,
        label="permuted",
    )
    ax.axvline(0.5, label="_chance", **CHANCE)
    ax.axvline(observed, color=UP, linewidth=1.4, label="observed")
    left = observed > (low + high) / 2
    ax.annotate(
        f"observed\n{observed:.3f}",
        (observed, 1),
        xycoords=ax.get_xaxis_transform(),
        xytext=(-3 if left else 3, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        fontsize=MEDIUM,
        color=INK,
    )
    ax.set_xlim(low - margin, high + margin)
    name_axes(ax, statistic, "permutations")
    ways = float(null["n_possible"])
    count = f"{ways:,.0f}" if ways < 1e6 else f"{ways:.1e}"
    every = "all other" if bool(null["exact"]) else "random"
    return [
        f"p = {float(null['pval']):.3g}: {every} permutations of donors ({len(values):,}), of "
        f"{count} possible ways to deal the labels"
    ]

"""Sensitivity and precision of every cut, fold by fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._learning_panel import CHANCE, draw_panel, name_axes, unit_square
from dex.pl._strips import palette
from dex.pl._theme import DOWN, NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.typing import Float

_MOST_LINES = 30


def roc(
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
    """Draw the ROC curve: sensitivity against the false positive rate.

    Thin lines are folds, each tested by a model of the others; the thick one is their mean, the
    band one standard deviation of folds. Of more than two classes there is a curve for each against
    the rest. The dashed line is chance.

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
    >>> ax = dex.pl.roc(adata)
    >>> ax.get_title()
    'ROC curve'
    """
    return draw_panel(
        adata,
        key,
        _draw_roc,
        need="curves",
        heading="ROC curve",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def precision_recall(
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
    """Draw precision against recall: what the ROC curve hides of rare classes.

    Lines are as those of :func:`dex.pl.roc`. The dashed line is chance: the share of the class.

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
    >>> ax = dex.pl.precision_recall(adata)
    >>> ax.get_title()
    'Precision and recall'
    """
    return draw_panel(
        adata,
        key,
        _draw_precision_recall,
        need="curves",
        heading="Precision and recall",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def _draw_roc(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    unit_square(ax)
    ax.plot([0, 1], [0, 1], label="_chance", **CHANCE)
    _draw_curves(ax, entry, entry["curves"]["roc"])
    name_axes(ax, "false positive rate", "sensitivity")
    found = entry["metrics"]
    interval = f"{found['auc_low']:.2f} to {found['auc_high']:.2f}"
    notes = [f"AUC {found['auc']:.3f}, 95 % interval {interval}; {_independent(entry)}"]
    return [*notes, _what_lines_are(entry)]


def _draw_precision_recall(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    unit_square(ax)
    for share in np.unique(entry["curves"]["prevalence"]):
        ax.axhline(share, label="_chance", **CHANCE)
    _draw_curves(ax, entry, entry["curves"]["precision_recall"])
    name_axes(ax, "recall", "precision")
    found = entry["metrics"]
    chance = found["average_precision_chance"]
    notes = [
        f"average precision {found['average_precision']:.3f}, by chance {chance:.2f}; "
        f"{_independent(entry)}"
    ]
    return [*notes, _what_lines_are(entry)]


def _draw_curves(ax: Axes, entry: dict[str, Any], curves: Float) -> None:
    grid = entry["curves"]["grid"]
    classes = [str(name) for name in entry["classes"]]
    if len(classes) > 2:
        for name, curve, colour in zip(classes, curves, palette(len(classes)), strict=True):
            ax.plot(grid, curve, color=colour, linewidth=1.1, label=name, zorder=3)
        ax.legend(edgecolor="none", framealpha=0.85, fontsize="small", loc="lower right")
        return
    mean, sd = curves.mean(axis=0), curves.std(axis=0)
    low, high = np.clip(mean - sd, 0, 1), np.clip(mean + sd, 0, 1)
    ax.fill_between(grid, low, high, color=DOWN, alpha=0.18, linewidth=0, label="_band")
    for curve in curves[:_MOST_LINES]:
        ax.plot(grid, curve, color=NEUTRAL, linewidth=0.4, alpha=0.7, label="_fold", zorder=2)
    ax.plot(
        grid, mean, color=DOWN, linewidth=1.6, label=f"{classes[1]} against {classes[0]}", zorder=3
    )


def _independent(entry: dict[str, Any]) -> str:
    params = entry["params"]
    return f"{params['n_donors']:,} independent units"


def _what_lines_are(entry: dict[str, Any]) -> str:
    if len(entry["classes"]) > 2:
        return "each class against the rest, mean over folds; dashed: chance"
    n = len(entry["curves"]["roc"])
    shown = "" if n <= _MOST_LINES else f" (the first {_MOST_LINES} drawn)"
    return f"thin: {n} folds{shown}; band: one standard deviation of folds; dashed: chance"

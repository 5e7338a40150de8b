"""How many genes are needed, and which ones stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._learning_panel import CHANCE, draw_panel, name_axes
from dex.pl._theme import DOWN, FAINT, INK, NEUTRAL, SMALL, UP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panel_size(
    adata: AnnData,
    *,
    key: str = "signature",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the area under the ROC curve against the number of genes.

    Genes of every size are chosen anew in each fold. The ring is the smallest panel within one
    standard error of the best.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.signature`.
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
    >>> model = dex.tl.signature(adata, "condition", method="t-test", sizes=(1, 2, 5), repeats=1)
    >>> ax = dex.pl.panel_size(adata)
    >>> ax.get_title()
    'Panel size'
    """
    return draw_panel(
        adata,
        key,
        _draw_sizes,
        need="sizes",
        heading="Panel size",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def stability(
    adata: AnnData,
    *,
    key: str = "signature",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw how often genes are chosen from halves of the donors, against the penalty.

    The path of stability selection: the further to the right, the more genes are let in. Genes of
    the panel have a colour; those that stay above the dashed line are stable.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.signature`.
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
    >>> model = dex.tl.signature(adata, "condition", method="stability", sizes=(1, 2, 5), repeats=1)
    >>> ax = dex.pl.stability(adata)
    >>> ax.get_title()
    'Stability selection'
    """
    return draw_panel(
        adata,
        key,
        _draw_stability,
        need="path",
        heading="Stability selection",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def _draw_sizes(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    found = entry["sizes"]
    n, auc, se = found["n_genes"], found["auc"], found["se"]
    chosen = int(entry["params"]["n_genes"])
    best = int(np.argmax(auc))
    ax.axhline(0.5, label="_chance", **CHANCE)
    ax.axhline(
        auc[best] - float(found["one_se"]), color=FAINT, linewidth=0.6, zorder=1, label="_one_se"
    )
    ax.fill_between(n, auc - se, auc + se, color=DOWN, alpha=0.18, linewidth=0, label="_band")
    ax.plot(n, auc, "o-", color=DOWN, markersize=3, linewidth=1.1, zorder=3, label="AUC")
    at = int(np.argmin(np.abs(n - chosen)))
    ax.plot(
        [n[at]],
        [auc[at]],
        "o",
        markersize=8,
        markerfacecolor="none",
        color=UP,
        zorder=4,
        label="chosen",
    )
    ax.set_xscale("log")
    ticks = _thinned_ticks(n)
    ax.set_xticks(ticks, [f"{size:,}" for size in ticks])
    ax.minorticks_off()
    low = min(0.45, float((auc - se).min()) - 0.02)
    ax.set_ylim(low, 1.02)
    name_axes(ax, "genes", "AUC")
    nested = entry["metrics"]
    interval = f"{nested['auc_low']:.2f} to {nested['auc_high']:.2f}"
    return [
        f"ring: {chosen} genes; thin line: one standard error below the best ({n[best]} genes)",
        f"the choice of size included, AUC {nested['auc']:.3f} ({interval})",
        "band: one standard error; dashed: chance",
    ]


def _thinned_ticks(n: Any) -> list[int]:
    """Sizes that have room on a logarithmic axis."""
    kept: list[int] = []
    for size in map(int, n):
        if not kept or size >= 1.4 * kept[-1]:
            kept.append(size)
    return kept


def _draw_stability(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    path = entry["path"]
    steps, frequency = path["n_let_in"], path["frequency"]
    panel = set(map(str, entry["panel"]))
    genes = [str(name) for name in path["genes"]]
    for name, curve in zip(genes, frequency, strict=True):
        inside = name in panel
        colour, width = (UP, 1.0) if inside else (NEUTRAL, 0.5)
        label = name if inside else "_other"
        ax.plot(steps, curve, color=colour, linewidth=width, zorder=2 + inside, label=label)
    threshold = float(path["threshold"])
    ax.axhline(threshold, label="_threshold", **CHANCE)
    last = sorted(
        ((curve[-1], name) for name, curve in zip(genes, frequency, strict=True) if name in panel),
        reverse=True,
    )
    _write_names(ax, last, float(steps[-1]))
    ax.set_ylim(-0.02, 1.04)
    ax.set_xlim(steps[0], steps[-1] + 0.28 * (steps[-1] - steps[0]))
    ax.set_xticks(steps[:: max(len(steps) // 6, 1)])
    name_axes(ax, "genes let in from each half", "frequency")
    return [
        f"{path['n_subsamples']} halves of the donors; dark red: the {len(panel)} genes of the "
        f"panel; dashed: {threshold:g}"
    ]


def _write_names(ax: Axes, last: list[tuple[float, str]], x: float) -> None:
    """Write the names beside the ends of their curves, moved apart."""
    below = 1.06
    for height, name in last[:20]:
        y = min(height, below - 0.048)
        if y < 0:
            break
        below = y
        ax.annotate(
            name,
            (x, height),
            xytext=(x, y),
            textcoords="data",
            fontsize=SMALL,
            color=INK,
            va="center",
            ha="left",
            annotation_clip=False,
        )

"""Which cell types respond most: areas of the types, with what chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.get import priorities_df
from dex.get._learning import learnt
from dex.pl._panels import deliver, make_panels
from dex.pl._points_text import write_notes
from dex.pl._save import check_save
from dex.pl._theme import (
    DOWN,
    FAINT,
    INK,
    LARGE,
    MEDIUM,
    NEUTRAL,
    SMALL,
    plain_axes,
    shortened,
    theme,
)

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_MM, _AROUND_MM = 4.4, 26.0
_MOST_TYPES = 40


def priorities(
    adata: AnnData,
    *,
    key: str = "prioritize",
    padj: float = 0.05,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw how well the cells of each type tell the conditions apart, the best first.

    Bars are areas under the ROC curve in donors that were not learnt from, blue where they are
    significant; the grey band is the mean area of permuted donors plus or minus two standard
    deviations; the dashed line is chance. At the right are the adjusted p-values.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.prioritize`.
    key
        Where its result is.
    padj
        Largest adjusted p-value of a significant type.
    title
        In place of the conditions; ``""`` for none.
    figsize
        Width and height in inches; by default 85 mm wide and as high as the types need.
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
    >>> adata = dex.datasets.simulate_counts(
    ...     60, 4, cells_per_replicate=80, mean_count=1, log2fc_sd=2, de_fraction=0.3
    ... )
    >>> adata.obs["type"] = ["T" if i % 2 else "B" for i in range(adata.n_obs)]
    >>> dex.tl.prioritize(adata, "condition", per="type", replicate="replicate", repeats=2)
    >>> sorted(tick.get_text() for tick in dex.pl.priorities(adata).get_yticklabels())
    ['B', 'T']
    """
    path = check_save(save)
    table = priorities_df(adata, key=key).dropna(subset=["auc"]).head(_MOST_TYPES)
    params = learnt(adata, key, need="null_mean")["params"]
    with theme():
        height = _AROUND_MM + _ROW_MM * len(table)
        (panel,) = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=height)
        _draw(panel, table, padj)
        heading = f"{params['group']} vs {params['reference']}" if title is None else title
        panel.set_title(shortened(heading), fontsize=LARGE, color=INK, pad=10, parse_math=False)
        panel.figure.figure.draw_without_rendering()
        write_notes(panel, _notes(table, params), line=0)
        return deliver([panel], path=path, ax=ax, show=show, return_fig=return_fig)


def _draw(ax: Axes, table: pd.DataFrame, padj: float) -> None:
    plain_axes(ax)
    y = np.arange(len(table))
    auc = table["auc"].to_numpy()
    sure = table["padj"].to_numpy() <= padj
    band: dict[str, Any] = {"height": 0.84, "color": "#e9e9e9", "zorder": 1, "label": "_null"}
    mean, sd = table["null_mean"].to_numpy(), table["null_sd"].to_numpy()
    left, right = np.clip(mean - 2 * sd, 0, 1), np.clip(mean + 2 * sd, 0, 1)
    ax.barh(y, right - left, left=left, **band)
    colours = [DOWN if one else NEUTRAL for one in sure]
    ax.barh(y, auc - 0.5, left=0.5, height=0.52, color=colours, zorder=2, label="area")
    ax.axvline(0.5, color=FAINT, linewidth=0.6, linestyle=(0, (4, 2)), zorder=3)
    ax.set_yticks(y, [shortened(name) for name in table["type"]], fontsize=SMALL)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlim(min(0.3, float(np.min(auc)) - 0.02), 1.02)
    ax.set_xlabel("area under the ROC curve, donors held out", labelpad=2, fontsize=MEDIUM)
    style: dict[str, Any] = {"va": "center", "ha": "left", "fontsize": SMALL}
    across = ax.get_yaxis_transform()
    ax.text(1.03, 1.02, "padj", transform=ax.transAxes, color=FAINT, **(style | {"va": "bottom"}))
    for i, value in enumerate(table["padj"]):
        colour = INK if sure[i] else FAINT
        ax.text(1.03, i, f"{value:.2g}", transform=across, color=colour, **style)


def _notes(table: pd.DataFrame, params: dict[str, Any]) -> list[str]:
    donors = table["n_group"] + table["n_reference"]
    few, many = int(donors.min()), int(donors.max())
    return [
        f"{few if few == many else f'{few} to {many}'} samples of donors a type, "
        f"{int(params['n_cells'])} cells of each; grey: ± 2 sd of permuted donors"
    ]

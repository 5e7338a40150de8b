"""The best gene sets of each contrast as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.pl._panels import deliver
from dex.pl._save import check_save, new_figure
from dex.pl._sets_chosen import ChosenSets, wrapped_name
from dex.pl._theme import (
    COLUMN_MM,
    DOWN,
    FAINT,
    INK,
    LARGE,
    MEDIUM,
    SMALL,
    UP,
    line_height,
    millimetres,
    plain_axes,
    theme,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 8
_ROW = 4.0
_NAMES_MM = 40.0


def enrich_bar(
    adata: AnnData,
    contrast: str | Sequence[str] | None = None,
    *,
    sets: Sequence[str] | None = None,
    n_sets: int = 12,
    padj: float = 0.05,
    representative: bool = True,
    key: str = "enrich",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the significance of the best gene sets as bars, a panel for each contrast.

    Bars to the right are sets that go up, to the left those that go down; their length is -log10
    of the adjusted p, whose limit the dashed lines are. Bars of sets that are not called are pale.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    contrast
        One or several contrasts; all by default, if they are at most 8.
    sets
        Sets to draw; the best of each contrast by default.
    n_sets
        How many of each contrast.
    padj
        Sets up to it are called. Where there are none, the best by p are drawn, and that is said.
    representative
        Leave out sets that overlap with a better one, as :func:`dex.tl.enrich` has it.
    key
        Where the table is.
    title
        In place of the name of the contrast; ``""`` for none.
    figsize
        Width and height in inches. The default is 85 mm wide and as high as the sets need.
    ax
        Axes to draw one contrast in, instead of a new figure.
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
        The axes; a list of them for several contrasts; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such table, contrast, set or folder, or if there are too many contrasts.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20], "next": adata.var_names[20:60]})
    >>> ax = dex.pl.enrich_bar(adata)
    >>> len(ax.patches)
    2
    """
    path = check_save(save)
    how = {"key": key, "n_sets": n_sets, "padj": padj, "representative": representative}
    every = ChosenSets.from_adata(adata, contrast, sets, **how)  # type: ignore[arg-type]
    most = 1 if ax is not None else _MOST_PANELS
    if len(every.contrasts) > most:
        where = "ax= holds one contrast" if ax is not None else f"a figure holds {most} contrasts"
        msg = f"{where}, and there are {len(every.contrasts)}; choose with contrast=."
        raise InputError(msg)
    parts = [
        ChosenSets.from_adata(adata, name, sets, **how)  # type: ignore[arg-type]
        for name in every.contrasts
    ]
    with theme():
        axes = _panels(parts, figsize=figsize, ax=ax, own=return_fig)
        for panel, part in zip(axes, parts, strict=True):
            _draw(panel, part, padj, title)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)


def _panels(
    parts: list[ChosenSets],
    *,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> list[Axes]:
    if ax is not None:
        return [ax]
    heights = [sum(_row_heights(part)) + 14.0 for part in parts]
    size = (COLUMN_MM, sum(heights))
    if figsize is not None:
        size = (millimetres(figsize[0]), millimetres(figsize[1]))
    figure = new_figure(*size, own=own, layout="constrained")
    grid = figure.subplots(len(parts), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    return list(grid.flat)


def _row_heights(part: ChosenSets) -> list[float]:
    lines = [1 + wrapped_name(name, _NAMES_MM).count("\n") for name in part.names]
    return [max(_ROW, line_height() * n + 1.0) for n in lines]


def _draw(ax: Axes, part: ChosenSets, padj: float, title: str | None) -> None:
    signed = part.table("signed")[:, 0]
    order = np.argsort(-np.nan_to_num(signed), kind="stable")
    names = [wrapped_name(part.names[i], _NAMES_MM) for i in order]
    heights = np.array(_row_heights(part))[order]
    y = np.cumsum(heights) - heights / 2
    limit = -np.log10(padj)
    colours = [UP if value >= 0 else DOWN for value in signed[order]]
    alphas = [1.0 if abs(value) >= limit - 1e-12 else 0.35 for value in signed[order]]
    bars = ax.barh(y, signed[order], height=0.7 * _ROW, color=colours, zorder=2)
    for bar, alpha in zip(bars, alphas, strict=True):
        bar.set_alpha(alpha)
    sides = [1.0] * bool((signed >= 0).any()) + [-1.0] * bool((signed < 0).any())
    for side in sides:
        ax.axvline(side * limit, color=INK, linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=3)
    ax.set_ylim(heights.sum(), 0)
    ax.set_yticks(y, names, fontsize=SMALL, linespacing=1)
    plain_axes(ax)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    said = filter(None, [_axis_words(sides), wrapped(part.note, COLUMN_MM - _NAMES_MM, MEDIUM)])
    ax.set_xlabel("\n".join(said), fontsize=MEDIUM, labelpad=2)
    heading = part.contrasts[0] if title is None else title
    ax.set_title(wrapped(heading, COLUMN_MM - 10, LARGE), fontsize=LARGE, color=INK, pad=4)


def _axis_words(sides: list[float]) -> str:
    if len(sides) == 2:
        return "← down    −log₁₀ padj    up →"
    return "−log₁₀ padj    up →" if sides == [1.0] else "← down    −log₁₀ padj"

"""Gene sets as dots: over contrasts, or of one contrast over their effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._save import check_save
from dex.pl._sets_chosen import ChosenSets, colour_limit, strength_limit, wrapped_name
from dex.pl._sets_page import (
    DIVERGING,
    EDGE,
    STRENGTH,
    TITLE_MM,
    deliver_page,
    draw_colour_bar,
    draw_size_key,
    open_page,
    round_steps,
    write_title,
)
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    INK,
    MEDIUM,
    PAGE_MM,
    SMALL,
    broken,
    line_height,
    text_width,
    theme,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.pl._page import Page

_KEY_MM = 21.0
_COLUMN_STEP = 9.0
_ROW = 4.2
_LEAST_AREA, _LARGEST_AREA = 4.0, 70.0
_STRONGEST = 10.0
"""-log10 padj from which circles grow no more."""
_NAMES = 0.5
"""Of the width, for names of sets."""


def enrich_dotplot(
    adata: AnnData,
    contrast: str | Sequence[str] | None = None,
    *,
    sets: Sequence[str] | None = None,
    n_sets: int | None = None,
    padj: float = 0.05,
    representative: bool = True,
    key: str = "enrich",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw gene sets as dots, contrasts side by side.

    Of several contrasts, colour is the effect and area the significance; an outline marks padj up
    to the limit. Of a single one, the effect is the x axis, colour the significance and area the
    number of genes.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    contrast
        One or several contrasts; all by default.
    sets
        Sets to draw; the best of each contrast by default.
    n_sets
        How many of each contrast: by default 20 of one, 6 of each of several.
    padj
        Sets up to it are called. Where there are none, the best by p are drawn, and that is said.
    representative
        Leave out sets that overlap with a better one, as :func:`dex.tl.enrich` has it.
    key
        Where the table is.
    title
        In place of the contrast; ``""`` for none.
    figsize
        Width and height in inches. The default is one column of a page, 85 mm, or as wide as many
        contrasts need, and as high as the sets need.
    ax
        Axes whose place the picture takes, instead of a new figure; they are hidden.
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
        The axes of the dots; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such table, contrast, set or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20], "next": adata.var_names[20:60]})
    >>> ax = dex.pl.enrich_dotplot(adata)
    >>> ax.get_xlabel()
    't of camera'
    """
    path = check_save(save)
    chosen = ChosenSets.from_adata(
        adata,
        contrast,
        sets,
        key=key,
        n_sets=n_sets or (20 if _is_single(adata, contrast, key) else 6),
        padj=padj,
        representative=representative,
    )
    single = len(chosen.contrasts) == 1
    with theme():
        width = COLUMN_MM
        if not single:
            needed = _NAMES * COLUMN_MM + _KEY_MM + 2 * EDGE + _COLUMN_STEP * len(chosen.contrasts)
            width = min(max(COLUMN_MM, needed), PAGE_MM)
        rows = [wrapped_name(name, _NAMES * COLUMN_MM - EDGE) for name in chosen.names]
        heights = [max(_ROW, line_height() * (1 + row.count("\n")) + 1.2) for row in rows]
        below = 9.0 if single else _heading_height(chosen.contrasts)
        heading = chosen.contrasts[0] if single else ""
        heading = heading if title is None else title
        top = (TITLE_MM if heading else EDGE) + EDGE
        height = max(top + sum(heights) + below + (3.0 if chosen.note else 0.0), top + 46.0)
        page = open_page(width, height, figsize=figsize, ax=ax, own=return_fig)
        body = page.height - top - below - (3.0 if chosen.note else 0.0)
        left = _left_edge(page, rows)
        drawn = page.axes(left, top, page.width - left - _KEY_MM - EDGE, body)
        spans = np.cumsum([0.0, *heights]) * (body / sum(heights))
        y = (spans[:-1] + spans[1:]) / 2
        drawn.set(ylim=(body, 0))
        drawn.set_yticks(y, rows, fontsize=SMALL, linespacing=1, parse_math=False)
        drawn.tick_params(axis="y", length=0, pad=2)
        (_draw_single if single else _draw_grid)(page, drawn, chosen, y, top=top, padj=padj)
        write_title(page, EDGE, page.width - 2 * EDGE, heading, chosen.note)
        return deliver_page(page, drawn, path=path, show=show, return_fig=return_fig)


def _is_single(adata: AnnData, contrast: Any, key: str) -> bool:
    from dex.get import enrich_params

    if contrast is None:
        return len(enrich_params(adata, key=key)["contrasts"]) == 1
    return isinstance(contrast, str) or len(contrast) == 1


def _left_edge(page: Page, rows: list[str]) -> float:
    widest = max(text_width(line) for row in rows for line in row.split("\n"))
    return min(EDGE + widest + 2.0, 0.62 * page.width)


def _heading_height(contrasts: Sequence[str]) -> float:
    lines = [broken(name, 30.0).split("\n") for name in contrasts]
    return min(max(text_width(line) for words in lines for line in words), 34.0) * 0.75 + 5.0


def _area(strength: np.ndarray) -> np.ndarray:
    """Of a circle, by -log10 padj."""
    share = np.clip(np.nan_to_num(strength) / _STRONGEST, 0, 1)
    return np.asarray(_LEAST_AREA + (_LARGEST_AREA - _LEAST_AREA) * share)


def _draw_grid(
    page: Page, ax: Axes, chosen: ChosenSets, y: np.ndarray, *, top: float, padj: float
) -> None:
    effect, strength = chosen.table("effect"), np.abs(chosen.table("signed"))
    n = len(chosen.contrasts)
    columns, rows = np.meshgrid(np.arange(n), y)
    limit = colour_limit(effect)
    known = np.isfinite(effect) & np.isfinite(strength)
    called = strength >= -np.log10(padj) - 1e-12
    for y_of_row in y:
        ax.axhline(y_of_row, color="#ededed", linewidth=0.5, zorder=0)
    ax.scatter(
        columns[known],
        rows[known],
        s=_area(strength[known]),
        c=effect[known],
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
        edgecolors=[INK if one else "#bdbdbd" for one in called[known]],
        linewidths=[0.7 if one else 0.3 for one in called[known]],
        clip_on=False,
        zorder=2,
    )
    ax.set_xlim(-0.6, n - 0.4)
    names = [broken(name, 30.0) for name in chosen.contrasts]
    style: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(np.arange(n), names, fontsize=SMALL, linespacing=1, parse_math=False, **style)
    ax.tick_params(axis="x", length=0, pad=2)
    left = page.width - _KEY_MM + 1.0
    draw_colour_bar(page, (left, top + 6.0, 15.0), (-limit, limit), DIVERGING, _key(chosen.effect))
    sizes = [(_shown(s), float(_area(np.array([s]))[0])) for s in (1.3, 5.0, _STRONGEST)]
    draw_size_key(page, left, top + 29.0, sizes, "−log₁₀ padj")
    page.text(left, top + 43.0, f"outlined:\npadj ≤ {padj:g}", fontsize=SMALL, va="top")


def _shown(strength: float) -> str:
    return f"≥ {strength:g}" if strength == _STRONGEST else f"{strength:g}"


def _key(words: str) -> str:
    return broken(words, _KEY_MM - 4.0)


def _draw_single(
    page: Page, ax: Axes, chosen: ChosenSets, y: np.ndarray, *, top: float, padj: float
) -> None:
    effect, strength = chosen.table("effect")[:, 0], np.abs(chosen.table("signed")[:, 0])
    n_genes = chosen.table("n_genes")[:, 0]
    low, high = 0.0, strength_limit(strength)
    largest = float(np.nanmax(n_genes))
    for y_of_row in y:
        ax.axhline(y_of_row, color="#ededed", linewidth=0.5, zorder=0)
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
    ax.scatter(
        effect,
        y,
        s=_LARGEST_AREA * np.sqrt(n_genes / largest),
        c=strength,
        cmap=STRENGTH,
        vmin=low,
        vmax=high,
        edgecolors=[INK if one >= -np.log10(padj) - 1e-12 else "#bdbdbd" for one in strength],
        linewidths=0.5,
        clip_on=False,
        zorder=2,
    )
    reach = np.array([min(np.nanmin(effect), 0), max(np.nanmax(effect), 0)])
    ax.set_xlim(reach + np.array([-0.13, 0.13]) * max(np.ptp(reach), 1e-9))
    ax.xaxis.set_major_locator(_ticks())
    ax.tick_params(axis="x", length=2.5, width=0.6, pad=2, labelsize=SMALL)
    ax.spines["bottom"].set_visible(True)
    ax.set_xlabel(chosen.effect, fontsize=MEDIUM, labelpad=2)
    left = page.width - _KEY_MM + 1.0
    draw_colour_bar(
        page,
        (left, top + 5.0, 15.0),
        (low, high),
        STRENGTH,
        "−log₁₀ padj",
        beyond=float(np.nanmax(strength)) > high,
    )
    steps = round_steps(float(np.nanmin(n_genes)), largest)
    sizes = [(f"{step:g}", float(_LARGEST_AREA * np.sqrt(step / largest))) for step in steps]
    draw_size_key(page, left, top + 28.0, sizes, "genes")


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5, steps=[1, 2, 5, 10])

"""How the genes of sets are distributed, one ridge above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from dex.errors import InputError
from dex.get import enrich_params, gene_sets, ranked_genes_df
from dex.pl._save import check_save
from dex.pl._sets_chosen import ChosenSets, strength_limit, wrapped_name
from dex.pl._sets_page import (
    DIVERGING,
    EDGE,
    TITLE_MM,
    deliver_page,
    draw_colour_bar,
    open_page,
    write_title,
)
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    INK,
    MEDIUM,
    NEUTRAL,
    SMALL,
    plain_axes,
    text_width,
    theme,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.typing import Float

_ROW, _BELOW, _KEY_MM = 5.6, 9.0, 17.0
_NAMES_MM = 34.0
_OVERLAP = 1.7
"""Height of the highest ridge in rows."""
_OUTER = 0.005
"""Share of all genes that lie beyond either end of the axis."""


def enrich_ridge(
    adata: AnnData,
    contrast: str | None = None,
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
) -> Axes | Figure:
    """Draw how far the genes of each set change: their density, over that of all genes in grey.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    contrast
        One of the contrasts; the first by default.
    sets
        Sets to draw; the best of the contrast by default.
    n_sets
        How many.
    padj
        Sets up to it are called. Where there are none, the best by p are drawn, and that is said.
    representative
        Leave out sets that overlap with a better one, as :func:`dex.tl.enrich` has it.
    key
        Where the table is.
    title
        In place of the contrast; ``""`` for none.
    figsize
        Width and height in inches. The default is 85 mm wide and as high as the sets need.
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
        The axes of the ridges; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such table, contrast, set or folder, or if the genes have no order.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20], "next": adata.var_names[20:60]})
    >>> ax = dex.pl.enrich_ridge(adata)
    >>> ax.get_xlabel()
    'z-score of the genes'
    """
    path = check_save(save)
    params = enrich_params(adata, key=key)
    name = str(params["contrasts"][0]) if contrast is None else contrast
    chosen = ChosenSets.from_adata(
        adata, name, sets, key=key, n_sets=n_sets, padj=padj, representative=representative
    )
    every = ranked_genes_df(adata, name, key=key).set_index("gene")["metric"]
    held = gene_sets(adata, chosen.names, key=key)
    values = [every.reindex(held[one]).dropna().to_numpy(dtype=np.float64) for one in chosen.names]
    if any(len(own) == 0 for own in values):
        empty = next(one for one, own in zip(chosen.names, values, strict=True) if not len(own))
        msg = f"{empty!r} has no gene with a p-value in {name!r}."
        raise InputError(msg)
    heading = name if title is None else title
    with theme():
        rows = [wrapped_name(one, _NAMES_MM) for one in chosen.names]
        top = (TITLE_MM if heading else 0.0) + EDGE
        below = _BELOW + (3.0 if chosen.note else 0.0)
        height = max(top + _ROW * (len(rows) + _OVERLAP - 1) + below, top + 34.0)
        page = open_page(COLUMN_MM, height, figsize=figsize, ax=ax, own=return_fig)
        widest = max(text_width(line) for row in rows for line in row.split("\n"))
        left = min(EDGE + widest + 2.0, 0.6 * page.width)
        body = page.height - top - below
        drawn = page.axes(left, top, page.width - left - _KEY_MM, body)
        strength = np.nan_to_num(chosen.table("signed")[:, 0])
        limit = strength_limit(strength)
        shade = np.clip(strength / limit, -1, 1)
        _draw(drawn, values, every.to_numpy(dtype=np.float64), shade)
        drawn.set_yticks(np.arange(len(rows)), rows, fontsize=SMALL, linespacing=1)
        plain_axes(drawn)
        drawn.tick_params(axis="y", length=0)
        drawn.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        drawn.tick_params(axis="x", length=2.5)
        drawn.spines["bottom"].set_visible(True)
        metric = {"zscore": "z-score"}.get(str(params["metric"]), str(params["metric"]))
        drawn.set_xlabel(f"{metric} of the genes", fontsize=MEDIUM, labelpad=2)
        place = (page.width - _KEY_MM + 3.0, top + 8.0, 16.0)
        draw_colour_bar(
            page,
            place,
            (-limit, limit),
            DIVERGING,
            "−log₁₀\npadj,\n± direction",
            beyond=np.abs(strength).max() > limit,
        )
        write_title(page, EDGE, page.width - 2 * EDGE, heading, chosen.note)
        return deliver_page(page, drawn, path=path, show=show, return_fig=return_fig)


def _draw(ax: Axes, values: list[Float], every: Float, colour: Float) -> None:
    """Draw the ridges, the lower in front of the upper ones."""
    low, high = np.quantile(every, [_OUTER, 1 - _OUTER])
    inner = [np.quantile(own, [0.02, 0.98]) for own in values]
    low, high = min(low, *(ends[0] for ends in inner)), max(high, *(ends[1] for ends in inner))
    x = np.linspace(low, high, 300)
    base = _density(every, x, _bandwidth(every))
    curves = [_density(own, x, _bandwidth(own)) for own in values]
    scale = _OVERLAP * 0.92 / max(curve.max() for curve in curves)
    ax.axvline(0, color=FAINT, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)
    for i, (curve, own) in enumerate(zip(curves, values, strict=True)):
        style: dict[str, Any] = {"zorder": 2 + i, "linewidth": 0.0}
        ax.fill_between(x, i, i - scale * base, color=NEUTRAL, alpha=0.5, **style)
        shade = DIVERGING(0.5 + 0.5 * colour[i])
        ax.fill_between(x, i, i - scale * curve, color=shade, alpha=0.85, **style)
        ax.plot(x, i - scale * curve, color=INK, linewidth=0.5, zorder=2 + i)
        middle = float(np.median(own))
        ax.plot([middle, middle], [i, i - 0.28], color=INK, linewidth=0.9, zorder=2 + i)
    ax.set(xlim=(low, high), ylim=(len(values) - 0.9, -_OVERLAP))


def _bandwidth(values: Float) -> float:
    """Silverman's rule."""
    n = len(values)
    sd = float(values.std(ddof=1)) if n > 1 else 1.0
    spread = float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / 1.34
    size = min(sd, spread) if spread > 0 else sd
    return max(0.9 * size * n**-0.2, 1e-6) if size > 0 else 1.0


def _density(values: Float, x: Float, width: float) -> Float:
    """Kernel density at ``x``, of counts in fine bins: there may be many values."""
    edges = np.linspace(values.min() - 1e-9, values.max() + 1e-9, 1025)
    counts, _ = np.histogram(values, edges)
    centres = (edges[:-1] + edges[1:]) / 2
    kernel = np.exp(-0.5 * ((x[:, None] - centres) / width) ** 2)
    total = len(values) * width * np.sqrt(2 * np.pi)
    return np.asarray(kernel @ counts / total, dtype=np.float64)

"""Which genes carry which gene sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.get import enrich_params
from dex.pl._enrich_network import leading_genes, metric_by_label
from dex.pl._order import similar_first
from dex.pl._page import with_room
from dex.pl._save import check_save
from dex.pl._sets_chosen import ChosenSets, colour_limit, wrapped_name
from dex.pl._sets_page import (
    DIVERGING,
    EDGE,
    TITLE_MM,
    deliver_page,
    draw_colour_bar,
    open_page,
    write_title,
)
from dex.pl._theme import COLUMN_MM, FAINT, PAGE_MM, SMALL, line_height, text_width, theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMN, _ROW, _KEY_MM, _NAMES_MM = 2.4, 3.6, 16.0, 38.0


def leading_edge(
    adata: AnnData,
    contrast: str | None = None,
    *,
    sets: Sequence[str] | None = None,
    n_sets: int = 10,
    n_genes: int = 40,
    padj: float = 0.05,
    representative: bool = True,
    gene_symbols: str | None = None,
    key: str = "enrich",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw which genes carry which gene sets: sets in rows, genes of leading edges in columns.

    A field is coloured, by what genes are ranked by, where the gene is in the leading edge of the
    set. Genes that carry many sets and the strongest ones are taken; those that carry the same
    sets stand beside each other.

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
    n_genes
        How many genes at most.
    padj
        Sets up to it are called. Where there are none, the best by p are drawn, and that is said.
    representative
        Leave out sets that overlap with a better one, as :func:`dex.tl.enrich` has it.
    gene_symbols
        Column of ``var`` to name the genes by; by default that in which the sets were found.
    key
        Where the table is.
    title
        In place of the contrast; ``""`` for none.
    figsize
        Width and height in inches. The default is as wide as the genes need, up to 180 mm.
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
        The axes of the fields; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such table, contrast, set or folder, or if no gene carries a set.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20], "next": adata.var_names[20:60]})
    >>> ax = dex.pl.leading_edge(adata, n_genes=5)
    >>> len(ax.get_xticklabels())
    5
    """
    path = check_save(save)
    params = enrich_params(adata, key=key)
    name = str(params["contrasts"][0]) if contrast is None else contrast
    chosen = ChosenSets.from_adata(
        adata, name, sets, key=key, n_sets=n_sets, padj=padj, representative=representative
    )
    leading = leading_genes(adata, chosen, name, key=key, gene_symbols=gene_symbols)
    metric = metric_by_label(adata, name, key=key, gene_symbols=gene_symbols)
    genes = _chosen_genes(leading, metric, n_genes)
    if not genes:
        msg = f"no gene carries any of the {len(leading)} sets in {name!r}: nothing to draw."
        raise InputError(msg)
    inside = np.array([[gene in leading[one] for gene in genes] for one in chosen.names])
    order = similar_first(inside.T.astype(np.float64))
    genes, inside = [genes[j] for j in order], inside[:, order]
    values = np.where(inside, [metric[gene] for gene in genes], np.nan)
    heading = name if title is None else title
    with theme():
        rows = [wrapped_name(one, _NAMES_MM) for one in chosen.names]
        heights = [max(_ROW, line_height() * (1 + row.count("\n")) + 0.8) for row in rows]
        left = EDGE + 2.0 + max(text_width(line) for row in rows for line in row.split("\n"))
        below = 4.0 + max(map(text_width, genes)) + (3.0 if chosen.note else 0.0)
        top = (TITLE_MM if heading else 0.0) + EDGE
        width = float(np.clip(left + _COLUMN * len(genes) + _KEY_MM, COLUMN_MM, PAGE_MM))
        height = top + max(sum(heights), 20.0) + below
        page = open_page(width, height, figsize=figsize, ax=ax, own=return_fig)
        left = min(left, 0.5 * page.width)
        body = max(page.height - top - below, 5.0)
        drawn = page.axes(left, top, page.width - left - _KEY_MM, body)
        limit = colour_limit(values)
        _draw(drawn, values, np.cumsum([0.0, *heights]) * (body / sum(heights)), limit)
        step = (page.width - left - _KEY_MM) / len(genes)
        order = np.arange(len(genes))
        kept = with_room(step * order.astype(np.float64), order, line_height() * 0.8)
        _name(drawn, rows, genes, np.array(heights) * (body / sum(heights)), np.flatnonzero(kept))
        words = {"zscore": "z-score"}.get(str(params["metric"]), str(params["metric"]))
        place = (page.width - _KEY_MM + 3.0, top + 4.0, min(16.0, body - 4.0))
        draw_colour_bar(page, place, (-limit, limit), DIVERGING, words)
        write_title(page, left, page.width - left - _KEY_MM, heading, chosen.note)
        return deliver_page(page, drawn, path=path, show=show, return_fig=return_fig)


def _chosen_genes(
    leading: dict[str, list[str]], metric: dict[str, float], n_genes: int
) -> list[str]:
    """Genes of most sets, of these the strongest; each set has its share of the places."""
    share = max(n_genes // max(len(leading), 1), 1)
    first = [gene for genes in leading.values() for gene in genes[:share]]
    every = [gene for genes in leading.values() for gene in genes]
    counts = {gene: every.count(gene) for gene in dict.fromkeys(every)}
    rest = sorted(counts, key=lambda gene: (-counts[gene], -abs(metric.get(gene, 0.0))))
    known = [gene for gene in dict.fromkeys([*first, *rest]) if gene in metric]
    return known[:n_genes]


def _draw(ax: Axes, values: np.ndarray, edges: np.ndarray, limit: float) -> None:
    x = np.arange(values.shape[1] + 1)
    style: dict[str, Any] = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    ax.pcolormesh(x, edges, np.ma.masked_invalid(values), edgecolors="white", lw=0.4, **style)
    for line in edges:
        ax.axhline(line, color="#dedede", linewidth=0.4, zorder=0)
    ax.set(xlim=(0, values.shape[1]), ylim=(edges[-1], 0))


def _name(
    ax: Axes, rows: list[str], genes: list[str], heights: np.ndarray, kept: np.ndarray
) -> None:
    """Name all sets, and the genes that there is room for."""
    y = np.cumsum(heights) - heights / 2
    ax.set_yticks(y, rows, fontsize=SMALL, linespacing=1, parse_math=False)
    shown = [genes[j] for j in kept]
    ax.set_xticks(kept + 0.5, shown, fontsize=SMALL - 0.5, rotation=90, parse_math=False)
    ax.tick_params(length=0, pad=1.5, labelcolor="#222222", color=FAINT)

"""Gene sets and the genes that carry them, as a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection

from dex.get import enrich_df, enrich_params, ranked_genes_df
from dex.pl._graph_layout import graph_places
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
from dex.pl._theme import COLUMN_MM, INK, PAGE_MM, SMALL, shortened, text_width, theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#222222", "#999999")
_FEW_GENES = 25
_KEY_MM = 16.0
_NAME_MM = 26.0
_SET_RADIUS = 2.6  # and a little
_Box = tuple[float, float, float, float]


def enrich_network(
    adata: AnnData,
    contrast: str | None = None,
    *,
    sets: Sequence[str] | None = None,
    n_sets: int = 5,
    n_genes: int = 15,
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
    """Draw gene sets and the genes of their leading edges as a network (clusterProfiler's cnet).

    Sets are the large nodes, each with lines of its own colour to its genes; genes are coloured by
    what they are ranked by.

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
        The strongest genes of the leading edge of each set.
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
        Width and height in inches. The default is 85 mm wide, or 130 mm for more than 25 genes.
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
        The axes of the network; the figure with ``return_fig``.

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
    >>> ax = dex.pl.enrich_network(adata)
    >>> sorted(text.get_text() for text in ax.texts if text.get_fontweight() == "bold")
    ['first', 'next']
    """
    path = check_save(save)
    params = enrich_params(adata, key=key)
    name = str(params["contrasts"][0]) if contrast is None else contrast
    chosen = ChosenSets.from_adata(
        adata, name, sets, key=key, n_sets=n_sets, padj=padj, representative=representative
    )
    leading = leading_genes(adata, chosen, name, key=key, gene_symbols=gene_symbols)
    leading = {one: genes[:n_genes] for one, genes in leading.items()}
    metric = metric_by_label(adata, name, key=key, gene_symbols=gene_symbols)
    genes = list(dict.fromkeys(gene for one in leading.values() for gene in one))
    heading = name if title is None else title
    with theme():
        width = COLUMN_MM if len(genes) <= _FEW_GENES else min(130.0, PAGE_MM)
        top = (TITLE_MM if heading else 0.0) + EDGE
        page = open_page(width, 0.8 * width + top, figsize=figsize, ax=ax, own=return_fig)
        below = EDGE + (3.0 if chosen.note else 0.0)
        body = (page.width - _KEY_MM - EDGE, page.height - top - below)
        drawn = page.axes(EDGE, top, *body)
        values = np.array([metric.get(gene, np.nan) for gene in genes])
        limit = colour_limit(values)
        _draw(drawn, body, leading, genes, values / limit)
        words = {"zscore": "z-score"}.get(str(params["metric"]), str(params["metric"]))
        place = (page.width - _KEY_MM + 3.0, top + 5.0, 16.0)
        draw_colour_bar(page, place, (-limit, limit), DIVERGING, words)
        write_title(page, EDGE, page.width - 2 * EDGE, heading, chosen.note)
        return deliver_page(page, drawn, path=path, show=show, return_fig=return_fig)


def leading_genes(
    adata: AnnData, chosen: ChosenSets, contrast: str, *, key: str, gene_symbols: str | None
) -> dict[str, list[str]]:
    """Labels of the genes that carry each set, the strongest first."""
    table: pd.DataFrame = enrich_df(adata, contrast, key=key, gene_symbols=gene_symbols)
    table = table.sort_values("log10_pval", kind="stable").drop_duplicates("gene_set")
    held = dict(zip(table["gene_set"], table["leading_edge"], strict=True))
    return {
        one: list(dict.fromkeys(filter(None, str(held[one]).split(";")))) for one in chosen.names
    }


def metric_by_label(
    adata: AnnData, contrast: str, *, key: str, gene_symbols: str | None
) -> dict[str, float]:
    """What the genes are ranked by; of a label of several genes, that of the strongest."""
    ranked = ranked_genes_df(adata, contrast, key=key, gene_symbols=gene_symbols)
    strongest = ranked.iloc[np.argsort(-np.abs(ranked["metric"].to_numpy()), kind="stable")]
    once = strongest.drop_duplicates("label")
    return dict(zip(once["label"], once["metric"], strict=True))


def _draw(
    ax: Axes,
    body: tuple[float, float],
    leading: dict[str, list[str]],
    genes: list[str],
    colour: np.ndarray,
) -> None:
    """Draw lines, then genes, then sets; names of genes beside them where there is room."""
    names, place = list(leading), {gene: i for i, gene in enumerate(genes)}
    n = len(names)
    edges = np.array(
        [(i, n + place[gene]) for i, one in enumerate(names) for gene in leading[one]],
        dtype=np.intp,
    ).reshape(-1, 2)
    spots = graph_places(n + len(genes), edges, np.ones(len(edges)))
    margin = np.array([9.0, 4.0])
    spots = margin + spots * (np.array(body) - 2 * margin)
    ax.set(xlim=(0, body[0]), ylim=(0, body[1]))
    for i in range(n):
        own = edges[edges[:, 0] == i]
        lines = LineCollection(
            list(spots[own]), colors=_COLOURS[i % len(_COLOURS)], linewidths=0.5, alpha=0.6
        )
        ax.add_collection(lines, autolim=False)
    dots = spots[n:]
    style: dict[str, Any] = {"edgecolors": INK, "linewidths": 0.3, "zorder": 3}
    shades = DIVERGING(0.5 + 0.5 * np.nan_to_num(colour))
    ax.scatter(dots[:, 0], dots[:, 1], s=16, c=shades, label="genes", **style)
    colours = [_COLOURS[i % len(_COLOURS)] for i in range(n)]
    areas = [50 + 4.0 * len(leading[one]) for one in names]
    ax.scatter(spots[:n, 0], spots[:n, 1], s=areas, c=colours, label="sets", linewidths=0, zorder=4)
    _name_all(ax, spots, names, genes, body)


def _name_all(
    ax: Axes,
    spots: np.ndarray,
    names: list[str],
    genes: list[str],
    body: tuple[float, float],
) -> None:
    """Write the names of sets by their nodes, those of genes where they hide nothing."""
    n, high = len(names), 2.3
    dots = [(x - 1, y - 1, x + 1, y + 1) for x, y in spots]
    boxes: list[_Box] = []
    for spot, name in zip(spots[:n], names, strict=True):
        text = wrapped_name(name, _NAME_MM)
        lines = text.split("\n")
        size = (1.12 * max(map(text_width, lines)) + 1.0, high * len(lines))
        boxes.append(_free_place(spot, size, [*dots, *boxes], body))
        left, bottom, right, _ = boxes[-1]
        ax.text(
            (left + right) / 2,
            bottom,
            text,
            ha="center",
            va="bottom",
            fontsize=SMALL,
            fontweight="bold",
            linespacing=1,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
        )
    boxes += dots
    for (x, y), gene in zip(spots[n:], genes, strict=True):
        word = shortened(gene)
        wide = text_width(word, SMALL - 1)
        for side in (1, -1):
            start = x + 1.3 if side > 0 else x - 1.3 - wide
            box_ = (start, y - high / 2 + 0.3, start + wide, y + high / 2 - 0.3)
            if box_[0] < 0 or box_[2] > body[0] + 6 or any(_meet(box_, other) for other in boxes):
                continue
            boxes.append(box_)
            ax.text(start, y, word, va="center_baseline", fontsize=SMALL - 1, color=INK, zorder=5)
            break


def _free_place(
    spot: np.ndarray, size: tuple[float, float], others: list[_Box], body: tuple[float, float]
) -> _Box:
    """Above a node, or the nearest place around it where a name hides the fewest others."""
    wide, tall = size
    best: tuple[int, _Box] | None = None
    for away in _SET_RADIUS * np.arange(1, 3.1, 0.5):
        for side in sorted(np.arange(-0.6, 0.7, 0.1), key=abs):
            x = float(np.clip(spot[0] + side * wide - wide / 2, 0, max(body[0] - wide, 0)))
            for y in (float(spot[1] + away), float(spot[1] - away - tall)):
                box = (x, y, x + wide, y + tall)
                hidden = sum(_meet(box, other) for other in others)
                inside = y >= 0 and y + tall <= body[1]
                if inside and (best is None or hidden < best[0]):
                    best = (hidden, box)
    return best[1] if best is not None else (float(spot[0]), 0.0, float(spot[0]) + wide, tall)


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

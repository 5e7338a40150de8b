"""Running sums of gene sets down the ranked genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection

from dex.errors import InputError
from dex.get import enrich_df, enrich_params, ranked_genes_df, running_score_df
from dex.pl._save import check_save
from dex.pl._sets_chosen import ChosenSets, wrapped_name
from dex.pl._sets_page import EDGE, TITLE_MM, deliver_page, open_page, write_title
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    INK,
    MEDIUM,
    NEUTRAL,
    SMALL,
    line_height,
    plain_axes,
    theme,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.pl._page import Page

_MOST_SETS = 8
# Okabe & Ito's, which colour-blind people tell apart, the palest left out.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#222222", "#999999")
_LEFT, _SUMS_MM, _TICKS_MM, _METRIC_MM, _BELOW = 12.0, 34.0, 3.4, 15.0, 9.0
_MOST_POINTS = 2000


def running_score(
    adata: AnnData,
    sets: str | Sequence[str] | None = None,
    contrast: str | None = None,
    *,
    n_sets: int = 4,
    padj: float = 0.05,
    key: str = "enrich",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw the running sums of gene sets, where their genes are, and what genes are ranked by.

    Each gene of a set raises its sum, every other lowers it; the largest deviation from zero is
    the enrichment score. Sets that were tested by another method than gsea can be looked at too.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    sets
        One to 8 sets; the best of the contrast by default.
    contrast
        One of the contrasts; the first by default.
    n_sets
        How many are drawn if none is named.
    padj
        Sets up to it are called, and drawn before others.
    key
        Where the table is.
    title
        In place of the contrast; ``""`` for none.
    figsize
        Width and height in inches; by default 85 mm wide.
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
        The axes of the sums; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such table, contrast, set or folder, if there are too many sets, or if the
        genes of the contrast have no order.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20], "next": adata.var_names[20:60]})
    >>> ax = dex.pl.running_score(adata, "first")
    >>> ax.get_ylabel()
    'running score'
    """
    path = check_save(save)
    name = str(enrich_params(adata, key=key)["contrasts"][0]) if contrast is None else contrast
    if sets is None:
        chosen = ChosenSets.from_adata(
            adata, name, None, key=key, n_sets=n_sets, padj=padj, representative=True
        )
        wanted = list(chosen.frame["gene_set"])  # the best first
    else:
        wanted = list(dict.fromkeys([sets] if isinstance(sets, str) else sets))
    if not 1 <= len(wanted) <= _MOST_SETS:
        msg = f"{len(wanted)} sets: a picture holds 1 to {_MOST_SETS}; choose with sets=."
        raise InputError(msg)
    sums = running_score_df(adata, wanted, name, key=key)
    ranked = ranked_genes_df(adata, name, key=key)["metric"].to_numpy(dtype=np.float64)
    table = enrich_df(adata, name, key=key).sort_values("log10_pval", kind="stable")
    table = table.drop_duplicates("gene_set").set_index("gene_set")
    words = [_legend(one, table) for one in wanted]
    heading = name if title is None else title
    with theme():
        legend = sum(1 + text.count("\n") for text in words) * line_height() + 2.0
        ticks = _TICKS_MM * len(wanted) + 1.0
        top = TITLE_MM + 1.0 if heading else EDGE
        height = top + legend + _SUMS_MM + ticks + _METRIC_MM + _BELOW
        page = open_page(COLUMN_MM, height, figsize=figsize, ax=ax, own=return_fig)
        stretch = max((page.height - top - legend - ticks - _BELOW), 20) / (_SUMS_MM + _METRIC_MM)
        width = page.width - _LEFT - 2 * EDGE
        _write_legend(page, words, top)
        place = top + legend
        drawn = page.axes(_LEFT, place, width, _SUMS_MM * stretch - 1.5)
        _draw_sums(drawn, sums, wanted, len(ranked))
        place += _SUMS_MM * stretch
        _draw_ticks(page.axes(_LEFT, place, width, ticks - 1.0), sums, wanted, len(ranked))
        place += ticks
        _draw_metric(
            page.axes(_LEFT, place, width, _METRIC_MM * stretch),
            ranked,
            str(enrich_params(adata, key=key)["metric"]),
        )
        write_title(page, _LEFT, width, heading)
        return deliver_page(page, drawn, path=path, show=show, return_fig=return_fig)


def _legend(name: str, table: pd.DataFrame) -> str:
    """Name of a set, its score and adjusted p."""
    row = table.loc[name] if name in table.index else None
    said = wrapped_name(name, COLUMN_MM - _LEFT - 8.0)
    log10_padj = np.nan if row is None else float(np.asarray(row["log10_padj"]))
    if row is None or not np.isfinite(log10_padj):
        return said
    score = f"NES {row['nes']:.2f}, " if "nes" in row else ""
    return f"{said}\n{score}{row['method']} padj {_p_words(log10_padj)}"


def _p_words(log10_padj: float) -> str:
    if log10_padj >= -2:
        return f"{10**log10_padj:.2g}"
    exponent = int(np.floor(log10_padj))
    return f"{10 ** (log10_padj - exponent):.1f}e{exponent}"


def _write_legend(page: Page, words: list[str], top: float) -> None:
    place = top
    for text, colour in zip(words, _COLOURS, strict=False):
        style: dict[str, Any] = {"fontsize": SMALL, "va": "top", "linespacing": 1.15}
        page.text(_LEFT, place, "▬", color=colour, **style)
        page.text(_LEFT + 4.0, place, text, color=INK, **style)
        place += (1 + text.count("\n")) * line_height()


def _draw_sums(ax: Axes, sums: pd.DataFrame, wanted: list[str], n: int) -> None:
    ax.axhline(0, color=FAINT, linewidth=0.6, zorder=1)
    for name, colour in zip(wanted, _COLOURS, strict=False):
        own = sums.loc[sums["gene_set"] == name]
        place = own["place"].to_numpy()
        x = np.concatenate([[0.0], np.column_stack([place, place + 1]).ravel(), [n]])
        heights = own[["before", "after"]].to_numpy().ravel()
        y = np.concatenate([[0.0], heights, [0.0]])
        ax.plot(x, y, color=colour, linewidth=1.1, zorder=3, label=name)
        peak = int(np.abs(y).argmax())
        ax.plot(x[[peak, peak]], [0, y[peak]], color=colour, linewidth=0.5, ls=(0, (2, 2)))
    ax.set(xlim=(0, n), xticks=[])
    ax.margins(y=0.06)
    _frame(ax, "running score")


def _draw_ticks(ax: Axes, sums: pd.DataFrame, wanted: list[str], n: int) -> None:
    """Draw a line for each gene, those of the leading edge in full colour."""
    for i, (name, colour) in enumerate(zip(wanted, _COLOURS, strict=False)):
        own = sums.loc[sums["gene_set"] == name]
        for leading, alpha in ((False, 0.35), (True, 1.0)):
            place = own["place"].to_numpy()[own["leading"].to_numpy() == leading] + 0.5
            ends = np.stack(
                [np.column_stack([place, np.full(len(place), i + side)]) for side in (0.12, 0.88)],
                axis=1,
            )
            lines = LineCollection(list(ends), colors=colour, linewidths=0.5, alpha=alpha)
            ax.add_collection(lines, autolim=False)
    ax.set(xlim=(0, n), ylim=(len(wanted), 0), label="genes of the sets")


def _draw_metric(ax: Axes, ranked: np.ndarray, metric: str) -> None:
    n = len(ranked)
    seen = np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).round().astype(np.intp))
    ax.fill_between(seen + 0.5, ranked[seen], color=NEUTRAL, linewidth=0)
    change = int((ranked > 0).sum())
    ax.axhline(0, color=FAINT, linewidth=0.6)
    if 0 < change < n:
        ax.axvline(change, color=FAINT, linewidth=0.5, linestyle=(0, (2, 2)))
    ax.set(xlim=(0, n), label="ranked metric")
    _frame(ax, {"zscore": "z-score"}.get(metric, metric))
    ax.xaxis.set_major_locator(_ticks(5))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.yaxis.set_major_locator(_ticks(3))
    ax.spines["bottom"].set_visible(True)
    ax.set_xlabel(f"rank among {n:,} genes, from up to down", fontsize=MEDIUM, labelpad=2)


def _frame(ax: Axes, words: str) -> None:
    ax.yaxis.set_major_locator(_ticks(5))
    plain_axes(ax)
    ax.spines["left"].set_visible(True)
    ax.set_ylabel(words, fontsize=MEDIUM, labelpad=2)


def _ticks(n: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(n, steps=[1, 2, 5, 10])

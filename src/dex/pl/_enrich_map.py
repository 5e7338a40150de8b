"""Gene sets that share genes, as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection

from dex.errors import InputError
from dex.get import enrich_params, gene_sets
from dex.pl._graph_layout import graph_places
from dex.pl._save import check_save
from dex.pl._sets_chosen import ChosenSets, strength_limit, wrapped_name
from dex.pl._sets_page import (
    DIVERGING,
    EDGE,
    TITLE_MM,
    deliver_page,
    draw_colour_bar,
    draw_size_key,
    open_page,
    round_steps,
    write_title,
)
from dex.pl._theme import INK, SMALL, text_width, theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.typing import Float

_WIDTH, _HEIGHT, _KEY_MM = 130.0, 95.0, 18.0
_NAME_MM = 27.0
_LARGEST_AREA = 130.0


def enrich_map(
    adata: AnnData,
    contrast: str | None = None,
    *,
    sets: Sequence[str] | None = None,
    n_sets: int = 25,
    overlap: float = 0.15,
    padj: float = 0.05,
    representative: bool = False,
    key: str = "enrich",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw gene sets as a map, in which those that share genes lie near (clusterProfiler's emap).

    Lines join sets that overlap, and are the thicker the more; area is the number of genes, colour
    the significance with its direction.

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
    overlap
        Genes shared over genes of the smaller set, from which two are joined.
    padj
        Sets up to it are called. Where there are none, the best by p are drawn, and that is said.
    representative
        Leave out sets that overlap with a better one, as :func:`dex.tl.enrich` has it; the map is
        made to show these.
    key
        Where the table is.
    title
        In place of the contrast; ``""`` for none.
    figsize
        Width and height in inches; by default 130 x 95 mm.
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
        The axes of the map; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such table, contrast, set or folder, or ``overlap`` is no share.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20], "next": adata.var_names[10:60]})
    >>> ax = dex.pl.enrich_map(adata)
    >>> len(ax.texts)
    2
    """
    path = check_save(save)
    if not 0 < overlap <= 1:
        msg = f"overlap={overlap!r} is not a share of genes; it lies between 0 and 1."
        raise InputError(msg)
    name = str(enrich_params(adata, key=key)["contrasts"][0]) if contrast is None else contrast
    chosen = ChosenSets.from_adata(
        adata, name, sets, key=key, n_sets=n_sets, padj=padj, representative=representative
    )
    shared = _overlaps([set(genes) for genes in gene_sets(adata, chosen.names, key=key).values()])
    heading = name if title is None else title
    with theme():
        top = (TITLE_MM if heading else 0.0) + EDGE
        page = open_page(_WIDTH, _HEIGHT, figsize=figsize, ax=ax, own=return_fig)
        below = EDGE + (3.0 if chosen.note else 0.0)
        body = (page.width - _KEY_MM - EDGE, page.height - top - below)
        drawn = page.axes(EDGE, top, *body)
        strength = np.nan_to_num(chosen.table("signed")[:, 0])
        limit = strength_limit(strength)
        size = chosen.table("n_genes")[:, 0]
        areas = _LARGEST_AREA * size / size.max()
        _draw(
            drawn,
            body,
            chosen.names,
            shared,
            overlap=overlap,
            areas=areas,
            colour=np.clip(strength / limit, -1, 1),
        )
        left = page.width - _KEY_MM + 3.0
        place = (left, top + 8.0, 16.0)
        draw_colour_bar(
            page,
            place,
            (-limit, limit),
            DIVERGING,
            "−log₁₀\npadj,\n± direction",
            beyond=np.abs(strength).max() > limit,
        )
        steps = round_steps(float(size.min()), float(size.max()))
        key_of = [(f"{step:g}", float(_LARGEST_AREA * step / size.max())) for step in steps]
        draw_size_key(page, left, top + 33.0, key_of, "genes")
        write_title(page, EDGE, page.width - 2 * EDGE, heading, chosen.note)
        return deliver_page(page, drawn, path=path, show=show, return_fig=return_fig)


def _overlaps(sets: list[set[str]]) -> Float:
    """Genes shared over genes of the smaller set, ``(n_sets, n_sets)``."""
    out = np.zeros((len(sets), len(sets)))
    for i, one in enumerate(sets):
        for j, other in enumerate(sets[:i]):
            smaller = max(min(len(one), len(other)), 1)
            out[i, j] = out[j, i] = len(one & other) / smaller
    return out


def _draw(
    ax: Axes,
    body: tuple[float, float],
    names: tuple[str, ...],
    shared: Float,
    *,
    overlap: float,
    areas: Float,
    colour: Float,
) -> None:
    edges = np.argwhere(np.triu(shared, 1) >= overlap)
    share = shared[edges[:, 0], edges[:, 1]]
    spots = graph_places(len(names), edges, 1.6 - 0.6 * share)
    margin = np.array([14.0, 7.0])
    spots = margin + spots * (np.array(body) - 2 * margin)
    ax.set(xlim=(0, body[0]), ylim=(0, body[1]))
    lines = LineCollection(
        list(spots[edges]), colors="#b5b5b5", linewidths=0.4 + 3.0 * share, zorder=1
    )
    ax.add_collection(lines, autolim=False)
    ax.scatter(
        spots[:, 0],
        spots[:, 1],
        s=areas,
        c=DIVERGING(0.5 + 0.5 * colour),
        edgecolors=INK,
        linewidths=0.4,
        zorder=3,
        label="sets",
    )
    _name(ax, spots, names, areas, body)


def _name(
    ax: Axes, spots: Float, names: tuple[str, ...], areas: Float, body: tuple[float, float]
) -> None:
    """Write each name at the side of its node where it meets the fewest others."""
    boxes = [
        (x - r, y - r, x + r, y + r) for (x, y), r in zip(spots, 0.2 * np.sqrt(areas), strict=True)
    ]
    for i in np.argsort(-areas, kind="stable"):
        text = wrapped_name(names[i], _NAME_MM)
        lines = text.split("\n")
        wide, tall = 1.02 * max(map(text_width, lines)), 2.45 * len(lines)
        (x, y), r = spots[i], 0.19 * float(np.sqrt(areas[i])) + 0.6
        tried = [
            (x - wide * across, y + side * far + (0 if side > 0 else -tall))
            for far in (r, r + 3.0)
            for side in (-1, 1)
            for across in (0.5, 0.15, 0.85)
        ] + [(x + r, y - tall / 2), (x - r - wide, y - tall / 2)]
        candidates = [
            (
                float(np.clip(left, 0, max(body[0] - wide, 0))),
                float(np.clip(low, 0, max(body[1] - tall, 0))),
            )
            for left, low in tried
        ]
        placed = [(left, low, left + wide, low + tall) for left, low in candidates]
        costs = [
            sum(
                _shared_area(box, other) * (5 if j < len(names) else 1)
                for j, other in enumerate(boxes)
            )
            for box in placed
        ]
        best = placed[int(np.argmin(costs))]
        boxes.append(best)
        ax.text(
            (best[0] + best[2]) / 2,
            (best[1] + best[3]) / 2,
            text,
            ha="center",
            va="center",
            fontsize=SMALL,
            linespacing=1,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.2},
        )


def _shared_area(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)

"""The words around a volcano."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.pl._points_text import (
    count_words,
    side_words,
    width_of,
    write_counts,
    write_heading,
    write_notes,
    write_sides,
)
from dex.pl._theme import FAINT, MEDIUM, SMALL, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from dex.pl._points import Points
    from dex.pl._points_classes import GeneClass
    from dex.pl._volcano_points import Evidence

_AXIS = {"pval": "−log₁₀ p", "padj": "−log₁₀ adjusted p"}
_MISSING = {"pval": "p-value", "padj": "adjusted p-value"}


def write_above(
    ax: Axes, points: Points, info: pd.Series, *, log2fc: float, title: str | None
) -> None:
    """Title, counts, and the threshold of the fold change if there is room."""
    write_heading(ax, info, title, pad=13)
    write_counts(ax, points)
    if log2fc > 0 and _has_room_above(ax, points, log2fc):
        ax.annotate(
            _fold_change(log2fc),
            (0.5, 1),
            xycoords=ax.transAxes,
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=FAINT,
        )


def write_below(
    ax: Axes,
    points: Points,
    info: pd.Series,
    *,
    padj: float,
    log2fc: float,
    lfc: float,
    y: Evidence,
    classes: Sequence[GeneClass],
) -> None:
    """Axis labels, which side is which, the classes, and what is not drawn."""
    ax.set_xlabel("log₂ fold change", labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel(_AXIS[y], labelpad=3, fontsize=MEDIUM)
    line = write_sides(ax, side_words(info, "←→"))
    notes = _notes(points, padj, y)
    if lfc > 0:
        notes = [f"band: tested against |log2 FC| of at most {lfc:g}", *notes]
    if log2fc > 0 and not _has_room_above(ax, points, log2fc):
        notes = [f"dashed: |log2 FC| = {log2fc:g}", *notes]
    write_notes(ax, notes, line=line, classes=classes)


def _fold_change(log2fc: float) -> str:
    return f"|log₂ FC| = {log2fc:g}"


def _has_room_above(ax: Axes, points: Points, log2fc: float) -> bool:
    """Whether the threshold, centred above the panel, clears the counts in the corners."""
    corner = 1.15 * max(text_width(text, MEDIUM) for text in count_words(points))  # they are bold
    return text_width(f"|log2 FC| = {log2fc:g}") / 2 + corner + 1 < width_of(ax) / 2


def _notes(points: Points, padj: float, y: Evidence) -> list[str]:
    notes = []
    if not (points.side != 0).any():
        notes.append(f"no gene at padj <= {padj:g}")
    n_beyond = int(points.beyond.sum())
    if n_beyond:
        notes.append(f"{n_beyond:,} beyond the axes (triangles), up to {_extremes(points)}")
    if points.n_not_drawn:
        notes.append(f"{points.n_not_drawn:,} without {_MISSING[y]} not drawn")
    return notes


def _extremes(points: Points) -> str:
    """How far the points go that are beyond the axes."""
    extremes = []
    if points.above.any():
        top = points.y.max()
        extremes.append("p = 0" if np.isinf(top) else f"p = 1e-{top:,.0f}")
    left, right = points.x_ends
    far = points.x[(points.x < left) | (points.x > right)]
    if len(far):
        extremes.append(f"|log2 FC| = {np.abs(far).max():.3g}")
    return ", ".join(extremes)

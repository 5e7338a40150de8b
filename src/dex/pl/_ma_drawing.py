"""The axes of an MA plot, the trend of its fold changes, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FuncFormatter, NullFormatter

from dex.pl._points_text import (
    side_words,
    width_of,
    write_heading,
    write_notes,
    write_sides,
)
from dex.pl._theme import INK, MEDIUM, wrapped
from dex.pl._ticks import power_of_ten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from dex.pl._ma_points import Value
    from dex.pl._points import Points
    from dex.pl._points_classes import GeneClass
    from dex.typing import Float

_BEYOND = 0.04
_FEWEST_FOR_TREND = 200
_WINDOWS = 60
_SMALLEST_SHIFT = 0.1
"""In log2: a median fold change that can be seen, 7 %."""
_AXIS = {"log2fc": "log₂ fold change", "log2fc_shrunk": "log₂ fold change, shrunken"}


@dataclass(frozen=True, slots=True)
class Trend:
    """Median of the fold changes in windows of mean expression."""

    x: Float
    y: Float
    shift: float
    """Median over the better expressed half of the genes."""

    @classmethod
    def of(cls, points: Points) -> Trend | None:
        """Return None where there are too few genes."""
        n = len(points.x)
        if n < _FEWEST_FOR_TREND:
            return None
        order = np.argsort(points.x, kind="stable")
        x, y = np.log10(points.x[order]), points.y[order]
        half = max(n // 40, 25)
        centres = np.linspace(half, n - half - 1, _WINDOWS).astype(np.intp)
        windows = [slice(centre - half, centre + half + 1) for centre in centres]
        medians = np.array([np.median(y[window]) for window in windows])
        means = np.array([np.median(x[window]) for window in windows])
        return cls(10**means, _smooth(medians), float(np.median(y[n // 2 :])))

    @property
    def is_shifted(self) -> bool:
        """Whether most genes seem to move together."""
        return abs(self.shift) >= _SMALLEST_SHIFT


def _smooth(values: Float) -> Float:
    padded = np.pad(values, 2, mode="edge")
    return np.convolve(padded, [0.1, 0.2, 0.4, 0.2, 0.1], mode="valid")


def draw_axes(ax: Axes, points: Points) -> None:
    low, high = points.x_ends
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
    ax.xaxis.set_minor_formatter(NullFormatter())
    room = (high / low) ** (_BEYOND / 2) if high > low else 2.0
    ax.set_xlim(low / room, high * room)
    bottom, top = points.y_ends
    ax.set_ylim(bottom - _BEYOND * (top - bottom) / 2, top + _BEYOND * (top - bottom) / 2)
    ax.axhline(0, color=INK, linewidth=0.6, zorder=2.6)


def draw_trend(ax: Axes, trend: Trend | None) -> None:
    """Draw the median on a white ground, so that it is seen over any points."""
    if trend is not None:
        style: dict[str, Any] = {"color": INK, "linewidth": 1.0, "zorder": 2.8, "label": "_median"}
        effects = [Stroke(linewidth=2.2, foreground="white"), Normal()]
        ax.plot(trend.x, trend.y, linestyle=(0, (3, 1.2)), path_effects=effects, **style)


def write_ma(
    ax: Axes,
    points: Points,
    info: pd.Series,
    *,
    trend: Trend | None,
    unit: str,
    value: Value,
    padj: float,
    title: str | None,
    classes: Sequence[GeneClass],
) -> None:
    """Write title, axis labels, which side is which, and what is not drawn."""
    write_heading(ax, info, title, pad=4)
    label = wrapped(f"mean expression ({unit})", width_of(ax), MEDIUM)
    ax.set_xlabel(label, labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel(_AXIS[value], labelpad=3, fontsize=MEDIUM)
    line = write_sides(ax, side_words(info, "↓↑"))
    found = _found(points, padj) if info["n_tested"] else "no p-values, so that no gene is coloured"
    write_notes(ax, _notes(points, trend, found), line=line, classes=classes)


def expression_unit(params: Mapping[str, Any]) -> str:
    """Name what ``base_mean`` counts, from what is recorded of a result."""
    if params.get("scale") == "logcpm" and params.get("source_scale") == "counts":
        return "CPM"
    if params.get("source_scale") == "counts":
        by_library = params.get("size_factors", "library") == "library"
        counted = "counts per median library" if by_library else "normalised counts"
        return counted if params.get("scale") != "linear" else "values of the layer"
    if params.get("source_scale") == "logcpm":
        return "CPM"
    return "unlogged values" if _is_log(params) else "values of the layer"


def _is_log(params: Mapping[str, Any]) -> bool:
    return params.get("source_scale") in {"ln1p", "log2p1", "log2"}


def _found(points: Points, padj: float) -> str:
    """Say so where no gene is significant."""
    return "" if (points.side != 0).any() else f"no gene at padj <= {padj:g}"


def _notes(points: Points, trend: Trend | None, found: str) -> list[str]:
    notes = []
    if trend is not None:
        notes.append("dashed: running median")
        if trend.is_shifted:
            shift = f"{trend.shift:+.2f}".replace("-", "\N{MINUS SIGN}")
            notes[0] += (
                f"; {shift} over expressed genes: most seem to move together "
                "(composition, normalisation)"
            )
    if found:
        notes.append(found)
    n_beyond = int(points.beyond.sum())
    if n_beyond:
        far = np.abs(points.y[points.beyond]).max()
        notes.append(f"{n_beyond:,} beyond the axes (triangles), up to |log2 FC| = {far:.3g}")
    if points.n_not_drawn:
        notes.append(f"{points.n_not_drawn:,} without expression or fold change not drawn")
    return notes

"""A panel of p-values: their histogram, or their quantiles against those of the uniform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import beta

from dex.pl._points import axis_end
from dex.pl._points_text import write_heading, write_notes
from dex.pl._theme import DOWN, FAINT, INK, MEDIUM, NEUTRAL, SMALL, UP

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dex.get import PvalueShape
    from dex.typing import Float

_N_BINS = 40
_BAR, _BAR_OF_NULL = DOWN, NEUTRAL
_LARGEST_RATIO = 4.0
"""Of the highest bar to the uniform level, above which the axis ends before it, ..."""
_LARGEST_OF_NEXT = 3.0
"""... if it is so many times the next."""
_BAND = 0.95
_DENSE = 400
"""Points of a quantile plot that are drawn of its dense part, evenly on the axis."""
_TAIL = 1000
"""Smallest p-values, which are all drawn."""
_SQUASHED, _SHOWN = 4.0, 60.0
_LINE: dict[str, Any] = {"color": INK, "linewidth": 0.8, "zorder": 3}


def draw_histogram(ax: Axes, log10_pval: Float, shape: PvalueShape) -> None:
    """Draw 40 bars, the level of uniform p-values and that of the genes that do not change."""
    counts, edges = np.histogram(10**log10_pval, bins=_N_BINS, range=(0, 1))
    level = shape.n / _N_BINS
    null = np.minimum(counts, shape.pi0 * level)
    style: dict[str, Any] = {"width": np.diff(edges), "align": "edge", "linewidth": 0.3}
    style |= {"edgecolor": "white"}
    ax.bar(edges[:-1], null, color=_BAR_OF_NULL, label="expected of unchanged genes", **style)
    ax.bar(edges[:-1], counts - null, bottom=null, color=_BAR, label="more than expected", **style)
    ax.axhline(level, color=FAINT, linewidth=0.6, zorder=3, label="_uniform")
    ax.axhline(shape.pi0 * level, linestyle=(0, (4, 2)), label="_null", **_LINE)
    ax.set_xlim(0, 1)
    ax.set_xlabel("p-value", labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel("genes", labelpad=3, fontsize=MEDIUM)
    _end_before_highest(ax, counts, level)


def _end_before_highest(ax: Axes, counts: np.ndarray, level: float) -> None:
    """Cut a bar that would squash the others, and write its height on it."""
    highest, next_ = np.sort(counts)[::-1][:2]
    top = float(highest)
    if highest > _LARGEST_RATIO * level and highest > _LARGEST_OF_NEXT * next_:
        top = float(max(1.6 * next_, 2.5 * level))
        centre = (np.argmax(counts) + 0.5) / _N_BINS
        left = centre < 0.5
        ax.annotate(
            f"↑ {highest:,}",
            (centre + (0.02 if left else -0.02), 1),
            xycoords=ax.get_xaxis_transform(),
            ha="left" if left else "right",
            va="top",
            fontsize=SMALL,
            color=INK,
        )
    ax.set_ylim(0, 1.06 * max(top, 1.3 * level))


def write_histogram(ax: Axes, info: pd.Series, shape: PvalueShape, *, title: str | None) -> None:
    """Write what the lines are, and what the shape means."""
    write_heading(ax, info, title, pad=4)
    notes = [
        f"dashed: unchanged genes, an estimated {_percent(shape.pi0)} of {shape.n:,} (Storey)",
        "thin line: level if no gene changes",
        shape.sentence,
    ]
    write_notes(ax, notes, line=0)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Sorted -log10 p against what is expected of uniform p-values, largest first."""

    expected: Float
    observed: Float
    low: Float
    """Of the band that holds 95 % of uniform p-values at each rank."""
    high: Float
    limit: float
    """Where the axis ends; points beyond are drawn at its edge."""
    largest: float

    @classmethod
    def of(cls, log10_pval: Float, *, y_limit: float | None) -> Quantiles:
        """The k-th smallest of n uniform p-values is beta(k, n + 1 - k)."""
        observed = np.sort(-log10_pval)[::-1]
        n = len(observed)
        rank = _thinned(n)
        edge = (1 - _BAND) / 2
        low, high = (-np.log10(beta.ppf(q, rank, n + 1 - rank)) for q in (1 - edge, edge))
        limit = axis_end(observed, _SQUASHED, shown=_SHOWN) if y_limit is None else y_limit
        expected = -np.log10((rank - 0.5) / n)
        return cls(expected, observed[rank - 1], low, high, float(limit), float(observed[0]))

    @property
    def beyond(self) -> np.ndarray:
        """Which points lie outside the axis."""
        return self.observed > self.limit


def _thinned(n: int) -> np.ndarray:
    """Ranks to draw: all small ones, then as many as can be told apart on the axis."""
    if n <= _TAIL + _DENSE:
        return np.arange(1, n + 1)
    dense = np.geomspace(_TAIL + 1, n, _DENSE).round().astype(np.intp)
    even = np.linspace(_TAIL + 1, n, _DENSE).round().astype(np.intp)
    return np.unique(np.concatenate([np.arange(1, _TAIL + 1), dense, even]))


def draw_quantiles(ax: Axes, points: Quantiles, *, rasterized: bool) -> None:
    """Draw the points over the band, those beyond the axis as triangles at its edge."""
    draw_band(ax, points)
    style: dict[str, Any] = {"linewidths": 0, "color": DOWN, "zorder": 3}
    inside = ~points.beyond
    ax.scatter(
        points.expected[inside],
        points.observed[inside],
        s=5,
        rasterized=rasterized,
        label="genes",
        **style,
    )
    if points.beyond.any():
        edge = np.full(int(points.beyond.sum()), points.limit)
        style |= {"color": UP, "marker": "^", "s": 14, "label": "beyond the axes"}
        ax.scatter(points.expected[points.beyond], edge, **style)


def draw_band(ax: Axes, points: Quantiles) -> None:
    """Draw where uniform p-values lie, and name the axes."""
    ax.fill_between(
        points.expected, points.low, points.high, color="#e4e4e4", linewidth=0, label="_band"
    )
    far = float(points.expected[0])
    ax.plot([0, far], [0, far], **(_LINE | {"color": FAINT, "linewidth": 0.6, "zorder": 2}))
    ax.set_xlim(-0.02 * far, 1.03 * far)
    ax.set_ylim(-0.015 * points.limit, 1.04 * points.limit)
    ax.set_xlabel("−log₁₀ p expected", labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel("−log₁₀ p", labelpad=3, fontsize=MEDIUM)


def write_quantiles(
    ax: Axes, info: pd.Series, shape: PvalueShape, points: Quantiles, *, title: str | None
) -> None:
    """Write the inflation, what the band is, what is clipped and what the shape means."""
    write_heading(ax, info, title, pad=4)
    ax.annotate(
        f"λ = {shape.inflation:.2f}",
        (0.03, 0.97),
        xycoords=ax.transAxes,
        va="top",
        fontsize=MEDIUM,
        color=INK,
    )
    notes = [f"{shape.n:,} genes; λ: inflation of the median; grey: 95 % band"]
    n_beyond = int(points.beyond.sum())
    if n_beyond:
        top = "p = 0" if np.isinf(points.largest) else f"p = 1e-{points.largest:,.0f}"
        notes.append(f"{n_beyond:,} beyond the axis (triangles), up to {top}")
    write_notes(ax, [*notes, shape.sentence], line=0)

"""The panel of Cook's distances: boxes, points, cutoff, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter

from dex.pl._marks import write_marks
from dex.pl._points_text import width_of, write_notes
from dex.pl._theme import (
    DOWN,
    INK,
    LARGE,
    MEDIUM,
    NEUTRAL,
    SMALL,
    UP,
    plain_axes,
    shortened,
    wrapped,
)
from dex.pl._ticks import power_of_ten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.typing import Float

_MOST_NAMES = 40
_BOX, _LOWEST = 0.64, 1e-6


@dataclass(frozen=True, slots=True)
class Distances:
    """Cook's distances of the observations."""

    quantiles: Float
    """5%, 25%, 50%, 75%, 95% and the largest, shape ``(n_obs, 6)``."""
    names: tuple[str, ...]
    cutoff: float


def draw_distances(ax: Axes, distances: Distances) -> None:
    """Draw a box for each observation, and the cutoff."""
    low, first, middle, third, high, largest = np.maximum(distances.quantiles, _LOWEST).T
    x = np.arange(len(middle))
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.vlines(x, low, high, color=NEUTRAL, linewidth=0.8, zorder=1, label="90%")
    box: dict[str, Any] = {
        "width": _BOX,
        "color": NEUTRAL,
        "linewidth": 0,
        "zorder": 2,
        "label": "half",
    }
    ax.bar(x, third - first, bottom=first, **box)
    half = _BOX / 2
    ax.hlines(middle, x - half, x + half, color=INK, linewidth=1.0, zorder=3, label="median")
    beyond = largest > distances.cutoff
    ax.scatter(x[~beyond], largest[~beyond], s=6, color=NEUTRAL, linewidths=0, zorder=3)
    ax.scatter(x[beyond], largest[beyond], s=8, color=UP, linewidths=0, zorder=3, label="largest")
    ax.axhline(distances.cutoff, color=DOWN, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    ax.set_xlim(-0.8, len(x) - 0.2)


def write_distances(ax: Axes, distances: Distances, *, title: str) -> None:
    """Write axis labels, names of the observations, and what the marks are."""
    plain_axes(ax)
    n = len(distances.names)
    ax.set_title(wrapped(title, width_of(ax), LARGE), fontsize=LARGE, color=INK, pad=4)
    ax.set_ylabel("Cook's distance", labelpad=3, fontsize=MEDIUM)
    if n <= _MOST_NAMES:
        names = [shortened(name) for name in distances.names]
        ax.set_xticks(np.arange(n), names, rotation=90, fontsize=SMALL)
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{n:,} samples, in their order", labelpad=2, fontsize=MEDIUM)
    ax.tick_params(axis="x", length=0)
    beyond = int((distances.quantiles[:, -1] > distances.cutoff).sum())
    largest = (UP, "largest, beyond cutoff") if beyond else (NEUTRAL, "largest")
    cutoff = ("--", DOWN, f"cutoff ({distances.cutoff:.3g})")
    write_marks(ax, [("■", NEUTRAL, "half of the genes"), ("●", *largest), cutoff])
    write_notes(ax, [f"{beyond:,} of {n:,} samples hold a count beyond the cutoff"], line=1)

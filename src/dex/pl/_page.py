"""A page measured in millimetres, and where things go on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.typing import Bool, Float, Int

_LEAST_GROUP_MM = 3.4
"""Width of the smallest group: it can be seen, and its slanted label clears the next."""
_GAP_MM = 0.6


@dataclass(frozen=True, slots=True)
class Page:
    """A figure with lengths in millimetres, from its top left corner."""

    figure: Figure
    width: float
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes without spines or ticks."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        ax = self.figure.add_axes(box)
        ax.spines[:].set_visible(False)
        ax.set(xticks=[], yticks=[])
        return ax


def column_spans(sizes: Int, width: float) -> Float:
    """Left and right end of each group in mm, ``(n_groups, 2)``.

    Widths are in proportion to sizes, except that no group is too narrow to be seen.
    """
    n = len(sizes)
    gap = min(_GAP_MM, 0.2 * width / n)
    room = width - gap * (n - 1)
    least = min(_LEAST_GROUP_MM, 0.5 * room / n)
    widths = least + (room - n * least) * sizes / sizes.sum()
    left = np.concatenate([[0.0], np.cumsum(widths + gap)[:-1]])
    return np.column_stack([left, left + widths])


def centres(sizes: Int, spans: Float) -> Float:
    """Centres of the observations, ``(n_obs,)``, which fill the spans of their groups evenly."""
    return np.concatenate(
        [
            low + (np.arange(n) + 0.5) * (high - low) / n
            for n, (low, high) in zip(sizes, spans, strict=True)
        ]
    )


def with_room(positions: Float, priority: Sequence[float] | Int, distance: float) -> Bool:
    """Which labels to keep, so that no two are nearer than ``distance``; lowest priority first."""
    kept: list[float] = []
    keep = np.zeros(len(positions), dtype=bool)
    for i in np.argsort(priority, kind="stable"):
        if all(abs(positions[i] - other) >= distance - 1e-9 for other in kept):
            kept.append(float(positions[i]))
            keep[i] = True
    return keep


def merged_columns(values: Float, most: int) -> Float:
    """Average neighbouring columns where there are more than ``most``, as many as can be seen."""
    n = values.shape[1]
    if n <= max(most, 1):
        return values
    starts = np.linspace(0, n, most, endpoint=False).astype(np.intp)
    sizes = np.diff(starts, append=n)
    return np.asarray(np.add.reduceat(values, starts, axis=1) / sizes, dtype=np.float64)

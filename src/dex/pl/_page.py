"""A page measured in millimetres, and where things go on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import isotonic_regression

from dex.pl._theme import millimetres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from dex.typing import Bool, Float, Int

_LEAST_GROUP_MM = 3.4
"""Width of the smallest group: it can be seen, and its slanted label clears the next."""
_GAP_MM, _WIDE_GAP_MM = 0.6, 1.8


@dataclass(frozen=True, slots=True)
class Page:
    """A figure, or the place of given axes in one, in millimetres from its top left corner."""

    figure: Figure | SubFigure
    width: float
    height: float
    host: Axes | None = None
    """Axes whose place is the page; what is put on it moves along with them."""

    @classmethod
    def inside(cls, host: Axes) -> Page:
        """Take the place of axes, whose own frame is hidden."""
        host.figure.figure.draw_without_rendering()  # layouts move axes when they are drawn
        host.set_axis_off()
        width, height = place_of(host)
        return cls(host.figure, width, height, host)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes without spines or ticks."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        ax = self.figure.add_axes(box) if self.host is None else self.host.inset_axes(box)
        ax.spines[:].set_visible(False)
        ax.set(xticks=[], yticks=[])
        return ax

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        """Write at a place of the page."""
        x, y = left / self.width, 1 - top / self.height
        if self.host is None:
            self.figure.text(x, y, text, **style)
        else:
            self.host.text(x, y, text, transform=self.host.transAxes, **style)


def place_of(ax: Axes) -> tuple[float, float]:
    """Width and height in mm of the place that axes take."""
    box = ax.get_window_extent()
    return millimetres(box.width / ax.figure.dpi), millimetres(box.height / ax.figure.dpi)


def column_spans(sizes: Int, width: float, *, wide: Bool | None = None) -> Float:
    """Left and right end of each group in mm, ``(n_groups, 2)``.

    Widths are in proportion to sizes, except that no group is too narrow to be seen. ``wide``,
    ``(n_groups - 1,)``, marks gaps that are wider than the others.
    """
    n = len(sizes)
    gaps = np.full(n - 1, _GAP_MM) if wide is None else np.where(wide, _WIDE_GAP_MM, _GAP_MM)
    gaps *= min(1.0, 0.2 * width / max(gaps.sum(), 1e-9))
    room = width - gaps.sum()
    least = min(_LEAST_GROUP_MM, 0.5 * room / n)
    return _one_after_another(least + (room - n * least) * sizes / sizes.sum(), gaps)


def row_spans(sizes: Int, height: float, gap: float) -> Float:
    """Upper and lower end of each block of equally high rows in mm, ``(n_blocks, 2)``."""
    gaps = np.full(len(sizes) - 1, gap)
    return _one_after_another((height - gaps.sum()) * sizes / sizes.sum(), gaps)


def _one_after_another(lengths: Float, gaps: Float) -> Float:
    start = np.concatenate([[0.0], np.cumsum(lengths[:-1] + gaps)])
    return np.column_stack([start, start + lengths])


def centres(sizes: Int, spans: Float) -> Float:
    """Centres of the observations, ``(n_obs,)``, which fill the spans of their groups evenly."""
    return np.concatenate(
        [
            low + (np.arange(n) + 0.5) * (high - low) / n
            for n, (low, high) in zip(sizes, spans, strict=True)
        ]
    )


def with_room(positions: Float, priority: Sequence[float] | Float | Int, distance: float) -> Bool:
    """Which labels to keep, so that no two are nearer than ``distance``; lowest priority first."""
    kept: list[float] = []
    keep = np.zeros(len(positions), dtype=bool)
    for i in np.argsort(priority, kind="stable"):
        if all(abs(positions[i] - other) >= distance - 1e-9 for other in kept):
            kept.append(float(positions[i]))
            keep[i] = True
    return keep


def dodged(positions: Float, distance: float, length: float) -> Float:
    """Move ascending positions apart, as little as can be, within 0 and ``length``.

    The least sum of squared moves with neighbours at least ``distance`` apart; if they do not all
    fit, they share the length evenly.
    """
    n = len(positions)
    distance = min(distance, length / max(n, 1))
    start = np.arange(n) * distance
    moved = isotonic_regression(positions - start).x if n else positions
    return np.clip(moved, distance / 2, length - distance / 2 - start[-1:].sum()) + start


def merged_columns(values: Float, most: int) -> Float:
    """Average neighbouring columns where there are more than ``most``, as many as can be seen."""
    n = values.shape[1]
    if n <= max(most, 1):
        return values
    starts = np.linspace(0, n, most, endpoint=False).astype(np.intp)
    sizes = np.diff(starts, append=n)
    return np.asarray(np.add.reduceat(values, starts, axis=1) / sizes, dtype=np.float64)

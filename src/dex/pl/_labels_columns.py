"""Names in a column at each side, where there is no room for them beside their points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from dex.pl._labels_layout import Placed, overlaps, to_edge

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.typing import Float

_LINE_HEIGHT = 1.15
"""Of the height of the type."""
_GAP, _INSET = 10.0, 1.0
"""Points between names and data, and between names and the edge."""
_MOST_OF_WIDTH = 0.6
"""Fraction of the axes that columns may take."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of equal width beside the data; lengths in typographical points."""

    size: Float
    """Width and height of the axes, ``(2,)``."""
    n_sides: int
    """2: left and right; 1: right only."""
    scale: float
    """Of the type, where names would not fit in its normal size."""
    name_sizes: Float
    """Width and height of the names, so scaled, ``(n, 2)``."""

    @classmethod
    def for_names(cls, name_sizes: Float, size: Float) -> Columns:
        """Both sides, or one for long names, with smaller type where that is not enough."""
        width, line = float(name_sizes[:, 0].max()), float(name_sizes[:, 1].max()) * _LINE_HEIGHT
        room = _MOST_OF_WIDTH * size[0]
        in_one = len(name_sizes) * line <= size[1]
        n_sides = 1 if in_one and 2 * (width + _GAP + _INSET) > room else 2
        scale = min(
            1.0,
            (room / n_sides - _GAP - _INSET) / width,
            size[1] / (np.ceil(len(name_sizes) / n_sides) * line),
        )
        return cls(size, n_sides, scale, name_sizes * scale)

    @property
    def width(self) -> float:
        """Of one column with the gap beside it."""
        return float(self.name_sizes[:, 0].max()) + _GAP + _INSET

    def make_room(self, ax: Axes) -> None:
        """Widen the x axis, which keeps its ticks and its spine where the data are."""
        data = float(self.size[0]) - self.n_sides * self.width
        beside = self.width / data
        left = -beside if self.n_sides == 2 else 0.0
        low, high = ax.get_xlim()
        ends = (ax.transAxes + ax.transData.inverted()).transform([(left, 0), (1 + beside, 0)])
        for minor in (False, True):
            ticks = ax.xaxis.get_ticklocs(minor=minor)
            ax.set_xticks(ticks[(ticks >= low) & (ticks <= high)], minor=minor)
        ax.set_xlim(*ends[:, 0])
        ax.spines["bottom"].set_bounds(low, high)

    def place(self, anchors: Float, boxes: Float, *, radius: float) -> Placed:
        """Give every name a slot, so that all lines together are shortest.

        Of two lines that cross, the ends could be exchanged and both be shorter: none cross.
        """
        slots, signs = self._slots(boxes, len(anchors))
        cost = np.hypot(*np.moveaxis(anchors[:, None] - slots[None], 2, 0))
        slot = linear_sum_assignment(cost)[1]
        ends, outwards = slots[slot], signs[slot]
        width, height = self.name_sizes.T
        far = ends[:, 0] + outwards * width
        x0, x1 = np.minimum(ends[:, 0], far), np.maximum(ends[:, 0], far)
        y = ends[:, 1]
        rows = np.column_stack([x0, y - height / 2, x1, y + height / 2])
        starts = np.column_stack([ends[:, 0] - outwards, y])
        return Placed(rows, to_edge(starts, anchors, radius))

    def _slots(self, boxes: Float, n: int) -> tuple[Float, Float]:
        """Inner ends of the free slots, ``(n_slots, 2)``, and on which side they are."""
        pitch = float(self.name_sizes[:, 1].max()) * _LINE_HEIGHT
        n_rows = max(int(self.size[1] / pitch + 1e-6), int(np.ceil(n / self.n_sides)))
        y = (np.arange(n_rows) + 0.5) * self.size[1] / n_rows
        inner = np.array([self.size[0] - self.width + _GAP, self.width - _GAP])[: self.n_sides]
        signs = np.repeat(np.array([1.0, -1.0])[: self.n_sides], n_rows)
        slots = np.column_stack([np.repeat(inner, n_rows), np.tile(y, self.n_sides)])
        outer = slots[:, 0] + signs * (self.width - _GAP)
        rows = np.column_stack(
            [
                np.minimum(slots[:, 0], outer),
                slots[:, 1] - pitch / 2,
                np.maximum(slots[:, 0], outer),
                slots[:, 1] + pitch / 2,
            ]
        )
        free = ~overlaps(rows, boxes).any(axis=1)
        keep = free if free.sum() >= n else np.ones_like(free)
        return slots[keep], signs[keep]

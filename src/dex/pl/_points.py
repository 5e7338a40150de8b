"""The points of a volcano or MA plot: where they lie, which side, what is off the scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dex.typing import Bool, Float, Int

    Names = np.ndarray[tuple[int], np.dtype[np.object_]]

FEWEST_CLIPPED, MOST_CLIPPED = 1, 10


@dataclass(frozen=True, slots=True)
class Points:
    """One test's genes that can be drawn, best first; arrays ``(n_points,)``."""

    names: Names
    ids: Names
    x: Float
    y: Float
    side: Int
    """1 up, -1 down, 0 not significant."""
    x_ends: tuple[float, float]
    """Where the axis ends; points beyond are drawn at its edge."""
    y_ends: tuple[float, float]
    threshold: float | None
    """y at which ``padj`` crosses its limit; None where it never does, or where y is no p."""
    not_drawn: tuple[str, ...]
    """Names and ids of the genes that have no place."""
    n_not_drawn: int

    @property
    def above(self) -> Bool:
        """Which points lie over the upper end."""
        return self.y > self.y_ends[1]

    @property
    def below(self) -> Bool:
        """Which points lie under the lower end."""
        return self.y < self.y_ends[0]

    @property
    def beyond(self) -> Bool:
        """Which points lie outside the axes."""
        return self.above | self.below | (self.x < self.x_ends[0]) | (self.x > self.x_ends[1])

    @property
    def xy(self) -> Float:
        """Where the points are drawn, ``(n_points, 2)``: those beyond at the edge."""
        return np.column_stack([np.clip(self.x, *self.x_ends), np.clip(self.y, *self.y_ends)])

    def count(self, side: int) -> int:
        """Significant genes on a side."""
        return int((self.side == side).sum())

    def best(self, n: int) -> Int:
        """Positions of the ``n`` best significant genes of each side, the sides in turn."""
        sides = [np.flatnonzero(self.side == side)[:n] for side in (1, -1)]
        turns = np.concatenate([np.arange(len(side)) for side in sides])
        return np.concatenate(sides)[np.argsort(turns, kind="stable")]

    def find(self, genes: Sequence[str]) -> Int:
        """Positions of the genes asked for, in their order, less those that are not drawn.

        Raises
        ------
        InputError
            If a gene is not in the result.
        """
        positions = self._positions()
        unknown = [gene for gene in genes if gene not in positions and gene not in self.not_drawn]
        if unknown:
            msg = f"genes={unknown[:5]} are not in the result; it has {list(self.names[:3])}, ..."
            raise InputError(msg)
        found = dict.fromkeys(positions[gene] for gene in genes if gene in positions)
        return np.array(list(found), dtype=np.intp)

    def find_known(self, genes: Sequence[str]) -> Int:
        """Positions of those of ``genes`` that are drawn, as of a gene set."""
        positions = self._positions()
        found = dict.fromkeys(positions[gene] for gene in genes if gene in positions)
        return np.array(list(found), dtype=np.intp)

    def _positions(self) -> dict[str, int]:
        """Position by id, else by name; the best gene where a name is shared."""
        places: dict[str, int] = {}
        for labels in (self.ids, self.names):
            for position, label in enumerate(labels):
                places.setdefault(str(label), position)
        return places


def id_column(frame: pd.DataFrame) -> str:
    """Column with the ``var_names``."""
    return "gene_id" if "gene_id" in frame else "gene"


def names_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Names and ids of the genes of ``frame``."""
    return tuple(map(str, [*frame["gene"], *frame[id_column(frame)]]))


def sides(log2fc: Float, significant: Bool, *, least: float = 0.0) -> Int:
    """1 up, -1 down, 0 not significant or smaller than ``least``."""
    return np.where(significant & (np.abs(log2fc) >= least), np.sign(log2fc), 0).astype(np.intp)


def why_no_p(frame: pd.DataFrame) -> str:
    """Status of the genes in parentheses, where the result has one."""
    if "status" not in frame:
        return ""
    return f" (status: {', '.join(map(str, frame['status'].unique()[:3]))})"


def axis_end(size: Float, squashed: float, *, shown: float) -> float:
    """Where an axis ends: at the largest value, unless few values would squash all the others.

    These are at most ten or a thousandth of the values; the largest must be over ``shown`` and
    ``squashed`` times the next.
    """
    finite = np.sort(size[np.isfinite(size)])[::-1]
    if not len(finite) or finite[0] <= 0:
        return 1.0
    if finite[0] <= shown:
        return float(finite[0])
    few = min(max(len(size) // 1000, FEWEST_CLIPPED), MOST_CLIPPED, len(finite) - 1)
    if finite[few] > 0 and finite[0] > squashed * finite[few]:
        return float(squashed / 2 * finite[few])
    return float(finite[0])


def given_ends(limit: float | tuple[float, float], name: str) -> tuple[float, float]:
    """Ends of an axis that the user gave: one number for both sides, or two.

    Raises
    ------
    InputError
        If zero is not between them.
    """
    low, high = limit if isinstance(limit, tuple | list) else (-float(limit), float(limit))
    if not (np.isfinite([low, high]).all() and low <= 0 <= high and low < high):
        msg = f"{name}={limit!r} is not the end of an axis; give a positive number, or (low, high)."
        raise InputError(msg)
    return float(low), float(high)

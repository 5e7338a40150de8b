"""The points of a volcano: where each gene lies, which side it is on, what is off the scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dex.typing import Bool, Float, Int

_Y_SQUASHED, _X_SQUASHED = 4.0, 2.5
"""How many times the few largest must exceed the next for the scale to end before them."""
_FEWEST_CLIPPED, _MOST_CLIPPED = 1, 10
_Y_SHOWN, _X_SHOWN = 300.0, 15.0
"""What is no larger is drawn in its place: strong effects are what a volcano is looked at for."""


@dataclass(frozen=True, slots=True)
class Points:
    """One test's genes that have a p-value, best first; arrays ``(n_points,)``."""

    names: np.ndarray[tuple[int], np.dtype[np.object_]]
    ids: np.ndarray[tuple[int], np.dtype[np.object_]]
    x: Float
    """log2 fold change."""
    y: Float
    """-log10 of the p-value."""
    side: Int
    """1 up, -1 down, 0 not significant."""
    x_limit: float
    """Where the axis ends on both sides; points beyond are drawn at its edge."""
    y_limit: float
    threshold: float | None
    """-log10 of the p-value at which ``padj`` crosses its limit; None where it never does."""
    without_p: tuple[str, ...]
    """Names and ids of the genes without a p-value."""
    n_without_p: int

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, padj: float, log2fc: float) -> Points:
        """Read the table of one test.

        Raises
        ------
        InputError
            If the test has no fold changes or no p-values.
        """
        _check(frame)
        drawn = (frame["log10_pval"].notna() & frame["log2fc"].notna()).to_numpy()
        some = frame[drawn]
        x = some["log2fc"].to_numpy(dtype=np.float64)
        y = -some["log10_pval"].to_numpy(dtype=np.float64)
        log10_padj = some["log10_padj"].to_numpy(dtype=np.float64)
        significant = log10_padj <= np.log10(padj)
        side = np.where(significant & (np.abs(x) >= log2fc), np.sign(x), 0).astype(np.intp)
        ids = "gene_id" if "gene_id" in frame else "gene"
        y_limit = _limit(y, _Y_SQUASHED, shown=_Y_SHOWN)
        rest = frame[~drawn]
        return cls(
            some["gene"].to_numpy(dtype=object),
            some[ids].to_numpy(dtype=object),
            x,
            y,
            side,
            # No threshold is outside the axes.
            max(_limit(np.abs(x), _X_SQUASHED, shown=_X_SHOWN), 1.5 * log2fc),
            y_limit,
            _crossing(np.minimum(y, y_limit), significant, ~np.isnan(log10_padj)),
            tuple(map(str, [*rest["gene"], *rest[ids]])),
            len(rest),
        )

    @property
    def beyond(self) -> Bool:
        """Whether a point lies outside the axes."""
        return (self.y > self.y_limit) | (np.abs(self.x) > self.x_limit)

    @property
    def xy(self) -> Float:
        """Where the points are drawn, ``(n_points, 2)``: those beyond at the edge."""
        x = np.clip(self.x, -self.x_limit, self.x_limit)
        return np.column_stack([x, np.minimum(self.y, self.y_limit)])

    def count(self, side: int) -> int:
        """Significant genes on a side."""
        return int((self.side == side).sum())

    def best(self, n: int, side: int) -> Int:
        """Positions of the ``n`` best significant genes of a side."""
        return np.flatnonzero(self.side == side)[:n]

    def find(self, genes: Sequence[str]) -> Int:
        """Positions of the genes asked for, in their order, less those without a p-value.

        Raises
        ------
        InputError
            If a gene is not in the result.
        """
        places: dict[str, int] = {}
        for labels in (self.ids, self.names):
            for position, label in enumerate(labels):
                places.setdefault(str(label), position)
        unknown = [gene for gene in genes if gene not in places and gene not in self.without_p]
        if unknown:
            msg = f"genes={unknown[:5]} are not in the result; it has {list(self.names[:3])}, ..."
            raise InputError(msg)
        return np.array([places[gene] for gene in genes if gene in places], dtype=np.intp)


def _check(frame: pd.DataFrame) -> None:
    test = frame["test"].iloc[0] if len(frame) else ""
    if frame["log2fc"].isna().all():
        msg = (
            f"test={test!r} has no log2fc: an omnibus test has no direction, and no volcano. "
            "Draw one of its contrasts, or dex.pl.heatmap."
        )
        raise InputError(msg)
    if frame["log10_pval"].isna().all():
        why = ""
        if "status" in frame:
            why = f" (status: {', '.join(map(str, frame['status'].unique()[:3]))})"
        msg = f"test={test!r} has no p-value for any gene{why}, so there is no volcano to draw."
        raise InputError(msg)


def _limit(size: Float, squashed: float, *, shown: float) -> float:
    """Where an axis ends: at the largest value, unless few values would squash all the others."""
    finite = np.sort(size[np.isfinite(size)])[::-1]
    if not len(finite) or finite[0] <= 0:
        return 1.0
    if finite[0] <= shown:
        return float(finite[0])
    few = min(max(len(size) // 1000, _FEWEST_CLIPPED), _MOST_CLIPPED, len(finite) - 1)
    if finite[few] > 0 and finite[0] > squashed * finite[few]:
        return float(squashed / 2 * finite[few])
    return float(finite[0])


def _crossing(y: Float, significant: Bool, adjusted: Bool) -> float | None:
    """Midway between the least significant gene that passes and the best that does not."""
    passed, failed = y[significant], y[adjusted & ~significant]
    if not len(passed) or not len(failed):
        return None
    last = float(passed.min())
    return (last + min(float(failed.max()), last)) / 2

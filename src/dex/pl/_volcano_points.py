"""The points of a volcano: log2 fold change and -log10 p."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.pl._points import (
    Points,
    axis_end,
    given_ends,
    id_column,
    names_of,
    sides,
    why_no_p,
)

if TYPE_CHECKING:
    import pandas as pd

    from dex.typing import Bool, Float

Evidence = Literal["pval", "padj"]

_Y_SQUASHED, _X_SQUASHED = 4.0, 2.5
"""How many times the few largest must exceed the next for the scale to end before them."""
_Y_SHOWN, _X_SHOWN = 300.0, 15.0
"""What is no larger is drawn in its place: strong effects are what a volcano is looked at for."""


def volcano_points(
    frame: pd.DataFrame,
    *,
    padj: float,
    log2fc: float,
    y: Evidence = "pval",
    x_limit: float | tuple[float, float] | None = None,
    y_limit: float | None = None,
) -> Points:
    """Read the table of one test.

    Raises
    ------
    InputError
        If the test has no fold changes or no p-values, or if a limit is none.
    """
    _check(frame, y)
    column = f"log10_{y}"
    drawn = (frame[column].notna() & frame["log2fc"].notna()).to_numpy()
    some, rest = frame[drawn], frame[~drawn]
    effect = some["log2fc"].to_numpy(dtype=np.float64)
    evidence = np.abs(some[column].to_numpy(dtype=np.float64))
    log10_padj = some["log10_padj"].to_numpy(dtype=np.float64)
    significant = log10_padj <= np.log10(padj)
    top = _top(evidence, y_limit)
    threshold = _crossing(np.minimum(evidence, top), significant, ~np.isnan(log10_padj))
    if y == "padj":
        threshold = float(-np.log10(padj))
    return Points(
        names=some["gene"].to_numpy(dtype=object),
        ids=some[id_column(frame)].to_numpy(dtype=object),
        x=effect,
        y=evidence,
        side=sides(effect, significant, least=log2fc),
        x_ends=_x_ends(effect, log2fc, x_limit),
        y_ends=(0.0, max(top, 1.1 * threshold) if y == "padj" and threshold else top),
        threshold=threshold,
        not_drawn=names_of(rest),
        n_not_drawn=len(rest),
    )


def _x_ends(
    effect: Float, log2fc: float, limit: float | tuple[float, float] | None
) -> tuple[float, float]:
    if limit is not None:
        return given_ends(limit, "x_limit")
    # No threshold is outside the axes.
    end = max(axis_end(np.abs(effect), _X_SQUASHED, shown=_X_SHOWN), 1.5 * log2fc)
    return -end, end


def _top(evidence: Float, limit: float | None) -> float:
    if limit is None:
        return axis_end(evidence, _Y_SQUASHED, shown=_Y_SHOWN)
    if not (np.isfinite(limit) and limit > 0):
        msg = f"y_limit={limit!r} is not the end of an axis; give a positive -log10 p."
        raise InputError(msg)
    return float(limit)


def _check(frame: pd.DataFrame, y: str) -> None:
    if y not in {"pval", "padj"}:
        msg = f"y={y!r} is not known; it is 'pval' or 'padj'."
        raise InputError(msg)
    test = frame["test"].iloc[0] if len(frame) else ""
    if frame["log2fc"].isna().all():
        msg = (
            f"test={test!r} has no log2fc: an omnibus test has no direction, and no volcano. "
            "Draw one of its contrasts, or dex.pl.heatmap."
        )
        raise InputError(msg)
    if frame["log10_pval"].isna().all():
        msg = (
            f"test={test!r} has no p-value for any gene{why_no_p(frame)}, so there is no volcano "
            "to draw."
        )
        raise InputError(msg)


def _crossing(y: Float, significant: Bool, adjusted: Bool) -> float | None:
    """Midway between the least significant gene that passes and the best that does not."""
    passed, failed = y[significant], y[adjusted & ~significant]
    if not len(passed) or not len(failed):
        return None
    last = float(passed.min())
    return (last + min(float(failed.max()), last)) / 2

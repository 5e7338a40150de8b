"""The points of an MA plot: mean expression and log2 fold change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.pl._points import Points, axis_end, given_ends, id_column, names_of, sides

if TYPE_CHECKING:
    import pandas as pd

Value = Literal["log2fc", "log2fc_shrunk"]

_SQUASHED, _SHOWN = 2.5, 6.0
_CORE = 99.8
"""Percentile of the sizes of fold changes that the axis shows in any case, with room around."""


def ma_points(
    frame: pd.DataFrame,
    *,
    padj: float,
    value: Value = "log2fc",
    y_limit: float | tuple[float, float] | None = None,
) -> Points:
    """Read the table of one test; genes without a mean or a fold change are not drawn.

    Raises
    ------
    InputError
        If the result has no such column, no fold changes or no positive means.
    """
    _check(frame, value)
    mean = frame["base_mean"].to_numpy(dtype=np.float64)
    drawn = (mean > 0) & frame[value].notna().to_numpy()
    if not drawn.any():
        msg = (
            f"test={frame['test'].iloc[0]!r} has no gene with a positive mean expression: the "
            "values tested have no linear scale (z-scores, or logs below zero), and there is no "
            "MA plot to draw; dex.pl.volcano has no such need."
        )
        raise InputError(msg)
    some, rest = frame[drawn], frame[~drawn]
    effect = some[value].to_numpy(dtype=np.float64)
    significant = (some["log10_padj"] <= np.log10(padj)).to_numpy()
    x = mean[drawn]
    return Points(
        names=some["gene"].to_numpy(dtype=object),
        ids=some[id_column(frame)].to_numpy(dtype=object),
        x=x,
        y=effect,
        side=sides(effect, significant),
        x_ends=(float(x.min()), float(x.max())),
        y_ends=_y_ends(effect, y_limit),
        threshold=None,
        not_drawn=names_of(rest),
        n_not_drawn=len(rest),
    )


def _y_ends(effect: np.ndarray, limit: float | tuple[float, float] | None) -> tuple[float, float]:
    if limit is not None:
        return given_ends(limit, "y_limit")
    finite = np.abs(effect[np.isfinite(effect)])
    if not len(finite):
        return -1.0, 1.0
    core = 1.5 * float(np.percentile(finite, _CORE))
    end = axis_end(np.abs(effect), _SQUASHED, shown=max(_SHOWN, core))
    return -end, end


def _check(frame: pd.DataFrame, value: str) -> None:
    have = [name for name in ("log2fc", "log2fc_shrunk") if name in frame]
    if value not in have:
        msg = f"value={value!r} is not in the result; it has {', '.join(map(repr, have))}."
        raise InputError(msg)
    if "base_mean" not in frame:
        msg = (
            "the result has no column 'base_mean' (very large results keep only a few columns), "
            "and no MA plot can be drawn; dex.pl.volcano has no such need."
        )
        raise InputError(msg)
    if frame[value].isna().all():
        test = frame["test"].iloc[0] if len(frame) else ""
        msg = (
            f"test={test!r} has no {value}: an omnibus test has no direction, and no MA plot. "
            "Draw one of its contrasts, or dex.pl.heatmap."
        )
        raise InputError(msg)

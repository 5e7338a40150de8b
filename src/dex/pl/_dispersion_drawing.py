"""The panel of dispersions: points, trend, axes, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from dex.pl._marks import write_marks
from dex.pl._points_text import width_of, write_notes
from dex.pl._theme import (
    DOWN,
    INK,
    LARGE,
    MEDIUM,
    NEUTRAL,
    UP,
    plain_axes,
    wrapped,
)
from dex.pl._ticks import power_of_ten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from dex.typing import Bool, Float

_MANY_POINTS = 2000
_FAR_BELOW = 1e-2
"""Of the lowest dispersion used: what is less is drawn at the edge."""
_ROOM, _ROOM_OF_LOGS = 1.08, 1.4
_SMALL_MARK, _LARGE_MARK = 1.5, 6.0
_ROOT_TICKS = (0, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class Spread:
    """What is drawn of the genes that have it; arrays ``(n_genes,)``."""

    x: Float
    own: Float | None
    """Of the gene by itself; None where the method has no such estimate."""
    used: Float
    trend: Float | None
    outlier: Bool
    """Genes that are left at their own."""
    n_not_drawn: int
    x_label: str
    y_label: str
    log_x: bool
    roots: bool
    """Whether the axis is of fourth roots, whose distribution is nearly symmetric; else of logs."""


def quasi_dispersions(frame: pd.DataFrame) -> Spread:
    """Quasi-dispersions, own and squeezed."""
    columns = ("quasi_dispersion", "quasi_dispersion_post", "quasi_dispersion_trend")
    return _spread(frame, columns, "quasi-dispersion", roots=True)


def dispersions(frame: pd.DataFrame) -> Spread:
    """Negative binomial dispersions."""
    columns = ("dispersion_gene", "dispersion", "dispersion_trend")
    return _spread(frame, columns, "dispersion (BCV²)", roots=False)


def _spread(
    frame: pd.DataFrame, columns: tuple[str, str, str], label: str, *, roots: bool
) -> Spread:
    log_x = "abundance" not in frame
    x = frame["base_mean" if log_x else "abundance"].to_numpy(dtype=np.float64)
    own, used, trend = (
        frame[name].to_numpy(dtype=np.float64) if name in frame else None for name in columns
    )
    assert used is not None
    outlier = np.zeros(len(x), dtype=bool)
    if "dispersion_outlier" in frame and not roots:
        outlier = frame["dispersion_outlier"].to_numpy(dtype=np.float64) == 1
    shown = np.isfinite(used) & np.isfinite(x) & ((x > 0) | (not log_x))
    return Spread(
        x[shown],
        None if own is None else own[shown],
        used[shown],
        None if trend is None else trend[shown],
        outlier[shown],
        int((~shown).sum()),
        "mean of normalised counts" if log_x else "average log₂ CPM",
        label,
        log_x,
        roots,
    )


def draw_spread(ax: Axes, spread: Spread, *, rasterized: bool | None) -> None:
    """Draw the genes' own dispersions, those used over them, and the trend over all."""
    raster = len(spread.x) > _MANY_POINTS if rasterized is None else rasterized
    low, high = _ends(spread)
    if spread.roots:
        ax.set_yscale("function", functions=(_fourth_root, _fourth_power))
        ax.yaxis.set_major_locator(FixedLocator([t for t in _ROOT_TICKS if t <= high]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        ax.set_yscale("log")
        _name_powers(ax.yaxis)
    if spread.log_x:
        ax.set_xscale("log")
        _name_powers(ax.xaxis)
    size = _SMALL_MARK if len(spread.x) > _MANY_POINTS else _LARGE_MARK
    style: dict[str, Any] = {"linewidths": 0, "rasterized": raster, "s": size}
    if spread.own is not None:
        kept = np.clip(spread.own, low, high)
        ax.scatter(spread.x, kept, color=NEUTRAL, zorder=1, label="own", **style)
    kept = np.clip(spread.used, low, high)
    ax.scatter(spread.x, kept, color=DOWN, zorder=2, label="used", **style)
    if spread.outlier.any():
        rings: dict[str, Any] = {
            "s": 14,
            "facecolors": "none",
            "linewidths": 0.5,
            "label": "outlier",
        }
        at = spread.outlier
        ax.scatter(spread.x[at], kept[at], edgecolors=UP, zorder=2.4, rasterized=raster, **rings)
    if spread.trend is not None:
        order = np.argsort(spread.x, kind="stable")
        effects = [Stroke(linewidth=2.4, foreground="white"), Normal()]
        line: dict[str, Any] = {"color": INK, "linewidth": 1.2, "label": "trend", "zorder": 3}
        ax.plot(spread.x[order], spread.trend[order], path_effects=effects, **line)
    ax.set_ylim(low / _ROOM if low > 0 else 0, high * (_ROOM if spread.roots else _ROOM_OF_LOGS))


def _name_powers(axis: Axis) -> None:
    axis.set_major_formatter(FuncFormatter(power_of_ten))
    axis.set_minor_formatter(NullFormatter())


def _ends(spread: Spread) -> tuple[float, float]:
    """Where the axis ends: around what is used and the trend, and most of the genes' own."""
    inner = spread.used if spread.trend is None else np.concatenate([spread.used, spread.trend])
    everything = inner if spread.own is None else np.concatenate([inner, spread.own])
    everything = everything[np.isfinite(everything)]
    high = float(everything.max(initial=0.0))
    if spread.roots:
        return 0.0, high if high > 0 else 1.0
    positive = inner[inner > 0]
    if not len(positive):
        return 1e-3, 1.0
    floor = _FAR_BELOW * float(np.quantile(positive, 0.01))
    return max(float(everything[everything > 0].min()), floor), max(high, 2 * floor)


def _below(spread: Spread) -> int:
    return 0 if spread.own is None else int((spread.own < _ends(spread)[0]).sum())


def _fourth_root(values: Float) -> Float:
    return np.sqrt(np.sqrt(np.maximum(values, 0.0)))


def _fourth_power(values: Float) -> Float:
    return np.asarray(values) ** 4


def prior_words(frame: pd.DataFrame, shared: Mapping[str, Any], kind: str) -> list[str]:
    """What all genes share, in words."""
    words = []
    if kind == "quasi":
        bcv = np.sqrt(float(shared.get("dispersion", np.nan)))
        if np.isfinite(bcv):
            words.append(f"BCV of the model that all genes share: {100 * bcv:.3g} %")
    elif "common_dispersion" in shared:
        words.append(f"common BCV: {100 * np.sqrt(float(shared['common_dispersion'])):.3g} %")
    if "df_prior" in frame:
        df = float(np.nanmedian(frame["df_prior"]))
        own = float(np.nanmedian(frame["df_residual"])) if "df_residual" in frame else np.nan
        of = f", of a gene by itself {own:.3g}" if np.isfinite(own) else ""
        words.append(f"degrees of freedom of the trend: {df:.3g}{of} (medians)")
    return words


def write_spread(ax: Axes, spread: Spread, words: Sequence[str], *, title: str) -> None:
    """Write axis labels, what the marks are, and what is not drawn."""
    plain_axes(ax)
    ax.set_title(wrapped(title, width_of(ax), LARGE), fontsize=LARGE, color=INK, pad=4)
    ax.set_xlabel(spread.x_label, labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel(spread.y_label, labelpad=3, fontsize=MEDIUM)
    marks = [("●", NEUTRAL, "own")] if spread.own is not None else []
    marks.append(("●", DOWN, "as used" if spread.own is None else "squeezed, as used"))
    if spread.trend is not None:
        marks.append(("—", INK, "trend"))
    if spread.outlier.any():
        marks.append(("○", UP, f"outlier ({int(spread.outlier.sum()):,})"))
    write_marks(ax, marks)
    notes = list(words)
    if not spread.roots and (n := _below(spread)):
        notes.append(f"{n:,} genes have a lower one of their own: at the edge")
    if spread.n_not_drawn:
        notes.append(f"{spread.n_not_drawn:,} genes without a dispersion not drawn")
    write_notes(ax, notes, line=1)

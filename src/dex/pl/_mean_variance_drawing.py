"""The panel of means and variances: points, curve, axes, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import Normal, Stroke

from dex.pl._marks import write_marks
from dex.pl._points_text import width_of, write_notes
from dex.pl._theme import DOWN, INK, LARGE, MEDIUM, NEUTRAL, UP, plain_axes, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from dex.typing import Bool, Float

_MANY_POINTS = 2000
_SMALL_MARK, _LARGE_MARK = 1.5, 6.0
_OUTLYING = 0.9
"""Prior df below this part of the most are of genes squeezed less."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points of the genes that have them, and a curve through them."""

    x: Float
    y: Float
    outlier: Bool
    curve_x: Float
    curve_y: Float
    x_label: str
    curve_label: str
    n_not_drawn: int
    notes: tuple[str, ...]


def voom_cloud(frame: pd.DataFrame, shared: Mapping[str, Any]) -> Cloud:
    """Log counts before they are weighted, and voom's trend."""
    x = frame["mean_log2"].to_numpy(dtype=np.float64) + float(shared.get("log2_depth", 0.0))
    y = frame["voom_root_sd"].to_numpy(dtype=np.float64)
    shown = np.isfinite(x) & np.isfinite(y)
    curve_x, curve_y = (
        np.asarray(shared.get(f"voom_{axis}", ()), dtype=np.float64) for axis in "xy"
    )
    return Cloud(
        x[shown],
        y[shown],
        np.zeros(int(shown.sum()), dtype=bool),
        curve_x,
        curve_y,
        "average log₂ count",
        "trend",
        int((~shown).sum()),
        (),
    )


def moderated_cloud(frame: pd.DataFrame) -> Cloud:
    """Residual variances, and the prior that they are squeezed to."""
    x, var, prior, df = (
        frame[name].to_numpy(dtype=np.float64)
        for name in ("mean_log2", "var", "var_prior", "df_prior")
    )
    shown = np.isfinite(x) & np.isfinite(var)
    order = np.argsort(x[shown], kind="stable")
    most = np.max(df[shown], initial=0.0)
    outlier = (df < _OUTLYING * most) if np.isfinite(most) else np.isfinite(df)
    words = "infinitely many" if np.isinf(most) else f"{most:.3g}"
    own = np.nanmedian(frame["df_residual"]) if shown.any() else np.nan
    return Cloud(
        x[shown],
        var[shown] ** 0.25,
        outlier[shown],
        x[shown][order],
        prior[shown][order] ** 0.25,
        "average log₂ expression",
        "prior",
        int((~shown).sum()),
        (f"prior degrees of freedom: {words}, of a gene by itself {own:.3g} (median)",),
    )


def draw_cloud(ax: Axes, cloud: Cloud, *, rasterized: bool | None) -> None:
    """Draw the genes, the outliers ringed, and the curve over them."""
    many = len(cloud.x) > _MANY_POINTS
    raster = many if rasterized is None else rasterized
    size = _SMALL_MARK if many else _LARGE_MARK
    style: dict[str, Any] = {"linewidths": 0, "rasterized": raster, "s": size, "label": "genes"}
    ax.scatter(cloud.x, cloud.y, color=NEUTRAL, zorder=1, **style)
    if cloud.outlier.any():
        rings: dict[str, Any] = {"s": 14, "facecolors": "none", "linewidths": 0.5}
        at = cloud.outlier
        ax.scatter(cloud.x[at], cloud.y[at], edgecolors=UP, zorder=2, label="outlier", **rings)
    effects = [Stroke(linewidth=2.4, foreground="white"), Normal()]
    line: dict[str, Any] = {"color": DOWN, "linewidth": 1.4, "zorder": 3}
    ax.plot(cloud.curve_x, cloud.curve_y, path_effects=effects, label=cloud.curve_label, **line)
    ax.set_ylim(bottom=0)


def write_cloud(ax: Axes, cloud: Cloud, *, title: str) -> None:
    """Write axis labels, what the marks are, and what is not drawn."""
    plain_axes(ax)
    ax.set_title(wrapped(title, width_of(ax), LARGE), fontsize=LARGE, color=INK, pad=4)
    ax.set_xlabel(cloud.x_label, labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel("√ standard deviation (log₂)", labelpad=3, fontsize=MEDIUM)
    marks = [("●", NEUTRAL, "genes"), ("—", DOWN, cloud.curve_label)]
    if cloud.outlier.any():
        marks.append(("○", UP, f"outlier ({int(cloud.outlier.sum()):,})"))
    write_marks(ax, marks)
    notes = list(cloud.notes)
    if cloud.n_not_drawn:
        notes.append(f"{cloud.n_not_drawn:,} genes without a variance not drawn")
    write_notes(ax, notes, line=1)

"""One page: false discoveries and power of simulated samples, rates of null data, and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = {  # Okabe & Ito's
    "edger": "#000000",
    "edger_lrt": "#56B4E9",
    "deseq2": "#D55E00",
    "limma": "#009E73",
    "limma_voom": "#CC79A7",
    "t-test": "#E69F00",
    "wilcoxon": "#0072B2",
}
MARKERS = dict(zip(COLOURS, "osD^v<>", strict=True))
TITLES = {
    "clean": "clean",
    "outliers": "outliers in 5% of genes",
    "composition": "a few genes fill libraries",
    "depth": "one side at 1/4 depth",
    "batch": "two batches",
}
_TOP = 0.25


def draw(table: pd.DataFrame) -> Figure:
    """Draw what the table has; parts that were not run stay empty."""
    style = {"font.size": 7, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):
        figure = Figure(figsize=(7.2, 7.0), layout="constrained")
        rows = figure.subfigures(3, height_ratios=(1, 1, 1.35))
        simulated = table[(table["part"] == "V1") & (table["by"] == "dex")]
        _simulated(rows[0], simulated, "fdp_0.05", "false among the found", (0, _TOP))
        _simulated(rows[1], simulated, "power_0.05", "share found", (0, 1))
        left, middle, right = rows[2].subfigures(1, 3, width_ratios=(1, 1.5, 1.5))
        _null(left.subplots(), table[(table["part"] == "V2") & (table["by"] == "dex")])
        _real(middle.subplots(), table[table["part"].isin(["V3", "V4"]) & (table["by"] == "dex")])
        _cells(right.subplots(), table[(table["part"] == "V5") & (table["by"] == "dex")])
        figure.legend(
            handles=[_handle(name) for name in COLOURS],
            loc="outside lower center",
            ncols=len(COLOURS),
            frameon=False,
        )
    return figure


def _handle(name: str) -> mpl.lines.Line2D:
    label = f"{name} (default)" if name == "edger" else name
    return mpl.lines.Line2D([], [], color=COLOURS[name], marker=MARKERS[name], ms=3, label=label)


def _simulated(
    rows: mpl.figure.SubFigure,
    table: pd.DataFrame,
    column: str,
    label: str,
    limits: tuple[float, float],
) -> None:
    for ax, (name, title) in zip(
        rows.subplots(1, len(TITLES), sharey=True), TITLES.items(), strict=True
    ):
        _lines(ax, table[table["scenario"] == name], column, most=limits[1])
        ax.set_ylim(*limits)
        if column.startswith("fdp"):
            ax.axhline(0.05, color="0.6", lw=0.8, ls="--", zorder=0)
            ax.set_title(title, fontsize=7)
        else:
            ax.set_xlabel("samples per group")
        if name == "clean":
            ax.set_ylabel(label + "\n(at padj < 0.05)")


def _lines(ax: Axes, table: pd.DataFrame, column: str, *, most: float) -> None:
    """A line per method along the number of samples; what is off the top lies on it, hollow."""
    for name in reversed(COLOURS):
        some = table[table["method"] == name].sort_values("n")
        if some.empty:
            continue
        values, se = some[column].to_numpy(), some[f"{column}_se"].to_numpy()
        shown = np.minimum(values, most)
        ax.errorbar(some["n"], shown, np.where(values > most, 0, se), color=COLOURS[name], lw=0.9)
        for x, y, off in zip(some["n"], shown, values > most, strict=True):
            face = "white" if off else COLOURS[name]
            ax.plot(x, y, MARKERS[name], ms=3, mec=COLOURS[name], mfc=face, clip_on=False)
    ax.set_xscale("log")
    ax.set_xticks([3, 6, 12, 24], ["3", "6", "12", "24"])
    ax.set_xticks([], minor=True)


def _null(ax: Axes, table: pd.DataFrame) -> None:
    _lines(ax, table, "p_0.05", most=0.1)
    ax.axhline(0.05, color="0.6", lw=0.8, ls="--", zorder=0)
    ax.set(ylim=(0, 0.1), xlabel="samples per group", ylabel="share of p < 0.05")
    ax.set_title("simulated, nothing changed", fontsize=7)


def _real(ax: Axes, table: pd.DataFrame) -> None:
    """Rates at p < 0.001 of real data without a change, on a log scale."""
    cases = list(dict.fromkeys(zip(table["part"], table["scenario"], table["n"], strict=True)))
    words = {"as it is": "permuted", "winsorised": "permuted,\nwinsorised"}
    for at, (part, scenario, n) in enumerate(cases):
        case = (table["part"] == part) & (table["scenario"] == scenario) & (table["n"] == n)
        for k, name in enumerate(COLOURS):
            some = table[case & (table["method"] == name)]
            if len(some):
                y = max(float(some["p_0.001"].iloc[0]), 1e-5)
                ax.plot(at + (k - 3) * 0.09, y, MARKERS[name], color=COLOURS[name], ms=3)
    ax.axhline(1e-3, color="0.6", lw=0.8, ls="--", zorder=0)
    ax.set_yscale("log")
    ax.set_ylim(1e-5, 0.1)
    labels = [f"{words.get(scenario, scenario)}, {n}" for _, scenario, n in cases]
    ax.set_xticks(range(len(cases)), labels, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_ylabel("share of p < 0.001")
    ax.set_title("real samples, split at random", fontsize=7)


def _cells(ax: Axes, table: pd.DataFrame) -> None:
    """Shares of false among the found by method, a ring per number of donors."""
    table = table[table["scenario"].isin(["cells", "repeats"])]
    if table.empty:
        return
    names = list(dict.fromkeys(table["method"]))[::-1]
    sizes = sorted(table["n"].unique())
    for row, name in enumerate(names):
        ax.axhline(row, color="0.93", lw=0.8, zorder=0)
        some = table[table["method"] == name].set_index("n")["fdp_0.05"]
        colour = "#D55E00" if name.startswith(("cells", "samples")) else "#000000"
        for size, n in zip((3, 4.5, 6), sizes, strict=False):
            if n in some:
                ax.plot(some[n], row, "o", ms=size, mfc="none", mec=colour)
    ax.axvline(0.05, color="0.6", lw=0.8, ls="--", zorder=0)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlim(0, 1)
    ax.set_xlabel("false among the found")
    ax.set_title("cells or samples of donors", fontsize=7)

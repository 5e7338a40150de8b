"""What the colours and dots of tiles mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from dex.pl._theme import FAINT, INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from dex.pl._page import Page

LEGEND_MM = 13.0
_BAR_WIDTH, _BAR_HEIGHT, _LINE, _AIR = 2.4, 20.0, 3.2, 1.2


def draw_legend(
    page: Page,
    cmap: Colormap,
    end: float,
    *,
    left: float,
    top: float,
    clipped: bool,
    dots: Sequence[tuple[str, float]],
    missing: str | None,
) -> None:
    """Draw the scale of colours, the dots by their diameter in points, and the missing tile."""
    height = min(_BAR_HEIGHT, max(page.height - top - _LINE * (len(dots) + 5), 6.0))
    _draw_bar(page, cmap, end, left=left, top=top, height=height, clipped=clipped)
    rows = len(dots) + 1 + (2 if missing else 0)
    key = page.axes(left, top + _LINE + _AIR + height + _LINE, LEGEND_MM, rows * _LINE)
    key.set(xlim=(0, LEGEND_MM), ylim=(rows * _LINE, 0), label="legend of the dots")
    _write(key, 0, 0.5, "padj")
    for i, (words, diameter) in enumerate(dots, start=1):
        key.scatter([_BAR_WIDTH / 2], [(i + 0.5) * _LINE], s=diameter**2, c=INK, linewidths=0)
        _write(key, _BAR_WIDTH + 1, i + 0.5, words)
    if missing:
        y = (rows - 0.5) * _LINE
        key.add_patch(Rectangle((0, y - 1.2), 2.4, 2.4, fc=missing, ec="none"))
        key.plot([0.2, 2.2], [y + 1, y - 1], color=FAINT, linewidth=0.4)
        _write(key, _BAR_WIDTH + 1, rows - 0.5, "no value")


def _draw_bar(
    page: Page, cmap: Colormap, end: float, *, left: float, top: float, height: float, clipped: bool
) -> None:
    heading = page.axes(left, top, LEGEND_MM, _LINE)
    heading.set(xlim=(0, LEGEND_MM), ylim=(_LINE, 0), label="heading of the colours")
    _write(heading, 0, 0.3, "log₂ FC")
    bar = page.axes(left, top + _LINE + _AIR, _BAR_WIDTH, height)
    ramp = np.linspace(-end, end, 128)[:, None]
    bar.imshow(
        ramp,
        cmap=cmap,
        extent=(0, 1, -end, end),
        aspect="auto",
        origin="lower",
    )
    low, high = ("≤ -", "≥ ") if clipped else ("-", "")
    words = [f"{low}{end:g}", "0", f"{high}{end:g}"]
    bar.set_yticks([-end, 0, end], [word.replace("-", "\N{MINUS SIGN}") for word in words])
    bar.yaxis.tick_right()
    bar.tick_params(axis="y", length=2, width=0.5, pad=1.5, labelsize=SMALL)
    bar.set_label("colours")


def _write(ax: Axes, x: float, line: float, text: str) -> None:
    ax.text(x, line * _LINE, text, va="center_baseline", fontsize=SMALL)

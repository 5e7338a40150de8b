"""Pages of gene sets: their making, bars of colour, circles of size, delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize

from dex.pl._page import Page
from dex.pl._save import finish, new_figure
from dex.pl._theme import DOWN, FAINT, INK, LARGE, SMALL, UP, millimetres, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE = 2.0
TITLE_MM = 5.0
BAR_MM = 2.2
DIVERGING = LinearSegmentedColormap.from_list("dex_sets", [DOWN, "#f4f4f4", UP])
"""From down to up, as in the other pictures."""
STRENGTH = LinearSegmentedColormap.from_list("dex_strength", ["#d9d9d9", "#6b4c9a", "#2d004b"])


def open_page(
    width: float, height: float, *, figsize: tuple[float, float] | None, ax: Axes | None, own: bool
) -> Page:
    """Return a page of so many mm, or of ``figsize`` inches, or the place of ``ax``."""
    if ax is not None:
        return Page.inside(ax)
    if figsize is not None:
        width, height = millimetres(figsize[0]), millimetres(figsize[1])
    return Page(new_figure(width, height, own=own), width, height)


def deliver_page(
    page: Page, drawn: Axes, *, path: Path | None, show: bool | None, return_fig: bool
) -> Axes | Figure:
    """Save and show as asked; the figure with ``return_fig``, else the axes ``drawn``."""
    figure = page.figure.figure
    finish(figure, path, show=bool(show) and page.host is None and not return_fig)
    return figure if return_fig else drawn


def write_title(page: Page, left: float, width: float, title: str, note: str = "") -> None:
    """Title over the middle of what is drawn, and a note at the lower edge."""
    if title:
        text = wrapped(title, width, LARGE)
        style: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": LARGE, "color": INK}
        page.text(left + width / 2, 1.0, text, linespacing=1, **style)
    if note:
        page.text(EDGE, page.height - 0.8, note, fontsize=SMALL, color=FAINT, va="bottom")


def draw_colour_bar(
    page: Page,
    place: tuple[float, float, float],
    limits: tuple[float, float],
    cmap: Any,
    words: str,
    *,
    beyond: bool = False,
) -> None:
    """Draw a bar of colour, upright; ``place`` is its left, top and height in mm.

    ``beyond`` says that there are values beyond the limits.
    """
    left, top, height = place
    ax = page.axes(left, top, BAR_MM, height)
    ax.set_label("bar of colours")
    extend = ("max" if limits[0] == 0 else "both") if beyond else "neither"
    bar = page.figure.colorbar(ScalarMappable(Normalize(*limits), cmap), cax=ax, extend=extend)
    bar.outline.set_linewidth(0.4)
    ax.tick_params(length=2, width=0.4, pad=1.5, labelsize=SMALL)
    bar.locator = _few_ticks(limits)
    bar.update_ticks()
    page.text(left, top - 0.8, words, fontsize=SMALL, va="bottom", linespacing=1)


def _few_ticks(limits: tuple[float, float]) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4, steps=[1, 2, 5, 10], symmetric=limits[0] == -limits[1])


def draw_size_key(
    page: Page, left: float, top: float, sizes: Sequence[tuple[str, float]], words: str
) -> None:
    """Draw circles of areas in square points, what each means, and of what."""
    page.text(left, top, words, fontsize=SMALL, va="bottom", linespacing=1)
    step = 4.0
    ax = page.axes(left, top + 0.6, 14.0, step * len(sizes))
    ax.set(xlim=(0, 14), ylim=(step * len(sizes), 0), label="key of sizes")
    for i, (text, area) in enumerate(sizes):
        y = step * (i + 0.5)
        ax.scatter([1.6], [y], s=area, color=FAINT, linewidths=0, clip_on=False)
        ax.text(4.2, y, text, fontsize=SMALL, va="center_baseline")


def round_steps(low: float, high: float, n: int = 3) -> list[float]:
    """Up to ``n`` round numbers from low to high, for a key.

    >>> round_steps(12, 180)
    [50.0, 100.0, 150.0]
    """
    from matplotlib.ticker import MaxNLocator

    if not high > low:
        return [low]
    ticks = MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = [float(tick) for tick in ticks if max(low, 1e-12) <= tick <= high]
    return inside[-n:] or [float(np.round(high, 2))]

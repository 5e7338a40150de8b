"""The page of a comparison, and words that must fit into a width."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dex.pl._page import Page
from dex.pl._save import new_figure
from dex.pl._theme import (
    INK,
    LARGE,
    broken,
    line_height,
    millimetres,
    shortened,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

EDGE = 1.5
"""Between everything and the edge of the page, in mm."""
_LONG_LABEL = 27.0
_MOST_LINES = 3


def open_page(
    size: tuple[float, float],
    *,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> Page:
    """Take the place of ``ax``, or a new figure of ``figsize`` inches, by default ``size`` mm."""
    if ax is not None:
        return Page.inside(ax)
    width, height = size if figsize is None else (millimetres(side) for side in figsize)
    return Page(new_figure(width, height, own=own), width, height)


def title_lines(title: str, width: float) -> str:
    """Break a title into lines as long as the page is wide."""
    return wrapped(title, width - 2 * EDGE, LARGE) if title else ""


def title_height(lines: str) -> float:
    """Height in mm, with the space below."""
    return line_height(LARGE) * (lines.count("\n") + 1) + 1.0 if lines else 0.0


def write_title(page: Page, lines: str) -> None:
    """Write it at the top, in the middle."""
    if lines:
        page.text(page.width / 2, EDGE, lines, ha="center", va="top", fontsize=LARGE, color=INK)


def short(number: float) -> str:
    """Write a number as people do.

    >>> short(1e-06), short(0.05)
    ('1e-6', '0.05')
    """
    return re.sub(r"e([+-])0+", r"e\1", f"{number:.3g}")


@dataclass(frozen=True, slots=True)
class Names:
    """Names under columns: in lines across, or turned by 90 degrees where these do not fit."""

    texts: tuple[str, ...]
    turned: bool
    height: float
    """In mm."""

    @classmethod
    def under(cls, labels: Sequence[str], width: float) -> Names:
        """Fit ``labels`` under columns of ``width`` mm."""
        across = tuple(broken(label, width - 0.8) for label in labels)
        if all(_fits(text, width - 0.8) for text in across):
            return cls(across, turned=False, height=line_height() * _most_lines(across))
        upright = tuple(_upright(label, width) for label in labels)
        longest = max(text_width(line) for text in upright for line in text.split("\n"))
        return cls(upright, turned=True, height=longest)


def _upright(label: str, width: float) -> str:
    """Break what is long into as many lines as the column is wide."""
    broken = wrapped(label, _LONG_LABEL)
    n_lines = broken.count("\n") + 1
    return broken if 1 < n_lines <= int(width / line_height()) else shortened(label)


def _fits(text: str, width: float) -> bool:
    lines = text.split("\n")
    return len(lines) <= _MOST_LINES and max(map(text_width, lines)) <= width


def _most_lines(texts: Sequence[str]) -> int:
    return max(text.count("\n") for text in texts) + 1

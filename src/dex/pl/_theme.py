"""How the pictures look: type, sizes, colours; matplotlib's own settings stay as they are."""

from __future__ import annotations

import re
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

SMALL: Final = 6.0
"""Size of tick labels, gene names and notes, in points."""
MEDIUM: Final = 7.0
LARGE: Final = 8.0

UP: Final = "#a50f26"
"""Dark red; darker than DOWN, so that a grey print keeps the two apart."""
DOWN: Final = "#3f8fc6"
NEUTRAL: Final = "#c4c4c4"
INK: Final = "#222222"
FAINT: Final = "#6b6b6b"

COLUMN_MM: Final = 85.0
"""Width of one column of a journal page."""
PAGE_MM: Final = 180.0

_LONGEST = 36
"""Characters of a label."""
_MM_PER_INCH = 25.4
_MM_PER_POINT = _MM_PER_INCH / 72
_RC: dict[Any, Any] = {
    "axes.labelsize": MEDIUM,
    "axes.linewidth": 0.6,
    "axes.titlesize": LARGE,
    "figure.max_open_warning": 0,
    "font.size": MEDIUM,
    "pdf.fonttype": 42,  # text that an editor of figures can change
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a name may hold dollars; what is ours has its signs in Unicode
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
}


@contextmanager
def theme() -> Iterator[None]:
    """Within it, figures are made and saved in this look."""
    interactive = False
    try:
        with mpl.rc_context(_RC):
            try:
                yield
            finally:
                interactive = mpl.is_interactive()
    finally:
        # A notebook's backend, which the first figure loads, turns this on; it shall stay on.
        mpl.interactive(interactive)


def inches(mm: float) -> float:
    """Length in inches, as matplotlib takes it."""
    return mm / _MM_PER_INCH


def millimetres(inch: float) -> float:
    """Length in millimetres."""
    return inch * _MM_PER_INCH


def text_width(text: str, size: float = SMALL) -> float:
    """Width of one line of text in millimetres, in the font in use."""
    font = FontProperties(size=size)
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]) * (
        _MM_PER_POINT
    )


def line_height(size: float = SMALL) -> float:
    """Distance in millimetres from line to line that keeps text readable."""
    return 1.15 * size * _MM_PER_POINT


def wrapped(text: str, width: float, size: float = SMALL) -> str:
    """Break ``text`` into lines of at most about ``width`` mm, between words where that can be."""
    return "\n".join(_wrapped_line(line, width, size) for line in text.split("\n"))


def _wrapped_line(line: str, width: float, size: float) -> str:
    natural = text_width(line, size)
    if natural <= width:
        return line
    return textwrap.fill(line, max(int(width / natural * len(line)), 8), break_on_hyphens=False)


def broken(text: str, width: float, size: float = SMALL) -> str:
    r"""Break ``text`` at spaces, then after slashes; what is longer than ``width`` mm stays whole.

    >>> broken("CD4/CD8 CD25- cells", 12.0)
    'CD4/CD8\nCD25- cells'
    """
    lines = [""]
    for word in text.split():
        parts = [word] if text_width(word, size) <= width else re.findall(r"[^/]*/|[^/]+", word)
        for i, part in enumerate(parts):
            joined = lines[-1] + (" " if i == 0 else "") + part if lines[-1] else part
            if lines[-1] and text_width(joined, size) > width:
                lines.append(part)
            else:
                lines[-1] = joined
    return "\n".join(lines)


def shortened(text: str) -> str:
    """Cut what is longer than a label may be."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def plain_axes(ax: Axes) -> None:
    """Left and bottom spine only, small outward ticks; dollars in names are no formulas.

    Axes that the user has made have texts of the user's settings.
    """
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(length=2.5, width=0.6, pad=2, labelsize=SMALL)
    ticks = [tick for axis in (ax.xaxis, ax.yaxis) for tick in axis.get_major_ticks()]
    labels = [text for tick in ticks for text in (tick.label1, tick.label2)]
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *labels):
        text.set_parse_math(False)

"""Names beside points, without overlap."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._theme import FAINT, INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    from dex.typing import Float

_CELL_POINTS = 1.5
"""Points nearer to each other than this are one obstacle."""
_NEAR_POINTS, _FAR_POINTS = 4.0, 60.0
"""Least and greatest distance between a point and its name."""
_STYLE: dict[str, Any] = {
    "textsize": SMALL,
    "textcolor": INK,
    "linecolor": FAINT,
    "linewidth": 0.4,
    "margin": 0.004,
    "nbr_candidates": 400,
    "avoid_label_lines_overlap": True,
    "avoid_crossing_label_lines": True,
    "va": "bottom",
    "zorder": 5,
    "plot_kwargs": {"zorder": 4, "solid_capstyle": "round"},
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.2},
}


def place_labels(
    ax: Axes, anchors: Float, texts: Sequence[str], *, points: Float, radius: float, always: bool
) -> list[Text]:
    """Write ``texts`` near ``anchors``, with a thin line where they had to move away.

    The layout of the figure and the limits of the axes must be final. Earlier names go first; a
    name for which there is no room between the points and the other texts of the axes is left out,
    or put over points if ``always``.

    Parameters
    ----------
    ax
        Axes to write in.
    anchors
        Where the named points are, ``(n_texts, 2)``.
    texts
        The names.
    points
        All points, ``(n_points, 2)``.
    radius
        Of the points' markers, in typographical points.
    always
        Whether every text is to be written.

    Returns
    -------
    list of matplotlib.text.Text
        The texts written.
    """
    if not texts:
        return []
    import textalloc

    point = ax.figure.dpi / 72
    clear = _thinned(ax, points)
    taken = np.vstack([np.empty((0, 2)), *(_inside(ax, box) for box in _text_boxes(ax))])
    style = _STYLE | ({"fontweight": "bold"} if always else {})
    with redirect_stdout(StringIO()):  # textalloc prints where it finds no room
        written: list[Text | None] = textalloc.allocate(  # type: ignore[assignment]
            ax,
            anchors[:, 0],
            anchors[:, 1],
            list(texts),
            x_scatter=np.r_[clear[:, 0], taken[:, 0]],
            y_scatter=np.r_[clear[:, 1], taken[:, 1]],
            scatter_sizes=np.r_[np.full(len(clear), radius * point), np.zeros(len(taken))],
            xlims=_shrunk(ax.get_xlim()),
            min_distance=_NEAR_POINTS * point / ax.bbox.width,
            max_distance=_FAR_POINTS * point / ax.bbox.width,
            draw_all=always,
            **style,
        )[2]
    return [text for text in written if text is not None]


def _thinned(ax: Axes, points: Float) -> Float:
    """One point for each small cell of the page that has any: all that keeping clear needs."""
    cell = _CELL_POINTS * ax.figure.dpi / 72
    cells = np.unique(np.round(ax.transData.transform(points) / cell), axis=0)
    return np.asarray(ax.transData.inverted().transform(cells * cell), dtype=np.float64)


def _text_boxes(ax: Axes) -> list[Bbox]:
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    return [box for box in boxes if box.overlaps(ax.bbox)]


def _inside(ax: Axes, box: Bbox) -> Float:
    """Points that fill ``box``, in data coordinates."""
    step = _CELL_POINTS * ax.figure.dpi / 72
    x = np.arange(box.x0, box.x1 + step, step)
    y = np.arange(box.y0, box.y1 + step, step)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return np.asarray(ax.transData.inverted().transform(grid), dtype=np.float64)


def _shrunk(limits: tuple[float, float]) -> tuple[float, float]:
    """Limits a little inside the axes, so that no name touches the spine."""
    inset = 0.012 * (limits[1] - limits[0])
    return limits[0] + inset, limits[1] - inset

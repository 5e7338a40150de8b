"""A map of the observations on its axes: points, names, arrows of genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from dex.pl._labels import place_group_names, place_labels
from dex.pl._ordination_groups import places_of_groups
from dex.pl._ordination_key import MARKERS, Key
from dex.pl._panels import deliver, final_layout, make_panels, one_by_one
from dex.pl._strips import Levels, Numbers
from dex.pl._theme import (
    COLUMN_MM,
    FAINT,
    INK,
    LARGE,
    MEDIUM,
    NEUTRAL,
    PAGE_MM,
    SMALL,
    line_height,
    millimetres,
    plain_axes,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from dex.pl._ordination_map import Map
    from dex.pl._strips import Strip
    from dex.typing import Bool, Float

_MANY_POINTS = 2000
_EDGED_POINTS = 400
"""Up to so many points have an outline."""
_ARROW = 0.8
"""Part of the way to the nearest edge of the axes that the longest arrow goes."""
_FLATTEST, _TALLEST = 0.62, 1.15
"""Height over width of the panels; between them both axes have the same scale."""
_LEFT_MM, _BELOW_MM = 11.5, 9.0
"""What the labels of the axes take."""
_SEED = 0


def draw_maps(
    maps: Sequence[Map],
    *,
    title: str | None,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    show: bool | None,
    return_fig: bool,
    path: Path | None,
) -> Axes | list[Axes] | Figure:
    """Draw a panel for each map, and hand over the figure as asked.

    Call it within :func:`dex.pl._theme.theme`.
    """
    ratio = float(np.clip(np.median([_ratio(shown.xy) for shown in maps]), _FLATTEST, _TALLEST))
    width = (COLUMN_MM, 1.4 * COLUMN_MM, PAGE_MM)[min(len(maps), 3) - 1]
    if figsize is not None:
        width = millimetres(figsize[0])
    keys = _keys(maps, width)
    height = _row_height(maps, keys, ratio, width) + (line_height(LARGE) + 2 if title else 0)
    axes = make_panels(len(maps), figsize=figsize, ax=ax, own=return_fig, height=height)
    figure: Figure = axes[0].figure.figure  # the root, also of a subfigure
    for panel, shown, key in zip(axes, maps, keys, strict=True):
        _draw_map(panel, shown)
        if key is not None:
            key.draw(panel)
        if title:
            panel.set_title(title, fontsize=LARGE, color=INK)
        if figsize is None and ax is None:
            panel.set_box_aspect(ratio)
    figure.draw_without_rendering()
    for panel in axes:
        _fit_labels(panel)
    with final_layout(figure):
        for panel, shown in zip(one_by_one(axes), maps, strict=True):
            _write_names(panel, shown)
    return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)


def _ratio(xy: Float) -> float:
    x, y = np.ptp(xy, axis=0)
    return float(y / x) if x > 0 else 1.0


def _keys(maps: Sequence[Map], figure_mm: float) -> list[Key | None]:
    """One for each panel; for the last of the first row alone, if it serves all."""
    n_columns = min(len(maps), 3)
    keys = [Key(shown.keyed_colour, shown.shape, figure_mm / n_columns) for shown in maps]
    if len({None if shown.colour is None else shown.colour.name for shown in maps}) > 1:
        return list(keys)
    return [keys[0] if i == n_columns - 1 else None for i in range(len(maps))]


def _row_height(maps: Sequence[Map], keys: list[Key | None], ratio: float, width: float) -> float:
    """Height in mm, so that panels of that ``ratio`` leave no empty space."""
    n_columns = min(len(maps), 3)
    beside = [0.0 if key is None else key.beside_mm for key in keys[:n_columns]]
    below = max(0.0 if key is None else key.below_mm for key in keys)
    return ((width - sum(beside)) / n_columns - _LEFT_MM) * ratio + _BELOW_MM + below


def _draw_map(ax: Axes, shown: Map) -> None:
    """Draw the points and the axes."""
    plain_axes(ax)
    _draw_points(ax, shown)
    margin = 0.1 if shown.names else 0.05
    ends = np.array([shown.xy.min(axis=0), shown.xy.max(axis=0)])
    pad = margin * np.ptp(ends, axis=0)
    pad[pad == 0] = 1.0
    ends += np.array([-pad, pad])
    ax.set(xlim=tuple(ends[:, 0]), ylim=tuple(ends[:, 1]))
    ax.set_xlabel(shown.axis_labels[0], labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel(shown.axis_labels[1], labelpad=2, fontsize=MEDIUM)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _draw_points(ax: Axes, shown: Map) -> None:
    """In random order, so that no group covers another; what has no colour is below."""
    n = len(shown.xy)
    order = np.random.default_rng(_SEED).permutation(n)
    rgb, known = _rgb(shown.colour, n)
    style: dict[str, Any] = {"s": shown.area, "rasterized": n > _MANY_POINTS}
    style |= {"edgecolors": INK, "linewidths": 0.3} if n <= _EDGED_POINTS else {"linewidths": 0}
    codes = np.zeros(n, dtype=np.intp) if shown.shape is None else shown.shape.codes
    for code in np.unique(codes):
        marker = MARKERS[code] if code >= 0 else "."
        for coloured in (False, True):
            here = order[(codes[order] == code) & (known[order] == coloured)]
            if len(here):
                points = ax.scatter(
                    shown.xy[here, 0],
                    shown.xy[here, 1],
                    c=rgb[here],
                    marker=marker,
                    zorder=2 + coloured,
                    **style,
                )
                points.set_label("points" if coloured else "points without a value")


def _rgb(colour: Strip | None, n: int) -> tuple[Float, Bool]:
    """Colours ``(n, 3)``, and whose value is known."""
    if colour is None:
        return np.tile(to_rgb(FAINT), (n, 1)), np.ones(n, dtype=bool)
    known = np.isfinite(colour.values) if isinstance(colour, Numbers) else colour.codes >= 0
    return np.where(known[:, None], colour.rgb(), to_rgb(NEUTRAL)), known


def _fit_labels(ax: Axes) -> None:
    """Break the labels of axes that are longer than their axis; before the layout is final."""
    for axis, length in ((ax.xaxis, ax.bbox.width), (ax.yaxis, ax.bbox.height)):
        box = axis.label.get_window_extent()
        if max(box.width, box.height) > 1.05 * length:
            axis.label.set_text(axis.label.get_text().replace(", ", ",\n"))


def _write_names(ax: Axes, shown: Map) -> None:
    """Write all that lies inside the axes; their limits and the layout must be final."""
    if shown.groups is not None:
        _name_groups(ax, shown, shown.groups)
    ends = np.empty((0, 2)) if shown.arrows is None else _draw_arrows(ax, shown.arrows)
    named = [i for i, name in enumerate(shown.names) if name]
    genes = [shortened(name) for name in shown.arrow_names]
    written = place_labels(
        ax,
        np.vstack([ends, shown.xy[named]]),
        [*genes, *(shortened(shown.names[i]) for i in named)],
        points=np.vstack([shown.xy, *(_spots(ax, end) for end in ends)]),
        radius=np.sqrt(shown.area) / 2,
        always=shown.all_names,
        anywhere=True,
    )
    for text in written:
        text.set_fontweight("normal")
        text.set_fontstyle("italic" if text.get_text() in genes else "normal")


def _draw_arrows(ax: Axes, arrows: Float) -> Float:
    """Draw arrows from the middle, as long as the axes allow; return their ends."""
    limits = np.array([ax.get_xlim(), ax.get_ylim()])
    with np.errstate(divide="ignore"):
        room = np.where(arrows > 0, limits[:, 1], limits[:, 0]) / arrows
    ends: Float = arrows * _ARROW * np.nanmin(np.where(room > 0, room, np.inf))
    style: dict[str, Any] = {"arrowstyle": "-|>,head_width=0.12,head_length=0.3", "color": INK}
    style |= {"lw": 0.7, "shrinkA": 0, "shrinkB": 0}
    for end in ends:
        ax.annotate("", end, (0, 0), arrowprops=style, zorder=4)
    return ends


def _spots(ax: Axes, end: Float) -> Float:
    """Spots along an arrow, as near to each other as names must keep away."""
    first, last = ax.transData.transform(np.array([[0.0, 0.0], end]))
    length = np.hypot(*(last - first))
    n = max(int(length * 72 / ax.figure.dpi), 2)
    return np.linspace(0, 1, n)[:, None] * end


def _name_groups(ax: Axes, shown: Map, levels: Levels) -> None:
    """Write each level over its own points where these are many, else beside one of them."""
    places = places_of_groups(shown.xy, levels)
    texts = [shortened(levels.names[code]) for code in places.codes]
    if not places.are_regions:
        groups = [shown.xy[levels.codes == code] for code in places.codes]
        place_group_names(ax, groups, texts, radius=np.sqrt(shown.area) / 2)
        return
    anchors = shown.xy[places.rows]
    halo = [withStroke(linewidth=2, foreground="white")]
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL, "zorder": 6}
    style |= {"fontweight": "bold", "color": INK, "path_effects": halo}
    drawn = [ax.text(x, y, text, **style) for text, (x, y) in zip(texts, anchors, strict=True)]
    _move_apart(ax, drawn)


def _move_apart(ax: Axes, texts: list[Text]) -> None:
    """Move texts up and down until none overlap, and into the axes."""
    sizes = np.array(
        [[box.width, box.height] for box in (text.get_window_extent() for text in texts)]
    )
    places = ax.transData.transform([text.get_position() for text in texts])
    inside = np.array([[ax.bbox.x0, ax.bbox.y0], [ax.bbox.x1, ax.bbox.y1]])
    for _ in range(200):
        places = np.clip(places, inside[0] + sizes / 2, inside[1] - sizes / 2)
        moved = False
        for i in range(len(texts)):
            for j in range(i):
                apart = places[i] - places[j]
                overlap = (sizes[i] + sizes[j]) / 2 - np.abs(apart)
                if (overlap > 0).all():
                    step = (overlap[1] / 2 + 0.5) * (1 if apart[1] >= 0 else -1)
                    places[i, 1], places[j, 1] = places[i, 1] + step, places[j, 1] - step
                    moved = True
        if not moved:
            break
    for text, place in zip(texts, ax.transData.inverted().transform(places), strict=True):
        text.set_position(tuple(place))

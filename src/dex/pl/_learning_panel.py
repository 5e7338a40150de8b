"""One panel about a model: made, drawn in, written under, delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex.get._learning import learnt
from dex.pl._panels import deliver, make_panels
from dex.pl._points_text import write_notes
from dex.pl._save import check_save
from dex.pl._theme import FAINT, INK, LARGE, MEDIUM, plain_axes, theme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Drawing = Callable[[Axes, dict[str, Any]], Sequence[str]]

HEIGHT = 78.0
CHANCE: dict[str, Any] = {"color": FAINT, "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 1}
"""The line of what no data would give."""


def draw_panel(
    adata: AnnData,
    key: str,
    draw: Drawing,
    *,
    need: str,
    heading: str,
    title: str | None,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    show: bool | None,
    return_fig: bool,
    save: str | PathLike[str] | None,
    height: float = HEIGHT,
) -> Axes | list[Axes] | Figure:
    """Let ``draw`` draw the entry of ``uns`` and write the notes that it returns under it."""
    path = check_save(save)
    entry = learnt(adata, key, need=need)
    with theme():
        axes = make_panels(1, figsize=figsize, ax=ax, own=return_fig, height=height)
        plain_axes(axes[0])
        notes = draw(axes[0], entry)
        plain_axes(axes[0])
        axes[0].set_title(heading if title is None else title, fontsize=LARGE, color=INK, pad=4)
        axes[0].figure.figure.draw_without_rendering()  # notes are broken to the final width
        write_notes(axes[0], notes, line=0)
        return deliver(axes, path=path, ax=ax, show=show, return_fig=return_fig)


def name_axes(ax: Axes, x: str, y: str) -> None:
    """Write what the axes are."""
    ax.set_xlabel(x, labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel(y, labelpad=3, fontsize=MEDIUM)


def unit_square(ax: Axes) -> None:
    """Both axes from 0 to 1, of one scale where the panel is ours."""
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    ax.set_aspect("equal", adjustable="box")

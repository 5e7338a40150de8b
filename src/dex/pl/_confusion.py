"""Which classes are taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._learning_panel import draw_panel, name_axes
from dex.pl._theme import INK, MEDIUM, SMALL, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def confusion(
    adata: AnnData,
    *,
    key: str = "classify",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw how many of each class were predicted as which, by models of other donors.

    Colours are shares of the true class, so that a rare class counts as much as a frequent one.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.classify`.
    key
        Where the result is.
    title
        Over the panel; ``""`` for none.
    figsize
        Width and height in inches. The default is one column of a page, 85 mm wide.
    ax
        Axes to draw in, instead of a new figure.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot. Nothing is shown with ``ax`` or ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes or matplotlib.figure.Figure
        The axes; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result or folder.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_permutations=19, repeats=1)
    >>> ax = dex.pl.confusion(adata)
    >>> ax.get_title()
    'Confusion'
    """
    return draw_panel(
        adata,
        key,
        _draw,
        need="confusion",
        heading="Confusion",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def _draw(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    table = entry["confusion"]
    names = [shortened(str(name)) for name in entry["classes"]]
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="equal", label="share")
    size = MEDIUM if len(names) <= 6 else SMALL
    for i in range(len(names)):
        for j in range(len(names)):
            words = (
                f"{table[i, j]:,}\n{100 * share[i, j]:.0f} %"
                if len(names) <= 6
                else (f"{table[i, j]:,}")
            )
            colour = "white" if share[i, j] > 0.6 else INK
            ax.text(j, i, words, ha="center", va="center", fontsize=size, color=colour)
    slanted = max(map(len, names)) > 8 and len(names) > 2
    ax.set_xticks(
        range(len(names)),
        names,
        rotation=35 if slanted else 0,
        ha="right" if slanted else "center",
        rotation_mode="anchor",
    )
    ax.set_yticks(range(len(names)), names)
    ax.spines[:].set_visible(False)
    name_axes(ax, "predicted", "true")
    found = entry["metrics"]
    over = entry["params"].get("areas_over", "donors")
    chance = found["balanced_accuracy_chance"]
    return [
        f"balanced accuracy {found['balanced_accuracy']:.3f} (chance {chance:.2f}) over "
        f"{table.sum():,} {over}; percent of the true class"
    ]

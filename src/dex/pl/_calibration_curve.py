"""Whether probabilities mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.pl._learning_panel import CHANCE, draw_panel, name_axes, unit_square
from dex.pl._theme import DOWN, FAINT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def calibration_curve(
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
    """Draw how often what was predicted with some probability was true.

    Out-of-fold probabilities are put into bins of equally many; a calibrated model has them on the
    dashed line. Bars are 95% intervals (Wilson's) of the observed share, and the marks below count
    the bin. (:func:`dex.pl.calibration` is about p-values.)

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
    >>> ax = dex.pl.calibration_curve(adata)
    >>> ax.get_title()
    'Calibration'
    """
    return draw_panel(
        adata,
        key,
        _draw,
        need="curves",
        heading="Calibration",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
    )


def _draw(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
    bins = entry["curves"]["calibration"]
    predicted, observed, n = bins["predicted"], bins["observed"], bins["n"]
    unit_square(ax)
    ax.plot([0, 1], [0, 1], label="_chance", **CHANCE)
    low, high = wilson(observed, n)
    bars = np.maximum([observed - low, high - observed], 0)
    ax.errorbar(
        predicted,
        observed,
        yerr=bars,
        fmt="o-",
        color=DOWN,
        markersize=3.5,
        linewidth=0.9,
        elinewidth=0.7,
        ecolor=FAINT,
        zorder=3,
        label="bins",
    )
    several = len(entry["classes"]) > 2
    of = "of each class" if several else f"of {entry['classes'][1]}"
    name_axes(ax, f"predicted probability {of}", "observed share")
    found = entry["metrics"]
    notes = [
        f"Brier score {found['brier']:.3f}, of the shares alone {found['brier_chance']:.3f}",
        f"{len(n)} bins of {n.min():,} to {n.max():,}; bars: 95 % intervals; dashed: calibrated",
    ]
    slope = found.get("calibration_slope", np.nan)
    if np.isfinite(slope):
        notes.insert(1, f"slope {slope:.2f} (1 is calibrated; less is too sure of itself)")
    return notes


def wilson(share: np.ndarray[Any, Any], n: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """95% interval of a share [Wilson1927]_.

    References
    ----------
    .. [Wilson1927] Wilson EB (1927). Probable inference, the law of succession, and statistical
       inference. Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> [round(float(end), 3) for end in wilson(np.array(0.5), np.array(10))]
    [0.237, 0.763]
    """
    z2 = 1.959964**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return centre - half, centre + half

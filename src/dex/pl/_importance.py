"""The genes that a model looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.get._learning import signature_df
from dex.get._symbols import gene_labels
from dex.pl._learning_panel import draw_panel, name_axes
from dex.pl._theme import DOWN, INK, NEUTRAL, SMALL, UP, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD, _PER_GENE = 24.0, 3.1


def importance(
    adata: AnnData,
    *,
    key: str = "classify",
    n_genes: int = 20,
    gene_symbols: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | list[Axes] | Figure:
    """Draw the coefficients of the genes that count most, and how often each was chosen.

    A coefficient is the change of the log odds by one standard deviation of the gene; estimators
    of trees have importances instead, which tell no direction. Genes that are chosen in every fold
    are dark; pale ones depend on who is in training.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.classify`.
    key
        Where the result is.
    n_genes
        Genes to draw.
    gene_symbols
        Column of ``adata.var`` with the names to show, instead of ``var_names``.
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
    >>> ax = dex.pl.importance(adata)
    >>> ax.get_title()
    'Genes of the model'
    """
    table = signature_df(adata, key).head(max(int(n_genes), 1))
    if not len(table):
        msg = f"key={key!r}: the estimator has no coefficients or importances to draw."
        raise InputError(msg)
    labels = gene_labels(adata, gene_symbols)
    shown = dict(zip(adata.var_names, labels, strict=True))

    def draw(ax: Axes, entry: dict[str, Any]) -> Sequence[str]:
        return _draw(ax, entry, table, [shown[name] for name in table["gene"]])

    return draw_panel(
        adata,
        key,
        draw,
        need="metrics",
        heading="Genes of the model",
        title=title,
        figsize=figsize,
        ax=ax,
        show=show,
        return_fig=return_fig,
        save=save,
        height=_HEAD + _PER_GENE * len(table),
    )


def _draw(ax: Axes, entry: dict[str, Any], table: pd.DataFrame, names: list[str]) -> Sequence[str]:
    coef = table["coef"].to_numpy()
    place = np.arange(len(table))
    often = np.clip(table["frequency"].to_numpy(), 0.15, 1.0)
    has_signs = bool(entry.get("has_signs", True))
    colours = [INK if not has_signs else UP if value > 0 else DOWN for value in coef]
    ax.hlines(place, 0, coef, color=NEUTRAL, linewidth=0.8, zorder=1)
    ax.scatter(coef, place, s=16, c=colours, alpha=often, linewidths=0, zorder=2, label="genes")
    ax.axvline(0, color=INK, linewidth=0.6, zorder=1)
    ax.set_yticks(place, [shortened(name) for name in names], fontsize=SMALL)
    ax.set_ylim(len(table) - 0.4, -0.6)
    classes = [str(name) for name in entry.get("classes", ())]
    name_axes(ax, "coefficient (per standard deviation)" if has_signs else "importance", "")
    notes = ["pale: chosen in few of the folds"]
    if len(classes) == 2 and has_signs:
        notes.insert(0, f"right (dark red): higher in {shortened(classes[1])}")
    return notes

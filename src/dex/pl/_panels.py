"""Panels of one figure, a test in each: made, laid out, delivered."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dex._logging import logger
from dex.errors import InputError
from dex.get import params
from dex.pl._genes import chosen_tests
from dex.pl._save import finish, new_figure
from dex.pl._theme import COLUMN_MM, PAGE_MM, millimetres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 12
_PANELS_PER_ROW = 3
_HEIGHT_OF_ONE, _HEIGHT_OF_MANY = 82.0, 66.0


def tests_shown(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None,
    *,
    key: str,
    per: str | Sequence[str] | None,
    single: bool,
) -> pd.DataFrame:
    """Rows of :func:`dex.get.tests_df`, one for each panel; a ``single`` one in given axes.

    Raises
    ------
    InputError
        If there is no such result or test, if it has no p-values, or if there are more tests than
        panels.
    """
    if params(adata, key=key).get("method") == "score_markers":
        msg = f"the result {key!r} has effect sizes and no p-values; pl.heatmap shows its genes."
        raise InputError(msg)
    tests = _tested(chosen_tests(adata, test, key=key, per=per))
    most = 1 if single else _MOST_PANELS
    if len(tests) > most:
        names = ", ".join(map(repr, tests["name"][:20])) + (", ..." if len(tests) > 20 else "")
        where = "ax= holds one test" if single else f"a figure holds {most} tests"
        how = "test= or per=" if tests["per"].any() else "test="
        msg = f"{where}, and there are {len(tests)}; choose with {how}: {names}."
        raise InputError(msg)
    return tests


def _tested(tests: pd.DataFrame) -> pd.DataFrame:
    """Leave out strata in which nothing was tested, as of too few samples; say so.

    Raises
    ------
    InputError
        If none is left.
    """
    without = (tests["per"] != "") & (tests["n_tested"] == 0)
    if not without.any():
        return tests
    names = ", ".join(map(repr, tests["name"][without]))
    if without.all():
        msg = f"no gene was tested in {names}; the notes in adata.uns say why."
        raise InputError(msg)
    logger.info("Not drawn, as no gene was tested: %s.", names)
    return tests[~without]


def make_panels(
    n: int,
    *,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
    height: float | None = None,
) -> list[Axes]:
    """Return ``n`` axes of a new figure, up to three in a row; or ``ax`` alone, if it is given.

    ``figsize`` is in inches; ``height`` is that of a row in mm, by default 82, or 66 for several.
    """
    if ax is not None:
        return [ax]
    n_columns = min(n, _PANELS_PER_ROW)
    n_rows = -(-n // n_columns)
    width = (COLUMN_MM, 1.4 * COLUMN_MM, PAGE_MM)[n_columns - 1]
    size = (width, n_rows * (height or (_HEIGHT_OF_ONE if n == 1 else _HEIGHT_OF_MANY)))
    if figsize is not None:
        size = (millimetres(figsize[0]), millimetres(figsize[1]))
    figure = new_figure(*size, own=own, layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for unused in grid.flat[n:]:
        unused.remove()
    return list(grid.flat[:n])


@contextmanager
def final_layout(figure: Figure) -> Iterator[None]:
    """Lay out once; meanwhile nothing moves, as names that lie inside the axes move nothing."""
    figure.draw_without_rendering()
    engine = figure.get_layout_engine()
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def one_by_one(axes: list[Axes]) -> Iterator[Axes]:
    """Yield each panel while the others are hidden: placing names draws the whole figure."""
    try:
        for panel in axes:
            for other in axes:
                other.set_visible(other is panel)
            yield panel
    finally:
        for panel in axes:
            panel.set_visible(True)


def deliver(
    axes: list[Axes],
    *,
    path: Path | None,
    ax: Axes | None,
    show: bool | None,
    return_fig: bool,
) -> Axes | list[Axes] | Figure:
    """Save and show the figure of ``axes`` as asked, and return what the caller returns.

    That is the figure with ``return_fig``, else the axes: one, or a list of several.
    """
    figure = axes[0].figure.figure  # the root, also of a subfigure
    finish(figure, path, show=bool(show) and ax is None and not return_fig)
    if return_fig:
        return figure
    return axes[0] if len(axes) == 1 else axes

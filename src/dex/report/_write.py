"""The door of the room: from results in an AnnData to one HTML file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.io._atomic import atomic_path
from dex.report._document import compose
from dex.report._ranking import Ranking
from dex.results import StoredResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from anndata import AnnData


def write(
    adata: AnnData,
    path: str | PathLike[str],
    *,
    key: str | Sequence[str] = "rank_genes",
    tests: str | int | Sequence[str | int] | None = None,
    title: str = "Differential expression",
    padj: float = 0.05,
    groupby: str | None = None,
    gene_symbols: str | None = None,
    n_labels: int = 10,
    max_figures: int = 12,
    date: str | dt.date | None = None,
) -> None:
    """Write a report of results: one HTML file that needs nothing else, and no network.

    It holds the data and the design, filtering and normalisation, a map of the observations, and
    for every test its counts, figures, and a table of genes that sorts and filters in the browser
    and draws the expression of the gene that is clicked; then what the p-values say about the
    data, a methods paragraph with citations, and all parameters and versions.

    Parameters
    ----------
    adata
        AnnData with one or several results of :func:`dex.tl.rank_genes`; it is not changed.
    path
        File to write, as ``"report.html"``; the whole file, or what was there before. To make a
        PDF, print it from a browser.
    key
        Where the result is, or several of these.
    tests
        Tests to show, each by name, by group or by number; all of them by default. With several
        keys, each is shown where there is one of that name.
    title
        Heading of the report.
    padj
        Largest adjusted p-value of a significant gene.
    groupby
        Column of ``obs`` by which expression is drawn; by default the one that was compared.
    gene_symbols
        Column of ``adata.var`` to show; ``var_names`` stand beside it.
    n_labels
        Genes to name on each side of the volcano and MA plots.
    max_figures
        Tests with figures: the first ones. Tables are there for all.
    date
        Date on the report; by default today. With the same date, input and versions the file is
        the same, byte by byte.

    Raises
    ------
    InputError
        If there is no such result, test, column or folder, if ``path`` does not end in ``.html``
        or ``.htm``, or if ``padj`` is not between 0 and 1.

    Notes
    -----
    Expression is embedded for as many genes as about 2 MB hold, the best genes of every test
    first: values of up to 200 observations, quantiles by group of more. All tables together take
    at most about 5 MB; where they would take more, numbers are rounded to five digits, and the
    tables hold the best genes of each test. The report says so.

    Examples
    --------
    >>> import dex
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> with TemporaryDirectory() as folder:
    ...     dex.report.write(adata, Path(folder) / "report.html", max_figures=0)
    ...     (Path(folder) / "report.html").stat().st_size > 10_000
    True
    """
    _check(path, padj, max_figures)
    if 0 in adata.shape:
        msg = f"adata has {adata.n_obs} observations and {adata.n_vars} genes: nothing to report."
        raise InputError(msg)
    keys = [key] if isinstance(key, str) else list(dict.fromkeys(key))
    rankings = [
        Ranking.from_adata(
            adata, one, tests=chosen, padj=padj, groupby=groupby, gene_symbols=gene_symbols
        )
        for one, chosen in _chosen(adata, keys, tests).items()
    ]
    with atomic_path(path) as unfinished:  # a wrong folder is found before the work
        document = compose(
            rankings,
            title=title,
            gene_symbols=gene_symbols,
            n_labels=n_labels,
            max_figures=max_figures,
            date=dt.date.today() if date is None else date,
        )
        unfinished.write_text(document, encoding="utf-8", newline="\n")


def _check(path: str | PathLike[str], padj: Any, max_figures: Any) -> None:
    suffix = Path(path).suffix
    if suffix.lower() not in {".html", ".htm"}:
        name = f"{Path(path).stem}.html"
        msg = (
            f"path={str(path)!r} ends in {suffix or 'nothing'}, and a report is HTML; write "
            f"{name!r}, which a browser prints to PDF."
        )
        raise InputError(msg)
    if (
        isinstance(padj, bool)
        or not isinstance(padj, int | float | np.floating)
        or not 0 < padj <= 1
    ):
        msg = f"padj={padj!r} is not a limit of adjusted p-values; it is a number from 0 to 1."
        raise InputError(msg)
    if not isinstance(max_figures, int | float | np.number) or not max_figures >= 0:
        msg = f"max_figures={max_figures!r} is not a number of tests; give 0 or more."
        raise InputError(msg)


def _chosen(
    adata: AnnData, keys: Sequence[str], tests: str | int | Sequence[str | int] | None
) -> Mapping[str, list[int] | None]:
    """Positions of the tests asked for, by key; keys without any are left out.

    Raises
    ------
    InputError
        If there is no such result, or if a test is in none of them.
    """
    results = {key: StoredResult.from_adata(adata, key) for key in keys}
    if not results:
        msg = "key=[] names no result; give one or several keys."
        raise InputError(msg)
    if tests is None:
        return dict.fromkeys(results)
    asked = [tests] if isinstance(tests, str | int) else list(tests)
    found: dict[str, list[int]] = {}
    for test in asked:
        places = {
            key: _position(stored, test, alone=len(keys) == 1) for key, stored in results.items()
        }
        if all(place is None for place in places.values()):
            msg = f"tests={test!r} is in none of the results {', '.join(map(repr, keys))}."
            raise InputError(msg)
        for key, place in places.items():
            if place is not None and place not in found.setdefault(key, []):
                found[key].append(place)
    if not found:
        msg = "tests=[] names no test; None is all of them."
        raise InputError(msg)
    return found


def _position(stored: StoredResult, test: str | int, *, alone: bool) -> int | None:
    try:
        return stored.position(test)
    except InputError:
        if alone:
            raise
        return None

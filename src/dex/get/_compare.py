"""Several tests side by side, of one result or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get._results import tests_df
from dex.get._symbols import gene_labels
from dex.results import StoredResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData


def compare_df(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str | Sequence[str] = "rank_genes",
    per: str | Sequence[str] | None = None,
    column: str = "log2fc",
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """One statistic of several tests side by side: genes in rows, tests in columns.

    Parameters
    ----------
    adata
        AnnData with one or several results of :func:`dex.tl.rank_genes`.
    test
        One or several tests, by name, group or number; the default is all of them. With several
        keys it is looked for under each, and ``"key: name"`` means one alone.
    key
        Where the result is, or several of them, as of several methods.
    per
        One or several strata, as cell types, of results that were made with ``per=``.
    column
        Statistic to show, one of :data:`dex.results.COLUMNS`.
    gene_symbols
        Column of ``adata.var`` to show as index instead of ``var_names``.

    Returns
    -------
    pandas.DataFrame
        ``(n_vars, n_tests)``, genes in the order of ``adata``; columns are named as the tests, with
        the key before the name if there are several keys.

    Raises
    ------
    InputError
        If there is no such result, test or column.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=50, seed=0)
    >>> for method in ("t-test", "wilcoxon"):
    ...     dex.tl.rank_genes(adata, groupby="condition", method=method, key_added=method)
    >>> dex.get.compare_df(adata, key=["t-test", "wilcoxon"], column="padj").columns.tolist()
    ['t-test: treated vs control', 'wilcoxon: treated vs control']
    """
    tests = compared_tests(adata, test, key=key, per=per)
    index = pd.Index(gene_labels(adata, gene_symbols), name="gene")
    stored = {name: StoredResult.from_adata(adata, name) for name in tests["key"].unique()}
    places = zip(tests["key"], tests["position"], strict=True)
    values = [stored[name].values(column)[:, position] for name, position in places]
    return pd.DataFrame(np.column_stack(values), index=index, columns=list(tests["label"]))


def compared_tests(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str | Sequence[str] = "rank_genes",
    per: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of :func:`dex.get.tests_df` for the tests asked for under each of the keys.

    Further columns are ``key``, ``position`` of the test under its key, and ``label``: its name,
    after that of the key if there are several.

    Raises
    ------
    InputError
        If there is no such result or test.
    """
    keys = [key] if isinstance(key, str) else list(dict.fromkeys(key))
    if not keys:
        msg = f"key={key!r} names no result; give one key or several."
        raise InputError(msg)
    tables = []
    for name in keys:
        tests = tests_df(adata, key=name)
        labels = tests["name"] if len(keys) == 1 else f"{name}: " + tests["name"]
        tests = tests.assign(key=name, position=np.arange(len(tests)), label=labels)
        inside = StoredResult.from_adata(adata, name).positions(per=per)
        tables.append(tests.iloc[inside])
    everything = pd.concat(tables, ignore_index=True)
    if test is None:
        return everything
    asked = np.atleast_1d(np.array(test, dtype=object))
    if not asked.size:
        msg = f"test={test!r} names no test; None is all of them."
        raise InputError(msg)
    rows = [row for one in asked for row in _find(adata, everything, one, per)]
    return everything.loc[list(dict.fromkeys(rows))].reset_index(drop=True)


def _find(
    adata: AnnData, tests: pd.DataFrame, test: str | int, per: str | Sequence[str] | None
) -> list[int]:
    """Rows of one test: by its label, or by what it is called under each key that has it."""
    labelled = np.flatnonzero(tests["label"] == test)
    if len(labelled):
        return [int(row) for row in labelled]
    rows, error = [], None
    for key in tests["key"].unique():
        try:
            positions = StoredResult.from_adata(adata, key).positions(test, per=per)
        except InputError as unknown:
            error = unknown
        else:
            here = (tests["key"] == key) & tests["position"].isin(positions)
            rows += np.flatnonzero(here).tolist()
    if error is not None and not rows:
        raise error
    return rows

"""The ranked genes as a tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get._symbols import gene_labels
from dex.results import StoredResult, results_frame
from dex.results.schema import MARKER_SCORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData


def rank_genes_df(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str = "rank_genes",
    per: str | Sequence[str] | None = None,
    padj: float | None = None,
    log2fc: float | None = None,
    direction: Literal["up", "down", "both"] = "both",
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Ranked genes as a tidy table: a row per gene and test, best first within a test.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    test
        One or several tests, each by its name (``"treated vs control"``), by the group that only
        it has (``"treated"``), or by number. The default is all of them.
    key
        Where the result is.
    per
        One or several strata, as cell types, of a result that was made with ``per=``; the default
        is all of them.
    padj
        Only rows with an adjusted p-value of at most this.
    log2fc
        Only rows whose ``log2fc`` is at least this in size. This is a look at the table and no
        claim about the false discovery rate: of the genes left, more than ``padj`` may be changed
        by less than ``log2fc``. To test against a threshold, give ``lfc=`` to
        :func:`dex.tl.rank_genes`.
    direction
        ``"up"`` for rows with positive, ``"down"`` with negative ``log2fc``.
    gene_symbols
        Column of ``adata.var`` to show as ``gene``; ``var_names`` are then in ``gene_id``.

    Returns
    -------
    pandas.DataFrame
        Columns ``gene``, ``test``, ``per`` (the stratum, where there are some), and those of
        :data:`dex.results.COLUMNS` that the method gives.

    Raises
    ------
    InputError
        If there is no such result, test or column, or if a filter is none.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition", method="t-test")
    >>> table = dex.get.rank_genes_df(adata, padj=0.05, direction="up")
    >>> bool((table["log2fc"] > 0).all())
    True
    """
    _check(direction, padj)
    stored = StoredResult.from_adata(adata, key)
    if padj is not None and not stored.has_pvalues:
        msg = f"padj={padj}: the result {key!r} has effect sizes and no p-values."
        raise InputError(msg)
    ids = None if gene_symbols is None else gene_labels(adata, None)
    labels = gene_labels(adata, gene_symbols)
    frame = results_frame(stored, _positions(stored, test, per), labels, gene_ids=ids)
    keep = np.ones(len(frame), dtype=bool)
    if padj is not None:
        log10_limit = np.log10(padj) if padj > 0 else -np.inf
        keep &= (frame["log10_padj"] <= log10_limit).to_numpy()
    if log2fc is not None:
        keep &= (frame["log2fc"].abs() >= log2fc).to_numpy()
    if direction != "both":
        keep &= (np.sign(frame["log2fc"]) == (1 if direction == "up" else -1)).to_numpy()
    return frame[keep].reset_index(drop=True)


def tests_df(adata: AnnData, *, key: str = "rank_genes") -> pd.DataFrame:  # noqa: PT028
    """Return the tests of a result, a row each.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    key
        Where the result is.

    Returns
    -------
    pandas.DataFrame
        Columns ``name``, ``kind``, ``group``, ``reference``, ``per`` (the stratum; empty where all
        observations are tested together), ``n_group`` and ``n_reference`` (observations),
        ``n_tested`` (genes with a p-value; with a score, of :func:`dex.tl.score_markers`).

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.get.tests_df(adata)[["name", "n_group", "n_reference"]].to_numpy().tolist()
    [['treated vs control', 4, 4]]
    """
    stored = StoredResult.from_adata(adata, key)
    words = {name: stored.field(name) for name in ("name", "kind", "group", "reference", "per")}
    counts = {name: stored.counts(name) for name in ("n_group", "n_reference")}
    evidence = "log10_pval" if stored.has_pvalues else MARKER_SCORE
    tested = (~np.isnan(stored.values(evidence))).sum(axis=0)
    return pd.DataFrame({**words, **counts, "n_tested": tested})


def _check(direction: str, padj: float | None) -> None:
    if direction not in {"up", "down", "both"}:
        msg = f"direction={direction!r} is not known; it is 'up', 'down' or 'both'."
        raise InputError(msg)
    if padj is not None and not 0 <= padj <= 1:
        msg = f"padj={padj} is not a limit of adjusted p-values; it lies between 0 and 1."
        raise InputError(msg)


def params(adata: AnnData, *, key: str = "rank_genes") -> dict[str, Any]:
    """Return what was asked for a result, and what was decided.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    key
        Where the result is.

    Returns
    -------
    dict
        ``method``, ``groupby``, ``reference``, ``design``, ``layer``, ``scale``, ``pseudocount``,
        ``unit``, ... as far as they apply; a copy.

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.get.params(adata)["size_factors"]
    'tmm'
    """
    return StoredResult.from_adata(adata, key).params


def _positions(
    stored: StoredResult,
    test: str | int | Sequence[str | int] | None,
    per: str | Sequence[str] | None,
) -> Sequence[int]:
    if test is None:
        return stored.positions(per=per)
    asked = np.atleast_1d(np.array(test, dtype=object))
    if not asked.size:
        msg = f"test={test!r} names no test; None is all of them."
        raise InputError(msg)
    return list(dict.fromkeys(i for one in asked for i in stored.positions(one, per=per)))

"""Each perturbation of a screen at the gene that it was made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.data.source import obs_of
from dex.errors import InputError
from dex.get._symbols import gene_labels
from dex.results import StoredResult
from dex.results.table import status_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData

    from dex.typing import Int

_COLUMNS = ("log2fc", "stat", "log10_pval", "log10_padj", "pval", "padj")
_SIDES = ("mean_group", "mean_reference", "pct_group", "pct_reference", "auc")
_AT_ONCE = 256
"""Tests whose genes are ranked at a time."""


def on_target_df(
    adata: AnnData,
    *,
    key: str = "rank_genes",
    targets: Mapping[str, str] | str | None = None,
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Return a row for each perturbation of a screen, with what it did to its own gene.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`, perturbations against control.
    key
        Where the result is.
    targets
        Gene of each group, ``{group: gene}``, or the column of ``obs`` that names it, the same for
        all cells of a group. By default a group has the name of its gene.
    gene_symbols
        Column of ``adata.var`` whose names are genes too, beside ``var_names``.

    Returns
    -------
    pandas.DataFrame
        In the order of the tests: ``test``, ``group``, ``target`` (the gene, NaN where there is
        none), ``log2fc``, ``stat``, p-values; ``rank``, the place of the target among the genes
        with a p-value, by p-value (1 is best, ties share it), and ``n_ranked``, how many those
        are; ``fraction_left``, the target's mean in the group over that in the reference (0.2 after
        a knock-down by four fifths); means, fractions expressing, AUC and ``status`` as far as they
        are stored; ``message``, why a group has no row of numbers.

    Raises
    ------
    InputError
        If there is no such result, column or gene, if a group's cells name several genes, or if no
        group has a gene.

    Examples
    --------
    >>> import anndata, dex
    >>> counts = np.random.default_rng(0).poisson(4.0, (90, 3))
    >>> counts[:30, 0] = 0
    >>> obs = pd.DataFrame({"guide": np.repeat(["GATA1", "KLF1", "control"], 30)})
    >>> obs.index = obs.index.astype(str)
    >>> var = pd.DataFrame(index=["GATA1", "MYC", "TAL1"])
    >>> adata = anndata.AnnData(counts, obs, var)
    >>> dex.tl.rank_genes(adata, "guide", method="t-test", reference="control", unit="cells")
    >>> table = dex.get.on_target_df(adata)
    >>> table[["group", "target", "rank", "fraction_left"]].values.tolist()
    [['GATA1', 'GATA1', 1.0, 0.0], ['KLF1', nan, nan, nan]]
    >>> table["message"][1]
    "no gene is called 'KLF1'"
    """
    stored = StoredResult.from_adata(adata, key)
    groups = stored.field("group")
    wanted = _wanted(stored, groups, targets)
    genes, messages = _positions(adata, wanted, gene_symbols)
    tests = np.flatnonzero(genes >= 0)
    if not len(tests):
        msg = (
            f"none of the {len(groups)} groups under {key!r} has a gene ({messages[0]}); give "
            "targets={group: gene}, or gene_symbols= for the names in a column of var."
        )
        raise InputError(msg)
    labels = np.asarray(gene_labels(adata, gene_symbols), dtype=object)
    target = np.where(genes >= 0, labels[genes], np.nan)
    words = {"test": list(stored.names), "group": list(groups), "target": target}
    return pd.DataFrame({**words, **_numbers(stored, genes, tests), "message": messages})


def _wanted(
    stored: StoredResult, groups: tuple[str, ...], targets: Mapping[str, str] | str | None
) -> list[str | None]:
    """Name of the gene of every test, None where nothing names one."""
    if targets is None:
        return [group or None for group in groups]
    if isinstance(targets, str):
        targets = _targets_of_cells(stored, targets)
    if unknown := sorted(set(map(str, targets)) - set(groups)):
        msg = (
            f"targets= names {unknown[:5]}, which are no groups of {stored.key!r}: {groups[:5]}..."
        )
        raise InputError(msg)
    return [targets.get(group) for group in groups]


def _targets_of_cells(stored: StoredResult, column: str) -> dict[str, str]:
    """Gene of every group as its cells have it in ``obs[column]``; those without one are left out.

    Raises
    ------
    InputError
        If there is no such column, or if cells of a group differ.
    """
    obs, groupby = obs_of(stored.adata), stored.params.get("groupby")
    for name in (column, groupby):
        if name not in obs:
            msg = f"targets={column!r}: obs has no column {name!r}; give targets={{group: gene}}."
            raise InputError(msg)
    cells = pd.DataFrame({"group": obs[groupby].astype(object), "gene": obs[column].astype(object)})
    pairs = cells.dropna().astype(str).drop_duplicates()
    pairs = pairs[pairs["group"].isin(stored.field("group"))]
    several = pairs[pairs["group"].duplicated(keep=False)]
    if len(several):
        group = several["group"].iloc[0]
        genes = several["gene"][several["group"] == group].tolist()
        msg = f"targets={column!r}: the cells of {group!r} name several genes, {genes[:5]}."
        raise InputError(msg)
    return dict(zip(pairs["group"], pairs["gene"], strict=True))


def _positions(
    adata: AnnData, wanted: list[str | None], gene_symbols: str | None
) -> tuple[Int, list[str]]:
    """Position of the gene of every test, -1 where there is none, and why not."""
    places: dict[str, int] = {}
    for labels in (gene_labels(adata, None), gene_labels(adata, gene_symbols)):
        for position, label in enumerate(labels):
            places.setdefault(label, position)
    found = np.array([-1 if name is None else places.get(name, -1) for name in wanted])
    messages = [
        ""
        if place >= 0
        else "no target is given"
        if name is None
        else f"no gene is called {name!r}"
        for name, place in zip(wanted, found, strict=True)
    ]
    return found, messages


def _numbers(stored: StoredResult, genes: Int, tests: Int) -> dict[str, object]:
    """Columns of the table; NaN for tests without a gene."""
    columns: dict[str, object] = {}
    at = (genes[tests], tests)
    for name in _COLUMNS:
        if name in stored.columns:
            columns[name] = _spread(stored.values(name)[at], tests, len(genes))
    if stored.has_pvalues:
        rank, n_ranked = _ranks(stored, genes, tests)
        columns |= {"rank": rank, "n_ranked": n_ranked}
    if {"mean_group", "mean_reference"} <= set(stored.columns):
        means = (stored.values(name)[at] for name in ("mean_group", "mean_reference"))
        with np.errstate(divide="ignore", invalid="ignore"):
            columns["fraction_left"] = _spread(np.divide(*means), tests, len(genes))
    for name in _SIDES:
        if name in stored.columns:
            columns[name] = _spread(stored.values(name)[at], tests, len(genes))
    if "status" in stored.columns:
        codes = np.full(len(genes), -1, dtype=np.int8)
        codes[tests] = stored.values("status")[at]
        columns["status"] = status_words(codes)
    return columns


def _spread(values: np.ndarray, tests: Int, n_tests: int) -> np.ndarray:
    full = np.full(n_tests, np.nan)
    full[tests] = values
    return full


def _ranks(stored: StoredResult, genes: Int, tests: Int) -> tuple[np.ndarray, np.ndarray]:
    """Place of the target by p-value, and the number of genes that have one, by test."""
    rank, n_ranked = np.full((2, len(genes)), np.nan)
    every = stored.values("log10_pval")
    for start in range(0, len(tests), _AT_ONCE):
        some = tests[start : start + _AT_ONCE]
        log10_pval = every[:, some]
        own = log10_pval[genes[some], np.arange(len(some))]
        better = (log10_pval < own).sum(axis=0)
        rank[some] = np.where(np.isnan(own), np.nan, better + 1.0)
        n_ranked[some] = (~np.isnan(log10_pval)).sum(axis=0)
    return rank, n_ranked

"""Which genes a heatmap shows: the best of each test, in blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get import rank_genes_df, tests_df

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anndata import AnnData

    from dex.typing import Int

N_OF_ONE_TEST = 40
_N_PER_GROUP, _N_PER_GROUP_OF_MANY, _MANY_GROUPS = 5, 3, 12


@dataclass(frozen=True, slots=True)
class GeneChoice:
    """The rows of a heatmap, best first within a block."""

    genes: tuple[str, ...]
    """``var_names``, or what the user wrote."""
    block: Int
    """``(n_genes,)``, number of the block of each gene, ascending."""
    blocks: tuple[str, ...] = ("",)
    """What the blocks are: a group, a test, or nothing."""
    without: tuple[str, ...] = ()
    """Tests without a significant gene."""
    significant: bool = True
    """Whether the genes are significant; else they are the best there are."""

    @classmethod
    def given(cls, genes: list[str]) -> GeneChoice:
        """Take the genes that the user names, in one block."""
        return cls(tuple(genes), np.zeros(len(genes), dtype=np.intp))

    @classmethod
    def of_sets(cls, sets: Mapping[str, Sequence[str]]) -> GeneChoice:
        """Take the genes of every set, a block each; a gene in two sets is shown in both.

        Raises
        ------
        InputError
            If a set is not a list of genes, or if there are no genes.
        """
        wrong = [name for name, genes in sets.items() if isinstance(genes, str)]
        if wrong or not any(len(genes) for genes in sets.values()):
            msg = f"split_genes={dict(sets)!r} is not {{label: [genes]}} with at least one gene."
            raise InputError(msg)
        sizes = [len(genes) for genes in sets.values()]
        genes = tuple(str(gene) for members in sets.values() for gene in members)
        return cls(genes, np.repeat(np.arange(len(sizes)), sizes), tuple(map(str, sets)))

    def labelled(self, labels: pd.Series) -> GeneChoice:
        """Divide the genes by ``labels``, one for each, with those that have none at the end."""
        levels = labels.astype("category").cat
        block = np.where(levels.codes < 0, len(levels.categories), levels.codes).astype(np.intp)
        order = np.argsort(block, kind="stable")
        names = (*map(str, levels.categories), "other")
        genes = tuple(self.genes[i] for i in order)
        return replace(self, genes=genes, block=block[order], blocks=names)

    @classmethod
    def best(
        cls, adata: AnnData, tests: pd.DataFrame, *, key: str, n_genes: int | None, padj: float
    ) -> GeneChoice:
        """Take the best genes of the tests in ``tests``, rows of :func:`dex.get.tests_df`.

        One test gives its best genes up and down, together ``n_genes``; several tests give
        ``n_genes`` each: those that are higher in the test's group where every test has its own,
        else up and down. A gene that is among the best of two tests is shown with the first, and
        the others take their next best in its place.
        """
        frames = {name: rank_genes_df(adata, name, key=key) for name in tests["name"]}
        n = n_genes if n_genes is not None else _default_n(len(tests))
        markers = len(tests) > 1 and bool((tests["group"] != "").all() and tests["group"].is_unique)
        strata = len(tests) > 1 and bool((tests["per"] != "").all() and tests["per"].is_unique)
        labels = list(tests["per"] if strata else tests["group" if markers else "name"])
        found = [_significant(frame, n, padj, markers=markers) for frame in frames.values()]
        significant = any(map(len, found))
        if not significant:
            found = [_known(frame)[:n] for frame in frames.values()]
        without = [label for label, genes in zip(labels, found, strict=True) if not len(genes)]
        if significant:
            further = [_candidates(frame, padj, markers=markers) for frame in frames.values()]
        else:
            further = [_known(frame) for frame in frames.values()]
        chosen = _filled(found, further, n)
        return cls(
            tuple(gene for genes in chosen for gene in genes),
            np.repeat(np.arange(len(chosen)), [len(genes) for genes in chosen]),
            tuple(labels),
            tuple(without if significant else ()),
            significant,
        )


def labels_of(
    adata: AnnData, genes: Sequence[str], split: pd.Series | str, gene_symbols: str | None
) -> pd.Series:
    """Label of every gene, from a Series by gene or from a column of ``var``; NaN where none.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if isinstance(split, str):
        if split not in adata.var:
            have = ", ".join(map(repr, adata.var.columns)) or "none"
            msg = f"split_genes={split!r} is not a column of adata.var; it has {have}."
            raise InputError(msg)
        labels = adata.var[split]
        if gene_symbols is not None:
            by_symbol = labels.set_axis(adata.var[gene_symbols].astype(str))
            labels = pd.concat([labels, by_symbol[~by_symbol.index.isin(labels.index)]])
    else:
        labels = split
    return labels[~labels.index.duplicated()].reindex(pd.Index(genes))


def chosen_tests(
    adata: AnnData, test: object, *, key: str, per: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Rows of :func:`dex.get.tests_df` of the tests asked for; all where nothing is named."""
    tests = tests_df(adata, key=key)
    if test is None and per is None:
        return tests
    found = rank_genes_df(adata, test, key=key, per=per)  # type: ignore[arg-type]
    names = found["test"].unique()
    return tests.set_index("name", drop=False).loc[names]


def _default_n(n_tests: int) -> int:
    if n_tests == 1:
        return N_OF_ONE_TEST
    return _N_PER_GROUP if n_tests <= _MANY_GROUPS else _N_PER_GROUP_OF_MANY


def _filled(found: list[pd.Series], further: list[pd.Series], n: int) -> list[list[str]]:
    """Give each gene to the first test that has found it, and each test ``n``, best first.

    What a test lacks it takes from its ``further`` genes, best first too.
    """
    seen: set[str] = set()
    chosen: list[list[str]] = []
    for genes in found:
        chosen.append([gene for gene in map(str, genes) if gene not in seen])
        seen.update(chosen[-1])
    for own, genes in zip(chosen, further, strict=True):
        fresh = (gene for gene in map(str, genes) if gene not in seen)
        own.extend(islice(fresh, n - len(own)))
        seen.update(own)
        place = {gene: i for i, gene in enumerate(map(str, genes))}
        own.sort(key=place.__getitem__)
    return chosen


def _candidates(frame: pd.DataFrame, padj: float, *, markers: bool) -> pd.Series:
    """Names of all significant genes, or of those that are up; of all that are scored."""
    if _is_scored(frame):
        return frame["gene"][(frame["auc_mean"] > 0.5) & (frame["log2fc"] > 0)]
    frame = frame[frame["log10_padj"] <= np.log10(padj)]
    if markers and frame["log2fc"].notna().any():
        frame = frame[frame["log2fc"] > 0]
    return frame["gene"]


def _is_scored(frame: pd.DataFrame) -> bool:
    """Whether these are markers by effect size, which have no p-values."""
    return "log10_padj" not in frame


def _known(frame: pd.DataFrame) -> pd.Series:
    """Genes with a p-value or a score."""
    evidence = "auc_mean" if _is_scored(frame) else "log10_pval"
    return frame["gene"][frame[evidence].notna()]


def _significant(frame: pd.DataFrame, n: int, padj: float, *, markers: bool) -> pd.Series:
    """Names of the best significant genes: up, or half up and half down as far as there are."""
    if _is_scored(frame):
        return _candidates(frame, padj, markers=markers)[:n]
    frame = frame[frame["log10_padj"] <= np.log10(padj)]
    if frame["log2fc"].isna().all():  # an omnibus test has no sides
        return frame["gene"][:n]
    up, down = frame["gene"][frame["log2fc"] > 0], frame["gene"][frame["log2fc"] < 0]
    if markers:
        return up[:n]
    n_up = max(min(len(up), n - n // 2), n - len(down))
    kept = [*up.index[:n_up], *down.index[: n - min(n_up, len(up))]]
    return frame["gene"].loc[sorted(kept)]

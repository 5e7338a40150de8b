"""Genes called for a single count are told, whatever form the counts have; numbers stay R's."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import sparse

import dex

NOTE = re.compile(r"(\d+) of ([\d,]+) genes? at padj <= 0.05 hang on single counts")


def told(adata):
    """Numbers of genes that hang on single counts and of all called; None where nothing is said."""
    found = [NOTE.search(note) for note in adata.uns["rank_genes"]["notes"]]
    return next((tuple(map(int, one.groups())) for one in found if one), None)


@pytest.mark.parametrize("method", ["edger", "edger_lrt"])
def test_wild_counts_are_told_and_nothing_is_said_of_clean_ones(method):
    wild = dex.datasets.simulate_counts(1000, 12, outlier_fraction=0.05, seed=0)
    dex.tl.rank_genes(wild, "condition", method=method)
    far, called = told(wild)
    padj = wild.var["rank_genes_padj"].to_numpy()
    assert called == (padj <= 0.05).sum()
    false = ((padj <= 0.05) & ~wild.var["is_de"].to_numpy()).sum()
    if method == "edger":  # tagwise dispersions are not so easily misled
        assert 0.8 * false <= far <= 1.1 * false
    clean = dex.datasets.simulate_counts(1000, 12, seed=0)
    dex.tl.rank_genes(clean, "condition", method=method)
    assert told(clean) is None
    assert (clean.var["rank_genes_padj"] <= 0.05).sum() > 10


def test_the_genes_called_are_those_of_the_adjustment_asked_for():
    adata = dex.datasets.simulate_counts(1000, 12, outlier_fraction=0.05, seed=0)
    dex.tl.rank_genes(adata, "condition", method="edger")
    wide = told(adata)
    dex.tl.rank_genes(adata, "condition", method="edger", padj_method="fdr_by")
    assert told(adata)[1] == (adata.var["rank_genes_padj"] <= 0.05).sum() < wide[1]
    dex.tl.rank_genes(adata, "condition", method="edger", padj_method="bonferroni")
    assert told(adata) is None  # the few that are left are no wild ones


def test_the_genes_named_have_a_count_far_from_all_others():
    adata = dex.datasets.simulate_counts(1000, 12, outlier_fraction=0.05, seed=0)
    dex.tl.rank_genes(adata, "condition", method="edger")
    (note,) = [note for note in adata.uns["rank_genes"]["notes"] if "hang on" in note]
    named = re.findall(r"'(gene\d+)'", note)
    assert len(named) == 3
    counts = np.sort(adata[:, named].X, axis=0)
    assert (counts[-1] > 4 * counts[-2]).all()


def test_the_only_zero_of_a_high_group_is_no_wild_count():
    adata = dex.datasets.simulate_counts(300, 8, seed=1, de_fraction=0)
    adata.X[:8, 70], adata.X[8:, 70] = 500, 4
    adata.X[2, 70] = 5
    dex.tl.rank_genes(adata, "condition", method="edger")
    assert told(adata) is None


@pytest.mark.parametrize("form", ["csr", "csc", "threads", "blocks"])
def test_the_same_of_every_form(form):
    adata = dex.datasets.simulate_counts(400, 10, outlier_fraction=0.05, seed=2)
    dex.tl.rank_genes(adata, "condition", method="edger", n_threads=1)
    expected = told(adata)
    assert expected is not None
    options = {"n_threads": 2 if form == "threads" else 1}
    if form in {"csr", "csc"}:
        adata.X = sparse.csr_matrix(adata.X).asformat(form)
    if form == "blocks":
        adata = adata[:, np.random.default_rng(0).permutation(adata.n_vars)].copy()
    dex.tl.rank_genes(adata, "condition", method="edger", unit="samples", **options)
    assert told(adata) == expected


def test_designs_without_three_alike_say_nothing():
    adata = dex.datasets.simulate_counts(200, 6, outlier_fraction=0.1, seed=3)
    adata.obs["dose"] = np.arange(12.0)
    dex.tl.rank_genes(adata, "condition", design="~ dose + condition", method="edger")
    assert told(adata) is None

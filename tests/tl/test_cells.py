"""Tests of many cells: as scipy has them, and the same numbers from every form of the matrix."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

import dex

STAT = {"rtol": 1e-12, "atol": 1e-12}  # the bound
T_STAT = {"rtol": 1e-10}  # sums in another order
LOG10_P = {"rtol": 0, "atol": 1e-9}  # the bound of p, relative
METHODS = ("wilcoxon", "t-test", "t-test-student")
SCALES = {"counts": "linear", "logs": "ln1p"}


@pytest.fixture
def screen():
    """300 cells x 80 genes: four perturbations and a control; counts, and their logs in float32."""
    rng = np.random.default_rng(7)
    labels = np.array(["control", "a", "b", "c", "d"])[rng.choice(5, 300, p=[0.4, *[0.15] * 4])]
    mean = rng.gamma(0.5, size=80) * np.where(labels == "b", 1.5, 1.0)[:, None]
    counts = rng.poisson(mean).astype(np.float32)
    counts[:, 11] = 0
    counts[:, 12] = 3
    logs = np.log1p(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 100)
    obs = pd.DataFrame({"guide": pd.Categorical(labels)}, index=[f"cell{i}" for i in range(300)])
    layers = {"counts": sparse.csr_matrix(counts), "logs": sparse.csr_matrix(logs)}
    return ad.AnnData(sparse.csr_matrix(counts), obs=obs, layers=layers)


def rank(adata, method, layer, **options):
    options = {"unit": "cells", "replicate": None, "scale": SCALES[layer]} | options
    dex.tl.rank_genes(adata, "guide", method=method, layer=layer, **options)
    names = adata.uns["rank_genes"]["columns"]
    return {name: np.asarray(adata.varm[f"rank_genes_{name}"]) for name in names}


def sides(adata, layer, test):
    values = adata.layers[layer].toarray().astype(np.float64)
    labels = adata.obs["guide"].to_numpy()
    group, reference = test["group"], test["reference"]
    others = labels != group if reference == "rest" else labels == reference
    return values[labels == group], values[others]


@pytest.mark.parametrize("reference", ["rest", "control"])
@pytest.mark.parametrize("layer", SCALES)
def test_ranks_are_scipys(screen, layer, reference):
    found = rank(screen, "wilcoxon", layer, reference=reference)
    for t, test in enumerate(dex.get.tests_df(screen).to_dict("records")):
        x, y = sides(screen, layer, test)
        u = stats.mannwhitneyu(x, y, use_continuity=False, method="asymptotic")
        tested = ~np.isnan(found["log10_pval"][:, t])
        varies = np.ptp(np.vstack([x, y]), axis=0) > 0
        np.testing.assert_array_equal(tested, varies)
        auc = u.statistic / (len(x) * len(y))
        np.testing.assert_allclose(found["auc"][tested, t], auc[tested], **STAT)
        expected = np.log10(u.pvalue[tested])
        np.testing.assert_allclose(found["log10_pval"][tested, t], expected, **LOG10_P)
        assert tested.sum() >= 70


@pytest.mark.parametrize("reference", ["rest", "control"])
@pytest.mark.parametrize(("method", "equal_var"), [("t-test", False), ("t-test-student", True)])
def test_t_is_scipys(screen, method, equal_var, reference):
    found = rank(screen, method, "logs", reference=reference)
    for t, test in enumerate(dex.get.tests_df(screen).to_dict("records")):
        x, y = sides(screen, "logs", test)
        tested = ~np.isnan(found["stat"][:, t])
        expected = stats.ttest_ind(x[:, tested], y[:, tested], equal_var=equal_var)
        np.testing.assert_allclose(found["stat"][tested, t], expected.statistic, **T_STAT)
        log10_pval = found["log10_pval"][tested, t]
        np.testing.assert_allclose(log10_pval, np.log10(expected.pvalue), **LOG10_P)
        assert tested.sum() >= 60


def test_means_fractions_and_fold_changes_by_hand(screen):
    found = rank(screen, "wilcoxon", "logs", reference="control")
    for t, test in enumerate(dex.get.tests_df(screen).to_dict("records")):
        x, y = (np.expm1(side) for side in sides(screen, "logs", test))
        np.testing.assert_allclose(found["mean_group"][:, t], x.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found["mean_reference"][:, t], y.mean(axis=0), rtol=1e-12)
        np.testing.assert_array_equal(found["pct_group"][:, t], (x > 0).mean(axis=0))
        np.testing.assert_array_equal(found["pct_reference"][:, t], (y > 0).mean(axis=0))
        c = screen.uns["rank_genes"]["params"]["pseudocount"]
        shown = ~np.isnan(found["log2fc"][:, t])
        expected = np.log2((x.mean(axis=0) + c) / (y.mean(axis=0) + c))
        np.testing.assert_allclose(found["log2fc"][shown, t], expected[shown], atol=1e-12)


def explicit_zeros(matrix):
    full = sparse.csr_matrix(np.ones(matrix.shape, matrix.dtype))
    full.data[:] = matrix.toarray().ravel()
    return full


def unsorted(matrix):
    turned = matrix.copy()
    for i in range(matrix.shape[0]):
        row = slice(turned.indptr[i], turned.indptr[i + 1])
        turned.indices[row], turned.data[row] = turned.indices[row][::-1], turned.data[row][::-1]
    turned.has_sorted_indices = False
    return turned


FORMS = {
    "csc": sparse.csc_matrix,
    "array": sparse.csr_array,
    "c_order": lambda matrix: matrix.toarray(order="C"),
    "f_order": lambda matrix: matrix.toarray(order="F"),
    "float64": lambda matrix: matrix.astype(np.float64),
    "explicit_zeros": explicit_zeros,
    "unsorted": unsorted,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layer", SCALES)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_form_does_not_change_a_bit(screen, method, layer, form):
    expected = rank(screen, method, layer, reference="control")
    screen.layers[layer] = form(screen.layers[layer])
    for n_threads in (1, 3):
        found = rank(screen, method, layer, reference="control", n_threads=n_threads)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_counts_normalised_on_the_way_are_the_same_in_every_form(screen, form):
    def ranked():
        dex.tl.rank_genes(screen, "guide", method="wilcoxon", replicate=None, unit="cells")
        return np.asarray(screen.varm["rank_genes_log10_pval"])

    expected = ranked()
    screen.X = form(screen.X)
    np.testing.assert_array_equal(ranked(), expected)


def test_a_whole_screen_is_each_of_its_tests(screen):
    """One walk for all perturbations gives what a test of two groups alone gives."""
    together = rank(screen, "wilcoxon", "logs", reference="control")
    for t, guide in enumerate("abcd"):
        pair = screen[screen.obs["guide"].isin([guide, "control"])].copy()
        alone = rank(pair, "wilcoxon", "logs", reference="control")
        for name in ("stat", "auc", "log10_pval", "log10_padj", "pct_group"):
            np.testing.assert_array_equal(together[name][:, t], alone[name][:, 0], err_msg=name)

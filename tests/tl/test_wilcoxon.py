"""Rank tests end to end are scipy's, and exhaustive permutation's on small tied groups."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

import dex

STAT = {"rtol": 1e-10, "atol": 1e-12}
LOG10_P = {"rtol": 0, "atol": 1e-9}


def sides(adata, group="treated"):
    inside = (adata.obs["condition"] == group).to_numpy()
    return np.asarray(adata.X)[inside], np.asarray(adata.X)[~inside]


def exhaustive_p(x, y):
    """P(|U - E U| >= |u - E U|) over every choice of the group."""
    pooled = stats.rankdata(np.concatenate([x, y]))
    n = len(x)
    expected = n * (len(pooled) + 1) / 2
    sums = np.array([pooled[list(chosen)].sum() for chosen in combinations(range(len(pooled)), n)])
    return np.mean(np.abs(sums - expected) >= abs(pooled[:n].sum() - expected) - 1e-9)


def test_large_groups_are_scipys_normal_approximation(column):
    adata = dex.datasets.simulate_counts(40, n_per_group=(30, 35), mean_count=3, seed=6)
    dex.tl.rank_genes(adata, "condition", method="wilcoxon", scale="linear", unit="samples")
    adata.X = np.log2(1 + adata.X.astype(float))
    x, y = sides(adata)
    expected = stats.mannwhitneyu(x, y, axis=0, use_continuity=False, method="asymptotic")
    tested = ~np.isnan(column(adata, "pval")[:, 0])
    assert tested.sum() > 30
    auc = expected.statistic / (len(x) * len(y))
    np.testing.assert_allclose(column(adata, "auc")[tested, 0], auc[tested], **STAT)
    np.testing.assert_allclose(
        column(adata, "log10_pval")[tested, 0], np.log10(expected.pvalue[tested]), **LOG10_P
    )
    z = np.sign(auc - 0.5) * stats.norm.isf(expected.pvalue / 2)
    np.testing.assert_allclose(column(adata, "stat")[tested, 0], z[tested], rtol=1e-8, atol=1e-8)


def test_small_groups_without_ties_are_scipys_exact(logs, column, caplog):
    dex.tl.rank_genes(logs, "condition", method="wilcoxon", scale="logcpm")
    X = np.asarray(logs.X)
    untied = np.array([len(np.unique(gene)) == len(gene) for gene in X.T])
    assert untied.sum() > 20
    expected = stats.mannwhitneyu(*sides(logs), axis=0, method="exact").pvalue
    np.testing.assert_allclose(column(logs, "pval")[untied, 0], expected[untied], rtol=1e-10)
    assert "without ties no p-value there is below 0.0079" in caplog.text


def test_small_groups_with_ties_are_exhaustive_permutation(column):
    rng = np.random.default_rng(8)
    adata = dex.datasets.simulate_counts(40, n_per_group=(4, 5), seed=9)
    adata.X = rng.integers(0, 4, adata.shape).astype(float)
    adata.layers["ties"] = adata.X.copy()
    dex.tl.rank_genes(adata, "condition", method="wilcoxon", layer="ties", scale="linear")
    x, y = sides(adata)
    expected = [exhaustive_p(x[:, j], y[:, j]) for j in range(adata.n_vars)]
    np.testing.assert_allclose(column(adata, "pval")[:, 0], expected, rtol=1e-10)


def test_one_observation_can_be_ranked(logs, column):
    one = logs[[0, *range(5, 10)]].copy()
    dex.tl.rank_genes(one, "condition", method="wilcoxon", scale="logcpm")
    assert np.nanmin(column(one, "pval")) == pytest.approx(2 / 6)
    assert dex.get.tests_df(one)["n_reference"].item() == 1


def test_ranks_do_not_see_a_monotone_scale(logs, column):
    logs.layers["stretched"] = np.exp(np.asarray(logs.X))
    dex.tl.rank_genes(logs, "condition", method="wilcoxon", scale="logcpm")
    options = {"layer": "stretched", "scale": "linear", "key_added": "stretched"}
    dex.tl.rank_genes(logs, "condition", method="wilcoxon", **options)
    for name in ("stat", "auc", "log10_pval"):
        np.testing.assert_array_equal(column(logs, name), column(logs, name, "stretched"))


def test_each_of_three_groups(three_groups, log_cpm, column):
    three_groups.X = log_cpm(three_groups.X)
    dex.tl.rank_genes(three_groups, "condition", method="wilcoxon", scale="logcpm")
    for i, group in enumerate("abc"):
        x, y = sides(three_groups, group)
        u = stats.mannwhitneyu(x, y, axis=0).statistic
        auc = column(three_groups, "auc")[:, i]
        np.testing.assert_allclose(auc, u / (len(x) * len(y)), **STAT)

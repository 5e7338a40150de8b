"""t tests end to end are scipy's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import dex

STAT = {"rtol": 1e-10}  # the bound; sums in another order differ by about 1e-14
INTERVAL = {"rtol": 1e-8, "atol": 1e-9}
LOG10_P = {"rtol": 0, "atol": 1e-9}  # the bound


def split(adata, X=None):
    X = adata.X if X is None else X
    treated = (adata.obs["condition"] == "treated").to_numpy()
    return X[treated], X[~treated]


@pytest.mark.parametrize(("method", "equal_var"), [("t-test", False), ("t-test-student", True)])
def test_two_groups_are_scipys(logs, column, method, equal_var):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm")
    expected = stats.ttest_ind(*split(logs), axis=0, equal_var=equal_var)
    np.testing.assert_allclose(column(logs, "stat")[:, 0], expected.statistic, **STAT)
    np.testing.assert_allclose(column(logs, "df")[:, 0], expected.df, **STAT)
    np.testing.assert_allclose(
        column(logs, "log10_pval")[:, 0], np.log10(expected.pvalue), **LOG10_P
    )
    np.testing.assert_allclose(column(logs, "pval")[:, 0], expected.pvalue, rtol=1e-8)


@pytest.mark.parametrize("method", ["t-test", "t-test-student"])
def test_stat_is_the_difference_over_its_error(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm")
    treated, control = split(logs)
    difference = treated.mean(axis=0) - control.mean(axis=0)
    np.testing.assert_allclose(column(logs, "mean_diff")[:, 0], difference, rtol=1e-9, atol=1e-12)
    ratio = column(logs, "mean_diff") / column(logs, "mean_diff_se")
    np.testing.assert_allclose(column(logs, "stat"), ratio, rtol=1e-12)


def test_each_group_against_the_rest(three_groups, log_cpm, column):
    X = three_groups.X = log_cpm(three_groups.X)
    dex.tl.rank_genes(three_groups, "condition", method="t-test", scale="logcpm")
    assert dex.get.tests_df(three_groups)["name"].tolist() == [f"{g} vs rest" for g in "abc"]
    for i, group in enumerate("abc"):
        inside = (three_groups.obs["condition"] == group).to_numpy()
        expected = stats.ttest_ind(X[inside], X[~inside], axis=0, equal_var=False)
        np.testing.assert_allclose(column(three_groups, "stat")[:, i], expected.statistic, **STAT)


def test_each_group_against_a_reference(three_groups, log_cpm, column):
    X = three_groups.X = log_cpm(three_groups.X)
    options = {"method": "t-test-student", "reference": "b", "scale": "logcpm"}
    dex.tl.rank_genes(three_groups, "condition", **options)
    groups = three_groups.obs["condition"].to_numpy()
    assert dex.get.tests_df(three_groups)["name"].tolist() == ["a vs b", "c vs b"]
    for i, group in enumerate("ac"):
        expected = stats.ttest_ind(X[groups == group], X[groups == "b"], axis=0)
        np.testing.assert_allclose(column(three_groups, "stat")[:, i], expected.statistic, **STAT)


def test_pairs_are_scipys(column, log_cpm):
    adata = dex.datasets.simulate_counts(50, n_per_group=6, paired=True, seed=3)
    adata.X = log_cpm(adata.X)
    shuffled = adata[np.random.default_rng(0).permutation(12)].copy()
    options = {"method": "t-test-paired", "block": "donor", "scale": "logcpm"}
    dex.tl.rank_genes(shuffled, "condition", **options)
    expected = stats.ttest_rel(adata.X[6:], adata.X[:6], axis=0)
    np.testing.assert_allclose(column(shuffled, "stat")[:, 0], expected.statistic, **STAT)
    np.testing.assert_allclose(
        column(shuffled, "log10_pval")[:, 0], np.log10(expected.pvalue), **LOG10_P
    )
    assert (column(shuffled, "df") == 5).all()


def test_an_unpaired_sample_is_left_out_and_named(column, log_cpm, caplog):
    adata = dex.datasets.simulate_counts(50, n_per_group=5, paired=True, seed=3)
    adata.X = log_cpm(adata.X)
    options = {"method": "t-test-paired", "block": "donor", "scale": "logcpm"}
    fewer = adata[1:].copy()
    dex.tl.rank_genes(fewer, "condition", **options)
    assert "1 unpaired observation left out: donor 'donor1'" in caplog.text
    complete = adata[adata.obs["donor"] != "donor1"].copy()
    dex.tl.rank_genes(complete, "condition", **options)
    for name in ("stat", "log2fc", "log10_padj", "mean_group", "base_mean"):
        np.testing.assert_allclose(column(fewer, name), column(complete, name), **STAT)
    assert dex.get.tests_df(fewer)[["n_group", "n_reference"]].to_numpy().tolist() == [[4, 4]]


def test_pairs_among_observations_without_a_label(column, log_cpm):
    adata = dex.datasets.simulate_counts(50, n_per_group=6, paired=True, seed=3)
    adata.X = log_cpm(adata.X)
    labels = adata.obs["condition"].astype(object)
    labels.iloc[[0, 6, 8]] = None  # both samples of donor 1, one of donor 3
    adata.obs["condition"] = pd.Categorical(labels)
    options = {"method": "t-test-paired", "block": "donor", "scale": "logcpm"}
    dex.tl.rank_genes(adata, "condition", **options)
    pairs = [1, 3, 4, 5]
    expected = stats.ttest_rel(adata.X[[i + 6 for i in pairs]], adata.X[pairs], axis=0)
    np.testing.assert_allclose(column(adata, "stat")[:, 0], expected.statistic, **STAT)


@pytest.mark.parametrize("method", ["t-test", "t-test-student"])
def test_the_difference_is_in_log2_whatever_the_base(samples, column, method):
    normalised = samples.X / samples.X.sum(axis=1, keepdims=True) * 1e4
    samples.layers["ln"] = np.log1p(normalised)
    samples.layers["log2"] = np.log2(1 + normalised)
    for layer, scale in (("ln", "ln1p"), ("log2", "log2p1")):
        options = {"method": method, "layer": layer, "scale": scale, "key_added": layer}
        dex.tl.rank_genes(samples, "condition", **options)
    for name in ("mean_diff", "mean_diff_se", "log2fc", "stat", "log10_pval"):
        np.testing.assert_allclose(
            column(samples, name, "ln"), column(samples, name, "log2"), rtol=1e-4, atol=1e-5
        )  # float32 logs


def test_p_does_not_underflow(column):
    rng = np.random.default_rng(1)
    adata = dex.datasets.simulate_counts(20, n_per_group=300, seed=5)
    X = rng.normal(8, 0.01, adata.shape)
    X[300:, 0] += 4
    adata.X = X
    dex.tl.rank_genes(adata, "condition", method="t-test-student", scale="log2")
    assert column(adata, "pval")[0, 0] == 0
    t, df = column(adata, "stat")[0, 0], 598
    # Two tails of t are I_x(a, b), x = df / (df + t^2), by its series (NIST DLMF 8.17.8).
    a, b, x = df / 2, 0.5, df / (df + t**2)
    log_p = a * np.log(x) + b * np.log1p(-x) - np.log(a) - special.betaln(a, b)
    expected = (log_p + np.log(special.hyp2f1(a + b, 1, a + 1, x))) / np.log(10)
    assert column(adata, "log10_pval")[0, 0] == pytest.approx(expected, abs=1e-9)
    assert expected < -1000
    assert dex.get.rank_genes_df(adata)["gene"][0] == adata.var_names[0]


@pytest.mark.parametrize(("method", "equal_var"), [("t-test", False), ("t-test-student", True)])
def test_intervals_and_effect_sizes(logs, column, method, equal_var):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm")
    treated, control = split(logs)
    interval = stats.ttest_ind(treated, control, axis=0, equal_var=equal_var).confidence_interval()
    np.testing.assert_allclose(column(logs, "mean_diff_low")[:, 0], interval.low, **INTERVAL)
    np.testing.assert_allclose(column(logs, "mean_diff_high")[:, 0], interval.high, **INTERVAL)
    n, m = len(treated), len(control)
    within = (n - 1) * treated.var(axis=0, ddof=1) + (m - 1) * control.var(axis=0, ddof=1)
    d = (treated.mean(axis=0) - control.mean(axis=0)) / np.sqrt(within / (n + m - 2))
    np.testing.assert_allclose(column(logs, "cohens_d")[:, 0], d, **STAT)
    dex.tl.rank_genes(logs, "condition", method="wilcoxon", scale="logcpm", key_added="ranks")
    assert "ranks_cohens_d" not in logs.varm
    options = {"scale": "logcpm", "stats": "cohens_d", "key_added": "ranks"}
    dex.tl.rank_genes(logs, "condition", method="wilcoxon", **options)
    np.testing.assert_array_equal(column(logs, "cohens_d", "ranks"), column(logs, "cohens_d"))

"""``test="any"``: one test over all groups or contrasts."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

import dex
from dex.errors import InputError

STAT = {"rtol": 1e-9}
LOG10_P = {"rtol": 0, "atol": 1e-9}


@pytest.fixture
def logs3(three_groups, log_cpm):
    three_groups.X = log_cpm(three_groups.X)
    return three_groups[:, np.ptp(three_groups.X, axis=0) > 0].copy()


def by_group(adata):
    return [adata.X[(adata.obs["condition"] == group).to_numpy()] for group in "abc"]


def welch(adata):
    parts = by_group(adata)
    tests = [
        anova_oneway([part[:, j] for part in parts], use_var="unequal") for j in range(adata.n_vars)
    ]
    return np.array([(test.statistic, test.pvalue) for test in tests]).T


EXPECTED = {
    "t-test": welch,
    "t-test-student": lambda adata: stats.f_oneway(*by_group(adata), axis=0),
    "ols": lambda adata: stats.f_oneway(*by_group(adata), axis=0),
    "wilcoxon": lambda adata: stats.kruskal(*by_group(adata), axis=0),
}


@pytest.mark.parametrize("method", EXPECTED)
def test_any_difference(logs3, column, method):
    with np.errstate(invalid="ignore", divide="ignore"):
        stat, pval = EXPECTED[method](logs3)
    fine = np.isfinite(stat)
    assert fine.sum() > 30
    dex.tl.rank_genes(logs3, "condition", method=method, test="any", scale="logcpm")
    np.testing.assert_allclose(column(logs3, "stat")[fine, 0], stat[fine], **STAT)
    np.testing.assert_allclose(
        column(logs3, "log10_pval")[fine, 0], np.log10(pval[fine]), **LOG10_P
    )


@pytest.mark.parametrize("method", EXPECTED)
def test_the_effects_lie_beside_the_test(logs3, column, method):
    dex.tl.rank_genes(logs3, "condition", method=method, test="any", scale="logcpm")
    assert np.isnan(column(logs3, "log2fc")).all()
    assert logs3.uns["rank_genes"]["effects"].tolist() == ["b vs a", "c vs a"]
    options = {"method": method, "reference": "a", "scale": "logcpm", "key_added": "each"}
    dex.tl.rank_genes(logs3, "condition", **options)
    np.testing.assert_allclose(
        column(logs3, "effects"), column(logs3, "log2fc", "each"), rtol=1e-9, atol=1e-12
    )
    assert dex.get.tests_df(logs3)["name"].tolist() == ["any difference in condition"]


@pytest.mark.parametrize(
    ("method", "reference"), [("wilcoxon", "c"), ("wilcoxon", "rest"), ("ols", "c")]
)
def test_effects_against_another_reference(logs3, column, method, reference):
    options = {"method": method, "reference": reference, "scale": "logcpm"}
    dex.tl.rank_genes(logs3, "condition", test="any", **options)
    n_effects = 2 if reference == "c" else 3
    assert column(logs3, "effects").shape == (logs3.n_vars, n_effects)
    dex.tl.rank_genes(logs3, "condition", key_added="each", **options)
    np.testing.assert_allclose(
        column(logs3, "effects"), column(logs3, "log2fc", "each"), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("method", ["t-test-student", "wilcoxon"])
def test_two_groups_are_one_effect(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, test="any", scale="logcpm")
    assert column(logs, "effects").shape == (logs.n_vars, 1)
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm", key_added="each")
    np.testing.assert_array_equal(column(logs, "effects"), column(logs, "log2fc", "each"))


@pytest.mark.parametrize("vcov", ["classical", "HC3"])
def test_several_contrasts_of_a_model(samples, log_cpm, column, vcov):
    dex.tl.rank_genes(
        samples,
        design="~ batch + condition",
        contrasts=["condition[T.treated]", "batch[T.batch2]"],
        method="ols",
        test="any",
        vcov=vcov,
    )
    obs = samples.obs
    X = np.column_stack([np.ones(10), obs["batch"] == "batch2", obs["condition"] == "treated"])
    options = {"cov_type": "HC3", "use_t": True} if vcov == "HC3" else {}
    tested = np.flatnonzero(samples.X.any(axis=0))
    Y = log_cpm(samples.X)
    tests = [
        sm.OLS(Y[:, j], X.astype(float)).fit(**options).f_test(np.eye(3)[[2, 1]]) for j in tested
    ]
    np.testing.assert_allclose(
        column(samples, "stat")[tested, 0], [test.fvalue for test in tests], rtol=1e-8
    )
    np.testing.assert_allclose(
        column(samples, "log10_pval")[tested, 0],
        np.log10([test.pvalue for test in tests]),
        atol=1e-8,
    )


def test_genes_without_a_test_have_a_status(three_groups):
    three_groups.X[:, 3] = 0
    dex.tl.rank_genes(three_groups, "condition", method="t-test", test="any")
    table = dex.get.rank_genes_df(three_groups).set_index("gene")
    assert table.loc["gene0004", "status"] == "all_zero"
    assert np.isnan(table.loc["gene0004", "padj"])


@pytest.mark.parametrize("method", ["t-test", "wilcoxon"])
def test_some_of_the_groups_are_no_omnibus_test(three_groups, unchanged, method):
    with unchanged(three_groups), pytest.raises(InputError, match=r"test='any'.*all.*groups"):
        dex.tl.rank_genes(three_groups, "condition", groups=["b"], method=method, test="any")


def test_pairs_have_no_omnibus_test(samples, unchanged):
    with unchanged(samples), pytest.raises(InputError, match=r"test='any'.*paired t-test"):
        dex.tl.rank_genes(samples, "condition", method="t-test-paired", test="any", block="batch")


@pytest.mark.parametrize(
    ("method", "has_p"),
    [("wilcoxon", True), ("t-test-student", True), ("ols", True), ("t-test", False)],
)
def test_a_group_of_one(three_groups, column, caplog, method, has_p):
    kept = np.flatnonzero(three_groups.obs["condition"] != "a")
    lone = three_groups[np.concatenate([[0], kept])].copy()
    dex.tl.rank_genes(lone, "condition", method=method, test="any")
    tested = lone.X.any(axis=0)
    assert np.isfinite(column(lone, "pval")[tested, 0]).all() == has_p
    status = column(lone, "status")[tested, 0]
    expected = dex.results.Status.TESTED if has_p else dex.results.Status.NO_REPLICATES
    assert set(status) == {expected}
    assert ("no p-values" in caplog.text) == (not has_p)

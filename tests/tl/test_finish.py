"""Status, p and adjusted p of every gene, tested or not."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

import dex

METHODS = ("t-test", "t-test-student", "wilcoxon", "ols")
SAME = {"rtol": 1e-9, "atol": 1e-14}


def words(adata):
    table = dex.get.rank_genes_df(adata)
    return table.drop_duplicates("gene").set_index("gene")["status"].reindex(adata.var_names)


@pytest.mark.parametrize("padj_method", ["fdr_bh", "fdr_by", "holm", "bonferroni", "fdr_tsbky"])
def test_padj_is_statsmodels_on_the_finite_p(samples, column, padj_method):
    dex.tl.rank_genes(samples, "condition", method="t-test", padj_method=padj_method)
    pval, padj = column(samples, "pval")[:, 0], column(samples, "padj")[:, 0]
    tested = np.isfinite(pval)
    assert 50 < tested.sum() < 60
    np.testing.assert_allclose(
        padj[tested], multipletests(pval[tested], method=padj_method)[1], **SAME
    )
    assert np.isnan(padj[~tested]).all()
    np.testing.assert_allclose(column(samples, "log10_padj")[tested, 0], np.log10(padj[tested]))
    assert samples.uns["rank_genes"]["params"]["corr_method"] == padj_method


@pytest.mark.parametrize("scope", ["test", "global"])
def test_padj_over_each_test_or_all(three_groups, column, scope):
    three_groups.X[:, 5] = 0
    dex.tl.rank_genes(three_groups, "condition", method="t-test", padj_scope=scope)
    pval, padj = column(three_groups, "pval"), column(three_groups, "padj")
    tested = np.isfinite(pval)
    expected = np.full(pval.shape, np.nan)
    if scope == "global":
        expected[tested] = multipletests(pval[tested], method="fdr_bh")[1]
    else:
        for i in range(3):
            some = tested[:, i]
            expected[some, i] = multipletests(pval[some, i], method="fdr_bh")[1]
    np.testing.assert_allclose(padj, expected, **SAME)


@pytest.mark.parametrize("method", METHODS)
def test_a_gene_without_counts_has_no_numbers(samples, column, method):
    dex.tl.rank_genes(samples, "condition", method=method)
    for name in ("log2fc", "log2fc_se", "stat", "pval", "padj", "log10_pval", "log10_padj"):
        assert np.isnan(column(samples, name)[7]).all()
        assert np.isfinite(column(samples, name)).any()
    assert column(samples, "base_mean")[7, 0] == 0
    assert words(samples)["gene0008"] == "all_zero"


def test_a_gene_without_counts_on_either_side_of_one_test(three_groups, column):
    three_groups.X[:9, 2] = 0  # all of a and b
    dex.tl.rank_genes(three_groups, "condition", method="wilcoxon", reference="a")
    assert dex.get.tests_df(three_groups)["name"].tolist() == ["b vs a", "c vs a"]
    assert column(three_groups, "status")[2].tolist() == [dex.results.Status.ALL_ZERO, 0]
    assert np.isnan(column(three_groups, "log2fc")[2]).tolist() == [True, False]


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_gene_keeps_its_fold_change(logs, column, method):
    logs.X[:, 3] = 6.5
    dex.tl.rank_genes(logs, "condition", method=method, scale="log2")
    assert words(logs)["gene0004"] == "constant"
    assert np.isnan(column(logs, "pval")[3, 0])
    assert column(logs, "log2fc")[3, 0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("method", ["t-test", "t-test-student", "ols"])
def test_a_gene_constant_within_groups_is_not_infinitely_significant(logs, column, method):
    logs.X[:, 3] = np.where(logs.obs["condition"] == "treated", 6.1, 5.3)
    dex.tl.rank_genes(logs, "condition", method=method, scale="log2")
    assert words(logs)["gene0004"] == "constant"
    assert np.isnan(column(logs, "stat")[3, 0])
    assert column(logs, "log2fc")[3, 0] == pytest.approx(0.8, rel=0.1)


@pytest.mark.parametrize("as_array", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_genes_outside_the_mask_are_filtered(samples, column, method, as_array):
    mask = np.arange(60) % 3 > 0
    samples.var["keep"] = mask
    option = mask if as_array else "keep"
    dex.tl.rank_genes(samples, "condition", method=method, mask_var=option)
    assert (words(samples)[~mask] == "filtered").all()
    assert not (words(samples)[mask] == "filtered").any()
    for name in set(samples.uns["rank_genes"]["columns"]) - {"status"}:
        assert np.isnan(column(samples, name)[~mask]).all()
        assert np.isfinite(column(samples, name)[mask]).any()
    pval, tested = column(samples, "pval")[:, 0], np.isfinite(column(samples, "pval")[:, 0])
    expected = multipletests(pval[tested], method="fdr_bh")[1]
    np.testing.assert_allclose(column(samples, "padj")[tested, 0], expected, **SAME)


@pytest.mark.parametrize("method", METHODS)
def test_a_mask_changes_no_number_but_padj(samples, column, method):
    mask = np.arange(60) >= 20
    dex.tl.rank_genes(samples, "condition", method=method)
    dex.tl.rank_genes(samples, "condition", method=method, mask_var=mask, key_added="masked")
    for name in set(samples.uns["rank_genes"]["columns"]) - {"padj", "log10_padj"}:
        np.testing.assert_allclose(
            column(samples, name, "masked")[mask],
            column(samples, name)[mask],
            rtol=1e-10,
            atol=1e-12,
        )


@pytest.mark.parametrize("method", ["t-test", "t-test-student", "wilcoxon"])
def test_one_observation_in_a_group(three_groups, column, caplog, method):
    few = three_groups[[0, *range(4, 15)]].copy()
    dex.tl.rank_genes(few, "condition", method=method, reference="b")
    assert np.isfinite(column(few, "log2fc")).all()
    has_p = np.isfinite(column(few, "pval")).any(axis=0).tolist()
    assert has_p == [method != "t-test", True]
    if method == "t-test":
        assert set(column(few, "status")[:, 0]) == {dex.results.Status.NO_REPLICATES}
        assert "1 of 2 tests have too few observations for a p-value" in caplog.text
        assert "'a vs b' with 1 against 5" in caplog.text


@pytest.mark.parametrize("method", METHODS)
def test_degrees_of_freedom(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm")
    if method == "wilcoxon":
        assert "df" not in logs.uns["rank_genes"]["columns"]
    else:
        df = column(logs, "df")
        assert ((df > 4 - 1e-9) & (df <= 8)).all()
        assert method == "t-test" or (df == 8).all()


def test_pval_is_ten_to_its_log(samples, column):
    dex.tl.rank_genes(samples, "condition", method="t-test")
    np.testing.assert_array_equal(column(samples, "pval"), 10 ** column(samples, "log10_pval"))
    assert column(samples, "status").dtype == np.int8

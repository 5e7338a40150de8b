"""Least squares end to end are statsmodels'."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import dex
from dex.errors import InputError

STAT = {"rtol": 1e-9, "atol": 1e-10}
LOG10_P = {"rtol": 0, "atol": 1e-9}


def fits(Y, design, **options):
    return [sm.OLS(y, design).fit(**options) for y in np.asarray(Y).T]


@pytest.fixture
def design(samples):
    treated = (samples.obs["condition"] == "treated").to_numpy(float)
    second = (samples.obs["batch"] == "batch2").to_numpy(float)
    return np.column_stack([np.ones(10), second, treated])


def assert_equal_to(adata, column, expected, tested):
    for name, attribute in (("log2fc", "params"), ("log2fc_se", "bse"), ("stat", "tvalues")):
        values = np.array([getattr(fit, attribute)[-1] for fit in expected])
        np.testing.assert_allclose(column(adata, name)[tested, 0], values[tested], **STAT)
    log10_pval = np.log10([fit.pvalues[-1] for fit in expected])
    np.testing.assert_allclose(
        column(adata, "log10_pval")[tested, 0], log10_pval[tested], **LOG10_P
    )


@pytest.mark.parametrize("vcov", ["classical", "HC3"])
@pytest.mark.parametrize("question", [{"groupby": "condition"}, {}])
def test_a_covariate_is_adjusted_for(samples, design, log_cpm, column, vcov, question):
    dex.tl.rank_genes(samples, design="~ batch + condition", method="ols", vcov=vcov, **question)
    options = {"cov_type": "HC3", "use_t": True} if vcov == "HC3" else {}
    expected = fits(log_cpm(samples.X), design, **options)
    tested = samples.X.any(axis=0)
    assert tested.sum() == 59
    assert_equal_to(samples, column, expected, tested)
    assert (column(samples, "df")[tested] == 7).all()
    np.testing.assert_array_equal(np.isnan(column(samples, "pval")[:, 0]), ~tested)


def test_natural_logs_give_log2_effects(samples, design, column):
    ln1p = np.log1p(samples.X / samples.X.sum(axis=1, keepdims=True) * 1e4)
    samples.X = ln1p.astype(float)
    dex.tl.rank_genes(
        samples, "condition", design="~ batch + condition", method="ols", scale="ln1p"
    )
    expected = fits(samples.X / np.log(2), design)
    assert_equal_to(samples, column, expected, samples.X.any(axis=0))


def test_a_slope(samples, log_cpm, column):
    age = np.random.default_rng(2).normal(50, 10, 10)
    samples.obs["age"] = age
    dex.tl.rank_genes(samples, design="~ batch + age", method="ols")
    second = (samples.obs["batch"] == "batch2").to_numpy(float)
    expected = fits(log_cpm(samples.X), np.column_stack([np.ones(10), second, age]))
    assert_equal_to(samples, column, expected, samples.X.any(axis=0))
    assert dex.get.tests_df(samples)["kind"].item() == "coefficient"
    assert "names" not in samples.uns["rank_genes"]


def test_a_matrix_is_a_design(samples, design, log_cpm, column):
    frame = pd.DataFrame(design, index=samples.obs_names, columns=["one", "batch", "treated"])
    dex.tl.rank_genes(samples, design=frame[::-1], contrasts="treated", method="ols")
    assert_equal_to(samples, column, fits(log_cpm(samples.X), design), samples.X.any(axis=0))


def test_groups_against_the_mean_of_the_others(three_groups, log_cpm, column):
    dex.tl.rank_genes(three_groups, "condition", method="ols")
    means = pd.get_dummies(three_groups.obs["condition"], dtype=float).to_numpy()
    expected = fits(log_cpm(three_groups.X), means)
    for i, weights in enumerate(np.eye(3) * 1.5 - 0.5):
        tests = [fit.t_test(weights) for fit in expected]
        stat = np.array([test.tvalue.item() for test in tests])
        np.testing.assert_allclose(column(three_groups, "stat")[:, i], stat, **STAT)
        effect = np.array([test.effect.item() for test in tests])
        np.testing.assert_allclose(column(three_groups, "log2fc")[:, i], effect, **STAT)


def test_named_contrasts_come_in_the_order_given(three_groups, column):
    contrasts = {"c/b": ("condition", "c", "b"), "mid": "(a + c) / 2 - b"}
    dex.tl.rank_genes(three_groups, design="~ condition", contrasts=contrasts, method="ols")
    assert dex.get.tests_df(three_groups)["name"].tolist() == ["c/b", "mid"]
    dex.tl.rank_genes(
        three_groups, "condition", reference="b", groups=["a", "c"], method="ols", key_added="each"
    )
    a, c = column(three_groups, "log2fc", "each").T
    np.testing.assert_allclose(
        column(three_groups, "log2fc"), np.column_stack([c, (a + c) / 2]), **STAT
    )


def test_ols_of_two_groups_is_students_t(logs, column):
    dex.tl.rank_genes(logs, "condition", method="ols", scale="logcpm")
    dex.tl.rank_genes(logs, "condition", method="t-test-student", scale="logcpm", key_added="t")
    for name, same in (("stat", "stat"), ("log10_pval", "log10_pval"), ("log2fc", "mean_diff")):
        np.testing.assert_allclose(column(logs, name), column(logs, same, "t"), **STAT)


def test_no_residual_degrees_of_freedom_leave_the_fold_changes(samples, log_cpm, column, caplog):
    two = samples[[0, 9]].copy()
    dex.tl.rank_genes(two, "condition", method="ols")
    values = log_cpm(two.X)
    tested = two.X.any(axis=0)
    np.testing.assert_allclose(
        column(two, "log2fc")[tested, 0], (values[1] - values[0])[tested], **STAT
    )
    assert np.isnan(column(two, "pval")).all()
    assert np.isnan(column(two, "padj")).all()
    status = dex.get.rank_genes_df(two).set_index("gene")["status"]
    assert (status[two.var_names[tested]] == "no_replicates").all()
    assert (status[two.var_names[~tested]] == "all_zero").all()
    assert "2 observations and 2 coefficients leave no residual degrees of freedom" in caplog.text
    assert two.uns["rank_genes"]["tests"]["n_group"].tolist() == [1]


@pytest.mark.parametrize("test", ["each", "any"])
def test_hc3_says_what_rests_on_one_observation(three_groups, column, caplog, test):
    kept = np.flatnonzero(three_groups.obs["condition"] != "a")
    lone = three_groups[np.concatenate([[0], kept])].copy()
    contrasts = [("condition", "a", "b"), ("condition", "c", "b")]
    options = {"method": "ols", "vcov": "HC3", "test": test}
    dex.tl.rank_genes(lone, "condition", contrasts=contrasts, **options)
    tested = lone.X.any(axis=0)
    status = column(lone, "status")[tested]
    assert set(status[:, 0]) == {dex.results.Status.NO_REPLICATES}
    if test == "each":
        assert set(status[:, 1]) == {dex.results.Status.TESTED}
    assert "HC3 has no standard error for 'a vs b'" in caplog.text


@pytest.mark.parametrize("lfc", [0.0, 1.0])
def test_what_the_design_fits_exactly_is_constant(logs, column, lfc):
    logs.X = np.array(logs.X)
    logs.X[:, 3] = np.where(logs.obs["condition"] == "treated", 5.0, 0.0)
    dex.tl.rank_genes(logs, "condition", method="ols", scale="logcpm", lfc=lfc)
    assert column(logs, "status")[3, 0] == dex.results.Status.CONSTANT
    assert np.isnan(column(logs, "pval")[3, 0])


def test_contrasts_alone_make_their_own_design(samples, column):
    contrasts = ("condition", "treated", "control")
    dex.tl.rank_genes(samples, contrasts=contrasts, method="ols")
    dex.tl.rank_genes(samples, "condition", method="ols", key_added="groupby")
    np.testing.assert_array_equal(column(samples, "stat"), column(samples, "stat", "groupby"))


@pytest.mark.parametrize("foreign", [{"base": None}, {"connectivities_key": "c"}, 3, "text"])
def test_what_is_no_result_is_not_overwritten(samples, foreign):
    samples.uns["mine"] = foreign
    with pytest.raises(InputError, match="holds something else; choose another name"):
        dex.tl.rank_genes(samples, "condition", key_added="mine")
    assert samples.uns["mine"] == foreign


def test_a_result_of_scanpy_is_replaced(samples):
    samples.uns["rank_genes_groups"] = {"params": {}, "names": np.rec.fromarrays([["a"]])}
    dex.tl.rank_genes(samples, "condition", key_added="rank_genes_groups")
    assert dex.get.tests_df(samples, key="rank_genes_groups")["n_tested"].item() > 0


def test_a_main_effect_beside_an_interaction_is_of_the_observations_at_the_reference(
    column, libraries
):
    adata = dex.datasets.simulate_counts(50, n_per_group=4, seed=3)
    adata.obs["sex"] = ["f", "m"] * 4
    contrasts = ("condition", "treated", "control")
    dex.tl.rank_genes(adata, design="~ sex * condition", contrasts=contrasts)
    tests = dex.get.tests_df(adata)
    assert tests["name"].item() == "treated vs control (sex = f)"
    assert tests[["n_group", "n_reference"]].to_numpy().tolist() == [[2, 2]]
    cpm = adata.X / libraries(adata.X) * 1e6
    women = (adata.obs["sex"] == "f").to_numpy()
    treated = (adata.obs["condition"] == "treated").to_numpy()
    means = {"mean_group": women & treated, "mean_reference": women & ~treated}
    for name, rows in means.items():
        np.testing.assert_allclose(column(adata, name)[:, 0], cpm[rows].mean(axis=0), rtol=1e-9)

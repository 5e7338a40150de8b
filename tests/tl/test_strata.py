"""``block=`` of the Wilcoxon test, from an AnnData to its table."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import dex
from dex.results import Status
from dex.stats.stratified_ranks import Strata, stratified_rank_sum_test
from dex.typing import REST

BY_HAND = {"rtol": 1e-9, "atol": 1e-11}
CELLS = {"method": "wilcoxon", "replicate": None}


@pytest.fixture
def screen():
    """Cells of 8 replicates in 3 batches of unlike expression and share of treated cells."""
    adata = dex.datasets.simulate_counts(
        80, n_per_group=4, cells_per_replicate=40, n_batches=1, mean_count=0.3, seed=5
    )
    rng = np.random.default_rng(5)
    adata.obs["pool"] = pd.Categorical(rng.choice(["p1", "p2", "p10"], adata.n_obs))
    odds = adata.obs["pool"].map({"p1": 0.2, "p2": 0.5, "p10": 0.8}).astype(float).to_numpy()
    labels = np.where(rng.random(adata.n_obs) < odds, "treated", "control")
    adata.obs["guide"] = pd.Categorical(labels)
    third = rng.random(adata.n_obs) < 0.2
    adata.layers["logs"] = adata.X.log1p()
    adata.obs["guides"] = pd.Categorical(np.where(third, "other", labels))
    return adata


def by_hand(adata, groupby, tests, **options):
    """The test of the statistics room, all-zero genes left out."""
    pools = pd.factorize(adata.obs["pool"].astype(str))[0]
    codes = adata.obs[groupby].cat.codes.to_numpy().astype(int)
    values = adata.layers["logs"].toarray()
    test = stratified_rank_sum_test(
        values, codes, codes.max() + 1, tests, strata=Strata(pools, 3), **options
    )
    expressed = values.any(axis=0)[:, None]
    return {
        name: np.where(expressed, getattr(test, name), np.nan)
        for name in ("stat", "auc", "log10_pval")
    }


@pytest.mark.parametrize("weights", ["optimal", "design-free"])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("continuity", [True, False])
def test_is_the_stratified_test(screen, column, weights, alternative, continuity):
    options = {"weights": weights, "alternative": alternative, "continuity": continuity}
    dex.tl.rank_genes(screen, "guide", block="pool", layer="logs", **CELLS, **options)
    expected = by_hand(screen, "guide", np.array([[1, 0]]), **options)
    for name, values in expected.items():
        np.testing.assert_allclose(column(screen, name), values, **BY_HAND)
    params = screen.uns["rank_genes"]["params"]
    assert {name: params[name] for name in options} == options
    assert params["block"] == "pool"
    assert params["method_title"].startswith("van Elteren")
    assert "van Elteren (1960)" in params["citation"]


def test_several_groups_against_the_rest(screen, column):
    options = {"reference": "rest", "block": "pool", "layer": "logs"}
    dex.tl.rank_genes(screen, "guides", **options, **CELLS)
    assert screen.obs["guides"].cat.categories.tolist() == ["control", "other", "treated"]
    tests = np.column_stack([np.arange(3), np.full(3, REST)])
    expected = by_hand(screen, "guides", tests)
    np.testing.assert_allclose(column(screen, "stat"), expected["stat"], **BY_HAND)


def test_a_batch_effect_is_taken_out(screen, column):
    """Guides do nothing; pools do, and differ in their guides."""
    factor = screen.obs["pool"].map({"p1": 1.0, "p2": 2.0, "p10": 4.0}).astype(float).to_numpy()
    rng = np.random.default_rng(6)
    counts = rng.poisson(0.5 * factor[:, None], (screen.n_obs, 400))
    adata = ad.AnnData(np.log1p(counts.astype(float)), obs=screen.obs)
    options = {"scale": "ln1p", "unit": "cells", **CELLS}
    dex.tl.rank_genes(adata, "guide", key_added="crude", **options)
    dex.tl.rank_genes(adata, "guide", block="pool", **options)
    assert np.mean(column(adata, "pval", "crude") < 0.05) > 0.5
    assert abs(np.mean(column(adata, "pval") < 0.05) - 0.05) < 4 * np.sqrt(0.05 / 400)


def test_one_level_is_no_block(screen, column):
    screen.obs["chip"] = "only"
    dex.tl.rank_genes(screen, "guides", key_added="plain", **CELLS)
    dex.tl.rank_genes(screen, "guides", block="chip", **CELLS)
    for name in screen.uns["plain"]["columns"]:
        np.testing.assert_array_equal(column(screen, name), column(screen, name, "plain"))


@pytest.mark.parametrize("block", [None, "chip"])
def test_one_against_one_has_no_replicates(logs, column, block):
    logs.obs["chip"] = "only"
    two = logs[[0, 9]].copy()
    dex.tl.rank_genes(two, "condition", method="wilcoxon", block=block, scale="logcpm")
    assert np.isnan(column(two, "pval")).all()
    assert set(column(two, "status")[:, 0]) == {Status.NO_REPLICATES}
    assert "1 of 1 tests have too few" in " ".join(two.uns["rank_genes"]["notes"])


def test_small_samples_are_exact_in_blocks(logs, column, caplog):
    dex.tl.rank_genes(logs, "condition", method="wilcoxon", block="batch", scale="logcpm")
    sizes = logs.obs.groupby(["batch", "condition"], observed=True).size().tolist()
    assert sizes == [3, 3, 2, 2]
    smallest = 2 / (20 * 6)
    assert np.nanmin(column(logs, "pval")) >= smallest * (1 - 1e-12)
    assert f"no p-value there is below {smallest:.2g}" in caplog.text
    dex.tl.rank_genes(
        logs, "condition", method="wilcoxon", block="batch", scale="logcpm", alternative="less"
    )
    assert f"no p-value there is below {smallest / 2:.2g}" in caplog.text


def test_labels_levels_and_order_do_not_matter(screen, column):
    dex.tl.rank_genes(screen, "guides", block="pool", **CELLS)
    order = np.random.default_rng(0).permutation(screen.n_obs)
    other = screen[order].copy()
    other.obs["pool"] = other.obs["pool"].map({"p1": 7, "p2": 3, "p10": 5}).astype(int)
    dex.tl.rank_genes(other, "guides", block="pool", **CELLS)
    for name in ("stat", "auc", "log10_pval", "log2fc"):
        np.testing.assert_allclose(column(other, name), column(screen, name), **BY_HAND)


def test_blocks_of_genes_and_threads(screen, small_blocks, column):
    dex.tl.rank_genes(screen, "guides", block="pool", n_threads=1, key_added="one", **CELLS)
    dex.tl.rank_genes(screen, "guides", block="pool", n_threads=3, **CELLS)
    for name in ("stat", "log10_pval"):
        np.testing.assert_array_equal(column(screen, name), column(screen, name, "one"))


def test_a_test_without_a_common_stratum_has_a_status(screen, column, caplog):
    labels = np.where(screen.obs["pool"] == "p1", "lonely", screen.obs["guide"])
    screen.obs["where"] = pd.Categorical(labels)
    dex.tl.rank_genes(screen, "where", reference="control", block="pool", **CELLS)
    names = dex.get.tests_df(screen)["name"].tolist()
    assert names == ["lonely vs control", "treated vs control"]
    status = column(screen, "status")
    means = column(screen, "mean_group") + column(screen, "mean_reference")
    expressed = (means > 0).all(axis=1)
    assert set(status[expressed, 0]) == {Status.NOT_ESTIMABLE}
    assert Status.NOT_ESTIMABLE not in status[:, 1]
    for name in ("stat", "auc", "pval", "padj", "log10_pval"):
        assert np.isnan(column(screen, name)[:, 0]).all()
        assert np.isfinite(column(screen, name)[status[:, 1] == Status.TESTED, 1]).all()
    assert np.isfinite(column(screen, "log2fc")[expressed]).all()
    notes = " ".join(screen.uns["rank_genes"]["notes"])
    assert "compared within the 3 levels of obs['pool']" in notes
    fewest = "2 of 2 tests use fewer than 3, the first of the fewest is 'lonely vs control' with 0"
    assert fewest in notes
    assert "1 of 2 tests cannot be made within obs['pool']" in notes
    assert "not_estimable" in caplog.text
    assert set(dex.get.rank_genes_df(screen, "lonely vs control")["status"]) <= {
        "not_estimable",
        "all_zero",
    }


def test_observations_without_a_stratum_are_left_out(screen, column):
    unknown = np.arange(screen.n_obs) % 5 == 0
    screen.obs["pool"] = screen.obs["pool"].astype(object).where(~unknown, None)
    expected = screen[~unknown].copy()
    dex.tl.rank_genes(screen, "guide", block="pool", **CELLS)
    assert "64 observations without a label in obs['pool'] left out" in " ".join(
        screen.uns["rank_genes"]["notes"]
    )
    assert dex.get.tests_df(screen)[["n_group", "n_reference"]].sum(axis=1).item() == 256
    dex.tl.rank_genes(expected, "guide", block="pool", **CELLS)
    for name in screen.uns["rank_genes"]["columns"]:
        np.testing.assert_array_equal(column(screen, name), column(expected, name))
    assert screen.uns["rank_genes"]["params"]["n_obs"] == 256


def test_blocks_are_not_replicates(cells, caplog):
    """Cells tested within donors are still cells; the warning stays."""
    cells.obs["replicate"] = cells.obs["replicate"].astype(str)
    cells.obs["donor"] = cells.obs["replicate"].str[-1]
    del cells.obs["replicate"]
    dex.tl.rank_genes(cells, "condition", method="wilcoxon", block="donor")
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "replicate='donor' adds up the cells" in warnings[0]
    assert "it does not make the cells of one level independent" in caplog.text


def test_auto_ranks_cells_within_blocks(screen, column):
    del screen.obs["replicate"]
    dex.tl.rank_genes(screen, "guide", block="pool")
    assert screen.uns["rank_genes"]["params"]["method"] == "wilcoxon"
    dex.tl.rank_genes(screen, "guide", block="pool", key_added="named", **CELLS)
    np.testing.assert_array_equal(column(screen, "stat"), column(screen, "stat", "named"))


def test_survives_h5ad(screen, tmp_path):
    dex.tl.rank_genes(screen, "guide", block="pool", **CELLS)
    screen.write_h5ad(tmp_path / "screen.h5ad")
    again = ad.read_h5ad(tmp_path / "screen.h5ad")
    pd.testing.assert_frame_equal(dex.get.rank_genes_df(again), dex.get.rank_genes_df(screen))
    assert again.uns["rank_genes"]["params"]["weights"] == "optimal"


@pytest.mark.parametrize("method", ["t-test", "t-test-student", "t-test-paired", "ols", "wilcoxon"])
def test_one_sided_p_is_half_on_the_side_of_the_effect(logs, column, method):
    options = {"method": method, "scale": "logcpm", "reference": "control"}
    if method == "t-test-paired":
        logs.obs["pair"] = [name.split("_")[1] for name in logs.obs_names]
        options["block"] = "pair"
    p = {}
    for side in ("two-sided", "greater", "less"):
        dex.tl.rank_genes(logs, "condition", alternative=side, **options)
        p[side] = column(logs, "pval")[:, 0]
        assert logs.uns["rank_genes"]["params"]["alternative"] == side
    stat = column(logs, "stat")[:, 0]
    smaller = np.where(stat > 0, p["greater"], p["less"])
    if method == "wilcoxon":  # exact and discrete: both sides hold the value observed
        assert (p["greater"] + p["less"] > 1).all()
        treated = (logs.obs["condition"] == "treated").to_numpy()
        x, y = np.asarray(logs.X)[treated], np.asarray(logs.X)[~treated]
        untied = [j for j in range(logs.n_vars) if len(np.unique(logs.X[:, j])) == logs.n_obs]
        expected = stats.mannwhitneyu(x, y, alternative="greater", method="exact").pvalue
        np.testing.assert_allclose(p["greater"][untied], expected[untied], rtol=1e-10)
    else:
        np.testing.assert_allclose(smaller, p["two-sided"] / 2, rtol=1e-9)
        np.testing.assert_allclose(p["greater"] + p["less"], 1, rtol=1e-12)


@pytest.mark.parametrize("method", ["t-test", "t-test-student", "wilcoxon"])
@pytest.mark.parametrize("side", ["greater", "less"])
def test_one_sided_of_sparse_cells_is_that_of_scipy(screen, column, method, side):
    dex.tl.rank_genes(
        screen, "guide", method=method, replicate=None, layer="logs", alternative=side
    )
    treated = (screen.obs["guide"] == "treated").to_numpy()
    values = screen.layers["logs"].toarray().astype(float)
    expressed = values.any(axis=0)
    x, y = values[treated][:, expressed], values[~treated][:, expressed]
    if method == "wilcoxon":
        test = stats.mannwhitneyu(x, y, alternative=side, method="asymptotic", use_continuity=False)
    else:
        test = stats.ttest_ind(x, y, equal_var=method == "t-test-student", alternative=side)
    found = column(screen, "log10_pval")[expressed, 0]
    np.testing.assert_allclose(found, np.log10(test.pvalue), **BY_HAND)


@pytest.mark.parametrize("method", ["t-test", "ols"])
def test_one_sided_threshold(logs, column, method):
    dex.tl.rank_genes(
        logs, "condition", method=method, scale="logcpm", lfc=0.5, alternative="greater"
    )
    effect = "log2fc" if method == "ols" else "mean_diff"
    estimate, se, df = (column(logs, name) for name in (effect, f"{effect}_se", "df"))
    expected = np.log10(stats.t.sf((estimate - 0.5) / se, df))
    np.testing.assert_allclose(column(logs, "log10_pval"), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(column(logs, "stat"), (estimate - 0.5) / se, rtol=1e-12)

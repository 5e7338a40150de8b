"""Cell types analysed apart: each as by itself, all under one key."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError
from dex.results import Status
from dex.stats.multitest import adjust_log10_pval

TYPES = ("B cells", "T cells", "rare")
OPTIONS = {"replicate": "replicate", "per": "cell_type"}


@pytest.fixture
def cells():
    """8 replicates, 4 in each condition, x 60 cells x 120 genes; the rare type has 3 cells each."""
    adata = dex.datasets.simulate_counts(
        120, n_per_group=4, cells_per_replicate=60, mean_count=0.7, seed=31
    )
    within = np.tile(np.arange(60), 8)
    labels = np.select([within < 3, within < 30], ["rare", "B cells"], "T cells")
    adata.obs["cell_type"] = pd.Categorical(labels, categories=TYPES)
    adata.obs["age"] = 20.0 + adata.obs["replicate"].cat.codes.to_numpy() ** 2
    adata.obs["sex"] = np.where(adata.obs["replicate"].cat.codes % 2, "f", "m")
    return adata[np.random.default_rng(1).permutation(adata.n_obs)].copy()


@pytest.fixture
def paired():
    """4 donors with 30 cells of two types in either condition x 80 genes."""
    adata = dex.datasets.simulate_counts(
        80, n_per_group=4, cells_per_replicate=30, paired=True, mean_count=1, seed=32
    )
    adata.obs["cell_type"] = np.where(np.arange(adata.n_obs) % 2, "B", "T")
    return adata


@pytest.fixture
def tissues():
    """Samples of two tissues, 4 in each of two conditions."""
    adata = dex.datasets.simulate_counts(90, n_per_group=8, seed=33)
    adata.obs["tissue"] = np.where(np.arange(16) % 2, "skin", "gut")
    return adata


def test_every_type_is_tested_as_by_itself(cells, column):
    for method in ("ols", "wilcoxon", "t-test"):
        dex.tl.rank_genes(cells, "condition", method=method, **OPTIONS)
        for place, name in enumerate(TYPES[:2]):
            alone = cells[cells.obs["cell_type"] == name].copy()
            dex.tl.rank_genes(
                alone, "condition", method=method, replicate="replicate", unit="cells"
            )
            for statistic in alone.uns["rank_genes"]["columns"]:
                np.testing.assert_array_equal(
                    column(cells, statistic)[:, place], column(alone, statistic)[:, 0], statistic
                )


def test_what_the_tests_are(cells):
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    tests = dex.get.tests_df(cells)
    assert tests["name"].tolist() == [f"{name}: treated vs control" for name in TYPES]
    assert tests["per"].tolist() == list(TYPES)
    assert (tests["group"] == "treated").all()
    assert tests[["n_group", "n_reference"]].to_numpy().tolist() == [[4, 4], [4, 4], [0, 0]]
    params = dex.get.params(cells)
    assert (params["per"], params["n_obs"], len(params["sample_names"])) == ("cell_type", 16, 16)
    assert params["sample_design"].shape == (16, 2)
    assert params["contrasts"].tolist() == [[0, 1], [0, 1], [0, 0]]  # the rare type has no model
    assert not any(name in cells.var for name in ("rank_genes_pval", "rank_genes_var"))


def test_a_type_with_too_few_cells_has_a_status_and_a_sentence(cells, column, caplog):
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    assert (column(cells, "status")[:, 2] == Status.NO_REPLICATES).all()
    assert np.isnan(column(cells, "pval")[:, 2]).all()
    said = "cell_type 'rare': too few samples (0 of 'control', 0 of 'treated')"
    assert said in caplog.text
    assert any(said in note for note in cells.uns["rank_genes"]["notes"])
    dex.tl.rank_genes(cells, "condition", method="ols", min_cells=3, **OPTIONS)
    assert (column(cells, "status")[:, 2] == Status.TESTED).any()


def test_a_type_that_one_side_lacks(cells, column, caplog):
    lacks = (cells.obs["cell_type"] == "B cells") & (cells.obs["condition"] == "treated")
    few = cells[~lacks.to_numpy()].copy()
    dex.tl.rank_genes(few, "condition", method="ols", **OPTIONS)
    assert "'B cells': too few samples (4 of 'control', 0 of 'treated')" in caplog.text
    assert (column(few, "status")[:, 0] == Status.NO_REPLICATES).all()
    assert (column(few, "status")[:, 1] == Status.TESTED).any()
    assert dex.get.tests_df(few)["n_reference"].tolist() == [4, 4, 0]


def test_adjusted_within_types_and_over_all(cells, column):
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    log_p = column(cells, "log10_pval")
    for place in range(2):
        np.testing.assert_array_equal(
            column(cells, "log10_padj")[:, place], adjust_log10_pval(log_p[:, place])
        )
    over_all = adjust_log10_pval(log_p.ravel()).reshape(log_p.shape)
    np.testing.assert_array_equal(column(cells, "log10_padj_global"), over_all)
    np.testing.assert_array_equal(column(cells, "padj_global"), 10**over_all)
    dex.tl.rank_genes(cells, "condition", method="ols", padj_scope="global", **OPTIONS)
    np.testing.assert_array_equal(column(cells, "log10_padj"), over_all)


def test_over_all_types_means_of_one_contrast(cells, column):
    cells.obs["dose"] = pd.Categorical(cells.obs["replicate"].cat.codes % 4 % 3).astype(str)
    contrasts = {"low": ("dose", "1", "0"), "high": ("dose", "2", "0")}
    dex.tl.rank_genes(cells, design="~ dose", contrasts=contrasts, method="ols", **OPTIONS)
    assert dex.get.tests_df(cells)["name"].tolist()[:3] == [
        "B cells: low",
        "B cells: high",
        "T cells: low",
    ]
    log_p = column(cells, "log10_pval")
    high = log_p[:, 1::2]
    np.testing.assert_array_equal(
        column(cells, "log10_padj_global")[:, 1::2],
        adjust_log10_pval(high.ravel()).reshape(high.shape),
    )


def test_filtered_genes_of_deseq2_are_not_counted_over_all(cells, column):
    dex.tl.rank_genes(cells, "condition", method="deseq2", fit_type="mean", **OPTIONS)
    padj, together = column(cells, "log10_padj"), column(cells, "log10_padj_global")
    np.testing.assert_array_equal(np.isnan(padj), np.isnan(together))
    assert (~np.isnan(padj)).any()


def test_the_reference_is_one_for_all_types(cells, column):
    three = cells.obs["replicate"].cat.codes.to_numpy() % 3
    cells.obs["drug"] = pd.Categorical(np.array(["ctrl", "x", "y"])[three])
    gone = (cells.obs["cell_type"] == "B cells") & (cells.obs["drug"] == "ctrl")
    some = cells[~gone.to_numpy()].copy()
    for method in ("ols", "t-test"):
        dex.tl.rank_genes(some, "drug", reference="ctrl", method=method, **OPTIONS)
        tests = dex.get.tests_df(some)
        assert tests["reference"].eq("ctrl").all()
        assert (column(some, "status")[:, :2] == Status.NO_REPLICATES).all(), method
        assert (column(some, "status")[:, 2:4] == Status.TESTED).any()
    dex.tl.rank_genes(some, "drug", method="ols", **OPTIONS)  # each against the others
    tests = dex.get.tests_df(some)
    assert tests["name"].tolist()[:3] == [f"B cells: {drug} vs rest" for drug in ("ctrl", "x", "y")]
    assert tests["n_tested"].gt(0).tolist()[:6] == [False, True, True, True, True, True]


def test_contrasts_that_a_type_cannot_make_stop_no_others(cells, column, caplog):
    three = cells.obs["replicate"].cat.codes.to_numpy() % 3
    cells.obs["drug"] = np.array(["a", "b", "c"])[three]
    some = cells[~((cells.obs["cell_type"] == "B cells") & (cells.obs["drug"] == "c")).to_numpy()]
    some = some.copy()
    contrasts = [("drug", "b", "a"), ("drug", "c", "a")]
    dex.tl.rank_genes(some, design="~ drug", contrasts=contrasts, method="ols", **OPTIONS)
    assert dex.get.tests_df(some)["n_tested"].gt(0).tolist()[:4] == [True, False, True, True]
    assert "Not tested: 'c vs a'." in caplog.text
    np.testing.assert_array_equal(column(some, "log2fc")[:, 0] > 0, column(some, "stat")[:, 0] > 0)


def test_a_coefficient_must_mean_the_same(cells, caplog):
    """Without its first level a factor has another reference, and its coefficients mean others."""
    three = cells.obs["replicate"].cat.codes.to_numpy() % 3
    cells.obs["drug"] = np.array(["a", "b", "c"])[three]
    some = cells[~((cells.obs["cell_type"] == "B cells") & (cells.obs["drug"] == "a")).to_numpy()]
    some = some.copy()
    for contrasts in ("drug[T.c]", [0, 0, 1], None):
        dex.tl.rank_genes(some, design="~ drug", contrasts=contrasts, method="ols", **OPTIONS)
        assert dex.get.tests_df(some)["n_tested"].gt(0).tolist() == [False, True, False]
    dex.tl.rank_genes(some, design="~ drug", contrasts="c - b", method="ols", **OPTIONS)
    assert dex.get.tests_df(some)["n_tested"].gt(0).tolist() == [True, True, False]


def test_design_and_covariates(cells, column):
    design = "~ sex + age + condition"
    dex.tl.rank_genes(cells, "condition", design=design, method="ols", **OPTIONS)
    alone = cells[cells.obs["cell_type"] == "T cells"].copy()
    dex.tl.rank_genes(alone, "condition", design=design, method="ols", replicate="replicate")
    np.testing.assert_array_equal(column(cells, "stat")[:, 1], column(alone, "stat")[:, 0])
    dex.tl.rank_genes(cells, design="~ sex + age", method="ols", **OPTIONS)
    assert dex.get.tests_df(cells)["name"].tolist()[:2] == ["B cells: age", "T cells: age"]


def test_pairs_are_pointed_out_once_and_used(paired, column, caplog):
    options = {"replicate": "replicate", "per": "cell_type", "method": "ols"}
    dex.tl.rank_genes(paired, "condition", **options)
    assert caplog.text.count("design='~ replicate + condition' compares within each") == 1
    plain = column(paired, "df").copy()
    caplog.clear()
    dex.tl.rank_genes(paired, "condition", design="~ replicate + condition", **options)
    assert "compares within each" not in caplog.text
    assert "several samples" not in caplog.text
    assert (plain == 6).any()
    assert (column(paired, "df")[:, 0] == 3).any()


def test_a_donor_missing_from_one_type(paired, column):
    first = paired.obs["replicate"].cat.categories[0]
    gone = (paired.obs["cell_type"] == "B") & (paired.obs["replicate"] == first)
    some = paired[~gone.to_numpy()].copy()
    options = {"replicate": "replicate", "per": "cell_type", "method": "ols"}
    dex.tl.rank_genes(some, "condition", design="~ replicate + condition", **options)
    df = column(some, "df")
    assert (np.nanmax(df[:, 0]), np.nanmax(df[:, 1])) == (2, 3)


def test_any_difference(cells, column):
    dex.tl.rank_genes(cells, "condition", method="ols", test="any", **OPTIONS)
    assert dex.get.tests_df(cells)["name"].tolist()[0] == "B cells: any difference in condition"
    assert list(cells.uns["rank_genes"]["effects"]) == [
        "B cells: treated vs control",
        "T cells: treated vs control",
    ]
    assert cells.varm["rank_genes_effects"].shape == (120, 2)


def test_a_smaller_design(cells, column):
    design = {"design": "~ sex + condition", "reduced": "~ sex"}
    dex.tl.rank_genes(cells, method="ols", **design, **OPTIONS)
    alone = cells[cells.obs["cell_type"] == "B cells"].copy()
    dex.tl.rank_genes(alone, method="ols", replicate="replicate", **design)
    np.testing.assert_array_equal(column(cells, "stat")[:, 0], column(alone, "stat")[:, 0])


def test_any_difference_among_those_that_are_there(cells, caplog):
    cells.obs["drug"] = np.array(["a", "b", "c"])[cells.obs["replicate"].cat.codes % 3]
    some = cells[~((cells.obs["cell_type"] == "B cells") & (cells.obs["drug"] == "c")).to_numpy()]
    some = some.copy()
    dex.tl.rank_genes(some, "drug", test="any", method="ols", **OPTIONS)
    assert dex.get.tests_df(some)["n_tested"].gt(0).tolist() == [True, True, False]
    assert "'B cells': too few samples (3 of 'a', 3 of 'b', 0 of 'c'). Those that" in caplog.text


def test_observations_in_no_stratum(tissues, column, caplog):
    tissues.obs["part"] = tissues.obs["tissue"].where(tissues.obs["tissue"] == "gut")
    dex.tl.rank_genes(tissues, "condition", per="tissue", method="ols")
    expected = column(tissues, "stat")[:, 0].copy()
    dex.tl.rank_genes(tissues, "condition", per="part", method="ols")
    np.testing.assert_array_equal(column(tissues, "stat")[:, 0], expected)
    assert "8 observations without a label in obs['part'] left out" in caplog.text
    assert "rank_genes_stat" in tissues.var  # one test


def test_strata_of_samples(tissues, column):
    """Without replicates to add up the observations themselves are divided."""
    dex.tl.rank_genes(tissues, "condition", per="tissue", method="ols")
    alone = tissues[tissues.obs["tissue"] == "skin"].copy()
    dex.tl.rank_genes(alone, "condition", method="ols")
    np.testing.assert_array_equal(column(tissues, "stat")[:, 1], column(alone, "stat")[:, 0])
    skin = (tissues.obs["tissue"] == "skin").to_numpy()
    np.testing.assert_array_equal(
        tissues.obs["rank_genes_size_factors"][skin], alone.obs["rank_genes_size_factors"]
    )


@pytest.mark.parametrize("form", ["csc", "dense", "backed"])
def test_cells_by_themselves(cells, column, tmp_path, form):
    options = {"per": "cell_type", "method": "wilcoxon", "replicate": None}
    alone = cells[cells.obs["cell_type"] == "T cells"].copy()
    dex.tl.rank_genes(alone, "condition", method="wilcoxon", replicate=None)
    if form == "backed":
        cells.write_h5ad(tmp_path / "cells.h5ad")
        cells = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    else:
        cells.X = sparse.csc_matrix(cells.X) if form == "csc" else cells.X.toarray()
    dex.tl.rank_genes(cells, "condition", **options)
    np.testing.assert_array_equal(column(cells, "stat")[:, 1], column(alone, "stat")[:, 0])


def test_lengths_are_of_the_samples_of_a_stratum(tissues, column):
    rng = np.random.default_rng(0)
    tissues.layers["length"] = rng.uniform(500, 3000, size=tissues.shape)
    dex.tl.rank_genes(tissues, "condition", per="tissue", method="edger_lrt", lengths="length")
    alone = tissues[tissues.obs["tissue"] == "gut"].copy()
    dex.tl.rank_genes(alone, "condition", method="edger_lrt", lengths="length")
    np.testing.assert_array_equal(column(tissues, "stat")[:, 0], column(alone, "stat")[:, 0])


def test_auto_adds_up_within_types(cells, caplog):
    dex.tl.rank_genes(cells, "condition", per="cell_type", method="auto", unit="cells")
    assert dex.get.params(cells)["replicate"] == "replicate"
    assert "added up by obs['replicate']" in caplog.text


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_it_goes_into_a_file(cells, column, tmp_path, suffix):
    cells.obs["cell_type"] = cells.obs["cell_type"].cat.rename_categories({"B cells": "B/plasma"})
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    table = dex.get.rank_genes_df(cells, per="B/plasma")
    path = tmp_path / f"cells.{suffix}"
    getattr(dex.io, f"write_{suffix}")(cells, path)
    again = getattr(ad, f"read_{suffix}")(path)
    pd.testing.assert_frame_equal(dex.get.rank_genes_df(again, per="B/plasma"), table)
    assert list(dex.get.obs_df(again)) == list(dex.get.obs_df(cells))


def test_a_result_takes_the_place_of_another(cells):
    before = set(cells.varm), set(cells.var)
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    dex.tl.rank_genes(cells, "condition", method="ols", replicate="replicate")
    assert "rank_genes_padj_global" not in cells.varm
    assert cells.varm["rank_genes_stat"].shape == (120, 1)
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    assert set(cells.var) == before[1]
    assert "names" not in cells.uns["rank_genes"]


def test_orders_of_cells_and_genes_do_not_matter(cells, column):
    rng = np.random.default_rng(2)
    dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)
    genes = rng.permutation(cells.n_vars)
    other = cells[rng.permutation(cells.n_obs), genes].copy()
    dex.tl.rank_genes(other, "condition", method="ols", **OPTIONS)
    np.testing.assert_allclose(
        column(other, "stat"), column(cells, "stat")[genes], rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("method", ["edger", "edger_lrt", "edger_exact", "deseq2", "limma_voom"])
def test_types_of_few_samples_stop_no_method(paired, column, caplog, method):
    """One donor has all three types, others two; one side of a type is one sample."""
    donors = paired.obs["replicate"].cat.categories
    number = np.arange(paired.n_obs)
    third = (paired.obs["replicate"] == donors[0]) & (number % 3 == 0)
    lone = (paired.obs["replicate"] == donors[1]) & (paired.obs["condition"] == "treated")
    types = np.where(number % 2, "B", "T").astype(object)
    types[third], types[lone & (number % 3 == 1)] = "one pair", "one sample"
    paired.obs["cell_type"] = types
    design = None if method == "edger_exact" else "~ replicate + condition"
    options = {"replicate": "replicate", "per": "cell_type", "min_cells": 5, "method": method}
    dex.tl.rank_genes(paired, "condition", design=design, **options)
    tests = dex.get.tests_df(paired).set_index("per")
    assert tests["n_tested"].gt(0).tolist() == [True, True, False, False]
    assert tests.loc["one pair", ["n_group", "n_reference"]].tolist() == [1, 1]
    assert (column(paired, "status")[:, 3] == Status.NO_REPLICATES).all()
    reasons = {Status.NO_REPLICATES, Status.FILTERED, Status.ALL_ZERO}
    assert set(column(paired, "status")[:, 2]) <= reasons
    assert "'one sample': too few samples (0 of 'control', 1 of 'treated')" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"per": "type"}, "per='type' is not in obs"),
        ({"per": "true_size_factor"}, "per='true_size_factor' is continuous (480 different"),
        ({"per": "replicate"}, "per='replicate' is also the replicate"),
        ({"per": "condition"}, "per='condition' is the column compared"),
        ({"design": "~ cell_type + condition"}, "per='cell_type' is in the design"),
        ({"design": np.ones((480, 1))}, "write a formula"),
        ({"method": "deseq2", "padj_scope": "global"}, "padj_scope='global' adjusts over all"),
        ({"min_cells": 0}, "min_cells=0 is not a number of cells"),
        ({"min_cells": 1000}, "0 samples have 1000 cells or more"),
    ],
)
def test_what_cannot_be(cells, unchanged, options, words):
    groupby = None if isinstance(options.get("design"), np.ndarray) else "condition"
    with unchanged(cells), pytest.raises(InputError) as error:
        dex.tl.rank_genes(cells, groupby, **{**OPTIONS, "method": "ols", **options})
    assert words in str(error.value)


def test_no_type_can_be_tested(cells, unchanged):
    labels = np.where(cells.obs["condition"] == "treated", "one", "other")
    cells.obs["cell_type"] = labels
    with unchanged(cells), pytest.raises(InputError, match=r"per='cell_type': no level.*0 of"):
        dex.tl.rank_genes(cells, "condition", method="ols", **OPTIONS)

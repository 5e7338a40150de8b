"""Cells added up into samples of replicates, as by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad
from scipy import sparse

import dex
from dex.errors import InputError

SAME = {"rtol": 1e-9, "atol": 1e-11}


@pytest.fixture
def cells() -> AnnData:
    """8 replicates x 20 cells x 150 genes; a sex and an age per replicate, a quality per cell."""
    adata = dex.datasets.simulate_counts(
        150, n_per_group=4, cells_per_replicate=20, mean_count=0.5, seed=21
    )
    number = adata.obs["replicate"].cat.codes.to_numpy()
    adata.obs["sex"] = np.where(number % 2, "f", "m")
    adata.obs["age"] = 30.0 + number**2
    adata.obs["quality"] = np.random.default_rng(0).normal(size=adata.n_obs)
    return adata[np.random.default_rng(1).permutation(adata.n_obs)].copy()


def sums_by_hand(adata, by):
    """Counts and labels of the samples, by pandas."""
    counts = pd.DataFrame(adata.X.toarray(), columns=adata.var_names)
    keys = [adata.obs[name].astype(str).to_numpy() for name in by]
    sums = counts.groupby(keys).sum().astype(float)
    labels = sums.index.to_frame(index=False, name=list(by))
    labels.index = [" ".join(row) for row in labels.to_numpy()]
    return AnnData(sums.to_numpy(), obs=labels, var=pd.DataFrame(index=adata.var_names))


@pytest.mark.parametrize("method", ["ols", "t-test", "wilcoxon"])
def test_sums_by_hand(cells, column, method):
    dex.tl.rank_genes(cells, "condition", replicate="replicate", method=method)
    bulk = sums_by_hand(cells, ["replicate", "condition"])
    assert bulk.n_obs == 8
    keep = dex.pp.filter_genes(bulk, "condition", inplace=False)
    assert 0 < keep.sum() < 150
    dex.tl.rank_genes(bulk, "condition", method=method, mask_var=keep)
    for name in bulk.uns["rank_genes"]["columns"]:
        np.testing.assert_allclose(column(cells, name), column(bulk, name), **SAME, err_msg=name)


def test_the_result_lies_in_the_cells(cells, fingerprint):
    before = fingerprint(cells)
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    after = fingerprint(cells)
    assert [after[part] == before[part] for part in ("X", "obs", "layers")] == [True] * 3
    assert cells.n_obs == 160
    tests = dex.get.tests_df(cells)
    assert tests[["n_group", "n_reference"]].to_numpy().tolist() == [[4, 4]]
    params = cells.uns["rank_genes"]["params"]
    assert (params["replicate"], params["unit"], params["n_obs"]) == ("replicate", "samples", 8)
    assert cells.uns["rank_genes"]["names"].dtype.names == ("treated",)


def test_genes_with_few_counts_are_filtered_and_counted(cells, column, caplog):
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    filtered = column(cells, "status")[:, 0] == dex.results.Status.FILTERED
    assert 0 < filtered.sum() < 150
    assert np.isnan(column(cells, "pval")[filtered]).all()
    assert f"{filtered.sum()} genes left out for too few counts in the samples" in caplog.text


def test_small_samples_are_dropped_and_said(cells, column, caplog):
    replicate = cells.obs["replicate"].cat.categories[0]
    members = np.flatnonzero(cells.obs["replicate"] == replicate)
    fewer = cells[np.setdiff1d(np.arange(160), members[:11])].copy()
    dex.tl.rank_genes(fewer, "condition", replicate="replicate")
    assert "140 cells are added up into 7 samples by replicate x condition" in caplog.text
    assert "left out for having fewer than 10 cells: 1" in caplog.text
    without = cells[np.setdiff1d(np.arange(160), members)].copy()
    dex.tl.rank_genes(without, "condition", replicate="replicate")
    np.testing.assert_array_equal(column(fewer, "stat"), column(without, "stat"))


def test_covariates_of_the_replicates_come_along(cells, column):
    options = {"design": "~ sex + age + condition", "replicate": "replicate"}
    dex.tl.rank_genes(cells, "condition", **options)
    bulk = sums_by_hand(cells, ["replicate", "condition"])
    by_replicate = cells.obs.drop_duplicates("replicate").set_index("replicate")
    by_replicate.index = by_replicate.index.astype(str)
    bulk.obs["sex"] = by_replicate["sex"].loc[bulk.obs["replicate"]].to_numpy()
    bulk.obs["age"] = by_replicate["age"].loc[bulk.obs["replicate"]].to_numpy()
    keep = column(cells, "status")[:, 0] != dex.results.Status.FILTERED
    dex.tl.rank_genes(bulk, "condition", design=options["design"], mask_var=keep)
    for name in ("log2fc", "log2fc_se", "log10_padj"):
        np.testing.assert_allclose(column(cells, name), column(bulk, name), **SAME)


def test_what_varies_within_a_sample_is_no_covariate(cells, unchanged):
    with unchanged(cells), pytest.raises(InputError, match=r"'quality'.* cells of one sample"):
        dex.tl.rank_genes(cells, "condition", design="~ quality + condition", replicate="replicate")


def test_a_donor_in_both_conditions_is_two_samples(column):
    adata = dex.datasets.simulate_counts(
        100, n_per_group=4, cells_per_replicate=15, paired=True, mean_count=1, seed=22
    )
    options = {"design": "~ replicate + condition", "replicate": "replicate"}
    dex.tl.rank_genes(adata, "condition", **options)
    bulk = sums_by_hand(adata, ["replicate", "condition"])
    assert bulk.n_obs == 8
    keep = column(adata, "status")[:, 0] != dex.results.Status.FILTERED
    dex.tl.rank_genes(bulk, "condition", design=options["design"], mask_var=keep)
    np.testing.assert_allclose(column(adata, "log10_pval"), column(bulk, "log10_pval"), **SAME)
    pairs = {"method": "t-test-paired", "block": "replicate"}
    dex.tl.rank_genes(adata, "condition", replicate="replicate", **pairs)
    keep = column(adata, "status")[:, 0] != dex.results.Status.FILTERED
    dex.tl.rank_genes(bulk, "condition", mask_var=keep, **pairs)
    np.testing.assert_allclose(column(adata, "stat"), column(bulk, "stat"), **SAME)


def test_cells_without_a_replicate_or_label_are_left_out(cells, column):
    kept = np.ones(160, dtype=bool)
    kept[[3, 50, 90]] = False
    expected = cells[kept].copy()
    dex.tl.rank_genes(expected, "condition", replicate="replicate")
    for name, gone in (("replicate", [3, 50]), ("condition", [90])):
        labels = cells.obs[name].astype(object)
        labels.iloc[gone] = None
        cells.obs[name] = pd.Categorical(labels)
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    np.testing.assert_array_equal(column(cells, "stat"), column(expected, "stat"))


@pytest.mark.parametrize("form", ["csc", "dense", "backed"])
def test_form_of_the_matrix(cells, column, tmp_path, form):
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    expected = column(cells, "stat").copy()
    if form == "backed":
        cells.write_h5ad(tmp_path / "cells.h5ad")
        cells = read_h5ad(tmp_path / "cells.h5ad", backed="r")
    else:
        cells.X = sparse.csc_matrix(cells.X) if form == "csc" else cells.X.toarray()
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    np.testing.assert_array_equal(column(cells, "stat"), expected)


def test_names_of_columns_do_not_matter(cells, column):
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    renamed = cells.copy()
    renamed.obs = renamed.obs.rename(columns={"replicate": "my donor", "condition": "n_cells"})
    dex.tl.rank_genes(renamed, "n_cells", replicate="my donor")
    np.testing.assert_array_equal(column(renamed, "stat"), column(cells, "stat"))


def test_too_few_samples(cells, unchanged):
    with unchanged(cells), pytest.raises(InputError, match=r"0 samples have 10 cells or more"):
        dex.tl.rank_genes(cells[:20].copy(), "condition", replicate="replicate", unit="cells")


def test_logs_without_counts_cannot_be_added_up(cells, unchanged):
    cells.X = sparse.csr_matrix(np.log1p(cells.X.toarray()))
    with unchanged(cells), pytest.raises(InputError, match=r"layers\['counts'\].*replicate=None"):
        dex.tl.rank_genes(cells, "condition", replicate="replicate")


def test_a_replicate_that_is_not_there(cells, unchanged):
    with (
        unchanged(cells),
        pytest.raises(InputError, match=r"replicate='replicat' is not in obs.*Did"),
    ):
        dex.tl.rank_genes(cells, "condition", replicate="replicat")


def test_a_replicate_in_several_samples_of_one_side_is_said(cells, caplog):
    cells.obs["part"] = np.where(np.arange(cells.n_obs) % 2, "a", "b")
    options = {"design": "~ part + condition", "replicate": "replicate"}
    dex.tl.rank_genes(cells, "condition", **options)
    assert "Each level of 'replicate' is in several samples (by 'part')" in caplog.text
    caplog.clear()
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    assert "several samples" not in caplog.text


def test_the_column_compared_is_no_replicate(cells):
    with pytest.raises(InputError, match="replicate='condition' is the column compared"):
        dex.tl.rank_genes(cells, "condition", replicate="condition")


def test_a_number_can_be_a_factor_of_the_samples(cells):
    days = cells.obs["replicate"].astype("category").cat.codes % 2
    cells.obs["day"] = days.to_numpy()
    options = {"design": "~ C(day) + condition", "replicate": "replicate"}
    dex.tl.rank_genes(cells, "condition", **options)
    assert "C(day)[T.1]" in list(dex.get.params(cells)["design_columns"])


def test_layers_of_whole_numbers_by_another_name_are_not_added_up(cells):
    logs = cells.copy()
    logs.X = np.log1p(cells.X.toarray())
    logs.layers["ambiguous"] = cells.X.copy()
    with pytest.raises(InputError, match=r"raw counts into adata\.layers\['counts'\]"):
        dex.tl.rank_genes(logs, "condition", replicate="replicate")


def test_donors_on_both_sides_are_pointed_out(caplog):
    options = {"cells_per_replicate": 20, "mean_count": 1, "seed": 4}
    adata = dex.datasets.simulate_counts(60, 3, paired=True, **options)
    dex.tl.rank_genes(adata, "condition", replicate="replicate")
    assert "design='~ replicate + condition' compares within each" in caplog.text
    caplog.clear()
    design = "~ replicate + condition"
    dex.tl.rank_genes(adata, "condition", design=design, replicate="replicate")
    assert "compares within each" not in caplog.text
    adata = dex.datasets.simulate_counts(60, 3, **options)
    dex.tl.rank_genes(adata, "condition", replicate="replicate")
    assert "compares within each" not in caplog.text

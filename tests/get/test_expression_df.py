"""Expression of some genes on the scale that was tested."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.data import Source
from dex.data.size_factors import estimate_factors
from dex.errors import InputError
from dex.stats.normalize import log_cpm

EXACT = {"rtol": 1e-14}  # the same formula, another order of operations


@pytest.fixture
def counts():
    return dex.datasets.simulate_counts(30, n_per_group=3, seed=2)


def test_logs_are_given_as_they_are(ranked):
    genes = ["gene5", "gene0", "gene2"]
    table = dex.get.expression_df(ranked, genes)
    assert table.columns.tolist() == genes
    assert table.index.equals(ranked.obs_names)
    np.testing.assert_array_equal(table, ranked[:, genes].X)


def test_counts_of_samples_are_normalised_over_all_genes(counts):
    table = dex.get.expression_df(counts, ["gene0003", "gene0001"])
    source = Source.from_adata(counts, unit="samples")
    libraries = estimate_factors(source, np.arange(counts.n_obs), "tmm").effective
    expected = log_cpm(counts.X.astype(float), libraries)[:, [2, 0]]
    np.testing.assert_allclose(table, expected, **EXACT)


def test_counts_of_a_layer_are_normalised_unless_they_are_called_linear(counts):
    counts.layers["raw"] = counts.X.copy()
    table = dex.get.expression_df(counts, ["gene0003"], layer="raw")
    pd.testing.assert_frame_equal(table, dex.get.expression_df(counts, ["gene0003"]))
    table = dex.get.expression_df(counts, ["gene0003"], layer="raw", scale="linear")
    np.testing.assert_array_equal(table["gene0003"], counts.X[:, 2])


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_sparse_is_dense(ranked, form):
    genes = ["gene6", "gene1", "gene6"]
    expected = dex.get.expression_df(ranked, genes)
    ranked.X = form(ranked.X)
    np.testing.assert_array_equal(dex.get.expression_df(ranked, genes), expected)


def test_symbols_find_and_name_genes(ranked):
    table = dex.get.expression_df(ranked, ["PER1", "gene1", "gene3"], gene_symbols="symbol")
    assert table.columns.tolist() == ["PER1", "gene1", "DUSP1"]
    np.testing.assert_array_equal(table, ranked.X[:, [7, 1, 3]])


def test_an_id_is_found_before_a_symbol_of_the_same_name(ranked):
    table = dex.get.expression_df(ranked, ["gene0"], gene_symbols="symbol")
    np.testing.assert_array_equal(table.to_numpy()[:, 0], ranked.X[:, 0])
    assert table.columns.tolist() == ["FKBP5"]


def test_one_gene_by_its_name(ranked):
    assert dex.get.expression_df(ranked, "gene4").columns.tolist() == ["gene4"]


def test_no_gene_is_a_table_without_columns(ranked):
    assert dex.get.expression_df(ranked, []).shape == (9, 0)


def test_genes_that_are_not_there_are_named(ranked):
    with pytest.raises(InputError, match=r"2 of 3 genes are not in var_names: \['x', 'y'\]"):
        dex.get.expression_df(ranked, ["x", "gene1", "y"])
    with pytest.raises(InputError, match=r"not in var_names or var\['symbol'\]: \['x'\]"):
        dex.get.expression_df(ranked, ["x"], gene_symbols="symbol")


def test_a_layer_that_is_not_there_is_an_error(ranked):
    with pytest.raises(InputError, match=r"layer='raw' is not in adata.layers"):
        dex.get.expression_df(ranked, ["gene1"], layer="raw")


def test_what_a_result_was_made_of(counts):
    counts.layers["raw"] = counts.X
    counts.X = np.log1p(counts.X)
    dex.tl.rank_genes(counts, "condition", layer="raw", size_factors="median_ratio")
    got = dex.get.expression_df(counts, ["gene0003"], key="rank_genes")
    source = Source.from_adata(counts, layer="raw", unit="samples")
    libraries = estimate_factors(source, np.arange(counts.n_obs), "median_ratio").effective
    expected = log_cpm(counts.layers["raw"][:, [2]], libraries)
    np.testing.assert_allclose(got, expected, **EXACT)
    assert dex.get.obs_df(counts).equals(counts.obs)
    with pytest.raises(InputError, match="key='rank_genes' says which matrix to read"):
        dex.get.expression_df(counts, ["gene0003"], key="rank_genes", layer="raw")


def test_cells_that_were_added_up_are_samples_again():
    cells = dex.datasets.simulate_counts(60, 3, cells_per_replicate=20, mean_count=1, seed=4)
    cells.layers["counts"] = cells.X
    cells.X = np.log1p(cells.X)
    dex.tl.rank_genes(cells, "condition", replicate="replicate", method="ols")
    obs = dex.get.obs_df(cells)
    values = dex.get.expression_df(cells, list(cells.var_names[:3]), key="rank_genes")
    assert list(values.index) == list(obs.index)
    assert obs[["condition", "n_cells"]].value_counts().to_dict() == {
        ("control", 20): 3,
        ("treated", 20): 3,
    }
    treated = (obs["condition"] == "treated").to_numpy()
    difference = values[treated].mean() - values[~treated].mean()
    # the coefficient of a design of two groups, from the same values
    tested = ~cells.var["rank_genes_log2fc"].isna().to_numpy()[:3]
    np.testing.assert_allclose(
        difference[tested], cells.var["rank_genes_log2fc"][:3][tested], rtol=1e-9
    )


@pytest.mark.parametrize("unit", ["samples", "cells"])
def test_genes_left_out_later_do_not_change_the_values(unit, tmp_path):
    adata = dex.datasets.simulate_counts(60, 4, seed=5)
    adata.obs.loc[adata.obs_names[0], "condition"] = np.nan  # not used
    options = {"method": "wilcoxon", "unit": unit}
    dex.tl.rank_genes(adata, "condition", **options)
    whole = dex.get.expression_df(adata, list(adata.var_names[:3]), key="rank_genes")
    some = adata[:, :3].copy()
    some.write_h5ad(tmp_path / "some.h5ad")
    for left in (some, ad.read_h5ad(tmp_path / "some.h5ad")):
        again = dex.get.expression_df(left, list(left.var_names), key="rank_genes")
        # the prior count goes by the mean library, in which the one not used is estimated
        np.testing.assert_allclose(again[1:], whole[1:], rtol=1e-3)
        assert np.isfinite(again.iloc[0]).all()
    dex.tl.rank_genes(adata, "condition", layer=None, scale="linear", **options)
    assert "rank_genes_size_factors" not in adata.obs, "what is not divided leaves no factors"


def test_samples_made_of_cells_keep_their_size_factors():
    cells = dex.datasets.simulate_counts(60, 3, cells_per_replicate=20, mean_count=1, seed=4)
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    genes = list(cells.var_names[:3])
    whole = dex.get.expression_df(cells, genes, key="rank_genes")
    again = dex.get.expression_df(cells[:, genes].copy(), genes, key="rank_genes")
    np.testing.assert_allclose(again, whole, rtol=1e-12)


def test_results_of_the_first_version_were_normalised_by_library_size(counts):
    dex.tl.rank_genes(counts, "condition", size_factors="library")
    expected = dex.get.expression_df(counts, ["gene0003"], key="rank_genes")
    del counts.uns["rank_genes"]["params"]["size_factors"], counts.obs["rank_genes_size_factors"]
    got = dex.get.expression_df(counts, ["gene0003"], key="rank_genes")
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_column_of_somebody_elses_is_not_overwritten(counts):
    counts.obs["rank_genes_size_factors"] = 1.0
    with pytest.raises(InputError, match=r"obs\['rank_genes_size_factors'\] holds something else"):
        dex.tl.rank_genes(counts, "condition")

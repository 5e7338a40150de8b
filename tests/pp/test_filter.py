"""Genes with too few counts are left out, whatever the matrix is kept as."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad
from scipy import sparse

import dex
from dex.errors import InputError


@pytest.fixture
def counts() -> AnnData:
    return dex.datasets.simulate_counts(400, n_per_group=4, mean_count=10, seed=4)


def keep_by_hand(X, smallest, *, min_count=10.0, min_total_count=15.0):
    """filterByExpr as Chen, Lun & Smyth (2016) say it, for groups of at most ten."""
    totals = X.sum(axis=1)
    cutoff = min_count / np.median(totals) * 1e6
    cpm = X / totals[:, None] * 1e6
    return ((cpm >= cutoff).sum(axis=0) >= smallest) & (X.sum(axis=0) >= min_total_count)


@pytest.mark.parametrize(("groupby", "smallest"), [("condition", 4), (None, 8)])
def test_the_rule(counts, groupby, smallest):
    expected = keep_by_hand(counts.X.astype(float), smallest)
    assert 0 < expected.sum() < counts.n_vars
    keep = dex.pp.filter_genes(counts, groupby, inplace=False)
    np.testing.assert_array_equal(keep, expected)
    assert counts.n_vars == 400


def test_genes_are_left_out_in_place(counts, caplog):
    names = counts.var_names[dex.pp.filter_genes(counts, "condition", inplace=False)]
    assert dex.pp.filter_genes(counts, "condition") is None
    assert counts.var_names.equals(names)
    assert f"{len(names)} of 400 genes kept" in caplog.text


def test_a_design_in_place_of_a_group(counts):
    by_group = dex.pp.filter_genes(counts, "condition", inplace=False)
    by_design = dex.pp.filter_genes(counts, design="~ condition", inplace=False)
    np.testing.assert_array_equal(by_design, by_group)


def test_unlabelled_samples_do_not_count(counts):
    counts.obs["part"] = pd.Categorical(["a", "a", "a", "b", "b", "b", None, None])
    keep = dex.pp.filter_genes(counts, "part", inplace=False)
    np.testing.assert_array_equal(keep, keep_by_hand(counts.X[:6].astype(float), 3))


@pytest.mark.parametrize("form", ["csr", "csc", "backed"])
def test_every_kind_of_matrix(counts, form, tmp_path):
    expected = dex.pp.filter_genes(counts, "condition", inplace=False)
    if form == "backed":
        counts.X = sparse.csr_matrix(counts.X)
        counts.write_h5ad(tmp_path / "counts.h5ad")
        counts = read_h5ad(tmp_path / "counts.h5ad", backed="r")
    else:
        counts.X = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix}[form](counts.X)
    np.testing.assert_array_equal(dex.pp.filter_genes(counts, "condition", inplace=False), expected)


def test_counts_in_a_layer(counts):
    expected = dex.pp.filter_genes(counts, "condition", inplace=False)
    counts.layers["counts"] = counts.X.copy()
    counts.X = np.log1p(counts.X)
    keep = dex.pp.filter_genes(counts, "condition", layer="counts", inplace=False)
    np.testing.assert_array_equal(keep, expected)


def test_logs_are_refused(counts):
    counts.X = np.log1p(counts.X)
    with pytest.raises(InputError, match=r"X holds logs.*layer="):
        dex.pp.filter_genes(counts, "condition")
    assert counts.n_vars == 400


def test_no_gene_left_is_an_error_and_nothing_changes(counts):
    with pytest.raises(InputError, match=r"no gene has 1e\+09 counts in 4 observations; lower"):
        dex.pp.filter_genes(counts, "condition", min_count=1e9)
    assert counts.n_vars == 400


def test_a_column_that_is_not_there(counts):
    with pytest.raises(InputError, match=r"groupby='conditon' is not in obs.*Did you mean"):
        dex.pp.filter_genes(counts, "conditon")


def test_a_view_is_filtered_and_its_parent_stays(counts):
    view = counts[:, :200]
    dex.pp.filter_genes(view, "condition")
    assert view.n_vars < 200
    assert counts.n_vars == 400


def test_results_follow_the_genes_that_are_kept(counts):
    dex.tl.rank_genes(counts, "condition", method="t-test")
    before = dex.get.rank_genes_df(counts)
    dex.pp.filter_genes(counts, "condition")
    after = dex.get.rank_genes_df(counts)
    expected = before[before["gene"].isin(counts.var_names)].reset_index(drop=True)
    pd.testing.assert_frame_equal(after, expected)


def test_a_file_is_not_cut(counts, tmp_path):
    counts.write_h5ad(tmp_path / "a.h5ad")
    backed = read_h5ad(tmp_path / "a.h5ad", backed="r")
    with pytest.raises(InputError, match=r"rank adata\.to_memory\(\), or use inplace=False"):
        dex.pp.filter_genes(backed, "condition")
    keep = dex.pp.filter_genes(backed, "condition", inplace=False)
    np.testing.assert_array_equal(keep, dex.pp.filter_genes(counts, "condition", inplace=False))
    backed.file.close()

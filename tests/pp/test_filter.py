"""Genes with too few counts are left out, whatever the matrix is kept as."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
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


class TestPlainRule:
    @pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
    def test_counts_in_samples(self, counts, form):
        expected = (counts.X >= 20).sum(axis=0) >= 3
        assert 0 < expected.sum() < counts.n_vars
        counts.X = form(counts.X)
        keep = dex.pp.filter_genes(counts, min_count=20, min_samples=3, inplace=False)
        np.testing.assert_array_equal(keep, expected)
        dex.pp.filter_genes(counts, min_count=20, min_samples=3)
        assert counts.n_vars == expected.sum()

    def test_it_is_scanpys(self, counts):
        keep = dex.pp.filter_genes(counts, min_count=1, min_samples=5, inplace=False)
        expected, _ = sc.pp.filter_genes(counts, min_cells=5, inplace=False)
        np.testing.assert_array_equal(keep, expected)

    def test_a_count_on_the_bound_is_enough(self):
        adata = AnnData(np.array([[5.0, 4, 9], [5, 9, 0]]))
        keep = dex.pp.filter_genes(adata, min_count=5, min_samples=2, inplace=False)
        assert keep.tolist() == [True, False, False]

    @pytest.mark.parametrize("other", [{"groupby": "condition"}, {"design": "~ condition"}])
    def test_it_has_no_groups(self, counts, other):
        with pytest.raises(InputError, match=r"min_samples=3 .*condition' says so too; give one"):
            dex.pp.filter_genes(counts, min_samples=3, **other)

    @pytest.mark.parametrize("min_samples", [0, 9, 2.5, True, "3"])
    def test_numbers_of_samples_that_there_are_not(self, counts, min_samples):
        with pytest.raises(InputError, match="is not a number of observations; adata has 8"):
            dex.pp.filter_genes(counts, min_samples=min_samples)

    def test_no_gene_left(self, counts):
        with pytest.raises(InputError, match=r"no gene has 1e\+09 counts in 2 observations"):
            dex.pp.filter_genes(counts, min_count=1e9, min_samples=2)
        assert counts.n_vars == 400


@pytest.mark.parametrize("options", [{"groupby": "condition"}, {"min_samples": 2}])
def test_counts_beside_logs_are_taken_and_that_is_said(counts, options, caplog):
    expected = dex.pp.filter_genes(counts, **options, inplace=False)
    counts.layers["counts"] = counts.X.copy()
    counts.X = np.log1p(counts.X)
    keep = dex.pp.filter_genes(counts, **options, inplace=False)
    np.testing.assert_array_equal(keep, expected)
    assert "counts are taken from layers['counts']" in caplog.text


def test_the_rule_is_remembered(tmp_path):
    adata = dex.datasets.simulate_counts(500, seed=0)
    dex.pp.filter_genes(adata, groupby="condition")
    first = adata.n_vars
    dex.pp.filter_genes(adata, min_count=100, min_samples=6)
    adata.write_h5ad(tmp_path / "a.h5ad")
    record = read_h5ad(tmp_path / "a.h5ad").uns["dex_filter"]
    assert (record["n_before"], record["n_after"]) == (500, adata.n_vars)
    assert adata.n_vars < first < 500
    assert record["rule"].endswith(
        "3 observations; 15 in all), then a count of 100 in 6 observations"
    )
    some = adata[:, ::2].copy()  # left out by other hands: a new record
    dex.pp.filter_genes(some, min_count=1, min_samples=1)
    assert some.uns["dex_filter"]["n_before"] == some.n_vars

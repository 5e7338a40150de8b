from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad
from scipy import sparse

import dex
from dex.errors import InputError

SAME = {"rtol": 1e-9, "atol": 1e-10}
"""Sums in another order."""


@pytest.fixture
def apart() -> AnnData:
    return dex.datasets.simulate_counts(
        150, 3, groups=("a", "b", "c"), n_batches=3, log2fc_sd=3, de_fraction=0.4, seed=3
    )


def distances(adata):
    return np.asarray(adata.obsp["mds_distances"])


@pytest.mark.parametrize("selection", ["pairwise", "common"])
def test_distances_are_leading_fold_changes(apart, log_cpm, selection):
    logs = log_cpm(apart.X)
    apart.X = logs
    dex.tl.mds(apart, scale="logcpm", n_top_genes=20, gene_selection=selection)
    if selection == "common":
        logs = logs[:, np.argsort(-logs.var(axis=0))[:20]]
    expected = np.zeros((9, 9))
    for i in range(9):
        for j in range(9):
            squares = np.sort((logs[i] - logs[j]) ** 2)[-20:]
            expected[i, j] = np.sqrt(squares.mean())
    np.testing.assert_allclose(distances(apart), expected, rtol=1e-10, atol=1e-12)
    assert apart.obsm["X_mds"].shape == (9, 2)
    assert apart.uns["mds"]["variance_ratio"].shape == (9,)
    assert apart.uns["mds"]["params"]["gene_selection"] == selection


def test_natural_logs_are_turned_to_log2(apart):
    logs = np.log1p(np.asarray(apart.X, dtype=np.float64))
    natural, two = (AnnData(values, obs=apart.obs) for values in (logs, logs / np.log(2)))
    dex.tl.mds(natural, scale="ln1p")
    dex.tl.mds(two, scale="log2p1")
    np.testing.assert_allclose(distances(natural), distances(two), rtol=1e-12)


@pytest.mark.parametrize("selection", ["pairwise", "common"])
def test_order_of_genes_and_observations(apart, selection):
    genes = np.random.default_rng(0).permutation(apart.n_vars)
    obs = np.random.default_rng(1).permutation(apart.n_obs)
    other = apart[obs][:, genes].copy()
    for adata in (apart, other):
        dex.tl.mds(adata, n_top_genes=30, gene_selection=selection)
    np.testing.assert_allclose(distances(other), distances(apart)[np.ix_(obs, obs)], **SAME)
    np.testing.assert_allclose(other.obsm["X_mds"], apart.obsm["X_mds"][obs], **SAME)


def test_form_of_the_matrix_and_threads(apart, tmp_path):
    dex.tl.mds(apart)
    for form in (sparse.csr_matrix, sparse.csc_matrix):
        other = AnnData(form(apart.X), obs=apart.obs, var=apart.var)
        dex.tl.mds(other, n_threads=3)
        np.testing.assert_array_equal(distances(other), distances(apart))
    other.write_h5ad(tmp_path / "a.h5ad")
    on_disk = read_h5ad(tmp_path / "a.h5ad", backed="r")
    pd.testing.assert_frame_equal(dex.get.distances_df(on_disk), dex.get.distances_df(apart))
    dex.tl.mds(on_disk, key_added="again")
    np.testing.assert_array_equal(on_disk.obsp["again_distances"], distances(apart))
    on_disk.file.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_comps": 9}, "at most 8"),
        ({"n_comps": 0}, "n_comps=0"),
        ({"n_top_genes": 0}, "n_top_genes=0"),
        ({"gene_selection": "nope"}, "gene_selection='nope'"),
        ({"key_added": "taken"}, "something else"),
        ({"scale": "linear", "layer": "counts"}, "not fold changes"),
    ],
)
def test_bad_options_change_nothing(apart, unchanged, options, words):
    apart.uns["taken"] = 3
    apart.layers["counts"] = apart.X.copy()
    with unchanged(apart), pytest.raises(InputError, match=words):
        dex.tl.mds(apart, **options)
    assert not apart.obsp


def test_too_many_observations_are_sent_to_pca():
    many = AnnData(sparse.csr_matrix(np.ones((2001, 3))))
    with pytest.raises(InputError, match=r"dex\.tl\.pca"):
        dex.tl.mds(many)
    with pytest.raises(InputError, match="3 to 2,000"):
        dex.tl.mds(many[:2].copy())


def test_equal_observations_are_refused():
    same = AnnData(np.tile(np.array([[1.5, 2.5, 3.5]]), (4, 1)))
    with pytest.raises(InputError, match="all observations are the same"):
        dex.tl.mds(same, scale="log2")


@pytest.mark.parametrize(
    ("function", "key", "place"),
    [
        (dex.tl.mds, "pca", r"uns\['pca'\]"),
        (dex.tl.mds, "umap", r"obsm\['X_umap'\]"),
        (dex.tl.pca, "rank_genes_log2fc", r"varm\['rank_genes_log2fc'\]"),
        (dex.tl.pca, "mds", r"uns\['mds'\]"),
    ],
)
def test_what_others_have_made_is_not_replaced(function, key, place):
    adata = dex.datasets.simulate_counts(50, 4, seed=1)
    dex.tl.rank_genes(adata, "condition")
    dex.tl.pca(adata)
    dex.tl.mds(adata)
    adata.obsm["X_umap"] = np.zeros((8, 2))
    before = {name: adata.obsm[name].copy() for name in adata.obsm}
    with pytest.raises(InputError, match=f"{place} holds something else"):
        function(adata, key_added=key)
    for name, values in before.items():
        np.testing.assert_array_equal(adata.obsm[name], values)
    dex.tl.pca(adata)
    dex.tl.mds(adata)

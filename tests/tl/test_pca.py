from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData, read_h5ad
from scipy import sparse

import dex
from dex.errors import InputError

SAME = {"rtol": 1e-9, "atol": 1e-10}
"""Sums in another order; components of the test data are well apart."""


@pytest.fixture
def apart() -> AnnData:
    """Counts of 9 samples of three very different groups in three batches."""
    return dex.datasets.simulate_counts(
        150, 3, groups=("a", "b", "c"), n_batches=3, log2fc_sd=3, de_fraction=0.4, seed=3
    )


def scores(adata, n=2):
    return np.asarray(adata.obsm["X_pca"])[:, :n]


@pytest.mark.filterwarnings("ignore:The set_bad function:PendingDeprecationWarning")  # scanpy 1.11
def test_layout_is_that_of_scanpy(apart):
    dex.tl.pca(apart, n_comps=4, n_top_genes=40)
    assert apart.obsm["X_pca"].shape == (9, 4)
    used = apart.varm["PCs"].any(axis=1)
    assert used.sum() == 40
    np.testing.assert_allclose(np.linalg.norm(apart.varm["PCs"], axis=0), 1, rtol=1e-12)
    info = apart.uns["pca"]
    np.testing.assert_allclose(info["variance"], scores(apart, 4).var(axis=0, ddof=1), rtol=1e-12)
    assert info["params"]["n_genes"] == 40
    assert info["params"]["scale"] == "logcpm"
    assert 0 < info["variance_ratio"].sum() <= 1
    sc.pl.pca(apart, color="condition", annotate_var_explained=True, show=False)
    sc.pl.pca_variance_ratio(apart, n_pcs=4, show=False)
    sc.pl.pca_loadings(apart, components="1,2", show=False)


def test_is_that_of_the_most_variable_genes(apart, log_cpm):
    apart.X = log_cpm(apart.X)
    dex.tl.pca(apart, scale="logcpm", n_top_genes=30)
    variance = apart.X.var(axis=0, ddof=1)
    chosen = np.sort(np.argsort(-variance)[:30])
    centred = apart.X[:, chosen] - apart.X[:, chosen].mean(axis=0)
    U, d, Vt = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(scores(apart)), np.abs((U * d)[:, :2]), **SAME)
    np.testing.assert_allclose(np.abs(apart.varm["PCs"][chosen, :2]), np.abs(Vt[:2].T), **SAME)
    ratio = apart.uns["pca"]["variance_ratio"]
    np.testing.assert_allclose(ratio, (d**2 / (d**2).sum())[:8], **SAME)


def test_z_scores_count_all_genes_the_same(apart, log_cpm):
    apart.X = log_cpm(apart.X)
    stretched = apart.copy()
    stretched.X = apart.X * np.linspace(0.2, 1, apart.n_vars)
    for adata in (apart, stretched):
        dex.tl.pca(adata, scale="logcpm", z_score=True, n_top_genes=None)
    np.testing.assert_allclose(scores(stretched), scores(apart), **SAME)
    total = apart.uns["pca"]["variance"].sum()
    np.testing.assert_allclose(total, apart.uns["pca"]["params"]["n_genes"], rtol=1e-9)


def test_order_of_genes_and_observations(apart):
    genes = np.random.default_rng(0).permutation(apart.n_vars)
    obs = np.random.default_rng(1).permutation(apart.n_obs)
    other = apart[obs][:, genes].copy()
    dex.tl.pca(apart)
    dex.tl.pca(other)
    np.testing.assert_allclose(scores(other), scores(apart)[obs], **SAME)
    np.testing.assert_allclose(other.varm["PCs"][:, :2], apart.varm["PCs"][genes, :2], **SAME)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_form_of_the_matrix(apart, form):
    other = apart.copy()
    other.X = form(apart.X)
    dex.tl.pca(apart)
    dex.tl.pca(other)
    np.testing.assert_array_equal(other.obsm["X_pca"], apart.obsm["X_pca"])


@pytest.mark.parametrize("form", ["dense", "csr"])
def test_on_disk(apart, tmp_path, form):
    other = apart.copy()
    if form == "csr":
        other.X = sparse.csr_matrix(other.X)
    other.write_h5ad(tmp_path / "a.h5ad")
    on_disk = read_h5ad(tmp_path / "a.h5ad", backed="r")
    dex.tl.pca(apart)
    dex.tl.pca(on_disk)
    np.testing.assert_array_equal(on_disk.obsm["X_pca"], apart.obsm["X_pca"])
    on_disk.file.close()


def test_threads_and_repeats(apart):
    dex.tl.pca(apart, n_threads=1)
    first = apart.copy()
    dex.tl.pca(apart, n_threads=3)
    np.testing.assert_array_equal(apart.obsm["X_pca"], first.obsm["X_pca"])


def test_survives_h5ad(apart, tmp_path):
    dex.tl.pca(apart)
    apart.write_h5ad(tmp_path / "a.h5ad")
    back = read_h5ad(tmp_path / "a.h5ad")
    pd.testing.assert_frame_equal(dex.get.pca_df(back), dex.get.pca_df(apart))
    pd.testing.assert_frame_equal(dex.get.loadings_df(back), dex.get.loadings_df(apart))


def test_mask(apart):
    mask = np.arange(apart.n_vars) < 50
    dex.tl.pca(apart, mask_var=mask)
    assert not apart.varm["PCs"][50:].any()
    apart.var["first"] = mask
    other = apart.copy()
    dex.tl.pca(other, mask_var="first")
    np.testing.assert_array_equal(other.obsm["X_pca"], apart.obsm["X_pca"])


def test_another_key_is_where_scanpy_has_it(apart):
    dex.tl.pca(apart, key_added="mine")
    assert "X_pca" not in apart.obsm
    assert {"mine"} == set(apart.obsm) & set(apart.varm) & set(apart.uns)


def test_components_of_another_tool_are_replaced_and_that_is_said(apart, caplog):
    apart.obsm["X_pca"] = np.zeros((9, 3))
    with caplog.at_level(logging.WARNING, logger="dex"):
        dex.tl.pca(apart)
    assert sum("is replaced" in line for line in caplog.messages) == 1
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="dex"):
        dex.tl.pca(apart)
    assert not caplog.messages


def test_number_of_components(apart, cells):
    dex.tl.pca(apart)
    assert apart.obsm["X_pca"].shape[1] == 8
    dex.tl.pca(cells)
    assert cells.obsm["X_pca"].shape[1] == 50
    assert cells.uns["pca"]["params"]["scale"] == "ln1p"


def test_a_view_becomes_a_copy(apart):
    view = apart[:, :100]
    dex.tl.pca(view)
    assert "X_pca" in view.obsm
    assert "X_pca" not in apart.obsm


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_comps": 9}, "more than the 8"),
        ({"n_comps": 0}, "n_comps=0"),
        ({"n_top_genes": -1}, "n_top_genes=-1"),
        ({"layer": "nope"}, "layer='nope'"),
        ({"scale": "nope"}, "scale='nope'"),
        ({"mask_var": "nope"}, "mask_var='nope'"),
        ({"key_added": "a/b"}, "without '/'"),
        ({"key_added": "taken"}, "something else"),
        ({"size_factors": "nope"}, "size_factors='nope'"),
    ],
)
def test_bad_options_change_nothing(apart, unchanged, options, words):
    apart.uns["taken"] = {"x": 1}
    with unchanged(apart), pytest.raises(InputError, match=words):
        dex.tl.pca(apart, **options)


def test_values_without_variance_or_of_z_scores_are_refused(apart, logs):
    constant = AnnData(np.full((5, 4), 3.5), obs=apart.obs.iloc[:5][["condition"]])
    with pytest.raises(InputError, match="none of 4 genes varies"):
        dex.tl.pca(constant, scale="log2")
    logs.X = (logs.X - logs.X.mean(axis=0)) / logs.X.std(axis=0)
    with pytest.raises(InputError, match="z-scores"):
        dex.tl.pca(logs)

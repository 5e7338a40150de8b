"""scanpy's bundled cells, with the values that can be tested."""

from __future__ import annotations

import numpy as np
import pytest
import scanpy as sc
import scipy.sparse as sp

import dex


@pytest.fixture(scope="module")
def adata():
    return dex.datasets.pbmc68k()


def test_x_is_what_scanpy_keeps_in_raw(adata):
    bundled = sc.datasets.pbmc68k_reduced()
    assert sp.issparse(adata.X)
    assert adata.X.format == "csr"
    assert adata.X.dtype == np.float32
    np.testing.assert_array_equal(adata.X.toarray(), bundled.raw.X.toarray())
    assert adata.var_names.equals(bundled.raw.var_names.rename(None))
    assert adata.obs_names.equals(bundled.obs_names.rename(None))
    assert adata.X.min() == 0
    assert adata.raw is None


def test_annotation(adata):
    assert {"bulk_labels", "louvain", "phase"} <= set(adata.obs)
    assert adata.obs["bulk_labels"].nunique() == 10
    assert set(adata.obsm) == {"X_pca", "X_umap"}
    assert set(adata.uns) == {"log1p", "bulk_labels_colors", "louvain_colors"}


@pytest.mark.parametrize("kind", ["h5ad", "zarr"])
def test_natural_logs_survive_a_file(adata, tmp_path, kind):
    path = tmp_path / f"pbmc.{kind}"
    {"h5ad": dex.io.write_h5ad, "zarr": dex.io.write_zarr}[kind](adata, path)
    back = {"h5ad": dex.io.read_h5ad, "zarr": dex.io.read_zarr}[kind](path)
    assert back.uns["log1p"]["base"] is None
    assert (back.X != adata.X).nnz == 0


def test_scanpy_ranks_it(adata):
    copy = adata.copy()
    sc.tl.rank_genes_groups(copy, "bulk_labels", method="t-test")
    table = sc.get.rank_genes_groups_df(copy, group="CD19+ B")
    assert "CD79A" in table["names"].head(10).tolist()
    cells = (adata.obs["bulk_labels"] == "CD19+ B").to_numpy()
    logs = adata[:, "CD79A"].X.toarray().ravel().astype(float)
    # scanpy takes X for natural logs, and exponentiates their mean
    expected = np.log2(np.expm1(logs[cells].mean()) / np.expm1(logs[~cells].mean()))
    found = table.set_index("names").loc["CD79A", "logfoldchanges"]
    assert found == pytest.approx(expected, rel=1e-5)  # float32

from __future__ import annotations

import numpy as np
import pytest

import dex
from dex.errors import InputError


@pytest.fixture
def mapped():
    adata = dex.datasets.simulate_counts(60, 3, seed=4)
    adata.var["symbol"] = [f"S{j}" for j in range(60)]
    dex.tl.pca(adata, n_top_genes=30)
    dex.tl.mds(adata)
    return adata


def test_coordinates(mapped):
    table = dex.get.pca_df(mapped)
    np.testing.assert_array_equal(table, mapped.obsm["X_pca"])
    assert table.index.tolist() == mapped.obs_names.tolist()
    assert dex.get.mds_df(mapped).columns.tolist() == ["dim1", "dim2"]


def test_distances(mapped):
    table = dex.get.distances_df(mapped)
    assert table.columns.tolist() == table.index.tolist() == mapped.obs_names.tolist()
    np.testing.assert_array_equal(np.diag(table), 0)


def test_loadings_are_sorted_by_size(mapped):
    table = dex.get.loadings_df(mapped, [2, 1], gene_symbols="symbol")
    assert table["component"].unique().tolist() == ["PC2", "PC1"]
    for _, part in table.groupby("component"):
        assert (np.diff(part["loading"].abs()) <= 0).all()
        assert len(part) == 30
    first = table.iloc[0]
    expected = mapped.varm["PCs"][mapped.var_names == first["gene_id"], 1].item()
    assert first["loading"] == expected
    assert first["gene"] == mapped.var["symbol"][first["gene_id"]]
    assert len(dex.get.loadings_df(mapped, n_genes=3)) == 3 * mapped.obsm["X_pca"].shape[1]


def test_what_is_not_there_is_refused(mapped):
    empty = dex.datasets.simulate_counts(10, 3)
    with pytest.raises(InputError, match=r"run dex\.tl\.pca\(adata\) first"):
        dex.get.pca_df(empty)
    with pytest.raises(InputError, match=r"run dex\.tl\.mds\(adata, key_added='x'\) first"):
        dex.get.distances_df(empty, key="x")
    with pytest.raises(InputError, match="component 9 is not there; there are 5"):
        dex.get.loadings_df(mapped, 9)
    del mapped.varm["PCs"]
    with pytest.raises(InputError, match="no loadings"):
        dex.get.loadings_df(mapped)

"""What is the same in all tests takes the memory of one column, wherever it comes from."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.data.shared_columns import distinct, widen

SHARED = {"base_mean", "mean_reference", "pct_reference"}


@pytest.fixture
def screen():
    """Cells of three guides and a control, 200 of each."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(0.5, 1.0, size=40), size=(800, 40)).astype(np.float32)
    guides = pd.Categorical(np.repeat(["control", "a", "b", "c"], 200))
    obs = pd.DataFrame({"guide": guides}, index=[f"cell{i}" for i in range(800)])
    return ad.AnnData(sparse.csr_matrix(counts), obs=obs)


def rank(adata, method="wilcoxon", **options):
    dex.tl.rank_genes(
        adata, "guide", reference="control", method=method, unit="cells", replicate=None, **options
    )


def test_widen_is_a_view_and_distinct_is_its_column():
    column = np.arange(3.0)[:, None]
    wide = widen(column, (3, 5))
    assert wide.shape == (3, 5)
    assert np.shares_memory(wide, column)
    assert distinct(wide).shape == (3, 1)
    full = np.ones((3, 5))
    assert widen(full, (3, 5)) is full
    assert distinct(full) is full


@pytest.mark.parametrize("method", ["wilcoxon", "t-test"])
def test_one_reference_is_held_once(screen, method):
    rank(screen, method)
    once = {
        name
        for name in dex.get.rank_genes_df(screen)
        if f"rank_genes_{name}" in screen.varm
        and distinct(screen.varm[f"rank_genes_{name}"]).shape[1] == 1
    }
    assert once == SHARED
    for guide in "abc":
        alone = screen[screen.obs["guide"].isin(["control", guide])].copy()
        total = np.asarray(screen.X.sum(axis=1)).ravel()
        alone.obs["factor"] = (total / np.median(total))[
            screen.obs["guide"].isin(["control", guide])
        ]
        rank(alone, method, size_factors="factor")
        i = list(screen.uns["rank_genes"]["tests"]["group"]).index(guide)
        for name in SHARED - {"base_mean"}:
            np.testing.assert_allclose(
                screen.varm[f"rank_genes_{name}"][:, i],
                alone.varm[f"rank_genes_{name}"][:, 0],
                rtol=1e-6,
            )


def test_filtered_genes_too(screen):
    screen.var["some"] = np.arange(40) % 3 > 0
    rank(screen, mask_var="some")
    means = screen.varm["rank_genes_mean_reference"]
    assert distinct(means).shape[1] == 1
    assert np.isnan(means[~screen.var["some"]]).all()
    assert np.isfinite(means[screen.var["some"]]).all()


def test_files_copies_and_subsets_have_all_of_it(screen, tmp_path):
    rank(screen)
    table = dex.get.rank_genes_df(screen)
    dex.io.write_h5ad(screen, tmp_path / "s.h5ad")
    dex.io.write_zarr(screen, tmp_path / "s.zarr")
    read = (
        dex.io.read_h5ad(tmp_path / "s.h5ad"),
        dex.io.read_zarr(tmp_path / "s.zarr"),
        screen.copy(),
    )
    for adata in read:
        pd.testing.assert_frame_equal(dex.get.rank_genes_df(adata), table)
        assert adata.varm["rank_genes_mean_reference"].flags.writeable
    few = screen[:, :7].copy()
    np.testing.assert_array_equal(
        few.varm["rank_genes_base_mean"], screen.varm["rank_genes_base_mean"][:7]
    )
    rank(screen)  # over itself
    pd.testing.assert_frame_equal(dex.get.rank_genes_df(screen), table)


def test_against_the_rest_every_test_has_its_own_reference(screen):
    dex.tl.rank_genes(screen, "guide", method="wilcoxon", unit="cells", replicate=None)
    assert distinct(screen.varm["rank_genes_mean_reference"]).shape[1] == 4
    assert distinct(screen.varm["rank_genes_base_mean"]).shape[1] == 1

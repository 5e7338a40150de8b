"""Cells added up into samples."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from dex.data.pseudobulk import Samples, pseudobulk
from dex.data.source import Source
from dex.errors import InputError


@pytest.fixture
def adata():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.5, size=(200, 30)).astype(np.float32)
    donor = rng.choice(["d1", "d2", "d3"], size=200)
    obs = pd.DataFrame(
        {
            "donor": donor,
            "condition": rng.choice(["ctrl", "stim"], size=200),
            "sex": np.where(donor == "d1", "f", "m"),
            "age": np.where(donor == "d1", 40.0, 60.0),
            "quality": rng.normal(size=200),
        },
        index=[f"c{i}" for i in range(200)],
    )
    return ad.AnnData(sparse.csr_matrix(counts), obs=obs)


def samples(adata, by=("donor", "condition"), **options):
    return Samples.from_obs(adata.obs, by, **options)


def test_counts_are_sums_by_donor_and_condition(adata):
    of = samples(adata)
    bulk = pseudobulk(Source.from_adata(adata), of)
    dense = pd.DataFrame(adata.X.toarray())
    expected = dense.groupby(
        [adata.obs["donor"].to_numpy(), adata.obs["condition"].to_numpy()]
    ).sum()
    np.testing.assert_array_equal(bulk.matrix, expected.to_numpy())
    rows = of.obs[["donor", "condition"]].itertuples(index=False)
    assert [tuple(row) for row in rows] == expected.index.tolist()
    assert list(bulk.obs_names[:2]) == list(of.obs.index[:2]) == ["d1 | ctrl", "d1 | stim"]
    assert (bulk.unit, bulk.scale) == ("samples", "counts")


def test_columns_constant_within_samples_come_along(adata):
    of = samples(adata)
    assert list(of.obs) == ["donor", "condition", "sex", "age", "n_cells"]
    assert of.obs.loc["d1 | stim", "sex"] == "f"
    assert of.obs["n_cells"].sum() == 200


def test_small_samples_and_missing_labels_are_left_out_and_said(adata):
    adata.obs.loc[adata.obs["donor"] == "d2", "condition"] = "ctrl"
    adata.obs.iloc[np.flatnonzero(adata.obs["donor"] == "d2")[:5], 1] = "stim"
    adata.obs.iloc[np.flatnonzero(adata.obs["donor"] == "d3")[:3], 1] = None
    of = samples(adata)
    assert "d2 | stim" not in of.obs.index
    assert "left out for having fewer than 10 cells: 1" in of.note
    assert of.obs["n_cells"].sum() == 200 - 5 - 3
    assert len(samples(adata, min_cells=1).obs) == 6


def test_too_few_samples_is_an_error(adata):
    with pytest.raises(InputError, match="1 samples have 10 cells or more"):
        samples(adata[adata.obs["donor"] == "d1"].copy(), by=["donor"])

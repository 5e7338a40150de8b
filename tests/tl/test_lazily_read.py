"""What is lazily read, from a file or on a cluster, is ranked as it would be in memory."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex

pytest.importorskip("dask.array")
pytest.importorskip("xarray")

pytestmark = pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")  # anndata 0.12

N_OBS, N_VARS = 240, 40


@pytest.fixture
def adata():
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(0.4, 2.0, N_VARS), size=(N_OBS, N_VARS)).astype(np.float32)
    obs = pd.DataFrame(
        {
            "group": pd.Categorical(rng.choice(["a", "b", "c"], N_OBS)),
            "batch": pd.Categorical(rng.choice(["x", "y"], N_OBS)),
        },
        index=[f"cell{i}" for i in range(N_OBS)],
    )
    adata = ad.AnnData(sparse.csr_matrix(counts), obs=obs)
    adata.layers["dense"] = counts
    adata.layers["csc"] = sparse.csc_matrix(counts)
    return adata


@pytest.fixture(params=["h5ad", "zarr"])
def lazily(request, adata, tmp_path):
    path = tmp_path / f"cells.{request.param}"
    getattr(adata, f"write_{request.param}")(path)
    return ad.experimental.read_lazy(path)


QUESTIONS = {
    "wilcoxon": {"method": "wilcoxon"},
    "reference": {"method": "wilcoxon", "reference": "b"},
    "strata": {"method": "wilcoxon", "block": "batch"},
    "t-test": {"method": "t-test"},
    "any": {"method": "wilcoxon", "test": "any"},
}


def same(one, other, key="rank_genes"):
    columns = [name for name in one.varm if name.startswith(key)]
    assert columns
    for name in columns:
        np.testing.assert_array_equal(one.varm[name], other.varm[name], err_msg=name)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("layer", [None, "dense", "csc"])
def test_to_the_last_bit_as_in_memory(adata, lazily, layer, question):
    options = {"layer": layer, "unit": "cells", "replicate": None, **question}
    dex.tl.rank_genes(adata, "group", **options)
    dex.tl.rank_genes(lazily, "group", n_threads=2, **options)
    same(adata, lazily)
    assert isinstance(lazily.obs, pd.DataFrame)
    assert type(lazily.X).__module__.startswith("dask.")


def test_samples_of_lazy_cells_and_models(adata, lazily):
    adata.obs["donor"] = pd.Categorical([f"d{i % 6}" for i in range(N_OBS)])
    adata.obs["arm"] = pd.Categorical(np.where(np.arange(N_OBS) % 6 < 3, "ctrl", "drug"))
    lazily.obs = adata.obs.copy()
    for each in (adata, lazily):
        dex.tl.rank_genes(each, "arm", replicate="donor", method="ols")
    same(adata, lazily)


def test_on_a_cluster(adata, lazily):
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cluster's own threads and ports
        with (
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
        ):
            dex.tl.rank_genes(lazily, "group", method="wilcoxon", unit="cells", replicate=None)
    dex.tl.rank_genes(adata, "group", method="wilcoxon", unit="cells", replicate=None)
    same(adata, lazily)

"""A ranked AnnData with symbols that are missing, empty and shared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import dex

SYMBOLS = ["FKBP5", None, "", "DUSP1", "DUSP1", "  ", "gene0", "PER1"]


@pytest.fixture
def ranked() -> AnnData:
    """9 samples of three drugs x 8 genes, logs; the first gene underflows, the last is constant."""
    rng = np.random.default_rng(3)
    X = rng.normal(8.0, 0.5, (9, 8))
    obs = pd.DataFrame(
        {"drug": pd.Categorical(["ctrl", "dex", "a/b"] * 3, categories=["ctrl", "dex", "a/b"])},
        index=[f"s{i}" for i in range(9)],
    )
    X[obs["drug"] == "dex", 1:4] += [2.0, -3.0, 1.0]
    X[:, 7] = 5.0
    var = pd.DataFrame({"symbol": SYMBOLS}, index=[f"gene{j}" for j in range(8)])
    adata = AnnData(X, obs=obs, var=var)
    dex.tl.rank_genes(adata, groupby="drug", method="t-test-student", scale="log2")
    return adata

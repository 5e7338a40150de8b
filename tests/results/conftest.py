"""Results made by hand, so that the store is proved without a method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from dex.design.tests import TestInfo
from dex.results import Result

LEVELS = ("CD4/CD8 T", "B cells (naïve)", "NK", "monocytes")
COLUMNS = ("log2fc", "stat", "pval", "padj", "log10_pval", "log10_padj", "base_mean", "status")


@pytest.fixture
def adata() -> AnnData:
    """12 cells of 4 types x 10 genes, with columns that only look like a result's."""
    rng = np.random.default_rng(7)
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(list(LEVELS) * 3, categories=LEVELS)},
        index=[f"cell{i}" for i in range(12)],
    )
    var = pd.DataFrame(
        {"rank_genes_foo": np.arange(10.0), "symbol": [f"S{j}" for j in range(10)]},
        index=[f"gene{j}" for j in range(10)],
    )
    made = AnnData(rng.poisson(3.0, (12, 10)).astype(np.float32), obs=obs, var=var)
    made.varm["rank_genes_bar"] = rng.normal(size=(10, 2))
    made.uns["other"] = {"columns": np.array(["foo"], dtype=object)}
    return made


def make_result(groups=LEVELS, *, columns=COLUMNS, n_vars=10, seed=0, **changes) -> Result:
    """Random columns with one NaN row, for each group against the rest."""
    rng = np.random.default_rng(seed)
    log10_pval = -rng.gamma(1.0, 3.0, (n_vars, len(groups)))
    log10_pval[3] = np.nan
    full = {
        "log2fc": rng.normal(size=log10_pval.shape),
        "log2fc_se": rng.uniform(1, 2, size=log10_pval.shape),
        "mean_diff": rng.normal(size=log10_pval.shape),
        "stat": np.where(np.isnan(log10_pval), np.nan, rng.normal(size=log10_pval.shape)),
        "pval": 10**log10_pval,
        "padj": 10 ** (log10_pval / 2),
        "log10_pval": log10_pval,
        "log10_padj": log10_pval / 2,
        "base_mean": rng.gamma(2.0, size=log10_pval.shape),
        "status": np.where(np.isnan(log10_pval), 2, 0).astype(np.int8),
    }
    parts = {
        "columns": {name: full[name] for name in columns},
        "infos": tuple(TestInfo(f"{group} vs rest", "group", group, "rest") for group in groups),
        "n_group": (3,) * len(groups),
        "n_reference": (9,) * len(groups),
        "params": {"groupby": "cell_type", "reference": "rest", "use_raw": False, "layer": None},
        "notes": ("one note", "another, with ü"),
    }
    return Result(**(parts | changes))


@pytest.fixture(name="make_result")
def _make_result():
    return make_result


def fingerprint(adata: AnnData) -> dict[str, object]:
    """All that a failed call must leave as it was, comparable by ``==``."""
    with np.printoptions(threshold=10**9, precision=17):
        return {
            "X": np.asarray(adata.X).tobytes(),
            "obs": adata.obs.to_csv() + str(adata.obs.dtypes.to_dict()),
            "var": adata.var.to_csv() + str(adata.var.dtypes.to_dict()),
            "varm": {name: np.asarray(array).tobytes() for name, array in adata.varm.items()},
            "uns": {name: repr(value) for name, value in adata.uns.items()},
        }


@pytest.fixture(name="fingerprint")
def _fingerprint():
    return fingerprint

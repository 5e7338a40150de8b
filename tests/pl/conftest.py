"""AnnData with results made of seeded numbers: the pictures are tested without any method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.special import log_ndtr
from scipy.stats import false_discovery_control

from dex.design.tests import TestInfo
from dex.results import Result
from dex.results.store import store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZES = (60, 25, 12, 3)
NAMES = ("T", "B", "CD4/CD8 double", "pDC")


@pytest.fixture(autouse=True)
def _headless() -> Iterator[None]:
    backend = mpl.get_backend()
    mpl.use("Agg")
    yield
    plt.close("all")
    mpl.use(backend)


def _result(stat, log2fc, infos, sizes, groupby) -> Result:
    log10_pval = (np.log(2) + log_ndtr(-np.abs(stat))) / np.log(10)
    pval = 10**log10_pval
    padj = np.full_like(pval, np.nan)
    for t in range(pval.shape[1]):
        tested = ~np.isnan(pval[:, t])
        padj[tested, t] = false_discovery_control(pval[tested, t])
    columns = {
        "log2fc": log2fc,
        "stat": stat,
        "pval": pval,
        "padj": padj,
        "log10_pval": log10_pval,
        "log10_padj": np.log10(padj, where=padj > 0, out=log10_pval.copy()),
        "status": np.where(np.isnan(stat), 2, 0).astype(np.int8),
    }
    n_group, n_reference = zip(*sizes, strict=True)
    params = {"groupby": groupby, "reference": infos[0].reference}
    return Result(columns, tuple(infos), n_group, n_reference, params)


@pytest.fixture
def bulk() -> ad.AnnData:
    """Eight samples, 400 genes: 0-19 up, 20-29 down, 390-399 without p-value."""
    rng = np.random.default_rng(1)
    log2fc = rng.normal(0, 0.3, 400)
    log2fc[:20], log2fc[20:30] = rng.uniform(1.5, 4, 20), rng.uniform(-4, -1.5, 10)
    stat = rng.normal(0, 0.8, 400)
    stat[:30] = np.sign(log2fc[:30]) * rng.uniform(6, 12, 30)
    stat[390:] = log2fc[390:] = np.nan
    treated = np.repeat([False, True], 4)
    logs = rng.normal(5, 0.3, (8, 400)) + np.outer(treated, np.nan_to_num(log2fc))
    obs = pd.DataFrame(
        {
            "condition": pd.Categorical(np.where(treated, "treated", "control")),
            "batch": list("abababab"),
            "age": [31.0, 45, 52, 38, 61, np.nan, 44, 58],
        },
        index=[f"sample{i}" for i in range(8)],
    )
    var = pd.DataFrame({"symbol": [f"SYM{j}" for j in range(400)]})
    var.index = [f"gene{j}" for j in range(400)]
    adata = ad.AnnData(np.maximum(logs, 0.01), obs=obs, var=var)
    adata.uns["dex_layers"] = {"X": {"scale": "logcpm"}}
    info = TestInfo("treated vs control", "group", "treated", "control")
    store(
        adata,
        _result(stat[:, None], log2fc[:, None], [info], [(4, 4)], "condition"),
        key="rank_genes",
    )
    return adata


@pytest.fixture
def cells() -> ad.AnnData:
    """A hundred cells in four ragged groups, 200 genes, 20 markers of each group."""
    rng = np.random.default_rng(2)
    codes = rng.permutation(np.repeat(np.arange(4), SIZES))
    markers = np.repeat(np.arange(10), 20)
    logs = rng.gamma(1, 0.4, (100, 200)) + 2.0 * (codes[:, None] == markers)
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical.from_codes(codes, NAMES)}, index=[f"c{i}" for i in range(100)]
    )
    adata = ad.AnnData(logs, obs=obs, var=pd.DataFrame(index=[f"gene{j}" for j in range(200)]))
    adata.uns["dex_layers"] = {"X": {"scale": "ln1p"}}
    own = markers[:, None] == np.arange(4)
    stat = np.where(own, 9.0, -1.0) + rng.normal(0, 0.5, (200, 4))
    infos = [TestInfo(f"{name} vs rest", "group", name, "rest") for name in NAMES]
    sizes = [(n, 100 - n) for n in SIZES]
    store(adata, _result(stat, stat / 4, infos, sizes, "cell_type"), key="rank_genes")
    return adata


@pytest.fixture
def restored() -> Callable[..., ad.AnnData]:
    """Write other statistics over the result of an AnnData."""

    def restore(adata: ad.AnnData, stat, log2fc, info: TestInfo | None = None) -> ad.AnnData:
        info = info or TestInfo("treated vs control", "group", "treated", "control")
        result = _result(
            np.asarray(stat)[:, None], np.asarray(log2fc)[:, None], [info], [(4, 4)], None
        )
        result.params["groupby"] = "condition"
        store(adata, result, key="rank_genes")
        return adata

    return restore

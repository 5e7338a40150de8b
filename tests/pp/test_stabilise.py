import logging
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "transformations"
TREND = 3e-4  # log2; R's gene-wise dispersions are maximised to 1e-6 of the likelihood
LOCAL = 2e-3  # log2; the same dispersions, and R's integral is a sum over a thousand cells
RLOG, RLOG_MOST = 0.07, 2e-3  # log2; R fits rlog with a tolerance of 1e-4


def table(name):
    return pd.read_csv(REFERENCE / name, skipinitialspace=True)


@pytest.fixture
def adata():
    counts, obs = table("counts.csv"), table("samples.csv")
    obs.index = [f"s{i}" for i in range(len(obs))]
    return ad.AnnData(counts.to_numpy(float), obs, pd.DataFrame(index=counts.columns))


@pytest.mark.parametrize(("design", "where"), [(None, "blind"), ("~ group", "design")])
@pytest.mark.parametrize(
    ("fit_type", "tolerance"), [("parametric", TREND), ("local", LOCAL), ("mean", TREND)]
)
def test_vst_is_deseq2s(adata, design, where, fit_type, tolerance):
    dex.pp.normalize(adata, "vst", design=design, fit_type=fit_type)
    theirs = table(f"vst_{where}_{fit_type}.csv.gz")
    np.testing.assert_allclose(adata.layers["vst"], theirs, atol=tolerance)
    record = adata.uns["dex_layers"]["vst"]
    assert (record["scale"], record["trend"], record["design"]) == ("log2", fit_type, design or "")


def test_vst_from_few_genes_is_deseq2s(adata):
    dex.pp.normalize(adata, "vst", n_genes=100)
    np.testing.assert_allclose(adata.layers["vst"], table("vst_fast.csv.gz"), atol=TREND)


@pytest.mark.parametrize(("design", "where"), [(None, "blind"), ("~ group", "design")])
def test_rlog_is_deseq2s(adata, design, where):
    dex.pp.normalize(adata, "rlog", design=design)
    away = np.abs(adata.layers["rlog"] - table(f"rlog_{where}.csv.gz").to_numpy())
    assert away.max() < RLOG
    assert np.quantile(away, 0.95) < RLOG_MOST
    prior = table("scalars.csv").set_index("name")["value"][f"{where}_rlog_variance"]
    assert adata.uns["dex_layers"]["rlog"]["prior_var"] == pytest.approx(prior, rel=1e-4)


@pytest.mark.parametrize("method", ["vst", "rlog"])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, np.asfortranarray])
def test_any_matrix_and_any_number_of_threads(adata, method, form):
    other = adata.copy()
    other.X = form(other.X)
    dex.pp.normalize(adata, method, n_threads=1)
    dex.pp.normalize(other, method, n_threads=2)
    np.testing.assert_allclose(other.layers[method], adata.layers[method], rtol=1e-12)


def test_genes_in_any_order(adata):
    order = np.random.default_rng(0).permutation(adata.n_vars)
    moved = adata[:, order].copy()
    for each in (adata, moved):
        dex.pp.normalize(each, "rlog")
    np.testing.assert_allclose(moved.layers["rlog"], adata.layers["rlog"][:, order], atol=1e-6)


def test_cyclic_loess_is_of_log_cpm(adata):
    dex.pp.normalize(adata, "cyclic_loess", dtype="float32")
    dex.pp.normalize(adata, "logcpm", key_added="logs")
    dex.pp.normalize(adata, "cyclic_loess", layer="logs", key_added="again")
    np.testing.assert_allclose(adata.layers["cyclic_loess"], adata.layers["again"], rtol=1e-6)
    logs = adata.layers["again"]
    curves = [dex.stats.lowess.lowess(logs.mean(axis=0), row - logs.mean(axis=0)) for row in logs]
    assert np.abs(curves).mean() < 0.05


def test_layers_go_through_a_file(adata, tmp_path):
    for method in ("vst", "rlog"):
        dex.pp.normalize(adata, method, design="~ group", dtype="float32")
    adata.write_h5ad(tmp_path / "a.h5ad")
    read = ad.read_h5ad(tmp_path / "a.h5ad")
    assert read.layers["rlog"].dtype == np.float32
    assert read.uns["dex_layers"]["rlog"]["prior_var"] > 0


def test_local_curve_where_there_is_no_parametric_one(adata, caplog):
    rng = np.random.default_rng(0)
    mean = np.geomspace(5, 5000, adata.n_vars)
    dispersion = 0.002 * mean**0.7
    mu = np.broadcast_to(mean, adata.shape)
    adata.X = rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mu)).astype(float)
    with caplog.at_level(logging.INFO, logger="dex"):
        dex.pp.normalize(adata, "vst")
    assert adata.uns["dex_layers"]["vst"]["trend"] == "local"
    assert "local regression" in caplog.text


@pytest.mark.parametrize(
    ("method", "options", "match"),
    [
        ("log1p", {"design": "~ group"}, "'log1p' has no use of them"),
        ("vst", {"fit_type": "loess"}, "'parametric', 'local'"),
        ("rlog", {"n_genes": 100}, "n_genes=100 is not possible"),
        ("vst", {"n_genes": 3}, "10 genes or more"),
        ("vst", {"design": "~ one"}, "tell no dispersions"),
        ("vst", {"design": "~ holes"}, "observations miss a value"),
    ],
)
def test_refusals(adata, method, options, match):
    adata.obs["one"] = [f"x{i}" for i in range(8)]
    adata.obs["holes"] = [*"aabb", *"ab", None, None]
    with pytest.raises(InputError, match=match):
        dex.pp.normalize(adata, method, **options)
    assert not [name for name in adata.layers if name is not None]


def test_one_sample_has_no_dispersion(adata):
    with pytest.raises(InputError, match="1 observations tell no dispersions"):
        dex.pp.normalize(adata[:1].copy(), "vst")

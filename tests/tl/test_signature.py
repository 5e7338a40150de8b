"""Panels: the planted genes come back, and noise stays noise."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError
from dex.learn.panels import PANEL_METHODS

EFFECT = 1.8
"""Standard deviations between the classes, of each of ten planted genes in 60 samples."""


def planted(n=60, p=500, seed=0, *, effect=EFFECT):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    X = rng.normal(8, 1, (n, p))
    X[:, :10] += effect * labels[:, None]
    obs = pd.DataFrame({"group": np.array(["a", "b"])[labels]}, index=[f"s{i}" for i in range(n)])
    adata = ad.AnnData(X, obs=obs, var=pd.DataFrame(index=[f"g{j}" for j in range(p)]))
    adata.uns["dex_layers"] = {"X": {"scale": "log2"}}
    return adata


@pytest.mark.parametrize("method", PANEL_METHODS)
def test_twenty_genes_hold_eight_of_ten_planted(method):
    adata = planted()
    model = dex.tl.signature(
        adata, "group", method=method, n_genes=20, sizes=(5, 20), repeats=1, cv=3, n_subsamples=30
    )
    assert len(model.genes) == 20
    assert np.isin(model.genes, adata.var_names[:10]).sum() >= 8
    assert adata.uns["signature"]["metrics"]["auc"] > 0.95
    assert adata.var["signature_selected"].sum() == 20
    assert sorted(adata.var["signature_rank"].dropna()) == list(range(1, 21))
    table = dex.get.signature_df(adata)
    assert table["gene"].tolist() == model.genes.tolist()


def test_the_panel_is_small_where_one_gene_says_it_all():
    adata = planted(40, 200, effect=0.0)
    adata.X[:, 7] += 8 * (adata.obs["group"] == "b").to_numpy()
    model = dex.tl.signature(adata, "group", repeats=1, cv=3, n_subsamples=8)
    assert model.genes.tolist() == ["g7"]
    assert adata.var.loc["g7", "signature_frequency"] == 1.0
    assert adata.uns["signature"]["metrics"]["auc"] == 1.0


@pytest.mark.parametrize("method", ["t-test", "lasso"])
def test_on_noise_the_nested_area_is_a_half(method):
    areas = []
    for seed in range(12):
        adata = planted(18, 80, seed, effect=0.0)
        dex.tl.signature(adata, "group", method=method, sizes=(1, 5), repeats=1, cv=3, seed=seed)
        areas.append(adata.uns["signature"]["metrics"]["auc"])
    assert abs(np.mean(areas) - 0.5) < 4 * np.std(areas, ddof=1) / np.sqrt(len(areas))


def test_stability_keeps_its_path():
    adata = planted(40, 100)
    dex.tl.signature(adata, "group", repeats=1, n_subsamples=10, sizes=(2, 8))
    path = adata.uns["signature"]["path"]
    assert path["frequency"].shape == (len(path["genes"]), len(path["n_let_in"]))
    assert (np.diff(path["frequency"], axis=1) >= 0).all()
    assert path["frequency"].max() <= 1
    assert set(adata.uns["signature"]["panel"]) <= set(path["genes"])


def test_same_seed_same_panel():
    one, two = planted(30, 80), planted(30, 80)
    for adata, n_threads in ((one, 1), (two, 2)):
        dex.tl.signature(
            adata, "group", sizes=(1, 4), repeats=1, n_subsamples=8, n_threads=n_threads, seed=2
        )
    pd.testing.assert_frame_equal(one.var, two.var)
    pd.testing.assert_frame_equal(one.obs, two.obs)


def test_panels_go_through_files_and_predict(tmp_path):
    adata = planted(40, 60)
    model = dex.tl.signature(adata, "group", method="mrmr", sizes=(2, 5), repeats=1)
    dex.io.write_h5ad(adata, tmp_path / "a.h5ad")
    again = dex.io.read_h5ad(tmp_path / "a.h5ad")
    pd.testing.assert_frame_equal(dex.get.signature_df(again), dex.get.signature_df(adata))
    dex.io.save_model(model, tmp_path / "panel.zip")
    fresh = planted(40, 60, seed=1)
    table = dex.tl.predict(fresh, dex.io.load_model(tmp_path / "panel.zip"))
    assert (table["predicted"].astype(str) == fresh.obs["group"]).mean() > 0.8


def test_several_classes_have_a_panel():
    adata = planted(36, 60, effect=0.0)
    labels = np.arange(36) % 3
    adata.X[:, :3] += 4 * np.eye(3)[labels]
    adata.obs["group"] = np.array(["x", "y", "z"])[labels]
    for method in PANEL_METHODS:
        model = dex.tl.signature(
            adata, "group", method=method, sizes=(1, 3), repeats=1, n_subsamples=10, cv=3
        )
        assert np.isin(model.genes, ["g0", "g1", "g2"]).all()
        assert adata.uns["signature"]["metrics"]["auc"] > 0.9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "forest"}, "is one of"),
        ({"sizes": (100,)}, "no size up to the 40"),
        ({"n_genes": 41}, "more than the 40"),
        ({"sizes": (0, 3)}, "at least 1"),
    ],
)
def test_impossible_panels_are_refused(options, words):
    adata = planted(20, 40)
    with pytest.raises(InputError, match=words):
        dex.tl.signature(adata, "group", **options)
    assert "signature" not in adata.uns


@pytest.mark.parametrize("method", ["t-test", "centroids", "stability"])
def test_permuted_labels_may_leave_a_study_without_a_class(method):
    adata = planted(12, 60, effect=0.0)
    adata.obs["group"] = np.repeat(["a", "b", "c"], 4)
    adata.obs["study"] = ["one", "one", "two", "two"] * 3
    options = {"sizes": (1, 2), "n_subsamples": 3, "n_permutations": 30}
    dex.tl.signature(adata, "group", cv="study", method=method, **options)
    assert np.isfinite(adata.uns["signature"]["permutation"]["values"]).all()

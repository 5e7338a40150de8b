"""Numbers are learnt by the same rules."""

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import SVR

import dex
from dex.errors import InputError


def aged(n=40, p=100, seed=0, *, slope=0.0):
    rng = np.random.default_rng(seed)
    adata = dex.datasets.simulate_counts(p, n_per_group=n // 2, de_fraction=0, seed=seed)
    adata.obs["age"] = rng.uniform(20, 80, n)
    scaled = (adata.obs["age"].to_numpy() - 50) / 20
    adata.X[:, :10] = np.round(adata.X[:, :10] * np.exp(slope * scaled)[:, None])
    return adata


@pytest.mark.parametrize("estimator", ["ridge", SVR()])
def test_age_is_learnt(estimator):
    adata = aged(slope=0.8)
    model = dex.tl.regress(
        adata, "age", estimator=estimator, n_permutations=19, n_genes=10, repeats=1
    )
    found = adata.uns["regress"]["metrics"]
    assert found["concordance"] > 0.75
    assert found["concordance_low"] > 0.5
    assert found["pval"] == 0.05
    assert np.isin(model.genes, adata.var_names[:10]).sum() >= 7
    table = dex.get.metrics_df(adata, "regress")
    assert table["metric"].tolist()[:2] == ["concordance", "r2"]
    if estimator == "ridge":
        assert found["r2"] > 0.4


def test_noise_has_no_order():
    found = []
    for seed in range(12):
        adata = aged(24, 60, seed)
        dex.tl.regress(adata, "age", n_permutations=0, repeats=2, n_genes=10, seed=seed)
        found.append(adata.uns["regress"]["metrics"])
    concordance = [one["concordance"] for one in found]
    assert abs(np.mean(concordance) - 0.5) < 4 * np.std(concordance, ddof=1) / np.sqrt(12)
    assert np.median([one["r2"] for one in found]) < 0.05
    assert np.mean([a["concordance_low"] <= 0.5 <= a["concordance_high"] for a in found]) >= 0.75


def test_donors_are_kept_together():
    """The age of a donor is one number, however many samples it has."""
    adata = aged(40)
    donors = np.arange(40) // 4
    adata.X = adata.X[donors * 4] + np.random.default_rng(0).poisson(3, adata.shape)
    adata.obs["age"] = adata.obs["age"].to_numpy()[donors * 4]
    adata.obs["donor"] = [f"d{i}" for i in donors]
    leaky = adata.copy()
    del leaky.obs["donor"]
    dex.tl.regress(leaky, "age", n_permutations=0, repeats=1)
    dex.tl.regress(adata, "age", replicate="donor", n_permutations=0, repeats=2)
    assert adata.uns["regress"]["params"]["n_donors"] == 10
    assert leaky.uns["regress"]["metrics"]["r2"] > 0.8
    assert adata.uns["regress"]["metrics"]["r2"] < 0.3


def test_same_seed_same_numbers():
    one, two = aged(), aged()
    for adata, n_threads in ((one, 1), (two, 2)):
        dex.tl.regress(adata, "age", n_permutations=5, repeats=1, n_threads=n_threads)
    np.testing.assert_array_equal(one.obs["regress_predicted"], two.obs["regress_predicted"])
    np.testing.assert_array_equal(
        one.uns["regress"]["permutation"]["values"], two.uns["regress"]["permutation"]["values"]
    )


@pytest.mark.parametrize(
    ("outcome", "options", "words"),
    [
        ("age", {"repeats": None}, "repeats=None is not a whole number"),
        ("condition", {}, "dex.tl.classify"),
        ("age", {"select": "wilcoxon"}, "along a number"),
        ("age", {"estimator": "logistic"}, "is not known"),
        ("age", {"cv": 30}, "at most 20 folds"),
        ("same", {}, "numbers that differ"),
    ],
)
def test_what_cannot_be_learnt_is_refused(outcome, options, words):
    adata = aged()
    adata.obs["same"] = 1.0
    before = adata.obs.copy()
    with pytest.raises(InputError, match=words):
        dex.tl.regress(adata, outcome, **options)
    pd.testing.assert_frame_equal(adata.obs, before)


def test_samples_of_one_patient_are_kept_together_though_nobody_asks():
    adata = aged()
    adata.obs["age"] = np.repeat(np.arange(adata.n_obs // 2), 2) * 1.0
    adata.obs["patient"] = np.repeat([f"p{i}" for i in range(adata.n_obs // 2)], 2)
    dex.tl.regress(adata, "age", n_permutations=0, repeats=1)
    assert adata.uns["regress"]["params"]["n_donors"] == adata.n_obs // 2

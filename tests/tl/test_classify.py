"""Labels are learnt without leakage, and what is said of it holds."""

import logging

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

import dex
from dex.errors import InputError

METRICS = "metrics"


def logs(n=40, p=300, seed=0, *, effect=0.0, n_planted=10, labels=None):
    """Normal logs of samples; the first genes are higher in ``b`` by ``effect`` s.d."""
    rng = np.random.default_rng(seed)
    labels = np.array(["a", "b"])[np.arange(n) % 2] if labels is None else np.asarray(labels)
    X = rng.normal(8, 1, (n, p))
    X[:, :n_planted] += effect * (labels == "b")[:, None]
    obs = pd.DataFrame({"group": labels}, index=[f"s{i}" for i in range(n)])
    adata = ad.AnnData(X, obs=obs, var=pd.DataFrame(index=[f"g{j}" for j in range(p)]))
    adata.uns["dex_layers"] = {"X": {"scale": "log2"}}
    return adata


def cells_of_donors(n_donors=8, n_cells=12, p=200, seed=0, donor_sd=0.7):
    """Cells whose donors differ, and whose conditions do not."""
    rng = np.random.default_rng(seed)
    donors = np.repeat(np.arange(n_donors), n_cells)
    X = 8 + donor_sd * rng.normal(size=(n_donors, p))[donors] + rng.normal(size=(len(donors), p))
    obs = pd.DataFrame(
        {"condition": np.array(["ctrl", "ill"])[donors % 2], "donor": [f"d{i}" for i in donors]},
        index=[f"c{i}" for i in range(len(donors))],
    )
    adata = ad.AnnData(X, obs=obs)
    adata.uns["dex_layers"] = {"X": {"scale": "log2"}}
    return adata


def auc(adata, key="classify"):
    return adata.uns[key][METRICS]["auc"]


def test_noise_has_an_area_of_a_half_and_uniform_p():
    areas, pvals = [], []
    for seed in range(25):
        adata = logs(p=200, seed=seed)
        options = {"repeats": 1, "cv": 3, "n_permutations": 19, "n_genes": 20}
        dex.tl.classify(adata, "group", seed=seed, **options)
        areas.append(adata.uns["classify"]["fold_auc"].mean())
        pvals.append(adata.uns["classify"][METRICS]["pval"])
    assert abs(np.mean(areas) - 0.5) < 4 * np.std(areas, ddof=1) / np.sqrt(len(areas))
    steps = np.random.default_rng(0).uniform(0, 1 / 20, len(pvals))  # p is a multiple of 1 / 20
    assert kstest(np.array(pvals) - steps, "uniform").pvalue > 1e-3
    assert min(pvals) >= 1 / 20


class Spy(ClassifierMixin, BaseEstimator):
    """Remembers what it is shown."""

    seen: list = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.model_ = LogisticRegression().fit(X, y)
        self.mine_ = {"train": X.copy(), "y": y.copy()}
        return self

    def predict_proba(self, X):
        Spy.seen.append({**self.mine_, "test": X.copy()})
        return self.model_.predict_proba(X)


def test_a_spy_never_sees_who_is_tested():
    Spy.seen.clear()
    adata = logs(20, 30)
    dex.tl.classify(adata, "group", estimator=Spy(), n_genes=None, n_permutations=0, repeats=2)
    assert len(Spy.seen) == 10
    for fold in Spy.seen:
        assert len(fold["train"]) + len(fold["test"]) == 20
        distance = np.abs(fold["train"][:, None] - fold["test"][None]).max(axis=2)
        assert distance.min() > 1e-3
        np.testing.assert_allclose(fold["train"].mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(fold["train"].std(axis=0), 1, rtol=1e-9)
        assert np.abs(fold["test"].mean(axis=0)).max() > 1e-3  # not scaled with itself


def test_donors_are_kept_together_though_nobody_asks(caplog):
    adata = cells_of_donors()
    with caplog.at_level(logging.INFO, logger="dex"):
        dex.tl.classify(adata, "condition", n_permutations=0, repeats=1)
    assert "'donor'" in caplog.text
    assert adata.uns["classify"]["params"]["replicate"] == "donor"
    assert adata.uns["classify"]["params"]["n_donors"] == 8
    assert auc(adata) < 0.9
    alone = adata.copy()
    del alone.obs["donor"]
    options = {"n_permutations": 0, "repeats": 1, "unit": "cells"}
    dex.tl.classify(alone, "condition", **options)
    assert auc(alone) > 0.95  # the leak that donors cure
    assert "cells are taken for independent" in caplog.text
    caplog.clear()
    dex.tl.classify(adata, "condition", replicate=None, **options)
    assert auc(adata) == auc(alone)
    assert "cells are taken for independent" not in caplog.text  # it was asked for


def test_intervals_hold_a_half_where_donors_differ_and_conditions_do_not():
    covered = []
    for seed in range(12):
        adata = cells_of_donors(seed=seed, n_cells=6, p=60)
        dex.tl.classify(adata, "condition", n_permutations=19, repeats=1, n_genes=10, seed=seed)
        found = adata.uns["classify"][METRICS]
        covered.append(found["auc_low"] <= 0.5 <= found["auc_high"])
    assert np.mean(covered) >= 0.9


def test_three_donors_a_side_are_never_below_a_tenth(caplog):
    adata = cells_of_donors(6, 8)
    adata.X[:, :20] += 9 * (adata.obs["condition"] == "ill").to_numpy()[:, None]
    with caplog.at_level(logging.WARNING, logger="dex"):
        dex.tl.classify(adata, "condition", repeats=1)
    permutation = adata.uns["classify"]["permutation"]
    assert permutation["n_possible"] == 20
    assert permutation["exact"]
    assert len(permutation["values"]) == 19
    assert permutation["pval"] >= 0.1  # the mirror image is as good
    assert "in 20 ways only, so that p cannot be below 0.1" in caplog.text


def test_a_rare_class_is_not_95_percent_accurate():
    labels = np.array(["a"] * 95 + ["b"] * 5)
    adata = logs(100, 100, labels=labels)
    dex.tl.classify(adata, "group", n_permutations=0, repeats=1)
    found = adata.uns["classify"][METRICS]
    assert found["balanced_accuracy"] < 0.75
    assert found["average_precision_chance"] == pytest.approx(0.05)
    table = dex.get.metrics_df(adata).set_index("metric")
    assert table.loc["balanced_accuracy", "chance"] == 0.5
    signal = logs(100, 100, labels=labels, effect=2.5)
    dex.tl.classify(signal, "group", n_permutations=0, repeats=1)
    assert signal.uns["classify"][METRICS]["balanced_accuracy"] > 0.9


def test_library_size_changes_no_prediction():
    """Of a sample that is ten times as deep, in every fold that tests it."""
    adata = dex.datasets.simulate_counts(150, n_per_group=6, log2fc_sd=0.5, seed=2)
    deep = adata.copy()
    deep.X[3] *= 10
    for one in (adata, deep):
        dex.tl.classify(one, "condition", n_permutations=0, repeats=1, n_genes=20)
    name = adata.obs_names[3]
    assert deep.obs.loc[name, "classify_probability"] == pytest.approx(
        adata.obs.loc[name, "classify_probability"], rel=1e-9
    )


@pytest.mark.parametrize("estimator", ["logistic", "centroids", LogisticRegression()])
def test_same_seed_same_result_with_any_threads(estimator):
    results = []
    for n_threads in (1, 2):
        adata = logs(effect=0.8)
        dex.tl.classify(
            adata,
            "group",
            estimator=estimator,
            n_permutations=6,
            repeats=2,
            n_threads=n_threads,
            seed=3,
        )
        results.append(adata)
    one, two = results
    np.testing.assert_array_equal(one.obs["classify_probability"], two.obs["classify_probability"])
    np.testing.assert_array_equal(
        one.uns["classify"]["permutation"]["values"], two.uns["classify"]["permutation"]["values"]
    )
    dex.tl.classify(two, "group", estimator=estimator, n_permutations=0, repeats=2, seed=4)
    assert (one.obs["classify_probability"] != two.obs["classify_probability"]).any()


def test_copies_are_kept_together_or_refused(caplog):
    adata = dex.datasets.simulate_counts(100, n_per_group=5, seed=0)
    copies = ad.concat([adata, adata[[0, 7]]], index_unique="-")
    copies.X[-1] *= 3  # at another depth it is still a copy
    with caplog.at_level(logging.WARNING, logger="dex"):
        dex.tl.classify(copies, "condition", n_permutations=0, repeats=1)
    assert "4 observations are copies" in caplog.text
    assert copies.uns["classify"]["params"]["n_donors"] == 10
    copies.obs["condition"] = copies.obs["condition"].astype(str)
    copies.obs.iloc[-2, copies.obs.columns.get_loc("condition")] = "treated"
    before = copies.copy()
    with pytest.raises(InputError, match="under different labels"):
        dex.tl.classify(copies, "condition", key_added="other")
    assert "other" not in copies.uns
    pd.testing.assert_frame_equal(copies.obs, before.obs)


def test_donors_with_both_classes_are_compared_within_folds():
    rng = np.random.default_rng(0)
    adata = logs(24, 100, effect=3.0)
    donors = np.arange(24) // 2
    adata.X += 4 * rng.normal(size=(12, 100))[donors]
    adata.obs["donor"] = [f"d{i}" for i in donors]
    dex.tl.classify(adata, "group", replicate="donor", repeats=1, n_permutations=10)
    entry = adata.uns["classify"]
    assert entry["params"]["areas_over"] == "observations"
    assert entry["permutation"]["n_possible"] == 2**12
    assert entry[METRICS]["auc"] > 0.6


def test_several_classes():
    rng = np.random.default_rng(0)
    labels = np.array(["x", "y/z", "w"])[np.arange(30) % 3]
    adata = logs(30, 80, labels=labels)
    adata.X[:, :9] += 3 * np.repeat(np.eye(3), 3, axis=1)[np.arange(30) % 3]
    del rng
    model = dex.tl.classify(adata, "group", n_permutations=5, repeats=1, n_genes=20)
    assert model.classes == ("w", "x", "y/z")
    entry = adata.uns["classify"]
    assert auc(adata) > 0.95
    assert entry["confusion"].sum() == 30
    assert np.trace(entry["confusion"]) >= 28
    assert adata.obsm["classify_probability"].shape == (30, 3)
    np.testing.assert_allclose(adata.obsm["classify_probability"].sum(axis=1), 1)
    assert adata.varm["classify_coef"].shape == (80, 3)


def test_a_mislabelled_sample_is_found():
    adata = logs(30, 200, effect=3.0)
    adata.obs.loc["s4", "group"] = "b"
    dex.tl.classify(adata, "group", n_permutations=0)
    assert adata.obs["classify_own"].idxmin() == "s4"
    assert adata.obs.loc["s4", "classify_predicted"] == "a"


def test_results_go_through_files(tmp_path):
    adata = logs(20, 60, effect=2.0)
    adata.obs.loc["s0", "group"] = None
    dex.tl.classify(adata, "group", n_permutations=5, repeats=1)
    assert np.isnan(adata.obs.loc["s0", "classify_probability"])
    before = dex.get.metrics_df(adata)
    dex.io.write_h5ad(adata, tmp_path / "a.h5ad")
    dex.io.write_zarr(adata, tmp_path / "a.zarr")
    for again in (dex.io.read_h5ad(tmp_path / "a.h5ad"), dex.io.read_zarr(tmp_path / "a.zarr")):
        pd.testing.assert_frame_equal(dex.get.metrics_df(again), before)
        dex.tl.classify(again, "group", n_permutations=0, repeats=1)  # replaces it
        assert len(again.uns["classify"]["permutation"]["values"]) == 0


def test_genes_in_any_order_are_the_same():
    adata = dex.datasets.simulate_counts(120, n_per_group=6, log2fc_sd=0.6, seed=5)
    turned = adata[:, ::-1].copy()
    for one in (adata, turned):
        dex.tl.classify(one, "condition", n_permutations=0, repeats=1, n_genes=15)
    np.testing.assert_allclose(
        turned.obs["classify_probability"], adata.obs["classify_probability"], rtol=1e-6
    )
    np.testing.assert_array_equal(
        turned.var["classify_frequency"][::-1], adata.var["classify_frequency"]
    )


def test_the_other_reference_gives_the_other_probability():
    adata = logs(effect=0.7)
    dex.tl.classify(adata, "group", reference="a", n_permutations=0, repeats=1)
    other = adata.copy()
    dex.tl.classify(other, "group", reference="b", n_permutations=0, repeats=1)
    assert other.uns["classify"]["params"]["reference"] == "b"
    np.testing.assert_allclose(
        other.obs["classify_probability"], 1 - adata.obs["classify_probability"], atol=1e-7
    )
    np.testing.assert_allclose(other.obs["classify_own"], adata.obs["classify_own"], atol=1e-7)
    assert auc(other) == pytest.approx(auc(adata), abs=1e-9)


def test_studies_are_tested_by_the_others():
    adata = logs(30, 100, effect=2.5)
    adata.obs["study"] = np.repeat(["one", "two", "three"], 10)
    adata.X[:, 50:] += np.repeat([0.0, 2.0, 4.0], 10)[:, None]
    dex.tl.classify(adata, "group", cv="study", n_permutations=5)
    assert adata.uns["classify"]["fold_auc"].shape == (1, 3)
    assert auc(adata) > 0.8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"groupby": "nothing"}, "is not in obs"),
        ({"estimator": "svm"}, "is not known"),
        ({"select": "edger"}, "is one of"),
        ({"n_genes": 0}, "at least 1"),
        ({"cv": 40}, r"0\.41"),
        ({"cv": "one"}, "one level only"),
        ({"size_factors": "rle"}, "in its folds"),
        ({"replicate": "pair"}, "independent units"),
        ({"key_added": "taken"}, "something else"),
        ({"groupby": "number"}, "dex.tl.regress"),
        ({"groupby": "one"}, "two are needed"),
    ],
)
def test_what_cannot_be_learnt_is_refused(options, words):
    adata = logs(30, 40)
    adata.obs["pair"] = np.where(np.arange(30) < 15, "p", "q")
    adata.obs["one"] = "x"
    adata.obs["number"] = np.arange(30.0)
    adata.uns["taken"] = {"a": 1}
    before = adata.copy()
    with pytest.raises(InputError, match=words):
        dex.tl.classify(adata, **{"groupby": "group", **options})
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    assert set(adata.uns) == set(before.uns)


def test_columns_of_others_are_not_written_over():
    adata = logs(30, 40)
    adata.obs["classify_predicted"] = "mine"
    with pytest.raises(InputError, match=r"obs\['classify_predicted'\] is there and not of an"):
        dex.tl.classify(adata, "group", n_permutations=0, repeats=1)
    assert (adata.obs["classify_predicted"] == "mine").all()
    del adata.obs["classify_predicted"]
    adata.var["classify_rank"] = "mine"
    with pytest.raises(InputError, match=r"var\['classify_rank'\] is there"):
        dex.tl.classify(adata, "group", n_permutations=0, repeats=1)
    del adata.var["classify_rank"]
    for _ in range(2):  # one's own are
        dex.tl.classify(adata, "group", n_permutations=0, repeats=1)


def test_nothing_of_scikit_learn_is_imported_unasked():
    import subprocess
    import sys

    code = (
        "import sys, dex.tl, dex.learn.nested, dex.learn.model; "
        "print({'sklearn', 'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_batches_are_taken_off_within_the_folds():
    adata = logs(40, 100, 1, effect=1.0)
    rng = np.random.default_rng(1)
    batch = rng.integers(0, 2, 40)
    adata.obs["batch"] = np.array(["one", "two"])[batch]
    adata.X += 6 * rng.normal(size=100) * batch[:, None]
    areas = []
    for block in (None, "batch"):
        dex.tl.classify(adata, "group", block=block, n_permutations=0, repeats=2, n_genes=10)
        areas.append(auc(adata))
    assert areas[1] > areas[0] + 0.1
    assert adata.uns["classify"]["params"]["block"] == "batch"
    adata.obs["same"] = adata.obs["group"].map({"a": "p", "b": "q"})
    with pytest.raises(InputError, match="one outcome only"):
        dex.tl.classify(adata, "group", block="same")


def test_batches_of_noise_leave_a_half():
    """Batches that go with the label, so that what is taken off could tell it."""
    areas = []
    for seed in range(16):
        adata = logs(24, 80, seed)
        batch = (np.arange(24) % 2 + (np.arange(24) % 5 == 0)) % 2
        adata.obs["batch"] = np.array(["one", "two"])[batch]
        dex.tl.classify(
            adata, "group", block="batch", n_permutations=0, repeats=1, n_genes=10, seed=seed
        )
        areas.append(auc(adata))
    assert abs(np.mean(areas) - 0.5) < 4 * np.std(areas, ddof=1) / np.sqrt(len(areas))


@pytest.mark.parametrize("estimator", ["logistic", "centroids", LogisticRegression()])
def test_permuted_labels_may_leave_a_study_without_a_class(estimator):
    adata = logs(12, 60, labels=np.repeat(["a", "b", "c"], 4))
    adata.obs["study"] = ["one", "one", "two", "two"] * 3
    dex.tl.classify(adata, "group", cv="study", estimator=estimator, n_permutations=40, n_genes=5)
    assert np.isfinite(adata.uns["classify"]["permutation"]["values"]).all()


def test_folds_of_one_class_each_are_refused():
    """As of leaving one donor out: there is no area, and there was an error of scipy's."""
    adata = cells_of_donors()
    with pytest.raises(InputError, match="each of its levels has one class only"):
        dex.tl.classify(adata, "condition", replicate="donor", cv="donor", n_permutations=0)
    assert "classify" not in adata.uns
    adata.obs["study"] = np.where(adata.obs["condition"] == "ill", "one", "other")
    with pytest.raises(InputError, match="without 'one' and the donors in it, a class is missing"):
        dex.tl.classify(adata, "condition", replicate="donor", cv="study")
    with pytest.raises(InputError, match="cv=None is not a whole number"):
        dex.tl.classify(adata, "condition", replicate="donor", cv=None)


def test_coefficients_of_two_centroids_are_log_odds_of_the_second_class():
    """They were those of both classes, of which tables and figures took the first's: turned."""
    adata = logs(effect=2.0)
    dex.tl.classify(adata, "group", estimator="centroids", n_permutations=0, n_genes=10)
    assert (adata.var["classify_coef"].dropna() > 0).all()
    assert (dex.get.signature_df(adata, "classify")["coef"] > 0).all()


def test_labels_that_are_clusters_of_the_same_values_are_told(caplog):
    """Of pure noise they are predicted well: the p-value asks nothing of groups."""
    adata = dex.datasets.simulate_counts(100, 8, de_fraction=0)
    dex.tl.cluster(adata, 2, method="kmeans", n_null=1)
    options = {"n_permutations": 0, "repeats": 1, "n_genes": 5}
    dex.tl.classify(adata, "cluster", **options)
    assert "obs['cluster'] are clusters of these very values" in caplog.text
    caplog.clear()
    dex.tl.classify(adata, "condition", **options)
    dex.pp.split_counts(adata)
    dex.tl.cluster(adata, 2, method="kmeans", n_null=1, layer="split_train")
    caplog.clear()
    dex.tl.classify(adata, "cluster", layer="split_test", **options)
    assert "clusters of" not in caplog.text


def test_biopsies_of_one_patient_are_kept_together_though_nobody_asks(caplog):
    """Two of each are too few to tell cells' donors by, and made an area of 0.9 of noise."""
    adata = cells_of_donors(20, 2, donor_sd=3.0)
    adata.obs["patient"] = adata.obs.pop("donor")
    adata.obs["rep"] = [1, 2] * 20
    with caplog.at_level(logging.INFO, logger="dex"):
        dex.tl.classify(adata, "condition", n_permutations=0, unit="samples")
    assert "whole levels of obs['patient']" in caplog.text
    assert auc(adata) < 0.75
    assert adata.uns["classify"]["params"]["n_donors"] == 20
    del adata.obs["patient"], adata.obs["rep"]
    dex.tl.classify(adata, "condition", n_permutations=0, unit="samples")
    assert auc(adata) > 0.9
    assert adata.uns["classify"]["params"]["n_donors"] == 40

"""Models on data that they have never seen, in memory and from files."""

import json
import zipfile

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import dex
from dex.errors import InputError
from dex.learn.model import Model


@pytest.fixture(scope="module")
def both():
    """Training samples, and others of the same kind."""
    adata = dex.datasets.simulate_counts(200, n_per_group=12, log2fc_sd=1.5, seed=4)
    rows = np.arange(24) % 12 < 8
    return adata[rows].copy(), adata[~rows].copy()


@pytest.fixture(scope="module")
def model(both):
    return dex.tl.classify(both[0].copy(), "condition", n_permutations=0, repeats=1, n_genes=10)


def test_new_samples_are_predicted(both, model):
    new = both[1].copy()
    table = dex.tl.predict(new, model)
    assert (table["predicted"].astype(str) == new.obs["condition"].astype(str)).all()
    np.testing.assert_array_equal(new.obs["predict_probability"], table["probability of treated"])
    assert new.uns["predict"]["overlap"] == 1.0


def test_one_sample_is_predicted_as_in_company(both, model):
    new = both[1]
    together = dex.tl.predict(new.copy(), model)
    for i in (0, 5):
        alone = dex.tl.predict(new[[i]].copy(), model)
        np.testing.assert_allclose(
            alone.iloc[0, 1:].astype(float), together.iloc[i, 1:].astype(float)
        )


def test_order_of_genes_depth_and_storage_do_not_matter(both, model):
    new = both[1]
    first = dex.tl.predict(new.copy(), model).iloc[:, 1].to_numpy()
    turned = new[:, ::-1].copy()
    turned.X = sparse.csr_matrix(turned.X * 10)
    np.testing.assert_allclose(dex.tl.predict(turned, model).iloc[:, 1], first, rtol=1e-6)


def test_missing_genes_are_told_and_too_many_refused(both, model, caplog):
    new = both[1]
    some = new[:, ~new.var_names.isin(model.genes[:1])].copy()
    dex.tl.predict(some, model)
    assert some.uns["predict"]["missing"].tolist() == [model.genes[0]]
    assert some.uns["predict"]["overlap"] == pytest.approx(0.9)
    assert "1 of the 10 genes of the model are missing" in caplog.text
    few = new[:, ~new.var_names.isin(model.genes[:3])].copy()
    with pytest.raises(InputError, match="only 7 of the 10 genes"):
        dex.tl.predict(few, model)
    assert "predict" not in few.uns
    assert len(dex.tl.predict(few, model, min_overlap=0.5)) == few.n_obs


def test_genes_that_nobody_looks_at_may_be_missing(both, model):
    """A panel with half of the transcriptome: shares are brought to those of training."""
    new = both[1]
    kept = np.isin(new.var_names, model.genes) | (np.arange(new.n_vars) % 2 == 0)
    part = dex.tl.predict(new[:, kept].copy(), model).iloc[:, 1]
    whole = dex.tl.predict(new.copy(), model).iloc[:, 1]
    assert np.abs(part - whole).max() < 0.25
    assert ((part > 0.5) == (whole > 0.5)).all()


def test_symbols_find_genes(both, model):
    new = both[1].copy()
    new.var["symbol"] = new.var_names
    new.var_names = [f"ENSG{j}" for j in range(new.n_vars)]
    assert len(dex.tl.predict(new, model, gene_symbols="symbol")) == new.n_obs
    with pytest.raises(InputError, match="only 0 of the 10"):
        dex.tl.predict(new, model)


def test_symbols_of_several_rows_are_refused_if_the_model_looks_at_them(both, model):
    new = both[1].copy()
    others = np.setdiff1d(new.var_names, model.genes)
    new.var["symbol"] = np.where(new.var_names == others[1], others[0], new.var_names)
    assert len(dex.tl.predict(new, model, gene_symbols="symbol")) == new.n_obs
    new.var["symbol"] = np.where(new.var_names == others[1], model.genes[0], new.var_names)
    with pytest.raises(InputError, match=f"'{model.genes[0]}' of the model's genes stand for sev"):
        dex.tl.predict(new, model, gene_symbols="symbol")


def test_names_of_several_genes_in_training_are_refused(both):
    train, new = (one.copy() for one in both)
    train.var_names = [
        "twice" if name in {"gene0001", "gene0002"} else name for name in train.var_names
    ]
    made = dex.tl.classify(train, "condition", n_permutations=0, repeats=1, n_genes=None)
    new.var_names = ["twice" if name == "gene0001" else name for name in new.var_names]
    with pytest.raises(InputError, match="'twice' stood for several genes in training"):
        dex.tl.predict(new, made)


def test_empty_samples_are_refused(both, model):
    new = both[1].copy()
    new.X[1] = 0
    with pytest.raises(InputError, match=f"the sample '{new.obs_names[1]}' has no counts"):
        dex.tl.predict(new, model)


def test_logs_for_counts_are_refused(both, model):
    new = both[1].copy()
    dex.pp.normalize(new)
    new.X = new.layers["logcpm"]
    new.uns["dex_layers"]["X"] = {"scale": "logcpm"}
    del new.layers["logcpm"]
    with pytest.raises(InputError, match="needs counts"):
        dex.tl.predict(new, model)
    with pytest.raises(InputError, match="is no model"):
        dex.tl.predict(new, "model.zip")


@pytest.mark.parametrize("estimator", ["logistic", "centroids"])
def test_models_come_back_from_files(both, estimator, tmp_path):
    train, new = both[0].copy(), both[1].copy()
    made = dex.tl.classify(
        train, "condition", estimator=estimator, n_permutations=0, repeats=1, n_genes=10
    )
    dex.io.save_model(made, tmp_path / "model.zip")
    again = dex.io.load_model(tmp_path / "model.zip")
    assert isinstance(again, Model)
    assert repr(again) == repr(made)
    assert again.params == made.params
    np.testing.assert_array_equal(
        dex.tl.predict(new, again).iloc[:, 1], dex.tl.predict(new, made).iloc[:, 1]
    )


def test_models_of_numbers_come_back(both, tmp_path):
    train, new = both[0].copy(), both[1].copy()
    train.obs["age"] = np.arange(train.n_obs) * 1.0
    made = dex.tl.regress(train, "age", n_permutations=0, repeats=1, n_genes=10)
    dex.io.save_model(made, tmp_path / "model")
    again = dex.io.load_model(tmp_path / "model")
    np.testing.assert_array_equal(
        dex.tl.predict(new, again)["predicted"], dex.tl.predict(new, made)["predicted"]
    )


def test_options_that_are_numbers_of_numpy_are_written(both, tmp_path):
    options = {"n_permutations": 0, "repeats": np.int64(1), "n_genes": np.int64(5)}
    made = dex.tl.classify(both[0].copy(), "condition", seed=np.int64(0), **options)
    dex.io.save_model(made, tmp_path / "model.zip")
    assert dex.io.load_model(tmp_path / "model.zip").params == made.params


def test_a_file_holds_json_and_arrays_and_no_pickle(model, tmp_path):
    path = tmp_path / "model.zip"
    dex.io.save_model(model, path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["arrays.npz", "model.json"]
        words = json.loads(archive.read("model.json"))
        (tmp_path / "arrays.npz").write_bytes(archive.read("arrays.npz"))
    assert words["classes"] == ["control", "treated"]
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


@pytest.mark.parametrize(
    ("estimator", "trusted"),
    [
        (LogisticRegression(), []),
        (RandomForestClassifier(n_estimators=5), ["sklearn.tree._tree.Tree"]),
    ],
)
def test_estimators_of_scikit_learn_are_written_by_skops(both, estimator, trusted, tmp_path):
    pytest.importorskip("skops")
    train, new = both[0].copy(), both[1].copy()
    made = dex.tl.classify(
        train, "condition", estimator=estimator, n_permutations=0, repeats=1, n_genes=10
    )
    dex.io.save_model(made, tmp_path / "model.zip")
    if trusted:
        with pytest.raises(InputError, match="may run code"):
            dex.io.load_model(tmp_path / "model.zip")
    again = dex.io.load_model(tmp_path / "model.zip", trusted=trusted)
    np.testing.assert_array_equal(
        dex.tl.predict(new, again).iloc[:, 1], dex.tl.predict(new, made).iloc[:, 1]
    )


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(InputError, match="is no model"):
        dex.io.load_model(tmp_path / "text")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("model.json", "{}")
    with pytest.raises(InputError, match="is no model"):
        dex.io.load_model(tmp_path / "zip")
    with pytest.raises(InputError):
        dex.io.load_model(tmp_path / "missing")


def test_linear_values_are_logged_as_in_training(both):
    """Else a gene at 10,000 CPM is 10,000 standard deviations from its mean in training."""
    train, new = (one.copy() for one in both)
    for adata in (train, new):
        adata.X = adata.X / adata.X.sum(axis=1, keepdims=True) * 1e6
    logs = train.copy()
    logs.X = np.log2(1 + train.X)
    options = {"n_permutations": 0, "repeats": 1, "n_genes": 10}
    model = dex.tl.classify(train, "condition", scale="linear", **options)
    same = dex.tl.classify(logs, "condition", scale="log2p1", **options)
    found = dex.tl.predict(new, model, scale="linear")
    new.X = np.log2(1 + new.X)
    for one in (same, model):
        other = dex.tl.predict(new, one, scale="log2p1").iloc[:, 1]
        np.testing.assert_allclose(found.iloc[:, 1], other, atol=1e-6)  # logs of float32


def test_logs_of_another_base_are_refused(both):
    train, new = (one.copy() for one in both)
    for adata in (train, new):
        adata.X = np.log1p(adata.X / adata.X.sum(axis=1, keepdims=True) * 1e6)
    options = {"n_permutations": 0, "repeats": 1, "n_genes": 10}
    model = dex.tl.classify(train, "condition", scale="ln1p", **options)
    dex.tl.predict(new, model, scale="ln1p")
    with pytest.raises(InputError, match=r"trained on logs \(ln1p\); if .* scale='ln1p'"):
        dex.tl.predict(new, model, scale="log2p1")

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from dex.errors import InputError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
real = pytest.mark.filterwarnings(
    # What TensorFlow and Keras say to each other at import, not to us:
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore:__array__ implementation:DeprecationWarning",
)


@pytest.fixture(scope="module")
def keras():
    pytest.importorskip("tensorflow")
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def apart():
    """Sixty observations of three classes; two of eight features tell them apart."""
    rng = np.random.default_rng(0)
    codes = np.arange(60) % 3
    X = rng.normal(size=(60, 8))
    X[:, :2] += 3 * np.array([[0, 0], [1, 0], [0, 1]])[codes]
    return X, np.array(["a", "b", "c"])[codes]


def test_nothing_imports_tensorflow_until_asked():
    code = (
        "import sys, dex.tl, dex.learn.keras as k; k.KerasClassifier(k.mlp);"
        "loaded = {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules); assert not loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_keras_it_says_what_to_install(monkeypatch, apart):
    from dex.learn.keras import KerasClassifier, mlp

    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(InputError, match=r"dex-de\[tensorflow\]"):
        mlp(3, 2)
    with pytest.raises(InputError, match=r"dex-de\[tensorflow\]"):
        KerasClassifier(random_state=0).fit(*apart)


@real
def test_probabilities_are_scored_by_scikit_learn(keras, apart):
    """``keras.wrappers.SKLearnClassifier`` fails here: it has no ``predict_proba``."""
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from dex.learn.keras import KerasClassifier

    X, y = apart
    model = make_pipeline(StandardScaler(), KerasClassifier(epochs=60, random_state=1))
    auc = cross_val_score(model, X, y, cv=3, scoring="roc_auc_ovr")
    assert auc.mean() > 0.85


@real
def test_same_seed_same_model_and_nobody_elses_numbers_change(keras, apart):
    from dex.learn.keras import KerasClassifier

    X, y = apart
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one = KerasClassifier(epochs=5, random_state=3).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    two = KerasClassifier(epochs=5, random_state=3).fit(X, y).predict_proba(X)
    other = KerasClassifier(epochs=5, random_state=4).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3
    np.testing.assert_allclose(one.sum(axis=1), 1, rtol=1e-12)


@real
def test_sigmoid_one_hot_and_weights(keras, apart):
    from dex.learn.keras import KerasClassifier

    X, y = apart
    two = y != "c"

    def sigmoid(n_features, _n_classes):
        layers = [keras.Input((n_features,)), keras.layers.Dense(1, activation="sigmoid")]
        model = keras.Sequential(layers)
        model.compile(optimizer=keras.optimizers.Adam(0.1), loss="binary_crossentropy")
        return model

    def one_hot(n_features, n_classes):
        layers = [keras.Input((n_features,)), keras.layers.Dense(n_classes, activation="softmax")]
        model = keras.Sequential(layers)
        model.compile(optimizer=keras.optimizers.Adam(0.1), loss="categorical_crossentropy")
        return model

    found = KerasClassifier(sigmoid, epochs=20, random_state=0).fit(X[two], y[two])
    assert (found.predict(X[two]) == y[two]).mean() > 0.9
    assert found.predict_proba(X).shape == (60, 2)
    found = KerasClassifier(one_hot, epochs=20, random_state=0).fit(X, y)
    assert (found.predict(X) == y).mean() > 0.9
    only_a = np.where(y == "a", 1.0, 0.0)
    found = KerasClassifier(one_hot, epochs=20, random_state=0).fit(X, y, sample_weight=only_a)
    assert (found.predict(X) == "a").all()


@real
def test_outputs_that_are_no_probabilities_are_refused(keras, apart):
    from dex.learn.keras import KerasClassifier

    def logits(n_features, n_classes):
        model = keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(n_classes)])
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    found = KerasClassifier(logits, epochs=1, random_state=0).fit(*apart)
    with pytest.raises(InputError, match="end it with softmax"):
        found.predict_proba(apart[0])


@real
def test_numbers_are_predicted(keras, apart):
    from dex.learn.keras import keras_estimator, mlp

    X = apart[0]
    y = 100 + 20 * X[:, 0]
    found = keras_estimator(mlp, seed=0, n_classes=0).fit(X, y)
    assert np.corrcoef(found.predict(X), y)[0, 1] > 0.9
    assert abs(found.predict(X).mean() - 100) < 30


@real
def test_a_model_survives_a_file(keras, apart, tmp_path):
    from dex.learn.keras import KerasClassifier, loaded_estimator

    X, y = apart
    found = KerasClassifier(epochs=3, random_state=0).fit(X, np.unique(y, return_inverse=True)[1])
    found.model_.save(tmp_path / "a.keras")
    back = loaded_estimator(tmp_path / "a.keras")
    np.testing.assert_array_equal(back.predict_proba(X), found.predict_proba(X))
    assert back.classes_.tolist() == [0, 1, 2]


@real
def test_classify_takes_a_builder(keras, tmp_path):
    import dex
    from dex.learn.keras import mlp

    adata = dex.datasets.simulate_counts(100, 8, log2fc_sd=3, seed=1)

    def small(n_features, n_classes):
        return mlp(n_features, n_classes, hidden=(8,), learning_rate=0.03)

    model = dex.tl.classify(
        adata, "condition", estimator=small, n_genes=10, cv=2, repeats=1, n_permutations=0
    )
    assert adata.uns["classify"]["metrics"]["auc"] > 0.9
    dex.io.save_model(model, tmp_path / "model.zip")
    back = dex.io.load_model(tmp_path / "model.zip")
    dex.tl.predict(adata, model, key_added="one")
    dex.tl.predict(adata, back, key_added="two")
    np.testing.assert_array_equal(adata.obs["one_probability"], adata.obs["two_probability"])


@real
def test_models_of_numbers_come_back_on_their_scale(keras, tmp_path):
    import dex
    from dex.learn.keras import mlp

    adata = dex.datasets.simulate_counts(100, 8, log2fc_sd=3, seed=1)
    adata.obs["age"] = 50 + 10.0 * (adata.obs["condition"] == "treated") + np.arange(16) / 16
    model = dex.tl.regress(
        adata, "age", estimator=mlp, n_genes=10, cv=2, repeats=1, n_permutations=0
    )
    dex.io.save_model(model, tmp_path / "model.zip")
    back = dex.io.load_model(tmp_path / "model.zip")
    dex.tl.predict(adata, model, key_added="one")
    dex.tl.predict(adata, back, key_added="two")
    np.testing.assert_array_equal(adata.obs["one_predicted"], adata.obs["two_predicted"])
    assert adata.obs["two_predicted"].mean() > 40

"""Keras models behind the face of scikit-learn, ``predict_proba`` included.

``keras.wrappers.SKLearnClassifier`` has none and cannot be scored by areas under the ROC curve.
TensorFlow is imported when the first model is built, not with this module.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from dex.typing import Float

    Builder = Callable[[int, int], Any]

_ROWS = 4096
"""Observations that are predicted at a time."""


def mlp(
    n_features: int,
    n_classes: int,
    *,
    hidden: tuple[int, ...] = (32,),
    l2: float = 1e-2,
    dropout: float = 0.3,
    learning_rate: float = 3e-3,
) -> Any:
    """Build a small perceptron that resists learning noise by heart: a builder to copy from.

    Layers of rectified units with a penalty on their weights, between layers of dropout.

    Parameters
    ----------
    n_features, n_classes
        What comes in and out; 0 classes for a number.
    hidden
        Units of each layer.
    l2
        Penalty of squared weights.
    dropout
        Share of the units that each step of training does without; half of it of the features.
    learning_rate
        Of Adam.

    Returns
    -------
    A compiled ``keras.Sequential``.
    """
    keras = import_keras()
    layers = [keras.Input((n_features,)), keras.layers.Dropout(dropout / 2)]
    for units in hidden:
        penalty = keras.regularizers.L2(l2)
        layers += [
            keras.layers.Dense(units, activation="relu", kernel_regularizer=penalty),
            keras.layers.Dropout(dropout),
        ]
    last = {"activation": "softmax"} if n_classes else {}
    layers.append(keras.layers.Dense(n_classes or 1, **last))
    model = keras.Sequential(layers)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy" if n_classes else "mean_squared_error",
        jit_compile=False,  # compiling costs more than so small a model ever takes
    )
    return model


class _KerasModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A Keras model that is built anew for every fit.

    Parameters
    ----------
    build
        ``build(n_features, n_classes)`` gives a compiled model.
    epochs, batch_size
        Of training.
    random_state
        Seed of weights, dropout and order.
    """

    def __init__(
        self,
        build: Builder = mlp,
        *,
        epochs: int = 100,
        batch_size: int = 32,
        random_state: int | None = None,
    ) -> None:
        self.build = build
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def _train(self, X: Float, y: Any, n_classes: int, sample_weight: ArrayLike | None) -> None:
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float32)
        with _seeded(self.random_state):
            self.model_ = self.build(X.shape[1], n_classes)
            self.model_.fit(
                X.astype(np.float32),
                _targets(self.model_, y, n_classes),
                sample_weight=weight,
                epochs=self.epochs,
                batch_size=self.batch_size,
                verbose=0,
            )

    def _outputs(self, X: Float) -> Float:
        import keras

        check_is_fitted(self, "model_")
        X = np.asarray(X, dtype=np.float32)
        parts = [
            keras.ops.convert_to_numpy(self.model_(X[i : i + _ROWS], training=False))
            for i in range(0, len(X), _ROWS)
        ]
        return np.concatenate(parts).astype(np.float64).reshape(len(X), -1)


class KerasClassifier(ClassifierMixin, _KerasModel):  # type: ignore[misc]
    """A Keras model as a classifier of scikit-learn.

    The model ends in a softmax over the classes, or in one sigmoid for two. Its loss is the
    sparse or the one-hot categorical cross-entropy, or the binary one.

    Parameters
    ----------
    build
        ``build(n_features, n_classes)`` gives a compiled model; :func:`mlp` is one.
    epochs, batch_size
        Of training.
    random_state
        Seed of weights, dropout and order: with it, fits are the same.
    """

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KerasClassifier:
        """Build the model and train it."""
        X, y = validate_data(self, X, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            msg = f"there is one class, {self.classes_[0]!r}; a classifier needs two."
            raise InputError(msg)
        self._train(X, codes, len(self.classes_), sample_weight)
        return self

    def predict_proba(self, X: ArrayLike) -> Float:
        """Probabilities of the classes, ``(n_obs, n_classes)``.

        Raises
        ------
        InputError
            If the model's outputs are no probabilities.
        """
        out = self._outputs(validate_data(self, X, reset=False))
        n_classes = len(self.classes_)
        if out.shape[1] == 1 and n_classes == 2:
            out = np.column_stack([1 - out[:, 0], out[:, 0]])
        sums = out.sum(axis=1)
        if out.shape[1] != n_classes or (out < 0).any() or not np.allclose(sums, 1, atol=1e-3):
            msg = (
                f"the Keras model gives {out.shape[1]} outputs that are no probabilities of "
                f"{n_classes} classes; end it with softmax (or sigmoid, for two classes)."
            )
            raise InputError(msg)
        return np.asarray(out / sums[:, None], dtype=np.float64)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable classes, ``(n_obs,)``."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class KerasRegressor(RegressorMixin, _KerasModel):  # type: ignore[misc]
    """A Keras model with one output as a regressor of scikit-learn; ``n_classes`` is then 0."""

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KerasRegressor:
        """Build the model and train it, on numbers of mean 0 and standard deviation 1."""
        X, y = validate_data(self, X, y, y_numeric=True)
        self.mean_, self.sd_ = float(y.mean()), float(y.std()) or 1.0
        self._train(X, (y - self.mean_) / self.sd_, 0, sample_weight)
        return self

    def predict(self, X: ArrayLike) -> Float:
        """Numbers, ``(n_obs,)``."""
        return self._outputs(validate_data(self, X, reset=False))[:, 0] * self.sd_ + self.mean_


def keras_estimator(build: Builder, *, seed: int, n_classes: int) -> KerasClassifier | Any:
    """Return an estimator, with the defaults of training, of models that ``build`` makes."""
    kind = KerasClassifier if n_classes else KerasRegressor
    return kind(build, random_state=seed)


def loaded_estimator(
    path: Path, scale: Sequence[float] | None = None
) -> KerasClassifier | KerasRegressor:
    """Read the model of a classifier whose classes are codes from 0, or of a regressor.

    A regressor's has ``scale``, the mean and the standard deviation of what it has learnt.

    Raises
    ------
    InputError
        If Keras is not installed.
    """
    model = import_keras().models.load_model(path)
    estimator: Any = KerasClassifier() if scale is None else KerasRegressor()
    estimator.model_ = model
    estimator.n_features_in_ = int(model.input_shape[-1])
    if scale is None:
        estimator.classes_ = np.arange(max(int(model.output_shape[-1]), 2))
    else:
        estimator.mean_, estimator.sd_ = scale
    return estimator  # type: ignore[no-any-return]


def import_keras() -> Any:
    """Return keras, or say how to get it.

    Raises
    ------
    InputError
        If Keras or its backend is not installed.
    """
    try:
        import keras
    except ImportError as error:
        msg = f"Keras models need Keras and TensorFlow ({error}): pip install 'dex-de[tensorflow]'."
        raise InputError(msg) from error
    return keras


def _targets(model: Any, codes: Any, n_classes: int) -> Any:
    """Codes as the loss wants them."""
    one_hot = n_classes and "categorical_crossentropy" in _loss_of(model)
    if one_hot and not _loss_of(model).startswith("sparse"):
        return np.eye(n_classes, dtype=np.float32)[codes]
    return np.asarray(codes, dtype=np.float32 if not n_classes else np.int64)


def _loss_of(model: Any) -> str:
    loss = model.loss
    return str(loss if isinstance(loss, str) else getattr(loss, "name", ""))


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Seed Keras for a while; the random numbers of Python and NumPy go on as if it had not."""
    if seed is None:
        yield
        return
    keras = import_keras()
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        keras.utils.set_random_seed(int(seed))
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002

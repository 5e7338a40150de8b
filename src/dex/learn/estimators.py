"""Estimators by name, by example and by builder, behind one face.

``fit(X, y, sample_weight=None)`` with codes of classes from 0, and ``predict_proba`` or
``predict``.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dex.errors import InputError
from dex.learn.centroids import Centroids
from dex.learn.logistic import Logistic
from dex.learn.ridge import Ridge

if TYPE_CHECKING:
    from dex.typing import Float

CLASSIFIERS: Final = {"logistic": Logistic, "centroids": Centroids}
REGRESSORS: Final = {"ridge": Ridge}


def check_estimator(estimator: Any, *, classify: bool) -> None:
    """Refuse what can be no estimator, before any work is done.

    Raises
    ------
    InputError
        If it is neither a name, nor something with the methods of scikit-learn, nor a builder of
        Keras models.
    """
    names = CLASSIFIERS if classify else REGRESSORS
    if isinstance(estimator, str):
        if estimator not in names:
            known = ", ".join(map(repr, names))
            msg = f"estimator={estimator!r} is not known; say {known}, or give one of scikit-learn."
            raise InputError(msg)
        return
    wanted = "predict_proba" if classify else "predict"
    if isinstance(estimator, type):
        msg = (
            f"estimator={estimator.__name__} is a class; give an instance, {estimator.__name__}()."
        )
        raise InputError(msg)
    if hasattr(estimator, "fit"):
        if not hasattr(estimator, wanted):
            msg = (
                f"estimator={type(estimator).__name__} has no {wanted}; wrap it in "
                "sklearn.calibration.CalibratedClassifierCV, which learns probabilities."
            )
            raise InputError(msg)
        return
    if not callable(estimator):
        msg = (
            f"estimator={estimator!r} is no estimator; give a name, an estimator of scikit-learn "
            "or a function that builds a Keras model."
        )
        raise InputError(msg)


def is_own(estimator: Any) -> bool:
    """Whether it is made here of arrays alone, and threads may share it."""
    return isinstance(estimator, (str, Logistic, Ridge, Centroids))


def new_estimator(estimator: Any, *, seed: int, n_classes: int) -> Any:
    """Return a fresh estimator, with ``seed`` where its own is not set."""
    if isinstance(estimator, str):
        return (CLASSIFIERS if n_classes else REGRESSORS)[estimator]()
    if is_own(estimator):
        return type(estimator)(*(getattr(estimator, name) for name in _options(estimator)))
    if hasattr(estimator, "fit"):
        return Foreign.clone(estimator, seed=seed, n_classes=n_classes)
    from dex.learn.keras import keras_estimator

    return Foreign(keras_estimator(estimator, seed=seed, n_classes=n_classes), n_classes)


def fold_estimator(estimator: Any, y: Any, *, seed: int, n_classes: int) -> Any:
    """Return a fresh estimator for ``y``, in which classes may be missing."""
    present = np.unique(y) if n_classes else ()
    if len(present) == n_classes:
        return new_estimator(estimator, seed=seed, n_classes=n_classes)
    if len(present) == 1:
        return Fewer(None, present, n_classes)
    return Fewer(new_estimator(estimator, seed=seed, n_classes=len(present)), present, n_classes)


@dataclass(slots=True)
class Fewer:
    """A classifier of the classes that are in training, where some are not.

    Folds by a column of ``obs`` may lack a class in training when labels are permuted.
    """

    estimator: Any
    """None if there is one class only."""
    present: Any
    """Codes of the classes in training, ``(n_present,)``."""
    n_classes: int

    def fit(self, X: Float, y: Any, sample_weight: Float | None = None) -> Fewer:
        """Fit to those that there are."""
        if self.estimator is not None:
            codes = np.searchsorted(self.present, y)
            self.estimator.fit(X, codes, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities of all classes: 0 of one that was not in training."""
        out = np.zeros((len(X), self.n_classes))
        out[:, self.present] = 1.0 if self.estimator is None else self.estimator.predict_proba(X)
        return out


def _options(estimator: Any) -> tuple[str, ...]:
    return (
        ("C",)
        if isinstance(estimator, Logistic)
        else (("alpha",) if isinstance(estimator, Ridge) else ("shrinkage",))
    )


@dataclass(slots=True)
class Foreign:
    """An estimator with scikit-learn's methods; weights are passed on if it takes them."""

    estimator: Any
    n_classes: int = 0

    @classmethod
    def clone(cls, estimator: Any, *, seed: int, n_classes: int) -> Foreign:
        """Copy it unfitted."""
        from sklearn.base import clone

        fresh = clone(estimator)
        unset = [
            name
            for name, value in fresh.get_params(deep=True).items()
            if name.rpartition("__")[2] == "random_state" and value is None
        ]
        if unset:
            fresh.set_params(**dict.fromkeys(unset, seed))
        return cls(fresh, n_classes)

    def fit(self, X: Float, y: Any, sample_weight: Float | None = None) -> Foreign:
        """Fit."""
        takes = "sample_weight" in inspect.signature(self.estimator.fit).parameters
        options = {"sample_weight": sample_weight} if takes and sample_weight is not None else {}
        self.estimator.fit(X, y, **options)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities with a column for every class, also for one that was not in training."""
        p = np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        classes = np.asarray(self.estimator.classes_, dtype=np.intp)
        if p.shape[1] == self.n_classes:
            return p
        out = np.zeros((len(p), self.n_classes))
        out[:, classes] = p
        return out

    def predict(self, X: Float) -> Float:
        """Numbers."""
        return np.asarray(self.estimator.predict(X), dtype=np.float64)

    @property
    def coef(self) -> Float | None:
        """Coefficients, ``(n_rows, n_features)``, or importances; None if it has neither.

        Those of a support vector machine of several classes are of pairs of them, and left out.
        """
        if hasattr(self.estimator, "decision_function_shape") and self.n_classes > 2:
            return None
        for name in ("coef_", "feature_importances_"):
            values = getattr(self.estimator, name, None)
            if values is not None:
                return np.atleast_2d(np.asarray(values, dtype=np.float64))
        return None

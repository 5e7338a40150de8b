"""Logistic regression with a ridge penalty: scikit-learn's default, fitted to the optimum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import solve
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.typing import Float, Int

_MOST_STEPS = 50
_MOST_HALVINGS = 30
_TOLERANCE = 1e-8
"""Of the gradient; scikit-learn stops at 1e-4."""
_BFGS: Any = {"gtol": 1e-6, "ftol": 1e-15, "maxiter": 2000, "maxcor": 20}


@dataclass(slots=True)
class Logistic:
    """The minimum of ``C * sum(weight * log loss) + |coef|^2 / 2``, intercepts free.

    Of two classes the log odds of the second are modelled; of more, one linear score for each
    (the softmax), as in ``sklearn.linear_model.LogisticRegression``.

    Examples
    --------
    >>> model = Logistic().fit(np.array([[-1.0], [0.0], [1.0], [2.0]]), np.array([0, 0, 1, 1]))
    >>> model.predict_proba(np.array([[0.5]])).round(2).tolist()
    [[0.5, 0.5]]
    """

    C: float = 1.0
    coef: Float = field(default_factory=lambda: np.empty((0, 0)))
    """``(1, n_features)`` for two classes, else ``(n_classes, n_features)``."""
    intercept: Float = field(default_factory=lambda: np.empty(0))

    def fit(self, X: Float, y: Int, sample_weight: Float | None = None) -> Logistic:
        """Fit to ``X``, ``(n_obs, n_features)``, and codes ``y`` from 0; every code occurs."""
        weight = np.full(len(y), self.C) if sample_weight is None else self.C * sample_weight
        if X.shape[1] > len(X):  # the penalised optimum lies in the span of the rows
            left, size, right = np.linalg.svd(X, full_matrices=False)
            inner = Logistic(self.C).fit(left * size, y, sample_weight)
            self.coef, self.intercept = inner.coef @ right, inner.intercept
            return self
        n_classes = int(y.max()) + 1
        one = np.column_stack([X, np.ones(len(X))])
        if n_classes == 2:
            beta = _newton_binary(one, y.astype(float), weight)[None]
        else:
            beta = _softmax(one, np.eye(n_classes)[y], weight)
        self.coef, self.intercept = beta[:, :-1], beta[:, -1]
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities of the classes, ``(n_obs, n_classes)``."""
        eta = X @ self.coef.T + self.intercept
        if eta.shape[1] == 1:
            p = expit(eta[:, 0])
            return np.column_stack([1 - p, p])
        return np.asarray(softmax(eta, axis=1), dtype=np.float64)


def _newton_binary(X: Float, y: Float, weight: Float) -> Float:
    beta = np.zeros(X.shape[1])
    penalty = np.ones(X.shape[1])
    penalty[-1] = 0.0

    def loss(beta: Float) -> float:
        eta = X @ beta
        return float(weight @ (np.logaddexp(0, eta) - y * eta) + penalty @ beta**2 / 2)

    now = loss(beta)
    for _ in range(_MOST_STEPS):
        p = expit(X @ beta)
        gradient = X.T @ (weight * (p - y)) + penalty * beta
        if np.abs(gradient).max() < _TOLERANCE:
            break
        hessian = (X.T * (weight * p * (1 - p))) @ X
        hessian[np.diag_indices_from(hessian)] += penalty + 1e-12
        step = solve(hessian, gradient, assume_a="pos", check_finite=False)
        beta, now, moved = _halved(loss, beta, now, step)
        if not moved:
            break
    return beta


def _softmax(X: Float, Y: Float, weight: Float) -> Float:
    """Coefficients ``(n_classes, n_features + 1)``, by L-BFGS: the Hessian has all pairs."""
    k, n_classes = X.shape[1], Y.shape[1]
    penalty = np.ones((n_classes, k))
    penalty[:, -1] = 0.0

    def loss(flat: Float) -> tuple[float, Float]:
        beta = flat.reshape(n_classes, k)
        log_p = log_softmax(X @ beta.T, axis=1)
        gradient = ((np.exp(log_p) - Y) * weight[:, None]).T @ X + penalty * beta
        fit = weight @ np.sum(Y * log_p, axis=1)
        return float(np.sum(penalty * beta**2) / 2 - fit), gradient.ravel()

    start = np.zeros(n_classes * k)
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options=_BFGS)
    return np.asarray(found.x, dtype=np.float64).reshape(n_classes, k)


def _halved(
    loss: Callable[[Float], float], beta: Float, now: float, step: Float
) -> tuple[Float, float, bool]:
    """Go as far along the Newton step as the loss falls."""
    for _ in range(_MOST_HALVINGS):
        there = loss(beta - step)
        if there <= now:
            return beta - step, there, bool(there < now)
        step = step / 2
    return beta, now, False

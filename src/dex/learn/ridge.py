"""Linear regression with a ridge penalty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float


@dataclass(slots=True)
class Ridge:
    """The minimum of ``sum(weight * (y - fit)^2) + alpha * |coef|^2``, the intercept free.

    Examples
    --------
    >>> model = Ridge(alpha=0.0).fit(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0]))
    >>> model.predict(np.array([[3.0]])).round(6).tolist()
    [7.0]
    """

    alpha: float = 1.0
    coef: Float = field(default_factory=lambda: np.empty((0, 0)))
    """``(1, n_features)``."""
    intercept: Float = field(default_factory=lambda: np.empty(0))

    def fit(self, X: Float, y: Float, sample_weight: Float | None = None) -> Ridge:
        """Fit to ``X``, ``(n_obs, n_features)``, and numbers ``y``."""
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        share = weight / weight.sum()
        x_mean, y_mean = share @ X, float(share @ y)
        root = np.sqrt(weight)
        left, size, right = np.linalg.svd(root[:, None] * (X - x_mean), full_matrices=False)
        kept = size > 1e-10 * max(size.max(initial=0.0), 1e-300)
        shrunk = size[kept] / (size[kept] ** 2 + self.alpha)
        coef = right[kept].T @ (shrunk * (left[:, kept].T @ (root * (y - y_mean))))
        self.coef, self.intercept = coef[None], np.array([y_mean - x_mean @ coef])
        return self

    def predict(self, X: Float) -> Float:
        """Predicted numbers, ``(n_obs,)``."""
        return np.asarray(X @ self.coef[0] + self.intercept[0], dtype=np.float64)

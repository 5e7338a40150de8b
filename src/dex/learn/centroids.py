"""Nearest shrunken centroids [Tibshirani2002]_.

References
----------
.. [Tibshirani2002] Tibshirani R, Hastie T, Narasimhan B, Chu G (2002). Diagnosis of multiple cancer
   types by shrunken centroids of gene expression. PNAS 99, 6567-6572.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from dex.learn.selection import group_sums

if TYPE_CHECKING:
    from dex.learn.selection import GroupSums
    from dex.typing import Float, Int


@dataclass(slots=True)
class Centroids:
    """Observations are of the class whose centroid is nearest, genes by their own spread.

    Centroids are moved towards the mean of all by ``shrinkage`` standard errors; genes whose
    centroids all meet it say nothing any more.
    """

    shrinkage: float = 0.0
    coef: Float = field(default_factory=lambda: np.empty((0, 0)))
    """Standardised centroids after shrinkage, ``(n_classes, n_features)``."""
    centre: Float = field(default_factory=lambda: np.empty(0))
    spread: Float = field(default_factory=lambda: np.empty(0))
    size: Float = field(default_factory=lambda: np.empty(0))
    """What a standardised centroid is multiplied by in the units of the spread."""
    log_prior: Float = field(default_factory=lambda: np.empty(0))

    def fit(self, X: Float, y: Int, sample_weight: Float | None = None) -> Centroids:
        """Fit to ``X``, ``(n_obs, n_features)``, and codes ``y`` from 0; weights are not used."""
        del sample_weight
        sums = group_sums(X, y, int(y.max()) + 1)
        d, self.spread, self.size = standardised(sums)
        self.coef = np.sign(d) * np.maximum(np.abs(d) - self.shrinkage, 0.0)
        self.centre = sums.n @ sums.mean / sums.n.sum()
        self.log_prior = np.log(sums.n / sums.n.sum())
        return self

    @property
    def log_odds(self) -> Float:
        """What a unit of each feature adds to the log odds of the second of two classes.

        Shape ``(1, n_features)``: those are linear, as both classes have one spread.
        """
        means = self.coef * self.size[:, None]
        return np.asarray((means[1] - means[0])[None] / self.spread, dtype=np.float64)

    def predict_proba(self, X: Float) -> Float:
        """Probabilities of the classes under normal distributions, eq. 8."""
        z = (X - self.centre) / self.spread
        means = self.coef * self.size[:, None]
        distance = np.square(z[:, None, :] - means).sum(axis=2)
        return np.asarray(softmax(self.log_prior - distance / 2, axis=1), dtype=np.float64)


def standardised(sums: GroupSums) -> tuple[Float, Float, Float]:
    """Distances of the centroids from the mean of all in standard errors, eq. 1 and 2.

    Returns
    -------
    ``(n_classes, n_vars)``; the spreads of the genes, enlarged by their median, ``(n_vars,)``; and
    the factors of the standard errors, ``(n_classes,)``.
    """
    sd = np.sqrt(sums.within / max(sums.df, 1))
    positive = sd[sd > 0]
    spread = sd + (float(np.median(positive)) if len(positive) else 1.0)
    factor = np.sqrt(np.maximum(1 / sums.n - 1 / sums.n.sum(), 1e-12))
    centre = sums.n @ sums.mean / sums.n.sum()
    return (sums.mean - centre) / (factor[:, None] * spread), spread, factor

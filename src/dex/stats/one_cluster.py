"""Whether points are more than one cluster, and how many [Tibshirani2001]_.

The null hypothesis is one cluster of the same extent in every principal direction. What is drawn
under it has the singular values of the data exactly: for Gaussian points, whose left singular
vectors are uniform over rotations and independent of the singular values whatever the covariance,
the test is then exact [Langsrud2005]_. Uniform points are divided more easily than any other single
heap [Tibshirani2001]_, and stand for a gradient, as of time or severity, that nobody should cut.

References
----------
.. [Tibshirani2001] Tibshirani, Walther and Hastie (2001), Journal of the Royal Statistical Society
   B 63:411; sections 2 and 3, and theorem 1.
.. [Langsrud2005] Langsrud (2005), Statistics and Computing 15:53; section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float

Shape = Literal["uniform", "gaussian"]


@dataclass(frozen=True, slots=True)
class GapTest:
    """Scatter within 1, 2, ... clusters against that of points that are one."""

    log_within: Float
    """Log of the share of the scatter that is within, of the data, shape ``(k_max,)``."""
    expected: Float
    """Its mean over points that are one cluster, shape ``(k_max,)``."""
    error: Float
    """Standard error of the gap, shape ``(k_max,)``: s of [Tibshirani2001]_."""
    z: Float
    """Gap of each k in standard deviations under the null, shape ``(k_max,)``; 0 of one cluster."""
    pval: float
    """Of one cluster, against any number: of the largest ``z``."""

    @property
    def gap(self) -> Float:
        """Shape ``(k_max,)``."""
        return self.expected - self.log_within

    @property
    def k_of_gap(self) -> int:
        """Least number of 2 or more whose gap is within an error of the next."""
        for k in range(2, len(self.gap)):
            if self.gap[k - 1] >= self.gap[k] - self.error[k]:
                return k
        return len(self.gap)

    def k(self, alpha: float) -> int:
        """Return 1, unless that is rejected at ``alpha``."""
        return self.k_of_gap if self.pval <= alpha else 1


def gap_test(log_within: Float, null: Float) -> GapTest:
    """Compare ``log_within``, ``(k_max,)``, with that of null draws, ``(n_null, k_max)``.

    The largest z of the data is ranked among those of the draws. Means and standard deviations are
    over all of them, the data included, so that under the null all are alike and p is exact.

    Examples
    --------
    >>> null = np.log([[10.0, 6.0, 4.0], [10.0, 6.2, 4.1], [10.0, 5.9, 4.2]])
    >>> found = gap_test(np.log([10.0, 2.0, 1.5]), null)
    >>> found.pval, found.k_of_gap
    (0.25, 2)
    """
    n_null = len(null)
    together = np.vstack([log_within, null])
    spread = together.std(axis=0)
    apart = together.mean(axis=0) - together
    # One cluster is as it is in every draw: what differs there is rounding.
    usable = spread > 1e-9
    z = np.where(usable, apart / np.where(usable, spread, 1.0), 0.0)
    largest = z.max(axis=1)
    pval = float(np.mean(largest >= largest[0] - 1e-9))
    error = null.std(axis=0) * np.sqrt(1 + 1 / n_null)
    return GapTest(log_within, null.mean(axis=0), error, z[0], pval)


def one_cluster(
    shape: Shape, n_obs: int, singular_values: Float, *, rng: np.random.Generator
) -> Float:
    """Draw points that are one cluster, ``(n_obs, n_dims)``, with these singular values.

    Examples
    --------
    >>> drawn = one_cluster("uniform", 20, np.array([3.0, 1.0]), rng=np.random.default_rng(0))
    >>> np.linalg.svd(drawn, compute_uv=False).round(6).tolist()
    [3.0, 1.0]
    """
    size = (n_obs, len(singular_values))
    drawn = rng.normal(size=size) if shape == "gaussian" else rng.uniform(size=size)
    drawn -= drawn.mean(axis=0)
    return _orthonormal(drawn) * singular_values


def permuted_columns(values: Float, *, rng: np.random.Generator) -> Float:
    """Permute each column of ``(n_obs, n_vars)`` by itself: no two have anything in common."""
    return rng.permuted(values, axis=0)


def _orthonormal(drawn: Float) -> Float:
    """Nearest orthonormal columns, which for Gaussian ones are uniform over rotations."""
    eigenvalues, vectors = np.linalg.eigh(drawn.T @ drawn)
    return np.asarray(drawn @ (vectors / np.sqrt(eigenvalues)) @ vectors.T, dtype=np.float64)

"""Principal components of observations: the directions in which they differ most [Jolliffe2002]_.

References
----------
.. [Jolliffe2002] Jolliffe (2002), Principal Component Analysis, 2nd ed., Springer; sections 3.1
   and 3.5 (the singular value decomposition), 5.3 (biplots).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import svds

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Float, Int

_LARGEST_GRAM = 2000
"""Size up to which all eigenvalues of a Gram matrix cost less than iterations over the values."""
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """Components in the order of their variance; as many as asked for and have any."""

    scores: Float
    """Coordinates of the observations, shape ``(n_obs, n_comps)``; columns have mean 0."""
    loadings: Float
    """Unit vectors, shape ``(n_vars, n_comps)``; the largest entry of each is positive."""
    variance: Float
    """Variance of the scores (over ``n_obs - 1``), shape ``(n_comps,)``."""
    total_variance: float
    """Sum of the variances of all variables."""

    @property
    def variance_ratio(self) -> Float:
        """Part of the total variance that each component has, shape ``(n_comps,)``."""
        return self.variance / self.total_variance


def principal_components(
    values: Float, n_comps: int, *, overwrite: bool = False, seed: int = 0
) -> PrincipalComponents:
    """Principal components of centred values, not scaled: those of R's ``prcomp``.

    From the eigenvectors of the smaller of the two cross-product matrices where that has at most
    2000 rows; else by Lanczos iterations, to machine precision too.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    n_comps
        Components wanted; there are at most ``min(n_obs - 1, n_vars)``.
    overwrite
        Whether ``values`` may be centred in place, which saves a copy.
    seed
        Of the vector that the iterations begin with.

    Returns
    -------
    PrincipalComponents; fewer than ``n_comps`` where the values have a lower rank.

    Raises
    ------
    InputError
        If there are fewer than two observations, or all are the same.

    Examples
    --------
    >>> found = principal_components(np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]), 2)
    >>> found.variance.round(6).tolist(), found.loadings.round(6).tolist()
    ([8.0], [[0.707107], [0.707107]])
    """
    n_obs, n_vars = values.shape
    if n_obs < 2:
        msg = f"there is {n_obs} observation; principal components need at least 2."
        raise InputError(msg)
    mean = values.mean(axis=0)
    centred = np.subtract(values, mean, out=values if overwrite else None)
    sum_sq = float(np.einsum("ij,ij->", centred, centred))
    if sum_sq <= (_EPS * float(np.abs(mean).max(initial=0.0))) ** 2 * values.size:
        msg = "all observations have the same values; they have no principal components."
        raise InputError(msg)
    n_comps = min(n_comps, n_obs - 1, n_vars)
    if min(n_obs, n_vars) <= _LARGEST_GRAM:
        loadings = _from_gram(centred, n_comps)
    else:
        loadings = _from_iterations(centred, n_comps, seed)
    loadings *= leading_signs(loadings)
    scores = centred @ loadings
    variance = np.einsum("ij,ij->j", scores, scores) / (n_obs - 1)
    return PrincipalComponents(scores, loadings, variance, sum_sq / (n_obs - 1))


def most_variable(variance: Float, n: int | None) -> Int:
    """Sorted positions of the ``n`` largest variances above 0; None is all of them.

    Of equal variances the first come first.

    Examples
    --------
    >>> most_variable(np.array([1.0, 0.0, 3.0, 3.0]), 2).tolist()
    [2, 3]
    """
    order = np.argsort(-variance, kind="stable")
    return np.sort(order[: np.count_nonzero(variance > 0)][:n])


def leading_signs(vectors: Float) -> Float:
    """Sign of the largest entry of each column, shape ``(n_columns,)``."""
    largest = np.abs(vectors).argmax(axis=0)
    return np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)


def _from_gram(centred: Float, n_comps: int) -> Float:
    """Loadings from the eigenvectors of the smaller cross-product matrix."""
    n_obs, n_vars = centred.shape
    tall = n_obs > n_vars
    gram = centred.T @ centred if tall else centred @ centred.T
    size = len(gram)
    eigenvalues, vectors = eigh(gram, subset_by_index=(size - n_comps, size - 1))
    kept = eigenvalues > eigenvalues[-1] * _EPS * max(n_obs, n_vars)
    vectors = vectors[:, kept][:, ::-1]
    if tall:
        return vectors.copy()
    loadings = centred.T @ vectors
    return np.asarray(loadings / np.linalg.norm(loadings, axis=0), dtype=np.float64)


def _from_iterations(centred: Float, n_comps: int, seed: int) -> Float:
    """Loadings by the implicitly restarted Lanczos method of ARPACK."""
    start = np.random.default_rng(seed).normal(size=min(centred.shape))
    _, sizes, rows = svds(centred, k=n_comps, v0=start, return_singular_vectors="vh")
    order = np.argsort(-sizes)
    kept = order[sizes[order] > sizes.max() * _EPS * max(centred.shape)]
    return np.asarray(rows[kept].T, dtype=np.float64)

"""Weights of a mixture whose components are known, by maximum likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

if TYPE_CHECKING:
    from dex.typing import Float

_GAP = 1e-10
"""A component that would be worth less than this, per observation, is not added."""
_RIDGE = 1e-12
_MAX_STEPS = 500
_FEWEST_SHARE = 1e-12


def mixture_weights(log_likelihood: Float) -> Float:
    """Maximise ``sum(log(likelihood @ weights))`` over weights that are not negative and sum to 1.

    The problem is convex. Without the constraint on the sum, but with the sum subtracted from the
    mean log likelihood, it has the same solution [Kim2020]_; every step solves its quadratic
    approximation as least squares under non-negativity.

    Parameters
    ----------
    log_likelihood
        Of every observation under every component, shape ``(n, n_components)``.

    Returns
    -------
    Shape ``(n_components,)``; most are exactly 0.

    References
    ----------
    .. [Kim2020] Kim Y, Carbonetto P, Stephens M, Anitescu M (2020). A fast algorithm for maximum
       likelihood estimation of mixture proportions using sequential quadratic programming. Journal
       of Computational and Graphical Statistics 29, 261-273.

    Examples
    --------
    >>> mixture_weights(np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])).round(4).tolist()
    [0.8125, 0.1875]
    """
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    n, k = likelihood.shape
    weights = np.full(k, 1 / k)
    for _ in range(_MAX_STEPS):
        ratio = likelihood / (likelihood @ weights)[:, None]
        gradient = ratio.sum(axis=0) / n - 1
        if gradient.max() < _GAP and abs(gradient @ weights) < _GAP:
            break
        hessian = ratio.T @ ratio / n
        target = _quadratic_optimum(hessian, hessian @ weights + gradient)
        weights = _line_search(likelihood, weights, target)
    weights[weights < _FEWEST_SHARE] = 0.0
    return np.asarray(weights / weights.sum())


def _quadratic_optimum(hessian: Float, linear: Float) -> Float:
    """Minimise ``x @ hessian @ x / 2 - linear @ x`` over ``x >= 0``."""
    values, vectors = np.linalg.eigh(hessian)
    roots = np.sqrt(np.maximum(values, _RIDGE * values[-1]))
    return np.asarray(nnls((vectors * roots).T, vectors.T @ linear / roots)[0])


def _line_search(likelihood: Float, weights: Float, target: Float) -> Float:
    """Go as far towards the target as the objective rises."""
    before = np.log(likelihood @ weights).mean() - weights.sum()
    step = 1.0
    for _ in range(60):
        tried = weights + step * (target - weights)
        mixed = likelihood @ tried
        if mixed.min() > 0 and np.log(mixed).mean() - tried.sum() >= before - 1e-15:
            return np.asarray(tried)
        step /= 2
    return weights

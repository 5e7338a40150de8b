"""Tails of weighted sums of squares, by the saddlepoint approximation [Kuonen1999]_.

.. [Kuonen1999] Kuonen D (1999). Saddlepoint approximations for distributions of quadratic forms in
   normal variables. Biometrika 86, 929-935.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from dex.typing import Bool, Float

_HALVINGS = 80
_LN10 = float(np.log(10.0))
_NEAR = 1e-4
"""A saddlepoint nearer to 0, in standard deviations, is where the formula loses its digits."""


def rotation_log10_pval(weights: Float, observed: Float) -> Float:
    """log10 of the chance that ``sum(weights * v**2)`` is ``observed`` or more, v a random axis.

    Parameters
    ----------
    weights
        Not negative, ``(n_sets, n)``.
    observed
        Shape ``(n_sets,)``. With v of length 1 in n dimensions the sum lies between the smallest
        and the largest weight.

    Returns
    -------
    Shape ``(n_sets,)``, to about a tenth of p far out; NaN where all weights are the same.

    Examples
    --------
    >>> weights = np.array([[5.0, 2.0, 1.0, 1.0, 0.5, 0.0]])
    >>> rotation_log10_pval(weights, np.array([3.0])).round(1).tolist()
    [-1.1]
    """
    out = np.full(len(weights), np.nan)
    with np.errstate(invalid="ignore"):
        a = weights - observed[:, None]  # the chance that sum(a z^2) > 0, z normal
    largest, smallest = a.max(axis=1), a.min(axis=1)
    out[largest <= 0], out[smallest >= 0] = -np.inf, 0.0
    inside = (largest > 0) & (smallest < 0)
    a = a[inside] / np.sqrt(2 * np.square(a[inside]).sum(axis=1, keepdims=True))
    out[inside] = _log_upper(a) / _LN10
    return out


def _log_upper(a: Float) -> Float:
    """Log of P(sum a z^2 > 0), for sums of unit variance, ``a`` of both signs in each row."""
    t = _saddlepoint(a)
    shrunk = 1 - 2 * t[:, None] * a
    K = -np.log(shrunk).sum(axis=1) / 2
    w = np.sign(t) * np.sqrt(np.maximum(-2 * K, 0.0))
    v = t * np.sqrt(2 * np.square(a / shrunk).sum(axis=1))
    near: Bool = np.abs(w) < _NEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        r = w + np.log(v / w) / w
    skew = 8 * (a**3).sum(axis=1)
    limit = -(a.sum(axis=1)) - skew / 6  # of r at the mean, to first order
    return np.asarray(special.log_ndtr(-np.where(near, limit, r)))


def _saddlepoint(a: Float) -> Float:
    """Where the derivative of the cumulant generating function is 0; it rises throughout."""
    low, high = 0.5 / a.min(axis=1), 0.5 / a.max(axis=1)
    for _ in range(_HALVINGS):
        t = (low + high) / 2
        up = (a / (1 - 2 * t[:, None] * a)).sum(axis=1) > 0
        low, high = np.where(up, low, t), np.where(up, t, high)
    return (low + high) / 2

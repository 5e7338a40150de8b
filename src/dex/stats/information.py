"""Information on coefficients from that on the log means of a design's rows, rank by rank.

A group without counts has a log mean of minus infinity, about which there is no information; the
coefficients that it would have determined do not matter then. So decompositions are with pivots,
and stop where nothing is left.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import part
from dex.stats.small_matrices import fill

if TYPE_CHECKING:
    from dex.typing import Float, Int

_NO_INFORMATION: Final = 1e-8
"""Of a row: that of a group without counts."""
_DEPENDENT: Final = 1e-9
"""Share of a column's square that is left by others: rounding."""


@part
def factor_information(rows: Float, information: Float, lower: Float) -> float:
    """Log determinant of ``rows.T @ diag(information) @ rows``, of as many columns as it has rank.

    ``lower`` ``(n_coefs, n_coefs)`` is room for the factor.
    """
    order = np.arange(rows.shape[1])
    rank = _factored(rows, information, lower, order)
    total = 0.0
    for step in range(rank):
        total += math.log(lower[step, step])
    return 2.0 * total


@part
def variances_of_rows(rows: Float, information: Float, lower: Float, variance: Float) -> int:
    """Fill in the variance of every row's log mean, 0 of a row without information; the rank."""
    n_rows, k = rows.shape
    order, x = np.arange(k), np.empty(k)
    rank = _factored(rows, information, lower, order)
    for r in range(n_rows):
        variance[r] = 0.0
        if information[r] > _NO_INFORMATION:
            for a in range(rank):
                x[a] = rows[r, order[a]]
                for c in range(a):
                    x[a] -= lower[a, c] * x[c]
                x[a] /= lower[a, a]
                variance[r] += x[a] * x[a]
    return rank


@part
def _factored(  # noqa: C901, PLR0912  # a step of the decomposition stays together
    rows: Float, information: Float, lower: Float, order: Int
) -> int:
    """Cholesky factor of the columns in ``order``, which is changed; the rank."""
    n_rows, k = rows.shape
    left, scale = np.zeros(k), np.empty(k)
    for r in range(n_rows):
        if information[r] > _NO_INFORMATION:
            for a in range(k):
                left[a] += information[r] * rows[r, a] * rows[r, a]
    for a in range(k):
        scale[a] = left[a]
        fill(lower[a], 0.0)
    for step in range(k):
        best, most = -1, _DEPENDENT
        for a in range(step, k):
            if scale[order[a]] > 0.0 and left[order[a]] > most * scale[order[a]]:
                best, most = a, left[order[a]] / scale[order[a]]
        if best < 0:
            return step
        order[best], order[step] = order[step], order[best]
        for c in range(step):
            lower[best, c], lower[step, c] = lower[step, c], lower[best, c]
        pivot = order[step]
        lower[step, step] = math.sqrt(left[pivot])
        for a in range(step + 1, k):
            other, product = order[a], 0.0
            for r in range(n_rows):
                if information[r] > _NO_INFORMATION:
                    product += information[r] * rows[r, pivot] * rows[r, other]
            for c in range(step):
                product -= lower[step, c] * lower[a, c]
            lower[a, step] = product / lower[step, step]
            left[other] -= lower[a, step] * lower[a, step]
    return int(k)

"""Which columns of a design can be estimated, and how the others follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import lapack

if TYPE_CHECKING:
    from dex.typing import Float, Int

RANK_TOLERANCE: Final = 1e-7
"""A column is aliased if what earlier columns leave of it is smaller than this part of its length.

R's ``lm`` has the same rule and value. It lies above the rounding of float32, in which a covariate
may have been stored, and below what is left of a calendar year beside an intercept (5e-4).
"""

_CLEARLY_INDEPENDENT: Final = 1e-8
"""Least eigenvalue of the Gram matrix of unit-length columns, from which on none is aliased.

Earlier columns leave at least its root, 1e-4, of every column: a thousand times the tolerance, and
far above the rounding of the Gram matrix, about 1e-12.
"""


@dataclass(frozen=True, slots=True)
class Rank:
    """A split of a design's columns."""

    estimable: Int
    """Columns that are linearly independent, shape ``(rank,)``; earlier ones come first."""
    aliased: Int
    """The other columns, shape ``(n_aliased,)``."""
    dependence: Float
    """``X[:, aliased] = X[:, estimable] @ dependence``, shape ``(rank, n_aliased)``."""


def estimable_columns(matrix: Float) -> Rank:
    """Split the columns of ``matrix`` ``(n_obs, n_columns)`` as R does: later ones are aliased.

    The columns are brought to length one first, so that the split does not depend on their units.

    Examples
    --------
    >>> ones, x = np.ones(4), np.arange(4.0)
    >>> rank = estimable_columns(np.column_stack([ones, 1e6 * x, 2 * x + 3 * ones]))
    >>> rank.estimable.tolist(), rank.aliased.tolist(), rank.dependence.round(7).ravel().tolist()
    ([0, 1], [2], [3.0, 2e-06])
    """
    length = np.linalg.norm(matrix, axis=0)
    if _clearly_independent(matrix, length):
        n_columns = matrix.shape[1]
        return Rank(np.arange(n_columns), np.arange(0), np.empty((n_columns, 0)))
    unit = matrix / np.where(length > 0, length, 1.0)
    triangle = np.linalg.qr(unit, mode="r")  # the same geometry in n_columns dimensions
    estimable = _independent(triangle)
    aliased = np.setdiff1d(np.arange(matrix.shape[1]), estimable)
    in_units = np.linalg.lstsq(triangle[:, estimable], triangle[:, aliased], rcond=None)[0]
    in_units[np.abs(in_units) < RANK_TOLERANCE] = 0.0
    return Rank(estimable, aliased, in_units * length[aliased] / length[estimable][:, None])


def _clearly_independent(matrix: Float, length: Float) -> bool:
    """Whether the Gram matrix of the unit-length columns is far from singular; ten times cheaper.

    The least eigenvalue is at least one over the 1-norm of the inverse, which LAPACK estimates
    from the Cholesky factor, nearly always within a factor of three.
    """
    if matrix.shape[1] > matrix.shape[0] or not np.all(length > 0):
        return False
    gram = matrix.T @ matrix / np.outer(length, length)
    if not np.isfinite(gram).all():
        return False  # squares of extreme units overflow
    norm = np.abs(gram).sum(axis=0).max(initial=0.0)
    factor, failed = lapack.dpotrf(gram, lower=1)
    if failed:
        return False
    rcond, _ = lapack.dpocon(factor, norm, uplo="L")
    return bool(rcond * norm > _CLEARLY_INDEPENDENT)


def _independent(columns: Float) -> Int:
    """Find the columns (of length one, or zero) that earlier ones do not span."""
    room = np.empty((columns.shape[0], min(columns.shape)), order="F")
    found: list[int] = []
    for index, column in enumerate(columns.T):
        basis = room[:, : len(found)]
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)  # once more: cancellation leaves rounding errors behind
        if (size := np.linalg.norm(left)) > RANK_TOLERANCE:
            room[:, len(found)] = left / size
            found.append(index)
    return np.array(found, dtype=np.intp)

"""Which columns of a design can be estimated, and how the others follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float, Int

RANK_TOLERANCE: Final = 1e-7
"""A column is aliased if what earlier columns leave of it is smaller than this part of its length.

R's ``lm`` has the same rule and value. It lies above the rounding of float32, in which a covariate
may have been stored, and below what is left of a calendar year beside an intercept (5e-4).
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
    unit = matrix / np.where(length > 0, length, 1.0)
    triangle = np.linalg.qr(unit, mode="r")  # the same geometry in n_columns dimensions
    estimable = _independent(triangle)
    aliased = np.setdiff1d(np.arange(matrix.shape[1]), estimable)
    in_units = np.linalg.lstsq(triangle[:, estimable], triangle[:, aliased], rcond=None)[0]
    in_units[np.abs(in_units) < RANK_TOLERANCE] = 0.0
    return Rank(estimable, aliased, in_units * length[aliased] / length[estimable][:, None])


def _independent(columns: Float) -> Int:
    """Find the columns (of length one, or zero) that earlier ones do not span."""
    basis = np.empty((columns.shape[0], 0))
    found: list[int] = []
    for index, column in enumerate(columns.T):
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)  # once more: cancellation leaves rounding errors behind
        if (size := np.linalg.norm(left)) > RANK_TOLERANCE:
            basis = np.column_stack([basis, left / size])
            found.append(index)
    return np.array(found, dtype=np.intp)

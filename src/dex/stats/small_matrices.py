"""Linear algebra of a handful of rows, for loops over genes; symmetric matrices by lower triangles.

Loops, since calls of LAPACK cost more than a matrix of five columns and take long to compile.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import part

if TYPE_CHECKING:
    from dex.typing import Float


@part
def fill(x: Float, value: float) -> None:
    """Set all of a row; a loop compiles faster than a slice."""
    for i in range(len(x)):
        x[i] = value


@part
def assign(x: Float, values: Float) -> None:
    """Copy a row, likewise."""
    for i in range(len(x)):
        x[i] = values[i]


@part
def add_outer(rows: Float, per_row: Float, out: Float) -> None:
    """``rows.T @ diag(per_row) @ rows`` into the lower triangle of ``out``."""
    k = rows.shape[1]
    for a in range(k):
        fill(out[a], 0.0)
    for r in range(rows.shape[0]):
        for a in range(k):
            left = per_row[r] * rows[r, a]
            if left != 0.0:
                for b in range(a + 1):
                    out[a, b] += left * rows[r, b]


@part
def cholesky(matrix: Float) -> bool:
    """Replace the lower triangle by its Cholesky factor; False if it is not positive definite."""
    k = len(matrix)
    for a in range(k):
        for b in range(a + 1):
            left = matrix[a, b]
            for c in range(b):
                left -= matrix[a, c] * matrix[b, c]
            if a > b:
                matrix[a, b] = left / matrix[b, b]
            elif left > 0.0:
                matrix[a, a] = math.sqrt(left)
            else:
                return False
    return True


@part
def solve_factored(factor: Float, x: Float) -> None:
    """Solve with a Cholesky factor, in place."""
    k = len(x)
    for a in range(k):
        for c in range(a):
            x[a] -= factor[a, c] * x[c]
        x[a] /= factor[a, a]
    for a in range(k - 1, -1, -1):
        for c in range(a + 1, k):
            x[a] -= factor[c, a] * x[c]
        x[a] /= factor[a, a]


@part
def invert_factored(factor: Float, out: Float) -> None:
    """Inverse of a matrix from its Cholesky factor, in full."""
    k = len(factor)
    column = np.empty(k)
    for a in range(k):
        fill(column, 0.0)
        column[a] = 1.0
        solve_factored(factor, column)
        assign(out[a], column)

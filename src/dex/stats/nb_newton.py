"""Newton's method for the coefficients of one gene's negative binomial counts.

With a log link the likelihood is concave in the coefficients, so that slopes alone tell where its
maximum is: no logarithm is taken on the way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dex._numba import part
from dex.stats.small_matrices import add_outer, assign, cholesky, fill, solve_factored

if TYPE_CHECKING:
    from dex.typing import Float, Int

_CONVERGED = 1e-12
"""Squared length of a last step, in standard errors; the error after it is of its fourth power."""
_MAX_STEPS = 100
_OVERSHOT, _LEAST = 0.5, 0.01
"""Slope at the end of a step, over that at its start and turned, from which on the step is cut; and
to how much of it at least."""
_LARGEST_STEP = 8.0
"""Of a log mean: beyond, a step is far outside of where its parabola holds."""


@part
def exp_rows(rows: Float, coef: Float, means: Float) -> None:
    """``exp(rows @ coef)`` into ``means``, kept within what a double can hold."""
    for r in range(rows.shape[0]):
        eta = 0.0
        for a in range(rows.shape[1]):
            eta += rows[r, a] * coef[a]
        means[r] = math.exp(min(max(eta, -300.0), 300.0))


@part
def row_slopes(
    y: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    floor: float,
    means: Float,
    score: Float,
    expected: Float,
    observed: Float,
) -> None:
    """Fill in score and information of every row's log mean: one division per count, and no logs.

    ``means`` are ``exp(rows @ coef)``. Below ``floor`` a working response is that of the floor, and
    with one the information is expected, as there is no likelihood.
    """
    fill(score, 0.0)
    fill(expected, 0.0)
    fill(observed, 0.0)
    for i in range(len(y)):
        r = index[i]
        mu, lift = depth[i] * means[r], 0.0
        if mu < floor:
            lift = mu_log_ratio(floor, mu)
            mu = floor
        inverse = 1.0 / (1.0 + dispersion * mu)
        w = weight[i] * inverse
        score[r] += w * (y[i] - mu + lift)
        expected[r] += w * mu
        observed[r] += w * mu * (1.0 if floor > 0.0 else (1.0 + dispersion * y[i]) * inverse)


@part
def mu_log_ratio(floor: float, mu: float) -> float:
    """What the working response gains where the mean is below the floor."""
    return floor * math.log(floor / mu)


@part
def climb(
    y: Float,
    rows: Float,
    index: Int,
    depth: Float,
    dispersion: float,
    weight: Float,
    penalty: Float,
    floor: float,
    coef: Float,
    work: Float,
    vectors: Float,
    matrix: Float,
) -> bool:
    """Newton's method from ``coef``, in place; whether it has converged.

    The objective is concave, so the slope along a step tells whether it went too far, without the
    likelihood: then it is cut to where the slope would be zero if it were linear. With a floor
    there is no objective, and every step is taken. ``work`` is room for ``(4, n_rows)``,
    ``vectors`` for ``(3, n_coefs)``.
    """
    means, score, expected, observed = work[0], work[1], work[2], work[3]
    gradient, before, step = vectors[0], vectors[1], vectors[2]
    uphill, taken, damping = 0.0, 0.0, 0.0
    for _ in range(_MAX_STEPS):
        exp_rows(rows, coef, means)
        row_slopes(y, index, depth, dispersion, weight, floor, means, score, expected, observed)
        _add_gradient(rows, score, penalty, coef, gradient)
        if taken > 0.0 and floor == 0.0:
            slope = _dot(step, gradient)
            if slope < -_OVERSHOT * uphill:
                taken *= max(uphill / (uphill - slope), _LEAST)
                _move(before, taken, step, coef)
                continue
        add_outer(rows, observed, matrix)
        for a in range(len(coef)):
            matrix[a, a] = (matrix[a, a] + penalty[a]) * (1.0 + damping) + 1e-300
        if not cholesky(matrix):
            damping, taken = max(10.0 * damping, 1e-10), 0.0
            continue
        assign(step, gradient)
        solve_factored(matrix, step)
        uphill = _dot(step, gradient)
        taken = _within_reach(rows, step)
        assign(before, coef)
        _move(before, taken, step, coef)
        if uphill < _CONVERGED and taken == 1.0:
            return True
    return False


@part
def _dot(x: Float, y: Float) -> float:
    total = 0.0
    for a in range(len(x)):
        total += x[a] * y[a]
    return total


@part
def _move(start: Float, share: float, step: Float, out: Float) -> None:
    for a in range(len(out)):
        out[a] = start[a] + share * step[a]


@part
def _add_gradient(rows: Float, score: Float, penalty: Float, coef: Float, out: Float) -> None:
    for a in range(len(coef)):
        out[a] = -penalty[a] * coef[a]
        for r in range(len(score)):
            out[a] += score[r] * rows[r, a]


@part
def _within_reach(rows: Float, step: Float) -> float:
    """Share of a step that moves no log mean too far."""
    largest = 0.0
    for r in range(rows.shape[0]):
        moved = 0.0
        for a in range(len(step)):
            moved += rows[r, a] * step[a]
        largest = max(largest, abs(moved))
    return min(1.0, _LARGEST_STEP / largest) if largest > 0.0 else 1.0

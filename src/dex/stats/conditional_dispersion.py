"""Dispersions at given means: maxima of the adjusted likelihood, or of the posterior [Love2014]_.

As a function of the log dispersion the objective need not be concave, and has a finite maximum or
rises towards no dispersion. It is climbed by its two derivatives in closed form: from the start
uphill until the slope changes its sign, then by Newton's method kept within the bracket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel, part
from dex.stats.gene_rows import gene_first
from dex.stats.nb import rising
from dex.stats.small_matrices import add_outer, cholesky, fill, solve_factored

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Bool, Float, Int

_EXACT = 1e-11
"""Of the log dispersion: the last step."""
_MAX_STEPS = 100
_LONGEST_STEP = 2.0
_SERIES = 13.0
"""From here on, the series of digamma and trigamma have all digits."""


@dataclass(frozen=True, slots=True)
class DispersionPrior:
    """Log-normal prior of the dispersions."""

    log_mean: Float
    """Natural log of what the trend expects of every gene, shape ``(n_vars,)``."""
    var: float
    """Variance of the natural log."""


@dataclass(frozen=True, slots=True)
class ConditionalDispersion:
    """Dispersions that maximise the objective; fields ``(n_vars,)``."""

    dispersion: Float
    slope: Float
    """Of the objective at the start, by the log of the dispersion."""
    gained: Float
    """By how much the objective is larger than at the start, as a share of that; NaN of posteriors,
    where nobody asks. It is a log probability without what the dispersion has no part in."""
    converged: Bool


def fit_conditional_dispersion(
    counts: Float,
    mu: Float,
    design: DesignRows,
    start: Float,
    *,
    prior: DispersionPrior | None = None,
    bounds: tuple[float, float] = (1e-8, 10.0),
    adjustment: float = 1.0,
) -> ConditionalDispersion:
    """Maximise the Cox-Reid adjusted likelihood of the dispersions, or their posterior.

    Parameters
    ----------
    counts, mu
        Counts and their means, which are held, shape ``(n_obs, n_vars)``; Fortran order is fastest.
    design
        Whose coefficients the means are from: the adjustment is half the log determinant of their
        information.
    start
        Dispersions from which to climb, ``(n_vars,)``.
    prior
        Of the dispersions; without it, the likelihood is maximised.
    bounds
        The dispersion is not sought beyond.
    adjustment
        Share of the adjustment that is made.

    References
    ----------
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550. Equations 5 to 8.
    .. [Cox1987] Cox DR, Reid N (1987). Parameter orthogonality and approximate conditional
       inference. Journal of the Royal Statistical Society B 49, 1-39.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[2.0], [4], [10], [30]])
    >>> design = DesignRows.from_design(np.ones((4, 1)))
    >>> fit = fit_conditional_dispersion(counts, np.full((4, 1), 11.5), design, np.array([0.1]))
    >>> fit.dispersion.round(4).tolist()
    [1.0332]
    """
    n_vars = counts.shape[1]
    if prior is None:
        log_mean, precision = np.zeros(n_vars), 0.0
    else:
        log_mean, precision = prior.log_mean, 1.0 / prior.var
    low, high = math.log(bounds[0]), math.log(bounds[1])
    with np.errstate(divide="ignore"):
        log_start = np.clip(np.log(start), low, high)
    found, slope, gained, converged = _fit(
        gene_first(counts),
        gene_first(mu),
        design.rows,
        design.index,
        log_start,
        np.ascontiguousarray(log_mean, dtype=np.float64),
        precision,
        low,
        high,
        adjustment,
    )
    return ConditionalDispersion(np.exp(found), slope, gained, converged)


@kernel
def _fit(
    counts: Float,
    means: Float,
    rows: Float,
    index: Int,
    start: Float,
    prior_mean: Float,
    precision: float,
    low: float,
    high: float,
    adjustment: float,
) -> tuple[Float, Float, Float, Bool]:
    n_vars, (n_rows, k) = len(counts), rows.shape
    out, slope, gained = np.empty(n_vars), np.empty(n_vars), np.full(n_vars, np.nan)
    converged = np.zeros(n_vars, dtype=np.bool_)
    weights, matrices = np.empty((3, n_rows)), np.empty((3, k, k))
    for j in range(n_vars):
        y, mu = counts[j], means[j]
        out[j], slope[j], converged[j] = _climb(
            y,
            mu,
            rows,
            index,
            start[j],
            prior_mean[j],
            precision,
            low,
            high,
            adjustment,
            weights,
            matrices,
        )
        if precision == 0.0:
            before = _value(y, mu, rows, index, start[j], adjustment, weights, matrices)
            after = _value(y, mu, rows, index, out[j], adjustment, weights, matrices)
            gained[j] = (after - before) / abs(before)
    return out, slope, gained, converged


@part
def _climb(
    y: Float,
    mu: Float,
    rows: Float,
    index: Int,
    at: float,
    prior_mean: float,
    precision: float,
    low: float,
    high: float,
    adjustment: float,
    weights: Float,
    matrices: Float,
) -> tuple[float, float, bool]:
    """Uphill from ``at`` to where the slope is zero, or to the end that it points to.

    Returns the place, the slope at the start, and whether it was found.
    """
    left, right = low, high
    at_start = math.nan
    for _ in range(_MAX_STEPS):
        slope, bend = _slopes(y, mu, rows, index, at, adjustment, weights, matrices)
        slope -= precision * (at - prior_mean)
        bend -= precision
        if math.isnan(at_start):
            at_start = slope
        if slope > 0.0:
            left = at
        else:
            right = at
        if slope == 0.0 or right - left < _EXACT:
            return at, at_start, True
        step = -slope / bend if bend < 0.0 else math.copysign(_LONGEST_STEP, slope)
        step = min(max(step, -_LONGEST_STEP), _LONGEST_STEP)
        if at + step >= right or at + step <= left:
            if (at + step >= high and right == high) or (at + step <= low and left == low):
                end = high if step > 0.0 else low
                slope, _bend = _slopes(y, mu, rows, index, end, adjustment, weights, matrices)
                slope -= precision * (end - prior_mean)
                if slope * step >= 0.0:
                    return end, at_start, True
                if step > 0.0:
                    right = end
                else:
                    left = end
            step = 0.5 * (left + right) - at
        at += step
        if abs(step) < _EXACT:
            return at, at_start, True
    return at, at_start, False


@part
def _row_weights(mu: Float, index: Int, dispersion: float, weights: Float) -> None:
    """Working weights of every row, and their derivatives by the log of the dispersion."""
    for derivative in range(3):
        fill(weights[derivative], 0.0)
    for i in range(len(mu)):
        x = dispersion * mu[i]
        share = x / (1.0 + x)
        weight = mu[i] / (1.0 + x)
        weights[0, index[i]] += weight
        weights[1, index[i]] -= weight * share
        weights[2, index[i]] += weight * share * (2.0 * share - 1.0)


@part
def _log_determinant(rows: Float, weights: Float, matrix: Float) -> float:
    """Of the information of the coefficients."""
    add_outer(rows, weights[0], matrix)
    if not cholesky(matrix):
        return 0.0
    total = 0.0
    for a in range(len(matrix)):
        total += 2.0 * math.log(matrix[a, a])
    return total


@part
def _log_determinant_slopes(rows: Float, weights: Float, matrices: Float) -> tuple[float, float]:
    """First and second derivative of the log determinant by the log of the dispersion."""
    n_rows, k = rows.shape
    first, second = 0.0, 0.0
    if n_rows == k:  # every row is a coefficient: the determinant is the product of the weights
        for r in range(n_rows):
            share = weights[1, r] / weights[0, r]
            first += share
            second += weights[2, r] / weights[0, r] - share * share
        return first, second
    for derivative in range(3):
        add_outer(rows, weights[derivative], matrices[derivative])
    if not cholesky(matrices[0]):
        return 0.0, 0.0
    for derivative in range(1, 3):
        _mirror(matrices[derivative])
        for a in range(k):
            solve_factored(matrices[0], matrices[derivative, a])
    for a in range(k):
        first += matrices[1, a, a]
        second += matrices[2, a, a]
        for b in range(k):
            second -= matrices[1, a, b] * matrices[1, b, a]
    return first, second


@part
def _mirror(matrix: Float) -> None:
    """Fill in the upper triangle."""
    for a in range(len(matrix)):
        for b in range(a + 1, len(matrix)):
            matrix[a, b] = matrix[b, a]


@part
def _value(
    y: Float,
    mu: Float,
    rows: Float,
    index: Int,
    at: float,
    adjustment: float,
    weights: Float,
    matrices: Float,
) -> float:
    """Adjusted log likelihood at a log dispersion."""
    dispersion = math.exp(at)
    _row_weights(mu, index, dispersion, weights)
    total = -0.5 * adjustment * _log_determinant(rows, weights, matrices[0])
    for i in range(len(y)):
        total += rising(y[i], dispersion)
        total -= (y[i] + 1.0 / dispersion) * math.log1p(dispersion * mu[i])
    return total


@part
def _polygammas(x: float) -> tuple[float, float]:
    """``log(x) - digamma(x)`` and ``trigamma(x)``."""
    shift, squares, start = 0.0, 0.0, x
    while x < _SERIES:
        shift += 1.0 / x
        squares += 1.0 / (x * x)
        x += 1.0
    inverse = 1.0 / x
    z = inverse * inverse
    gap = z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760))))
    gap = inverse * 0.5 + z * 1 / 12 - z * gap
    second = 1 / 6 - z * (1 / 30 - z * (1 / 42 - z * (1 / 30 - z * (5 / 66 - z * 691 / 2730))))
    second = inverse * (1.0 + inverse * (0.5 + inverse * second))
    if x > start:
        gap += math.log(start / x) + shift
    return gap, second + squares


@part
def _slopes(
    y: Float,
    mu: Float,
    rows: Float,
    index: Int,
    at: float,
    adjustment: float,
    weights: Float,
    matrices: Float,
) -> tuple[float, float]:
    """First and second derivative of the adjusted log likelihood by the log dispersion.

    With ``a = 1 / dispersion`` and ``p = mu / (mu + a)``, a count adds
    ``y - (y + a) p - a (digamma(y + a) - digamma(a) - log(1 + mu / a))``; for small counts the
    differences are finite sums, for others differences of series, their logs taken together.
    """
    dispersion = math.exp(at)
    a = 1.0 / dispersion
    gap_a, trigamma_a = _polygammas(a)
    for derivative in range(3):
        fill(weights[derivative], 0.0)
    first, second = 0.0, 0.0
    for i in range(len(y)):
        x = dispersion * mu[i]
        rest = 1.0 / (1.0 + x)
        share = x * rest
        if y[i] < _SERIES:
            level, slope = -math.log1p(x), 0.0
            k = 0.0
            while k < y[i]:
                inverse = 1.0 / (a + k)
                level += inverse
                slope -= inverse * inverse
                k += 1.0
        else:
            gap, trigamma = _polygammas(y[i] + a)
            level = math.log1p(dispersion * (y[i] - mu[i]) * rest) - gap + gap_a
            slope = trigamma - trigamma_a
        first += y[i] - (y[i] + a) * share - a * level
        second += a * (level + a * slope + share) + share * (a * share - y[i] * rest)
        weight = mu[i] * rest
        weights[0, index[i]] += weight
        weights[1, index[i]] -= weight * share
        weights[2, index[i]] += weight * share * (2.0 * share - 1.0)
    log_det, log_det_bend = _log_determinant_slopes(rows, weights, matrices)
    half = 0.5 * adjustment
    return first - half * log_det, second - half * log_det_bend

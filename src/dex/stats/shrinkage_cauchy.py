"""Effects pulled to zero by a Cauchy prior, which leaves large ones alone [Zhu2019]_ (apeglm).

The likelihood is negative binomial. The effect has a Cauchy prior around zero, whose scale is
learnt from the estimates of all genes; the other coefficients have a wide normal one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq

from dex._numba import inner, kernel
from dex.stats.gene_rows import by_gene, gene_first
from dex.stats.nb_glm import row_sums
from dex.stats.nb_newton import exp_rows
from dex.stats.shrunk_effects import ShrunkEffects
from dex.stats.small_matrices import add_outer, assign, cholesky, fill, solve_factored

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.stats.design_rows import DesignRows
    from dex.typing import Bool, Float, Int

LARGEST_SCALE: Final = 1.0
"""Of the prior, in natural logs; also the scale where it is not learnt."""
OTHERS_SD: Final = 15.0
"""Of the prior of the other coefficients, in natural logs."""
_VARIANCES = (1e-6, 400.0)
"""Between these the variance of effects is sought."""
_CONVERGED = 1e-16
"""Squared length of a last step, in standard errors."""
_MAX_STEPS = 200
_LARGEST_STEP = 8.0


def cauchy_scale(estimate: ArrayLike, se: ArrayLike) -> float:
    """Scale of the prior: the spread of the effects that their standard errors do not explain.

    Its square is the variance ``A`` of effects that solves
    ``A = sum(w * (estimate**2 - se**2)) / sum(w)`` with ``w = 1 / (A + se**2)**2`` (Efron and
    Morris), as [Zhu2019]_ have it.

    Parameters
    ----------
    estimate, se
        Maximum likelihood, natural logs, NaN where there is none, shape ``(n_vars,)``.

    Returns
    -------
    Between 0.001 and 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> se = np.full(5000, 0.2)
    >>> round(cauchy_scale(rng.normal(0, np.hypot(0.5, se)), se), 2)
    0.5
    """
    squares, noise = np.square(estimate), np.square(se)
    known = np.isfinite(squares) & np.isfinite(noise)
    squares, noise = squares[known], noise[known]

    def excess(variance: float) -> float:
        weights = 1 / np.square(variance + noise)
        return float(np.sum(weights * (squares - noise)) / np.sum(weights) - variance)

    low, high = _VARIANCES
    if not len(squares) or excess(low) < 0:
        return math.sqrt(low)
    if excess(high) > 0:
        return LARGEST_SCALE
    return min(math.sqrt(brentq(excess, low, high, xtol=1e-14, rtol=1e-14)), LARGEST_SCALE)


def shrink_cauchy(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    *,
    effect: int,
    scale: float,
    start: Float,
    weights: Float | None = None,
) -> ShrunkEffects:
    """Find the mode of every gene's posterior, and its width.

    The tails of the prior are not log-concave: there may be two modes, one of them near zero. From
    both sides one is climbed to, and the higher one is taken.

    Parameters
    ----------
    counts, design, depths, dispersion, weights
        As :func:`dex.stats.nb_glm.fit_nb_glm` has them. To shrink a contrast, give the design of
        :func:`dex.stats.isolated_contrast.isolate_contrast`.
    effect
        Position of the coefficient that is shrunk.
    scale
        Of its prior, in natural logs, as from :func:`cauchy_scale`.
    start
        Maximum likelihood coefficients, natural logs, shape ``(n_vars, n_coefs)``.

    References
    ----------
    .. [Zhu2019] Zhu A, Ibrahim JG, Love MI (2019). Heavy-tailed prior distributions for sequence
       count data: removing the noise and preserving large differences. Bioinformatics 35,
       2084-2092.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[20.0], [30.0], [30.0], [34.0]])
    >>> design = DesignRows.from_design(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]))
    >>> start = np.log([[25, 32 / 25]])
    >>> options = {"effect": 1, "start": start}
    >>> wide = shrink_cauchy(counts, design, np.ones(4), np.array([0.01]), scale=1.0, **options)
    >>> tight = shrink_cauchy(counts, design, np.ones(4), np.array([0.01]), scale=0.1, **options)
    >>> np.r_[start[0, 1], wide.estimate, tight.estimate].round(3).tolist()
    [0.247, 0.227, 0.026]
    """
    n_obs, n_vars = counts.shape
    depth = by_gene(depths, n_obs, n_vars)
    weighted = by_gene(weights, n_obs, n_vars)
    coef, sd, converged = _shrink(
        gene_first(counts),
        design.rows,
        design.index,
        depth,
        np.asarray(dispersion, dtype=np.float64),
        weighted,
        effect,
        scale,
        np.ascontiguousarray(start, dtype=np.float64),
    )
    return ShrunkEffects(coef[:, effect], sd, coef, converged)


@kernel
def _shrink(
    counts: Float,
    rows: Float,
    index: Int,
    depths: Float,
    dispersions: Float,
    weights: Float,
    effect: int,
    scale: float,
    start: Float,
) -> tuple[Float, Float, Bool]:
    n_vars, (n_rows, k) = len(counts), rows.shape
    coefs, sd = np.empty((n_vars, k)), np.full(n_vars, np.nan)
    converged = np.zeros(n_vars, dtype=np.bool_)
    work, vectors, matrix = np.empty((4, n_rows)), np.empty((3, k)), np.empty((k, k))
    other = np.empty(k)
    for j in range(n_vars):
        y, depth = counts[j], depths[j if len(depths) > 1 else 0]
        weight, coef = weights[j if len(weights) > 1 else 0], coefs[j]
        assign(coef, start[j])
        if not math.isfinite(coef.sum()):
            continue
        gene = (y, rows, index, depth, dispersions[j], weight)
        height = _climb(gene, effect, scale, coef, work, vectors, matrix)
        width = _width(matrix, effect, vectors[0])
        if abs(start[j, effect]) > scale:  # else the posterior has one mode
            assign(other, start[j])
            other[effect] = 0.0
            other_height = _climb(gene, effect, scale, other, work, vectors, matrix)
            if other_height > height:
                height = other_height
                assign(coef, other)
                width = _width(matrix, effect, vectors[0])
        converged[j] = height > -np.inf
        sd[j] = width
    return coefs, sd, converged


@inner
def _climb(
    gene: tuple[Float, Float, Int, Float, float, Float],
    effect: int,
    scale: float,
    coef: Float,
    work: Float,
    vectors: Float,
    matrix: Float,
) -> float:
    """Newton's method, in place: log posterior at the mode, or ``-inf`` if it was not reached.

    ``matrix`` is left as the factor of minus its second derivatives there. Where they are not
    positive, the prior's are those of the normal one that touches it from below.
    """
    y, rows, index, depth, dispersion, weight = gene
    means, score, expected, observed = work[0], work[1], work[2], work[3]
    before, step, gradient = vectors[0], vectors[1], vectors[2]
    k, best = len(coef), -np.inf
    assign(before, coef)
    for _ in range(_MAX_STEPS):
        exp_rows(rows, coef, means)
        value = row_sums(y, index, depth, dispersion, weight, 0.0, means, score, expected, observed)
        value += _log_prior(coef, effect, scale)
        if value < best - 1e-13 * abs(best):
            for a in range(k):
                coef[a] = before[a] + 0.25 * (coef[a] - before[a])
            continue
        best = value
        for a in range(k):
            gradient[a] = -coef[a] / OTHERS_SD**2
            for r in range(len(score)):
                gradient[a] += score[r] * rows[r, a]
        touching = 2.0 / (scale * scale + coef[effect] * coef[effect])
        gradient[effect] += coef[effect] / OTHERS_SD**2 - touching * coef[effect]
        bend = touching * touching * coef[effect] * coef[effect]
        exact = _factor(rows, observed, effect, touching - bend, matrix)
        if not exact and not _factor(rows, observed, effect, touching, matrix):
            return -np.inf
        assign(step, gradient)
        solve_factored(matrix, step)
        length = largest = 0.0
        for a in range(k):
            length += step[a] * gradient[a]
            largest = max(largest, abs(step[a]))
        if exact and length < _CONVERGED:
            return best
        shrink = min(1.0, _LARGEST_STEP / largest)
        for a in range(k):
            before[a] = coef[a]
            coef[a] += shrink * step[a]
    return -np.inf


@inner
def _log_prior(coef: Float, effect: int, scale: float) -> float:
    total = -math.log1p((coef[effect] / scale) ** 2)
    for a in range(len(coef)):
        if a != effect:
            total -= 0.5 * (coef[a] / OTHERS_SD) ** 2
    return total


@inner
def _factor(rows: Float, observed: Float, effect: int, curvature: float, matrix: Float) -> bool:
    """Cholesky factor of the information with the priors'; False where there is none."""
    add_outer(rows, observed, matrix)
    for a in range(len(matrix)):
        matrix[a, a] += curvature if a == effect else 1.0 / OTHERS_SD**2
    return cholesky(matrix)


@inner
def _width(factor: Float, effect: int, vector: Float) -> float:
    """Standard deviation of the effect."""
    fill(vector, 0.0)
    vector[effect] = 1.0
    solve_factored(factor, vector)
    return math.sqrt(max(vector[effect], 0.0))

"""The adjusted profile likelihood of a gene's dispersion [Cox1987]_, as [McCarthy2012]_ has it.

The log likelihood at fitted means, less half the log determinant of the Fisher information of the
coefficients: what fitting them has taken away from the variance is given back.

.. [Cox1987] Cox DR, Reid N (1987). Parameter orthogonality and approximate conditional inference.
   Journal of the Royal Statistical Society B 49, 1-39.
.. [McCarthy2012] McCarthy DJ, Chen Y, Smyth GK (2012). Differential expression analysis of
   multifactor RNA-Seq experiments with respect to biological variation. Nucleic Acids Research 40,
   4288-4297. Equation 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import inner, kernel
from dex.stats.nb import nb_log_kernel, rising_slopes
from dex.stats.nb_glm import by_gene, gene_first
from dex.stats.small_matrices import add_outer, cholesky, fill, invert_factored

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Bool, Float, Int

_MAX_STEPS = 100
_CONVERGED = 1e-10
"""Step of a log dispersion."""
_LARGEST_STEP = 2.0


@dataclass(frozen=True, slots=True)
class DispersionFit:
    """Dispersions that maximise the adjusted profile likelihood, or its posterior."""

    log_dispersion: Float
    """Natural log, shape ``(n_vars,)``; at a bound where the likelihood still rises there."""
    converged: Bool
    """Shape ``(n_vars,)``; also at a bound."""
    curvature: Float
    """Second derivative of the objective by the log dispersion, shape ``(n_vars,)``."""


def maximise_dispersion(
    counts: Float,
    mu: Float,
    design: DesignRows,
    start: Float,
    *,
    bounds: tuple[float, float],
    prior_mean: Float | None = None,
    prior_var: float = math.inf,
    weights: Float | None = None,
    adjust: bool = True,
) -> DispersionFit:
    """Maximise the adjusted profile likelihood at given means, by Newton's method on the log.

    Parameters
    ----------
    counts, mu
        Counts and their means, shape ``(n_obs, n_vars)``.
    design
        Of the means.
    start
        Log dispersions to climb from, shape ``(n_vars,)``.
    bounds
        Least and largest log dispersion.
    prior_mean, prior_var
        Of a normal prior on the log dispersions, means of shape ``(n_vars,)``.
    weights
        Of the observations, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    adjust
        Whether the determinant is taken off; without it this is the profile likelihood.

    Returns
    -------
    The maximum that is reached uphill from ``start``.
    """
    n_obs, n_vars = counts.shape
    centre = np.zeros(n_vars) if prior_mean is None else np.asarray(prior_mean, dtype=np.float64)
    precision = 0.0 if prior_mean is None else 1.0 / prior_var
    found, converged, curvature = _maximised(
        gene_first(counts),
        gene_first(mu),
        design.rows,
        design.index,
        by_gene(np.ones(1) if weights is None else weights, n_obs, n_vars),
        np.asarray(start, dtype=np.float64),
        np.asarray(bounds, dtype=np.float64),
        centre,
        precision,
        adjust,
    )
    return DispersionFit(found, converged, curvature)


@inner
def _profile(
    y: Float,
    mu: Float,
    rows: Float,
    index: Int,
    weight: Float,
    dispersion: float,
    adjust: bool,
    sums: Float,
    matrices: Float,
    out: Float,
) -> None:
    """Value and two derivatives by the log dispersion into ``out``, at fixed means.

    ``sums`` is room for ``(3, n_rows)``, ``matrices`` for ``(4, n_coefs, n_coefs)``.
    """
    for r in range(3):
        fill(sums[r], 0.0)
        out[r] = 0.0
    for i in range(len(y)):
        x = dispersion * mu[i]
        w = weight[i]
        out[0] += w * nb_log_kernel(y[i], mu[i], math.log(mu[i]), dispersion)
        first, second = rising_slopes(y[i], dispersion)
        share = x / (1.0 + x)
        # d/dlog of -y log1p(x) - log1p(x) / dispersion
        size = 1.0 / dispersion
        gap = math.log1p(x) - share
        if x < 1e-3:
            gap = x * x * (0.5 - x * (2.0 / 3.0 - 0.75 * x))
        out[1] += w * (first - y[i] * share + size * gap)
        out[2] += w * (second - y[i] * share / (1.0 + x) - size * gap + size * share * share)
        v = mu[i] / (1.0 + x)
        sums[0, index[i]] += w * v
        sums[1, index[i]] -= w * v * share
        sums[2, index[i]] += w * v * share * (2.0 * share - 1.0)
    if adjust:
        _take_off_determinant(rows, sums, matrices, out)


@inner
def _take_off_determinant(rows: Float, sums: Float, matrices: Float, out: Float) -> None:
    """Half the log determinant of the information, and its derivatives."""
    k = rows.shape[1]
    factor, inverse, slope, bend = matrices[0], matrices[1], matrices[2], matrices[3]
    add_outer(rows, sums[0], factor)
    add_outer(rows, sums[1], slope)
    add_outer(rows, sums[2], bend)
    if not cholesky(factor):
        out[0] = -math.inf
        return
    for a in range(k):
        out[0] -= math.log(factor[a, a])
    invert_factored(factor, inverse)
    trace, trace_bend, trace_square = 0.0, 0.0, 0.0
    for a in range(k):
        for b in range(k):
            of_slope = slope[a, b] if a >= b else slope[b, a]
            of_bend = bend[a, b] if a >= b else bend[b, a]
            trace += inverse[a, b] * of_slope
            trace_bend += inverse[a, b] * of_bend
            product = 0.0  # of inverse and slope, row a and column b
            for c in range(k):
                product += inverse[a, c] * (slope[c, b] if c >= b else slope[b, c])
            factor[a, b] = product
    for a in range(k):
        for b in range(k):
            trace_square += factor[a, b] * factor[b, a]
    out[1] -= 0.5 * trace
    out[2] -= 0.5 * (trace_bend - trace_square)


@kernel
def _maximised(
    counts: Float,
    means: Float,
    rows: Float,
    index: Int,
    weights: Float,
    start: Float,
    bounds: Float,
    prior_mean: Float,
    precision: float,
    adjust: bool,
) -> tuple[Float, Bool, Float]:
    n_vars, (n_rows, k) = len(counts), rows.shape
    found, curvature = np.empty(n_vars), np.empty(n_vars)
    converged = np.zeros(n_vars, dtype=np.bool_)
    sums, matrices, out = np.empty((3, n_rows)), np.empty((4, k, k)), np.empty(3)
    for j in range(n_vars):
        weight = weights[j if len(weights) > 1 else 0]
        at = min(max(start[j], bounds[0]), bounds[1])
        best, best_at, step = -math.inf, at, 0.0
        for _ in range(_MAX_STEPS):
            _profile(
                counts[j], means[j], rows, index, weight, math.exp(at), adjust, sums, matrices, out
            )
            away = at - prior_mean[j]
            value = out[0] - 0.5 * precision * away * away
            slope, bend = out[1] - precision * away, out[2] - precision
            if value < best - 1e-12 * abs(best):  # too far: halfway back
                step *= 0.5
                at = best_at + step
                if abs(step) < _CONVERGED:
                    converged[j] = True
                    break
                continue
            best, best_at = value, at
            curvature[j] = bend
            step = -slope / bend if bend < 0.0 else math.copysign(_LARGEST_STEP, slope)
            step = min(max(step, -_LARGEST_STEP), _LARGEST_STEP)
            step = min(max(at + step, bounds[0]), bounds[1]) - at
            if abs(step) < _CONVERGED:
                converged[j] = True
                break
            at += step
        found[j] = best_at
    return found, converged, curvature

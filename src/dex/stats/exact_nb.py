"""Exact test of two groups of negative binomial counts with a known dispersion [Robinson2008]_.

Where all libraries have the same size, the sums of both groups are negative binomial with the same
probability, so given their total one of them is beta-binomial, whatever the mean: Fisher's
test for overdispersed counts. Libraries are made equal by moving every count to the same quantile
of the distribution that it would have in a library of common size.

.. [Robinson2008] Robinson MD, Smyth GK (2008). Small-sample estimation of negative binomial
   dispersion, with applications to SAGE data. Biostatistics 9, 321-332.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import inner, kernel
from dex.stats.gamma_quantiles import same_quantile
from dex.stats.tails import f_log10_pval
from dex.stats.unit_deviance import log_saturated, stirling_error, unit_deviance

if TYPE_CHECKING:
    from dex.typing import Float

BIG_COUNT: Final = 900.0
"""Where both sums are above this, edgeR takes the beta-binomial for a beta distribution."""
_TIED: Final = 1e-7  # of logs: probabilities that differ by rounding
_NEGLIGIBLE: Final = 1e-17
_LOG10_2: Final = math.log10(2.0)


@dataclass(frozen=True, slots=True)
class ExactTest:
    """Two-sided tests; a field has the shape ``(n_vars,)``."""

    log10_pval: Float
    """log10 of the p-value; 0 for a gene without counts."""


def exact_test(
    group: Float,
    reference: Float,
    n_group: int,
    n_reference: int,
    dispersion: Float,
    *,
    big_count: float = BIG_COUNT,
) -> ExactTest:
    """Test the difference between two groups, given their total [Robinson2008]_.

    The p-value is twice the smaller tail; without dispersion it is the sum over all outcomes that
    are no more probable, as in the binomial test.

    Parameters
    ----------
    group, reference
        Sums of the groups' counts, as from :func:`equalised_counts`, shape ``(n_vars,)``; they are
        rounded, but for large counts.
    n_group, n_reference
        Observations in them.
    dispersion
        Shape ``(n_vars,)``.
    big_count
        See :data:`BIG_COUNT`; ``inf`` sums all, which takes time for large counts.

    Examples
    --------
    >>> test = exact_test(np.array([5.0]), np.array([20.0]), 3, 4, np.array([0.05]))
    >>> round(10 ** test.log10_pval.item(), 9)
    0.044716033
    """
    y, y_ref = np.round(group), np.round(reference)
    out = _log10_exact(y, y_ref, float(n_group), float(n_reference), dispersion, big_count)
    big = (y > big_count) & (y_ref > big_count)
    out[big] = _log10_beta(group[big], reference[big], n_group, n_reference, dispersion[big])
    return ExactTest(out)


def equalised_counts(counts: Float, mu: Float, common_mu: Float, dispersion: Float) -> Float:
    """Move counts to the same quantile of the distribution with another mean.

    The quantile is the mean of those of two continuous laws with the mean and the variance of the
    counts, a normal and a gamma.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``; need not be whole numbers.
    mu
        Means under the null, in libraries as they are, same shape.
    common_mu
        Means in a library of common size, shape ``(n_vars,)``.
    dispersion
        Shape ``(n_vars,)``.

    Returns
    -------
    Shape ``(n_obs, n_vars)``, no whole numbers, of which few are a little below 0.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> equalised_counts(10 * one, 12 * one, 20 * one[0], 0.1 * one[0]).round(4).tolist()
    [[17.0254]]
    """
    common_mu, positive = np.broadcast_to(common_mu, mu.shape), mu > 0
    m, common = mu[positive], common_mu[positive]
    phi = np.broadcast_to(dispersion, mu.shape)[positive]
    scale, common_scale = 1 + phi * m, 1 + phi * common  # variance over mean
    x = counts[positive]
    normal = common + (x - m) * np.sqrt(common * common_scale / (m * scale))
    gamma = common_scale * same_quantile(x / scale, m / scale, common / common_scale)
    out = np.zeros(mu.shape)
    out[positive] = (normal + gamma) / 2
    return out


def _log10_beta(y: Float, y_ref: Float, n: int, n_ref: int, dispersion: Float) -> Float:
    """Twice the smaller tail of a beta distribution, with half a count of continuity."""
    total = y + y_ref
    mu = total / (n + n_ref)
    a, b = n * mu / (1 + dispersion * mu), n_ref * mu / (1 + dispersion * mu)
    upper, lower = (y - 0.5) / total, (y + 0.5) / total
    tails = (  # the beta's odds are those of an F
        f_log10_pval(b * upper / (a * (1 - upper)), 2 * a, 2 * b),
        f_log10_pval(a * (1 - lower) / (b * lower), 2 * b, 2 * a),
    )
    return np.asarray(np.minimum(0.0, np.minimum(*tails) + _LOG10_2))


@inner
def _log_probability(count: float, mu: float, dispersion: float) -> float:
    error = stirling_error(1.0 / dispersion) if dispersion > 0.0 else 0.0
    return log_saturated(count, dispersion, error) - 0.5 * unit_deviance(count, mu, dispersion)


@inner
def _step(k: float, total: float, size: float, size_ref: float) -> float:
    """P(k) / P(k - 1) of the beta-binomial with sizes over their sum; of the binomial without."""
    if math.isinf(size):
        return (total - k + 1.0) / k * size_ref
    return (total - k + 1.0) / k * (k - 1.0 + size) / (total - k + size_ref)


@inner
def _tail(y: float, total: float, size: float, size_ref: float) -> float:
    """P(Y >= y) / P(Y = y)."""
    out, term, k = 1.0, 1.0, y + 1.0
    while k <= total:
        term *= _step(k, total, size, size_ref)
        out += term
        if term < _NEGLIGIBLE * out:
            break
        k += 1.0
    return out


@inner
def _far_side(y: float, total: float, odds: float) -> float:
    """Binomial outcomes above ``y``, below the mode, that are no more probable, over P(Y = y)."""
    log_ratio, k = 0.0, y
    while k < total:
        k += 1.0
        log_ratio += math.log(_step(k, total, math.inf, odds))
        if log_ratio <= _TIED and _step(k, total, math.inf, odds) < 1.0:
            return math.exp(log_ratio) * _tail(k, total, math.inf, odds)
    return 0.0


@kernel
def _log10_exact(  # kernels take plain arguments
    y: Float, y_ref: Float, n: float, n_ref: float, dispersion: Float, big_count: float
) -> Float:
    out = np.zeros(len(y))
    for j in range(len(y)):
        total = y[j] + y_ref[j]
        if total == 0.0 or (y[j] > big_count and y_ref[j] > big_count):
            continue
        mu, phi = total / (n + n_ref), dispersion[j]
        log_p = _log_probability(y[j], n * mu, phi / n)
        log_p += _log_probability(y_ref[j], n_ref * mu, phi / n_ref)
        log_p -= _log_probability(total, total, phi / (n + n_ref))
        # From the side of the mean that the count is on, outwards
        a, b, size_a, size_b = y[j], y_ref[j], n, n_ref
        if a < n * mu:
            a, b, size_a, size_b = b, a, size_b, size_a
        if phi > 0.0:
            relative = _tail(a, total, size_a / phi, size_b / phi)
            tail = math.exp(log_p) * relative
            other = 1.0 - tail + math.exp(log_p)
            if other < tail:
                out[j] = math.log10(min(1.0, 2.0 * other))
                continue
            log_p += math.log(2.0 * relative)
        else:
            near = _tail(a, total, math.inf, size_a / size_b)
            log_p += math.log(near + _far_side(b, total, size_b / size_a))
        out[j] = min(0.0, log_p / math.log(10.0))
    return out

"""Tests against a fold change threshold by likelihood ratios at both ends of the null interval.

The threshold test of linear models [McCarthy2009]_ for models whose effects have no t statistics:
the distance of an estimate from a threshold is the signed root of the likelihood ratio (or F) of
the model with the effect fixed there.

.. [McCarthy2009] McCarthy DJ, Smyth GK (2009). Testing significance relative to a fold-change
   threshold is a TREAT. Bioinformatics 25, 765-771.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy import special
from scipy.optimize import brentq

from dex.stats.nested import NullModel, likelihood_ratio
from dex.stats.tails import t_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float

Null = Literal["interval", "worst_case"]
_LN10: Final = math.log(10.0)
_NARROW: Final = 1e-6
"""Intervals of z-scores below this are points."""


def contrast_shift(design: Float, contrast: Float) -> Float:
    """Log means of a unit of a contrast, shape ``(n_obs,)``.

    With ``effect * contrast_shift(...)`` added to the offsets, the model in which the contrast is 0
    is the one in which it is ``effect``.

    Parameters
    ----------
    design
        Shape ``(n_obs, n_coefs)``.
    contrast
        Shape ``(n_coefs,)``.

    Examples
    --------
    >>> design = np.array([[1.0, 0], [1, 1]])
    >>> contrast_shift(design, np.array([0.0, 2.0])).tolist()
    [0.0, 0.5]
    """
    pivot = int(np.argmax(np.abs(contrast)))
    return np.asarray(design[:, pivot] / contrast[pivot])


def threshold_roots(
    counts: Float,
    design: Float,
    contrast: Float,
    depths: Float,
    dispersion: Float,
    deviance: Float,
    effect: Float,
    *,
    threshold: float,
    weights: Float | None = None,
) -> tuple[Float, Float]:
    """Signed roots of the likelihood ratios against the effect ``-threshold`` and ``threshold``.

    Parameters
    ----------
    counts, depths, dispersion, weights
        As the full model was fitted to, see :func:`~dex.stats.nb_glm.fit_nb_glm`.
    design, contrast
        Shapes ``(n_obs, n_coefs)`` and ``(n_coefs,)``.
    deviance, effect
        Of the full model: its deviance, and the contrast in log2, shape ``(n_vars,)``.
    threshold
        In log2.

    Returns
    -------
    Both of shape ``(n_vars,)``; with a quasi-dispersion, divide by its root.

    Examples
    --------
    >>> counts, design = np.array([[10.0], [80.0]]), np.array([[1.0, 0], [1, 1]])
    >>> parts = (np.array([0.0, 1]), np.ones(2), np.array([0.1]), np.zeros(1), np.array([3.0]))
    >>> low, high = threshold_roots(counts, design, *parts, threshold=1.0)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([4.866], [2.499])
    """
    null, unit = NullModel.of(design, contrast[None, :]), contrast_shift(design, contrast)
    roots = []
    for bound in (-threshold, threshold):
        shift = np.exp(bound * math.log(2) * unit)
        there = depths * (shift if depths.ndim == 1 else shift[:, None])
        ratio = likelihood_ratio(counts, null, there, dispersion, deviance, weights=weights)
        roots.append(np.sqrt(ratio) * np.sign(effect - bound))
    return roots[0], roots[1]


def treat_log10_pval(low: Float, high: Float, df: Float, *, null: Null = "interval") -> Float:
    """log10 p of ``|effect| <= threshold``, as edgeR's ``glmTreat``.

    Parameters
    ----------
    low, high
        Signed roots of the likelihood ratios of the model with the effect at ``-threshold`` and at
        ``threshold``, over the quasi-dispersion if there is one: above 0 where the estimate is
        above. So ``low >= high``. Shape ``(n_vars,)``.
    df
        Degrees of freedom, prior and residual, ``inf`` without a quasi-dispersion; likewise.
        (``glmTreat`` takes the residual ones without the adjustment for small counts.)
    null
        ``"worst_case"``: the effect is at the nearer threshold. ``"interval"``: it is anywhere from
        there inwards, up to where the p-value of an estimate that is just at the threshold is half
        of that in the worst case.

    Examples
    --------
    >>> low, high, df = np.array([5.0]), np.array([2.5]), np.array([np.inf])
    >>> (10 ** treat_log10_pval(low, high, df)).round(6).tolist()
    [0.001393]
    >>> (10 ** treat_log10_pval(low, high, df, null="worst_case")).round(6).tolist()
    [0.00621]
    """
    from_low, from_high = _z_scores(low, df), _z_scores(high, df)
    near = np.maximum(from_high, -from_low)
    far = np.maximum(from_low, -from_high)
    if null == "worst_case":
        logs = np.logaddexp(special.log_ndtr(-near), special.log_ndtr(-far))
    else:
        width = np.minimum(far - near, _inwards())
        logs = np.logaddexp(_log_mean_tail(near, width), _log_mean_tail(far - width, width))
    return np.asarray(np.minimum(logs / _LN10, 0.0))


def _z_scores(t: Float, df: Float) -> Float:
    """Normal deviates with the tails of t statistics."""
    log_tail = t_log10_pval(np.abs(t), df) * _LN10 - math.log(2.0)
    return np.asarray(np.where(np.isinf(df), t, -np.sign(t) * special.ndtri_exp(log_tail)))


def _inwards() -> float:
    """Width ``c`` at which the mean of a normal deviate's upper tails over 0 to c is a quarter."""
    zero = np.zeros(1)
    target = math.log(0.25)
    return float(brentq(lambda c: _log_mean_tail(zero, np.array([c]))[0] - target, 1.0, 2.0))


def _log_mean_tail(start: Float, width: Float) -> Float:
    """Log of the mean of ``P(Z > z)`` over z from ``start`` to ``start + width``."""
    a, b = start, start + np.maximum(width, _NARROW)
    with np.errstate(over="ignore", invalid="ignore"):
        # exp(-a^2/2) (1 - a M(a)) is the integral beyond a > 0, M Mills' ratio
        ratio = _beyond(a) - _beyond(b) * np.exp((a - b) * (a + b) / 2)
        right = -0.5 * a * a - 0.5 * math.log(2 * math.pi) + np.log(ratio / (b - a))
    left = np.log((_integral(a) - _integral(b)) / (b - a), where=a <= 1, out=np.zeros_like(a))
    return np.where(width < _NARROW, special.log_ndtr(-a), np.where(a > 1, right, left))


def _beyond(z: Float) -> Float:
    return np.asarray(1 - z * math.sqrt(math.pi / 2) * special.erfcx(z / math.sqrt(2)))


def _integral(z: Float) -> Float:
    """Integral of ``P(Z > x)`` over x from z to infinity."""
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return np.asarray(density - z * special.ndtr(-z))

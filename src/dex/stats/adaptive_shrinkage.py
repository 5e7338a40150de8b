"""Effects shrunk by a prior with one peak at zero whose shape is learnt [Stephens2017]_ (ash).

It needs estimates and standard errors only, whatever they are from: any contrast of any method.
The prior is a mixture of normal distributions around zero of many widths.

References
----------
.. [Stephens2017] Stephens M (2017). False discovery rates: a new deal. Biostatistics 18, 275-294.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from dex.errors import InputError
from dex.stats.mixture_weights import mixture_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

_RATIO: Final = math.sqrt(2)
"""Of neighbouring widths."""
_HALF_LOG_2PI: Final = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class UnimodalPrior:
    """A mixture of normal distributions around zero."""

    sd: Float
    """Widths, ascending, shape ``(n_components,)``; a first one of 0 is effects that are null."""
    weights: Float
    """Shape ``(n_components,)``."""


@dataclass(frozen=True, slots=True)
class UnimodalPosterior:
    """What is believed of every effect."""

    estimate: Float
    """Posterior mean, shape ``(n_vars,)``."""
    sd: Float
    """Posterior standard deviation, ``(n_vars,)``."""
    false_sign_rate: Float
    """Probability that the effect has not the sign of the estimate, or is smaller than the
    threshold (Stephens' lfsr), ``(n_vars,)``."""
    null_rate: Float
    """Probability that there is no effect at all (lfdr), ``(n_vars,)``; 0 under a prior without a
    point at zero."""


def fit_unimodal_prior(estimate: ArrayLike, se: ArrayLike, *, null: bool = False) -> UnimodalPrior:
    """Learn the prior from all estimates.

    Parameters
    ----------
    estimate, se
        Effects and their standard errors, shape ``(n_vars,)``; genes without either are left out.
    null
        Whether some effects may be exactly zero. DESeq2's use of ash has none.

    Raises
    ------
    InputError
        If no gene has an estimate with a standard error.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> effects = np.where(np.arange(4000) < 1000, rng.normal(0, 2, 4000), 0)
    >>> estimate, se = effects + rng.normal(0, 0.5, 4000), np.full(4000, 0.5)
    >>> prior = fit_unimodal_prior(estimate, se, null=True)
    >>> round(float(prior.weights[prior.sd > 1].sum()), 1)
    0.3
    """
    b, s = _known(np.asarray(estimate, np.float64), np.asarray(se, np.float64))
    if not len(b):
        msg = (
            "No gene has an estimate with a positive standard error, so there is nothing to shrink."
        )
        raise InputError(msg)
    sd = _widths(b, s)
    if null:
        sd = np.concatenate([[0.0], sd])
    return UnimodalPrior(sd, mixture_weights(_log_likelihood(b, s, sd)))


def shrink_unimodal(
    estimate: ArrayLike, se: ArrayLike, prior: UnimodalPrior, *, lfc: float = 0.0
) -> UnimodalPosterior:
    """Combine every estimate with the prior.

    Parameters
    ----------
    estimate, se
        As for :func:`fit_unimodal_prior`.
    prior
        From there.
    lfc
        Effects that are smaller count as wrong in the rate, in the units of the estimates.

    Returns
    -------
    NaN where there is no estimate or no standard error.

    Examples
    --------
    >>> prior = UnimodalPrior(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    >>> posterior = shrink_unimodal([0.5, 5.0], [1.0, 1.0], prior)
    >>> posterior.estimate.round(3).tolist(), posterior.null_rate.round(3).tolist()
    ([0.107, 2.493], [0.571, 0.003])
    """
    b, s = np.asarray(estimate, np.float64), np.asarray(se, np.float64)
    known = np.isfinite(b) & (s > 0) & np.isfinite(s)
    out = {name: np.full(b.shape, np.nan) for name in ("mean", "sd", "wrong", "null")}
    used = prior.weights > 0
    found = _posterior(b[known], s[known], prior.sd[used], prior.weights[used], lfc)
    for name, values in zip(out, found, strict=True):
        out[name][known] = values
    return UnimodalPosterior(*out.values())


def _posterior(
    b: Float, s: Float, sd: Float, weights: Float, lfc: float
) -> tuple[Float, Float, Float, Float]:
    log_shares = _log_likelihood(b, s, sd) + np.log(weights)
    shares = np.exp(log_shares - log_shares.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    kept = sd**2 / (sd**2 + s[:, None] ** 2)
    means, variances = kept * b[:, None], kept * s[:, None] ** 2
    mean = np.einsum("gk,gk->g", shares, means)
    away = np.einsum("gk,gk->g", shares, variances + (means - mean[:, None]) ** 2)
    sign = np.where(mean < 0, -1.0, 1.0)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        below = ndtr((lfc - sign * means) / np.sqrt(variances))
    below[:, sd == 0] = 1.0  # no effect has no sign
    wrong = np.minimum(np.einsum("gk,gk->g", shares, below), 1.0)
    return mean, np.sqrt(away), wrong, shares[:, sd == 0].sum(axis=1)


def _known(b: Float, s: Float) -> tuple[Float, Float]:
    known = np.isfinite(b) & (s > 0) & np.isfinite(s)
    return b[known], s[known]


def _widths(b: Float, s: Float) -> Float:
    """From a tenth of the smallest standard error to twice the largest effect, as ash has it."""
    smallest = float(s.min()) / 10
    excess = float((b**2 - s**2).max())
    largest = 2 * math.sqrt(excess) if excess > 0 else 8 * smallest
    n = max(math.ceil(math.log(largest / smallest) / math.log(_RATIO)), 1)
    return np.asarray(largest * _RATIO ** np.arange(-n, 1.0))


def _log_likelihood(b: Float, s: Float, sd: Float) -> Float:
    """Of an estimate under a normal prior of each width, shape ``(n, n_components)``."""
    variance = sd**2 + s[:, None] ** 2
    return np.asarray(-0.5 * (np.log(variance) + b[:, None] ** 2 / variance) - _HALF_LOG_2PI)

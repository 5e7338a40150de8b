"""Regularised logs: every sample's log fold change from the gene's mean, shrunk [Love2014]_.

The counts of a gene are negative binomial with log means ``level + change_i``, one change per
sample, and a normal prior around zero on the changes. Where counts tell little, changes are pulled
to zero; so the logs of small counts do not scatter as ``log(count + 1)`` does.

References
----------
.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import inner, kernel
from dex.stats.gene_rows import by_gene, gene_first
from dex.stats.nb import nb_mean_kernel
from dex.stats.shrinkage_normal import INTERCEPT_VARIANCE, MEAN_FLOOR, matched_variance

if TYPE_CHECKING:
    from dex.typing import Float

PSEUDOCOUNT: Final = 0.5
"""Added before logs are taken whose spread is that of the prior."""
_CONVERGED = 1e-16
"""Squared length of a last step, in standard errors."""
_MAX_STEPS = 200
_LARGEST_STEP = 4.0


def rlog_changes(normalised: Float, base_mean: Float) -> Float:
    """Log2 fold changes of samples from the gene's mean, which the prior is learnt from.

    Parameters
    ----------
    normalised
        Counts over size factors, shape ``(n_obs, n_vars)``.
    base_mean
        Their means, ``(n_vars,)``.
    """
    return np.asarray(np.log2(normalised + PSEUDOCOUNT) - np.log2(base_mean + PSEUDOCOUNT))


def rlog_variance(changes: Float, base_mean: Float, dispersion: Float) -> float:
    """Prior variance, in squared log2: that of a normal distribution with the same upper quantile.

    Parameters
    ----------
    changes
        As from :func:`rlog_changes`.
    base_mean, dispersion
        Means of normalised counts and the dispersions that the trend expects there; genes with
        larger variance of the log count less. Shape ``(n_vars,)``.

    Returns
    -------
    NaN if there is no gene with counts.
    """
    used = base_mean > 0
    weights = 1 / (1 / base_mean[used] + dispersion[used])
    return matched_variance(
        changes[:, used].ravel(), np.broadcast_to(weights, changes[:, used].shape).ravel()
    )


def rlog(counts: Float, depths: Float, dispersion: Float, *, variance: float) -> Float:
    """Regularised logs of a block of genes.

    The model has more coefficients than samples, but every change meets only its own count: a step
    of Newton's method is one division per sample.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    depths
        Size factors, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    dispersion
        That the trend expects, ``(n_vars,)``.
    variance
        Of the prior, in squared log2, as from :func:`rlog_variance`.

    Returns
    -------
    Log2, shape ``(n_obs, n_vars)``; 0 for a gene without counts, NaN where there is no dispersion.

    Examples
    --------
    >>> counts = np.array([[0.0, 1000], [2, 2000], [1, 4000]])
    >>> rlog(counts, np.ones(3), np.array([0.1, 0.1]), variance=1.0).round(2).tolist()
    [[-0.52, 10.15], [0.37, 10.97], [-0.04, 11.8]]
    """
    n_obs, n_vars = counts.shape
    precision = 1 / (variance * math.log(2) ** 2)
    out = _rlog(
        gene_first(counts),
        by_gene(depths, n_obs, n_vars),
        np.asarray(dispersion, dtype=np.float64),
        precision,
    )
    return np.asarray(out.T / math.log(2))


@kernel
def _rlog(counts: Float, depths: Float, dispersions: Float, precision: float) -> Float:
    n_vars, n_obs = counts.shape
    out = np.zeros((n_vars, n_obs))
    work = np.empty((4, n_obs))
    for j in range(n_vars):
        y, depth, log_means = counts[j], depths[j if len(depths) > 1 else 0], out[j]
        if y.max() <= 0.0:
            continue
        if math.isnan(dispersions[j]) or not _climb(
            y, depth, dispersions[j], precision, log_means, work
        ):
            for i in range(n_obs):
                log_means[i] = np.nan
    return out


@inner
def _climb(  # noqa: C901  # a step, its check and its way back belong together
    y: Float, depth: Float, dispersion: float, precision: float, log_means: Float, work: Float
) -> bool:
    """Newton's method, on an objective with one maximum; whether it converged."""
    score, information, change, before = work[0], work[1], work[2], work[3]
    n, weak = len(y), 1.0 / INTERCEPT_VARIANCE
    level = level_before = math.log(y.sum() / depth.sum())
    for i in range(n):
        change[i] = before[i] = 0.0
    best = -np.inf
    for _ in range(_MAX_STEPS):
        value = -0.5 * weak * level * level
        for i in range(n):
            value += _count(y[i], depth[i], level + change[i], dispersion, i, score, information)
            value -= 0.5 * precision * change[i] * change[i]
        if value < best - 1e-12 * abs(best):
            level = level_before + 0.25 * (level - level_before)
            for i in range(n):
                change[i] = before[i] + 0.25 * (change[i] - before[i])
            continue
        best = value
        slope, bend = -weak * level, weak
        for i in range(n):
            share = precision / (information[i] + precision)
            slope += share * (score[i] + information[i] * change[i])
            bend += share * information[i]
        step = slope / bend
        length = largest = 0.0
        for i in range(n):
            gradient = score[i] - precision * change[i]
            moved = (gradient - information[i] * step) / (information[i] + precision)
            length += gradient * moved + score[i] * step
            largest = max(largest, abs(moved), abs(step))
            before[i] = change[i]
            score[i] = moved  # no longer needed as such
        length -= weak * level * step
        shrink = min(1.0, _LARGEST_STEP / largest) if largest > 0.0 else 1.0
        level_before = level
        level += shrink * step
        for i in range(n):
            change[i] += shrink * score[i]
        if length < _CONVERGED:
            for i in range(n):
                log_means[i] = level + change[i]
            return True
    return False


@inner
def _count(
    y: float,
    depth: float,
    log_mean: float,
    dispersion: float,
    i: int,
    score: Float,
    information: Float,
) -> float:
    """Log likelihood of a count, with its two derivatives; below the floor, the parabola there."""
    mu = max(depth * math.exp(log_mean), 1e-300)
    kept = max(mu, MEAN_FLOOR)
    weight = kept / (1.0 + dispersion * kept)
    score[i] = weight * (y - kept) / kept
    value = nb_mean_kernel(y, kept, math.log(kept), dispersion)
    if mu >= MEAN_FLOOR:
        information[i] = weight * (1.0 + dispersion * y) / (1.0 + dispersion * mu)
        return float(value)
    below = math.log(mu / MEAN_FLOOR)
    value += below * (score[i] - 0.5 * weight * below)
    score[i] -= weight * below
    information[i] = weight
    return float(value)

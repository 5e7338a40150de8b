"""Single counts that a fit depends on too much: Cook's distances, flags, replacement [Love2014]_.

.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550. "Handling outliers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import scipy  # its stats load at first use

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

CELL: Final = 3
"""Replicates that a row of the design must have for its outliers to be told."""
LEAST_DISPERSION: Final = 0.04
"""Of those by trimmed variances."""
_TRIMS: Final = ((3.5, 1 / 3, 2.04), (23.5, 1 / 4, 1.86), (np.inf, 1 / 8, 1.51))
"""Up to so many replicates: share trimmed at either end, and what makes the trimmed mean of squared
deviations of a normal the variance."""
_REPLACEMENT_TRIM: Final = 0.2
_MORE: Final = 3
_LOWEST: Final = -6.0
_PER_DECADE: Final = 10
_N_BINS: Final = 100


def cooks_distances(
    counts: Float, mu: Float, dispersion: Float, leverage: Float, n_coefs: int
) -> Float:
    """How far the coefficients would move without each count [Cook1977]_, ``(n_obs, n_vars)``.

    Parameters
    ----------
    counts, mu, leverage
        Counts, fitted means and hat values, shape ``(n_obs, n_vars)``.
    dispersion
        Robust ones, as of :func:`robust_dispersion`, ``(n_vars,)``: the outliers themselves
        must not make the others' dispersion.
    n_coefs
        Coefficients of the design.

    References
    ----------
    .. [Cook1977] Cook RD (1977). Detection of influential observation in linear regression.
       Technometrics 19, 15-18.
    """
    squares = (counts - mu) ** 2 / (mu + dispersion * mu**2)
    return np.asarray(squares / n_coefs * leverage / (1 - leverage) ** 2)


def cooks_cutoff(n_obs: int, n_coefs: int) -> float:
    """99% quantile of F: what Cook's distances of the observations seldom exceed.

    Examples
    --------
    >>> round(cooks_cutoff(12, 2), 3)
    7.559
    """
    return float(scipy.stats.f.ppf(0.99, n_coefs, n_obs - n_coefs))


def robust_dispersion(normalised: Float, index: Int) -> Float:
    """Dispersions by the method of moments with trimmed variances, at least 0.04.

    Parameters
    ----------
    normalised
        Counts over depths, shape ``(n_obs, n_vars)``.
    index
        Row of the design of every observation, ``(n_obs,)``. The largest variance within a row with
        three or more observations counts; without one, that of all observations.
    """
    sizes = np.bincount(index)
    cells = np.flatnonzero(sizes >= CELL)
    if len(cells):
        variances = [_trimmed_variance(normalised[index == cell]) for cell in cells]
        variance = np.max(variances, axis=0)
    else:
        variance = _trimmed_variance(normalised, *_TRIMS[-1][1:])
    mean = normalised.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.fmax((variance - mean) / mean**2, LEAST_DISPERSION)


def in_cells(index: Int, n_replicates: int) -> Bool:
    """Observations whose row of the design has so many, shape ``(n_obs,)``."""
    return np.asarray(np.bincount(index)[index] >= n_replicates)


def replacements(normalised: Float, depths: Float) -> Float:
    """What outliers are replaced with: the trimmed mean of all observations at their depths."""
    means = trimmed_mean(normalised, _REPLACEMENT_TRIM)
    return np.asarray(np.trunc(means * (depths[:, None] if depths.ndim == 1 else depths)))


def exceeded(counts: Float, distances: Float) -> Bool:
    """Whether three or more counts are larger than the one with the largest distance.

    Such a count is no outlier: of two groups, it is low in the group that is high. ``(n_vars,)``.
    """
    suspect = np.take_along_axis(counts, distances.argmax(axis=0)[None], axis=0)
    return np.asarray((counts > suspect).sum(axis=0) >= _MORE)


def tally_distances(distances: Float) -> Int:
    """How many of the distances ``(n_obs, n_vars)`` are of which size, ``(n_obs, n_bins)``.

    Tallies of blocks of genes add up; :func:`tallied_quantiles` reads them.
    """
    n_obs = len(distances)
    with np.errstate(divide="ignore"):
        logs = (np.log10(distances) - _LOWEST) * _PER_DECADE
    known = np.isfinite(distances)
    bins = np.clip(np.where(known, logs, 0), 0, _N_BINS - 1).astype(np.intp)
    bins += np.arange(n_obs)[:, None] * _N_BINS
    return np.bincount(bins[known], minlength=n_obs * _N_BINS).reshape(n_obs, _N_BINS)


def tallied_quantiles(tally: Int, shares: Float) -> Float:
    """Quantiles of tallied distances, to a few hundredths of a decade; ``(n_obs, n_shares)``.

    Those of an observation without distances are NaN.

    Examples
    --------
    >>> tally = tally_distances(np.geomspace(1e-3, 10, 1000)[None, :])
    >>> tallied_quantiles(tally, np.array([0.25, 0.5])).round(2).tolist()
    [[0.01, 0.1]]
    """
    below = np.concatenate([np.zeros((len(tally), 1)), tally.cumsum(axis=1)], axis=1)
    edges = _LOWEST + np.arange(_N_BINS + 1) / _PER_DECADE
    quantiles = np.full((len(tally), len(shares)), np.nan)
    for i in np.flatnonzero(below[:, -1]):
        rises = np.concatenate([[True], np.diff(below[i]) > 0])
        rises[:-1] |= rises[1:]  # a quantile lies within a bin that holds something
        quantiles[i] = 10 ** np.interp(shares * below[i, -1], below[i, rises], edges[rises])
    return quantiles


def trimmed_mean(values: Float, trim: float) -> Float:
    """Mean of every column without a share of its largest and smallest values.

    Examples
    --------
    >>> trimmed_mean(np.array([[1.0], [2], [3], [4], [100]]), 0.2).tolist()
    [3.0]
    """
    n_out = int(np.floor(len(values) * trim))
    if n_out == 0:
        return np.asarray(values.mean(axis=0))
    # Sorted by vector instructions, columns are as soon in order as they are partitioned.
    return np.asarray(np.sort(values, axis=0)[n_out : len(values) - n_out].mean(axis=0))


def _trimmed_variance(values: Float, trim: float | None = None, scale: float = 1.0) -> Float:
    if trim is None:
        trim, scale = next(row[1:] for row in _TRIMS if len(values) <= row[0])
    squares = (values - trimmed_mean(values, trim)) ** 2
    return np.asarray(scale * trimmed_mean(squares, trim))

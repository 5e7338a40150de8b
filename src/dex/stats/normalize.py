"""Counts made comparable between observations, and logged.

All functions take blocks of genes: what depends on the whole table, the totals of the
observations, is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

PRIOR_COUNT = 2.0
"""edgeR's, that is added to counts before they are logged."""

_NO_COUNTS = "No observation has counts, so nothing can be normalised; check the layer."


def library_size_factors(totals: ArrayLike) -> Float:
    """Total counts relative to their median, as in scanpy's ``normalize_total``.

    Parameters
    ----------
    totals
        Total counts of the observations over all genes, shape ``(n_obs,)``.

    Returns
    -------
    Totals over the median of the positive totals, shape ``(n_obs,)``; an empty observation gets
    1, because its zeros stay zeros whatever they are divided by.

    Raises
    ------
    InputError
        If no observation has counts.

    Examples
    --------
    >>> library_size_factors([100, 400, 200, 0]).tolist()
    [0.5, 2.0, 1.0, 1.0]
    """
    totals = np.asarray(totals, dtype=np.float64)
    if not (totals > 0).any():
        raise InputError(_NO_COUNTS)
    return np.where(totals > 0, totals / np.median(totals[totals > 0]), 1.0)


def ln1p(counts: ArrayLike, size_factors: ArrayLike) -> Float:
    """Natural log of 1 + normalised counts, as in scanpy's ``normalize_total`` and ``log1p``.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    size_factors
        What the counts of an observation are divided by, shape ``(n_obs,)``; as from
        :func:`library_size_factors`.

    Returns
    -------
    log(1 + counts / size_factors), float64, shape ``(n_obs, n_vars)``.

    Examples
    --------
    >>> ln1p([[0, 3], [0, 12]], [0.5, 2.0]).round(3).tolist()
    [[0.0, 1.946], [0.0, 1.946]]
    """
    factors = np.asarray(size_factors, dtype=np.float64)
    normalised = np.asarray(counts, dtype=np.float64) / factors[:, None]
    return np.log1p(normalised, out=normalised)


def million_factors(lib_sizes: ArrayLike) -> Float:
    """Library sizes in millions: counts over these are counts per million.

    Parameters
    ----------
    lib_sizes
        Total counts of the observations over all genes, times their normalisation factors
        where there are any, shape ``(n_obs,)``.

    Returns
    -------
    Shape ``(n_obs,)``; an empty observation, whose zeros stay zeros, gets the median of the others.

    Raises
    ------
    InputError
        If no observation has counts.

    Examples
    --------
    >>> million_factors([2e6, 5e5, 0]).tolist()
    [2.0, 0.5, 1.25]
    """
    sizes = np.asarray(lib_sizes, dtype=np.float64)
    typical = np.median(sizes[sizes > 0]) if (sizes > 0).any() else 0.0
    if typical == 0:
        raise InputError(_NO_COUNTS)
    return np.where(sizes > 0, sizes, typical) / 1e6


def log_cpm(counts: ArrayLike, lib_sizes: ArrayLike, *, prior_count: float = PRIOR_COUNT) -> Float:
    """log2 counts per million with edgeR's prior count.

    The prior is larger in larger libraries: with
    ``prior = prior_count * lib_size / mean(lib_sizes)``, it is log2 of
    ``1e6 * (counts + prior) / (lib_size + 2 * prior)``, as the help page of ``edgeR::cpm`` says.
    So it depends on ``counts / lib_size`` alone, and is computed from it: where these are equal,
    as in zeros, the logs are equal to the last digit, and remain ties for a rank test.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    lib_sizes
        Total counts of the observations over all genes, times their normalisation factors
        where there are any; positive, shape ``(n_obs,)``.
    prior_count
        Average count added to avoid the log of zero.

    Returns
    -------
    log2 counts per million, float64, shape ``(n_obs, n_vars)``.

    Raises
    ------
    InputError
        If a library size is not positive.

    Examples
    --------
    >>> log_cpm([[0, 10], [0, 20]], [1e6, 2e6]).round(3).tolist()
    [[0.415, 3.502], [0.415, 3.502]]
    """
    sizes = np.asarray(lib_sizes, dtype=np.float64)
    if not (sizes > 0).all():
        where = np.flatnonzero(~(sizes > 0))
        msg = (
            f"{where.size} observations have no counts (the first is at position {where[0]}), so "
            "they have no counts per million; remove them."
        )
        raise InputError(msg)
    out = np.asarray(counts, dtype=np.float64) / sizes[:, None]
    return log_cpm_of_shares(out, prior_count / sizes.mean())


def log_cpm_of_shares(shares: Float, prior: float) -> Float:
    """:func:`log_cpm` of ``counts / lib_size``; ``prior`` is ``prior_count / mean(lib_sizes)``."""
    out: Float = shares + prior
    out *= 1e6 / (1 + 2 * prior)
    return np.log2(out, out=out)


def zscores(values: ArrayLike, *, max_value: float | None = None) -> Float:
    """Values of every gene less their mean, over their standard deviation (``ddof=1``).

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``; NaN where missing.
    max_value
        What is further from 0 than this is set to it, on both sides, as in ``scanpy.pp.scale``.

    Returns
    -------
    Same shape, float64; exactly 0 for a gene that does not vary, NaN where missing.

    Examples
    --------
    >>> zscores([[1.0, 5], [2, 5], [3, 5]]).tolist()
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    values = np.asarray(values, dtype=np.float64)
    missing = np.isnan(values)
    n = len(values) - missing.sum(axis=0)
    varies = np.fmax.reduce(values, axis=0) > np.fmin.reduce(values, axis=0)
    out: Float = values - np.nansum(values, axis=0) / np.maximum(n, 1)
    sum_sq = np.nansum(np.square(out), axis=0)
    out /= np.sqrt(np.where(varies, sum_sq / np.maximum(n - 1, 1), 1.0))
    out[:, ~varies] = np.where(missing[:, ~varies], np.nan, 0.0)
    if max_value is not None:
        np.clip(out, -max_value, max_value, out=out)
    return out

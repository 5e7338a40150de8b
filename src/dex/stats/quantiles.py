"""Quantile normalisation: the values of every observation get the same distribution.

After Bolstad, Irizarry, Astrand & Speed (2003), Bioinformatics 19:185-193.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy  # its stats load at first use

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Float


def mean_quantiles(values: Float) -> Float:
    """Mean over the observations of their ordered values [Bolstad2003]_.

    An observation with missing values has its quantiles interpolated to the number of genes, as if
    those were missing at random.

    Parameters
    ----------
    values
        Logs, shape ``(n_obs, n_vars)``; NaN where missing. Read row by row.

    Returns
    -------
    Ascending, shape ``(n_vars,)``.

    Raises
    ------
    InputError
        If an observation has fewer than two values.

    References
    ----------
    .. [Bolstad2003] Bolstad BM, Irizarry RA, Astrand M, Speed TP (2003). A comparison of
       normalization methods for high density oligonucleotide array data based on variance and
       bias. Bioinformatics 19, 185-193.
    """
    total = np.zeros(values.shape[1])
    for i, row in enumerate(values):
        total += _quantiles(row, i)
    return total / len(values)


def set_quantiles(values: Float, quantiles: Float) -> Float:
    """Give observations these quantiles, ties averaged.

    A value becomes the quantile of its rank. Values that are tied have the mean of their ranks,
    and share what is interpolated there; missing ones stay missing. With :func:`mean_quantiles` of
    all observations this is ``limma::normalizeQuantiles(ties=TRUE)``.

    Parameters
    ----------
    values
        Any of the observations, shape ``(n_rows, n_vars)``; NaN where missing.
    quantiles
        As from :func:`mean_quantiles`, shape ``(n_vars,)``.

    Returns
    -------
    Shape of ``values``.

    Examples
    --------
    >>> values = np.array([[1.0, 2, 3], [8, 4, 6]])
    >>> set_quantiles(values, mean_quantiles(values)).tolist()
    [[2.5, 4.0, 5.5], [5.5, 2.5, 4.0]]
    """
    out = np.full(values.shape, np.nan)
    positions = np.arange(len(quantiles))
    for row, made in zip(values, out, strict=True):
        known = ~np.isnan(row)
        ranks = scipy.stats.rankdata(row[known]) - 1
        made[known] = np.interp(ranks * _stretch(len(ranks), len(row)), positions, quantiles)
    return out


def _quantiles(row: Float, i: int) -> Float:
    """Ordered values of observation ``i``, as many as there are genes."""
    ordered = np.sort(row[~np.isnan(row)])
    if len(ordered) < min(2, len(row)):
        msg = (
            f"the observation at position {i} has {len(ordered)} values that are not missing, and "
            "its quantiles need two; remove it."
        )
        raise InputError(msg)
    positions = np.arange(len(row)) / _stretch(len(ordered), len(row))
    return np.interp(positions, np.arange(len(ordered)), ordered)


def _stretch(n_known: int, n_vars: int) -> float:
    """Steps between ranks of all genes per step between those known; exactly 1 if all are."""
    return (n_vars - 1) / (n_known - 1) if n_known > 1 else 1.0

"""What makes the counts of observations comparable: TMM and TMMwsp, median ratios, upper quartiles.

All functions take observations row by row, in blocks of whole rows, so that a large table need
not be dense at once: what depends on all observations is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

LOG_RATIO_TRIM = 0.3
"""Share of the genes left out at either end of the log ratios [Robinson2010]_."""
SUM_TRIM = 0.05
"""Likewise of the mean log expression."""
_SAME = 1e-6  # of log ratios: the observation is the reference, up to its depth
_TIE_DIGITS = 11  # logs of equal ratios differ by rounding
_LEAST_VARIANCE = 1e-6  # added to those of log ratios with singletons, as in edgeR
_NOTHING = 1e-20  # of upper quartiles


def upper_quartiles(counts: Float, lib_sizes: Float) -> Float:
    """Upper quartile of the counts of each observation, relative to its library [Bullard2010]_.

    Parameters
    ----------
    counts
        Genes that have counts in some observation, shape ``(n_obs, n_vars)``.
    lib_sizes
        Total counts, shape ``(n_obs,)``.

    Returns
    -------
    Shape ``(n_obs,)``.

    References
    ----------
    .. [Bullard2010] Bullard JH, Purdom E, Hansen KD, Dudoit S (2010). Evaluation of statistical
       methods for normalization and differential expression in mRNA-Seq experiments. BMC
       Bioinformatics 11, 94.

    Examples
    --------
    >>> upper_quartiles(np.array([[0.0, 1, 2, 3, 4]]), np.array([10.0])).tolist()
    [0.3]
    """
    return np.asarray(np.quantile(counts, 0.75, axis=1) / lib_sizes, dtype=np.float64)


def tmm_reference(quartiles: Float, root_totals: Float) -> int:
    """Choose the observation that TMM compares the others with.

    It is the one whose upper quartile is nearest to the mean of all. Where most observations have
    none, as when three genes in four have no counts, it is the one with the largest sum of square
    roots, which has many genes and deep ones.

    Parameters
    ----------
    quartiles
        As from :func:`upper_quartiles`, shape ``(n_obs,)``.
    root_totals
        Sums of the square roots of the counts, shape ``(n_obs,)``.

    Examples
    --------
    >>> tmm_reference(np.array([1.0, 2.1, 3.0]), np.ones(3))
    1
    """
    if np.median(quartiles) < _NOTHING:
        return int(np.argmax(root_totals))
    return int(np.argmin(np.abs(quartiles - quartiles.mean())))


def tmm_factor(
    counts: Float, lib_size: float, reference: Float, reference_lib_size: float
) -> float:
    """Trimmed mean of M values of one observation against another [Robinson2010]_.

    Of the genes with counts in both, those with the largest and smallest log ratios (30% at
    either end) and mean logs (5%) are left out; the log ratios of the others are averaged with the
    inverse of their variances as weights, which the delta method gives for binomial counts.

    Parameters
    ----------
    counts, reference
        Counts of both, shape ``(n_vars,)``.
    lib_size, reference_lib_size
        Their totals.

    Returns
    -------
    The factor by which ``lib_size`` is to be multiplied, before the factors of all observations
    are brought to a geometric mean of 1; 1 where no gene has counts in both.

    References
    ----------
    .. [Robinson2010] Robinson MD, Oshlack A (2010). A scaling normalization method for differential
       expression analysis of RNA-seq data. Genome Biology 11, R25.

    Examples
    --------
    >>> reference = np.arange(1.0, 101.0)
    >>> counts = reference.copy()
    >>> counts[-1] += 5050  # one gene fills half of the library
    >>> round(tmm_factor(counts, counts.sum(), reference, reference.sum()), 3)
    0.5
    """
    both = (counts > 0) & (reference > 0)
    y, y_ref = counts[both], reference[both]
    share, share_ref = y / lib_size, y_ref / reference_lib_size
    M, A = np.log2(share / share_ref), (np.log2(share) + np.log2(share_ref)) / 2
    if not len(M) or np.abs(M).max() < _SAME:
        return 1.0
    kept = _untrimmed(M, LOG_RATIO_TRIM) & _untrimmed(A, SUM_TRIM)
    if not kept.any():
        return 1.0
    variance = (1 - share) / y + (1 - share_ref) / y_ref
    return float(2.0 ** (np.sum(M[kept] / variance[kept]) / np.sum(1 / variance[kept])))


def tmmwsp_factor(
    counts: Float, lib_size: float, reference: Float, reference_lib_size: float
) -> float:
    """Trimmed mean of M values with singletons paired, for counts with many zeros [Chen2025]_.

    Genes with counts on one side only, which :func:`tmm_factor` leaves out, are paired with such of
    the other side, both in order of size. All are then trimmed and averaged as there, but for
    ties: of equal log ratios those of low mean log come first, of equal mean logs the first.

    Parameters
    ----------
    counts, lib_size, reference, reference_lib_size
        As of :func:`tmm_factor`.

    Returns
    -------
    The factor, as there.

    References
    ----------
    .. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4. Nucleic Acids
       Research 53, gkaf018.

    Examples
    --------
    >>> tmmwsp_factor(np.array([2.0, 0, 5, 0]), 7.0, np.array([2.0, 5, 0, 0]), 7.0)
    1.0
    """
    both = (counts > 0) & (reference > 0)
    singles = np.sort(counts[(counts > 0) & ~both])[::-1]
    others = np.sort(reference[(reference > 0) & ~both])[::-1]
    n_pairs = min(len(singles), len(others))
    y = np.concatenate([singles[:n_pairs], counts[both]])
    y_ref = np.concatenate([others[:n_pairs], reference[both]])
    share, share_ref = y / lib_size, y_ref / reference_lib_size
    M, A = np.log2(share) - np.log2(share_ref), (np.log2(share) + np.log2(share_ref)) / 2
    if not len(M) or np.abs(M).max() < _SAME:
        return 1.0
    kept = _inner_ranks(np.lexsort((A, M.round(_TIE_DIGITS))), LOG_RATIO_TRIM)
    kept &= _inner_ranks(np.argsort(A.round(_TIE_DIGITS), kind="stable"), SUM_TRIM)
    if not kept.any():
        return 1.0
    variance = (1 - share) / y + (1 - share_ref) / y_ref + _LEAST_VARIANCE
    return float(2.0 ** (np.sum(M[kept] / variance[kept]) / np.sum(1 / variance[kept])))


def log_geometric_means(
    log_sums: Float, n_positive: Float, n_obs: int, *, positive_counts: bool = False
) -> Float:
    """Log of each gene's geometric mean over the observations [Anders2010]_.

    Parameters
    ----------
    log_sums
        Sums of the natural logs of the positive counts, shape ``(n_vars,)``.
    n_positive
        Number of positive counts, shape ``(n_vars,)``.
    n_obs
        Number of observations.
    positive_counts
        Take zeros for ones: the mean is of the positive counts' logs, over all observations.
        Else a gene with a zero has no geometric mean.

    Returns
    -------
    Natural logs, shape ``(n_vars,)``; ``-inf`` where there is none.

    References
    ----------
    .. [Anders2010] Anders S, Huber W (2010). Differential expression analysis for sequence count
       data. Genome Biology 11, R106. Equation 5.
    """
    usable = n_positive > 0 if positive_counts else n_positive == n_obs
    return np.where(usable, log_sums / n_obs, -np.inf)


def median_ratios(counts: Float, log_means: Float) -> Float:
    """Median of the ratios of an observation's counts to the geometric means [Anders2010]_.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    log_means
        As from :func:`log_geometric_means`, shape ``(n_vars,)``.

    Returns
    -------
    Size factors, shape ``(n_obs,)``; NaN where an observation has no count in any gene that has
    a geometric mean.

    Examples
    --------
    >>> counts = np.array([[1.0, 2, 3, 0], [2, 4, 6, 9]])
    >>> log_means = log_geometric_means(np.log(counts[:, :3]).sum(axis=0), np.full(3, 2), 2)
    >>> median_ratios(counts[:, :3], log_means).round(4).tolist()
    [0.7071, 1.4142]
    """
    usable = np.isfinite(log_means)
    with np.errstate(divide="ignore"):
        ratios = np.log(counts[:, usable]) - log_means[usable]
    ratios[np.isneginf(ratios)] = np.nan
    known = ~np.isnan(ratios).all(axis=1)
    factors = np.full(len(counts), np.nan)
    factors[known] = np.exp(np.nanmedian(ratios[known], axis=1))
    return factors


def relative_log_expression(counts: Float, log_means: Float) -> Float:
    """Median ratios as in edgeR: the mean of the middle two is of the ratios, not of their logs.

    Parameters
    ----------
    counts, log_means
        As of :func:`median_ratios`; a gene with a zero has no geometric mean.

    Examples
    --------
    >>> counts = np.array([[1.0, 2], [4, 4]])
    >>> log_means = log_geometric_means(np.log(counts).sum(axis=0), np.full(2, 2), 2)
    >>> relative_log_expression(counts, log_means).round(4).tolist()
    [0.6036, 1.7071]
    """
    usable = np.isfinite(log_means)
    return np.asarray(np.median(counts[:, usable] / np.exp(log_means[usable]), axis=1))


def centred(factors: Float) -> Float:
    """Divide factors by their geometric mean.

    Raises
    ------
    InputError
        If one is not a positive number.

    Examples
    --------
    >>> centred(np.array([1.0, 4.0])).tolist()
    [0.5, 2.0]
    """
    if not (np.isfinite(factors) & (factors > 0)).all():
        where = np.flatnonzero(~(np.isfinite(factors) & (factors > 0)))
        msg = (
            f"{len(where)} observations have no size factor (the first is at position {where[0]}): "
            "they have hardly any counts; remove them, or take another method."
        )
        raise InputError(msg)
    return np.asarray(factors / np.exp(np.log(factors).mean()), dtype=np.float64)


def _inner_ranks(order: Int, trim: float) -> Bool:
    """Values, by their order, but for the share ``trim`` at both ends."""
    n_left_out = int(np.floor(len(order) * trim))
    kept = np.zeros(len(order), dtype=bool)
    kept[order[n_left_out : len(order) - n_left_out]] = True
    return kept


def _untrimmed(values: Float, trim: float) -> Bool:
    """Values whose ranks, ties averaged, leave out the share ``trim`` at both ends."""
    n = len(values)
    lowest = int(np.floor(n * trim)) + 1
    highest = n + 1 - lowest
    ends = np.partition(values, (lowest - 1, highest - 1))
    low, high = ends[lowest - 1], ends[highest - 1]
    above_low = values >= low if _mean_rank(values, low) >= lowest else values > low
    below_high = values <= high if _mean_rank(values, high) <= highest else values < high
    return np.asarray(above_low & below_high)


def _mean_rank(values: Float, value: float) -> float:
    below, equal = np.count_nonzero(values < value), np.count_nonzero(values == value)
    return below + (equal + 1) / 2

"""Scores of gene sets in single observations, from the ranks of its genes in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from dex._numba import kernel

if TYPE_CHECKING:
    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float, Int

_BANDWIDTH = 4.0
"""Standard deviations of a gene over the width of its kernel [Haenzelmann2013]_."""
_PAIRS_AT_A_TIME = 2**22


def mean_z_scores(values: Float, mean: Float, sd: Float, sets: SetIndex) -> Float:
    """Mean z-score of each set's genes; genes that are constant count as 0.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    mean, sd
        Of each gene over all observations, ``(n_vars,)``.
    sets
        Genes of each.

    Returns
    -------
    Shape ``(n_obs, n_sets)``; NaN where a set is empty.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> values = np.array([[1.0, 4.0], [3.0, 6.0]])
    >>> mean_z_scores(values, np.array([2.0, 5.0]), np.ones(2), SetIndex.of([[0, 1]], 2)).tolist()
    [[-1.0], [1.0]]
    """
    z = (values - mean) * np.divide(1.0, sd, out=np.zeros_like(sd), where=sd > 0)
    return np.asarray(sets.sums(z.T).T / np.where(sets.sizes > 0, sets.sizes, np.nan))


def ssgsea_scores(values: Float, sets: SetIndex, *, exponent: float = 0.25) -> Float:
    """Single-sample GSEA [Barbie2009]_: the mean height of the running sum of each set.

    Genes are passed from the highest to the lowest; those of the set weigh their rank, from 1 for
    the lowest, to the power of ``exponent``. Not normalised. Equal genes share the mean of their
    ranks, and the sum between them is a straight line, whatever their order.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    sets
        Genes of each.
    exponent
        0 counts the genes of a set alike.

    Returns
    -------
    Shape ``(n_obs, n_sets)``; NaN where a set is empty or has all genes.

    References
    ----------
    .. [Barbie2009] Barbie DA, Tamayo P, Boehm JS et al. (2009). Systematic RNA interference reveals
       that oncogenic KRAS-driven cancers require TBK1. Nature 462, 108-112.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> values = np.array([[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    >>> ssgsea_scores(values, SetIndex.of([[0, 1]], 4), exponent=0).tolist()
    [[2.0], [-2.0]]
    """
    out = np.empty((len(values), sets.n_sets))
    for i, row in enumerate(values):
        rank = _mean_ranks(row)
        _weighted_rank_means(rank, rank**exponent, sets.members, sets.starts, out[i])
    return out


def gsva_scores(
    distribution: Float, sets: SetIndex, *, exponent: float = 1.0, max_diff: bool = True
) -> Float:
    """Gene set variation [Haenzelmann2013]_: the running sum over ranks of relative expression.

    Parameters
    ----------
    distribution
        Where each value lies among those of its gene, from :func:`kernel_distribution`, ``(n_obs,
        n_vars)``. Genes are passed from the highest to the lowest, equal ones as they come, and
        weigh how far their rank is from the middle.
    sets
        Genes of each.
    exponent
        Of the weights.
    max_diff
        Whether the score is the difference of the largest deviations above and below zero, which
        is small for sets with genes at both ends; else the larger one.

    Returns
    -------
    Shape ``(n_obs, n_sets)``; NaN where a set is empty or has all genes.

    References
    ----------
    .. [Haenzelmann2013] Hänzelmann S, Castelo R, Guinney J (2013). GSVA: gene set variation
       analysis for microarray and RNA-seq data. BMC Bioinformatics 14:7.
    """
    n = distribution.shape[1]
    out = np.empty((len(distribution), sets.n_sets))
    weight = np.abs(n / 2 - np.arange(n)) ** exponent
    for i, row in enumerate(distribution):
        place = np.empty(n, dtype=np.intp)
        place[np.argsort(-row, kind="stable")] = np.arange(n)
        _walk_sets(place, weight, sets.members, sets.starts, out[i], max_diff)
    return out


def kernel_distribution(values: Float) -> Float:
    """Kernel estimate of each gene's distribution function at its own values [Haenzelmann2013]_.

    Normal kernels of a quarter of the gene's standard deviation; one half for a constant gene.

    Parameters
    ----------
    values
        Logs, ``(n_obs, n_vars)``.

    Examples
    --------
    >>> kernel_distribution(np.array([[1.0], [2.0], [3.0]])).round(2).ravel().tolist()
    [0.17, 0.5, 0.83]
    """
    n, n_vars = values.shape
    out = np.empty((n, n_vars))
    sd = values.std(axis=0, ddof=1) if n > 1 else np.zeros(n_vars)
    scaled = values / np.where(sd > 0, sd / _BANDWIDTH, np.inf)
    step = max(_PAIRS_AT_A_TIME // (n * n), 1)
    for first in range(0, n_vars, step):
        some = scaled[:, first : first + step]
        for i in range(n):
            out[i, first : first + step] = ndtr(some[i] - some).mean(axis=0)
    return out


def aucell_scores(values: Float, sets: SetIndex, *, top: float = 0.05) -> Float:
    """Area under the recovery curve of each set in the highest genes [Aibar2017]_.

    The curve counts the genes of the set that were passed, from the highest down; its area is told
    relative to that of a set at the very top. Genes at the least value (not expressed) recover
    nothing; other equal genes share the mean of their ranks.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    sets
        Genes of each.
    top
        Share of the genes that are passed.

    Returns
    -------
    Shape ``(n_obs, n_sets)``, from 0 to 1; NaN where a set is empty.

    References
    ----------
    .. [Aibar2017] Aibar S, Gonzalez-Blas CB, Moerman T et al. (2017). SCENIC: single-cell
       regulatory network inference and clustering. Nature Methods 14, 1083-1086.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> values = np.array([[9.0, 8.0, 1.0, 0.0], [0.0, 1.0, 8.0, 9.0]])
    >>> aucell_scores(values, SetIndex.of([[0, 1]], 4), top=0.5).tolist()
    [[1.0], [0.0]]
    """
    n_top = max(round(top * values.shape[1]), 1)
    out = np.empty((len(values), sets.n_sets))
    for i, row in enumerate(values):
        from_top = values.shape[1] - _mean_ranks(row)  # genes above, 0 for the highest
        gain = np.where(row > row.min(), np.maximum(n_top - from_top, 0.0), 0.0)
        _sums(gain, sets.members, sets.starts, out[i])
    size = sets.sizes
    best = np.minimum(size, n_top)
    most = best * n_top - best * (best - 1) / 2
    return out / np.where(size > 0, most, np.nan)


def _mean_ranks(row: Float) -> Float:
    """From 1 for the lowest; equal values share the mean of their ranks."""
    order = np.argsort(row, kind="stable")
    out = np.empty(len(row))
    _rank_ties(row, order, out)
    return out


@kernel
def _rank_ties(row: Float, order: Int, out: Float) -> None:
    n, first = len(row), 0
    while first < n:
        last = first
        while last + 1 < n and row[order[last + 1]] == row[order[first]]:
            last += 1
        for k in range(first, last + 1):
            out[order[k]] = 0.5 * (first + last) + 1.0
        first = last + 1


@kernel
def _weighted_rank_means(rank: Float, weight: Float, genes: Int, starts: Int, out: Float) -> None:
    """Sum over the list of the share of the set's weight passed, less that of all other genes.

    A gene of rank r, the lowest being 1, is passed at r places of the list. So its part of the
    area is its share times r.
    """
    n = len(rank)
    every = 0.5 * n * (n + 1.0)
    for s in range(len(starts) - 1):
        size = starts[s + 1] - starts[s]
        area, total, ranks = 0.0, 0.0, 0.0
        for k in range(starts[s], starts[s + 1]):
            gene = genes[k]
            area += weight[gene] * rank[gene]
            total += weight[gene]
            ranks += rank[gene]
        if 0 < size < n:
            out[s] = area / total - (every - ranks) / (n - size)
        else:
            out[s] = np.nan


@kernel
def _walk_sets(
    place: Int, weight: Float, genes: Int, starts: Int, out: Float, max_diff: bool
) -> None:
    """Running sums of all sets down one list."""
    n = len(place)
    for s in range(len(starts) - 1):
        size = starts[s + 1] - starts[s]
        if not 0 < size < n:
            out[s] = np.nan
            continue
        own = np.empty(size, np.intp)
        total = 0.0
        for k in range(size):
            own[k] = place[genes[starts[s] + k]]
            total += weight[own[k]]
        own.sort()
        up, down, so_far = 0.0, 0.0, 0.0
        for k in range(size):
            passed = (own[k] - k) / (n - size)
            before = so_far / total if total > 0.0 else k / size
            so_far += weight[own[k]]
            after = so_far / total if total > 0.0 else (k + 1) / size
            up, down = max(up, after - passed), min(down, before - passed)
        if max_diff:
            out[s] = up + down
        else:
            out[s] = up if up >= -down else down


@kernel
def _sums(gain: Float, genes: Int, starts: Int, out: Float) -> None:
    for s in range(len(starts) - 1):
        out[s] = 0.0
        for k in range(starts[s], starts[s + 1]):
            out[s] += gain[genes[k]]

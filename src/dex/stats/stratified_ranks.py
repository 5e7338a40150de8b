"""Rank tests within strata: van Elteren's sum of Wilcoxon's statistics over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.stats.grouping import Codes, Grouping, Int32
from dex.stats.rank_sums import rank_sums
from dex.stats.ranks import (
    Exact,
    RankSumTest,
    asymptotic_log10_pval,
    deviation_variance,
    exact_tests,
    taking_part,
)
from dex.stats.sparse_genes import SparseGenes, sparse_genes
from dex.stats.stratified_exact import exact_stratified_log10_pval

if TYPE_CHECKING:
    from dex.typing import Alternative, Float, Int

Weights = Literal["optimal", "design-free"]
"""``1 / (N + 1)``, locally most powerful for a shift that all strata share; ``1 / (m n)``, the same
for every stratum however many observations it has."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Nuisance strata: observations are compared within them only."""

    codes: Codes
    """Stratum of each observation, shape ``(n_obs,)``; -1 is in none and takes no part."""
    n_strata: int


def stratified_rank_sum_test(
    values: Float | SparseGenes,
    codes: Int | Grouping,
    n_groups: int,
    tests: Int,
    *,
    strata: Strata,
    weights: Weights = "optimal",
    alternative: Alternative = "two-sided",
    continuity: bool = False,
    exact: Exact = "auto",
) -> RankSumTest:
    """Every group against its reference within strata, by van Elteren's test [vanElteren1960]_.

    ``z = sum w_k (W_k - E_k) / sqrt(sum w_k^2 V_k)`` over the strata k with both sides of a test,
    ranks among the observations of that test in that stratum, ``V_k`` corrected for ties; and
    ``AUC = sum w_k m_k n_k AUC_k / sum w_k m_k n_k``, so that AUC - 1/2 has the sign of z. A
    stratum where all are tied adds nothing to z. With one stratum it is
    :func:`dex.stats.ranks.rank_sum_test`.

    The p-value is for independent observations: strata remove differences between blocks, and do
    not make the observations of a block independent.

    Parameters
    ----------
    values, codes, n_groups, tests
        As in :func:`dex.stats.ranks.rank_sum_test`.
    strata
        Which observations are compared with which.
    weights
        ``"optimal"``: ``w_k = 1 / (N_k + 1)``, locally best; ``"design-free"``:
        ``w_k = 1 / (m_k n_k)``, with m and n the sizes of the two sides.
    alternative
        ``"greater"``: the group is above its reference; ``"less"``: it is below.
    continuity
        Move asymptotic p-values by half of the least that one pair of observations weighs,
        ``w_k / 2``, over the strata that vary: 1/2 in U if there is one. (Ours: the literature
        has no correction for several strata.)
    exact
        Whether p-values are from the exact distribution given the ties. ``"auto"`` decides once
        per test, by :func:`dex.stats.exact_ranks.use_exact` of the observations in all its strata.

    Returns
    -------
    RankSumTest. NaN where no stratum has both sides, or where a stratum that has them has a NaN.

    Raises
    ------
    InputError
        If shapes or codes are wrong, or ``exact=True`` and a test has more than
        ``dex.stats.exact_ranks.LARGEST_EXACT`` observations.

    References
    ----------
    .. [vanElteren1960] van Elteren (1960), Bulletin of the International Statistical Institute
       37:351-361; see Lehmann (1975), Nonparametrics, section 3.3.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [3.0], [11.0], [12.0], [14.0]])  # the second block is high
    >>> codes, strata = np.array([0, 0, 1, 0, 1, 1]), Strata(np.repeat([0, 1], 3), 2)
    >>> test = stratified_rank_sum_test(values, codes, 2, np.array([[1, 0]]), strata=strata)
    >>> test.auc.item(), round(test.stat.item(), 6), round(10 ** test.log10_pval.item(), 6)
    (1.0, 1.732051, 0.222222)
    """
    genes, tests = sparse_genes(values), np.asarray(tests, np.intp).reshape(-1, 2)
    grouping = Grouping.of(codes, n_groups, genes.n_obs)
    blocks = Grouping.of(strata.codes, strata.n_strata, genes.n_obs).codes
    within = _groupings(grouping, blocks, strata.n_strata)
    sizes = _both_sides(within, tests)
    inverse = _inverse_weights(sizes, weights)
    weight = _relative(inverse)
    added = _add_up(genes.split(blocks, strata.n_strata), within, (tests, sizes), weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(added.variance)
        stat, step = added.deviation / se, added.step / se if continuity else 0.0
        auc = 0.5 + added.deviation / (2 * (weight * sizes.prod(axis=2)).sum(axis=0))
    log10_pval = asymptotic_log10_pval(stat, step, alternative=alternative)
    stat = np.where((added.variance == 0) & ~np.isnan(auc), 0.0, stat)
    chosen = exact_tests(sizes.sum(axis=0), exact)
    if chosen.any():
        taken = taking_part(grouping.codes, tests[chosen])
        log10_pval[:, chosen] = exact_stratified_log10_pval(
            genes.to_dense(taken),
            grouping.codes[taken],
            tests[chosen],
            strata=blocks[taken],
            inverse_weights=inverse[:, chosen],
            alternative=alternative,
        )
    return RankSumTest(stat, auc, log10_pval, chosen)


def stratum_sizes(codes: Int, n_groups: int, tests: Int, *, strata: Strata) -> Int:
    """Observations of every test in the strata that have both its sides, else 0.

    Returns
    -------
    In the group and in the reference, shape ``(n_strata, n_tests, 2)``.
    """
    grouping = Grouping.of(codes, n_groups, len(codes))
    blocks = Grouping.of(strata.codes, strata.n_strata, len(codes)).codes
    return _both_sides(_groupings(grouping, blocks, strata.n_strata), tests)


def _groupings(grouping: Grouping, blocks: Int32, n_strata: int) -> list[Grouping]:
    """Groups of the observations of every stratum."""
    n, order = grouping.n_groups, np.argsort(blocks, kind="stable")
    ends = np.searchsorted(blocks[order], np.arange(-1, n_strata), side="right")
    codes = [grouping.codes[order[first:last]] for first, last in pairwise(ends)]
    return [Grouping.of(own, n, len(own)) for own in codes]


def _both_sides(within: list[Grouping], tests: Int) -> Int:
    """``stratum_sizes`` of the groups in every stratum."""
    sizes = np.stack([grouping.of_sides(tests) for grouping in within])
    return np.where((sizes > 0).all(axis=2, keepdims=True), sizes, 0)


@dataclass(frozen=True, slots=True)
class _WeightedSums:
    """Weighted sums over the strata, each ``(n_vars, n_tests)``."""

    deviation: Float
    """Of the doubled rank sums less their means."""
    variance: Float
    """Of ``deviation`` under the null, given the ties."""
    step: Float
    """Least weight of a stratum that varies, infinite where none does."""


def _add_up(
    parts: list[SparseGenes], within: list[Grouping], compared: tuple[Int, Int], weights: Float
) -> _WeightedSums:
    """Rank every stratum by itself, for the tests that it has both sides of."""
    tests, sizes = compared
    deviation, variance = np.zeros((2, parts[0].n_vars, len(tests)))
    step = np.full(deviation.shape, np.inf)
    for k in np.flatnonzero(weights.any(axis=1)):
        used = weights[k] > 0
        sums = rank_sums(parts[k], within[k], within[k].n_groups, tests[used])
        weight = weights[k, used]
        deviation[:, used] += weight * sums.deviation
        variance[:, used] += weight**2 * deviation_variance(sums, *sizes[k, used].T.astype(float))
        step[:, used] = np.minimum(step[:, used], np.where(sums.untied > 0, weight, np.inf))
    return _WeightedSums(deviation, variance, step)


def _inverse_weights(sizes: Int, weights: Weights) -> Int:
    """``1 / w_k``, whole numbers, shape ``(n_strata, n_tests)``; 0 where a stratum is not used."""
    if weights == "design-free":
        return sizes.prod(axis=2)
    return np.where(sizes.all(axis=2), sizes.sum(axis=2) + 1, 0)


def _relative(inverse: Int) -> Float:
    """Weights with 1 as the largest of a test, so that one stratum alone is not rescaled."""
    least = np.min(inverse, axis=0, initial=np.iinfo(inverse.dtype).max, where=inverse > 0)
    return np.divide(least, inverse, out=np.zeros(inverse.shape), where=inverse > 0)

"""Rank tests: Wilcoxon's and Mann & Whitney's of two samples, Kruskal & Wallis's of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dex.stats.exact_ranks import exact_rank_sum_log10_pval, use_exact
from dex.stats.grouping import Codes, Grouping
from dex.stats.rank_sums import RankSums, rank_sums
from dex.stats.sparse_genes import SparseGenes, sparse_genes
from dex.stats.tails import chi2_log10_pval, log10_pval_against, normal_log10_pval
from dex.typing import REST, Alternative, Bool, Float, Int

Exact = Literal["auto"] | bool
"""Whether p-values are exact; ``"auto"`` decides by :func:`dex.stats.exact_ranks.use_exact`."""


@dataclass(frozen=True, slots=True)
class RankSumTest:
    """Wilcoxon rank-sum tests, gene by test; arrays have shape ``(n_vars, n_tests)``."""

    stat: Float
    """z, positive where the group is higher; ties corrected, never with a continuity correction."""
    auc: Float
    """P(group > reference) + P(tie) / 2; the Mann-Whitney U over the number of pairs."""
    log10_pval: Float
    """log10 of the p-value; NaN where all observations are tied."""
    exact: Bool
    """Which p-values are from the exact distribution given the ties, shape ``(n_tests,)``."""


@dataclass(frozen=True, slots=True)
class KruskalTest:
    """Kruskal-Wallis tests; every field has shape ``(n_vars,)``."""

    stat: Float
    """H, corrected for ties; 0 where all observations are tied."""
    df: Float
    """Degrees of freedom of the chi-square approximation."""
    log10_pval: Float
    """log10 of the p-value; NaN where all observations are tied."""


def rank_sum_test(
    values: Float | SparseGenes,
    codes: Int | Grouping,
    n_groups: int,
    tests: Int,
    *,
    alternative: Alternative = "two-sided",
    continuity: bool = False,
    exact: Exact = "auto",
) -> RankSumTest:
    """Every group against its reference by the rank-sum test [Wilcoxon1945]_, [Mann1947]_.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``, or sparse genes.
    codes
        Group of each observation, shape ``(n_obs,)``; -1 is in no group, and not in the rest.
    n_groups
        Number of groups.
    tests
        Rows (group, reference), shape ``(n_tests, 2)``; reference ``REST`` is everybody else.
    alternative
        ``"greater"``: the group is above its reference; ``"less"``: it is below.
    continuity
        Take 1/2 off the distance of U from its mean in asymptotic p-values, as scipy's
        ``use_continuity`` does.
    exact
        Whether p-values are from the exact distribution given the ties. ``"auto"`` decides once
        per test, by :func:`dex.stats.exact_ranks.use_exact`.

    Returns
    -------
    RankSumTest. NaN where a side is empty or the gene has a NaN on either side.

    Raises
    ------
    InputError
        If the shapes disagree, a code is out of range, or ``exact=True`` and a test has more
        than ``dex.stats.exact_ranks.LARGEST_EXACT`` observations.

    References
    ----------
    .. [Wilcoxon1945] Wilcoxon (1945), Biometrics Bulletin 1:80-83.
    .. [Mann1947] Mann & Whitney (1947), Annals of Mathematical Statistics 18:50-60.

    Examples
    --------
    >>> values = np.array([[0.0], [1.0], [1.0], [4.0], [5.0]])
    >>> test = rank_sum_test(values, np.array([0, 0, 0, 1, 1]), 2, np.array([[1, 0]]))
    >>> test.auc.item(), round(10 ** test.log10_pval.item(), 6), test.exact.tolist()
    (1.0, 0.1, [True])
    """
    genes, tests = sparse_genes(values), np.asarray(tests, np.intp).reshape(-1, 2)
    grouping = Grouping.of(codes, n_groups, genes.n_obs)
    sums, sizes = rank_sums(genes, grouping, n_groups, tests), grouping.of_sides(tests)
    n_group, n_reference = sizes.T.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(deviation_variance(sums, n_group, n_reference))
        stat, step = sums.deviation / se, 1 / se if continuity else 0.0
        auc = 0.5 + sums.deviation / (2 * n_group * n_reference)
    log10_pval = asymptotic_log10_pval(stat, step, alternative=alternative)
    stat[(sums.untied == 0) & ~np.isnan(auc)] = 0.0
    chosen = exact_tests(sizes, exact)
    if chosen.any():
        taken = taking_part(grouping.codes, tests[chosen])
        log10_pval[:, chosen] = exact_rank_sum_log10_pval(
            genes.to_dense(taken),
            grouping.codes[taken],
            n_groups,
            tests[chosen],
            alternative=alternative,
        )
    return RankSumTest(stat, auc, log10_pval, chosen)


def deviation_variance(sums: RankSums, n_group: Float, n_reference: Float) -> Float:
    """Variance of ``sums.deviation`` under the null, given the ties; NaN where a side is empty."""
    n = n_group + n_reference
    variance: Float = n_group * n_reference * sums.untied / (3 * n * (n - 1))
    return variance


def asymptotic_log10_pval(stat: Float, step: Float | float, *, alternative: Alternative) -> Float:
    """log10 p of the z scores ``stat``, moved by ``step`` towards the null; NaN stays NaN."""
    if alternative == "two-sided":
        return normal_log10_pval(np.maximum(np.abs(stat) - step, 0.0))
    moved = stat - step if alternative == "greater" else stat + step
    return log10_pval_against(alternative, stat=moved, two_sided=normal_log10_pval(moved))


def exact_tests(sizes: Int, exact: Exact) -> Bool:
    """Which tests are exact, ``(n_tests,)``; ``sizes`` of both sides are ``(n_tests, 2)``."""
    if exact == "auto":
        return use_exact(*sizes.T)
    return np.full(len(sizes), exact)


def taking_part(codes: Codes, tests: Int) -> Int:
    """Positions of the observations that any of the tests compares, ascending."""
    return np.flatnonzero(np.isin(codes, tests) | (tests == REST).any())


def kruskal_test(values: Float | SparseGenes, codes: Int | Grouping, n_groups: int) -> KruskalTest:
    """Test whether any group is shifted against the others, by Kruskal & Wallis [Kruskal1952]_.

    Parameters
    ----------
    values, codes, n_groups
        As in :func:`rank_sum_test`. Groups without observations take no part.

    Returns
    -------
    KruskalTest. NaN with fewer than two groups, or where the gene has a NaN.

    References
    ----------
    .. [Kruskal1952] Kruskal & Wallis (1952), Journal of the American Statistical Association
       47:583-621.
    """
    genes = sparse_genes(values)
    grouping = Grouping.of(codes, n_groups, genes.n_obs)
    n = grouping.sizes
    groups = np.flatnonzero(n)
    against_rest = np.column_stack([groups, np.full_like(groups, REST)])
    sums = rank_sums(genes, grouping, n_groups, against_rest)
    df = np.full(len(sums.deviation), len(groups) - 1.0 if len(groups) > 1 else np.nan)
    if len(groups) < 2:
        return KruskalTest(df, df, df)
    untied = sums.untied[:, 0]
    between = (sums.deviation**2 / n[groups]).sum(axis=1)
    stat = 3 * (n.sum() - 1) * between / np.where(untied == 0, 1.0, untied)
    return KruskalTest(stat, df, np.where(untied == 0, np.nan, chi2_log10_pval(stat, df)))

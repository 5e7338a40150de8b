"""The exact distribution of van Elteren's statistic given the ties.

Under the null the choices within the strata are independent. With weights ``1 / c_k``, all ``c_k``
whole, the statistic is a whole number of parts of their least common multiple: attainable values
are added, sorted and compared exactly. The strata are dealt into two halves of few values each, and
the tail of the whole is summed over pairs of them without listing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import inner, kernel
from dex.stats.exact_ranks import count_sums, fill_scores, pack, require_small
from dex.typing import REST, Alternative, Bool, Float, Int

if TYPE_CHECKING:
    from dex.stats.grouping import Codes

_NEVER = 2**62
"""Beyond every attainable value."""


def exact_stratified_log10_pval(
    values: Float,
    codes: Codes,
    tests: Int,
    *,
    strata: Codes,
    inverse_weights: Int,
    alternative: Alternative = "two-sided",
) -> Float:
    """Exact p-value of T, the weighted sum of rank sums: P(abs(T - E T) >= abs(t - E T)).

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    codes, strata
        Group and stratum of each observation, shape ``(n_obs,)``; -1 is in none.
    tests
        Rows (group, reference), shape ``(n_tests, 2)``; reference ``REST`` is everybody else.
    inverse_weights
        Whole numbers, shape ``(n_strata, n_tests)``; 0 where a stratum takes no part.
    alternative
        ``"greater"``: the group is above its reference, P(T >= t); ``"less"``: P(T <= t).

    Returns
    -------
    log10 p, shape ``(n_vars, n_tests)``. NaN where no stratum takes part, where every stratum is
    tied all through, and where an observation is NaN.

    Raises
    ------
    InputError
        If a test has more than ``dex.stats.exact_ranks.LARGEST_EXACT`` observations.
    """
    genes = np.ascontiguousarray(np.asarray(values, np.float64).T)
    log10_pval = np.empty((len(genes), len(tests)))
    for t, (group, reference) in enumerate(tests):
        in_group = codes == group
        taken = codes >= 0 if reference == REST else in_group | (codes == reference)
        used = np.flatnonzero(inverse_weights[:, t])
        require_small(int(np.isin(strata[taken], used).sum()))
        parts = []
        for k, inverse in zip(used, inverse_weights[used, t].tolist(), strict=True):
            rows = taken & (strata == k)
            parts.append(_Stratum.from_genes(genes[:, rows], in_group[rows], inverse))
        log10_pval[:, t] = _one_test(parts, len(genes), alternative)
    return log10_pval


@dataclass(frozen=True, slots=True)
class _Stratum:
    """The observations of one test in one stratum."""

    n: int
    m: int
    """Observations on the smaller side."""
    inverse_weight: int
    """Negative where the reference is the smaller side: its rank sum is the group's negative."""
    steps: Int
    """Ties of every gene as in :mod:`dex.stats.exact_ranks`, shape ``(n_vars,)``."""
    members: Int
    """The smaller side of every gene, shape ``(n_vars,)``."""
    has_nan: Bool
    """Shape ``(n_vars,)``."""

    @classmethod
    def from_genes(cls, genes: Float, in_group: Bool, inverse_weight: int) -> _Stratum:
        """Sort every gene; ``genes`` holds the two sides, ``(n_vars, n)``."""
        n, m = len(in_group), int(in_group.sum())
        group_is_smaller = 2 * m <= n
        order = genes.argsort(axis=1)
        ordered = np.take_along_axis(genes, order, axis=1)
        return cls(
            n=n,
            m=min(m, n - m),
            inverse_weight=inverse_weight if group_is_smaller else -inverse_weight,
            steps=pack(ordered[:, 1:] != ordered[:, :-1]),
            members=pack((in_group if group_is_smaller else ~in_group)[order]),
            has_nan=np.isnan(ordered[:, -1]),
        )


def _one_test(strata: list[_Stratum], n_vars: int, alternative: Alternative) -> Float:
    """log10 p of one test, ``(n_vars,)``."""
    if not strata:
        return np.full(n_vars, np.nan)
    strata = _dealt(strata)
    parts = lcm(*(part.inverse_weight for part in strata))
    sizes = np.array([(part.n, part.m, parts // part.inverse_weight) for part in strata], np.intp)
    steps = np.column_stack([part.steps for part in strata])
    members = np.column_stack([part.members for part in strata])
    sides = (alternative != "greater", alternative != "less")
    pval = _exact_pval(steps, members, sizes, sides, np.lexsort(steps.T))
    has_nan = np.any([part.has_nan for part in strata], axis=0)
    pval[has_nan | ~steps.any(axis=1)] = np.nan
    log10_pval: Float = np.log10(pval)
    return log10_pval


def _dealt(strata: list[_Stratum]) -> list[_Stratum]:
    """Strata in an order whose halves attain about as many values."""
    by_size = sorted(strata, key=lambda part: part.m * (part.n - part.m))
    return by_size[::2] + by_size[1::2]


@kernel
def _exact_pval(
    steps: Int, members: Int, sizes: Int, sides: tuple[bool, bool], order: Int
) -> Float:
    """p-value per gene; ``sizes`` has a row (n, m, factor) per stratum, ``sides`` lower and upper.

    ``steps`` and ``members``, ``(n_vars, n_strata)``, are those of :mod:`dex.stats.exact_ranks`;
    ``order`` brings equal rows of ``steps`` together.
    """
    n_strata = sizes.shape[0]
    half = (n_strata + 1) // 2
    pval = np.empty(steps.shape[0])
    first = second = (np.empty(0, np.int64), np.empty(0))
    for k in range(order.shape[0]):
        j = order[k]
        if k == 0 or (steps[j] != steps[order[k - 1]]).any():
            first = _distribution(steps[j, :half], sizes[:half])
            second = _distribution(steps[j, half:], sizes[half:])
        t = _statistic(steps[j], members[j], sizes)
        low, high = (-abs(t), abs(t)) if sides[0] and sides[1] else (t, t)
        low, high = low if sides[0] else -_NEVER, high if sides[1] else _NEVER
        pval[j] = min(_tails(first, second, low, high), 1.0)
    return pval


@inner
def _statistic(steps: Int, members: Int, sizes: Int) -> int:
    """Sum of the weighted rank sums, in whole parts."""
    total = 0
    for k in range(sizes.shape[0]):
        scores = np.empty(sizes[k, 0], np.int64)
        fill_scores(steps[k], scores)
        for i in range(scores.shape[0]):
            if (members[k] >> i) & 1:
                total += sizes[k, 2] * scores[i]
    return total


@inner
def _distribution(steps: Int, sizes: Int) -> tuple[Int, Float]:
    """Values that the strata attain together, ascending, and their probabilities."""
    values, pmf = np.zeros(1, np.int64), np.ones(1)
    for k in range(sizes.shape[0]):
        n, m, factor = sizes[k]
        scores = np.empty(n, np.int64)
        fill_scores(steps[k], scores)
        counts = count_sums(scores - scores[0], m)
        attained = np.flatnonzero(counts)
        own = (factor * (attained + m * scores[0]), counts[attained] / counts.sum())
        values, pmf = _convolve((values, pmf), own)
    return values, pmf


@inner
def _convolve(first: tuple[Int, Float], second: tuple[Int, Float]) -> tuple[Int, Float]:
    """Distribution of the sum of two independent values, ascending."""
    total = (np.empty(0, np.int64), np.empty(0))
    for i in range(second[0].shape[0]):
        total = _mix(total, (first[0] + second[0][i], first[1] * second[1][i]))
    return total


@inner
def _mix(a: tuple[Int, Float], b: tuple[Int, Float]) -> tuple[Int, Float]:
    """Merge two ascending lists of values and probabilities; those of equal values are added."""
    m, n = a[0].shape[0], b[0].shape[0]
    values, pmf = np.empty(m + n, np.int64), np.zeros(m + n)
    i = j = k = 0
    while i < m or j < n:
        value = min(a[0][i] if i < m else _NEVER, b[0][j] if j < n else _NEVER)
        values[k] = value
        if i < m and a[0][i] == value:
            pmf[k] += a[1][i]
            i += 1
        if j < n and b[0][j] == value:
            pmf[k] += b[1][j]
            j += 1
        k += 1
    return values[:k], pmf[:k]


@inner
def _tails(first: tuple[Int, Float], second: tuple[Int, Float], low: int, high: int) -> float:
    """P(sum <= low) + P(sum >= high): while one value rises, what is left for the other falls."""
    values, pmf = second
    n = values.shape[0]
    below, above = np.zeros(n + 1), np.zeros(n + 1)  # of the values before, and from, each place
    for i in range(n):
        below[i + 1] = below[i] + pmf[i]
        above[n - 1 - i] = above[n - i] + pmf[n - 1 - i]
    total = 0.0
    up_to = start = n
    for i in range(first[0].shape[0]):
        while up_to > 0 and values[up_to - 1] > low - first[0][i]:
            up_to -= 1
        while start > 0 and values[start - 1] >= high - first[0][i]:
            start -= 1
        total += first[1][i] * (below[up_to] + above[start])
    return total

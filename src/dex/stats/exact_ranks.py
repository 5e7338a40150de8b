"""The exact distribution of the rank sum given the ties [Mehta1984]_.

Under the null every choice of the group's observations is equally likely. How many of them reach
each rank sum is counted on doubled midranks, which are whole numbers, over the smaller side. The
counts depend on a gene through its pattern of ties alone, so each pattern is counted once.
"""

from __future__ import annotations

from math import comb, prod
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import inner, kernel
from dex.errors import InputError
from dex.stats.grouping import Codes, Grouping
from dex.typing import REST, Alternative, Bool, Float, Int

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LARGEST_EXACT = 63
"""Observations in a test, at most: which of them a gene ties, or a side holds, fits one word."""
_AUTO_SMALLER_SIDE = 8
_AUTO_BOTH_SIDES = 50
_SIDES = {"two-sided": 0, "greater": 1, "less": -1}


def use_exact(n_group: ArrayLike, n_reference: ArrayLike) -> Bool:
    """Whether tests of these sizes are made exactly: one rule per test, whatever the gene.

    That is up to 8 observations on the smaller side, and 50 on both. Beyond, the normal
    approximation is good and the exact count becomes slow.

    Examples
    --------
    >>> use_exact([4, 8, 8, 9], [4, 42, 43, 9]).tolist()
    [True, True, False, False]
    """
    smaller, both = np.minimum(n_group, n_reference), np.add(n_group, n_reference)
    return np.asarray((smaller > 0) & (smaller <= _AUTO_SMALLER_SIDE) & (both <= _AUTO_BOTH_SIDES))


def smallest_exact_pval(
    n_group: ArrayLike, n_reference: ArrayLike, *, alternative: Alternative = "two-sided"
) -> float:
    """Smallest p-value that a gene without ties can get: one or both extremes of ``comb(N, m)``.

    With ties the two-sided one can be half as large if the sides differ in size, since the
    distribution is then skewed and the far extreme may stand alone.

    Parameters
    ----------
    n_group, n_reference
        Observations on both sides; of a stratified test, one number per stratum.
    alternative
        As in :func:`exact_rank_sum_log10_pval`.

    Returns
    -------
    The p-value, NaN if a side is empty.

    Examples
    --------
    >>> smallest_exact_pval(3, 3), smallest_exact_pval(1, 1)
    (0.1, 1.0)
    >>> smallest_exact_pval([2, 2], [2, 2], alternative="greater") == 1 / 36
    True
    """
    m, n = np.atleast_1d(n_group).tolist(), np.atleast_1d(n_reference).tolist()
    if min([*m, *n], default=0) < 1:
        return float("nan")
    choices = prod(comb(a + b, a) for a, b in zip(m, n, strict=True))
    return (2 if alternative == "two-sided" else 1) / choices


def exact_rank_sum_log10_pval(
    values: Float,
    codes: Codes,
    n_groups: int,
    tests: Int,
    *,
    alternative: Alternative = "two-sided",
) -> Float:
    """Exact p-value of the rank sum W given the ties: P(abs(W - E W) >= abs(w - E W)).

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    codes
        Group of each observation, shape ``(n_obs,)``; -1 is in no group, and not in the rest.
    n_groups
        Number of groups.
    tests
        Rows (group, reference), shape ``(n_tests, 2)``; reference ``REST`` is everybody else.
    alternative
        ``"greater"``: the group is above its reference, P(W >= w); ``"less"``: P(W <= w).

    Returns
    -------
    log10 p, shape ``(n_vars, n_tests)``. NaN where a side is empty, where all observations are
    tied, and where one is NaN.

    Raises
    ------
    InputError
        If a test has more than ``LARGEST_EXACT`` observations, or shapes or codes are wrong.

    References
    ----------
    .. [Mehta1984] Mehta, Patel & Tsiatis (1984), Biometrics 40:819-825.
    """
    codes = Grouping.of(codes, n_groups, len(values)).codes
    genes = np.ascontiguousarray(np.asarray(values, np.float64).T)
    tests = np.asarray(tests, np.intp).reshape(-1, 2)
    log10_pval = np.empty((len(genes), len(tests)))
    for t, (group, reference) in enumerate(tests):
        in_group = codes == group
        taken = codes >= 0 if reference == REST else in_group | (codes == reference)
        log10_pval[:, t] = _one_test(genes[:, taken], in_group[taken], alternative)
    return log10_pval


def require_small(n: int) -> None:
    """Refuse a test of more than ``LARGEST_EXACT`` observations."""
    if n > LARGEST_EXACT:
        message = (
            f"A test has {n} observations; exact rank-sum p-values are for {LARGEST_EXACT} at "
            "most. Use the asymptotic ones (exact=False)."
        )
        raise InputError(message)


def _one_test(genes: Float, in_group: Bool, alternative: Alternative) -> Float:
    """log10 p of one test, ``(n_vars,)``; ``genes`` holds the two sides, ``(n_vars, n)``."""
    n_vars, n = genes.shape
    group_is_smaller = bool(2 * in_group.sum() <= n)
    smaller = in_group if group_is_smaller else ~in_group
    if not smaller.any():
        return np.full(n_vars, np.nan)
    require_small(n)
    side = _SIDES[alternative] * (1 if group_is_smaller else -1)
    order = genes.argsort(axis=1)
    ordered = np.take_along_axis(genes, order, axis=1)
    steps = pack(ordered[:, 1:] != ordered[:, :-1])
    sizes = (n, int(smaller.sum()), side)
    pval = _exact_pval(steps, pack(smaller[order]), sizes, steps.argsort())
    pval[(steps == 0) | np.isnan(ordered[:, -1])] = np.nan
    log10_pval: Float = np.log10(pval)
    return log10_pval


def pack(bits: Bool) -> Int:
    """Every row of up to 63 bits as one whole number, the first bit lowest."""
    packed: Int = bits @ (1 << np.arange(bits.shape[1]))
    return packed


@kernel
def _exact_pval(steps: Int, members: Int, sizes: tuple[int, int, int], order: Int) -> Float:
    """p-value per gene; ``sizes`` are n observations, m on the smaller side, and ``side``.

    Bit i of ``steps``: sorted observation i + 1 is larger than i. Bit i of ``members``: sorted
    observation i is on the smaller side. ``order`` brings equal ``steps`` together. ``side`` is 0
    for both, 1 if large rank sums of the smaller side are extreme, -1 if small ones are.
    """
    n, m, side = sizes
    pval = np.empty(steps.shape[0])
    scores = np.empty(n, np.int64)
    tail = np.empty(2 * m * (n - m) + 1)
    for k in range(order.shape[0]):
        j = order[k]
        if k == 0 or steps[j] != steps[order[k - 1]]:
            fill_scores(steps[j], scores)
            _fill_tail(scores, m, side, tail)
        deviation = 0
        for i in range(n):
            if (members[j] >> i) & 1:
                deviation += scores[i]
        pval[j] = tail[_reach(deviation, side, m * (n - m))]
    return pval


@inner
def fill_scores(steps: int, scores: Int) -> None:
    """Doubled midranks minus their mean, ``2 r - (n + 1)``, in ascending order.

    Bit i of ``steps``: observation i + 1 is larger than i.
    """
    n = scores.shape[0]
    start = 0
    for stop in range(1, n + 1):
        if stop == n or (steps >> (stop - 1)) & 1:
            scores[start:stop] = start + stop - n
            start = stop


@inner
def _reach(deviation: int, side: int, span: int) -> int:
    """How far out a deviation within ``-span ... span`` is, counted from 0."""
    return abs(deviation) if side == 0 else span + side * deviation


@inner
def _fill_tail(scores: Int, m: int, side: int, tail: Float) -> None:
    """``tail[d]`` = P(reach of the sum of m scores >= d), all choices of m being equally likely."""
    span = m * (scores.shape[0] - m)
    counts = count_sums(scores - scores[0], m)
    tail[:] = 0.0
    for total in range(counts.shape[0]):
        if counts[total] > 0.0:
            tail[_reach(total + m * scores[0], side, span)] += counts[total]
    for d in range(tail.shape[0] - 1, 0, -1):
        tail[d - 1] += tail[d]
    tail /= tail[0]


@inner
def count_sums(scores: Int, m: int) -> Float:
    """How many choices of m scores have each sum; ``scores`` ascend from 0.

    One tie block after the other: ``counts[k, s]`` choices of k among those seen have the sum s.
    """
    n = scores.shape[0]
    counts = np.zeros((m + 1, int(scores[n - m :].sum()) + 1))
    counts[0, 0] = 1.0
    largest = np.zeros(m + 1, np.int64)  # sum of k scores seen so far
    start = 0
    for stop in range(1, n + 1):
        if stop < n and scores[stop] == scores[start]:
            continue
        score, tied = scores[start], stop - start
        for k in range(min(m, stop), 0, -1):  # downwards: reads what has not seen this block
            choices = 1.0
            for c in range(1, min(tied, k) + 1):
                choices = choices * (tied - c + 1) / c
                for total in range(largest[k - c] + 1):
                    counts[k, total + c * score] += choices * counts[k - c, total]
            most = min(tied, k)
            largest[k] = largest[k - most] + most * score
        start = stop
    sums: Float = counts[m]
    return sums

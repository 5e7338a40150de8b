"""Rank sums of pairs of groups that share no reference: runs of equal values, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel, part
from dex.stats.rank_order import (
    GROUP,
    HALF,
    Bits,
    Int32,
    Spaces,
    Words,
    load_gene,
    sort_gene,
)

if TYPE_CHECKING:
    from dex.typing import Float, Int


@kernel
def pair_rank_sums(
    genes: tuple[Int, Int32, Bits],
    background: tuple[int, int],
    spaces: Spaces,
    groups: tuple[Int32, Int],
    tests: Int,
) -> tuple[Float, Float]:
    """``RankSums`` of every group against another one, both ``(n_vars, n_tests)``."""
    (starts, rows, bits), (codes, sizes) = genes, groups
    (words, spare, spots, _), long_keys = spaces
    n_vars, n_groups = starts.shape[0] - 1, sizes.shape[0]
    deviation, untied = np.empty((n_vars, len(tests))), np.empty((n_vars, len(tests)))
    zeros = np.empty(n_groups, np.int64)
    start = _run_starts(codes, n_groups)
    stop = start.copy()
    runs = (np.empty(start[-1], np.int64), np.empty(start[-1], np.int64))
    own = np.empty(n_groups)
    for j in range(n_vars):
        gene = (rows[starts[j] : starts[j + 1]], bits[starts[j] : starts[j + 1]])
        in_use = load_gene(gene, (codes, sizes, zeros), background, words, long_keys)
        in_order = sort_gene(in_use, (words, spare), spots, long_keys)
        _split_runs(in_order, in_use[1], zeros, (start, stop), runs)
        for g in range(n_groups):
            own[g] = _untied(runs[1], start[g], stop[g])
        for t in range(len(tests)):
            a, b = tests[t, 0], tests[t, 1]
            sums = _compare_runs(runs, (start[a], stop[a]), (start[b], stop[b]))
            # (m + n)^3 - sum((s + t)^3) = own terms + 3 m n (m + n) - 3 sum(s t (s + t))
            deviation[j, t], untied[j, t] = sums[0], own[a] + own[b] + 3.0 * sums[1]
    return deviation, untied


@part
def _run_starts(codes: Int32, n_groups: int) -> Int:
    """Where each group's runs begin: room for one run per observation, and an end mark."""
    start = np.zeros(n_groups + 1, np.int64)
    for code in codes:
        if code >= 0:
            start[code + 1] += 1
    for g in range(n_groups):
        start[g + 1] += start[g] + 1
    return start


@part
def _split_runs(
    words: Words, n_below: int, zeros: Int, bounds: tuple[Int, Int], runs: tuple[Int, Int]
) -> None:
    """List each group's runs of equal values, from ``start[g]`` to ``stop[g]``.

    A run has the number of its value among the distinct values of the gene, and how many
    observations of its own group are below it; ``below[stop[g]]`` is the size of the group.
    """
    start, stop = bounds
    stop[:] = start
    runs[1][start[:-1]] = 0
    run = 0
    for i in range(words.shape[0] + 1):
        if i == n_below:
            run += 1
            for g in range(zeros.shape[0]):
                if zeros[g] > 0:
                    _add_to_run(g, zeros[g], run, bounds, runs)
            run += 1
        if i < words.shape[0]:
            if i > 0 and words[i] >> HALF != words[i - 1] >> HALF:
                run += 1
            _add_to_run(words[i] & GROUP, 1, run, bounds, runs)


@part
def _add_to_run(
    g: int, tied: int, run: int, bounds: tuple[Int, Int], runs: tuple[Int, Int]
) -> None:
    """Add ``tied`` observations of group ``g`` to its last run, or begin a new one."""
    start, stop = bounds
    value, below = runs
    end = stop[g]
    if end == start[g] or value[end - 1] != run:
        value[end] = run
        below[end + 1] = below[end]
        stop[g] = end = end + 1
    below[end] += tied


@part
def _compare_runs(
    runs: tuple[Int, Int], group: tuple[int, int], reference: tuple[int, int]
) -> tuple[float, float]:
    """Compare two groups, given where the runs of each start and stop.

    Returns the deviation, and ``m n (m + n)`` minus the sum of ``s t (s + t)`` over shared values.
    """
    value, below = runs
    a, a_stop = group
    b, b_stop = reference
    m, n = float(below[a_stop]), float(below[b_stop])
    sign = 1.0
    if a_stop - a > b_stop - b:  # walk the side with fewer runs, leap through the other
        a, a_stop, b, b_stop, sign = b, b_stop, a, a_stop, -1.0
    deviation, together = -m * n, 0.0
    for k in range(a, a_stop):
        b = _leap(value, b, b_stop, value[k])
        tied = below[k + 1] - below[k]
        shared = below[b + 1] - below[b] if b < b_stop and value[b] == value[k] else 0
        deviation += tied * (2.0 * below[b] + shared)
        together += float(tied) * shared * (tied + shared)
    return sign * deviation, m * n * (m + n) - together


@part
def _untied(below: Int, start: int, stop: int) -> float:
    """N^3 - sum(t^3) within one group."""
    total = 0.0
    for k in range(start, stop):
        total += 3.0 * below[k] * (below[k + 1] - below[k]) * below[k + 1]
    return total


@part
def _leap(values: Int, low: int, stop: int, value: int) -> int:
    """First position from ``low`` on with ``values >= value``, by doubling steps and bisection."""
    if low == stop or values[low] >= value:
        return low
    step = 1
    while low + step < stop and values[low + step] < value:
        low += step
        step *= 2
    high = min(low + step, stop)
    while high - low > 1:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle
        else:
            high = middle
    return high

"""Rank sums of every gene, exact, with the scatter of the ranks that their variance needs.

Each gene is sorted once. Its zeros never are: those of a group are one element with a weight.

Ranks appear doubled and centred, ``2 r - (N + 1)`` with midranks for ties: whole numbers, so that
rank sums are exact. ``N^3 - sum(t^3)`` over the tie blocks of size ``t`` is summed over blocks as
``3 c t (c + t)``, with ``c`` observations below the block: all positive, nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dex._numba import inner, kernel
from dex.stats.moments import checked_codes, gene_rows
from dex.typing import REST, Bool, Float, Int

Int32 = NDArray[np.int32]
_ALL_BUT_SIGN = np.int64(2**63 - 1)


@dataclass(frozen=True, slots=True)
class RankSums:
    """Rank sums and the scatter of the ranks, before any p-value."""

    deviation: Float
    """Sum of the group's doubled centred ranks, ``2 U - n_group n_reference``: whole numbers."""
    untied: Float
    """N^3 minus the sum of t^3 over tie blocks: 12 times the sum of squares of the ranks."""


def rank_sums(values: Float, codes: Int, n_groups: int, tests: Int) -> RankSums:
    """Rank sums of every test, each gene sorted once. Parameters as in :func:`rank_sum_test`."""
    genes, codes = gene_rows(values), checked_codes(codes, len(values), n_groups)
    tests = np.asarray(tests, np.intp).reshape(-1, 2)
    # One ranking of all observations serves every test that compares them all.
    whole = side_sizes(codes, n_groups, tests).sum(axis=1) == (codes >= 0).sum()
    deviation, untied = np.empty((2, len(genes), len(tests)))
    if whole.any():
        sums, scatter = _rank_sums(genes, codes, n_groups)
        deviation[:, whole], untied[:, whole] = sums[:, tests[whole, 0]], scatter[:, None]
    if not whole.all():
        pairs = tests[~whole]
        kept = np.where(np.isin(codes, pairs), codes, -1)
        deviation[:, ~whole], untied[:, ~whole] = _pair_rank_sums(genes, kept, n_groups, pairs)
    missing = _has_nan(genes, codes, n_groups, tests)
    return RankSums(*(np.where(missing, np.nan, part) for part in (deviation, untied)))


def side_sizes(codes: Int, n_groups: int, tests: Int) -> Int:
    """Observations in the group and in the reference of every test, shape ``(n_tests, 2)``."""
    n = np.bincount(codes[codes >= 0], minlength=n_groups)
    group, reference = tests.T
    return np.column_stack(
        [n[group], np.where(reference == REST, n.sum() - n[group], n[reference])]
    )


def _has_nan(genes: Float, codes: Int, n_groups: int, tests: Int) -> Bool:
    """Which tests meet a NaN, shape ``(n_vars, n_tests)``, or one False for all."""
    missing = np.isnan(genes)
    if not missing.any():
        return np.zeros((1, 1), dtype=bool)
    in_group = missing @ (codes[:, None] == np.arange(n_groups))  # boolean: any, not a sum
    group, reference = tests.T
    rest = (reference == REST) & in_group.any(axis=1, keepdims=True)
    met: Bool = in_group[:, group] | np.where(reference == REST, rest, in_group[:, reference])
    return met


@kernel
def _rank_sums(genes: Float, codes: Int, n_groups: int) -> tuple[Float, Float]:
    """``RankSums`` of every group against the rest: ``(n_vars, n_groups)`` and ``(n_vars,)``."""
    n_vars, n_obs = genes.shape
    deviation, untied = np.zeros((n_vars, n_groups)), np.zeros(n_vars)
    keys, spare_keys = np.empty(n_obs, np.int64), np.empty(n_obs, np.int64)
    owners, spare_owners = np.empty(n_obs, np.int32), np.empty(n_obs, np.int32)
    zeros = np.zeros(n_groups, np.int64)
    total = int((codes >= 0).sum())
    for j in range(n_vars):
        n = _load(genes[j], codes, keys, owners, zeros)
        in_order = _sort(keys[:n], owners[:n], spare_keys[:n], spare_owners[:n])
        untied[j] = _add_ranks(in_order, zeros, total, deviation[j])
    return deviation, untied


@kernel
def _pair_rank_sums(genes: Float, codes: Int, n_groups: int, tests: Int) -> tuple[Float, Float]:
    """``RankSums`` of every group against another one, both ``(n_vars, n_tests)``."""
    n_vars, n_obs = genes.shape
    deviation, untied = np.zeros((n_vars, len(tests))), np.zeros((n_vars, len(tests)))
    keys, spare_keys = np.empty(n_obs, np.int64), np.empty(n_obs, np.int64)
    owners, spare_owners = np.empty(n_obs, np.int32), np.empty(n_obs, np.int32)
    zeros = np.zeros(n_groups, np.int64)
    start = _run_starts(codes, n_groups)
    stop = start.copy()
    runs = (np.empty(start[-1], np.int64), np.empty(start[-1], np.int64))
    own = np.empty(n_groups)
    for j in range(n_vars):
        n = _load(genes[j], codes, keys, owners, zeros)
        in_order = _sort(keys[:n], owners[:n], spare_keys[:n], spare_owners[:n])
        _split_runs(in_order, zeros, (start, stop), runs)
        for g in range(n_groups):
            own[g] = _untied(runs[1], start[g], stop[g])
        for t in range(len(tests)):
            a, b = tests[t, 0], tests[t, 1]
            sums = _compare_runs(runs, (start[a], stop[a]), (start[b], stop[b]))
            # (m + n)^3 - sum((s + t)^3) = own terms + 3 m n (m + n) - 3 sum(s t (s + t))
            deviation[j, t], untied[j, t] = sums[0], own[a] + own[b] + 3.0 * sums[1]
    return deviation, untied


@inner
def _load(gene: Float, codes: Int, keys: Int, owners: Int32, zeros: Int) -> int:
    """Fill ``keys``, whole numbers in the order of the values, and their groups; return how many.

    The zeros of a group are one element with key 0, and ``zeros`` counts them.
    """
    bits = gene.view(np.int64)
    zeros[:] = 0
    n = 0
    for i in range(gene.shape[0]):
        g = codes[i]
        if g < 0:
            continue
        if gene[i] == 0.0:
            zeros[g] += 1
            continue
        # Of negative floats the larger magnitude has the larger bits: turn them round.
        keys[n] = bits[i] if bits[i] >= 0 else bits[i] ^ _ALL_BUT_SIGN
        owners[n] = g
        n += 1
    for g in range(zeros.shape[0]):
        if zeros[g] > 0:
            keys[n], owners[n] = 0, g
            n += 1
    return n


@inner
def _sort(keys: Int, owners: Int32, spare_keys: Int, spare_owners: Int32) -> tuple[Int, Int32]:
    """Keys in ascending order with their owners, by radix sort over the bytes that vary."""
    varying = 0
    for i in range(keys.shape[0]):
        varying |= keys[i] ^ keys[0]
    spots = np.empty(256, np.int64)
    for shift in range(0, 64, 8):
        if (varying >> shift) & 255 == 0:
            continue
        sign = 128 if shift == 56 else 0  # negative keys come first
        spots[:] = 0
        for key in keys:
            spots[((key >> shift) & 255) ^ sign] += 1
        taken = 0
        for digit in range(256):
            taken, spots[digit] = taken + spots[digit], taken
        for i in range(keys.shape[0]):
            digit = ((keys[i] >> shift) & 255) ^ sign
            spare_keys[spots[digit]] = keys[i]
            spare_owners[spots[digit]] = owners[i]
            spots[digit] += 1
        keys, spare_keys = spare_keys, keys
        owners, spare_owners = spare_owners, owners
    return keys, owners


@inner
def _add_ranks(in_order: tuple[Int, Int32], zeros: Int, total: int, deviation: Float) -> float:
    """Add the doubled centred ranks to their groups' ``deviation``; return N^3 - sum(t^3)."""
    keys, owners = in_order
    n = keys.shape[0]
    untied = 0.0
    below = start = 0
    while start < n:
        stop, tied = start, 0
        while stop < n and keys[stop] == keys[start]:
            tied += zeros[owners[stop]] if keys[start] == 0 else 1
            stop += 1
        rank = 2 * below + tied - total
        for i in range(start, stop):
            weight = zeros[owners[i]] if keys[start] == 0 else 1
            deviation[owners[i]] += weight * rank
        untied += 3.0 * below * tied * (below + tied)
        below += tied
        start = stop
    return untied


@inner
def _run_starts(codes: Int, n_groups: int) -> Int:
    """Where each group's runs begin: room for one run per observation, and an end mark."""
    start = np.zeros(n_groups + 1, np.int64)
    for code in codes:
        if code >= 0:
            start[code + 1] += 1
    for g in range(n_groups):
        start[g + 1] += start[g] + 1
    return start


@inner
def _split_runs(
    in_order: tuple[Int, Int32], zeros: Int, bounds: tuple[Int, Int], runs: tuple[Int, Int]
) -> None:
    """List each group's runs of equal values, from ``start[g]`` to ``stop[g]``.

    A run has the number of its value among the distinct values of the gene, and how many
    observations of its own group are below it; ``below[stop[g]]`` is the size of the group.
    """
    keys, owners = in_order
    start, stop = bounds
    value, below = runs
    stop[:] = start
    below[start[:-1]] = 0
    run = 0
    for i in range(keys.shape[0]):
        if i > 0 and keys[i] != keys[i - 1]:
            run += 1
        g = owners[i]
        end = stop[g]
        if end == start[g] or value[end - 1] != run:
            value[end] = run
            below[end + 1] = below[end]
            stop[g] = end = end + 1
        below[end] += zeros[g] if keys[i] == 0 else 1


@inner
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


@inner
def _untied(below: Int, start: int, stop: int) -> float:
    """N^3 - sum(t^3) within one group."""
    total = 0.0
    for k in range(start, stop):
        total += 3.0 * below[k] * (below[k + 1] - below[k]) * below[k + 1]
    return total


@inner
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

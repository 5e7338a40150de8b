"""Rank sums of every gene, exact, with the scatter of the ranks that their variance needs.

Each gene is sorted once, without its background: zeros are one tie block of known size, wherever
they stand among the values. One walk over the sorted values serves all groups.

Ranks appear doubled and centred, ``2 r - (N + 1)`` with midranks for ties: whole numbers, so that
rank sums are exact. ``N^3 - sum(t^3)`` over the tie blocks of size ``t`` is summed over blocks as
``3 c t (c + t)``, with ``c`` observations below the block: all positive, nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dex._numba import ZERO, kernel, part
from dex.stats.grouping import Grouping
from dex.stats.rank_order import (
    GROUP,
    HALF,
    Bits,
    Int32,
    Spaces,
    Words,
    bits_of,
    count_in_table,
    load_gene,
    sort_gene,
    work_spaces,
)
from dex.stats.rank_pairs import pair_rank_sums
from dex.stats.sparse_genes import SparseGenes, sparse_genes
from dex.typing import REST, Bool, Float, Int

_LARGEST_WHOLE = 2**21
"""Of so many observations the cube does not fit 64 bits: ties are then counted in floats."""
_NO_VALUE = np.uint64(2**32)
"""What is above the upper half of any word."""
_UPPER, _LOWER = np.int64(32), np.int64(2**32 - 1)
"""Of two whole numbers in a word."""


@dataclass(frozen=True, slots=True)
class RankSums:
    """Rank sums and the scatter of the ranks, before any p-value."""

    deviation: Float
    """Sum of the group's doubled centred ranks, ``2 U - n_group n_reference``: whole numbers."""
    untied: Float
    """N^3 minus the sum of t^3 over tie blocks: 12 times the sum of squares of the ranks."""


def rank_sums(
    values: Float | SparseGenes, codes: Int | Grouping, n_groups: int, tests: Int
) -> RankSums:
    """Rank sums of every test, each gene sorted once. Parameters as in :func:`rank_sum_test`."""
    genes = sparse_genes(values)
    grouping = Grouping.of(codes, n_groups, genes.n_obs)
    sizes, tests = grouping.sizes, np.asarray(tests, np.intp).reshape(-1, 2)
    # One ranking of all observations serves every test that compares them all.
    whole = grouping.of_sides(tests).sum(axis=1) == sizes.sum()
    if whole.all():
        deviation, untied = _rest_sums(genes, grouping, tests)
    elif not whole.any():
        deviation, untied = _pair_sums(genes, grouping, tests)
    else:
        deviation, untied = np.empty((2, genes.n_vars, len(tests)))
        deviation[:, whole], untied[:, whole] = _rest_sums(genes, grouping, tests[whole])
        deviation[:, ~whole], untied[:, ~whole] = _pair_sums(genes, grouping, tests[~whole])
    if not genes.no_nan and np.isnan(genes.values.min(initial=0.0)):
        missing = _meets_nan(genes, np.flatnonzero(np.isnan(genes.values)), grouping.codes, tests)
        deviation[missing] = untied[missing] = np.nan
    return RankSums(deviation, untied)


def _rest_sums(genes: SparseGenes, grouping: Grouping, tests: Int) -> tuple[Float, Float]:
    """``RankSums`` of tests that compare all observations."""
    groups = (grouping.codes, grouping.sizes)
    sums, scatter = _against_rest(*bits_of(genes), work_spaces(genes), groups)
    in_place = np.array_equal(tests[:, 0], np.arange(sums.shape[1]))
    deviation = sums if in_place else sums[:, tests[:, 0]]
    return deviation, np.broadcast_to(scatter[:, None], deviation.shape).copy()


def _pair_sums(genes: SparseGenes, grouping: Grouping, tests: Int) -> tuple[Float, Float]:
    """``RankSums`` of tests that leave some observations out."""
    codes, sizes = grouping.codes, grouping.sizes
    kept = np.isin(np.arange(len(sizes)), tests)
    if not kept.all():
        codes, sizes = np.where(kept[codes] & (codes >= 0), codes, -1), np.where(kept, sizes, 0)
    arguments = (*bits_of(genes), work_spaces(genes), (codes.astype(np.int32, copy=False), sizes))
    if (tests[:, 1] == tests[0, 1]).all():
        whole: Any = np.int64 if sizes.sum() < _LARGEST_WHOLE else np.float64
        return _against_reference(*arguments, (tests, np.empty(len(sizes), whole)))
    return pair_rank_sums(*arguments, tests)


def _meets_nan(genes: SparseGenes, where: Int, codes: Int32, tests: Int) -> Bool:
    """Which tests meet one of the NaN at ``where`` in the lists, shape ``(n_vars, n_tests)``."""
    gene, code = np.searchsorted(genes.starts, where, side="right") - 1, codes[genes.rows[where]]
    n_groups = 1 + max(int(codes.max()), int(tests.max()))
    in_group = np.zeros((genes.n_vars, n_groups), dtype=bool)
    in_group[gene[code >= 0], code[code >= 0]] = True
    group, reference = tests.T
    rest = (reference == REST) & in_group.any(axis=1, keepdims=True)
    met: Bool = in_group[:, group] | np.where(reference == REST, rest, in_group[:, reference])
    return met


@kernel
def _against_rest(
    genes: tuple[Int, Int32, Bits],
    background: tuple[int, int],
    spaces: Spaces,
    groups: tuple[Int32, Int],
) -> tuple[Float, Float]:
    """``RankSums`` of every group against the rest: ``(n_vars, n_groups)`` and ``(n_vars,)``."""
    (starts, rows, bits), (codes, sizes) = genes, groups
    (words, spare, spots, table), long_keys = spaces
    n_vars, n_groups, total = starts.shape[0] - 1, sizes.shape[0], ZERO
    for size in sizes:
        total += size
    deviation, untied = np.empty((n_vars, n_groups)), np.empty(n_vars)
    sums, n_background = np.empty(n_groups, np.int64), np.empty(n_groups, np.int64)
    for j in range(n_vars):
        gene = (rows[starts[j] : starts[j + 1]], bits[starts[j] : starts[j + 1]])
        in_use = load_gene(gene, (codes, sizes, n_background), background, words, long_keys)
        n, n_below = in_use[0], in_use[1]
        n_values, tied = count_in_table(in_use, n_groups, words, table), total - n
        rank = 2 * n_below + tied - total  # of the background
        for g in range(n_groups):
            sums[g] = sizes[g] * rank  # as if all were background; what follows sets that right
        scatter = 3.0 * n_below * tied * (n_below + tied)
        if n_values > 0:
            scatter += _add_table(table, n_values, (total, rank, n_below), sums)
        else:
            in_order = sort_gene(in_use, (words, spare), spots, long_keys)
            for first, last, below in ((0, n_below, 0), (n_below, n, n_below + tied)):
                scatter += _add_runs(in_order[first:last], below, (total, rank), sums)
        untied[j] = scatter
        for g in range(n_groups):
            deviation[j, g] = sums[g]
    return deviation, untied


@part
def _add_runs(words: Words, below: int, ranks: tuple[int, int], sums: Int) -> float:
    """Add the doubled centred ranks to the ``sums`` of their groups, less that of the background.

    ``below`` is below all words. Returns what their ties add to N^3 - sum(t^3). The doubled rank
    of a run is where it starts and where it stops, each found in a sweep without a branch: which
    values are tied cannot be foretold.
    """
    n, scatter, constant = words.shape[0], 0.0, ranks[0] + ranks[1]
    start, value = below, _NO_VALUE
    for i in range(n):
        start = start if words[i] >> HALF == value else below + i
        value = words[i] >> HALF
        sums[words[i] & GROUP] += start - constant
        # A third of what 3 c t (c + t) of the run gains with this one.
        scatter += float(start) * (2 * (below + i) - start + 1)
    stop, value = below + n, _NO_VALUE
    for i in range(n - 1, -1, -1):
        stop = stop if words[i] >> HALF == value else below + i + 1
        value = words[i] >> HALF
        sums[words[i] & GROUP] += stop
    return 3.0 * scatter


@part
def _add_table(table: Int32, n_values: int, ranks: tuple[int, int, int], sums: Int) -> float:
    """Like :func:`_add_runs`, of values counted in a table, which is emptied."""
    total, of_background, n_below = ranks
    n_groups, listed, scatter = sums.shape[0], 0, 0.0
    n_background = total
    for i in range(n_values * n_groups):
        n_background -= table[i]
    for k in range(n_values):
        counts = table[k * n_groups : (k + 1) * n_groups]
        tied = 0
        for g in range(n_groups):
            tied += counts[g]
        below = listed if listed < n_below else listed + n_background
        rank = 2 * below + tied - total
        for g in range(n_groups):
            sums[g] += counts[g] * (rank - of_background)
            counts[g] = 0
        scatter += 3.0 * below * tied * (below + tied)
        listed += tied
    return scatter


@kernel
def _against_reference(
    genes: tuple[Int, Int32, Bits],
    background: tuple[int, int],
    spaces: Spaces,
    groups: tuple[Int32, Int],
    asked: tuple[Int, Any],
) -> tuple[Float, Float]:
    """``RankSums`` of groups against one reference, both ``(n_vars, n_tests)``.

    ``asked`` are the tests, and room for ties, ``(n_groups,)``, of the type in which they are
    summed: cubes of numbers of observations fit it.
    """
    (starts, rows, bits), (codes, sizes), (tests, ties) = genes, groups, asked
    (words, spare, spots, table), long_keys = spaces
    n_vars, n_groups, reference = starts.shape[0] - 1, sizes.shape[0], tests[0, 1]
    deviation, untied = np.empty((n_vars, len(tests))), np.empty((n_vars, len(tests)))
    n_background, counts = np.empty(n_groups, np.int64), np.empty((2, n_groups), np.int64)
    room = np.empty(words.shape[0], np.int64)
    one = ties.dtype.type(1)
    for j in range(n_vars):
        gene = (rows[starts[j] : starts[j + 1]], bits[starts[j] : starts[j + 1]])
        in_use = load_gene(gene, (codes, sizes, n_background), background, words, long_keys)
        n_below = in_use[1]
        for g in range(n_groups):
            counts[0, g] = counts[1, g] = 0
            ties[g] = one - one
        n_values = count_in_table(in_use, n_groups, words, table)
        if n_values > 0:
            _walk_table(table, (n_values, n_below), (reference, n_background), counts[0], ties)
        else:
            in_order = sort_gene(in_use, (words, spare), spots, long_keys)
            _walk_words(in_order, n_below, (reference, n_background), counts, ties, room)
        for t in range(len(tests)):
            g = tests[t, 0]
            m, n, z = (
                one * sizes[g],
                one * sizes[reference],
                one * (n_background[g] + n_background[reference]),
            )
            deviation[j, t] = counts[0, g] - float(m) * float(n)
            # N^3 - z^3 - (N - z), less t^3 - t of the ties beside the background
            total = m + n
            cubes = (total - z) * (total * total + total * z + z * z - one)
            untied[j, t] = cubes - ties[g] - ties[reference]
    return deviation, untied


@part
def _walk_words(
    words: Words, n_below: int, groups: tuple[int, Int], counts: Int, ties: Any, room: Int
) -> None:
    """Add up 2 U of every group against the reference, and ``ties``, from sorted words.

    ``counts`` are, per group: 2 U; and its last run, which come as 0. ``room`` is for as many as
    there are words.
    """
    reference, zeros = groups
    below = _walk(words[:n_below], (ZERO, ZERO), reference, counts, ties, room)
    for g in range(zeros.shape[0]):
        counts[0, g] += zeros[g] * (2 * below + zeros[reference])
    _walk(words[n_below:], (below + zeros[reference], n_below), reference, counts, ties, room)


@part
def _walk(
    words: Words, before: tuple[int, int], reference: int, counts: Int, ties: Any, room: Int
) -> int:
    """Add the runs of equal values; return how many of the reference are in or below them.

    ``before`` are those of the reference, and the words, that come before. Each observation adds
    to 2 U those of the reference that are below its run, found in a sweep forward, and those that
    are not above it, found backward: without a branch, as in :func:`_add_runs`. To ``ties`` it
    adds 3 q (q + 1), with q the observations of its run that were there before: of its group, and
    all of the reference, (s + r)^3 - (s + r) less that of the reference by itself; in the reference
    they add up to that, r^3 - r. A group's last run is its number, from 1 on, in the upper half
    of a word, and how many of the group joined it, less one, in the lower.
    """
    (double_u, last), (below, run) = counts, before
    n, start, value = words.shape[0], below, _NO_VALUE
    for i in range(n):
        g, same = words[i] & GROUP, words[i] >> HALF == value
        value = words[i] >> HALF
        start = start if same else below
        run = run if same else before[1] + i + 1
        q = (last[g] & _LOWER) + 1 if last[g] >> _UPPER == run else 0
        last[g] = run << _UPPER | q
        room[i] = start << _UPPER | q
        below += g == np.uint64(reference)
    stop, not_above, value = below, below, _NO_VALUE
    for i in range(n - 1, -1, -1):
        g, start = words[i] & GROUP, room[i] >> _UPPER
        stop = stop if words[i] >> HALF == value else not_above
        value = words[i] >> HALF
        is_reference = g == np.uint64(reference)
        not_above -= is_reference
        double_u[g] += start + stop
        q = ties.dtype.type((room[i] & _LOWER) + (0 if is_reference else stop - start))
        ties[g] += 3 * q * (q + 1)
    return below


@part
def _walk_table(
    table: Int32, n: tuple[int, int], groups: tuple[int, Int], double_u: Int, ties: Any
) -> None:
    """Like :func:`_walk_words`, of values counted in a table, which is emptied."""
    (n_values, n_below), (reference, zeros) = n, groups
    n_groups, listed, below, passed = zeros.shape[0], 0, 0, False
    for k in range(n_values + 1):
        if listed == n_below and not passed:
            for g in range(n_groups):
                double_u[g] += zeros[g] * (2 * below + zeros[reference])
            below, passed = below + zeros[reference], True
        if k == n_values:
            break
        counts = table[k * n_groups : (k + 1) * n_groups]
        shared, of_reference = counts[reference], ties[reference]
        r = ties.dtype.type(shared)
        for g in range(n_groups):  # without a branch: many at a time
            double_u[g] += counts[g] * (2 * below + shared)
            s = ties.dtype.type(counts[g])
            ties[g] += s * (s * s + 3 * s * r + 3 * r * r - 1)
            listed += counts[g]
            counts[g] = 0
        ties[reference] = of_reference + r * (r * r - 1)
        below += shared

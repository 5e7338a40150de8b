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

from dex._numba import inner, kernel
from dex.stats.moments import checked_codes, group_sizes
from dex.stats.rank_order import (
    GROUP,
    HALF,
    N_SPACES,
    Bits,
    Int32,
    Words,
    count_background,
    order_gene,
)
from dex.stats.rank_pairs import pair_rank_sums
from dex.stats.sparse_genes import SparseGenes, sparse_genes
from dex.typing import REST, Bool, Float, Int


@dataclass(frozen=True, slots=True)
class RankSums:
    """Rank sums and the scatter of the ranks, before any p-value."""

    deviation: Float
    """Sum of the group's doubled centred ranks, ``2 U - n_group n_reference``: whole numbers."""
    untied: Float
    """N^3 minus the sum of t^3 over tie blocks: 12 times the sum of squares of the ranks."""


def rank_sums(values: Float | SparseGenes, codes: Int, n_groups: int, tests: Int) -> RankSums:
    """Rank sums of every test, each gene sorted once. Parameters as in :func:`rank_sum_test`."""
    genes = sparse_genes(values)
    codes = checked_codes(codes, genes.n_obs, n_groups)
    tests = np.asarray(tests, np.intp).reshape(-1, 2)
    sizes = group_sizes(codes, n_groups)
    # One ranking of all observations serves every test that compares them all.
    whole = side_sizes(codes, n_groups, tests).sum(axis=1) == sizes.sum()
    deviation, untied = np.empty((2, genes.n_vars, len(tests)))
    if whole.any():
        sums, scatter = _against_rest(*_for_kernels(genes), (codes.astype(np.int32), sizes))
        deviation[:, whole], untied[:, whole] = sums[:, tests[whole, 0]], scatter[:, None]
    if not whole.all():
        pairs = tests[~whole]
        kept = np.isin(np.arange(n_groups), pairs)
        groups = (np.where(kept[codes], codes, -1).astype(np.int32), np.where(kept, sizes, 0))
        one_reference = (pairs[:, 1] == pairs[0, 1]).all()
        compare = _against_reference if one_reference else pair_rank_sums
        deviation[:, ~whole], untied[:, ~whole] = compare(*_for_kernels(genes), groups, pairs)
    where = np.flatnonzero(np.isnan(genes.values))
    if len(where):
        missing = _meets_nan(genes, where, codes, tests)
        deviation[missing] = untied[missing] = np.nan
    return RankSums(deviation, untied)


def side_sizes(codes: Int, n_groups: int, tests: Int) -> Int:
    """Observations in the group and in the reference of every test, shape ``(n_tests, 2)``."""
    n = group_sizes(codes, n_groups)
    group, reference = tests.T
    return np.column_stack(
        [n[group], np.where(reference == REST, n.sum() - n[group], n[reference])]
    )


def _for_kernels(
    genes: SparseGenes,
) -> tuple[tuple[Int, Int32, Bits], tuple[int, int], Words]:
    """Genes with the bits of their values; background; working memory of order_gene."""
    single = genes.values.dtype == np.float32
    integer: Any = np.int32 if single else np.int64
    background = np.array(genes.background, genes.values.dtype).view(integer).item()
    listed = (genes.starts, genes.rows, genes.values.view(integer))
    spaces = np.empty((N_SPACES, np.diff(genes.starts).max(initial=0)), np.uint64)
    return listed, (background, int(np.iinfo(integer).max)), spaces


def _meets_nan(genes: SparseGenes, where: Int, codes: Int, tests: Int) -> Bool:
    """Which tests meet one of the NaN at ``where`` in the lists, shape ``(n_vars, n_tests)``."""
    gene, code = np.searchsorted(genes.starts, where, side="right") - 1, codes[genes.rows[where]]
    in_group = np.zeros((genes.n_vars, max(codes.max(), tests.max()) + 1), dtype=bool)
    in_group[gene[code >= 0], code[code >= 0]] = True
    group, reference = tests.T
    rest = (reference == REST) & in_group.any(axis=1, keepdims=True)
    met: Bool = in_group[:, group] | np.where(reference == REST, rest, in_group[:, reference])
    return met


@kernel
def _against_rest(
    genes: tuple[Int, Int32, Bits],
    background: tuple[int, int],
    spaces: Words,
    groups: tuple[Int32, Int],
) -> tuple[Float, Float]:
    """``RankSums`` of every group against the rest: ``(n_vars, n_groups)`` and ``(n_vars,)``."""
    (starts, rows, bits), (codes, sizes) = genes, groups
    n_vars, total = starts.shape[0] - 1, 0
    for size in sizes:
        total += size
    deviation, untied = np.empty((n_vars, sizes.shape[0])), np.empty(n_vars)
    sums = np.empty(sizes.shape[0], np.int64)
    for j in range(n_vars):
        gene = slice(starts[j], starts[j + 1])
        words, below = order_gene((rows[gene], bits[gene]), codes, background, spaces)
        tied = total - words.shape[0]
        rank = 2 * below + tied - total  # of the background
        for g in range(sizes.shape[0]):
            sums[g] = sizes[g] * rank  # as if all were background; the walks set that right
        scatter = _add_runs(words[:below], 0, (total, rank), sums, 0.0)
        scatter += 3.0 * below * tied * (below + tied)
        untied[j] = _add_runs(words[below:], below + tied, (total, rank), sums, scatter)
        for g in range(sizes.shape[0]):
            deviation[j, g] = sums[g]
    return deviation, untied


@inner
def _add_runs(words: Words, below: int, ranks: tuple[int, int], sums: Int, scatter: float) -> float:
    """Add the doubled centred ranks to the ``sums`` of their groups, less that of the background.

    ``below`` is below all words. Returns N^3 - sum(t^3), to which ``scatter`` has come so far.
    """
    total, of_background = ranks
    start, n = 0, words.shape[0]
    while start < n:
        stop = start + 1
        while stop < n and words[stop] >> HALF == words[start] >> HALF:
            stop += 1
        tied = stop - start
        rank = 2 * below + tied - total
        for i in range(start, stop):
            sums[words[i] & GROUP] += rank - of_background
        scatter += 3.0 * below * tied * (below + tied)
        below += tied
        start = stop
    return scatter


@kernel
def _against_reference(
    genes: tuple[Int, Int32, Bits],
    background: tuple[int, int],
    spaces: Words,
    groups: tuple[Int32, Int],
    tests: Int,
) -> tuple[Float, Float]:
    """``RankSums`` of groups against one reference, both ``(n_vars, n_tests)``."""
    (starts, rows, bits), (codes, sizes) = genes, groups
    n_vars, n_groups = starts.shape[0] - 1, sizes.shape[0]
    deviation, untied = np.empty((n_vars, len(tests))), np.empty((n_vars, len(tests)))
    reference = tests[0, 1]
    counts, sums = np.empty((4, n_groups), np.int64), np.empty((2, n_groups))
    zeros = np.empty(n_groups, np.int64)
    for j in range(n_vars):
        gene = slice(starts[j], starts[j + 1])
        words, n_below = order_gene((rows[gene], bits[gene]), codes, background, spaces)
        count_background(words, sizes, zeros)
        counts[:], sums[:] = 0, 0.0
        _walk(words[:n_below], reference, counts, sums)
        for g in range(n_groups):
            if g != reference:
                _add_run(g, zeros[g], (counts[0, reference], zeros[reference]), counts, sums)
        _add_run(reference, zeros[reference], (0, 0), counts, sums)
        _walk(words[n_below:], reference, counts, sums)
        for t in range(len(tests)):
            g, m, n = tests[t, 0], float(sizes[tests[t, 0]]), float(sizes[reference])
            deviation[j, t] = counts[1, g] - m * n
            # (m + n)^3 - sum((s + t)^3) = own terms + 3 m n (m + n) - 3 sum(s t (s + t))
            both = m * n * (m + n) - sums[1, g]
            untied[j, t] = sums[0, g] + sums[0, reference] + 3.0 * both
    return deviation, untied


@inner
def _walk(words: Words, reference: int, counts: Int, sums: Float) -> None:
    """Add the runs of equal values to the ``counts`` and ``sums`` of their groups, in order.

    ``counts`` are, per group: its own values below; 2 U against the reference; its values in this
    run; a list of the groups in this run. ``sums`` are of the terms of ties: of its own values, and
    of those that it shares with the reference.
    """
    below, _, tied, touched = counts
    start, n = 0, words.shape[0]
    while start < n:
        stop = start + 1
        if stop == n or words[stop] >> HALF != words[start] >> HALF:  # no tie: most values
            _add_run(words[start] & GROUP, 1, (below[reference], 0), counts, sums)
            start = stop
            continue
        stop, n_touched = start, 0
        while stop < n and words[stop] >> HALF == words[start] >> HALF:
            g = words[stop] & GROUP
            if tied[g] == 0:
                touched[n_touched] = g
                n_touched += 1
            tied[g] += 1
            stop += 1
        against = (below[reference], tied[reference])
        for i in range(n_touched):
            _add_run(touched[i], tied[touched[i]], against, counts, sums)
            tied[touched[i]] = 0
        start = stop


@inner
def _add_run(g: int, tied: int, against: tuple[int, int], counts: Int, sums: Float) -> None:
    """Add a run of ``tied`` values of group ``g``; the reference has so many below and in it."""
    below, shared = against
    own = counts[0, g]
    counts[0, g] += tied
    counts[1, g] += tied * (2 * below + shared)
    sums[0, g] += 3.0 * own * tied * (own + tied)
    sums[1, g] += float(tied) * shared * (tied + shared)

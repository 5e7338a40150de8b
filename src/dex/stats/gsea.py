"""Preranked gene set enrichment analysis, with p-values that have no floor.

A screen of random sets of each size answers for most sets. What lies beyond it is reached level by
level, as in fgsea: Korotkevich, Sukhov, Budin, Shpak, Artyomov & Sergushichev (2021), bioRxiv
060012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.random_sets import random_sets
from dex.stats.running_sum import RankedList, leading_edges, running_sums
from dex.stats.set_tail import counted_tail, levelled_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float, Int

_N_SCREENED = 2000
"""Random sets of each size."""
_ALL_UP_TO, _STEP = 50, 1.08
"""Sizes at which random sets are drawn: all up to so large, then a step apart."""
_LN10, _LN2 = float(np.log(10.0)), float(np.log(2.0))


@dataclass(frozen=True, slots=True)
class GseaTest:
    """Each field ``(n_sets,)``."""

    es: Float
    """Enrichment score."""
    nes: Float
    """The score over the mean of those of random sets of the same size and sign."""
    log10_pval: Float
    """Of a score as extreme, among the random sets of the same size and sign."""
    log2err: Float
    """Standard error of log2 p: what another seed may change."""
    size: Int
    peak: Int
    """Place in the ranked list, from 0, of the innermost gene of the leading edge."""
    leading: list[Int]
    """Genes of each leading edge, the farthest out first."""

    @property
    def pval(self) -> Float:
        """0 where a double cannot hold it."""
        return np.asarray(10.0**self.log10_pval)


def gsea_test(
    ranked: RankedList,
    sets: SetIndex,
    *,
    seed: int = 0,
    apply: Callable[..., Iterable[Float]] = map,
) -> GseaTest:
    """Preranked gene set enrichment [Subramanian2005]_, p-values by levels [Korotkevich2021]_.

    Sets of one size share their random sets, and large ones with those of nearly their size. The
    null is that the set's genes are any of the list: it knows nothing of the samples, nor that
    genes of a set are correlated.

    Parameters
    ----------
    ranked
        All genes.
    sets
        Genes of each, as positions in the input of the list.
    seed
        Of the random sets; the same seed gives the same numbers however the work is shared.
    apply
        ``map``, or what does the same by threads.

    Raises
    ------
    InputError
        If a set is empty or has all genes.

    References
    ----------
    .. [Subramanian2005] Subramanian A, Tamayo P, Mootha VK et al. (2005). Gene set enrichment
       analysis: a knowledge-based approach for interpreting genome-wide expression profiles. PNAS
       102, 15545-15550.
    .. [Korotkevich2021] Korotkevich G, Sukhov V, Budin N, Shpak B, Artyomov MN, Sergushichev A
       (2021). Fast gene set enrichment analysis. bioRxiv 060012.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> ranked = RankedList.from_stat(np.linspace(3, -3, 200))
    >>> test = gsea_test(ranked, SetIndex.of([np.arange(0, 40, 2)], 200), seed=1)
    >>> bool(test.log10_pval[0] < -6), len(test.leading[0])
    (True, 20)
    """
    sums = running_sums(ranked, sets)
    lists = {1: ranked, -1: ranked.reversed}
    shares = node_shares(sums.size, len(ranked.order))

    def work(node: int) -> Float:
        return _tests_at(lists, node, sums.es[shares[node][0]], seed)

    nodes = sorted(shares, reverse=True)  # the longest work first
    table = np.zeros((3, len(sums.es)))
    for node, part in zip(nodes, apply(work, nodes), strict=True):
        own, share = shares[node]
        table[:, own] += share * part
    typical, log_pval, err = table
    return GseaTest(
        sums.es,
        sums.es / typical,
        np.minimum(log_pval, 0.0) / _LN10,
        err / _LN2,
        sums.size,
        sums.peak,
        leading_edges(ranked, sets, sums),
    )


def node_shares(size: Int, n_vars: int) -> dict[int, tuple[Int, Float]]:
    """Sizes at which random sets are drawn, and which sets take what share of their answers.

    Small sets have all of their own size. Large ones have those of the two nearest sizes of a grid
    in steps of 8 %: log p at one score is as good as linear in the size between them. The grid ends
    one short of all ``n_vars`` genes, as sets do.

    Examples
    --------
    >>> shares = node_shares(np.array([20, 103, 20]), 1000)
    >>> {node: (own.tolist(), share.tolist()) for node, (own, share) in shares.items()}
    {20: ([0, 2], [1.0, 1.0]), 100: ([1], [0.625]), 108: ([1], [0.375])}
    """
    grid = _grid(int(size.max(initial=1)), n_vars - 1)
    above = np.searchsorted(grid, size)
    below = np.where(grid[above] == size, above, above - 1)
    gap = np.maximum(grid[above] - grid[below], 1)
    share = np.where(above == below, 1.0, (size - grid[below]) / gap)
    found: dict[int, tuple[Int, Float]] = {}
    for i in np.unique([below, above]):
        weight = np.where(above == i, share, np.where(below == i, 1.0 - share, 0.0))
        own = np.flatnonzero(weight > 0)
        if len(own):
            found[int(grid[i])] = (own, weight[own])
    return found


def _grid(largest: int, most: int) -> Int:
    """All sizes at first, then steps of 8 % until ``largest`` is passed; none above ``most``."""
    n_steps = max(int(np.ceil(np.log(largest / _ALL_UP_TO) / np.log(_STEP))), 0) + 1
    coarse = np.round(_ALL_UP_TO * _STEP ** np.arange(1, n_steps + 1))
    grid = np.concatenate([np.arange(1, _ALL_UP_TO + 1), coarse.astype(np.intp)])
    return np.unique(np.minimum(grid, most))


def _tests_at(lists: dict[int, RankedList], size: int, es: Float, seed: int) -> Float:
    """Typical score of random sets, ln p and its error, for sets taken to be of ``size``."""
    out = np.empty((3, len(es)))
    weights = lists[1].weights
    screened = random_sets(_generator(seed, size, 0), weights, size, _N_SCREENED)
    for sign in (1, -1):
        own = (es >= 0) if sign > 0 else (es < 0)
        if not own.any():
            continue
        null = screened if sign > 0 else screened.mirrored(len(weights))
        high = np.abs(es[own])
        tail, enough = counted_tail(null, high)
        log_pval, var = tail.log_pval, tail.var
        if not enough.all():
            rng = _generator(seed, size, 1 if sign > 0 else 2)
            beyond = levelled_tail(rng, lists[sign].weights, null, high[~enough])
            log_pval[~enough], var[~enough] = beyond.log_pval, beyond.var
        typical = null.up[null.is_up].mean() if null.is_up.any() else null.up.mean()
        out[:, own] = np.broadcast_to(typical, high.shape), log_pval, np.sqrt(var)
    return out


def _generator(*numbers: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(numbers)))

"""The running sum of a gene set down a ranked list, and its largest deviation from zero.

After Subramanian et al. (2005), PNAS 102:15545-15550: each gene of the set raises the sum by its
share of the set's weight, every other gene lowers it by the same step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dex._numba import kernel, part
from dex.errors import InputError

if TYPE_CHECKING:
    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float, Int

Places = NDArray[np.int32]

_LIGHTEST = 1e-12
"""Weight of a gene at zero, of the heaviest: so that no set is without weight."""


@dataclass(frozen=True, slots=True)
class RankedList:
    """Genes from the most positive statistic to the most negative."""

    order: Int
    """Genes in that order, ``(n_vars,)``; equal ones as they came."""
    place: Places
    """Where each gene is, ``(n_vars,)``."""
    weights: Float
    """``abs(stat) ** exponent`` in that order, ``(n_vars,)``; above zero."""

    @classmethod
    def from_stat(cls, stat: Float, *, exponent: float = 1.0) -> RankedList:
        """Rank the genes by ``stat``, ``(n_vars,)``.

        Raises
        ------
        InputError
            If a statistic is not finite, or the exponent is below zero.

        Examples
        --------
        >>> ranked = RankedList.from_stat(np.array([-1.0, 3.0, 2.0]))
        >>> ranked.order.tolist(), ranked.place.tolist(), ranked.weights.tolist()
        ([1, 2, 0], [2, 0, 1], [3.0, 2.0, 1.0])
        """
        if not np.isfinite(stat).all():
            n = int((~np.isfinite(stat)).sum())
            msg = f"{n} of {len(stat)} statistics are not finite; rank the others only."
            raise InputError(msg)
        if not exponent >= 0:
            msg = (
                f"exponent={exponent!r} of the weights is below 0; 1 is the usual, 0 is unweighted."
            )
            raise InputError(msg)
        order = np.argsort(-stat, kind="stable")
        place = np.empty(len(stat), dtype=np.int32)
        place[order] = np.arange(len(stat), dtype=np.int32)
        size = np.abs(stat[order])
        heaviest = size.max(initial=0.0) or 1.0
        weights = np.maximum((size / heaviest) ** exponent, _LIGHTEST)
        return cls(order, place, weights * heaviest**exponent)

    @property
    def reversed(self) -> RankedList:
        """From the most negative to the most positive."""
        last = np.int32(len(self.order) - 1)
        return RankedList(self.order[::-1], last - self.place, self.weights[::-1].copy())

    def places_of(self, sets: SetIndex) -> Places:
        """Places of the genes of each set, set after set, ascending within each."""
        places = self.place[sets.members]
        group = np.repeat(np.arange(sets.n_sets), sets.sizes)
        return places[np.lexsort((places, group))]


@dataclass(frozen=True, slots=True)
class RunningSums:
    """What is told of the running sums of sets."""

    es: Float
    """Enrichment score: the deviation from zero that is largest, with its sign; ``(n_sets,)``."""
    peak: Int
    """Place of the gene at which it is reached, ``(n_sets,)``: of the set's first gene in the
    leading edge if the score is negative, its last if it is positive."""
    size: Int
    """Genes of each set, ``(n_sets,)``."""


def running_sums(ranked: RankedList, sets: SetIndex) -> RunningSums:
    """Enrichment scores of sets [Subramanian2005]_.

    Parameters
    ----------
    ranked
        All genes.
    sets
        Genes of each, as positions in the input of the list.

    Raises
    ------
    InputError
        If a set is empty or has all genes: then there is no score.

    References
    ----------
    .. [Subramanian2005] Subramanian A, Tamayo P, Mootha VK et al. (2005). Gene set enrichment
       analysis: a knowledge-based approach for interpreting genome-wide expression profiles. PNAS
       102, 15545-15550.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> ranked = RankedList.from_stat(np.array([3.0, 1.0, 0.5, -1.0, -2.0]))
    >>> sums = running_sums(ranked, SetIndex.of([[1, 0], [4]], 5))
    >>> sums.es.tolist(), sums.peak.tolist(), sums.size.tolist()
    ([1.0, -1.0], [1, 4], [2, 1])
    """
    size = sets.sizes
    if ((size < 1) | (size >= len(ranked.order))).any():
        s = int(np.flatnonzero((size < 1) | (size >= len(ranked.order)))[0])
        msg = (
            f"set {s} has {size[s]} of {len(ranked.order)} ranked genes; a set needs one gene at "
            "least, and one must be outside."
        )
        raise InputError(msg)
    es, peak = np.empty(len(size)), np.empty(len(size), dtype=np.intp)
    _largest_deviations(ranked.weights, ranked.places_of(sets), sets.starts, es, peak)
    return RunningSums(es, peak, size)


def running_sum(ranked: RankedList, genes: Int) -> tuple[Float, Float]:
    """Corners of the running sum of one set: how many genes were passed, and the sum there.

    Both ``(2 * size + 2,)``: the start, before and after each gene of the set, and the end.
    """
    places = np.sort(ranked.place[genes]).astype(np.float64)
    weight = ranked.weights[places.astype(np.intp)]
    n, size = len(ranked.order), len(places)
    after = np.cumsum(weight) / weight.sum() - (places - np.arange(size)) / (n - size)
    before = after - weight / weight.sum()
    passed = np.column_stack([places, places + 1]).ravel()
    sums = np.column_stack([before, after]).ravel()
    return np.concatenate([[0.0], passed, [n]]), np.concatenate([[0.0], sums, [0.0]])


def leading_edges(ranked: RankedList, sets: SetIndex, sums: RunningSums) -> list[Int]:
    """Genes of each set up to its peak, the farthest out first."""
    out = []
    for s in range(sets.n_sets):
        places = ranked.place[sets[s]]
        up = sums.es[s] >= 0
        inside = places <= sums.peak[s] if up else places >= sums.peak[s]
        own = np.sort(places[inside])
        out.append(ranked.order[own if up else own[::-1]])
    return out


@kernel
def _largest_deviations(weights: Float, places: Places, starts: Int, es: Float, peak: Int) -> None:
    """Fill ``es`` and ``peak`` of every set; places ascend within a set."""
    for s in range(len(starts) - 1):
        own = places[starts[s] : starts[s + 1]]
        up, down, top, bottom = deviations(weights, own)
        if up >= -down:
            es[s], peak[s] = up, own[top]
        else:
            es[s], peak[s] = down, own[bottom]


@part
def deviations(weights: Float, places: Places) -> tuple[float, float, int, int]:
    """Largest and least value of the running sum, and the genes (of the set) where they are.

    The largest is reached after a gene of the set, the least before one.
    """
    size = len(places)
    total = 0.0
    for i in range(size):
        total += weights[places[i]]
    hit, miss = 1.0 / total, 1.0 / (len(weights) - size)
    so_far, up, down, top, bottom = 0.0, 0.0, 0.0, 0, size - 1
    for i in range(size):
        passed = (places[i] - i) * miss
        if so_far * hit - passed < down:
            down, bottom = so_far * hit - passed, i
        so_far += weights[places[i]]
        if so_far * hit - passed > up:
            up, top = so_far * hit - passed, i
    return up, down, top, bottom

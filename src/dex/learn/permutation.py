"""What areas are when labels mean nothing: the same procedure on permuted donors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dex.learn.units import Units
    from dex.learn.validation import Mapper
    from dex.typing import Float, Int

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Null:
    """Statistics under permutation."""

    drawn: Float
    """``(n_permutations,)``."""
    n_possible: float
    """Different ways to deal the labels, the given one included."""
    exact: bool
    """Whether every other way was taken, not a random sample of them."""

    def pval(self, observed: float) -> float:
        """(b + 1) / (B + 1), b of B permutations being at least as good [Phipson2010]_.

        One that has no value, as no fold has two classes then, counts as if it were as good.

        References
        ----------
        .. [Phipson2010] Phipson B, Smyth GK (2010). Permutation p-values should never be zero.
           Statistical Applications in Genetics and Molecular Biology 9, Article 39.
        """
        if not len(self.drawn):
            return float("nan")
        worse = np.sum(self.drawn < observed - _SAME)
        return float((1 + len(self.drawn) - worse) / (1 + len(self.drawn)))


def permutation_null(
    units: Units,
    statistic: Callable[[Units, np.random.Generator], float],
    n: int,
    seed: np.random.SeedSequence,
    mapper: Mapper,
) -> Null:
    """Deal labels ``n`` times, or in every other way if these are no more."""
    possible = units.n_relabellings()
    exact = possible - 1 <= n
    streams = [np.random.default_rng(child) for child in seed.spawn(int(possible) if exact else n)]
    if exact:
        others = [one for one in every_relabelling(units) if (one != units.unit_codes).any()]
        pieces = [(units.relabelled(one), rng) for one, rng in zip(others, streams, strict=False)]
    else:
        pieces = [(units.relabelling(rng), rng) for rng in streams]
    values = mapper(lambda piece: statistic(piece[0], piece[1]), pieces)
    return Null(np.array(values, dtype=np.float64), possible, exact)


def every_relabelling(units: Units) -> Iterator[Int]:
    """All different ways to deal the classes to the units."""
    if units.constant:
        yield from (np.array(deal, np.intp) for deal in _multiset(units.per_class.tolist()))
        return
    own = [np.flatnonzero(units.unit_donors == donor) for donor in range(units.n_donors)]
    for deal in product(*(permutations(units.unit_codes[one].tolist()) for one in own)):
        codes = units.unit_codes.copy()
        for one, dealt in zip(own, deal, strict=True):
            codes[one] = dealt
        yield codes


def _multiset(counts: Sequence[int]) -> Iterator[list[int]]:
    """All different orders of so many of each class."""
    if not any(counts):
        yield []
        return
    for code, left in enumerate(counts):
        if left:
            fewer = [n - (other == code) for other, n in enumerate(counts)]
            yield from ([code, *rest] for rest in _multiset(fewer))

"""Which genes several tests share, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.pl._compare_table import SideBySide
    from dex.typing import Bool, Float, Int

N_WAYS = 3
"""Genes go up, go down, or go neither or both ways."""


@dataclass(frozen=True, slots=True)
class Intersections:
    """Genes significant in exactly these tests, the largest combinations first."""

    members: Bool
    """``(n_combinations, n_tests)``."""
    ways: Int
    """``(n_combinations, 3)``, genes that are up, down, or neither in all of these tests."""
    set_ways: Int
    """``(n_tests, 3)``, of all genes significant in the test."""

    @classmethod
    def of(cls, table: SideBySide) -> Intersections:
        """Count the genes of every combination that occurs."""
        some = table.significant.any(axis=1)
        found = table.significant[some]
        sign = np.where(found, np.sign(np.nan_to_num(table.log2fc[some])), 0.0)
        members, inverse = np.unique(found, axis=0, return_inverse=True)
        ways = np.zeros((len(members), N_WAYS), dtype=np.intp)
        np.add.at(ways, (inverse.ravel(), _way(sign)), 1)
        # Equal sizes: fewer tests first, then by the first test that one has and the other not.
        order = np.lexsort((*~members.T[::-1], members.sum(axis=1), -ways.sum(axis=1)))
        set_ways = [
            (sign > 0).sum(axis=0),
            (sign < 0).sum(axis=0),
            (found & (sign == 0)).sum(axis=0),
        ]
        return cls(members[order], ways[order], np.column_stack(set_ways).astype(np.intp))

    @property
    def sizes(self) -> Int:
        """Genes of each combination."""
        return self.ways.sum(axis=1)

    def first(self, n: int) -> Intersections:
        """Keep the ``n`` largest."""
        return Intersections(self.members[:n], self.ways[:n], self.set_ways)


def _way(sign: Float) -> Int:
    """0 up wherever there is a sign, 1 down, 2 both or no sign at all; ``(n_genes,)``."""
    up, down = (sign > 0).any(axis=1), (sign < 0).any(axis=1)
    return np.where(up & ~down, 0, np.where(down & ~up, 1, 2)).astype(np.intp)

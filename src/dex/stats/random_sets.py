"""Random gene sets of one size: where they lie in a ranked list and how far their sums go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex._numba import kernel, part
from dex.stats.running_sum import Places, deviations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class RandomSets:
    """Sets drawn uniformly from all of one size."""

    places: Places
    """Of their genes, ascending, ``(n_sets, size)``."""
    up: Float
    """Largest value of each running sum, ``(n_sets,)``."""
    down: Float
    """Its least value."""

    @property
    def is_up(self) -> NDArray[np.bool_]:
        """Whether the enrichment score is the largest value and not the least, ``(n_sets,)``."""
        return self.up >= -self.down

    def mirrored(self, n_vars: int) -> RandomSets:
        """See the list of ``n_vars`` genes from its other end."""
        places = np.int32(n_vars - 1) - self.places[:, ::-1]
        return RandomSets(places, -self.down, -self.up)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> RandomSets:
        """Only some sets, as a copy."""
        return RandomSets(self.places[rows], self.up[rows], self.down[rows])


def random_sets(rng: np.random.Generator, weights: Float, size: int, n_sets: int) -> RandomSets:
    """Draw sets of ``size`` genes of a list with these weights, ``(n_vars,)``."""
    places = np.empty((n_sets, size), dtype=np.int32)
    up, down = np.empty(n_sets), np.empty(n_sets)
    _draw(rng, weights, places, up, down)
    return RandomSets(places, up, down)


@kernel
def _draw(rng: np.random.Generator, weights: Float, places: Places, up: Float, down: Float) -> None:
    n, size = len(weights), places.shape[1]
    last_set = np.full(n, -1, dtype=np.int32)  # the last set that each gene was drawn for
    drawn = np.empty(size, dtype=np.int32)
    ends = np.empty(size + 1, dtype=np.int32)
    for s in range(places.shape[0]):
        for i in range(size):
            gene = int(rng.random() * n)
            while last_set[gene] == s:
                gene = int(rng.random() * n)
            last_set[gene] = s
            drawn[i] = gene
        _sort_even(drawn, n, ends, places[s])
        up[s], down[s], _, _ = deviations(weights, places[s])


@part
def _sort_even(values: Places, n: int, ends: Places, out: Places) -> None:
    """Sort numbers that lie evenly between 0 and ``n``: into a bin for each, then neighbours."""
    size = len(values)
    step = size / n
    ends[:] = 0
    for i in range(size):
        ends[int(values[i] * step) + 1] += 1
    for i in range(size):
        ends[i + 1] += ends[i]
    for i in range(size):
        bin_ = int(values[i] * step)
        out[ends[bin_]] = values[i]
        ends[bin_] += 1
    for i in range(1, size):
        value, j = out[i], i
        while j > 0 and out[j - 1] > value:
            out[j] = out[j - 1]
            j -= 1
        out[j] = value

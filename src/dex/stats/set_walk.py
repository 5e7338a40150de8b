"""A random walk over the gene sets whose running sum goes above a level.

The Metropolis step of Korotkevich, Sukhov, Budin, Shpak, Artyomov & Sergushichev (2021), bioRxiv
060012: a gene of the set is swapped for another, unless the sum would then stay below the level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dex._numba import kernel, part
from dex.stats.running_sum import Places, deviations
from dex.typing import Float, Int

SLACK = 1e-11
"""Above a level, for rounding: a sum that is equal is not above."""
_LARGE = 200
"""Size of sets for which twice the bins are worth their scanning."""

Flags = NDArray[np.uint8]
Bins = tuple[Float, Int, Flags, int]
"""Weight and number of a set's genes in each bin of places, a flag for each place, and how many
bits of a place do not count for its bin."""
Sum = tuple[int, float, int]
"""A place, and weight and number of a set's genes up to it."""


@kernel
def walk_above(
    rng: np.random.Generator,
    weights: Float,
    level: float,
    n_steps: int,
    places: Places,
    up: Float,
    down: Float,
) -> int:
    """Walk every set ``n_steps`` steps among those of its size whose sum goes above ``level``.

    A step is as likely as its reverse, so these are all equally likely in the end. ``places``,
    ``(n_sets, size)``, ascending, and the largest and least values of the sums, ``up`` and
    ``down``, are overwritten. Returns how many steps were taken, by all sets.
    """
    n, size = len(weights), places.shape[1]
    shift, most = 0, 256 if size >= _LARGE else 128
    while n >> shift >= most:
        shift += 1
    n_bins = (n >> shift) + 1
    bins = (np.zeros(n_bins), np.zeros(n_bins, np.intp), np.zeros(n, np.uint8), shift)
    taken = 0
    for s in range(places.shape[0]):
        own = places[s]
        for place in own:
            _move(bins, place, weights[place], 1)
        taken += _walk(rng, weights, level + SLACK, n_steps, own, bins)
        bins[0][:], bins[1][:] = 0.0, 0
        for place in own:
            bins[2][place] = 0
        own.sort()
        up[s], down[s], _, _ = deviations(weights, own)
    return taken


@part
def _walk(
    rng: np.random.Generator,
    weights: Float,
    level: float,
    n_steps: int,
    own: Places,
    bins: Bins,
) -> int:
    """Walk one set, whose genes stand in any order; return how many steps were taken.

    There is a witness, a place where the sum is above the level. Most swaps leave it above, and
    that is seen at once; otherwise the bins tell where else to look.
    """
    n, size = len(weights), len(own)
    miss = 1.0 / (n - size)
    total = 0.0
    for place in own:
        total += weights[place]
    at, weight, count = _highest(weights, bins, total, miss, level)
    taken = 0
    for _ in range(n_steps):
        which = int(rng.random() * size)
        old = own[which]
        new = _proposed(rng, old, n)
        if new < 0 or new >= n or bins[2][new]:
            continue
        gain, loss = weights[new], weights[old]
        later = total + gain - loss
        moved = weight + (gain if new <= at else 0.0) - (loss if old <= at else 0.0)
        counted = count + (1 if new <= at else 0) - (1 if old <= at else 0)
        _move(bins, old, -loss, -1)
        _move(bins, new, gain, 1)
        if moved <= later * ((at + 1 - counted) * miss + level):
            place, moved, counted = _highest(weights, bins, later, miss, level)
            if place < 0:
                _move(bins, new, -gain, -1)
                _move(bins, old, loss, 1)
                continue
            at = place
        taken += 1
        own[which], total, weight, count = new, later, moved, counted
    return taken


@part
def _proposed(rng: np.random.Generator, old: int, n: int) -> int:
    """Return a place anywhere, or as often one near ``old``; near on all scales alike.

    How likely it is depends on the distance alone. Far up, where few swaps are left that keep the
    sum above, most of those are with neighbours.
    """
    u = rng.random()
    if u < 0.5:
        return int(2.0 * u * n)
    distance = int(n ** rng.random())
    return old + distance if u < 0.75 else old - distance


@part
def _move(bins: Bins, place: int, weight: float, step: int) -> None:
    """Put a gene into the set, or out of it with a ``step`` of -1."""
    bin_ = place >> bins[3]
    bins[0][bin_] += weight
    bins[1][bin_] += step
    bins[2][place] = 1 if step > 0 else 0


@part
def _highest(weights: Float, bins: Bins, total: float, miss: float, level: float) -> Sum:
    """Where the sum is highest, and what it is made of there; place -1 if not above ``level``.

    Inside a bin the sum stays below what it would be were all of the bin's genes at its start.
    """
    best = level * total
    at, at_weight, at_count = -1, 0.0, 0
    weight, count = 0.0, 0
    cost = total * miss
    for b in range(len(bins[0])):
        start = b << bins[3]
        if bins[1][b] and weight + bins[0][b] - (start - count) * cost > best:
            so_far, k = weight, count
            for place in range(start, min((b + 1) << bins[3], len(weights))):
                if bins[2][place]:
                    so_far += weights[place]
                    k += 1
                    height = so_far - (place + 1 - k) * cost
                    if height > best:
                        best, at, at_weight, at_count = height, place, so_far, k
        weight += bins[0][b]
        count += bins[1][b]
    return at, at_weight, at_count

"""The listed values of one gene in ascending order, each with the group that it belongs to.

A value and its group are one word of 64 bits: the upper half is larger where the value is, and
equal where it is equal; the lower half is the group. The bits of floats, read as whole numbers, are
in the order of the floats. Only their range in use is sorted, without the low bits that are the
same in all: small counts then take one pass, whatever their type, and float32 takes three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dex._numba import inner

if TYPE_CHECKING:
    from dex.typing import Int

Int32 = NDArray[np.int32]
Words = NDArray[np.uint64]
Bits = NDArray[np.int32] | NDArray[np.int64]

HALF = np.uint64(32)
GROUP = np.uint64(2**32 - 1)
N_SPACES = 4
"""Rows of the working memory of :func:`order_gene`, each with room for every observation."""

_ONE = np.uint64(1)
_SIGN = np.uint64(2**63)
_MANY = 4096
"""From so many on, a pass of 11 bits costs less than it saves."""
_LEADING_BITS = 22
"""Of long keys, so many are sorted by radix; few values then still agree and are not equal."""


@inner
def order_gene(
    gene: tuple[Int32, Bits], codes: Int32, background: tuple[int, int], spaces: Words
) -> tuple[Words, int]:
    """Words of the values beside the background in ascending order; how many are below it.

    ``gene`` has the rows and the bits of the values; ``background`` its bits and the largest that
    their type has. Rows whose code is negative are left out.
    """
    keys, words = spaces[0], spaces[1]
    n, n_below = _load(gene, codes, background, keys, words)
    keys, words, spare = keys[:n], words[:n], spaces[2, :n]
    if n == 0:
        return words, 0
    low, shift, width = _range_in_use(keys)
    if width <= 32:
        for i in range(n):
            words[i] |= ((keys[i] - low) >> shift) << HALF
        return _radix_sort(words, spare, width)[0], n_below
    return _sort_long(keys, words, (low, shift, width), (spare, spaces[3, :n])), n_below


@inner
def count_background(words: Words, sizes: Int, zeros: Int) -> None:
    """How many of every group are not among the words, ``zeros``, by their ``sizes``."""
    for g in range(sizes.shape[0]):  # a loop compiles in a fraction of the time of zeros[:] = sizes
        zeros[g] = sizes[g]
    for word in words:
        zeros[word & GROUP] -= 1


@inner
def _key(bits: int, all_but_sign: int) -> int:
    """Whole number in the order of the floats; ``all_but_sign`` is the largest of their bits."""
    # Of negative floats the larger magnitude has the larger bits: turn them round.
    turned = bits if bits >= 0 else bits ^ all_but_sign
    return turned if turned != -1 else turned + 1  # minus zero is zero


@inner
def _load(
    gene: tuple[Int32, Bits], codes: Int32, background: tuple[int, int], keys: Words, words: Words
) -> tuple[int, int]:
    """Fill ``keys``, in the order of the values, and ``words``, so far with the groups alone."""
    rows, bits = gene
    all_but_sign = background[1]
    zero = _key(background[0], all_but_sign)
    n = n_below = 0
    for i in range(rows.shape[0]):
        group = codes[rows[i]]
        this = _key(int(bits[i]), all_but_sign)
        if group >= 0 and this != zero:
            n_below += this < zero
            keys[n] = np.uint64(np.int64(this)) ^ _SIGN
            words[n] = np.uint64(group)
            n += 1
    return n, n_below


@inner
def _range_in_use(keys: Words) -> tuple[np.uint64, np.uint64, int]:
    """Lowest key, the number of low bits that all share, the number of bits of the rest."""
    low = high = keys[0]
    varying = keys[0] ^ keys[0]
    for this in keys:
        low, high = min(low, this), max(high, this)
        varying |= this ^ keys[0]
    shift = keys[0] ^ keys[0]
    while varying and not (varying >> shift) & _ONE:
        shift += _ONE
    span, width = (high - low) >> shift, 0
    while span:
        span >>= _ONE
        width += 1
    return low, shift, width


@inner
def _radix_sort(words: Words, spare: Words, width: int) -> tuple[Words, Words]:
    """Sort by the lowest ``width`` bits of the upper half; return the two, the sorted one first."""
    n_passes = -(-width // (9 if words.shape[0] < _MANY else 11))
    digit = -(-width // max(n_passes, 1))
    mask = (_ONE << np.uint64(digit)) - _ONE
    spots = np.empty(1 << digit, np.int64)
    for k in range(n_passes):
        shift = HALF + np.uint64(k * digit)
        spots[:] = 0
        for word in words:
            spots[(word >> shift) & mask] += 1
        taken = 0
        for i in range(spots.shape[0]):
            taken, spots[i] = taken + spots[i], taken
        for word in words:
            i = (word >> shift) & mask
            spare[spots[i]] = word
            spots[i] += 1
        words, spare = spare, words
    return words, spare


@inner
def _sort_long(
    keys: Words,
    groups: Words,
    in_use: tuple[np.uint64, np.uint64, int],
    spaces: tuple[Words, Words],
) -> Words:
    """Words of keys that are too long for half a word: sort places in ``keys``, then number runs.

    The leading bits are sorted by radix, and what agrees in them by insertion.
    """
    low, shift, width = in_use
    shift += np.uint64(width - _LEADING_BITS)
    places, spare = spaces
    for i in range(keys.shape[0]):
        places[i] = ((keys[i] - low) >> shift) << HALF | np.uint64(i)
    in_order, out = _radix_sort(places, spare, _LEADING_BITS)
    _settle(in_order, keys)
    run = np.uint64(0)
    for i in range(keys.shape[0]):
        if i > 0 and keys[in_order[i] & GROUP] != keys[in_order[i - 1] & GROUP]:
            run += _ONE
        out[i] = run << HALF | groups[in_order[i] & GROUP]
    return out


@inner
def _settle(places: Words, keys: Words) -> None:
    """Sort by the keys at ``places`` where their upper halves are equal."""
    start, n = 0, places.shape[0]
    while start < n:
        leading, stop, sorted_already = places[start] >> HALF, start + 1, True
        while stop < n and places[stop] >> HALF == leading:
            this, before = places[stop] & GROUP, places[stop - 1] & GROUP
            sorted_already &= keys[before] <= keys[this]
            stop += 1
        if not sorted_already:
            _shell_sort(places[start:stop], keys)
        start = stop


@inner
def _shell_sort(places: Words, keys: Words) -> None:
    """Sort by the keys at ``places``: insertion, from afar first, as a run may be long."""
    n = places.shape[0]
    gap = n // 2
    while gap > 0:
        for i in range(gap, n):
            place, hole = places[i], i
            while hole >= gap and keys[places[hole - gap] & GROUP] > keys[place & GROUP]:
                places[hole] = places[hole - gap]
                hole -= gap
            places[hole] = place
        gap = 1 if gap == 2 else 5 * gap // 11

"""The listed values of one gene in ascending order, each with the group that it belongs to.

A value and its group are one word of 64 bits: the upper half is larger where the value is, and
equal where it is equal; the lower half is the group. The bits of floats, read as whole numbers, are
in the order of the floats. Only their range in use is sorted, without the low bits that are the
same in all, and of many bits the leading ones: small counts then take one pass, whatever their
type, and float32 takes two or three. Where few different values meet few groups, nothing is sorted:
they are counted in a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dex._numba import part

if TYPE_CHECKING:
    from dex.stats.sparse_genes import SparseGenes
    from dex.typing import Int

Int32 = NDArray[np.int32]
Words = NDArray[np.uint64]
Bits = NDArray[np.int32] | NDArray[np.int64]
Spaces = tuple[tuple[Words, Words, NDArray[np.int64], Int32], Words | None]
InUse = tuple[int, int, np.uint64, np.uint64, np.uint64]
"""Of the values of a gene beside the background: how many there are, and how many are below it; the
lowest, as a word; how many low bits all share; the range of what is above these."""

HALF = np.uint64(32)
GROUP = np.uint64(2**32 - 1)

_ONE = np.uint64(1)
_LEADING_BITS = 24
"""So many are sorted by radix at most; of values of more bits few then still agree and are not
equal."""
_SPARE_BITS = 4
"""Beyond those that number the values: likewise."""
_DIGIT = 10
"""Bits in a pass, at most: the places that it writes to fit the nearest cache."""
_MOST_MOVES = 4
"""Per value, by which those that share their leading bits are put in order one by one."""
_TABLE_PER_VALUE = 2
"""A table may have so many entries for every value that is counted in it."""


def bits_of(genes: SparseGenes) -> tuple[tuple[Int, Int32, Bits], tuple[int, int]]:
    """Genes with the bits of their values; bits of the background, and the largest there are."""
    single = genes.values.dtype == np.float32
    integer: Any = np.int32 if single else np.int64
    background = np.array(genes.background, genes.values.dtype).view(integer).item()
    listed = (genes.starts, genes.rows, genes.values.view(integer))
    return listed, (background, int(np.iinfo(integer).max))


def work_spaces(genes: SparseGenes) -> Spaces:
    """Working memory for the longest list of the genes."""
    longest = int(np.diff(genes.starts).max(initial=0))
    return spaces_for(longest, single=genes.values.dtype == np.float32)


def spaces_for(longest: int, *, single: bool) -> Spaces:
    """Words, room to sort them, places of digits, a table, and long keys unless they are single."""
    words, spare = np.empty((2, longest), np.uint64)
    spots = np.empty(2 << _DIGIT, np.int64)
    table = np.zeros(_TABLE_PER_VALUE * longest, np.int32)
    # Where this is None, kernels are compiled without what sorts long keys.
    long_keys = None if single else np.empty((2, longest), np.uint64)
    return (words, spare, spots, table), long_keys


@part
def load_gene(
    gene: tuple[Int32, Bits],
    groups: tuple[Int32, Int, Int],
    background: tuple[int, int],
    words: Words,
    long_keys: Words | None,
) -> InUse:
    """Fill the words of the values beside the background, unsorted.

    ``gene`` has the rows and the bits of the values; ``background`` as in :func:`bits_of`.
    ``groups`` are the code of every row, negative to leave it out, the sizes of the groups, and
    room for how many of each are background.
    """
    codes, sizes, n_background = groups
    for g in range(sizes.shape[0]):  # a loop compiles in a fraction of the time of a slice
        n_background[g] = sizes[g]
    zero = _key(background[0], background[1])
    n = _load(gene, (codes, n_background), (zero, background[1]), words, long_keys)
    n_below, low, high, varying = _extent(words[:n], zero, long_keys)
    shift = np.uint64(0)
    while varying and not (varying >> shift) & _ONE:
        shift += _ONE
    span = (high - low) >> shift
    if long_keys is None:
        return n, n_below, low << HALF, shift, span
    for i in range(n):
        key = (long_keys[0, i] - low) >> shift
        long_keys[0, i] = key
        words[i] |= key << HALF  # cut off if the key is long; it is then not looked at
    return n, n_below, np.uint64(0), np.uint64(0), span


@part
def _load(
    gene: tuple[Int32, Bits],
    groups: tuple[Int32, Int],
    zero: tuple[np.uint64, int],
    words: Words,
    long_keys: Words | None,
) -> int:
    """List what is beside the background, whose key is ``zero[0]``; return how many there are."""
    (rows, bits), (codes, n_background) = gene, groups
    n = 0
    for i in range(rows.shape[0]):
        # Unsigned, so that it is not taken to count from the end.
        group, key = codes[np.uint32(rows[i])], _key(int(bits[i]), zero[1])
        if group < 0 or key == zero[0]:
            continue
        n_background[group] -= 1
        if long_keys is None:
            words[n] = key << HALF | np.uint64(group)
        else:
            words[n] = np.uint64(group)
            long_keys[0, n] = key
        n += 1
    return n


@part
def _extent(
    words: Words, zero: np.uint64, long_keys: Words | None
) -> tuple[int, np.uint64, np.uint64, np.uint64]:
    """How many keys are below the background; the lowest, the highest, and the bits that vary."""
    n_below = 0
    high = every = zero - zero
    low = common = ~high
    for i in range(words.shape[0]):  # by itself, so that many are looked at at a time
        key = words[i] >> HALF if long_keys is None else long_keys[0, i]
        n_below += key < zero
        low, high = min(low, key), max(high, key)
        every, common = every | key, common & key
    return (n_below, low, high, every ^ common) if high >= low else (0, zero, zero, zero - zero)


@part
def _key(bits: int, all_but_sign: int) -> np.uint64:
    """Number from 0 on in the order of floats; ``all_but_sign`` is the largest of their bits."""
    # Of negative floats the larger magnitude has the larger bits: turn them round.
    turned = bits if bits >= 0 else bits ^ all_but_sign
    if turned == -1:  # minus zero is zero
        turned = 0
    return np.uint64(turned + all_but_sign + 1)


@part
def count_in_table(in_use: InUse, n_groups: int, words: Words, table: Int32) -> int:
    """Count by value and group, if few of either; return how many values may be different, or 0.

    The table is flat, a row for each value, lowest first. It comes, and must be left, as zeros.
    """
    n, _, lowest, shift, span = in_use
    if n == 0 or span >= np.uint64(n):
        return 0
    n_values = int(span) + 1
    if n_values * n_groups > _TABLE_PER_VALUE * n:
        return 0
    shift += HALF
    for word in words[:n]:
        table[int((word - lowest) >> shift) * n_groups + int(word & GROUP)] += 1
    return n_values


@part
def sort_gene(
    in_use: InUse, spaces: tuple[Words, Words], spots: Int, long_keys: Words | None
) -> Words:
    """Words in ascending order, given what :func:`load_gene` has returned."""
    n, _, lowest, shift, span = in_use
    words, spare = spaces[0][:n], spaces[1][:n]
    if long_keys is not None and span >> HALF:
        return _sort_long((words, spare), spots, long_keys, span)
    width, shift = _width(span), shift + HALF
    leading = min(_width(np.uint64(n)) + _SPARE_BITS, _LEADING_BITS, width)
    above = (lowest, shift + np.uint64(width - leading))
    words, spare = _radix_sort((words, spare), spots, above, leading)
    if leading < width and not _settle_words(words):
        words, spare = _radix_sort((words, spare), spots, (lowest, shift), width)
    return words


@part
def _width(span: np.uint64) -> int:
    """Number of bits."""
    width = 0
    while span:
        span >>= _ONE
        width += 1
    return width


@part
def _radix_sort(
    spaces: tuple[Words, Words], spots: Int, above: tuple[np.uint64, np.uint64], width: int
) -> tuple[Words, Words]:
    """Sort by the lowest ``width`` bits of what words are above ``lowest`` and ``shift``.

    Returns the two spaces, the sorted one first.
    """
    (words, spare), (lowest, shift) = spaces, above
    n_passes = -(-width // _DIGIT)
    digit = -(-width // max(n_passes, 1))
    size, step = 1 << digit, np.uint64(digit)
    mask = (_ONE << step) - _ONE
    here, ahead = spots[:size], spots[size : 2 * size]
    for i in range(size):
        here[i] = 0
    for word in words:
        here[((word - lowest) >> shift) & mask] += 1
    for _ in range(n_passes):
        taken = 0
        for i in range(size):
            taken, here[i], ahead[i] = taken + here[i], taken, 0
        for word in words:
            key = (word - lowest) >> shift
            i = key & mask
            spot = here[i]
            here[i] = spot + 1
            spare[np.uint64(spot)] = word
            ahead[(key >> step) & mask] += 1  # of the next pass, whatever the order
        words, spare = spare, words
        here, ahead = ahead, here
        shift += step
    return words, spare


@part
def _settle_words(words: Words) -> bool:
    """Put words in order that are nearly so; False if they are not: many agree in leading bits."""
    moves_left = _MOST_MOVES * words.shape[0]
    for i in range(1, words.shape[0]):
        word, hole = words[i], i
        while hole > 0 and words[hole - 1] >> HALF > word >> HALF:
            words[hole] = words[hole - 1]
            hole -= 1
        words[hole] = word
        moves_left -= i - hole
        if moves_left < 0:
            return False
    return True


@part
def _sort_long(spaces: tuple[Words, Words], spots: Int, long_keys: Words, span: np.uint64) -> Words:
    """Words of keys that are too long for half a word: sort places in ``keys``, then number runs.

    The leading bits are sorted by radix, and what agrees in them by insertion.
    """
    words, spare = spaces
    n = words.shape[0]
    keys, places = long_keys[0, :n], long_keys[1, :n]
    leading = min(_width(np.uint64(n)) + _SPARE_BITS, _LEADING_BITS)
    shift = np.uint64(_width(span) - leading)
    for i in range(n):
        places[i] = (keys[i] >> shift) << HALF | np.uint64(i)
    in_order, out = _radix_sort((places, spare), spots, (np.uint64(0), HALF), leading)
    _settle(in_order, keys)
    run = np.uint64(0)
    for i in range(n):
        if i > 0 and keys[in_order[i] & GROUP] != keys[in_order[i - 1] & GROUP]:
            run += _ONE
        out[i] = run << HALF | (words[in_order[i] & GROUP] & GROUP)
    return out


@part
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
            _shell_sort_places(places[start:stop], keys)
        start = stop


@part
def _shell_sort_places(places: Words, keys: Words) -> None:
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

"""Mean and sum of squares of every gene in every group, and of everybody outside the group.

Sums about a value of the group itself, and again about the mean where that was far from it, and
the pairwise update: the shifted and the two-pass algorithm of Chan, Golub & LeVeque (1983), The
American Statistician 37:242-247. Nothing is subtracted from a total of all groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dex._numba import ZERO, kernel, part
from dex.stats.grouping import Grouping
from dex.stats.sparse_genes import Int32, SparseGenes, Values, sparse_genes
from dex.typing import REST, Float, Int

_FAR = 1e3
"""Sum of squares, over that about the mean, from which on too many digits would cancel. About a
value of the group it is less than the number of listed values."""
_SHIFT, _LISTED, _TOTAL, _SQUARE = range(4)
"""What is summed of a group: beside each other, as an observation may be of any group."""


@dataclass(frozen=True, slots=True)
class GroupMoments:
    """Moments of every gene in some sets of observations: groups, or one side of every test."""

    n: Int
    """Observations, shape ``(n_groups,)``."""
    mean: Float
    """Mean, shape ``(n_vars, n_groups)``; NaN in a group without observations."""
    mean_low: Float
    """What rounding took from ``mean``: their sum has about twice the digits. Same shape.

    Values such as 1e6 plus a tiny noise have means that differ in their last digits only.
    """
    sum_sq: Float
    """Sum of squares about the group's own mean, same shape; exactly 0 where constant."""
    n_positive: Int
    """Observations above zero, same shape."""

    @property
    def var(self) -> Float:
        """Unbiased variance, shape ``(n_vars, n_groups)``; NaN below two observations."""
        degrees: Float = np.where(self.n > 1, self.n - 1, np.nan)
        return self.sum_sq / degrees

    def take(self, groups: Int) -> GroupMoments:
        """Only these groups, in this order, repeated where asked for."""
        parts = (self.mean, self.mean_low, self.sum_sq)
        mean, low, sum_sq = (array.take(groups, axis=1) for array in parts)
        positive = self.n_positive.take(groups, axis=1)
        return GroupMoments(self.n[groups], mean, low, sum_sq, positive)


@dataclass(frozen=True, slots=True)
class TwoSamples:
    """The moments on both sides of every test."""

    group: GroupMoments
    """Here ``n_groups`` is ``n_tests``."""
    reference: GroupMoments
    """Likewise, or 1 where all tests have one reference."""

    @property
    def mean_diff(self) -> Float:
        """Mean of the group minus mean of the reference, shape ``(n_vars, n_tests)``."""
        low = self.group.mean_low - self.reference.mean_low
        return (self.group.mean - self.reference.mean) + low


def group_moments(
    values: Float | SparseGenes, codes: Int | Grouping, n_groups: int
) -> GroupMoments:
    """Moments of every gene in every group.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``, or sparse genes.
    codes
        Group of each observation, shape ``(n_obs,)``; -1 is in no group.
    n_groups
        Number of groups; a group may be empty.

    Returns
    -------
    GroupMoments of shape ``(n_vars, n_groups)``. A gene that is constant in a group has exactly
    that value as its mean and 0 as its sum of squares. NaN in a gene is NaN in that group alone.

    Raises
    ------
    InputError
        If the shapes disagree or a code is out of range.

    Examples
    --------
    >>> moments = group_moments(np.array([[1.0], [3.0], [7.0]]), np.array([0, 0, 1]), 2)
    >>> moments.mean.tolist(), moments.var.tolist(), moments.n_positive.tolist()
    ([[2.0, 7.0]], [[2.0, nan]], [[2, 1]])
    """
    genes = sparse_genes(values)
    grouping = Grouping.of(codes, n_groups, genes.n_obs)
    listed = (genes.starts, genes.rows, genes.values)
    parts = _group_moments(listed, genes.background, grouping.codes, grouping.sizes)
    return GroupMoments(grouping.sizes, *parts)


def group_positive(values: Float | SparseGenes, codes: Int | Grouping, n_groups: int) -> Int:
    """Number of observations above zero, by gene and group, shape ``(n_vars, n_groups)``.

    The parameters are those of :func:`group_moments`.

    Examples
    --------
    >>> group_positive(np.array([[1.0], [0.0], [7.0]]), np.array([0, 0, 1]), 2).tolist()
    [[1, 1]]
    """
    return group_moments(values, codes, n_groups).n_positive


def rest_moments(moments: GroupMoments) -> GroupMoments:
    """For each group the moments of all observations in the other groups.

    The groups before it and the groups after it are merged, in time linear in ``n_groups``.
    """
    parts = _rest_moments(moments.n, moments.mean, moments.mean_low, moments.sum_sq)
    positive = moments.n_positive.sum(axis=1, keepdims=True) - moments.n_positive
    return GroupMoments(moments.n.sum() - moments.n, *parts, positive)


def two_samples(moments: GroupMoments, tests: Int) -> TwoSamples:
    """Both sides of every test.

    Parameters
    ----------
    moments
        Moments of all groups.
    tests
        Rows (group, reference), shape ``(n_tests, 2)``; reference ``REST`` is everybody else.
    """
    group, reference = np.asarray(tests, np.intp).reshape(-1, 2).T
    if len(reference) and (reference == reference[0]).all() and reference[0] != REST:
        return TwoSamples(moments.take(group), moments.take(reference[:1]))
    if not (reference == REST).any():
        return TwoSamples(moments.take(group), moments.take(reference))
    # Rest columns follow the groups' own, so that one index finds either.
    column = np.where(reference == REST, len(moments.n) + group, reference)
    rest = rest_moments(moments)
    both = GroupMoments(
        np.concatenate([moments.n, rest.n]),
        np.hstack([moments.mean, rest.mean]),
        np.hstack([moments.mean_low, rest.mean_low]),
        np.hstack([moments.sum_sq, rest.sum_sq]),
        np.hstack([moments.n_positive, rest.n_positive]),
    )
    return TwoSamples(moments.take(group), both.take(column))


@kernel
def _group_moments(
    genes: tuple[Int, Int32, Values], background: float, codes: Int32, n: Int
) -> tuple[Float, Float, Float, Int]:
    """Mean, mean_low, sum_sq and n_positive, each ``(n_vars, n_groups)``."""
    starts, rows, values = genes
    shape = (starts.shape[0] - 1, n.shape[0])
    mean, mean_low, sum_sq = np.empty(shape), np.empty(shape), np.empty(shape)
    n_positive, sums = np.empty(shape, np.intp), np.empty((n.shape[0], 4))
    for j in range(shape[0]):
        gene = (rows[starts[j] : starts[j + 1]], values[starts[j] : starts[j + 1]])
        for g in range(n.shape[0]):
            sums[g, _SHIFT] = np.nan
        _sum_up(gene, background, codes, sums, n_positive[j])
        if _are_far(sums):
            _sum_up(gene, background, codes, sums, n_positive[j])
        for g in range(n.shape[0]):
            n_positive[j, g] += n[g] if background > 0 else np.intp(sums[g, _LISTED])
            own = _with_background(sums[g], n[g], background)
            mean[j, g], mean_low[j, g], sum_sq[j, g] = own
    return mean, mean_low, sum_sq, n_positive


@part
def _sum_up(
    gene: tuple[Int32, Values], background: float, codes: Int32, sums: Float, n_negative: Int
) -> None:
    """Sums about the shift, and sums of squares, of values beside the background.

    A shift that is NaN becomes the first value of the group: the sums of a constant are exactly 0.
    Of ``n_negative`` there is what the listed values that are not positive take from their number.
    """
    rows, values = gene
    for g in range(sums.shape[0]):
        sums[g, _LISTED] = sums[g, _TOTAL] = sums[g, _SQUARE] = 0.0
        n_negative[g] = 0
    for i in range(rows.shape[0]):
        g, value = codes[np.uint32(rows[i])], np.float64(values[i])
        if g < 0 or value == background:
            continue
        if sums[g, _LISTED] == 0.0 and np.isnan(sums[g, _SHIFT]):
            sums[g, _SHIFT] = value
        distance = value - sums[g, _SHIFT]
        sums[g, _LISTED] += 1.0
        sums[g, _TOTAL] += distance
        sums[g, _SQUARE] += distance * distance
        if not value > 0:  # seldom
            n_negative[g] -= 1


@part
def _are_far(sums: Float) -> bool:
    """Whether a shift is so far from its group's mean that digits cancel; all are then moved there.

    They cancel in the sum of squares about the mean, ``square - total^2 / listed``.
    """
    far = False
    for g in range(sums.shape[0]):
        listed, total, square = sums[g, _LISTED], sums[g, _TOTAL], sums[g, _SQUARE]
        far |= square * listed > _FAR * (square * listed - total * total)
    if far:
        for g in range(sums.shape[0]):
            if sums[g, _LISTED] > 0:
                sums[g, _SHIFT] += sums[g, _TOTAL] / sums[g, _LISTED]
    return far


@part
def _with_background(own: Float, n: int, background: float) -> tuple[float, float, float]:
    """Mean, mean_low and sum_sq of a group of ``n`` values, those not listed the background."""
    m, total, square = own[_LISTED], own[_TOTAL], own[_SQUARE]
    if n == 0:
        return np.nan, 0.0, 0.0
    if m == 0:
        return background, 0.0, 0.0
    step = total / m
    square -= total * step
    start, beyond = own[_SHIFT], own[_SHIFT] - background
    if m < n:
        start, total = background, total + m * beyond
        square += (beyond + step) * (beyond + step) * (m * ((n - m) / n))
    mean, low = _exact_sum(start, total / n)
    return mean, low, square


@kernel
def _rest_moments(
    n: Int, mean: Float, mean_low: Float, sum_sq: Float
) -> tuple[Float, Float, Float]:
    """As in ``_group_moments``, of all groups but one: those before it, then those after it."""
    n_vars, n_groups = mean.shape
    rest = (np.empty(mean.shape), np.empty(mean.shape), np.empty(mean.shape))
    for j in range(n_vars):
        forward = backward = (ZERO, np.nan, 0.0, 0.0)
        for g in range(n_groups):
            rest[0][j, g], rest[1][j, g], rest[2][j, g] = forward[1:]
            forward = _merge(forward, (n[g], mean[j, g], mean_low[j, g], sum_sq[j, g]))
        size = ZERO
        for g in range(n_groups - 1, -1, -1):
            before = forward[0] - size - n[g]
            size += n[g]
            side = (before, rest[0][j, g], rest[1][j, g], rest[2][j, g])
            rest[0][j, g], rest[1][j, g], rest[2][j, g] = _merge(side, backward)[1:]
            backward = _merge(backward, (n[g], mean[j, g], mean_low[j, g], sum_sq[j, g]))
    return rest


@part
def _merge(
    a: tuple[int, float, float, float], b: tuple[int, float, float, float]
) -> tuple[int, float, float, float]:
    """Moments (n, mean, mean_low, sum_sq) of two sets taken together (Chan et al., eq. 2.1)."""
    if b[0] == 0:
        return a
    if a[0] == 0:
        return b
    n = a[0] + b[0]
    delta = (b[1] - a[1]) + (b[2] - a[2])
    step = a[2] + delta * (b[0] / n)
    mean, low = _exact_sum(a[1], step)
    return n, mean, low, a[3] + b[3] + delta * delta * (a[0] * (b[0] / n))


@part
def _exact_sum(a: float, b: float) -> tuple[float, float]:
    """Return ``a + b`` and what rounding took from it (Knuth's two-sum)."""
    both = a + b
    shadow = both - a
    return both, (a - (both - shadow)) + (b - shadow)

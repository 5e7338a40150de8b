"""Effect sizes of every gene between pairs of groups, and their summaries over pairs [Lun2016]_.

The definitions are those that scran documents for its ``scoreMarkers``. An effect of a pair turns
its sign with the pair, so each pair is measured once.

.. [Lun2016] Lun, McCarthy & Marioni (2016), F1000Research 5:2122.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.stats.moments import group_moments, group_positive
from dex.stats.rank_sums import rank_sums

if TYPE_CHECKING:
    from dex.typing import Float, Int


_DIGITS = 12
"""Decimals that tell effects apart: sums of the same counts in another order differ in the last."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each of some groups with every other group."""

    tests: Int
    """Groups of every pair, the lower code first, shape ``(n_pairs, 2)``."""
    place: Int
    """Pair of each group with each other one, shape ``(n_chosen, n_groups - 1)``."""
    sign: Float
    """1 where the chosen group is the first of its pair, else -1, same shape."""

    @classmethod
    def of(cls, chosen: Int, n_groups: int) -> Pairs:
        """List the pairs of the groups ``chosen`` (codes), each pair once.

        >>> pairs = Pairs.of(np.array([1]), 3)
        >>> pairs.tests.tolist(), pairs.place.tolist(), pairs.sign.tolist()
        ([[0, 1], [1, 2]], [[0, 1]], [[-1.0, 1.0]])
        """
        group = np.repeat(chosen[:, None], n_groups - 1, axis=1)
        other = np.arange(n_groups - 1)[None, :] + (np.arange(n_groups - 1) >= group)
        keys = np.minimum(group, other) * n_groups + np.maximum(group, other)
        pairs, place = np.unique(keys, return_inverse=True)
        tests = np.column_stack(np.divmod(pairs, n_groups))
        return cls(tests, place.reshape(group.shape), np.where(group < other, 1.0, -1.0))


@dataclass(frozen=True, slots=True)
class PairEffects:
    """Effects of the first group of every pair against the second, shape ``(n_vars, n_pairs)``."""

    auc_excess: Float
    """AUC - 1/2."""
    cohens_d: Float
    """Difference of means over the root of the mean of both variances."""
    pct_diff: Float | None
    """Difference of the fractions above zero; None where zero does not mean absent."""


@dataclass(frozen=True, slots=True)
class PairSummaries:
    """An effect over the comparisons of each group with the others, ``(n_vars, n_chosen)``."""

    min: Float
    mean: Float
    median: Float
    max: Float


def pair_effects(
    values: Float,
    abundance: Float | None,
    codes: Int,
    pairs: Pairs,
    *,
    n_groups: int,
    strata: Int,
) -> PairEffects:
    """Measure every pair, within strata where there are several.

    Over strata it is the mean of their effects, weighted by the number of pairs of observations,
    ``m n``. A variance that one observation cannot give is taken from the other group.

    Parameters
    ----------
    values, abundance
        Shape ``(n_obs, n_vars)``; the gene is expressed where ``abundance`` is above zero.
    codes
        Group of each observation, shape ``(n_obs,)``; -1 is in none.
    pairs
        The pairs to measure.
    n_groups
        Number of groups.
    strata
        Stratum of each observation, shape ``(n_obs,)``, from 0.

    Returns
    -------
    PairEffects. NaN where no stratum has both groups, for Cohen's d also where none has three
    observations of them.

    Raises
    ------
    InputError
        If the shapes disagree.

    Examples
    --------
    >>> values = np.array([[0.0], [1.0], [1.0], [3.0]])
    >>> codes, one_stratum = np.array([0, 0, 1, 1]), np.zeros(4, dtype=np.intp)
    >>> pairs = Pairs.of(np.array([1]), 2)
    >>> effects = pair_effects(values, values, codes, pairs, n_groups=2, strata=one_stratum)
    >>> (0.5 - effects.auc_excess).item(), -effects.cohens_d.round(3).item()
    (0.875, 1.342)
    """
    if strata.shape != codes.shape:
        msg = f"strata has shape {strata.shape}; {len(codes)} observations need ({len(codes)},)."
        raise InputError(msg)
    a, b = pairs.tests.T
    shape = (values.shape[1], len(a))
    deviation, cohens_d, pct_diff = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    weight, weight_of_d = np.zeros(len(a)), np.zeros(len(a))
    for stratum in np.unique(strata[codes >= 0]):
        inside = np.where(strata == stratum, codes, -1)
        n = np.bincount(inside[inside >= 0], minlength=n_groups).astype(np.float64)
        both = n[a] * n[b]
        measured = np.where(n[a] + n[b] > 2, both, 0)
        weight += both
        weight_of_d += measured
        sums = rank_sums(values, inside, n_groups, pairs.tests)
        deviation += np.where(both > 0, sums.deviation, 0)
        cohens_d += np.where(measured > 0, measured * _cohens_d(values, inside, pairs, n_groups), 0)
        if abundance is not None:
            positive = group_positive(abundance, inside, n_groups)
            pct_diff += n[b] * positive[:, a] - n[a] * positive[:, b]
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = None if abundance is None else pct_diff / weight
        return PairEffects(deviation / (2 * weight), cohens_d / weight_of_d, fractions)


def _cohens_d(values: Float, codes: Int, pairs: Pairs, n_groups: int) -> Float:
    """Cohen's d of every pair; plus or minus infinity where neither group varies."""
    moments, (a, b) = group_moments(values, codes, n_groups), pairs.tests.T
    var_a, var_b = moments.var[:, a], moments.var[:, b]
    sides = np.where(np.isnan(var_a), var_b, var_a) + np.where(np.isnan(var_b), var_a, var_b)
    difference = moments.mean[:, a] - moments.mean[:, b]
    with np.errstate(divide="ignore", invalid="ignore"):
        d = difference / np.sqrt(sides / 2)
    return np.where(difference == 0, 0.0, d)


def summarise_pairs(effects: Float, pairs: Pairs) -> PairSummaries:
    """Summarise ``effects``, ``(n_vars, n_pairs)``, for each chosen group over the others.

    Pairs without an effect for any gene are left out; NaN where that leaves none.
    """
    out = np.full((4, len(effects), len(pairs.place)), np.nan)
    known = ~np.isnan(effects).all(axis=0)
    for i, (place, sign) in enumerate(zip(pairs.place, pairs.sign, strict=True)):
        kept = known[place]
        if kept.any():
            own = effects[:, place[kept]] * sign[kept]
            with np.errstate(invalid="ignore"):  # inf - inf, of groups without variance
                parts = (own.min(axis=1), own.mean(axis=1), np.median(own, axis=1), own.max(axis=1))
            out[:, :, i] = parts
    return PairSummaries(*out)


def min_rank(effects: Float, pairs: Pairs, chosen: int) -> Float:
    """Best rank of each gene in any pair of one chosen group, shape ``(n_vars,)``.

    Genes are ranked from the largest effect down; tied genes share the best of their ranks. A gene
    whose effect is NaN has no rank in that pair, and NaN if it has none in any.

    Examples
    --------
    >>> effects, pairs = np.array([[0.1], [0.3], [-0.2]]), Pairs.of(np.array([0, 1]), 2)
    >>> min_rank(effects, pairs, 0).tolist(), min_rank(effects, pairs, 1).tolist()
    ([2.0, 1.0, 3.0], [2.0, 3.0, 1.0])
    """
    best = np.full(len(effects), np.inf)
    for place, sign in zip(pairs.place[chosen], pairs.sign[chosen], strict=True):
        lowness = -sign * np.round(effects[:, place], _DIGITS)
        ordered = np.sort(lowness[~np.isnan(lowness)])
        rank = np.searchsorted(ordered, lowness) + 1.0
        best = np.minimum(best, np.where(np.isnan(lowness), np.inf, rank))
    return np.where(np.isinf(best), np.nan, best)

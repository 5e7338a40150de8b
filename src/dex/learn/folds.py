"""Folds of whole donors: nobody is on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.learn.units import Units
    from dex.typing import Int

_AUTO_SPLITS = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of observations."""

    train: Int
    test: Int


def auto_splits(units: Units) -> int:
    """Five folds, or as many as the rarest class has donors, so that each tests all classes.

    Raises
    ------
    InputError
        If a class has fewer than three donors: what is learnt from one is not tested.
    """
    fewest = int(units.per_class.min())
    if fewest < 3:
        msg = (
            f"a class has {fewest} independent units; cross-validation needs 3 of each at least, "
            "two to learn from and one to test."
        )
        raise InputError(msg)
    return min(_AUTO_SPLITS, fewest)


def check_splits(n_splits: int, units: Units) -> None:
    """Refuse numbers of folds that leave a test fold without a class.

    Raises
    ------
    InputError
        If there are more folds than donors of the rarest class, or fewer than two.
    """
    most = auto_splits_limit(units)
    if not 2 <= n_splits <= most:
        msg = (
            f"cv={n_splits}: between 2 and {most} folds are possible, as every fold tests all "
            "classes. (Leaving one out has none to compare it with: areas that are pooled over "
            "such folds are biased, to 0.41 on noise.)"
        )
        raise InputError(msg)


def auto_splits_limit(units: Units) -> int:
    """Most folds that there can be."""
    return int(units.per_class.min()) if units.constant else units.n_donors


def donor_folds(units: Units, n_splits: int, rng: np.random.Generator) -> list[Split]:
    """Deal donors into folds at random, each fold alike in classes."""
    fold = dealt(units.strata, n_splits, rng)[units.donors]
    return [
        Split(np.flatnonzero(fold != number), np.flatnonzero(fold == number))
        for number in range(n_splits)
    ]


def dealt(strata: Int, n_splits: int, rng: np.random.Generator) -> Int:
    """Fold of each of several things, as cards are dealt: stratum by stratum, in turn."""
    fold = np.empty(len(strata), dtype=np.intp)
    start = int(rng.integers(n_splits))
    for stratum in range(int(strata.max()) + 1):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        fold[members] = (start + np.arange(len(members))) % n_splits
        start += len(members)
    return fold


def given_folds(groups: Int, donors: Int) -> list[Split]:
    """A fold for each group of observations; who is tested is not learnt from elsewhere either."""
    splits = []
    for number in range(int(groups.max()) + 1):
        test = np.flatnonzero(groups == number)
        tested = np.isin(donors, donors[test])
        splits.append(Split(np.flatnonzero((groups != number) & ~tested), test))
    return splits

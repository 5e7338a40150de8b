"""Who is independent of whom: donors, and what each of them has of every class."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, log, prod
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaln

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Int

_COUNTABLE = 300 * log(10)
"""Logarithm of the largest number that is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Observations in units, units in donors; a unit is what a donor has of one class."""

    codes: Int
    """Class of every observation, from 0, ``(n_obs,)``."""
    donors: Int
    """Donor of every observation, from 0, ``(n_obs,)``."""
    of_obs: Int
    """Unit of every observation, ``(n_obs,)``."""
    unit_codes: Int
    """Class of every unit, ``(n_units,)``."""
    unit_donors: Int
    """Donor of every unit, ``(n_units,)``."""

    @classmethod
    def of(cls, codes: Int, donors: Int) -> Units:
        """Find the units of observations."""
        pairs, of_obs = np.unique(np.column_stack([donors, codes]), axis=0, return_inverse=True)
        return cls(codes, donors, of_obs.ravel().astype(np.intp), pairs[:, 1], pairs[:, 0])

    @property
    def n_donors(self) -> int:
        """Number of donors."""
        return int(self.donors.max()) + 1

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.codes.max()) + 1

    @property
    def constant(self) -> bool:
        """Whether every donor is of one class."""
        return len(self.unit_donors) == self.n_donors

    @property
    def per_class(self) -> Int:
        """Donors that have something of each class, ``(n_classes,)``."""
        return np.bincount(self.unit_codes, minlength=self.n_classes)

    @property
    def strata(self) -> Int:
        """What classes a donor has, as one code, ``(n_donors,)``: folds are balanced by it.

        Codes are in the order of donors, so that folds do not depend on which class is the first.
        """
        has = np.zeros((self.n_donors, self.n_classes), dtype=bool)
        has[self.unit_donors, self.unit_codes] = True
        _, first, code = np.unique(has, axis=0, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first))[code.ravel()], dtype=np.intp)

    def relabelled(self, unit_codes: Int) -> Units:
        """The same units with other classes."""
        return Units(
            unit_codes[self.of_obs], self.donors, self.of_obs, unit_codes, self.unit_donors
        )

    def n_relabellings(self) -> float:
        """Different ways to deal the classes: among donors, or within those that have several.

        Infinite from 10^300 on.
        """
        each = np.bincount(self.unit_donors)
        logs = gammaln(self.n_donors + 1.0) if self.constant else gammaln(each + 1.0).sum()
        if self.constant:
            logs -= gammaln(self.per_class + 1.0).sum()
        if logs >= _COUNTABLE:  # whole numbers of so many digits would take minutes
            return float("inf")
        if self.constant:
            ways = factorial(self.n_donors)
            return float(ways // prod(factorial(int(n)) for n in self.per_class))
        return float(prod(factorial(int(n)) for n in each))

    def least_pval(self) -> float:
        """Smallest p of permutations: to exchange classes of the same donors changes no area.

        As with as many donors on both sides, where a labelling and its mirror image are alike.
        """
        has = np.zeros((self.n_classes, self.n_donors), dtype=bool)
        has[self.unit_codes, self.unit_donors] = True
        sizes = has.sum(axis=1, keepdims=True) if self.constant else has
        alike = np.unique(sizes, axis=0, return_counts=True)[1]
        return min(prod(factorial(int(n)) for n in alike) / self.n_relabellings(), 1.0)

    def relabelling(self, rng: np.random.Generator) -> Units:
        """Deal the classes at random, among donors or within them."""
        codes = self.unit_codes.copy()
        if self.constant:
            return self.relabelled(rng.permutation(codes))
        for donor in range(self.n_donors):
            own = np.flatnonzero(self.unit_donors == donor)
            codes[own] = rng.permutation(codes[own])
        return self.relabelled(codes)

    def merged(self, groups: Int) -> Units:
        """Make one donor of those that share a group, codes ``(n_obs,)``; -1 is in none.

        Raises
        ------
        InputError
            If observations of one group are of different classes.
        """
        inside = np.flatnonzero(groups >= 0)
        order = inside[np.argsort(groups[inside], kind="stable")]
        same = groups[order[1:]] == groups[order[:-1]]
        first, second = order[:-1][same], order[1:][same]
        if (self.codes[first] != self.codes[second]).any():
            where = int(np.flatnonzero(self.codes[first] != self.codes[second])[0])
            msg = (
                f"the observations at positions {first[where]} and {second[where]} hold the same "
                "values under different labels; drop one, or correct its label."
            )
            raise InputError(msg)
        n = self.n_donors
        edges = (np.ones(len(first)), (self.donors[first], self.donors[second]))
        found = connected_components(sparse.coo_matrix(edges, shape=(n, n)), directed=False)[1]
        return Units.of(self.codes, found[self.donors].astype(np.intp))

"""Counts made comparable by what the training observations say, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from dex.stats.normalize import PRIOR_COUNT, log_cpm_of_shares
from dex.stats.size_factors import tmm_factor, tmm_reference

if TYPE_CHECKING:
    from dex.typing import Float, Int

Method = Literal["tmm", "library", "cells", "none"]
CELL_DEPTH = 1e4
"""Counts that every cell is brought to: a number of its own, not a median over cells."""


@dataclass(frozen=True, slots=True)
class Depth:
    """What is to be known to normalise an observation that was never seen."""

    method: Method
    """``"none"``: values are taken as they are. ``"cells"``: log(1 + counts per 10,000). Else log2
    counts per million of libraries that are effective by TMM, or plain (``"library"``)."""
    prior: float = 0.0
    """Added to shares of the library before they are logged: about two counts."""
    log_centre: float = 0.0
    """Mean log of the factors of the training observations."""
    reference_size: float = 1.0
    """Counts of the observation that the others are compared with."""
    reference: Float = field(default_factory=lambda: np.empty(0))
    """Its shares, ``(n_vars,)``."""

    def factors(self, shares: Float) -> Float:
        """What effective libraries are relative to plain ones, shape ``(n_obs,)``.

        Observations are compared with the reference at its depth, so that it does not matter how
        deep they are themselves.
        """
        if self.method != "tmm":
            return np.ones(len(shares))
        factors = tmm_factors(shares, self.reference, self.reference_size)
        return np.asarray(factors / np.exp(self.log_centre))

    def restricted(self, genes: Int, mass: float) -> Depth:
        """For data that have only some of the genes, which hold the share ``mass`` of counts."""
        reference = self.reference[genes] / mass
        return replace(self, reference=reference, reference_size=self.reference_size * mass)


def tmm_factors(shares: Float, reference: Float, size: float) -> Float:
    """TMM factors of all observations at the depth of the reference, shape ``(n_obs,)``."""
    counts = reference * size
    return np.array([tmm_factor(row * size, size, counts, size) for row in shares])


@dataclass(slots=True, eq=False)
class Table:
    """Observations x genes, with what does not depend on other observations done once."""

    method: Method
    matrix: Any
    """Shares of the library for ``"tmm"`` and ``"library"``, else log values; an array or CSR."""
    sizes: Float
    """Libraries, ``(n_obs,)``; ones where there are none."""
    quartiles: Float
    root_totals: Float
    mass: float = 1.0
    """Share of the counts that the genes here have, where they are not all."""
    known: dict[int, Float] = field(default_factory=dict)
    """TMM factors of all observations by the place of the reference, as folds share references."""

    @classmethod
    def of_counts(cls, counts: Any, method: Method) -> Table:
        """From counts, ``(n_obs, n_vars)``, an array or CSR."""
        sizes = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
        divisors = np.where(sizes > 0, sizes, 1.0)
        nothing = np.zeros(len(sizes))
        if method == "cells":
            scaled = _rows_times(counts, CELL_DEPTH / divisors)
            return cls(method, scaled, sizes, nothing, nothing)
        dense = counts if isinstance(counts, np.ndarray) else counts.toarray()
        shares = np.asarray(dense, np.float64)
        shares = shares / divisors[:, None]
        if method == "library":
            return cls(method, shares, sizes, nothing, nothing)
        quartiles = np.quantile(shares, 0.75, axis=1)
        return cls(method, shares, sizes, quartiles, np.sqrt(shares).sum(axis=1))

    @classmethod
    def of_values(cls, values: Any) -> Table:
        """From values that are to be taken as they are, ``(n_obs, n_vars)``, an array or CSR."""
        ones = np.ones(values.shape[0])
        return cls("none", values, ones, ones, ones)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of observations and of genes."""
        n_obs, n_vars = self.matrix.shape
        return int(n_obs), int(n_vars)

    def fit(self, rows: Int) -> Depth:
        """Learn from the observations ``rows`` how any observation is to be normalised."""
        if self.method in {"none", "cells"}:
            return Depth(self.method)
        if self.method == "library":
            return Depth(self.method, prior=float(PRIOR_COUNT / self.sizes[rows].mean()))
        chosen = int(rows[tmm_reference(self.quartiles[rows], self.root_totals[rows])])
        factors = self._factors(chosen)[rows]
        centre = float(np.log(factors).mean())
        effective = self.sizes[rows] * factors / np.exp(centre)
        prior = float(PRIOR_COUNT / effective.mean())
        size = float(self.sizes[chosen])
        return Depth(self.method, prior, centre, size, self.matrix[chosen])

    def values(self, depth: Depth, rows: Int, genes: Int | slice) -> Any:
        """Log values of some observations and genes; CSR stays CSR."""
        if isinstance(genes, slice) or sparse.issparse(self.matrix):
            chosen = self.matrix[rows][:, genes]
        else:
            chosen = self.matrix[np.ix_(rows, genes)]
        if depth.method in {"none", "cells"}:
            return chosen
        if depth.method == "tmm":
            chosen /= self._relative(depth, rows)[:, None]  # of a copy, as fancy indexing makes
        if self.mass != 1.0:
            chosen *= self.mass
        return log_cpm_of_shares(chosen, depth.prior)

    def times(self, mass: float) -> Table:
        """The same of shares that are ``mass`` times as large, as of genes that are not all."""
        if self.method == "cells":
            matrix = self.matrix.copy()
            held = matrix if isinstance(matrix, np.ndarray) else matrix.data
            held[...] = np.log1p(np.expm1(held) * mass)
            return replace(self, matrix=matrix)
        return replace(self, mass=mass)

    def mean_shares(self, rows: Int) -> Float:
        """Mean share of the library of every gene, ``(n_vars,)``."""
        chosen = self.matrix[rows]
        if self.method == "cells":
            linear = np.expm1(chosen) if isinstance(chosen, np.ndarray) else chosen.expm1()
            return np.asarray(linear.mean(axis=0)).ravel() / CELL_DEPTH
        return np.asarray(chosen.mean(axis=0), dtype=np.float64).ravel()

    def _relative(self, depth: Depth, rows: Int) -> Float:
        """Factors of ``rows``: those known already if the reference is one of this table."""
        factors = self.known.get(_address(depth.reference))
        if factors is None:
            return depth.factors(self.matrix[rows])
        return np.asarray(factors[rows] / np.exp(depth.log_centre))

    def _factors(self, chosen: int) -> Float:
        reference, size = self.matrix[chosen], float(self.sizes[chosen])
        address = _address(reference)
        if address not in self.known:
            self.known[address] = tmm_factors(self.matrix, reference, size)
        return self.known[address]


def _address(reference: Float) -> int:
    """Where a row lies in memory: no other array that is alive lies there."""
    return int(reference.__array_interface__["data"][0])


def _rows_times(counts: Any, factors: Float) -> Any:
    """Log of 1 + counts times a factor for each row."""
    if isinstance(counts, np.ndarray):
        return np.log1p(np.asarray(counts, np.float64) * factors[:, None])
    scaled = sparse.csr_matrix(sparse.diags_array(factors) @ counts)
    scaled.data = np.log1p(scaled.data)
    return scaled

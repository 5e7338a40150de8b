"""Cells told apart by models that neither of their two donors had a part in.

Two units of a pair, one of each class, are held out together; a ridge classifier is fitted to all
others, and the area is that of the cells of one against the cells of the other [Airola2011]_. Genes
are chosen and scaled by the training cells, without looking at labels, so that predictions are
linear in the labels: those of every permutation come from one factorisation.

References
----------
.. [Airola2011] Airola A, Pahikkala T, Waegeman W, De Baets B, Salakoski T (2011). An experimental
   comparison of cross-validation techniques for estimating the area under the ROC curve.
   Computational Statistics & Data Analysis 55, 1828-1844.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from dex.learn.units import Units
    from dex.typing import Float, Int

_PENALTY = 1.0
"""On the scale on which a cell's similarity to itself is about 1."""
_MOST_PAIRS = 150
_BLOCK = 2_000_000
"""Comparisons of cells that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class UnitMoments:
    """Sums over the cells of every unit, from which those over any of them follow."""

    n: Float
    """Cells, ``(n_units,)``."""
    total: Float
    """``(n_units, n_vars)``."""
    squares: Float
    """``(n_units, n_vars)``."""

    @classmethod
    def of(cls, values: Float, units: Int) -> UnitMoments:
        """Of ``values``, ``(n_cells, n_vars)``, with the unit of each cell from 0."""
        member = np.eye(int(units.max()) + 1)[units]
        return cls(member.sum(axis=0), member.T @ values, member.T @ values**2)

    def without(self, held_out: Int) -> tuple[Float, Float]:
        """Mean and variance of every gene over all units but some, each ``(n_vars,)``."""
        kept = np.ones(len(self.n), dtype=bool)
        kept[held_out] = False
        n = self.n[kept].sum()
        mean = self.total[kept].sum(axis=0) / n
        return mean, np.maximum(self.squares[kept].sum(axis=0) / n - mean**2, 0.0)


def held_out_pairs(units: Units, rng: np.random.Generator) -> Int:
    """Units that are held out together, ``(n_pairs, 2)``.

    Where donors are of one class these are any two donors; else both units of a donor, who are then
    compared with themselves. At most 150 are drawn.
    """
    n = len(units.unit_codes)
    if units.constant:
        pairs = np.column_stack(np.triu_indices(n, 1))
    else:
        order = np.argsort(units.unit_donors, kind="stable")
        pairs = order.reshape(-1, 2)
    if len(pairs) > _MOST_PAIRS:
        pairs = pairs[np.sort(rng.permutation(len(pairs))[:_MOST_PAIRS])]
    return np.asarray(pairs, dtype=np.intp)


def pair_areas(values: Float, of_obs: Int, pairs: Int, labels: Float, *, n_genes: int) -> Float:
    """Mean area of the pairs that a labelling gives different classes, shape ``(n_labellings,)``.

    Parameters
    ----------
    values
        Log expression of cells, ``(n_cells, n_vars)``.
    of_obs
        Unit of each cell, from 0.
    pairs
        Units held out together, ``(n_pairs, 2)``.
    labels
        Class of every unit, -1 or 1, in each labelling, ``(n_units, n_labellings)``.
    n_genes
        Genes of the largest variance in training that are used.
    """
    cells = _Cells(values, of_obs, UnitMoments.of(values, of_obs), n_genes)
    total, n_used = np.zeros(labels.shape[1]), np.zeros(labels.shape[1])
    for pair in pairs:
        discordant = labels[pair[0]] != labels[pair[1]]
        if not discordant.any():
            continue
        predicted = cells.predict(pair, labels[:, discordant])
        first, second = (predicted[of_obs[np.isin(of_obs, pair)] == unit] for unit in pair)
        area = _areas(first, second)
        total[discordant] += np.where(labels[pair[0], discordant] > 0, area, 1 - area)
        n_used += discordant
    return np.asarray(total / np.maximum(n_used, 1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells, and the unit of each."""

    values: Float
    of_obs: Int
    moments: UnitMoments
    n_genes: int

    def predict(self, pair: Int, labels: Float) -> Float:
        """Scores of a pair's cells by models of all others, ``(n_cells, n_labellings)``."""
        mean, var = self.moments.without(pair)
        order = np.argsort(-var, kind="stable")
        genes = order[: np.count_nonzero(var > 0)][: self.n_genes]
        held_out = np.isin(self.of_obs, pair)
        z = (self.values[:, genes] - mean[genes]) / np.sqrt(var[genes])
        train, test = z[~held_out], z[held_out]
        similar = train @ train.T / len(genes)
        similar[np.diag_indices_from(similar)] += _PENALTY
        weights = cho_solve(cho_factor(similar), train @ test.T / len(genes)).T
        targets = labels[self.of_obs[~held_out]]
        return np.asarray(weights @ (targets - targets.mean(axis=0)), dtype=np.float64)


def _areas(first: Float, second: Float) -> Float:
    """Share of pairs of cells in which that of ``first`` is higher, ties half."""
    n_labellings = first.shape[1]
    step = max(_BLOCK // (len(first) * len(second)), 1)
    areas = np.empty(n_labellings)
    for start in range(0, n_labellings, step):
        a, b = first[:, None, start : start + step], second[None, :, start : start + step]
        areas[start : start + step] = ((a > b).mean(axis=(0, 1)) + (a >= b).mean(axis=(0, 1))) / 2
    return areas

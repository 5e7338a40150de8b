"""The size of a panel, chosen inside the folds that test it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.learn.areas import fold_areas
from dex.learn.folds import donor_folds
from dex.learn.panels import panel_order
from dex.learn.recipe import unit_values
from dex.learn.units import Units
from dex.learn.validation import Predictions, Scored, in_turn
from dex.stats.auc import clustered_variance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.learn.depth import Table
    from dex.learn.folds import Split
    from dex.learn.panels import PanelMethod
    from dex.learn.recipe import Outcome, Recipe
    from dex.learn.validation import Mapper
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Areas by panel size, genes chosen anew in each fold; arrays ``(n_sizes,)``."""

    n_genes: Int
    auc: Float
    se: Float
    """From the influence of donors."""

    @property
    def one_se(self) -> float:
        """The standard error of the best, or the typical one, if that is larger.

        That of an area of 1 is 0, which is less than anybody knows.
        """
        return float(max(self.se[np.argmax(self.auc)], np.median(self.se)))

    def smallest_good(self) -> int:
        """The smallest panel within one standard error of the best [Breiman1984]_.

        References
        ----------
        .. [Breiman1984] Breiman L, Friedman JH, Olshen RA, Stone CJ (1984). Classification and
           regression trees. Wadsworth. Section 3.4.3.
        """
        best = int(np.argmax(self.auc))
        good = self.auc >= self.auc[best] - self.one_se - 1e-12
        return int(self.n_genes[good].min())


@dataclass(frozen=True, slots=True)
class Search:
    """How panels are found and used."""

    recipe: Recipe
    method: PanelMethod
    sizes: Int
    n_subsamples: int
    n_genes: int | None = None
    """Where the size is given."""

    def order(self, table: Table, rows: Int, outcome: Outcome, seed: int) -> Int:
        """Genes best first, from the observations ``rows`` alone."""
        depth = table.fit(rows)
        values, y = unit_values(table, depth, rows, outcome)
        codes = np.unique(y, return_inverse=True)[1].ravel()  # some class may not be in training
        rng = np.random.default_rng(seed)
        n = max(int(self.sizes.max()), self.n_genes or 1)
        return panel_order(values, codes, n, self.method, rng, n_subsamples=self.n_subsamples)

    def by_size(self, table: Table, split: Split, outcome: Outcome, seed: int) -> tuple[Int, Float]:
        """The order from training, and probabilities of the test side, ``(n_sizes, n, k)``."""
        order = self.order(table, split.train, outcome, seed)
        fits = [self.recipe.fit(table, split.train, outcome, order[:k]) for k in self.sizes]
        return order, np.array([fit.predict(table, split.test, outcome.batches) for fit in fits])

    def size_of(self, table: Table, units: Units, rows: Int, outcome: Outcome, seed: int) -> int:
        """The size chosen by an inner cross-validation of the observations ``rows``."""
        if self.n_genes is not None:
            return self.n_genes
        inner = _subset(units, rows)
        n_splits = int(min(5, inner.per_class.min() if inner.constant else inner.n_donors))
        if n_splits < 2:
            return int(self.sizes.max())
        splits = donor_folds(inner, n_splits, np.random.default_rng(seed))
        tested = [
            (split.test, self.by_size(table, _at(split, rows), outcome, seed + 1)[1])
            for split in splits
        ]
        return sizes_of([tested], inner, self.sizes).smallest_good()


@dataclass(frozen=True, slots=True)
class Searched:
    """What nested cross-validation has found."""

    predictions: Predictions
    """By panels whose size and genes were chosen without the donors tested."""
    sizes: Sizes
    chosen: Int
    """Size of every fold, ``(n_fits,)``."""


def search(
    table: Table,
    units: Units,
    outcome: Outcome,
    repeats: Sequence[Sequence[Split]],
    *,
    how: Search,
    seed: int,
    mapper: Mapper = in_turn,
) -> Searched:
    """Choose genes and size in the training side of every split, and test the other."""
    pieces = [(r, f, split) for r, splits in enumerate(repeats) for f, split in enumerate(splits)]

    def work(piece: tuple[int, int, Split]) -> tuple[Int, int, Float, Float]:
        r, f, split = piece
        own = seed + 7919 * (1 + f + 1009 * r)
        size = how.size_of(table, units, split.train, outcome, own)
        order, each = how.by_size(table, split, outcome, own)
        fitted = how.recipe.fit(table, split.train, outcome, order[:size])
        return order[:size], size, each, fitted.predict(table, split.test, outcome.batches)

    n_obs, n_vars = table.shape
    values = np.full((len(repeats), n_obs, outcome.n_classes), np.nan)
    folds = np.full((len(repeats), n_obs), -1, dtype=np.intp)
    times, chosen = np.zeros(n_vars, dtype=np.intp), []
    tested: list[list[tuple[Int, Float]]] = [[] for _ in repeats]
    for (r, f, split), (panel, size, each, predicted) in zip(
        pieces, mapper(work, pieces), strict=True
    ):
        values[r, split.test], folds[r, split.test] = predicted, f
        times[panel] += 1
        chosen.append(size)
        tested[r].append((split.test, each))
    found = Predictions(values, folds, times, len(pieces))
    return Searched(found, sizes_of(tested, units, how.sizes), np.array(chosen, dtype=np.intp))


def sizes_of(tested: list[list[tuple[Int, Float]]], units: Units, sizes: Int) -> Sizes:
    """Areas by size from the probabilities of every fold of every repeat."""
    n_obs, n_classes = len(units.codes), tested[0][0][1].shape[2]
    auc, se = np.empty(len(sizes)), np.empty(len(sizes))
    for s in range(len(sizes)):
        values = np.full((len(tested), n_obs, n_classes), np.nan)
        folds = np.full((len(tested), n_obs), -1, dtype=np.intp)
        for r, parts in enumerate(tested):
            for f, (test, each) in enumerate(parts):
                values[r, test], folds[r, test] = each[s], f
        scored = Scored.of(Predictions(values, folds, np.empty(0, np.intp), 1), units)
        areas = [
            fold_areas(v, scored.codes, f) for v, f in zip(scored.scores, scored.folds, strict=True)
        ]
        auc[s] = np.mean([one.auc for one in areas])
        influence = np.mean([one.influence for one in areas], axis=0)
        donors = np.unique(scored.donors, return_inverse=True)[1]
        se[s] = np.sqrt(clustered_variance(influence, donors))
    return Sizes(np.asarray(sizes, dtype=np.intp), auc, se)


def _subset(units: Units, rows: Int) -> Units:
    donors = np.unique(units.donors[rows], return_inverse=True)[1].ravel()
    return Units.of(units.codes[rows], donors.astype(np.intp))


def _at(split: Any, rows: Int) -> Any:
    """A split of ``rows`` as one of all observations."""
    return type(split)(rows[split.train], rows[split.test])

"""All that is done in a fold, from counts to a model, with training observations alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.learn.estimators import fold_estimator
from dex.learn.selection import best_genes, rank_by_slope, rank_by_test, unit_means

if TYPE_CHECKING:
    from dex.learn.depth import Depth, Table
    from dex.learn.selection import Selector
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be predicted, and who is independent of whom."""

    y: Any
    """Codes of classes, or numbers, ``(n_obs,)``."""
    units: Int
    """Unit of every observation: genes are chosen by means of units, not by cells."""
    n_classes: int = 0
    """0 for numbers."""
    batches: Int | None = None
    """Batch of every observation, from 0, ``(n_obs,)``; None for none."""

    def weights(self, rows: Int) -> Float | None:
        """Weights by which units count the same, mean 1; None where all have as many."""
        n = np.bincount(self.units[rows])
        used = n[n > 0]
        if used.max() == used.min():
            return None
        weight = 1.0 / n[self.units[rows]]
        return np.asarray(weight * len(rows) / weight.sum(), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Normalise, choose genes, scale, fit."""

    estimator: Any = "logistic"
    n_genes: int | None = 50
    select: Selector = "limma"
    seed: int = 0

    def fit(self, table: Table, rows: Int, outcome: Outcome, genes: Int | None = None) -> Fitted:
        """Fit everything to the observations ``rows``; with ``genes`` these are not chosen."""
        depth = table.fit(rows)
        if genes is None:
            stat = gene_statistics(table, depth, rows, outcome, self.select)
            genes = best_genes(stat, self.n_genes)
        X, offsets = training_values(table, depth, rows, outcome, genes)
        mean, sd = X.mean(axis=0), X.std(axis=0)
        sd = np.where(sd > 0, sd, 1.0)
        y = outcome.y[rows]
        estimator = fold_estimator(self.estimator, y, seed=self.seed, n_classes=outcome.n_classes)
        weights = outcome.weights(rows)
        estimator.fit((X - mean) / sd, y, sample_weight=weights)
        prior = _prior(y, weights, outcome.n_classes)
        return Fitted(depth, genes, mean, sd, estimator, prior, offsets)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fold has learnt."""

    depth: Depth
    genes: Int
    """Positions, best first, ``(n_genes,)``."""
    mean: Float
    sd: Float
    estimator: Any
    prior: Float
    """Shares of the classes in training, ``(n_classes,)``; empty for numbers."""
    offsets: Float | None = None
    """What batches add to the values of the genes, ``(n_batches, n_genes)``."""

    def predict(self, table: Table, rows: Int, batches: Int | None = None) -> Float:
        """Probabilities ``(n_obs, n_classes)``, or numbers ``(n_obs, 1)``, of ``rows``.

        ``batches`` are those of all observations; one that was not in training adds nothing.
        """
        X = _dense(table.values(self.depth, rows, self.genes))
        if self.offsets is not None and batches is not None:
            X = X - self.offsets[batches[rows]]
        return self.predict_values(X)

    def predict_values(self, X: Float) -> Float:
        """The same of log values of the genes chosen, ``(n_obs, n_genes)``."""
        z = (X - self.mean) / self.sd
        if len(self.prior):
            return np.asarray(self.estimator.predict_proba(z), dtype=np.float64)
        return np.asarray(self.estimator.predict(z), dtype=np.float64).reshape(-1, 1)


def gene_statistics(table: Table, depth: Depth, rows: Int, outcome: Outcome, by: Selector) -> Float:
    """Statistic of every gene, larger where it tells more, from means of units."""
    values, y = unit_values(table, depth, rows, outcome)
    if outcome.n_classes:
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:  # as permuted labels may leave it; no gene tells
            return np.zeros(values.shape[1])
        return rank_by_test(values, codes.ravel(), len(classes), by=by)
    return rank_by_slope(values, y, moderated=by == "limma")


def unit_values(table: Table, depth: Depth, rows: Int, outcome: Outcome) -> tuple[Float, Any]:
    """Means of the units of ``rows``, ``(n_units, n_vars)``, and what is to be predicted."""
    units, of_rows = np.unique(outcome.units[rows], return_inverse=True)
    values = (
        table.values(depth, rows, slice(None))
        if outcome.batches is None
        else training_values(table, depth, rows, outcome, slice(None))[0]
    )
    means = unit_means(values, of_rows.ravel())
    first = np.zeros(len(units), dtype=np.intp)
    first[of_rows.ravel()[::-1]] = rows[::-1]
    return means, outcome.y[first]


def training_values(
    table: Table, depth: Depth, rows: Int, outcome: Outcome, genes: Int | slice
) -> tuple[Float, Float | None]:
    """Values of training observations without what their batches add, and what these add.

    That is the mean of a batch. To estimate it beside the outcome would tell the outcome: where
    batches hold more of one class, a gene whose classes differ by chance would then be moved,
    in test observations too, to where most of their batch are [Nygaard2016]_.

    References
    ----------
    .. [Nygaard2016] Nygaard V, Rødland EA, Hovig E (2016). Methods that remove batch effects while
       retaining group differences may lead to exaggerated confidence in downstream analyses.
       Biostatistics 17, 29-39.
    """
    values = _dense(table.values(depth, rows, genes))
    if outcome.batches is None:
        return values, None
    batches = outcome.batches[rows]
    n = np.bincount(batches, minlength=int(outcome.batches.max()) + 1)
    member = np.eye(len(n))[batches]
    means = member.T @ values / np.maximum(n, 1)[:, None]
    offsets = np.where((n > 0)[:, None], means - means[n > 0].mean(axis=0), 0.0)
    return values - offsets[batches], offsets


def _dense(values: Any) -> Float:
    dense = values if isinstance(values, np.ndarray) else values.toarray()
    return np.asarray(dense, dtype=np.float64)


def _prior(y: Any, weights: Float | None, n_classes: int) -> Float:
    if not n_classes:
        return np.empty(0)
    return np.bincount(y, weights, minlength=n_classes) / (
        len(y) if weights is None else weights.sum()
    )

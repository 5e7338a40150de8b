"""Genes in the order in which they are worth measuring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.learn.centroids import standardised
from dex.learn.lars import entry_order
from dex.learn.selection import best_genes, group_sums, rank_by_test

if TYPE_CHECKING:
    from dex.typing import Float, Int

PanelMethod = Literal["stability", "lasso", "mrmr", "centroids", "t-test"]
PANEL_METHODS: tuple[PanelMethod, ...] = ("stability", "lasso", "mrmr", "centroids", "t-test")
_SCREENED = 200
"""Genes of the best moderated F that a search looks at; of halves, those of five times as many of
the whole."""
_MARKED = 50
"""Genes whose stability path is kept."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How often genes are among the first to be let in, over halves of the units."""

    genes: Int
    """Positions, best first, ``(n_genes,)``."""
    frequency: Float
    """By number let in, from 1, ``(n_genes, n_steps)``."""
    n_subsamples: int


def panel_order(
    values: Float,
    codes: Int,
    n: int,
    method: PanelMethod,
    rng: np.random.Generator,
    *,
    n_subsamples: int = 50,
) -> Int:
    """Genes best first, ``(n,)``.

    Parameters
    ----------
    values
        Log values of units, ``(n_units, n_vars)``.
    codes
        Classes from 0, each of which occurs.
    n
        Genes to order.
    method
        ``"stability"``: how often a gene is among the first in lasso paths of halves of the units
        [Meinshausen2010]_. ``"lasso"``: the order in which genes enter the path of all, which are
        few of those that tell the same. ``"mrmr"``: most relevant and least redundant [Ding2005]_.
        ``"centroids"``: the order in which genes survive shrinkage. ``"t-test"``: by moderated F.
    rng
        Of the halves.
    n_subsamples
        Number of halves.

    References
    ----------
    .. [Meinshausen2010] Meinshausen N, Bühlmann P (2010). Stability selection. Journal of the Royal
       Statistical Society B 72, 417-473.
    .. [Ding2005] Ding C, Peng H (2005). Minimum redundancy feature selection from microarray gene
       expression data. Journal of Bioinformatics and Computational Biology 3, 185-205. The quotient
       of F and mean correlation.
    """
    n_classes = int(codes.max()) + 1
    if method == "stability":
        order = stability(values, codes, n, rng, n_subsamples=n_subsamples).genes
    elif method == "centroids":
        d = standardised(group_sums(values, codes, n_classes))[0]
        return best_genes(np.abs(d).max(axis=0), n)
    else:
        stat = rank_by_test(values, codes, n_classes, by="limma")
        if method == "t-test":
            return best_genes(stat, n)
        chosen = best_genes(stat, max(_SCREENED, n))
        searched = (
            lasso_order(values[:, chosen], codes, n)
            if method == "lasso"
            else _mrmr(values[:, chosen], stat[chosen], n)
        )
        order = chosen[searched]
    return _filled(order, values, codes, n)


def stability(
    values: Float, codes: Int, n: int, rng: np.random.Generator, *, n_subsamples: int
) -> Stability:
    """Let up to ``n`` genes, at most 30 or half the units, into the lasso path of many halves.

    A gene is ranked by its frequency averaged over the numbers that are let in.
    """
    n_steps = int(np.clip(n, 5, max(5, min(30, len(codes) // 2))))
    entered = np.zeros((values.shape[1], n_steps))
    n_classes = int(codes.max()) + 1
    near = best_genes(rank_by_test(values, codes, n_classes, by="limma"), 5 * _SCREENED)
    values = np.ascontiguousarray(values[:, near])
    for _ in range(n_subsamples):
        rows = _half(codes, rng)
        stat = rank_by_test(values[rows], codes[rows], n_classes, by="limma")
        chosen = best_genes(stat, _SCREENED)
        order = near[chosen[lasso_order(values[np.ix_(rows, chosen)], codes[rows], n_steps)]]
        entered[order, np.arange(len(order))] += 1
    frequency = np.cumsum(entered, axis=1) / n_subsamples
    area = frequency.mean(axis=1)
    best = best_genes(area, max(n, _MARKED))
    best = best[area[best] > 0]
    return Stability(best, frequency[best], n_subsamples)


def lasso_order(values: Float, codes: Int, n: int) -> Int:
    """Order of entry into the lasso path of the class, or of each class in turn."""
    X = values - values.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", X, X))
    X = X / np.where(length > 0, length, 1.0)
    member = np.eye(int(codes.max()) + 1)[codes]
    targets = member[:, 1:] if member.shape[1] == 2 else member
    orders = [entry_order(X, y - y.mean(), n) for y in targets.T]
    step = np.full((len(orders), values.shape[1]), np.inf)
    for row, order in zip(step, orders, strict=True):
        row[order] = np.arange(len(order))
    first = step.min(axis=0)
    ordered = np.argsort(first, kind="stable")
    return ordered[np.isfinite(first[ordered])][:n]


def _half(codes: Int, rng: np.random.Generator) -> Int:
    """Half of each class, at least two."""
    parts = []
    for code in range(int(codes.max()) + 1):
        own = rng.permutation(np.flatnonzero(codes == code))
        parts.append(own[: max((len(own) + 1) // 2, min(2, len(own)))])
    return np.sort(np.concatenate(parts))


def _mrmr(values: Float, relevance: Float, n: int) -> Int:
    X = values - values.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", X, X))
    X = X / np.where(length > 0, length, 1.0)
    order = [int(np.argmax(relevance))]
    redundancy = np.zeros(len(relevance))
    left = np.ones(len(relevance), dtype=bool)
    left[order] = False
    while len(order) < min(n, len(relevance)):
        redundancy += np.abs(X.T @ X[:, order[-1]])
        score = np.where(left, relevance / np.maximum(redundancy / len(order), 1e-3), -np.inf)
        order.append(int(np.argmax(score)))
        left[order[-1]] = False
    return np.array(order, dtype=np.intp)


def _filled(order: Int, values: Float, codes: Int, n: int) -> Int:
    """Follow with the best of the other genes by F, where a search has ended early."""
    if len(order) >= n:
        return order[:n]
    stat = rank_by_test(values, codes, int(codes.max()) + 1, by="limma")
    stat[order] = -np.inf
    rest = best_genes(stat, min(n, values.shape[1]) - len(order))
    return np.concatenate([order, rest])

"""Genes that rise and fall together, as branches of a tree over a network [Zhang2005]_.

References
----------
.. [Zhang2005] Zhang and Horvath (2005), Statistical Applications in Genetics and Molecular Biology
   4:17; the soft-thresholded network.
.. [Langfelder2007] Langfelder and Horvath (2007), BMC Systems Biology 1:54; eigengenes, and modules
   that are one because theirs are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy  # its stats load at first use
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from dex.stats.tails import t_quantile

if TYPE_CHECKING:
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Eigengenes:
    """What the genes of a module have in common."""

    scores: Float
    """Mean 0 and standard deviation 1, higher where the genes are, ``(n_obs, n_modules)``."""
    explained: Float
    """Share of the variance of the standardised genes, ``(n_modules,)``."""


def standardised(values: Float, *, ranks: bool = False) -> Float:
    """Columns of mean 0 and length 1, whose products are correlations (of ranks: Spearman's)."""
    if ranks:
        values = scipy.stats.rankdata(values, axis=0)
    centred = values - values.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred, axis=0), dtype=np.float64)


def adjacency(unit: Float, power: float) -> Float:
    """Signed network of genes, ``((1 + r) / 2) ** power``, from their standardised values.

    Examples
    --------
    >>> unit = standardised(np.array([[1.0, 1.0, 3.0], [2.0, 2.0, 2.0], [3.0, 3.0, 1.0]]))
    >>> adjacency(unit, 6).round(6).tolist()[0]
    [1.0, 1.0, 0.0]
    """
    similar = np.clip((1 + unit.T @ unit) / 2, 0.0, 1.0)
    return np.asarray(similar**power, dtype=np.float64)


def gene_tree(network: Float) -> Float:
    """Merges of the genes by average linkage, the distance being 1 less the adjacency."""
    distances = 1 - network
    np.fill_diagonal(distances, 0.0)
    return np.asarray(linkage(squareform(distances, checks=False), method="average"), np.float64)


def lowest_join(tree: Float, min_size: int) -> float:
    """Height of the lowest branch that has at least ``min_size`` genes.

    Examples
    --------
    >>> lowest_join(np.array([[0, 1, 0.1, 2], [2, 3, 0.4, 3]]), 3)
    0.4
    """
    large = tree[:, 3] >= min_size
    return float(tree[large, 2].min()) if large.any() else float("inf")


def tree_modules(tree: Float, unit: Float, *, height: float, min_size: int, merge: float) -> Int:
    """Module of every gene, the largest 0, ``(n_vars,)``; -1 of genes in none.

    Branches below ``height`` are modules. One is divided in two, from the top down, if both parts
    have ``min_size`` genes and their eigengenes correlate by less than ``merge``; in the end
    modules whose eigengenes correlate by more than that are one.
    """
    branches = _Branches.of(tree, unit, min_size, merge)
    found = [part for top in branches.tops(height) for part in branches.divided(top)]
    found = _merged(found, unit, merge)
    labels = np.full(unit.shape[1], -1, dtype=np.intp)
    for i, genes in enumerate(sorted(found, key=lambda genes: (-len(genes), int(genes.min())))):
        labels[genes] = i
    return labels


def eigengenes(unit: Float, labels: Int) -> Eigengenes:
    """First principal component of every module's standardised genes [Langfelder2007]_."""
    n_modules = int(labels.max(initial=-1)) + 1
    scores, explained = np.empty((len(unit), n_modules)), np.empty(n_modules)
    for i in range(n_modules):
        scores[:, i], explained[i] = _eigengene(unit[:, labels == i])
    return Eigengenes(scores * np.sqrt(len(unit)), explained)


def members_of(unit: Float, labels: Int, *, alpha: float, min_size: int) -> Int:
    """Modules without the genes that hardly follow their eigengene, ``(n_vars,)``.

    A gene stays if its correlation with the eigengene is above 0 at ``alpha``; a module, if that
    leaves ``min_size`` genes.
    """
    df = len(unit) - 2
    quantile = float(t_quantile(1 - alpha, np.array([float(df)]))[0])
    least = quantile / np.sqrt(df + quantile**2)
    scores = eigengenes(unit, labels).scores / np.sqrt(len(unit))
    own = np.einsum("ij,ij->j", unit, scores[:, labels]) if scores.shape[1] else labels * 0.0
    kept = np.where((labels >= 0) & (own >= least), labels, -1)
    large = [i for i in range(scores.shape[1]) if np.sum(kept == i) >= min_size]
    found = sorted(large, key=lambda i: (-np.sum(kept == i), int(np.argmax(kept == i))))
    out = np.full(len(labels), -1, dtype=np.intp)
    for number, i in enumerate(found):
        out[kept == i] = number
    return out


def connectivity(network: Float, labels: Int) -> Float:
    """Sum of the adjacencies of each gene to the others of its module; NaN of genes in none."""
    same = (labels[:, None] == labels[None, :]) & (labels >= 0)
    total = np.where(same, network, 0.0).sum(axis=1) - 1  # itself
    return np.where(labels >= 0, total, np.nan)


def _eigengene(unit: Float) -> tuple[Float, float]:
    """Unit vector along the observations, and its share of the variance."""
    left, size, _ = np.linalg.svd(unit, full_matrices=False)
    first = left[:, 0] * (1.0 if left[:, 0] @ unit.mean(axis=1) >= 0 else -1.0)
    return first, float(size[0] ** 2 / (size**2).sum())


@dataclass(frozen=True, slots=True)
class _Branches:
    """A tree whose branches are numbered as by scipy: genes first, then merges."""

    children: Int
    height: Float
    members: list[Int]
    """Genes of every branch."""
    unit: Float
    min_size: int
    merge: float

    @classmethod
    def of(cls, tree: Float, unit: Float, min_size: int, merge: float) -> _Branches:
        """Collect the genes of every branch."""
        n = len(tree) + 1
        children = tree[:, :2].astype(np.intp)
        members = [np.array([j]) for j in range(n)]
        for left, right in children:
            members.append(np.concatenate([members[left], members[right]]))
        return cls(children, tree[:, 2], members, unit, min_size, merge)

    @property
    def n_genes(self) -> int:
        """Leaves of the tree."""
        return len(self.children) + 1

    def tops(self, height: float) -> list[int]:
        """Highest branches below ``height`` that are large enough."""
        below = np.flatnonzero(self.height <= height) + self.n_genes
        inner = {int(child) for one in below for child in self.children[one - self.n_genes]}
        return [int(b) for b in below if b not in inner and self._is_large(int(b))]

    def divided(self, top: int) -> list[Int]:
        """Genes of the modules in a branch; of few genes around them none."""
        branch = top
        while branch >= self.n_genes:
            left, right = self.children[branch - self.n_genes].tolist()
            if not (self._is_large(left) and self._is_large(right)):
                branch = left if len(self.members[left]) >= len(self.members[right]) else right
                continue
            if _alike(self.unit, self.members[left], self.members[right]) >= self.merge:
                break
            return [*self.divided(left), *self.divided(right)]
        return [self.members[top]]

    def _is_large(self, branch: int) -> bool:
        return len(self.members[branch]) >= self.min_size


def _alike(unit: Float, one: Int, other: Int) -> float:
    """Correlation of two eigengenes."""
    return float(_eigengene(unit[:, one])[0] @ _eigengene(unit[:, other])[0])


def _merged(found: list[Int], unit: Float, merge: float) -> list[Int]:
    """Make one of the two modules that are most alike, until none are."""
    found = list(found)
    while len(found) > 1:
        first = np.column_stack([_eigengene(unit[:, genes])[0] for genes in found])
        alike = np.tril(first.T @ first, -1)
        i, j = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[i, j] < merge:
            break
        found[j] = np.concatenate([found[j], found.pop(int(i))])
    return found

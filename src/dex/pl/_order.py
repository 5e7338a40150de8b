"""The order of rows and columns of a heatmap: like beside like, in trees that can be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import pdist

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Float, Int

_MOST_ORDERED = 300
"""Leaves up to which the best order is sought among those that a tree allows."""
_MOST_CLUSTERED = 2000
"""Rows up to which a tree is grown; its distances grow with the square."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An average-linkage tree over neighbouring rows."""

    merges: Float
    """``(n_leaves - 1, 4)``, as of :func:`scipy.cluster.hierarchy.linkage`."""
    first: int
    """Place of the first of its leaves, which are neighbours, among all rows in order."""

    @property
    def leaves(self) -> Int:
        """Rows given to it, in the order drawn."""
        return leaves_list(self.merges).astype(np.intp)

    @property
    def height(self) -> float:
        """Of the last merge."""
        return float(self.merges[-1, 2])

    def joints(self, positions: Float) -> Float:
        """Bars of the dendrogram, ``(n_leaves - 1, 4, 2)``: foot, corner, corner, foot.

        Each point is a position along the leaves and a height; ``positions`` are those of all rows
        in the order drawn.
        """
        n = len(self.merges) + 1
        place, height = np.empty(2 * n - 1), np.zeros(2 * n - 1)
        place[self.leaves] = positions[self.first : self.first + n]
        bars = np.empty((n - 1, 4, 2))
        for i, (left, right, top, _) in enumerate(self.merges):
            a, b = int(left), int(right)
            bars[i] = [
                (place[a], height[a]),
                (place[a], top),
                (place[b], top),
                (place[b], height[b]),
            ]
            place[n + i], height[n + i] = (place[a] + place[b]) / 2, top
        return bars


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Rows in the order drawn, in parts."""

    order: Int
    """``(n,)``, positions of the rows."""
    part: Int
    """``(n,)``, number of the part of each row in that order, ascending."""
    trees: tuple[Tree, ...] = ()
    """One for each part of at least two rows; or one over all parts that it was cut into."""


def z_scores(values: Float) -> Float:
    """Per column of ``(n_obs, n_genes)``, with the sample standard deviation; 0 where constant."""
    centred = values - values.mean(axis=0)
    sd = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    constant = sd <= 1e-12 * np.maximum(np.abs(values).max(axis=0), 1)
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, sd))


def grow(rows: Float, *, first: int = 0) -> Tree | None:
    """Tree of the rows of ``(n, n_features)`` by average linkage on Euclidean distance.

    Up to 300 rows the leaves are in the best order that the tree allows [Bar-Joseph2001]_; more
    than 2000 rows, or less than two, have no tree.

    References
    ----------
    .. [Bar-Joseph2001] Bar-Joseph Z, Gifford DK, Jaakkola TS (2001). Fast optimal leaf ordering for
       hierarchical clustering. Bioinformatics 17, S22-S29.
    """
    n = len(rows)
    if not 2 <= n <= _MOST_CLUSTERED:
        return None
    return Tree(linkage(pdist(rows), method="average", optimal_ordering=n <= _MOST_ORDERED), first)


def similar_first(rows: Float) -> Int:
    """Order of the rows of ``(n, n_features)`` in their tree, see :func:`grow`.

    More than 2000 rows are ordered by their first principal component.
    """
    return _ordered(rows, grow(rows))


def within_blocks(rows: Float, block: Int) -> Int:
    """Order of the rows block by block, similar rows beside each other within a block."""
    return arranged(rows, block).order


def arranged(rows: Float, block: Int) -> Arrangement:
    """Put similar rows beside each other within each block, blocks in ascending order."""
    order: list[Int] = []
    trees: list[Tree] = []
    first = 0
    for b in np.unique(block):
        members = np.flatnonzero(block == b)
        tree = grow(rows[members], first=first)
        order.append(members[_ordered(rows[members], tree)])
        trees += [] if tree is None else [tree]
        first += len(members)
    together = np.concatenate(order)
    return Arrangement(together, block[together], tuple(trees))


def cut(rows: Float, n_parts: int, *, argument: str) -> Arrangement:
    """Cut the tree of all rows into ``n_parts``, numbered in the order of its leaves.

    Raises
    ------
    InputError
        If there are fewer rows than parts, or too many for a tree.
    """
    tree = grow(rows)
    if not 1 <= n_parts <= len(rows) or (tree is None and n_parts > 1):
        msg = (
            f"{argument}={n_parts} cuts a tree of 2 to {_MOST_CLUSTERED:,} rows or columns "
            f"into at most as many parts; there are {len(rows):,}."
        )
        raise InputError(msg)
    order = _ordered(rows, tree)
    if tree is None:
        return Arrangement(order, np.zeros(len(rows), dtype=np.intp))
    labels = fcluster(tree.merges, n_parts, criterion="maxclust")[order]
    part = np.concatenate([[0], np.cumsum(np.diff(labels) != 0)])
    return Arrangement(order, part.astype(np.intp), (tree,))


def _ordered(rows: Float, tree: Tree | None) -> Int:
    if tree is not None:
        return tree.leaves
    if len(rows) < 2:
        return np.arange(len(rows))
    return np.argsort(_first_component(rows), kind="stable")


def _first_component(rows: Float) -> Float:
    centred = rows - rows.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ vectors[:, -1], dtype=np.float64)

"""The order of rows and columns of a heatmap: like beside like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist

if TYPE_CHECKING:
    from dex.typing import Float, Int

_MOST_ORDERED = 300
"""Leaves up to which the best order is sought among those that a tree allows."""
_MOST_CLUSTERED = 2000
"""Rows up to which a tree is grown; its distances grow with the square."""


def z_scores(values: Float) -> Float:
    """Per column of ``(n_obs, n_genes)``, with the sample standard deviation; 0 where constant."""
    centred = values - values.mean(axis=0)
    sd = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    constant = sd <= 1e-12 * np.maximum(np.abs(values).max(axis=0), 1)
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, sd))


def similar_first(rows: Float) -> Int:
    """Order of the rows of ``(n, n_features)`` by average linkage on Euclidean distance.

    Up to 300 rows the leaves are in the best order that the tree allows [Bar-Joseph2001]_; more
    than 2000 rows are ordered by their first principal component.

    References
    ----------
    .. [Bar-Joseph2001] Bar-Joseph Z, Gifford DK, Jaakkola TS (2001). Fast optimal leaf ordering for
       hierarchical clustering. Bioinformatics 17, S22-S29.
    """
    n = len(rows)
    if n < 3:
        return np.arange(n)
    if n > _MOST_CLUSTERED:
        return np.argsort(_first_component(rows), kind="stable")
    tree = linkage(pdist(rows), method="average", optimal_ordering=n <= _MOST_ORDERED)
    return leaves_list(tree).astype(np.intp)


def within_blocks(rows: Float, block: Int) -> Int:
    """Order of the rows block by block, similar rows beside each other within a block."""
    parts = [np.flatnonzero(block == b) for b in np.unique(block)]
    return np.concatenate([part[similar_first(rows[part])] for part in parts])


def _first_component(rows: Float) -> Float:
    centred = rows - rows.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ vectors[:, -1], dtype=np.float64)

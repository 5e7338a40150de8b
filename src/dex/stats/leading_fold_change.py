"""Distances of samples by their leading log fold changes, and the map that keeps them best.

The distance is that of ``plotMDS`` of limma [Ritchie2015]_: a typical log2 fold change between two
samples, of the genes that tell them apart. The map is Torgerson's [Torgerson1952]_.

References
----------
.. [Ritchie2015] Ritchie et al. (2015), Nucleic Acids Research 43:e47; "Unsupervised clustering of
   samples".
.. [Torgerson1952] Torgerson (1952), Psychometrika 17:401-419.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh
from scipy.spatial.distance import pdist, squareform

from dex.stats.principal_components import leading_signs

if TYPE_CHECKING:
    from dex.typing import Float

_CHUNK_VALUES = 2**19
"""Differences held at a time: they fit the cache of a core."""


@dataclass(frozen=True, slots=True)
class ClassicalScaling:
    """Points whose distances are as near as can be to those given."""

    points: Float
    """Shape ``(n_obs, n_comps)``; the largest coordinate of each column is positive."""
    variance_ratio: Float
    """Part of the variance in every dimension, shape ``(n_obs,)``, largest first."""


def leading_distances_from(values: Float, i: int, n_top: int) -> Float:
    """Distances of observation ``i`` to those after it, shape ``(n_obs - i - 1,)``.

    Parameters
    ----------
    values
        Logs, shape ``(n_obs, n_vars)``, an observation contiguous.
    i
        Position of the observation.
    n_top
        For each pair the root mean square of its ``n_top`` largest differences is taken.

    Returns
    -------
    The distances, in the units of ``values``.

    Examples
    --------
    >>> logs = np.array([[0.0, 0.0, 0.0], [1.0, 3.0, -3.0], [2.0, 0.0, 0.0]])
    >>> leading_distances_from(logs, 0, n_top=2).round(3).tolist()
    [3.0, 1.414]
    """
    n_vars = values.shape[1]
    n_top = min(n_top, n_vars)
    per_chunk = max(_CHUNK_VALUES // n_vars, 1)
    distances = np.empty(len(values) - i - 1)
    for start in range(0, len(distances), per_chunk):
        chunk = values[i + 1 + start : i + 1 + start + per_chunk] - values[i]
        np.square(chunk, out=chunk)
        if n_top < n_vars:
            chunk.partition(n_vars - n_top, axis=1)
        mean_sq = chunk[:, n_vars - n_top :].mean(axis=1)
        distances[start : start + per_chunk] = np.sqrt(mean_sq)
    return distances


def common_distances(values: Float) -> Float:
    """Root mean square difference of every pair over the same variables, ``(n_obs, n_obs)``."""
    return np.asarray(squareform(pdist(values)) / np.sqrt(values.shape[1]), dtype=np.float64)


def classical_scaling(distances: Float, n_comps: int) -> ClassicalScaling:
    """Map observations by their distances, shape ``(n_obs, n_obs)`` [Torgerson1952]_.

    The eigenvectors of the doubly centred squares, times the roots of their eigenvalues. Distances
    that no map can have give negative eigenvalues, which count as 0.

    Examples
    --------
    >>> line = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]])
    >>> scaling = classical_scaling(line, 1)
    >>> (scaling.points[:, 0] - scaling.points[0, 0]).round(6).tolist()
    [0.0, 1.0, 3.0]
    """
    squares = distances**2
    means = squares.mean(axis=0)
    inner = -0.5 * (squares - means - means[:, None] + means.mean())
    eigenvalues, vectors = eigh(inner)
    eigenvalues = np.maximum(eigenvalues[::-1], 0.0)
    leading = vectors[:, ::-1][:, :n_comps]
    points = leading * leading_signs(leading) * np.sqrt(eigenvalues[:n_comps])
    return ClassicalScaling(points, eigenvalues / eigenvalues.sum())

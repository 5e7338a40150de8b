"""Symmetric matrices of many genes, packed as their upper triangles by rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float


def pack(matrices: Float) -> Float:
    """Upper triangles by rows, ``(..., k, k)`` to ``(..., k (k + 1) / 2)``.

    Examples
    --------
    >>> pack(np.array([[1.0, 2.0], [2.0, 3.0]])).tolist()
    [1.0, 2.0, 3.0]
    """
    return np.asarray(matrices[(..., *np.triu_indices(matrices.shape[-1]))])


def unpack(triangles: Float) -> Float:
    """Undo :func:`pack`.

    Examples
    --------
    >>> unpack(np.array([1.0, 2.0, 3.0])).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    k = order_of(triangles)
    out = np.empty((*triangles.shape[:-1], k, k))
    rows, columns = np.triu_indices(k)
    out[..., rows, columns] = triangles
    out[..., columns, rows] = triangles
    return out


def order_of(triangles: Float) -> int:
    """Rows of the matrices that were packed."""
    return int(np.sqrt(2 * triangles.shape[-1]))


def quadratic_forms(triangles: Float, vectors: Float) -> Float:
    """``v' M v`` of every packed matrix M and every row v of ``vectors``.

    Parameters
    ----------
    triangles
        Shape ``(n_vars, k (k + 1) / 2)``.
    vectors
        Shape ``(n_tests, k)``.

    Returns
    -------
    Shape ``(n_vars, n_tests)``.

    Examples
    --------
    >>> quadratic_forms(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 0.0], [1.0, -1.0]])).tolist()
    [[1.0, 0.0]]
    """
    rows, columns = np.triu_indices(vectors.shape[1])
    products = vectors[:, rows] * vectors[:, columns] * np.where(rows == columns, 1.0, 2.0)
    return np.asarray(triangles @ products.T)

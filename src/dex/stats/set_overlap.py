"""Sets that say the same: each is given to the best set that it overlaps with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float, Int

_AT_A_TIME = 256


def overlap_coefficients(sets: SetIndex, rows: Int) -> Float:
    """Genes shared over genes of the smaller set, ``(len(rows), n_sets)``; 0 of an empty one."""
    matrix = sets.matrix
    return _overlaps(matrix[rows], matrix.T.tocsr(), sets.sizes, rows)


def _overlaps(some: csr_array, transposed: csr_array, sizes: Int, rows: Int) -> Float:
    shared = (some @ transposed).toarray()
    smaller = np.minimum(sizes[rows][:, None], sizes[None, :])
    none = np.zeros(shared.shape)
    return np.asarray(np.divide(shared, smaller, out=none, where=smaller > 0))


def representatives(sets: SetIndex, order: Int, *, similarity: float = 0.5) -> Int:
    """Representative of each set, ``(n_sets,)``: itself, or the set that it overlaps with most.

    Parameters
    ----------
    sets
        Genes of each.
    order
        The sets from the best to the worst: each represents itself unless its overlap with one
        before, which does, is ``similarity`` or more. Sets that are not in it represent
        themselves.
    similarity
        Genes shared over genes of the smaller set.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> sets = SetIndex.of([[0, 1, 2], [1, 2, 3], [4, 5]], 6)
    >>> representatives(sets, np.array([1, 0, 2])).tolist()
    [1, 1, 2]
    """
    out = np.arange(sets.n_sets)
    chosen, n = np.empty(len(order), dtype=np.intp), 0
    matrix, sizes = sets.matrix, sets.sizes
    transposed = matrix.T.tocsr()
    for start in range(0, len(order), _AT_A_TIME):
        some = order[start : start + _AT_A_TIME]
        overlaps = _overlaps(matrix[some], transposed, sizes, some)
        for i, row in zip(some, overlaps, strict=True):
            near = row[chosen[:n]]
            best = int(near.argmax()) if n else -1
            if best >= 0 and near[best] >= similarity:
                out[i] = chosen[best]
            else:
                chosen[n] = i
                n += 1
    return out

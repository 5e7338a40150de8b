"""Over-representation: more of the chosen genes in a set than chance would put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

_LN10 = float(np.log(10.0))


def overrepresentation_log10_pval(
    overlap: ArrayLike, size: ArrayLike, chosen: int, universe: int
) -> Float:
    """log10 of the upper tail of the hypergeometric distribution, which does not underflow.

    Parameters
    ----------
    overlap, size
        Chosen genes in each set, and all genes in it, ``(n_sets,)``; of the universe only.
    chosen, universe
        Genes chosen, and genes to choose from.

    Returns
    -------
    log10 of the chance of ``overlap`` or more.

    Examples
    --------
    >>> overrepresentation_log10_pval([4, 0, 300], [5, 5, 300], 300, 20_000).round(3).tolist()
    [-6.61, 0.0, -674.844]
    """
    k, m = np.broadcast_arrays(np.asarray(overlap), np.asarray(size))
    out = np.zeros(k.shape)
    for i in np.flatnonzero(k > max(0, chosen - universe)):
        out[i] = _log_tail(int(k[i]), int(m[i]), chosen, universe) / _LN10
    return np.minimum(out, 0.0)


def _log_tail(k: int, m: int, n: int, N: int) -> float:
    """Sum of the terms from ``k`` on, in logs; or of those below where these are fewer digits."""
    x = np.arange(max(0, n + m - N), min(m, n) + 1)
    logs = _log_choose(m, x) + _log_choose(N - m, n - x) - _log_choose(N, np.array([n]))
    upper = float(special.logsumexp(logs[x >= k])) if k <= x[-1] else -np.inf
    if upper < -np.log(2):
        return upper
    below = logs[x < k]
    return float(np.log1p(-np.exp(special.logsumexp(below)))) if len(below) else 0.0


def _log_choose(n: int, k: ArrayLike) -> Float:
    k = np.asarray(k, dtype=np.float64)
    return np.asarray(
        special.gammaln(n + 1.0) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    )

"""Over-representation: more of the chosen genes in a set than chance would put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

_LN10 = float(np.log(10.0))
_AT_A_TIME = 1024


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
    k, m = (np.atleast_1d(a).astype(np.float64) for a in np.broadcast_arrays(overlap, size))
    out = np.empty(k.shape)
    for start in range(0, len(k), _AT_A_TIME):
        some = slice(start, start + _AT_A_TIME)
        out[some] = _log_tail(k[some], m[some], float(chosen), float(universe)) / _LN10
    return np.minimum(out, 0.0)


def _log_tail(k: Float, m: Float, n: float, N: float) -> Float:
    """Log of the terms from ``k`` on; where that is near 0, of 1 less those below."""
    first = _log_choose(m, k) + _log_choose(N - m, n - k) - _log_choose(np.array(N), np.array(n))
    possible = (k <= np.minimum(m, n)) & (k >= n + m - N)
    upper = np.where(possible, first, -np.inf) + _log_sum(k, m, n, N, step=1)
    below = k - 1
    lower = first + _log_ratio(below, m, n, N, step=-1) + _log_sum(below, m, n, N, step=-1)
    nothing_below = k <= np.maximum(0.0, n + m - N)
    with np.errstate(divide="ignore"):
        rest = np.log1p(-np.exp(np.minimum(lower, 0.0)))
    return np.where(nothing_below, 0.0, np.where(upper < -np.log(2), upper, rest))


def _log_sum(start: Float, m: Float, n: float, N: float, *, step: int) -> Float:
    """Log of the sum of terms over the first, from ``start`` to the end in a direction."""
    end = np.minimum(m, n) if step > 0 else np.maximum(0.0, n + m - N)
    length = int(max((step * (end - start)).max(initial=0.0), 0.0))
    x = start[:, None] + step * np.arange(1, length + 1)
    inside = step * (end[:, None] - x) >= 0
    ratios = np.where(inside, _log_ratio(x, m[:, None], n, N, step=step), -np.inf)
    terms = np.cumsum(ratios, axis=1)
    top = terms.max(axis=1, initial=0.0)
    rest = np.exp(terms - top[:, None]).sum(axis=1)
    return np.asarray(top + np.log(np.exp(-top) + rest))


def _log_ratio(x: Float, m: Float, n: float, N: float, *, step: int) -> Float:
    """Log of the term of ``x`` over that of the one before it."""
    low = x if step > 0 else x + 1  # the larger of the two
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.log((m - low + 1) * (n - low + 1)) - np.log(low * (N - m - n + low))
    return np.asarray(step * up)


def _log_choose(n: Float, k: Float) -> Float:
    with np.errstate(invalid="ignore"):
        found = special.gammaln(n + 1.0) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.asarray(found)

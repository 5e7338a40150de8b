"""Benjamini & Hochberg's adjustment of very many p-values, test by test, in one compiled loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex._numba import ZERO, kernel
from dex.stats.rank_order import GROUP, HALF, Words, sort_gene, spaces_for

if TYPE_CHECKING:
    from dex.typing import Float


def step_up_many(log10_pval: Float) -> Float:
    """Adjust the p-values of every test, a row each, for the false discovery rate [Benjamini1995]_.

    Parameters
    ----------
    log10_pval
        Shape ``(n_tests, n)``, log10 of p-values, none above 0. NaN stays NaN and is not counted.

    Returns
    -------
    log10 of the adjusted p-values in the same shape, to the last bit those of
    :func:`dex.stats.multitest.adjust_log10_pval`.

    References
    ----------
    .. [Benjamini1995] Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B
       57:289-300.

    Examples
    --------
    >>> step_up_many(np.array([[-400.0, -2.0, np.nan, -0.1]])).round(3).tolist()
    [[-399.523, -1.824, nan, -0.1]]
    """
    log_p = np.ascontiguousarray(log10_pval, dtype=np.float64)
    n = log_p.shape[1]
    # The bits of floats from 0 on are in their order: the largest p first, and NaN last.
    magnitude = np.abs(log_p).view(np.uint64)
    out = np.full(log_p.shape, np.nan)
    log_rank: Float = np.log10(np.arange(1.0, n + 1))
    _adjust_rows(log_p, magnitude, log_rank, spaces_for(n, single=False), out)
    return out


@kernel
def _adjust_rows(log_p: Float, magnitude: Words, log_rank: Float, spaces: Any, out: Float) -> None:
    """Fill the rows of ``out``: the least ``p n / rank`` of all p-values from a gene's own up."""
    (words, spare, spots, _), long_keys = spaces
    for t in range(log_p.shape[0]):
        n = ZERO
        low = high = magnitude[t, 0]
        for j in range(log_p.shape[1]):
            if not np.isnan(log_p[t, j]):
                key = magnitude[t, j]
                low, high = (key, key) if n == 0 else (min(low, key), max(high, key))
                words[n], long_keys[0, n] = np.uint64(j), key
                n += 1
        for i in range(n):
            long_keys[0, i] -= low
            words[i] |= long_keys[0, i] << HALF  # cut off if it is long; it is then not looked at
        none = low - low
        in_order = sort_gene((n, ZERO, none, none, high - low), (words, spare), spots, long_keys)
        least = 0.0
        for i in range(n):
            j = in_order[i] & GROUP
            least = min(least, log_p[t, j] + (log_rank[n - 1] - log_rank[n - 1 - i]))
            out[t, j] = least

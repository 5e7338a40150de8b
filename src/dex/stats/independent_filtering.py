"""Leave out genes with so few counts that they cannot be found [Bourgon2010]_, and adjust the rest.

The cutoff on mean expression is chosen for the number of rejections. As the mean says nothing of
the p-value under the null, the rate of false discoveries is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex.stats.lowess import lowess
from dex.stats.multitest import adjust_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float, Int

_N_CUTOFFS: Final = 50
_SPAN: Final = 1 / 5
_TOO_FEW: Final = 10
"""Rejections, up to which nothing is filtered."""
_MOST: Final = 0.95


@dataclass(frozen=True, slots=True)
class FilteredAdjustment:
    """Adjusted p-values, and how the cutoff was chosen."""

    log10_padj: Float
    """NaN also where the filter is below the cutoff, shape ``(n_vars,)``."""
    cutoff: float
    """Of the filter: genes with less are left out."""
    quantile: float
    """The cutoff as a quantile of the filter."""
    quantiles: Float
    """That were tried."""
    n_rejected: Int
    """At each."""
    smoothed: Float
    """Their curve."""


def filtered_adjustment(
    log10_pval: Float, filter_by: Float, *, alpha: float = 0.1, method: str = "fdr_bh"
) -> FilteredAdjustment:
    """Adjust p-values of the genes above the cutoff that gives most rejections, as DESeq2 does.

    Parameters
    ----------
    log10_pval
        NaN where there is none, shape ``(n_vars,)``.
    filter_by
        Mean of normalised counts, of all genes.
    alpha
        The level at which rejections are counted: that at which results will be used.
    method
        By which p-values are adjusted.

    Notes
    -----
    Rejections are counted at 50 quantiles of the filter and smoothed by lowess. The cutoff is the
    lowest quantile whose count is within one root mean squared residual of the curve's peak; if
    there is none, within 90% or 80% of it. Where 10 are rejected at most, nothing is filtered.

    References
    ----------
    .. [Bourgon2010] Bourgon R, Gentleman R, Huber W (2010). Independent filtering increases
       detection power for high-throughput experiments. PNAS 107, 9546-9551.
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550.
    """
    lowest = float(np.mean(filter_by == 0))
    quantiles = np.linspace(lowest, _MOST if lowest < _MOST else 1.0, _N_CUTOFFS)
    cutoffs = np.quantile(filter_by, quantiles)
    n_rejected = _rejections(log10_pval, filter_by, cutoffs, alpha, method)
    smoothed = lowess(quantiles, n_rejected.astype(float), span=_SPAN)
    chosen = _choose(n_rejected, smoothed)
    kept = np.where(filter_by >= cutoffs[chosen], log10_pval, np.nan)
    return FilteredAdjustment(
        adjust_log10_pval(kept, method),
        float(cutoffs[chosen]),
        float(quantiles[chosen]),
        quantiles,
        n_rejected,
        smoothed,
    )


def _rejections(
    log10_pval: Float, filter_by: Float, cutoffs: Float, alpha: float, method: str
) -> Int:
    counted = [
        np.sum(adjust_log10_pval(log10_pval[filter_by >= cutoff], method) < np.log10(alpha))
        for cutoff in cutoffs
    ]
    return np.array(counted, dtype=np.intp)


def _choose(n_rejected: Int, smoothed: Float) -> int:
    if n_rejected.max() <= _TOO_FEW:
        return 0
    some = n_rejected > 0
    spread = np.sqrt(np.mean((n_rejected[some] - smoothed[some]) ** 2))
    peak = smoothed.max()
    for least in (peak - spread, 0.9 * peak, 0.8 * peak):
        if (enough := np.flatnonzero(n_rejected > least)).size:
            return int(enough[0])
    return 0

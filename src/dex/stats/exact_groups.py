"""The exact test of two groups, from the counts: edgeR's ``exactTest`` [Robinson2008]_.

.. [Robinson2008] Robinson MD, Smyth GK (2008). Small-sample estimation of negative binomial
   dispersion, with applications to SAGE data. Biostatistics 9, 321-332.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex.stats.design_rows import DesignRows
from dex.stats.exact_nb import BIG_COUNT, equalised_counts, exact_test
from dex.stats.nb_glm import fit_nb_glm

if TYPE_CHECKING:
    from dex.typing import Bool, Float

PRIOR_COUNT: Final = 0.125
"""Average count that edgeR adds to each for the fold change."""


@dataclass(frozen=True, slots=True)
class ExactGroupsTest:
    """The group against the reference; fields ``(n_vars,)``."""

    log2fc: Float
    """With a prior count; 0 for a gene without counts."""
    log10_pval: Float
    """log10 of the two-sided p-value."""


def exact_groups_test(
    counts: Float,
    is_group: Bool,
    lib_sizes: Float,
    dispersion: Float,
    *,
    prior_count: float = PRIOR_COUNT,
    big_count: float = BIG_COUNT,
) -> ExactGroupsTest:
    """Test two groups with a known dispersion, given the total of the counts [Robinson2008]_.

    Parameters
    ----------
    counts
        Of both groups, a block of genes, shape ``(n_obs, n_vars)``.
    is_group
        True in the group, False in the reference, shape ``(n_obs,)``.
    lib_sizes
        Effective library sizes, shape ``(n_obs,)``.
    dispersion
        Shape ``(n_vars,)``.
    prior_count
        Average count added for the fold change, more in larger libraries; the test has none.
    big_count
        As of :func:`~dex.stats.exact_nb.exact_test`.

    Examples
    --------
    >>> counts = np.array([[3.0], [2], [9], [11]])
    >>> is_group = np.array([False, False, True, True])
    >>> test = exact_groups_test(counts, is_group, np.full(4, 1e6), np.array([0.1]))
    >>> round(test.log2fc.item(), 3), round(10 ** test.log10_pval.item(), 4)
    (1.948, 0.0228)
    """
    rate = _rates(counts, lib_sizes, dispersion)
    mu, common = lib_sizes[:, None] * rate, np.exp(np.log(lib_sizes).mean()) * rate
    equal = equalised_counts(counts, mu, common, dispersion)
    test = exact_test(
        equal[is_group].sum(axis=0),
        equal[~is_group].sum(axis=0),
        int(is_group.sum()),
        int((~is_group).sum()),
        dispersion,
        big_count=big_count,
    )
    prior = prior_count * lib_sizes / lib_sizes.mean()
    padded, sizes = counts + prior[:, None], lib_sizes + 2 * prior
    log_rates = (
        np.log(_rates(padded[side], sizes[side], dispersion)) for side in (is_group, ~is_group)
    )
    return ExactGroupsTest(np.subtract(*log_rates) / np.log(2), test.log10_pval)


def _rates(counts: Float, lib_sizes: Float, dispersion: Float) -> Float:
    """Counts per unit of library of one group; exactly 0 without counts."""
    one = DesignRows.from_design(np.ones((len(counts), 1)))
    rates = np.exp(fit_nb_glm(counts, one, lib_sizes, dispersion).coef[:, 0])
    return np.where(counts.any(axis=0), rates, 0.0)

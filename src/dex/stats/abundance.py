"""Average abundance of every gene in log2 counts per million, by a negative binomial model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dex.stats.nb_groups import fit_groups

if TYPE_CHECKING:
    from dex.typing import Float

PRIOR_COUNT: Final = 2.0
DISPERSION: Final = 0.05


def ave_log_cpm(
    counts: Float,
    lib_sizes: Float,
    *,
    prior_count: float = PRIOR_COUNT,
    dispersion: float | Float = DISPERSION,
    weights: Float | None = None,
) -> Float:
    """Average log2 counts per million: large libraries weigh more than small ones [Chen2025]_.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    lib_sizes
        Effective library sizes, ``(n_obs,)``; or exponentials of offsets, ``(n_obs, n_vars)``.
    prior_count
        Added to the counts on average, in proportion to the library sizes.
    dispersion
        Of the counts, one or ``(n_vars,)``: at 0 counts are pooled, at a large one their
        counts per million are averaged.
    weights
        Of the observations, ``(n_obs,)`` or ``(n_obs, n_vars)``.

    Returns
    -------
    Shape ``(n_vars,)``.

    References
    ----------
    .. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4: powerful
       differential analysis of sequencing data with expanded functionality and improved support
       for small counts and larger datasets. Nucleic Acids Research 53, gkaf018.

    Examples
    --------
    >>> counts = np.array([[10.0, 0.0], [20.0, 0.0]])
    >>> ave_log_cpm(counts, np.array([1e6, 2e6])).round(3).tolist()
    [3.502, 0.415]
    """
    raised, depths = with_prior_count(counts, lib_sizes, prior_count)
    everybody = np.zeros(len(counts), dtype=np.int64)
    spread = np.broadcast_to(np.asarray(dispersion, dtype=np.float64), (counts.shape[1],))
    shares = fit_groups(raised, everybody, depths, spread, weights=weights).share
    with np.errstate(divide="ignore"):
        return np.asarray(np.log2(shares[:, 0]) + np.log2(1e6))


def with_prior_count(counts: Float, lib_sizes: Float, prior_count: float) -> tuple[Float, Float]:
    """Counts with a prior count, and the library sizes that go with them.

    The prior count of an observation is in proportion to its library, so that fold changes are
    drawn towards 1 whatever the depths; libraries grow by twice the prior count [Phipson2013]_.

    References
    ----------
    .. [Phipson2013] Phipson B (2013). Empirical Bayes modelling of expression profiles and their
       associations. PhD thesis, University of Melbourne.

    Examples
    --------
    >>> raised, depths = with_prior_count(np.array([[0.0], [3.0]]), np.array([50.0, 150.0]), 2.0)
    >>> raised.ravel().tolist(), depths.tolist()
    ([1.0, 6.0], [52.0, 156.0])
    """
    prior = prior_count * lib_sizes / lib_sizes.mean(axis=0)
    return counts + (prior[:, None] if prior.ndim == 1 else prior), lib_sizes + 2 * prior

"""Effects pulled to zero by a normal prior whose variance is learnt from all genes [Love2014]_."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri

from dex.stats.nb_curvature import nb_covariance
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.shrunk_effects import ShrunkEffects

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.stats.design_rows import DesignRows
    from dex.typing import Float

UPPER_SHARE: Final = 0.05
"""Of the effects, that are larger than the quantile at which prior and effects are matched."""
LARGEST_EFFECT: Final = 10 * math.log(2)
"""Larger ones are of groups without counts, and are left out of the matching."""
INTERCEPT_VARIANCE: Final = 1e6 * math.log(2) ** 2
"""As good as none: an intercept is not shrunk."""
MEAN_FLOOR: Final = 0.5
"""Fitted means are not taken below it in the weights of a fit, as DESeq2 has it."""


def matched_variance(
    effects: ArrayLike, weights: ArrayLike | None = None, *, upper: float = UPPER_SHARE
) -> float:
    """Variance of the normal distribution around zero that has the same upper quantile.

    Parameters
    ----------
    effects
        Shape ``(n_vars,)``; their signs do not matter, NaN are left out.
    weights
        Of the genes, shape ``(n_vars,)``.
    upper
        Share of the effects above the quantile.

    Returns
    -------
    Variance, in the squared units of the effects.

    Examples
    --------
    >>> round(matched_variance(np.random.default_rng(0).normal(0, 0.5, 20000)), 2)
    0.25
    """
    sizes = np.abs(np.asarray(effects, dtype=np.float64))
    known = np.isfinite(sizes)
    weight = np.ones(sizes.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    quantile = _weighted_quantile(sizes[known], weight[known], 1 - upper)
    return float((quantile / ndtri(1 - upper / 2)) ** 2)


def normal_prior_variances(
    coef: Float, design: Float, *, base_mean: Float, dispersion_trend: Float
) -> Float:
    """Prior variance of every coefficient, from its maximum likelihood estimates in all genes.

    A gene counts by the variance that the log of its counts has at least:
    ``1 / (1 / base_mean + dispersion_trend)``.

    Parameters
    ----------
    coef
        Natural logs, shape ``(n_vars, n_coefs)``.
    design
        Shape ``(n_obs, n_coefs)``; a constant column is an intercept.
    base_mean, dispersion_trend
        Mean of the normalised counts, and the dispersion that the trend expects there,
        ``(n_vars,)``; genes without counts or trend are left out.

    Returns
    -------
    Squared natural logs, shape ``(n_coefs,)``.
    """
    known = (base_mean > 0) & np.isfinite(dispersion_trend)
    weights = 1 / (1 / base_mean[known] + dispersion_trend[known])
    finite = np.where(np.abs(coef[known]) < LARGEST_EFFECT, coef[known], np.nan)
    constant = np.ptp(design, axis=0) == 0
    return np.array(
        [
            INTERCEPT_VARIANCE if constant[a] else matched_variance(finite[:, a], weights)
            for a in range(coef.shape[1])
        ]
    )


def shrink_normal(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    *,
    effect: int,
    variances: Float,
    weights: Float | None = None,
) -> ShrunkEffects:
    """Mode of the posterior of every gene; all coefficients but intercepts are shrunk.

    Parameters
    ----------
    counts, design, depths, dispersion, weights
        As :func:`dex.stats.nb_glm.fit_nb_glm` has them. To shrink a contrast, give the design of
        :func:`dex.stats.isolated_contrast.isolate_contrast`.
    effect
        Position of the coefficient that is wanted.
    variances
        Of the priors, as from :func:`normal_prior_variances`.

    Returns
    -------
    ``sd`` is the standard deviation of the mode as an estimate, as DESeq2 reports it.

    References
    ----------
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[20.0], [30.0], [30.0], [34.0]])
    >>> design = DesignRows.from_design(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]))
    >>> options = {"effect": 1, "variances": np.array([INTERCEPT_VARIANCE, 0.1])}
    >>> fit = shrink_normal(counts, design, np.ones(4), np.array([0.01]), **options)
    >>> fit.estimate.round(3).tolist()
    [0.17]
    """
    ridge = 1 / np.asarray(variances, dtype=np.float64)
    fit = fit_nb_glm(
        counts, design, depths, dispersion, weights=weights, ridge=ridge, floor=MEAN_FLOOR
    )
    cov = nb_covariance(
        counts, design, depths, dispersion, fit.coef, weights=weights, ridge=ridge, floor=MEAN_FLOOR
    )
    n_coefs = design.n_coefs
    diagonal = effect * n_coefs - effect * (effect - 1) // 2  # of triangles packed by rows
    return ShrunkEffects(fit.coef[:, effect], np.sqrt(cov[:, diagonal]), fit.coef, fit.converged)


def _weighted_quantile(values: Float, weights: Float, probability: float) -> float:
    """Interpolated between two order statistics of the values, each repeated by its weight."""
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    cumulated *= len(values) / cumulated[-1]
    position = 1 + (len(values) - 1) * probability
    low = np.floor(position)
    found = np.searchsorted(cumulated, [low, low + 1])
    below, above = values[order][np.minimum(found, len(values) - 1)]
    return float(below + (position - low) * (above - below))

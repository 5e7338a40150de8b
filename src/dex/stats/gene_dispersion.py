"""DESeq2's dispersion of every gene by itself, and shrunken to the trend [Love2014]_.

.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import gammaln

from dex.stats.basis import Basis
from dex.stats.conditional_dispersion import DispersionPrior, fit_conditional_dispersion
from dex.stats.design_rows import DesignRows
from dex.stats.dispersion_trend import MIN_DISPERSION
from dex.stats.nb_glm import NbFit, fit_nb_glm, fitted_means
from dex.stats.rough_dispersion import linear_means, rough_dispersion

if TYPE_CHECKING:
    from dex.typing import Bool, Float

FLOOR: Final = 0.5
"""Of means: below, a count says hardly anything of its weight."""
RIDGE: Final = 1e-6 / float(np.log(2)) ** 2
"""Precision of the coefficients' prior, 1e-6 in log2: it holds them where a group has no counts."""
_FLAT: Final = 1e-2
"""Slope from which the ascent of DESeq2 does not get away in the steps that it has."""
_NO_GAIN: Final = 1e-6
"""Share of the log likelihood that the maximum must gain over the start."""
_SETTLED: Final = 1e-3
"""Change of a coefficient over a hundred steps more."""
_FAR_BELOW: Final = 0.1
_QUASI_ADJUSTMENT: Final = 0.99
_OUTLIER: Final = 2.0
"""Standard deviations above the trend, from where on an estimate is not shrunken."""


@dataclass(frozen=True, slots=True)
class CountModel:
    """A design, as the steps for all genes need it."""

    rows: DesignRows
    basis: Basis
    bounds: tuple[float, float]
    """Of dispersions: large ones are needed only by many observations."""

    @classmethod
    def from_design(cls, design: Float) -> CountModel:
        """Prepare a design matrix of full column rank, ``(n_obs, n_coefs)``."""
        bounds = (MIN_DISPERSION, max(10.0, float(len(design))))
        return cls(DesignRows.from_design(design), Basis.from_design(design), bounds)

    @property
    def ridge(self) -> Float:
        """Of every coefficient."""
        return np.full(self.rows.n_coefs, RIDGE)


@dataclass(frozen=True, slots=True)
class GeneDispersion:
    """Fields ``(n_vars,)``, NaN for genes without counts."""

    base_mean: Float
    """Mean of the normalised counts."""
    dispersion: Float
    coef: Float
    """Of the means that were held, where the design has covariates, ``(n_vars, n_coefs)``; of
    groups they follow from the counts, and there are none, ``(n_vars, 0)``."""


def fit_gene_dispersion(
    counts: Float, depths: Float, model: CountModel, *, quasi: bool = False
) -> GeneDispersion:
    """Maximise the adjusted likelihood of every gene's dispersion at first estimates of its means.

    Parameters
    ----------
    counts
        Whole numbers, shape ``(n_obs, n_vars)``.
    depths
        Size factors, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    model
        The design.
    quasi
        As DESeq2 has it for quasi-likelihoods, of which R's answers show two things: the
        adjustment is made to 99%, and the start is kept where the likelihood without any is not
        larger at the maximum.

    Notes
    -----
    The climb starts at an estimate by moments. As in DESeq2, a gene keeps that estimate if the
    likelihood is flat there (its slope by the log dispersion is below 0.01, as where there is no
    dispersion), or if the maximum gains less than a millionth of the log likelihood.

    Examples
    --------
    >>> model = CountModel.from_design(np.array([[1.0, 0], [1, 0], [1, 0], [1, 1], [1, 1], [1, 1]]))
    >>> counts = np.array([[10.0], [30], [20], [50], [90], [40]])
    >>> fit_gene_dispersion(counts, np.ones(6), model).dispersion.round(4).tolist()
    [0.1847]
    """
    normalised = counts / across(depths)
    rough = rough_dispersion(normalised, depths, model.basis, bounds=model.bounds)
    mu, coef = _first_means(counts, normalised, depths, model, rough)
    adjustment = _QUASI_ADJUSTMENT if quasi else 1.0
    fit = fit_conditional_dispersion(
        counts, mu, model.rows, rough, bounds=model.bounds, adjustment=adjustment
    )
    stays = (np.abs(fit.slope) < _FLAT) | (fit.gained < _NO_GAIN)
    if quasi:
        likelihoods = [_log_likelihood(counts, mu, at) for at in (fit.dispersion, rough)]
        stays = ~(likelihoods[0] > likelihoods[1])
    base_mean = normalised.mean(axis=0)
    dispersion = np.where(stays, rough, fit.dispersion)
    return GeneDispersion(base_mean, np.where(base_mean > 0, dispersion, np.nan), coef)


def shrink_dispersion(
    counts: Float, depths: Float, model: CountModel, genes: GeneDispersion, prior: DispersionPrior
) -> Float:
    """Maximise the posterior of every gene's dispersion, at the means that were held before.

    Returns
    -------
    Shape ``(n_vars,)``, NaN for genes without counts.
    """
    normalised = counts / across(depths)
    mu, _ = _first_means(counts, normalised, depths, model, genes.dispersion, genes.coef)
    expected = np.exp(prior.log_mean)
    with np.errstate(invalid="ignore"):
        far_below = ~(genes.dispersion > _FAR_BELOW * expected)
    start = np.where(far_below, expected, genes.dispersion)
    known = np.isfinite(start)
    safe = DispersionPrior(np.where(known, prior.log_mean, 0.0), prior.var)
    fit = fit_conditional_dispersion(
        counts, mu, model.rows, np.where(known, start, 1.0), prior=safe, bounds=model.bounds
    )
    return np.where(known, fit.dispersion, np.nan)


def fit_means(counts: Float, depths: Float, rows: DesignRows, dispersion: Float) -> NbFit:
    """Fit coefficients with a floor below the means, as DESeq2 does.

    With a floor there is no likelihood, and the steps need not settle, as where the dispersion is
    at its bound and most counts are zero. Then the mode of the posterior without a floor is taken;
    ``converged`` tells which genes these are.
    """
    ridge = np.full(rows.n_coefs, RIDGE)
    fit = fit_nb_glm(counts, rows, depths, dispersion, ridge=ridge, floor=FLOOR)
    if not (slow := np.flatnonzero(~fit.converged)).size:
        return fit
    some, few = counts[:, slow], depths if depths.ndim == 1 else depths[:, slow]
    further = fit_nb_glm(
        some, rows, few, dispersion[slow], ridge=ridge, floor=FLOOR, start=fit.coef[slow]
    ).coef
    settled = np.abs(further - fit.coef[slow]).max(axis=1) < _SETTLED
    mode = fit_nb_glm(some, rows, few, dispersion[slow], ridge=ridge).coef
    fit.coef[slow] = np.where(settled[:, None], further, mode)
    fit.converged[slow] = settled
    return fit


def _log_likelihood(counts: Float, mu: Float, dispersion: Float) -> Float:
    """Of every gene, ``(n_vars,)``, but for what the dispersion has no part in."""
    size = 1 / dispersion
    terms = gammaln(counts + size) - gammaln(size) + counts * np.log(dispersion)
    return np.asarray((terms - (counts + size) * np.log1p(dispersion * mu)).sum(axis=0))


def is_dispersion_outlier(dispersion: Float, trend: Float, observed_var: float) -> Bool:
    """Whether a gene lies too far above the trend to be shrunken: two standard deviations."""
    with np.errstate(invalid="ignore"):
        away = np.log(dispersion) - np.log(trend)
        return np.asarray(away > _OUTLIER * np.sqrt(observed_var))


def _first_means(
    counts: Float,
    normalised: Float,
    depths: Float,
    model: CountModel,
    dispersion: Float,
    coef: Float | None = None,
) -> tuple[Float, Float]:
    """Means by groups where the design has no more rows than coefficients, else by a GLM."""
    if model.rows.to_coef is not None:
        mu = linear_means(normalised, model.basis) * across(depths)
        return np.maximum(mu, FLOOR), np.empty((counts.shape[1], 0))
    if coef is None:
        coef = fit_means(counts, depths, model.rows, dispersion).coef
    return np.maximum(fitted_means(model.rows, depths, coef), FLOOR), coef


def across(depths: Float) -> Float:
    """Depths ``(n_obs,)`` or ``(n_obs, n_vars)``, to divide counts ``(n_obs, n_vars)`` by."""
    return depths[:, None] if depths.ndim == 1 else depths

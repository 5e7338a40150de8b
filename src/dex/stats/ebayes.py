"""Empirical Bayes moderation of gene-wise variances [Smyth2004]_; for limma and for edgeR's QL.

References
----------
.. [Smyth2004] Smyth GK (2004). Linear models and empirical Bayes methods for assessing differential
   expression in microarray experiments. Statistical Applications in Genetics and Molecular Biology
   3, Article 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.stats.variance_prior import VariancePrior, fit_variance_prior
from dex.stats.variance_prior_robust import WINSOR_TAILS, fit_robust_prior
from dex.stats.variance_prior_unequal import fit_unequal_prior

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

PriorMethod = Literal["auto", "moments", "likelihood"]
_FEWEST_GENES = 3


@dataclass(frozen=True, slots=True)
class SqueezedVar:
    """Variances of all genes, squeezed towards their prior."""

    var: Float
    """Posterior variances, shape ``(n_vars,)``."""
    prior: VariancePrior
    """What they were squeezed to, and how strongly; of shape ``(1,)`` where all genes share it."""


def squeeze_var(
    var: ArrayLike,
    df: ArrayLike,
    *,
    covariate: ArrayLike | None = None,
    robust: bool = False,
    tails: tuple[float, float] = WINSOR_TAILS,
    method: PriorMethod = "auto",
) -> SqueezedVar:
    """Squeeze variances towards a value that all genes share, or towards a trend.

    Parameters
    ----------
    var
        Residual variances, shape ``(n_vars,)``. NaN, or no degrees of freedom, tells nothing: the
        posterior is then the prior.
    df
        Their degrees of freedom, one for all or of shape ``(n_vars,)``.
    covariate
        What the prior variance depends on smoothly, as mean log expression, ``(n_vars,)``.
    robust
        Whether genes may be outliers: these have no say in the prior and are squeezed less.
    tails
        Shares of the genes that are winsorised at either end, by ``robust`` moments.
    method
        How the prior is estimated: by ``"moments"`` of the log variances or by ``"likelihood"``,
        which knows of unequal degrees of freedom; ``"auto"`` takes the latter where they are
        unequal, as limma does since 3.61.8.

    Returns
    -------
    Posterior variances, ``(df * var + prior.df * prior.var) / (df + prior.df)`` [Smyth2004]_, and
    the prior. Of fewer than three genes each is its own prior, with 0 degrees of freedom.

    Raises
    ------
    InputError
        If the shapes differ or a value of the covariate is not finite.

    Examples
    --------
    >>> squeezed = squeeze_var([0.1, 0.5, 1.0, 9.0], 5)
    >>> squeezed.var.round(2).tolist(), squeezed.prior.df.round(2).tolist()
    ([0.17, 0.48, 0.88, 7.17], [1.35])
    """
    var = np.asarray(var, dtype=np.float64)
    df = np.broadcast_to(np.asarray(df, dtype=np.float64), var.shape)
    if len(var) < _FEWEST_GENES:
        return SqueezedVar(var.copy(), VariancePrior(np.zeros(1), var.copy()))
    along = None if covariate is None else _checked(covariate, var)
    if method == "likelihood" or (method == "auto" and _unequal(df)):
        prior = fit_unequal_prior(var, df, covariate=along, robust=robust)
    elif robust:
        prior = fit_robust_prior(var, df, covariate=along, tails=tails)
    else:
        prior = fit_variance_prior(var, df, covariate=along)
    return SqueezedVar(posterior_var(var, df, prior), prior)


def posterior_var(var: Float, df: Float, prior: VariancePrior) -> Float:
    """Mean of ``var`` and the prior's, weighted by their degrees of freedom [Smyth2004]_, eq. 5.

    Parameters
    ----------
    var, df
        Variances and their degrees of freedom, shape ``(n_vars,)``.
    prior
        From :func:`squeeze_var` or one of the prior's own functions.
    """
    prior_df: Float = np.broadcast_to(prior.df, var.shape)
    prior_var: Float = np.broadcast_to(prior.var, var.shape)
    known = np.isfinite(var) & (df > 0)
    weight = np.where(known, df, 0.0)
    own = np.where(known, var, 0.0)
    with np.errstate(invalid="ignore"):
        mean = (weight * own + prior_df * prior_var) / (weight + prior_df)
    return np.where(np.isinf(prior_df), prior_var, mean)


def _unequal(df: Float) -> bool:
    some = df[df > 0]
    return some.size > 0 and bool(some.min() != some.max())


def _checked(covariate: ArrayLike, var: Float) -> Float:
    along = np.asarray(covariate, dtype=np.float64)
    if along.shape != var.shape:
        msg = (
            f"covariate has shape {along.shape} and var {var.shape}: one value per gene is needed."
        )
        raise InputError(msg)
    if not np.isfinite(along).all():
        n = (~np.isfinite(along)).sum()
        msg = f"covariate has {n} values that are not finite; leave those genes out."
        raise InputError(msg)
    return along

"""Common, trended and tagwise dispersions of all genes, as edgeR's ``estimateDisp`` [Chen2014]_.

.. [Chen2014] Chen Y, Lun ATL, Smyth GK (2014). Differential expression analysis of complex RNA-seq
   experiments using edgeR. In: Statistical Analysis of Next Generation Sequencing Data, 51-74.
   Springer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.stats.common_dispersion import MIN_TOTAL
from dex.stats.ebayes import squeeze_var
from dex.stats.profile_grid import adjusted_profile
from dex.stats.quasi import fit_quasi
from dex.stats.weighted_likelihood import (
    LOG_DISPERSIONS,
    dispersion_at_maximum,
    posterior_dispersion,
    shared_likelihood,
)

if TYPE_CHECKING:
    from dex.data.expression import Columns
    from dex.stats.design_rows import DesignRows
    from dex.tl._counted import Counted
    from dex.typing import Bool, Float


@dataclass(frozen=True, slots=True)
class Trended:
    """A common dispersion, and a trend of dispersions over abundance."""

    common: float
    genes: Columns
    """``base_mean``, ``abundance``, ``dispersion_trend``."""
    used: Bool
    """Genes with enough counts to tell of dispersions, shape ``(n_vars,)``."""
    own: Float
    """Log likelihoods of the genes used, on a grid of dispersions."""
    shared: Float
    """The same, smoothed along the abundance."""


def trended_dispersions(counted: Counted, rows: DesignRows) -> Trended:
    """Evaluate the likelihoods of all genes on a grid, and smooth them along the abundance.

    Raises
    ------
    InputError
        If all genes have hardly any counts.
    """

    def profiles(counts: Float, place: slice) -> Columns:
        depths, weights = counted.depths(place), counted.weights(place)
        used = counts.sum(axis=0) >= MIN_TOTAL
        out = np.full((counts.shape[1], len(LOG_DISPERSIONS)), np.nan)
        some = np.asfortranarray(counts[:, used])
        if depths.ndim > 1:
            depths = depths[:, used]
        if weights is not None:
            weights = weights[:, used]
        out[used] = adjusted_profile(some, rows, depths, LOG_DISPERSIONS, weights=weights)
        return {"profile": out}

    profile = counted.map(profiles, "dispersions")["profile"]
    used = ~np.isnan(profile[:, 0])
    if not used.any():
        msg = f"No gene has {MIN_TOTAL:g} counts: there are no dispersions to estimate."
        raise InputError(msg)
    own = profile[used] - profile[used, :1]
    common = float(dispersion_at_maximum(own.sum(axis=0)))
    genes = counted.abundances(common)
    abundance = genes["abundance"][used]
    shared = shared_likelihood(own, abundance)
    trend = dispersion_at_maximum(shared)
    # Genes with hardly any counts have the dispersion of the least abundant of the others.
    genes["dispersion_trend"] = np.full(len(used), trend[np.argmin(abundance)])
    genes["dispersion_trend"][used] = trend
    return Trended(common, genes, used, own, shared)


def tagwise_dispersions(
    counted: Counted, rows: DesignRows, trended: Trended, *, robust: bool
) -> Columns:
    """Dispersions of the genes' own, squeezed towards the trend as strongly as deviances say."""
    trend, used = trended.genes["dispersion_trend"], trended.used

    def columns(counts: Float, place: slice) -> Columns:
        depths, weights = counted.depths(place), counted.weights(place)
        fit = fit_quasi(counts, rows, depths, trend[place], weights=weights, adjust=False)
        return {"deviance": fit.deviance, "df_residual": fit.df_residual}

    found = counted.map(columns, "deviances about the trend")
    df = found["df_residual"][used]
    own = np.divide(found["deviance"][used], df, out=np.zeros_like(df), where=df > 0)
    abundance = trended.genes["abundance"][used]
    prior_df = squeeze_var(own, df, covariate=abundance, robust=robust).prior.df
    weight = prior_df / (len(counted.libraries) - rows.n_coefs)
    dispersion, df_prior = trend.copy(), np.full(len(trend), prior_df.max())
    dispersion[used] = posterior_dispersion(trended.own, trended.shared, weight)
    df_prior[used] = prior_df
    return {"dispersion": dispersion, "df_prior": df_prior}

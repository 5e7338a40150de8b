"""Deviances and degrees of freedom that stay right where counts are small [Chen2025]_.

A unit deviance with mean ``E`` and variance ``V`` is like ``V / 2E`` times a chi-square with
``2 E**2 / V`` degrees of freedom, as both have these two moments. So the unit deviance is
multiplied by ``2E / V``, and counts ``2 E**2 / V`` degrees of freedom, less the leverage's share.
R's edgeR approximates ``E`` and ``V``; here they are exact.

.. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4: powerful differential
   analysis of sequencing data with expanded functionality and improved support for small counts and
   larger datasets. Nucleic Acids Research 53, gkaf018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import kernel
from dex.stats.lowess import lowess
from dex.stats.unit_deviance import (
    N_DISPERSION_POINTS,
    UnitDeviances,
    interpolate_count,
    moments_of_gene,
    unit_deviance,
)

if TYPE_CHECKING:
    from dex.typing import Float, Int

_SMALL_N, _LEAST = 20.0, 0.02
NO_DF: Final = 1e-8
"""A gene with fewer degrees of freedom has no quasi-dispersion."""
_SPAN: Final = 0.5
_HIGH: Final = 0.9  # quantile of the trend that stands for the typical quasi-dispersion


@dataclass(frozen=True, slots=True)
class AdjustedDeviance:
    """Adjusted residual deviance of every gene."""

    deviance: Float
    """Shape ``(n_vars,)``."""
    df: Float
    """Its degrees of freedom, a real number; nearly 0 where all means are nearly 0."""

    @property
    def quasi_dispersion(self) -> Float:
        """Deviance per degree of freedom; NaN below :data:`NO_DF`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.df > NO_DF, self.deviance / self.df, np.nan)


def adjusted_deviance(
    counts: Float,
    mu: Float,
    leverage: Float,
    dispersion: Float,
    *,
    quasi_dispersion: float = 1.0,
    weights: Float | None = None,
    table: UnitDeviances | None = None,
) -> AdjustedDeviance:
    """Adjust deviances and residual degrees of freedom for small counts [Chen2025]_.

    Counts with a quasi-dispersion have the variance ``quasi_dispersion * mu + dispersion * mu**2``.
    Divided by it they have the first two moments of negative binomial counts with the mean
    ``mu / quasi_dispersion`` and the same ``dispersion``, from which ``E`` and ``V`` are. Their
    deviances are those of a model with the dispersion ``dispersion / quasi_dispersion``, in which
    ``mu`` is fitted, and the quasi-dispersion is left in them.

    Parameters
    ----------
    counts, mu, leverage
        Counts, fitted means, and hat values, shape ``(n_obs, n_vars)``. A mean of 0 counts nothing.
    dispersion
        Before the division by ``quasi_dispersion``, shape ``(n_vars,)``.
    quasi_dispersion
        Typical of all genes, at least 1, as from :func:`typical_quasi_dispersion`.
    weights
        Prior weights, shape ``(n_obs, n_vars)`` or ``(n_obs, 1)``: a count is the mean of so many.
    table
        Moments for all dispersions, where genes come in blocks.

    Examples
    --------
    >>> counts = np.array([[1.0], [2.0], [3.0], [2.0]])
    >>> mu, leverage = np.full((4, 1), 2.0), np.full((4, 1), 0.25)
    >>> adjusted = adjusted_deviance(counts, mu, leverage, np.array([1.0]))
    >>> adjusted.deviance.round(4).tolist(), adjusted.df.round(4).tolist()
    ([0.6421], [5.674])
    """
    if table is None:
        table = UnitDeviances.between(float(dispersion.min()), float(dispersion.max()))
    knots = (table.log_dispersions, table.mean, table.var)
    weights = np.ones((len(counts), 1)) if weights is None else weights
    deviance, df = _adjusted(counts, mu, leverage, weights, dispersion, quasi_dispersion, *knots)
    return AdjustedDeviance(deviance, df)


def typical_quasi_dispersion(quasi_dispersion: Float, abundance: Float) -> float:
    """High quantile of the trend of quasi-dispersions over abundance; at least 1.

    The trend is of fourth roots, whose distribution is nearly symmetric: lowess with half of the
    genes at a time. Its 90% quantile is taken, to the power of four.

    Parameters
    ----------
    quasi_dispersion
        NaN where a gene has none, shape ``(n_vars,)``.
    abundance
        Average log2 counts per million, shape ``(n_vars,)``.

    Examples
    --------
    >>> typical_quasi_dispersion(np.full(10, 16.0), np.arange(10.0))
    16.0
    """
    known = np.isfinite(quasi_dispersion)
    if not known.any():
        return 1.0
    roots = np.sqrt(np.sqrt(quasi_dispersion[known]))
    trend = lowess(abundance[known], roots, span=_SPAN)
    return max(1.0, float(np.quantile(trend, _HIGH)) ** 4)


def abundant_genes(abundance: Float, df_residual: float, *, proportion: float | None = None) -> Int:
    """Genes of high abundance, whose common dispersion is that of all [Chen2025]_.

    Their share falls with the cube root of ``n_vars * sqrt(df_residual)``, from all of 20 to 2%.

    Parameters
    ----------
    abundance
        Average log2 counts per million, shape ``(n_vars,)``.
    df_residual
        Observations less coefficients.
    proportion
        A share instead.

    Returns
    -------
    Positions, most abundant first.

    Examples
    --------
    >>> len(abundant_genes(np.zeros(16860), 3))
    1794
    """
    n_vars = len(abundance)
    if proportion is None:
        information = max(n_vars * math.sqrt(df_residual), _SMALL_N)
        proportion = _LEAST + (1 - _LEAST) * math.cbrt(_SMALL_N / information)
    n_top = max(1, math.ceil(proportion * n_vars))
    return np.asarray(np.argsort(-abundance, kind="stable")[:n_top])


@kernel
def _adjusted(
    counts: Float,
    mu: Float,
    leverage: Float,
    weights: Float,
    dispersion: Float,
    quasi_dispersion: float,
    log_dispersions: Float,
    mean: Float,
    var: Float,
) -> tuple[Float, Float]:
    n_obs, n_vars = counts.shape
    deviance, df = np.zeros(n_vars), np.zeros(n_vars)
    gene_mean, gene_var = np.empty(mean.shape[1]), np.empty(mean.shape[1])
    points = np.empty(N_DISPERSION_POINTS)
    for j in range(n_vars):
        if j == 0 or len(log_dispersions) > 1:
            moments_of_gene(dispersion[j], log_dispersions, mean, points, gene_mean)
            moments_of_gene(dispersion[j], log_dispersions, var, points, gene_var)
        for i in range(n_obs):
            weight = weights[i, min(j, weights.shape[1] - 1)]
            if mu[i, j] <= 0.0 or weight <= 0.0:
                continue
            scale = weight / quasi_dispersion
            scaled = mu[i, j] * scale
            e, v = interpolate_count(math.log(scaled), gene_mean, gene_var)
            unit = unit_deviance(counts[i, j], mu[i, j], dispersion[j] * scale)
            deviance[j] += 2.0 * e / v * weight * unit
            df[j] += scaled / (1.0 + scaled) * 2.0 * e * e / v * (1.0 - leverage[i, j])
    return deviance, df

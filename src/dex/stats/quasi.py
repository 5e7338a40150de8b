"""Quasi-likelihood with negative binomial means and variances: edgeR v4 [Chen2025]_.

All genes share a dispersion, that of the abundant ones. How much more or less a gene varies is
told by its quasi-dispersion, which is squeezed towards a trend over abundance, as a variance is.

.. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4: powerful differential
   analysis of sequencing data with expanded functionality and improved support for small counts and
   larger datasets. Nucleic Acids Research 53, gkaf018.
.. [Lun2017] Lun ATL, Smyth GK (2017). No counts, no variance: allowing for loss of degrees of
   freedom when assessing biological variability from RNA-seq data. Statistical Applications in
   Genetics and Molecular Biology 16, 83-93.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import kernel
from dex.stats.adjusted_deviance import AdjustedDeviance
from dex.stats.gene_rows import by_gene, gene_first, of_every_gene
from dex.stats.information import variances_of_rows
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.nb_newton import exp_rows
from dex.stats.small_matrices import fill
from dex.stats.unit_deviance import (
    N_DISPERSION_POINTS,
    UnitDeviances,
    interpolate_count,
    moments_of_gene,
    unit_deviance,
)

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Bool, Float, Int

_NO_MEAN: Final = 1e-8


@dataclass(frozen=True, slots=True)
class QuasiFit:
    """Coefficients and deviances of a block of genes."""

    coef: Float
    """Natural logs, shape ``(n_vars, n_coefs)``."""
    deviance: Float
    """Of the model as fitted, shape ``(n_vars,)``."""
    adjusted: AdjustedDeviance
    """What the quasi-dispersion is from."""
    df_residual: Float
    """Observations of rows with counts, less the coefficients that these determine [Lun2017]_;
    shape ``(n_vars,)``."""
    converged: Bool
    """Shape ``(n_vars,)``."""


def fit_quasi(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: float | Float,
    *,
    quasi_dispersion: float = 1.0,
    weights: Float | None = None,
    table: UnitDeviances | None = None,
    start: Float | None = None,
    adjust: bool = True,
) -> QuasiFit:
    """Fit a block of genes with the dispersion ``dispersion / quasi_dispersion``.

    Parameters
    ----------
    counts, design, depths, weights
        As in :func:`~dex.stats.nb_glm.fit_nb_glm`.
    dispersion
        Of all genes, or of each, shape ``(n_vars,)``.
    quasi_dispersion
        Typical of all genes, at least 1.
    table
        Moments of unit deviances for all dispersions, where genes come in blocks.
    start
        Coefficients to start from, ``(n_vars, n_coefs)``.
    adjust
        Whether adjusted deviances are asked for; they are zero without.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[2.0], [4.0], [10.0], [14.0]])
    >>> design = DesignRows.from_design(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]))
    >>> fit = fit_quasi(counts, design, np.ones(4), 0.0)
    >>> fit.adjusted.df.round(2).tolist(), fit.adjusted.quasi_dispersion.round(2).tolist()
    ([1.99], [0.64])
    """
    n_obs, n_vars = counts.shape
    spread = of_every_gene(dispersion, n_vars)
    fit = fit_nb_glm(
        counts, design, depths, spread / quasi_dispersion, weights=weights, start=start
    )
    if table is None:
        ends = (float(spread.min()), float(spread.max())) if adjust else (0.0, 0.0)
        table = UnitDeviances.between(*ends)
    deviance, adjusted, df, left = _deviances(
        gene_first(counts),
        design.rows,
        design.index,
        by_gene(depths, n_obs, n_vars),
        by_gene(np.log(depths) if adjust else np.zeros(1), n_obs, n_vars),
        by_gene(weights, n_obs, n_vars),
        np.ascontiguousarray(fit.coef),
        spread,
        quasi_dispersion,
        adjust,
        table.log_dispersions,
        *table.adjustment,
    )
    return QuasiFit(fit.coef, deviance, AdjustedDeviance(adjusted, df), left, fit.converged)


@kernel
def _deviances(
    counts: Float,
    rows: Float,
    index: Int,
    depths: Float,
    log_depths: Float,
    weights: Float,
    coefs: Float,
    dispersions: Float,
    quasi_dispersion: float,
    adjust: bool,
    log_dispersions: Float,
    scale: Float,
    counted: Float,
) -> tuple[Float, Float, Float, Float]:
    n_vars, n_obs = counts.shape
    deviance, adjusted = np.empty(n_vars), np.empty(n_vars)
    df, left = np.empty(n_vars), np.empty(n_vars)
    factors = np.empty((2, scale.shape[1]))
    points = np.empty(N_DISPERSION_POINTS)
    work, lower = np.empty((4, len(rows))), np.empty((rows.shape[1], rows.shape[1]))
    means, information, variance, log_means = work[0], work[1], work[2], work[3]
    precision = np.empty(n_obs)
    for j in range(n_vars):
        depth = depths[j if len(depths) > 1 else 0]
        weight = weights[j if len(weights) > 1 else 0]
        log_depth = log_depths[j if len(log_depths) > 1 else 0]
        dispersion = dispersions[j] / quasi_dispersion
        if adjust and (j == 0 or len(log_dispersions) > 1):
            moments_of_gene(dispersions[j], log_dispersions, scale, points, factors[0])
            moments_of_gene(dispersions[j], log_dispersions, counted, points, factors[1])
        exp_rows(rows, coefs[j], means)
        for r in range(len(means)):
            log_means[r] = math.log(means[r] / quasi_dispersion)
        fill(information, 0.0)
        for i in range(n_obs):
            mu = depth[i] * means[index[i]]
            precision[i] = mu / (1.0 + dispersion * mu)  # as edgeR's leverages: without weights
            information[index[i]] += precision[i]
        left[j] = -variances_of_rows(rows, information, lower, variance)
        plain, right, degrees = 0.0, 0.0, 0.0
        for i in range(n_obs):
            mu = depth[i] * means[index[i]]
            if variance[index[i]] > 0.0:
                left[j] += 1.0
            if mu <= _NO_MEAN or weight[i] <= 0.0:
                continue
            unit = unit_deviance(counts[j, i], mu, dispersion)
            plain += weight[i] * unit
            if not adjust:
                continue
            log_mu = log_depth[i] + log_means[index[i]]
            if weight[i] != 1.0:
                log_mu += math.log(weight[i])
                unit = unit_deviance(counts[j, i], mu, dispersion * weight[i])
            factor, counts_as = interpolate_count(log_mu, factors[0], factors[1])
            right += factor * weight[i] * unit
            degrees += counts_as * (1.0 - min(precision[i] * variance[index[i]], 1.0))
        deviance[j], adjusted[j], df[j] = plain, right, degrees
    return deviance, adjusted, df, left

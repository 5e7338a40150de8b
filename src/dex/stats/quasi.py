"""Quasi-likelihood with negative binomial means and variances: edgeR v4 [Chen2025]_.

All genes share a dispersion, that of the abundant ones. How much more or less a gene varies is
told by its quasi-dispersion, which is squeezed towards a trend over abundance, as a variance is.

.. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4: powerful differential
   analysis of sequencing data with expanded functionality and improved support for small counts and
   larger datasets. Nucleic Acids Research 53, gkaf018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.adjusted_deviance import AdjustedDeviance, adjusted_deviance
from dex.stats.nb_curvature import leverages, nb_curvature
from dex.stats.nb_glm import fit_nb_glm, fitted_means

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.stats.unit_deviance import UnitDeviances
    from dex.typing import Bool, Float


@dataclass(frozen=True, slots=True)
class QuasiFit:
    """Coefficients and deviances of a block of genes."""

    coef: Float
    """Natural logs, shape ``(n_vars, n_coefs)``."""
    deviance: Float
    """Of the model as fitted, shape ``(n_vars,)``."""
    adjusted: AdjustedDeviance
    """What the quasi-dispersion is from."""
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

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> counts = np.array([[2.0], [4.0], [10.0], [14.0]])
    >>> design = DesignRows.from_design(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]))
    >>> fit = fit_quasi(counts, design, np.ones(4), 0.0)
    >>> fit.adjusted.df.round(2).tolist(), fit.adjusted.quasi_dispersion.round(2).tolist()
    ([2.1], [0.59])
    """
    spread = np.broadcast_to(np.asarray(dispersion, dtype=np.float64), (counts.shape[1],)).copy()
    known = spread / quasi_dispersion
    fit = fit_nb_glm(counts, design, depths, known, weights=weights)
    shape = nb_curvature(counts, design, depths, known, fit.coef, weights=weights)
    mu = fitted_means(design, depths, fit.coef)
    leverage = leverages(design, mu, known, shape.cov, weights=weights)
    adjusted = adjusted_deviance(
        counts,
        mu,
        leverage,
        spread,
        quasi_dispersion=quasi_dispersion,
        weights=weights,
        table=table,
    )
    return QuasiFit(fit.coef, shape.deviance, adjusted, fit.converged)

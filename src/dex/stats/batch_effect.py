"""Values without what batches and other nuisances add to them, for plots.

Tests on such values think that the nuisances were known: there they belong in the design.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.stats.basis import Basis
from dex.stats.weighted_model import Blocks, fit_gene_models

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float, Int


def remove_batch_effect(
    values: ArrayLike,
    design: ArrayLike,
    nuisance: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    blocks: Blocks | None = None,
) -> Float:
    """Fit design and nuisances together, and take away what is due to the nuisances.

    Parameters
    ----------
    values
        Logs, shape ``(n_obs, n_vars)``; NaN where missing.
    design
        What is to be kept, shape ``(n_obs, n_coefs)``, a column of ones at least.
    nuisance
        From :func:`batch_columns` and :func:`centred`, shape ``(n_obs, n_nuisances)``.
    weights, blocks
        As for :func:`dex.stats.weighted_model.fit_gene_models`.

    Returns
    -------
    Values of the same shape and level.

    Raises
    ------
    DesignError
        If the nuisances cannot be told from the design.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [11.0], [12.0]])
    >>> batches = batch_columns(np.array([0, 0, 1, 1]))
    >>> remove_batch_effect(values, np.ones((4, 1)), batches).round(6).ravel().tolist()
    [6.0, 7.0, 6.0, 7.0]
    """
    kept, removed = (np.asarray(a, dtype=np.float64) for a in (design, nuisance))
    y = np.asarray(values, dtype=np.float64)
    basis = Basis.from_design(np.column_stack([kept, removed]))
    if weights is None and blocks is None and np.isfinite(y).all():
        coef = y.T @ basis.Q @ basis.to_coef.T
    else:
        coef = np.nan_to_num(fit_gene_models(y, basis, weights=weights, blocks=blocks).coef)
    return np.asarray(y - removed @ coef[:, kept.shape[1] :].T)


def batch_columns(codes: Int) -> Float:
    """Columns of a design for batches, whose effects sum to zero over the batches.

    Parameters
    ----------
    codes
        Batch of each observation, from 0, shape ``(n_obs,)``.

    Returns
    -------
    Shape ``(n_obs, n_batches - 1)``.

    Examples
    --------
    >>> batch_columns(np.array([0, 1, 2])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]
    """
    n = int(np.max(codes)) + 1
    return np.vstack([np.eye(n - 1), -np.ones((1, n - 1))])[codes]


def centred(covariates: ArrayLike) -> Float:
    """Numeric nuisances less their means, ``(n_obs, n_nuisances)``, so that levels stay.

    limma takes them as they are, so that a gene's level becomes what it is at a covariate of 0.

    Examples
    --------
    >>> centred([1.0, 2.0, 6.0]).ravel().tolist()
    [-2.0, -1.0, 3.0]
    """
    columns = np.asarray(covariates, dtype=np.float64)
    columns = columns.reshape(len(columns), -1)
    return np.asarray(columns - columns.mean(axis=0))

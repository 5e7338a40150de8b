"""Means of groups of negative binomial counts, by maximum likelihood, for many genes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.stats.nb_glm import by_gene, gene_first
from dex.stats.nb_shares import shares_of_groups

if TYPE_CHECKING:
    from dex.typing import Float, Int


def group_shares(
    counts: Float,
    index: Int,
    depths: Float,
    dispersion: Float,
    *,
    weights: Float | None = None,
) -> Float:
    """Mean per unit of depth of every group, gene by gene.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``.
    index
        Group of every observation, 0, 1, ..., shape ``(n_obs,)``.
    depths
        Library sizes, or what else multiplies the means, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    dispersion
        Shape ``(n_vars,)``.
    weights
        Of the observations, ``(n_obs,)`` or ``(n_obs, n_vars)``.

    Returns
    -------
    Shape ``(n_vars, n_groups)``; 0 where a group has no counts.

    Examples
    --------
    >>> counts = np.array([[2.0], [4.0], [10.0]])
    >>> group_shares(counts, np.array([0, 0, 1]), np.array([1.0, 1, 2]), np.zeros(1)).tolist()
    [[3.0, 5.0]]
    """
    n_obs, n_vars = counts.shape
    return shares_of_groups(
        gene_first(counts),
        np.asarray(index, dtype=np.int64),
        int(index.max()) + 1,
        by_gene(depths, n_obs, n_vars),
        np.asarray(dispersion, dtype=np.float64),
        by_gene(np.ones(1) if weights is None else weights, n_obs, n_vars),
    )[0]

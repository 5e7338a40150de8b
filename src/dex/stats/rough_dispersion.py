"""Dispersions by the method of moments: where the climb of the likelihood starts [Love2014]_."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.stats.basis import Basis
    from dex.typing import Float


def linear_means(normalised: Float, basis: Basis) -> Float:
    """Means of normalised counts by least squares, which of groups are the groups' means."""
    return np.asarray(basis.Q @ (basis.Q.T @ normalised))


def rough_dispersion(
    normalised: Float, depths: Float, basis: Basis, *, bounds: tuple[float, float]
) -> Float:
    """Smaller of two estimates: from residuals of a linear model, and from the variance at large.

    Parameters
    ----------
    normalised
        Counts over depths, shape ``(n_obs, n_vars)``.
    depths
        What counts were divided by, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    basis
        Of the design.
    bounds
        Smallest and largest dispersion.

    Returns
    -------
    Shape ``(n_vars,)``.

    References
    ----------
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550.

    Examples
    --------
    >>> from dex.stats.basis import Basis
    >>> basis = Basis.from_design(np.ones((4, 1)))
    >>> normalised = np.array([[8.0], [12.0], [20.0], [40.0]])
    >>> rough_dispersion(normalised, np.ones(4), basis, bounds=(1e-8, 10)).round(4).tolist()
    [0.44]
    """
    n_obs = len(normalised)
    fitted = np.maximum(linear_means(normalised, basis), 1.0)
    excess = ((normalised - fitted) ** 2 - fitted) / fitted**2
    rough = np.maximum(excess.sum(axis=0) / (n_obs - basis.Q.shape[1]), 0.0)
    mean, var = normalised.mean(axis=0), normalised.var(axis=0, ddof=1)
    poisson = np.mean(1 / depths, axis=0) * mean
    with np.errstate(invalid="ignore", divide="ignore"):
        moments = (var - poisson) / mean**2
    return np.asarray(np.clip(np.fmin(rough, moments), *bounds))

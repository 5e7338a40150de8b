"""How often the sign of an estimate is wrong, gene by gene and over the best genes [Stephens2017]_.

References
----------
.. [Stephens2017] Stephens M (2017). False discovery rates: a new deal. Biostatistics 18, 275-294.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float


def normal_false_sign_rate(estimate: ArrayLike, sd: ArrayLike, lfc: float = 0.0) -> Float:
    """Posterior probability of the other sign, of a normal posterior.

    With a threshold it is the probability that the effect has the other sign or is smaller than
    ``lfc`` in size [Zhu2019]_.

    Parameters
    ----------
    estimate, sd
        Mean and standard deviation of the posterior, shape ``(n_vars,)``.
    lfc
        Threshold, in the units of the estimate.

    References
    ----------
    .. [Zhu2019] Zhu A, Ibrahim JG, Love MI (2019). Heavy-tailed prior distributions for sequence
       count data: removing the noise and preserving large differences. Bioinformatics 35,
       2084-2092.

    Examples
    --------
    >>> normal_false_sign_rate([1.96, -1.96, 0.0], [1.0, 1.0, 1.0]).round(3).tolist()
    [0.025, 0.025, 0.5]
    >>> normal_false_sign_rate([1.96], [1.0], lfc=1.96).tolist()
    [0.5]
    """
    size = np.abs(np.asarray(estimate, dtype=np.float64))
    return np.asarray(ndtr((lfc - size) / np.asarray(sd, dtype=np.float64)))


def s_values(false_sign_rate: ArrayLike) -> Float:
    """Expected share of false signs among all genes that are at least as sure.

    Parameters
    ----------
    false_sign_rate
        Of each gene, NaN where there is none, shape ``(n_vars,)``.

    Returns
    -------
    The mean rate of the genes up to this one, those with the same rate included, same shape.

    Examples
    --------
    >>> s_values([0.3, 0.1, np.nan, 0.1]).round(4).tolist()
    [0.1667, 0.1, nan, 0.1]
    """
    rates = np.asarray(false_sign_rate, dtype=np.float64)
    known = ~np.isnan(rates)
    ordered = np.sort(rates[known])
    means = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    out = np.full(rates.shape, np.nan)
    out[known] = means[np.searchsorted(ordered, rates[known], side="right") - 1]
    return out

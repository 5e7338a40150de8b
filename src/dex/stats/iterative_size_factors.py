"""Size factors by the likelihood of counts that do not change: DESeq2's ``type="iterate"``.

They need no gene that is counted in every sample, as medians of ratios do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from dex.stats.conditional_dispersion import DispersionPrior
from dex.stats.dispersion_prior import dispersion_spread
from dex.stats.dispersion_trend import eligible, mean_trend
from dex.stats.gene_dispersion import (
    CountModel,
    fit_gene_dispersion,
    is_dispersion_outlier,
    shrink_dispersion,
)

if TYPE_CHECKING:
    from dex.typing import Float

_ROUNDS: Final = 30
_STEADY: Final = 1e-8
"""Sum of squared changes of the logs of the factors; R stops at 1e-4."""
_LEFT_OUT: Final = 0.05
"""Share of the genes, those that the model says are the least likely, that tell nothing."""
_GENES_AT_A_TIME: Final = 1000
_TIGHT: Final[Any] = {"gtol": 1e-8, "ftol": 1e-13}


def iterative_size_factors(counts: Float) -> Float:
    """Fit dispersions of genes that do not change, then the factors, in turn [Love2014]_.

    Parameters
    ----------
    counts
        Shape ``(n_obs, n_vars)``, Fortran order.

    Returns
    -------
    Shape ``(n_obs,)``, of geometric mean 1.

    References
    ----------
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550.

    Examples
    --------
    >>> depths = np.array([0.5, 1.0, 1.0, 2.0])
    >>> rng = np.random.default_rng(0)
    >>> counts = np.asfortranarray(rng.negative_binomial(20, 0.2, (4, 200)) * depths[:, None])
    >>> iterative_size_factors(counts.round()).round(1).tolist()
    [0.5, 1.0, 1.0, 2.0]
    """
    model, logs = CountModel.from_design(np.ones((len(counts), 1))), np.zeros(len(counts))
    for _ in range(_ROUNDS):
        before = logs
        mean, dispersion = _mean_and_dispersion(counts, np.exp(logs), model)
        logs = _most_likely(counts, mean, dispersion, start=logs)
        if ((logs - before) ** 2).sum() < _STEADY:
            break
    return np.asarray(np.exp(logs))


def _mean_and_dispersion(counts: Float, factors: Float, model: CountModel) -> tuple[Float, Float]:
    """Means, and dispersions shrunken towards their mean."""
    pieces = _pieces(counts.shape[1])
    genes = [fit_gene_dispersion(counts[:, piece], factors, model) for piece in pieces]
    mean = np.concatenate([some.base_mean for some in genes])
    own = np.concatenate([some.dispersion for some in genes])
    if not (told := eligible(own)).any():
        return mean, own
    trend = mean_trend(own)(mean)
    spread = dispersion_spread(np.log(own[told]) - np.log(trend[told]), len(counts) - 1)
    shrunken = [
        shrink_dispersion(
            counts[:, piece],
            factors,
            model,
            some,
            DispersionPrior(np.log(trend[piece]), spread.prior),
        )
        for some, piece in zip(genes, pieces, strict=True)
    ]
    outlier = is_dispersion_outlier(own, trend, spread.observed)
    return mean, np.where(outlier, own, np.concatenate(shrunken))


def _most_likely(counts: Float, mean: Float, dispersion: Float, *, start: Float) -> Float:
    """Logs of the factors, of mean 0, at the maximum of the likelihood of the likelier genes."""
    size, pieces = 1 / dispersion, _pieces(len(mean))
    constant = np.empty(len(mean))
    for genes in pieces:
        y, r = counts[:, genes], size[genes]
        constant[genes] = (gammaln(y + r) - gammaln(r) - gammaln(y + 1)).sum(axis=0)

    def loss(logs: Float) -> tuple[float, Float]:
        factors = np.exp(logs - logs.mean())[:, None]
        values, slope = constant.copy(), np.zeros(len(logs))
        for genes in pieces:
            y, r, mu = counts[:, genes], size[genes], factors * mean[genes]
            values[genes] += (y * np.log(mu / (mu + r)) - r * np.log1p(mu / r)).sum(axis=0)
        used = values >= np.quantile(values, _LEFT_OUT)
        for genes in pieces:
            y, r, mu = counts[:, genes], size[genes], factors * mean[genes]
            slope += ((y - mu) / (1 + mu / r))[:, used[genes]].sum(axis=1)
        return -float(values[used].mean()), (slope.mean() - slope) / used.sum()

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=_TIGHT).x
    return np.asarray(found - found.mean())


def _pieces(n_vars: int) -> list[slice]:
    starts = range(0, n_vars, _GENES_AT_A_TIME)
    return [slice(start, start + _GENES_AT_A_TIME) for start in starts]

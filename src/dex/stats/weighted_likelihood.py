"""Dispersions of genes by weighted likelihood: their own and that of genes of like abundance.

The likelihoods are known on a grid of dispersions; smoothed along the abundance they are the shared
likelihood, whose maximum is the trend, and which serves as a prior of every gene's own
[McCarthy2012]_ [Chen2014]_.

.. [McCarthy2012] McCarthy DJ, Chen Y, Smyth GK (2012). Differential expression analysis of
   multifactor RNA-Seq experiments with respect to biological variation. Nucleic Acids Research 40,
   4288-4297.
.. [Chen2014] Chen Y, Lun ATL, Smyth GK (2014). Differential expression analysis of complex RNA-seq
   experiments using edgeR. In: Statistical Analysis of Next Generation Sequencing Data, 51-74.
   Springer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dex.stats.local_regression import local_regression
from dex.stats.spline_maximum import spline_maximum

if TYPE_CHECKING:
    from dex.typing import Float

_FIRST, _STEP, _N_POINTS = -10.0, 1.0, 21
_CENTRE: Final = 0.1
LOG_DISPERSIONS: Final = np.log(_CENTRE) + np.log(2.0) * (_FIRST + _STEP * np.arange(_N_POINTS))
"""Natural logs where likelihoods are to be evaluated: powers of 2 around 0.1, ``(n_points,)``."""
_SMALL_N: Final = 50


def dispersion_at_maximum(log_likelihood: Float) -> Float:
    """Dispersion at the maximum of likelihoods on :data:`LOG_DISPERSIONS`, ``(..., n_points)``.

    Examples
    --------
    >>> dispersion_at_maximum(-np.square(LOG_DISPERSIONS - np.log(0.3))).round(6).item()
    0.3
    """
    values = np.atleast_2d(log_likelihood)
    place = spline_maximum(values, start=_FIRST, step=_STEP)
    return np.asarray((_CENTRE * 2.0**place).reshape(log_likelihood.shape[:-1]))


def trend_span(n_vars: int) -> float:
    """Share of the genes that are smoothed over: a quarter of many, more of few [Chen2014]_.

    Examples
    --------
    >>> trend_span(40), round(trend_span(20_000), 4)
    (1.0, 0.2875)
    """
    return 1.0 if n_vars <= _SMALL_N else 0.25 + 0.75 * float(np.sqrt(_SMALL_N / n_vars))


def shared_likelihood(log_likelihood: Float, abundance: Float) -> Float:
    """Smooth likelihoods ``(n_vars, n_points)`` along the abundance ``(n_vars,)``: local means."""
    curves = local_regression(abundance, log_likelihood, span=trend_span(len(abundance)), degree=0)
    return curves(abundance)


def posterior_dispersion(log_likelihood: Float, shared: Float, weight: Float | float) -> Float:
    """Dispersions of genes that maximise their own and ``weight`` times the shared likelihood.

    ``weight``, one or ``(n_vars,)``, is the prior's degrees of freedom over the residual ones;
    infinite, only the shared likelihood counts.
    """
    weight = np.broadcast_to(np.asarray(weight, dtype=np.float64), (len(shared),))[:, None]
    finite = np.isfinite(weight)
    both = np.where(finite, log_likelihood + np.where(finite, weight, 0.0) * shared, shared)
    return dispersion_at_maximum(both)

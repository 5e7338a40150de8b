"""How dispersion depends on mean expression: the curve that dispersions are shrunk to [Love2014]_.

.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.stats.local_regression import local_regression

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.typing import Bool, Float

TrendKind = Literal["parametric", "local", "mean"]
MIN_DISPERSION = 1e-8
_ELIGIBLE = 100 * MIN_DISPERSION
"""Estimates below say no more than that there is hardly any dispersion."""
_ABOVE_BOUND = 10 * MIN_DISPERSION
_RATIOS = (1e-4, 15.0)
"""A gene whose estimate over the curve is beyond takes no part in the next curve."""
_SAME_CURVE = 1e-6
"""Sum of squared changes of the logs of the coefficients."""
_MAX_CURVES = 10
_MAX_STEPS = 200
_START = (0.1, 1.0)
_TRIM = 0.001


@dataclass(frozen=True, slots=True)
class DispersionTrend:
    """A curve of dispersions over mean normalised counts."""

    kind: TrendKind
    curve: Callable[[Float], Float]
    """Dispersion at any positive mean."""
    coef: tuple[float, float] | None = None
    """Of the parametric curve ``coef[0] + coef[1] / mean``."""

    def __call__(self, base_mean: Float) -> Float:
        """Dispersions expected at means, NaN where there is none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(base_mean > 0, self.curve(np.asarray(base_mean)), np.nan)


def eligible(dispersion: Float) -> Bool:
    """Genes whose estimates the curve and the spread around it are taken from."""
    with np.errstate(invalid="ignore"):
        return np.asarray(dispersion > _ELIGIBLE)


def fit_trend(base_mean: Float, dispersion: Float, kind: TrendKind) -> DispersionTrend:
    """Fit the curve of the kind that is asked for.

    Where there is no parametric curve, a local one takes its place: the ``kind`` of the result
    tells.

    Parameters
    ----------
    base_mean, dispersion
        Of all genes, ``(n_vars,)``; NaN where there is no estimate.
    kind
        Of the curve.

    Examples
    --------
    >>> mean = np.geomspace(1, 1000, 50)
    >>> fit_trend(mean, 0.1 + 4 / mean, "parametric").kind
    'parametric'
    >>> fit_trend(mean, 0.01 * mean, "parametric").kind
    'local'
    """
    used, known = eligible(dispersion), np.isfinite(dispersion)
    if kind == "mean":
        return mean_trend(dispersion)
    if kind == "parametric" and used.any():
        found = parametric_trend(base_mean[used], dispersion[used])
        if found is not None:
            return found
    return local_trend(base_mean[known], dispersion[known])


def parametric_trend(base_mean: Float, dispersion: Float) -> DispersionTrend | None:
    """Fit ``a + b / mean`` to the dispersions of genes, again and again without the outliers.

    Each curve is a gamma regression with identity link; genes are left out whose dispersion is more
    than 15 times or less than a ten-thousandth of the last curve, until the curve stays.

    Parameters
    ----------
    base_mean, dispersion
        Means of normalised counts and dispersions of the genes that are eligible.

    Returns
    -------
    The curve, or None if there is none with both coefficients positive.

    Examples
    --------
    >>> mean = np.geomspace(1, 1000, 50)
    >>> trend = parametric_trend(mean, 0.1 + 4 / mean)
    >>> np.round(trend.coef, 6).tolist()
    [0.1, 4.0]
    """
    coef = np.array(_START)
    for _ in range(_MAX_CURVES):
        ratio = dispersion * base_mean / (coef[0] * base_mean + coef[1])
        kept = (ratio > _RATIOS[0]) & (ratio < _RATIOS[1])
        found = _gamma_regression(base_mean[kept], dispersion[kept], coef)
        if found is None or not (found > 0).all():
            return None
        change, coef = np.square(np.log(found / coef)).sum(), found
        if change < _SAME_CURVE:
            return _parametric(float(coef[0]), float(coef[1]))
    return None


def _parametric(level: float, extra: float) -> DispersionTrend:
    return DispersionTrend("parametric", lambda mean: level + extra / mean, (level, extra))


def local_trend(base_mean: Float, dispersion: Float) -> DispersionTrend:
    """Local regression of the logs, weighted by the means; of genes that have an estimate."""
    with np.errstate(invalid="ignore"):
        used = dispersion > _ABOVE_BOUND
    if not used.any():
        return DispersionTrend("local", lambda mean: np.full(np.shape(mean), MIN_DISPERSION))
    mean = base_mean[used]
    fit = local_regression(np.log(mean), np.log(dispersion[used]), weights=mean)
    return DispersionTrend("local", lambda mean: np.exp(fit(np.log(mean))))


def mean_trend(dispersion: Float) -> DispersionTrend:
    """One dispersion for all means, a trimmed average; of all genes that have an estimate."""
    with np.errstate(invalid="ignore"):
        used = np.sort(dispersion[dispersion > _ABOVE_BOUND])
    n_out = int(np.floor(len(used) * _TRIM))
    level = float(used[n_out : len(used) - n_out].mean()) if len(used) else MIN_DISPERSION
    return DispersionTrend("mean", lambda mean: np.full(np.shape(mean), level))


def _gamma_regression(mean: Float, dispersion: Float, start: Float) -> Float | None:
    """Coefficients on 1 and 1 / mean by Fisher scoring; steps are halved until they climb."""
    if len(mean) < 2:
        return None
    design = np.column_stack([np.ones_like(mean), 1 / mean])
    coef, before = start, _gamma_deviance(design @ start, dispersion)
    for _ in range(_MAX_STEPS):
        fitted = design @ coef
        scaled = design / fitted[:, None]
        step = np.linalg.lstsq(scaled, dispersion / fitted, rcond=None)[0] - coef
        for _halving in range(60):
            after = _gamma_deviance(design @ (coef + step), dispersion)
            if after <= before * (1 + 1e-14) + 1e-300:
                break
            step = step / 2
        coef, before = coef + step, after
        if np.abs(step / coef).max() < 1e-12:
            return np.asarray(coef)
    return None


def _gamma_deviance(fitted: Float, dispersion: Float) -> float:
    """Infinite where a fitted value is not positive."""
    if not (fitted > 0).all():
        return np.inf
    ratio = dispersion / fitted
    return float(2 * np.sum(ratio - 1 - np.log(ratio)))

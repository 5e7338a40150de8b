"""Counts transformed so that their variance hardly depends on their mean [Anders2010]_.

The variance of a normalised count ``q`` is ``v(q) = noise * q + dispersion(q) * q**2``, and what
stabilises it is the integral of ``1 / sqrt(v)``, brought to the scale of log2 of large counts.

References
----------
.. [Anders2010] Anders S, Huber W (2010). Differential expression analysis for sequence count data.
   Genome Biology 11, R106.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.interpolate import CubicSpline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from dex.typing import Float

_KNOTS: Final = 4001
_CELLS: Final = 1000
"""Of DESeq2's sum, which is kept in step with."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
ANCHORS: Final = (0.95, 0.999)
"""Quantiles of the genes' means at which the transformation is log2."""


@dataclass(frozen=True, slots=True)
class ParametricVst:
    """Under a trend ``asymptotic + extra / mean``, in closed form; log2 of large counts."""

    asymptotic: float
    """Positive."""
    extra: float

    def __call__(self, normalised: ArrayLike) -> Float:
        """Transform counts over size factors.

        Examples
        --------
        >>> ParametricVst(0.1, 4.0)([0.0, 10.0, 1e6]).round(3).tolist()
        [3.644, 4.895, 19.932]
        """
        q = np.asarray(normalised, dtype=np.float64)
        a, b = self.asymptotic, 1 + self.extra
        root = np.sqrt(a * q * (b + a * q))
        return np.asarray(np.log2((b + 2 * a * q + 2 * root) / (4 * a)))


@dataclass(frozen=True, slots=True)
class ConstantVst:
    """Under the same dispersion for all genes, in closed form; log2 of large counts."""

    dispersion: float
    """Positive."""

    def __call__(self, normalised: ArrayLike) -> Float:
        """Transform counts over size factors.

        Examples
        --------
        >>> ConstantVst(0.1)([0.0, 10.0, 1e6]).round(3).tolist()
        [1.322, 3.865, 19.932]
        """
        scaled = self.dispersion * np.asarray(normalised, dtype=np.float64)
        arc = np.arcsinh(np.sqrt(scaled))
        return np.asarray((2 * arc - math.log(4 * self.dispersion)) / math.log(2))


@dataclass(frozen=True, slots=True)
class NumericVst:
    """Under any trend, integrated numerically."""

    integral: CubicSpline
    """Over the inverse hyperbolic sine of the root of a count."""
    late: float
    """Half a cell of DESeq2's grid."""
    slope: float
    shift: float

    def __call__(self, normalised: ArrayLike) -> Float:
        """Transform counts over size factors."""
        return np.asarray(self.shift + self.slope * self._integrated(normalised))

    def _integrated(self, normalised: ArrayLike) -> Float:
        q = np.sinh(np.arcsinh(np.asarray(normalised, dtype=np.float64)) + self.late)
        return np.asarray(self.integral(np.arcsinh(np.sqrt(q))))


def numeric_vst(
    trend: Callable[[Float], Float], *, size_factors: Float, base_mean: Float, largest: float
) -> NumericVst:
    """Integrate a trend of dispersions.

    The integral is exact, where DESeq2 sums over a thousand cells of the inverse hyperbolic sine of
    a count and books each at its middle, half a cell late. For the sake of equal values, which that
    moves by up to 0.03, the integral is read off half a cell later.

    Parameters
    ----------
    trend
        Dispersion at any positive mean.
    size_factors
        Their mean inverse is the noise of counting, shape ``(n_obs,)``.
    base_mean
        Means of the normalised counts, ``(n_vars,)``: at two of their quantiles the transformation
        is log2.
    largest
        Largest normalised count that will be transformed.

    Examples
    --------
    >>> mean = np.geomspace(1, 1e5, 500)
    >>> options = {"size_factors": np.ones(4), "base_mean": mean, "largest": 2e5}
    >>> vst = numeric_vst(lambda q: 0.1 + 4 / q, **options)
    >>> exact = ParametricVst(0.1, 4.0)
    >>> bool(np.allclose(np.diff(vst([0.0, 100.0])), np.diff(exact([0.0, 100.0])), rtol=1e-2))
    True
    """
    noise = float(np.mean(1 / size_factors))
    # With q = sinh(u)**2 the integrand is smooth at zero too.
    late = math.asinh(largest) / (_CELLS - 1) / 2
    reach = math.sinh(math.asinh(largest) + late)
    knots = np.linspace(0, math.asinh(math.sqrt(reach)), _KNOTS)
    half = np.diff(knots)[:, None] / 2
    u = (knots[:-1, None] + knots[1:, None]) / 2 + half * _NODES
    q = np.square(np.sinh(u))
    dispersion = trend(np.maximum(q, 0.01 * late).ravel())  # no trend is known so low
    density = 2 * np.cosh(u) / np.sqrt(noise + q * dispersion.reshape(q.shape))
    steps = (half * density) @ _WEIGHTS
    integral = CubicSpline(knots, np.concatenate([[0.0], np.cumsum(steps)]))
    anchors = np.quantile(base_mean, ANCHORS)
    low, high = NumericVst(integral, late, 1.0, 0.0)(anchors)
    slope = float(np.diff(np.log2(anchors))[0] / (high - low))
    return NumericVst(integral, late, slope, float(np.log2(anchors[0]) - slope * low))


def spread_over_means(base_mean: Float, n: int, *, least: float = 5.0) -> Float:
    """Genes enough to estimate a trend from: evenly spread over the ranks of their means.

    Parameters
    ----------
    base_mean
        Means of normalised counts, shape ``(n_vars,)``.
    n
        Number of genes wanted.
    least
        Genes up to this mean are left out.

    Returns
    -------
    Positions of ``n`` genes, or of all above ``least`` if these are fewer, ascending means.

    Examples
    --------
    >>> spread_over_means(np.array([1.0, 9, 6, 8, 7, 10]), 3).tolist()
    [2, 3, 5]
    """
    usable = np.flatnonzero(base_mean > least)
    ordered = usable[np.argsort(base_mean[usable], kind="stable")]
    if len(ordered) <= n:
        return np.asarray(ordered)
    return np.asarray(ordered[np.rint(np.linspace(0, len(ordered) - 1, n)).astype(np.intp)])

"""Local polynomials in one dimension on an adaptive set of vertices [Loader1999]_, as in locfit.

The range of ``x`` is halved until no cell is longer than 0.8 of the smaller bandwidth at its ends;
polynomials are fitted at the ends only. Between them the curve is the cubic that has their values
and slopes. So the work does not grow with the number of points at which the curve is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicHermiteSpline, interp1d

from dex.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

CUT = 0.8
"""Longest cell, in bandwidths."""
_SHORTEST = 2.0**-20
"""Cells shorter than this part of the range are not halved, though ties leave no bandwidth."""
_ROUNDING = 1e-12
"""A number of neighbours this close to the next whole one is that."""


@dataclass(frozen=True, slots=True)
class LocalRegression:
    """A smooth curve, or several on the same vertices."""

    vertices: Float
    """Ascending, shape ``(n_vertices,)``."""
    values: Float
    """Shape ``(n_vertices, ...)``, as the ``y`` that was smoothed."""
    slopes: Float | None
    """Shape of ``values``; None after local means, between which the curve is straight."""
    curvature: Float
    """Of a parabola through all points, shape ``(...)``: how the curve goes on beyond them."""

    def __call__(self, at: ArrayLike) -> Float:
        """Values of the curve, shape ``at.shape + (...)``; NaN where ``at`` is."""
        x = np.asarray(at, dtype=np.float64)
        if len(self.vertices) == 1:
            return np.asarray(np.broadcast_to(self.values[0], x.shape + self.values.shape[1:]))
        if self.slopes is None:
            line = interp1d(self.vertices, self.values, axis=0, fill_value="extrapolate")
            return np.asarray(line(x))
        out = np.asarray(CubicHermiteSpline(self.vertices, self.values, self.slopes)(x))
        for end, outside in ((0, x < self.vertices[0]), (-1, x > self.vertices[-1])):
            beyond = np.expand_dims(x[outside] - self.vertices[end], tuple(range(1, out.ndim)))
            line = self.values[end] + self.slopes[end] * beyond
            out[outside] = line + self.curvature * np.square(beyond)
        return out


def local_regression(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    span: float = 0.7,
    degree: int = 2,
) -> LocalRegression:
    """Fit polynomials to the nearest points, weighted by the tricube of their distance.

    It is R's ``locfit(y ~ lp(x, nn=span, deg=degree), weights=weights)`` for normal responses; of
    degree 0 it is edgeR's ``locfitByCol``.

    Parameters
    ----------
    x
        Finite, shape ``(n,)``.
    y
        Finite, shape ``(n,)``, or ``(n, n_curves)`` for as many curves with the same weights.
    weights
        Not negative, shape ``(n,)``; they do not move the neighbourhoods.
    span
        Share of the points that are neighbours.
    degree
        Of the polynomials: 0, 1 or 2.

    Returns
    -------
    The curve, a function of ``x``.

    Raises
    ------
    InputError
        If the points, weights, span or degree cannot be used.

    References
    ----------
    .. [Loader1999] Loader C (1999). Local Regression and Likelihood. Springer, New York. Chapters 2
       and 12.

    Examples
    --------
    >>> x = np.linspace(0, 10, 50)
    >>> curve = local_regression(x, x**2)
    >>> curve([0.0, 3.3, 12.0]).round(6).tolist()
    [0.0, 10.89, 144.0]
    """
    points = _Points.checked(x, y, weights)
    if degree not in {0, 1, 2} or not 0 < span <= 1:
        msg = f"degree={degree}, span={span} is not possible; degree is 0, 1 or 2, 0 < span <= 1."
        raise InputError(msg)
    n_local = max(int(len(points.x) * span + _ROUNDING), 1)
    fits: dict[float, tuple[float, Float]] = {}
    cells = [(float(points.x.min()), float(points.x.max()))]
    shortest = _SHORTEST * (cells[0][1] - cells[0][0])
    while cells:
        cell = cells.pop()
        for end in cell:
            if end not in fits:
                fits[end] = _fit_at(points, end, n_local, degree)
        cut = max(CUT * min(fits[end][0] for end in cell), shortest)
        if cell[1] - cell[0] > cut:
            middle = (cell[0] + cell[1]) / 2
            cells += [(cell[0], middle), (middle, cell[1])]
    vertices = np.array(sorted(fits))
    coefs = np.array([fits[vertex][1] for vertex in vertices])
    slopes = coefs[:, 1] if degree else None
    return LocalRegression(vertices, coefs[:, 0], slopes, _curvature(points, degree))


@dataclass(frozen=True, slots=True)
class _Points:
    """What is smoothed."""

    x: Float
    y: Float
    weights: Float

    @classmethod
    def checked(cls, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None) -> _Points:
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        w = np.ones(len(xs)) if weights is None else np.asarray(weights, dtype=np.float64)
        if not len(xs) == len(ys) == len(w) > 0:
            msg = f"{len(xs)} x, {len(ys)} y and {len(w)} weights; give one of each per point."
            raise InputError(msg)
        if not (np.isfinite(xs).all() and np.isfinite(ys).all() and np.isfinite(w).all()):
            msg = "Points or weights are not finite and cannot be smoothed; leave them out."
            raise InputError(msg)
        if (w < 0).any() or not w.any():
            msg = "weights are negative or all zero; a point to be left out has weight 0."
            raise InputError(msg)
        return cls(xs, ys, w)


def _fit_at(points: _Points, at: float, n_local: int, degree: int) -> tuple[float, Float]:
    """Bandwidth and the coefficients of the polynomial in ``x - at``, ``(degree + 1, ...)``."""
    distance = np.abs(points.x - at)
    bandwidth = float(np.partition(distance, n_local - 1)[n_local - 1])
    if bandwidth == 0:  # so many ties: reach to the next place
        bandwidth = float(np.min(distance[distance > 0], initial=np.inf))
    weights = points.weights * (1 - np.minimum(distance / bandwidth, 1) ** 3) ** 3
    if not weights.any():  # nothing within: take what is at the rim
        weights = np.where(distance <= bandwidth, points.weights, 0.0)
    near = weights > 0
    ratio, weights = (points.x[near] - at) / bandwidth, weights[near]
    basis = np.vander(ratio, degree + 1, increasing=True)
    coef = _least_squares(basis, points.y[near], weights)
    return bandwidth, (coef.T / bandwidth ** np.arange(degree + 1)).T


def _least_squares(basis: Float, y: Float, weights: Float) -> Float:
    """Of minimal norm, where places are fewer than coefficients."""
    if not len(weights):
        msg = "All points of a neighbourhood have weight 0; take a larger span, or leave them out."
        raise InputError(msg)
    roots = np.sqrt(weights / weights.max())
    return np.asarray(np.linalg.lstsq(roots[:, None] * basis, (roots * y.T).T, rcond=None)[0])


def _curvature(points: _Points, degree: int) -> Float:
    if degree < 2:
        return np.zeros(points.y.shape[1:])
    basis = np.vander(points.x - points.x.mean(), 3, increasing=True)
    return np.asarray(_least_squares(basis, points.y, points.weights)[2])

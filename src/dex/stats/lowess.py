"""Robust locally weighted regression (lowess), as R's ``lowess`` computes it [Cleveland1979]_.

statsmodels has one, but it differs from R's where points lie on the same ``x``, in the points that
``delta`` skips, and after robust iterations (up to 4e-5, and NaN under ties; version 0.15), so this
is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.stats.local_lines import Rule, smooth

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

DELTA = 0.01
"""Points that are nearer than this part of the range of ``x`` share a local fit, by default."""
_ROUNDING = 1e-3
"""Cleveland takes weights for 0 or 1 where they are about to be, and local points that are narrower
than this part of the range for one place, without a slope."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve through points."""

    x: Float
    """Ascending, without ties, shape ``(n_points,)``."""
    y: Float

    def __call__(self, at: ArrayLike) -> Float:
        """Interpolate linearly; beyond the points, the value of the last one, R's ``rule=2``."""
        return np.asarray(np.interp(np.asarray(at, dtype=np.float64), self.x, self.y))


def lowess(
    x: ArrayLike,
    y: ArrayLike,
    *,
    span: float = 2 / 3,
    n_iter: int = 3,
    delta: float | None = None,
) -> Float:
    """Fit a line to the neighbours of every point, and do so again without the outliers.

    Parameters
    ----------
    x, y
        Finite, shape ``(n,)``, in any order; ``x`` may have ties.
    span
        Share of the points that are neighbours, R's ``f``.
    n_iter
        Number of fits after the first, in which points with large residuals weigh less, R's
        ``iter``.
    delta
        Local fits are made at points this far apart, and interpolated between; by default 0.01 of
        the range of ``x``, as in R. 0 fits at every point.

    Returns
    -------
    Smoothed ``y``, shape ``(n,)``, in the order of the points.

    Raises
    ------
    InputError
        If there are no points, ``x`` and ``y`` differ in length, or a value is not finite.

    References
    ----------
    .. [Cleveland1979] Cleveland WS (1979). Robust locally weighted regression and smoothing
       scatterplots. Journal of the American Statistical Association 74, 829-836. And Cleveland WS
       (1981). LOWESS: a program for smoothing scatterplots. The American Statistician 35, 54.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> y = 2 * x + 1
    >>> y[4] = 100.0
    >>> lowess(x, y).round(6).tolist()
    [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0]
    """
    x, y = checked_points(x, y)
    spacing = DELTA * np.ptp(x) if delta is None else delta
    n_local = float(min(max(int(span * len(x) + 1e-7), 2), len(x)))
    return smooth(x, y, np.ones(len(x)), Rule(n_local, spacing, n_iter, _ROUNDING, overstep=False))


def weighted_lowess(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike,
    *,
    span: float = 0.3,
    n_iter: int = 3,
    delta: float | None = None,
    n_points: int = 200,
) -> Float:
    """Lowess where a point of weight 3 is three points, as limma's ``weightedLowess``.

    Parameters
    ----------
    x, y
        Finite, shape ``(n,)``.
    weights
        Not negative, not all zero, shape ``(n,)``.
    span
        Share of the total weight that the neighbours of a point have.
    n_iter
        Number of fits after the first; limma's ``iterations`` less one.
    delta
        Distance of local fits; by default what gives about ``n_points`` of them.
    n_points
        Number of local fits, unless ``delta`` is given.

    Returns
    -------
    Smoothed ``y``, shape ``(n,)``, in the order of the points. Where a point and all that lie
    nearer than its furthest neighbour weigh nothing, it is ``y`` itself (NaN in limma).

    Raises
    ------
    InputError
        If the points or weights cannot be used.

    Examples
    --------
    >>> x = np.arange(6.0)
    >>> y = np.where(x == 3, 100.0, x)
    >>> weighted_lowess(x, y, np.where(x == 3, 0.0, 1.0), span=0.8).round(6).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    x, y = checked_points(x, y)
    prior = _checked_weights(weights, len(x))
    spacing = _delta_for(x, n_points) if delta is None else delta
    rule = Rule(span * float(prior.sum()), spacing, n_iter, 0.0, overstep=True)
    return smooth(x, y, prior, rule)


def _delta_for(x: Float, n_points: int) -> float:
    """Smallest distance at which ``n_points`` anchors reach over all but the largest gaps."""
    gaps = np.sort(np.diff(np.unique(x)))
    if len(gaps) < n_points:
        return 0.0
    covered = np.cumsum(gaps)[::-1][:n_points]
    return float((covered / (n_points - np.arange(len(covered)))).min())


def _checked_weights(weights: ArrayLike, n: int) -> Float:
    out = np.asarray(weights, dtype=np.float64)
    if out.shape != (n,) or not (np.isfinite(out) & (out >= 0)).all() or not out.any():
        msg = (
            f"weights of shape {out.shape} for {n} points: give one finite weight for each, none "
            "negative and not all zero."
        )
        raise InputError(msg)
    return out


def lowess_curve(
    x: ArrayLike,
    y: ArrayLike,
    *,
    span: float = 2 / 3,
    n_iter: int = 3,
    delta: float | None = None,
) -> Curve:
    """:func:`lowess` as a curve, to be read off anywhere.

    Examples
    --------
    >>> lowess_curve([2.0, 1, 3, 4], [4.0, 2, 6, 8])([0.0, 1.5, 9.0]).round(6).tolist()
    [2.0, 3.0, 8.0]
    """
    xs, _ = checked_points(x, y)
    fitted = lowess(x, y, span=span, n_iter=n_iter, delta=delta)
    knots, first = np.unique(xs, return_index=True)
    return Curve(knots, fitted[first])


def choose_span(n: int, *, small_n: int = 50, min_span: float = 0.3, power: float = 1 / 3) -> float:
    """Span that shrinks with the number of points, as limma's ``chooseLowessSpan`` documents.

    Parameters
    ----------
    n
        Number of points.
    small_n
        Up to this number the span is 1.
    min_span
        Span of a very large number of points.
    power
        How fast the span shrinks.

    Returns
    -------
    ``min_span + (1 - min_span) * (small_n / n)**power``, 1 at the most.

    Examples
    --------
    >>> choose_span(50), round(choose_span(17_000), 4)
    (1.0, 0.4003)
    """
    return float(min(min_span + (1 - min_span) * (small_n / max(n, 1)) ** power, 1.0))


def checked_points(x: ArrayLike, y: ArrayLike) -> tuple[Float, Float]:
    """``x`` and ``y`` as float64.

    Raises
    ------
    InputError
        If they are no finite points.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.ndim != 1 or xs.shape != ys.shape or not len(xs):
        msg = f"x of shape {xs.shape} and y of shape {ys.shape} are no points; give two vectors."
        raise InputError(msg)
    if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        n_bad = int((~(np.isfinite(xs) & np.isfinite(ys))).sum())
        msg = f"{n_bad} of {len(xs)} points are not finite and cannot be smoothed; leave them out."
        raise InputError(msg)
    return xs, ys

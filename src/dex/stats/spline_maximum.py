"""Where functions that are known on a grid have their maxima, by cubic splines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float


def spline_maximum(values: Float, *, start: float, step: float) -> Float:
    """Maximise the cubic splines through points of an equally spaced grid.

    The spline's third derivative at either end is that of the cubic through the four points there
    [Forsythe1977]_. The maximum is sought next to the largest point.

    Parameters
    ----------
    values
        Shape ``(n_functions, n_points)``, four points or more.
    start, step
        The first point of the grid, and how far points lie apart.

    Returns
    -------
    Shape ``(n_functions,)``.

    References
    ----------
    .. [Forsythe1977] Forsythe GE, Malcolm MA, Moler CB (1977). Computer Methods for Mathematical
       Computations. Prentice-Hall.

    Examples
    --------
    >>> grid = np.arange(6.0)
    >>> spline_maximum(-((grid[None] - 2.3) ** 2), start=0.0, step=1.0).round(6).tolist()
    [2.3]
    """
    bend = _second_derivatives(values)
    at = np.argmax(values, axis=1)
    best, place = np.take_along_axis(values, at[:, None], 1)[:, 0], at.astype(np.float64)
    for left in (at - 1, at):
        inside = (left >= 0) & (left < values.shape[1] - 1)
        segment = np.clip(left, 0, values.shape[1] - 2)
        top, where = _top_of(values, bend, segment)
        better = inside & (top > best)
        best, place = np.where(better, top, best), np.where(better, segment + where, place)
    return np.asarray(start + step * place)


def _second_derivatives(values: Float) -> Float:
    """Second derivatives of the splines at the points, per squared step."""
    n = values.shape[1]
    system = np.zeros((n, n))
    inner = np.arange(1, n - 1)
    system[inner, inner - 1], system[inner, inner], system[inner, inner + 1] = 1, 4, 1
    system[0, :2], system[-1, -2:] = (-1, 1), (-1, 1)
    right = np.zeros_like(values)
    right[:, 1:-1] = 6 * np.diff(values, 2, axis=1)
    third = np.diff(values, 3, axis=1)
    right[:, 0], right[:, -1] = third[:, 0], third[:, -1]
    return np.asarray(np.linalg.solve(system, right.T).T)


def _top_of(values: Float, bend: Float, segment: np.ndarray) -> tuple[Float, Float]:
    """Largest stationary value within a segment, and its place in 0 to 1; -inf if there is none."""
    row = np.arange(len(values))
    y0, y1 = values[row, segment], values[row, segment + 1]
    m0, m1 = bend[row, segment], bend[row, segment + 1]
    b, c, d = y1 - y0 - (2 * m0 + m1) / 6, m0 / 2, (m1 - m0) / 6
    top, where = np.full(len(y0), -np.inf), np.zeros(len(y0))
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(c * c - 3 * b * d)
        # At a maximum the slope falls: c + 3 d t = -root; in the form without cancellation.
        t = np.where(c > 0, -(c + root) / (3 * d), b / (root - c))
        t = np.where(np.isfinite(t), t, -1.0)
    found = (t >= 0) & (t <= 1)
    value = y0 + t * (b + t * (c + t * d))
    return np.where(found, value, top), np.where(found, t, where)

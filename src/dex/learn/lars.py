"""The order in which variables enter the lasso path [Efron2004]_."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

_COLLINEAR = 1e-8
_ROUNDING = 1e-12


def entry_order(X: Float, y: Float, n: int) -> Int:
    """Variables in the order in which they first enter the lasso path of ``y`` on ``X``.

    Parameters
    ----------
    X
        Centred, of equal length, shape ``(n_obs, n_features)``.
    y
        Centred, shape ``(n_obs,)``.
    n
        Number to be let in, at most.

    Returns
    -------
    Positions, shape ``(at most n,)``; fewer if the path ends before. One that is a combination of
    those in the model never enters.

    References
    ----------
    .. [Efron2004] Efron B, Hastie T, Johnstone I, Tibshirani R (2004). Least angle regression.
       Annals of Statistics 32, 407-499. Sections 2 and 3.1.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> entry_order(X, np.array([1.0, -1.0, 3.0, -3.0]), 2).tolist()
    [1, 0]
    """
    gram, c = X.T @ X, X.T @ y
    scale = float(np.abs(c).max(initial=0.0))
    beta = np.zeros(len(c))
    active: list[int] = []
    seen: list[int] = []
    barred = np.diag(gram) < _ROUNDING
    dropped = -1
    while len(seen) < n:
        size = np.where(barred, -1.0, np.abs(c))
        size[active] = -1.0
        if dropped >= 0:
            size[dropped] = -1.0
        bound = float(np.abs(c[active]).max(initial=0.0)) if active else float(size.max())
        if dropped < 0:
            j = int(np.argmax(size))
            if size[j] <= _ROUNDING * max(scale, 1.0):
                break
            if _in_span(gram, active, j):
                barred[j] = True
                continue
            active.append(j)
            if j not in seen:
                seen.append(j)
        bound = float(np.abs(c[active]).max())
        sign = np.sign(c[active])
        direction = np.linalg.solve(gram[np.ix_(active, active)], sign)
        slope = gram[:, active] @ direction
        step, leaving = _step(
            c, slope, beta, active, direction=direction, bound=bound, barred=barred
        )
        beta[active] += step * direction
        c = c - step * slope
        dropped = -1
        if leaving >= 0:
            dropped = active.pop(leaving)
            beta[dropped] = 0.0
        elif step >= bound * (1 - _ROUNDING):
            break
        if not active:
            break
    return np.array(seen[:n], dtype=np.intp)


def _in_span(gram: Float, active: list[int], j: int) -> bool:
    if not active:
        return False
    own = gram[active, j]
    left = gram[j, j] - own @ np.linalg.solve(gram[np.ix_(active, active)], own)
    return bool(left < _COLLINEAR * gram[j, j])


def _step(
    c: Float,
    slope: Float,
    beta: Float,
    active: list[int],
    *,
    direction: Float,
    bound: float,
    barred: Bool,
) -> tuple[float, int]:
    """How far to go until another is as correlated, or one in the model is at zero."""
    outside = ~barred
    outside[active] = False
    step = bound
    with np.errstate(divide="ignore", invalid="ignore"):
        for reach in ((bound - c) / (1 - slope), (bound + c) / (1 + slope)):
            ahead = reach[outside & (reach > _ROUNDING * bound)]
            step = min(step, float(ahead.min(initial=np.inf)))
        zero = -beta[active] / direction
    zero = np.where(zero > _ROUNDING * max(bound, 1e-300), zero, np.inf)
    leaving = int(np.argmin(zero))
    if zero[leaving] < step:
        return float(zero[leaving]), leaving
    return step, -1

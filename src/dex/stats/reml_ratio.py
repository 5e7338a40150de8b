"""Ratio of two variances of every gene by restricted maximum likelihood, in spectral form.

With one random intercept a gene's values have the covariance ``var (I + ratio Z Z')``. What the
design leaves of them falls into independent parts: one along each eigenvector of ``Z' M Z`` (``M``
takes the design out), whose variance is ``var (1 + ratio d)``, and the rest, with variance ``var``
[Patterson1971]_. The likelihood is then a sum, whatever the design, and has one argument.

References
----------
.. [Patterson1971] Patterson HD, Thompson R (1971). Recovery of inter-block information when block
   sizes are unequal. Biometrika 58, 545-554.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Bool, Float, Int

_SMALLEST, _LARGEST, _GRID = -5.0, 11.0, 65
"""Grid of log10 of ratio x mean eigenvalue: four points to a factor of ten, between which the
likelihood, a sum of sigmoid curves of the log ratio, cannot hide an optimum."""
SINGULAR = 1e-8
"""Ratio below which it counts as zero: lme4's 1e-4, which is of standard deviations."""
_MAX_STEPS = 100
_CONVERGED = 1e-13


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What the restricted likelihood depends on."""

    eigenvalues: Float
    """Positive, ``(n_vars, n_parts)``, or ``(1, n_parts)`` where all genes share them."""
    squares: Float
    """Squares of the values along their eigenvectors, ``(n_vars, n_parts)``."""
    rest: Float
    """Sum of the squares of the rest, ``(n_vars,)``."""
    df: int
    """Observations less coefficients."""

    def of_genes(self, genes: Int | Bool) -> Spectrum:
        """Of some genes."""
        shared = len(self.eigenvalues) == 1 and len(self.rest) != 1
        eigenvalues = self.eigenvalues if shared else self.eigenvalues[genes]
        return Spectrum(eigenvalues, self.squares[genes], self.rest[genes], self.df)

    def sum_of_squares(self, ratio: Float) -> Float:
        """Of all parts, each in its variance at ``var`` 1, ``(n_vars,)``."""
        scaled = self.squares / (1 + ratio[:, None] * self.eigenvalues)
        return np.asarray(self.rest + scaled.sum(axis=1))

    def deviance(self, ratio: Float) -> Float:
        """-2 log restricted likelihood at the best ``var``, up to a constant, ``(n_vars,)``."""
        log_det = np.log1p(ratio[:, None] * self.eigenvalues).sum(axis=1)
        return np.asarray(log_det + self.df * np.log(self.sum_of_squares(ratio)))

    def slopes(self, ratio: Float) -> tuple[Float, Float]:
        """First and second derivative of :meth:`deviance` in the ratio."""
        share = self.eigenvalues / (1 + ratio[:, None] * self.eigenvalues)
        scaled = self.squares * share / (1 + ratio[:, None] * self.eigenvalues)
        total = self.sum_of_squares(ratio)
        down = scaled.sum(axis=1) / total
        bend = 2 * (scaled * share).sum(axis=1) / total - np.square(down)
        return share.sum(axis=1) - self.df * down, self.df * bend - np.square(share).sum(axis=1)

    def uncertainty(self, ratio: Float) -> Float:
        """Sampling (co)variances of log ``var`` and ``ratio``, ``(n_vars, 3)``.

        The inverse of the observed information: of log var, of both, of the ratio. The ratio is at
        its optimum.
        """
        share = self.eigenvalues / (1 + ratio[:, None] * self.eigenvalues)
        scaled = self.squares * share / (1 + ratio[:, None] * self.eigenvalues)
        per_var = self.df / self.sum_of_squares(ratio)
        both = per_var * scaled.sum(axis=1)
        bend = 2 * per_var * (scaled * share).sum(axis=1) - np.square(share).sum(axis=1)
        det = self.df * bend - np.square(both)
        return np.stack([2 * bend / det, -2 * both / det, 2 * self.df / det], axis=1)


def reml_ratio(spectrum: Spectrum) -> Float:
    """Ratio of the variances at the greatest restricted likelihood, ``(n_vars,)``; 0 if singular.

    The best of a grid is where Newton's method begins, kept between its neighbours: the likelihood
    may have several optima.

    Parameters
    ----------
    spectrum
        Of every gene, none of which has nothing in it.

    Examples
    --------
    >>> squares = np.array([[30.0, 30.0], [1.0, 1.0]])  # between blocks of three; 4 df within
    >>> reml_ratio(Spectrum(np.array([[3.0, 3.0]]), squares, np.array([8.0, 8.0]), 6)).round(6)
    array([4.666667, 0.      ])
    """
    grid = np.r_[0.0, np.logspace(_SMALLEST, _LARGEST, _GRID) / spectrum.eigenvalues.mean()]
    best = _deviances(spectrum, grid).argmin(axis=1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    at = grid[best]
    rising = spectrum.slopes(at)[0] >= 0
    low, high = np.where(rising, low, at), np.where(rising, at, high)
    inside = ~(rising & (best == 0)) & (low < high)
    out = at.copy()
    out[inside] = _newton(spectrum.of_genes(inside), low[inside], high[inside])
    out[out <= SINGULAR] = 0.0
    return np.asarray(out)


def _deviances(spectrum: Spectrum, grid: Float) -> Float:
    """Of every gene at every ratio of a grid, ``(n_vars, n_grid)``."""
    if len(spectrum.eigenvalues) > 1:
        n = len(spectrum.rest)
        return np.stack([spectrum.deviance(np.full(n, ratio)) for ratio in grid], axis=1)
    scale = 1 + np.outer(spectrum.eigenvalues[0], grid)
    totals = spectrum.squares @ (1 / scale) + spectrum.rest[:, None]
    return np.asarray(spectrum.df * np.log(totals) + np.log(scale).sum(axis=0))


def _newton(spectrum: Spectrum, low: Float, high: Float) -> Float:
    """Root of the slope between ``low``, where it falls, and ``high``, where it rises."""
    x = _between(low, high)
    active = np.arange(len(x))
    for _ in range(_MAX_STEPS):
        slope, bend = spectrum.of_genes(active).slopes(x[active])
        rising = slope > 0
        high[active[rising]], low[active[~rising]] = x[active[rising]], x[active[~rising]]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = x[active] - slope / bend
        safe = (bend > 0) & (step > low[active]) & (step < high[active])
        fresh = np.where(safe, step, _between(low[active], high[active]))
        moved = np.abs(fresh - x[active]) > _CONVERGED * fresh
        x[active] = fresh
        active = active[moved & (fresh > SINGULAR / 2)]
        if not len(active):
            break
    return x


def _between(low: Float, high: Float) -> Float:
    """In the middle of the logs, or of the numbers from 0."""
    return np.where(low > 0, np.sqrt(low * high), high / 2)

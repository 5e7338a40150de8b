"""Natural cubic splines of a covariate, the knots at its quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicSpline

if TYPE_CHECKING:
    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class NaturalSpline:
    """Natural cubic splines through some knots: straight beyond the outer ones.

    The basis spans what R's ``ns(x, df, intercept=TRUE)`` spans; each of its functions is 1 at one
    knot and 0 at the others.
    """

    knots: Float
    """Ascending, without ties; at least two."""

    @classmethod
    def at_quantiles(cls, x: Float, df: int) -> NaturalSpline:
        """Put ``df`` knots at equally spaced quantiles of ``x``, its range included.

        Examples
        --------
        >>> spline = NaturalSpline.at_quantiles(np.arange(11.0), 3)
        >>> spline.knots.tolist(), spline.basis(np.array([0.0, 5.0])).round(6).tolist()
        ([0.0, 5.0, 10.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        """
        return cls(np.unique(np.quantile(x, np.linspace(0, 1, df))))

    def basis(self, x: Float) -> Float:
        """Values of the basis at ``x``, shape ``(len(x), n_knots)``."""
        identity = np.eye(len(self.knots))
        if len(self.knots) == 2:  # a line
            share = (x - self.knots[0]) / (self.knots[1] - self.knots[0])
            return np.column_stack([1 - share, share])
        spline = CubicSpline(self.knots, identity, bc_type="natural")
        low, high = self.knots[0], self.knots[-1]
        inside = np.clip(x, low, high)
        slope = spline(np.where(x < low, low, high), 1)
        return np.asarray(spline(inside) + (x - inside)[:, None] * slope)

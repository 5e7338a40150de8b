"""A design in other coordinates, in which a contrast is a coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class IsolatedContrast:
    """The same model, written so that one coefficient is the contrast."""

    design: Float
    """Shape ``(n_obs, n_coefs)``; it spans what the old one did."""
    coef: int
    """The coefficient that is the contrast."""
    transform: Float
    """New coefficients from the old: ``new = transform @ old``, ``(n_coefs, n_coefs)``."""

    def coefs(self, old: Float) -> Float:
        """Old coefficients, ``(n_vars, n_coefs)``, in the new coordinates."""
        return np.asarray(old @ self.transform.T)


def isolate_contrast(design: ArrayLike, contrast: ArrayLike) -> IsolatedContrast:
    """Exchange the coefficient with the largest share in a contrast for the contrast itself.

    Priors that pull one coefficient to zero then pull the contrast to zero. The other coefficients
    keep what they mean; where the contrast is a coefficient, nothing changes at all.

    Parameters
    ----------
    design
        Of full column rank, shape ``(n_obs, n_coefs)``.
    contrast
        Shape ``(n_coefs,)``.

    Raises
    ------
    InputError
        If the contrast is zero.

    Examples
    --------
    >>> design = np.array([[1.0, 0, 0], [1, 1, 0], [1, 0, 1]])
    >>> isolated = isolate_contrast(design, [0, 1, -1])
    >>> isolated.coef, isolated.design.tolist()
    (1, [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    >>> isolated.coefs(np.array([[5.0, 3.0, 2.0]])).tolist()
    [[5.0, 1.0, 2.0]]
    """
    vector = np.asarray(contrast, dtype=np.float64)
    if not vector.any():
        msg = "The contrast is zero in all coefficients and cannot be shrunk."
        raise InputError(msg)
    coef = int(np.argmax(np.abs(vector)))
    transform = np.eye(len(vector))
    transform[coef] = vector
    # X T^-1: column coef over its share; the others less their share in it.
    matrix = np.array(design, dtype=np.float64)
    matrix[:, coef] /= vector[coef]
    others = np.arange(len(vector)) != coef
    matrix[:, others] -= matrix[:, [coef]] * vector[others]
    return IsolatedContrast(matrix, coef, transform)

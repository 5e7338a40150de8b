"""Genes in coordinates of which the first is a contrast and the rest are residuals [Wu2010]_.

All of them are independent with one variance where the contrast is null, so that they may be
rotated: the root of rotation tests, and of correlations between genes.

.. [Wu2010] Wu D, Lim E, Vaillant F, Asselin-Labat ML, Visvader JE, Smyth GK (2010). ROAST: rotation
   gene set tests for complex microarray experiments. Bioinformatics 26, 2176-2182.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.stats.ebayes import SqueezedVar, squeeze_var

if TYPE_CHECKING:
    from dex.stats.weighted_model import Blocks
    from dex.typing import Float

_SIZES = 2**23
"""Entries of the bases of some genes at a time."""


@dataclass(frozen=True, slots=True)
class ContrastEffects:
    """A contrast and residuals of every gene, on orthonormal axes."""

    effect: Float
    """Along the contrast, over its unscaled standard error, ``(n_vars,)``."""
    residuals: Float
    """Orthogonal to the design, ``(n_vars, df_residual)``."""
    mean_log2: Float
    """Mean of the values, ``(n_vars,)``."""

    @property
    def df_residual(self) -> int:
        """Observations less coefficients."""
        return int(self.residuals.shape[1])

    @property
    def var(self) -> Float:
        """Residual variances, ``(n_vars,)``."""
        return np.asarray(np.square(self.residuals).mean(axis=1))

    def squeezed(self, *, trend: bool = False, robust: bool = False) -> SqueezedVar:
        """Residual variances and their prior, over all genes."""
        along = self.mean_log2 if trend else None
        return squeeze_var(self.var, self.df_residual, covariate=along, robust=robust)


def contrast_effects(
    values: Float,
    design: Float,
    contrast: Float,
    *,
    weights: Float | None = None,
    blocks: Blocks | None = None,
) -> ContrastEffects:
    """Bring values to axes of which the first is the contrast.

    Parameters
    ----------
    values
        Logs, shape ``(n_obs, n_vars)``, none missing.
    design
        Of full column rank, ``(n_obs, n_coefs)``.
    contrast
        Weights of the coefficients, ``(n_coefs,)``.
    weights
        Inverse variances up to a factor, ``(n_obs,)`` or ``(n_obs, n_vars)``.
    blocks
        Observations that are correlated, or None.

    Raises
    ------
    InputError
        If no residual degree of freedom is left, or the contrast is zero.

    Examples
    --------
    >>> design = np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]])
    >>> effects = contrast_effects(np.array([[1.0], [2], [4], [5]]), design, np.array([0.0, 1.0]))
    >>> effects.effect.round(6).tolist(), effects.var.round(6).tolist()
    ([3.0], [0.5])
    """
    n_obs, n_coefs = design.shape
    if n_obs <= n_coefs:
        msg = f"{n_obs} observations and {n_coefs} coefficients leave no residuals to test with."
        raise InputError(msg)
    X, mean = _contrast_last(design, contrast), values.mean(axis=0)
    half = None if blocks is None else np.linalg.cholesky(_correlations(blocks))
    if weights is None or weights.ndim == 1:
        root = np.ones(n_obs) if weights is None else np.sqrt(weights)
        y = _whitened(root[:, None] * values, half)
        Q, R = np.linalg.qr(_whitened(root[:, None] * X, half), mode="complete")
        along = (y.T @ Q)[:, n_coefs - 1 :]
        along[:, 0] *= np.sign(R[n_coefs - 1, n_coefs - 1])
        return ContrastEffects(along[:, 0].copy(), along[:, 1:].copy(), mean)
    along = np.empty((values.shape[1], n_obs - n_coefs + 1))
    step = max(_SIZES // n_obs**2, 1)
    for start in range(0, values.shape[1], step):
        genes = slice(start, start + step)
        root = np.sqrt(weights[:, genes])
        y = _whitened(root * values[:, genes], half)
        own = _whitened(root.T[:, :, None] * X, half)
        Q, R = np.linalg.qr(own, mode="complete")
        part = np.einsum("goc,og->gc", Q[:, :, n_coefs - 1 :], y)
        part[:, 0] *= np.sign(R[:, n_coefs - 1, n_coefs - 1])
        along[genes] = part
    return ContrastEffects(along[:, 0].copy(), along[:, 1:].copy(), mean)


def _contrast_last(design: Float, contrast: Float) -> Float:
    """Columns that span the design, the last of which has the contrast as its coefficient.

    Where weights differ between genes, so do the axes of their residuals, and the order of the
    columns matters: a coefficient goes last as it is, else an orthogonal reflection of all.
    """
    some = np.flatnonzero(contrast)
    if not len(some):
        msg = "The contrast is zero in all coefficients: nothing to test."
        raise InputError(msg)
    if len(some) == 1:
        k = int(some[0])
        order = [i for i in range(len(contrast)) if i != k]
        return np.column_stack([design[:, order], design[:, k] * np.sign(contrast[k])])
    axis = contrast / np.linalg.norm(contrast)
    axis[0] += 1.0 if axis[0] >= 0 else -1.0
    turned = design - np.outer(design @ axis, axis) * (2 / (axis @ axis))
    sign = -1.0 if contrast[0] >= 0 else 1.0
    return np.column_stack([turned[:, 1:], sign * turned[:, 0]])


def _correlations(blocks: Blocks) -> Float:
    same = blocks.codes[:, None] == blocks.codes[None, :]
    return np.where(np.eye(len(same), dtype=bool), 1.0, same * blocks.correlation)


def _whitened(values: Float, half: Float | None) -> Float:
    return values if half is None else np.asarray(np.linalg.solve(half, values))

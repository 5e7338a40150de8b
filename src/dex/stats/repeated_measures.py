"""The correlation of repeated measures, one for all genes [Smyth2005]_.

Every gene has a variance between blocks and one within; their ratio is found by restricted maximum
likelihood, and the correlations of all genes are averaged on Fisher's scale, extremes left out.

References
----------
.. [Smyth2005] Smyth GK, Michaud J, Scott HS (2005). Use of within-array replicate spots for
   assessing differential expression in microarray experiments. Bioinformatics 21, 2067-2075.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy  # its stats load at first use

from dex.stats.packed import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.stats.basis import Basis
    from dex.typing import Bool, Float, Int

TRIM = 0.15
"""limma's share of the genes left out of the average at either end."""
_HIGHEST = 0.99
_ABOVE_LOWEST = 0.01
_GRID = 24
_GOLDEN = (np.sqrt(5) - 1) / 2
_STEPS = 45
_SINGULAR = 1e-10


def consensus_correlation(atanh: Float, *, trim: float = TRIM) -> float:
    """Trimmed mean of the genes' correlations on Fisher's scale, transformed back.

    Examples
    --------
    >>> round(consensus_correlation(np.arctanh([0.1, 0.2, 0.2, 0.3, np.nan])), 3)
    0.201
    """
    known = atanh[np.isfinite(atanh)]
    return float(np.tanh(scipy.stats.trim_mean(known, trim))) if known.size else 0.0


def atanh_correlations(
    values: Float, basis: Basis, codes: Int, *, weights: Float | None = None
) -> Float:
    """Correlation within blocks of every gene by restricted maximum likelihood, as its atanh.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``; NaN where missing.
    basis
        Of the design.
    codes
        Block of each observation, ``(n_obs,)``, from 0.
    weights
        Inverse variances of the values up to a factor, in their shape.

    Returns
    -------
    Shape ``(n_vars,)``. At most that of 0.99, and 0.01 above the lowest that the largest block
    allows; NaN where there are too few observations or no blocks.
    """
    known = np.isfinite(values) if weights is None else np.isfinite(values) & (weights > 0)
    out = np.full(values.shape[1], np.nan)
    usable = _usable(known, codes, basis.Q.shape[1])
    if not usable.any():
        return out
    some = None if weights is None else weights[:, usable]
    model = _BlockModel.of(values[:, usable], some, basis.Q, codes)
    lowest = 1 / (1 - max(int(np.bincount(codes).max()), 2)) + _ABOVE_LOWEST
    out[usable] = np.arctanh(_minimise(model.deviance, lowest, _HIGHEST, int(usable.sum())))
    return out


def restricted_deviance(
    correlation: Float, values: Float, basis: Basis, codes: Int, *, weights: Float | None = None
) -> Float:
    """-2 log restricted likelihood of every gene at its ``correlation``, up to a constant.

    ``values`` and the rest are as in :func:`atanh_correlations`.
    """
    return _BlockModel.of(values, weights, basis.Q, codes).deviance(correlation)


def _usable(known: Bool, codes: Int, n_coefs: int) -> Bool:
    """Genes with residual degrees of freedom to share between and within several blocks."""
    member = np.eye(int(codes.max()) + 1)[codes]
    n, n_blocks = known.sum(axis=0), (known.T @ member > 0).sum(axis=1)
    return (n > n_coefs + 2) & (n_blocks > 1) & (n_blocks < n - 1)


@dataclass(frozen=True, slots=True)
class _BlockModel:
    """Sums over blocks, from which a gene's likelihood follows at any ratio of variances.

    Values times the roots of their weights have ``V = I + ratio J`` in a block of m, whose inverse
    is ``I - c J`` with ``c = ratio / (1 + ratio m)``: products less one of block sums.
    """

    gram: Float
    right: Float
    total: Float
    block_size: Float
    """``(n_vars, n_blocks)``."""
    block_x: Float
    """``(n_vars, n_blocks, k)``."""
    block_y: Float
    n: Int

    @classmethod
    def of(cls, values: Float, weights: Float | None, Q: Float, codes: Int) -> _BlockModel:
        w = np.ones_like(values) if weights is None else weights
        w = np.where(np.isfinite(values) & (w > 0), w, 0.0)
        y = np.where(w > 0, values, 0.0)
        member = np.eye(int(codes.max()) + 1)[codes]
        rows, columns = np.triu_indices(Q.shape[1])
        by_block = (member[:, :, None] * Q[:, None, :]).reshape(len(Q), -1)
        gram = unpack(w.T @ (Q[:, rows] * Q[:, columns]))
        effects = np.linalg.pinv(gram, hermitian=True) @ ((w * y).T @ Q)[:, :, None]
        y -= Q @ effects[:, :, 0].T  # the likelihood is of residuals; large means cost digits
        roots, wy = np.sqrt(w), w * y
        return cls(
            gram=gram,
            right=wy.T @ Q,
            total=np.einsum("ij,ij->j", wy, y),
            block_size=(w > 0).T @ member,
            block_x=(roots.T @ by_block).reshape(y.shape[1], member.shape[1], Q.shape[1]),
            block_y=(roots * y).T @ member,
            n=np.count_nonzero(w, axis=0),
        )

    def deviance(self, correlation: Float) -> Float:
        """-2 log restricted likelihood, the residual variance at its best, ``(n_vars,)``."""
        ratio = correlation / (1 - correlation)
        size = 1 + ratio[:, None] * self.block_size
        valid = (size > 0).all(axis=1)
        c = ratio[:, None] / np.where(size > 0, size, 1.0)
        weighted = c[:, :, None] * self.block_x
        gram = self.gram - weighted.transpose(0, 2, 1) @ self.block_x
        right = self.right - np.einsum("gbk,gb->gk", weighted, self.block_y)
        total = self.total - np.einsum("gb,gb->g", c, np.square(self.block_y))
        values, vectors = np.linalg.eigh(gram)
        kept = values > _SINGULAR * values[:, -1:]
        rotated = np.einsum("gk,gkl->gl", right, vectors)
        some = np.where(kept, values, 1.0)
        rss = total - np.where(kept, np.square(rotated) / some, 0.0).sum(axis=1)
        df = self.n - kept.sum(axis=1)
        log_det = np.log(np.where(size > 0, size, 1.0)).sum(axis=1) + np.log(some).sum(axis=1)
        rss = np.maximum(rss, np.finfo(float).tiny)
        return np.where(valid, df * np.log(rss) + log_det, np.inf)


def _minimise(function: Callable[[Float], Float], low: float, high: float, n: int) -> Float:
    """Argument of the least value of every gene: the best of a grid, then golden sections."""
    grid = np.linspace(low, high, _GRID)
    values = np.array([function(np.full(n, at)) for at in grid])
    best = values.argmin(axis=0)
    a, b = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    left, right = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
    at_left, at_right = function(left), function(right)
    for _ in range(_STEPS):
        down = at_left < at_right
        a, b = np.where(down, a, left), np.where(down, right, b)
        fresh = np.where(down, b - _GOLDEN * (b - a), a + _GOLDEN * (b - a))
        at_fresh = function(fresh)
        left, right = np.where(down, fresh, right), np.where(down, left, fresh)
        at_left, at_right = np.where(down, at_fresh, at_right), np.where(down, at_left, at_fresh)
    return np.asarray((a + b) / 2)

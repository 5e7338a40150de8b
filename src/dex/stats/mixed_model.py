"""Linear mixed models with one random intercept per block, of all genes at once.

A gene's values are ``design @ coef + block + noise``, with ``var`` the variance of the noise (over
the weights) and ``ratio * var`` that of the blocks. Within a block the covariance is the identity
and a matrix of rank one, so that all of it follows from sums over blocks; the design's own are the
same for all genes. Nothing of size ``n_obs x n_obs`` is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import DesignError, InputError
from dex.stats.linear_model import rounding_of, size_of_terms
from dex.stats.packed import pack, unpack
from dex.stats.reml_ratio import Spectrum, reml_ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.stats.basis import Basis
    from dex.typing import Bool, Float, Int

_SINGULAR = 1e-9
"""An eigenvalue below this part of the largest block is rounding."""


@dataclass(frozen=True, slots=True)
class MixedModels:
    """Fits of genes, before a contrast is chosen: what :mod:`dex.stats.satterthwaite` tests."""

    coef: Float
    """Shape ``(n_vars, n_coefs)``."""
    cov: Float
    """Covariance of the coefficients, packed, ``(n_vars, k (k + 1) / 2)``."""
    cov_between: Float
    """How it depends on the variance between blocks, packed: its derivative in ``ratio``; of a
    singular fit, the part of it that is due to means of blocks."""
    uncertainty: Float
    """Sampling (co)variances of log ``var`` and of what ``cov_between`` is the slope of, ``(n_vars,
    3)``: the first, both, the second."""
    var: Float
    """Variance within blocks at weight 1, ``(n_vars,)``."""
    ratio: Float
    """Variance between blocks over ``var``, ``(n_vars,)``."""
    singular: Bool
    """Genes whose blocks differ no more than by chance: ``ratio`` is 0."""
    constant: Bool
    """Genes that have no variance within blocks, and no test; all else of them is NaN."""


@dataclass(frozen=True, slots=True)
class BlockedDesign:
    """A design, and which observations are of one block."""

    basis: Basis
    codes: Int
    """Block of each observation, ``(n_obs,)``, from 0."""
    n_parts: int
    """Dimensions in which blocks differ and the design does not: more than 0."""
    df_between: float
    """Degrees of freedom that the design leaves of means of blocks: blocks less the coefficients
    that lie between them. One that lies partly within them counts with its share."""
    df_within: float
    """Likewise of deviations from the means; together, observations less coefficients."""

    @classmethod
    def of(cls, basis: Basis, codes: Int) -> BlockedDesign:
        """Count degrees of freedom.

        Raises
        ------
        DesignError
            If the design holds the blocks, or leaves nothing within them.
        """
        member = np.eye(int(codes.max()) + 1)[codes]
        sums = member.T @ basis.Q
        n, n_blocks, n_coefs = *member.shape, basis.Q.shape[1]
        together = _rank(np.hstack([member, basis.Q]))
        if together == n_coefs:
            msg = (
                "The design knows every block already, which leaves nothing to be random: leave "
                "the blocks out of the design, or block= out."
            )
            raise DesignError(msg)
        if together == n:
            msg = (
                f"{n} observations in {n_blocks} blocks and {n_coefs} coefficients leave no "
                "degrees of freedom within blocks; replicates within them are needed."
            )
            raise DesignError(msg)
        between = n_blocks - float((np.square(sums).sum(axis=1) / member.sum(axis=0)).sum())
        return cls(basis, codes, together - n_coefs, between, n - n_coefs - between)


def fit_mixed_models(
    values: Float, design: BlockedDesign, *, weights: ArrayLike | None = None
) -> MixedModels:
    """Fit every gene by restricted maximum likelihood.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``, finite.
    design
        From :meth:`BlockedDesign.of`.
    weights
        Inverse variances up to a factor, positive, in the shape of ``values``.

    Raises
    ------
    InputError
        If shapes differ.

    Notes
    -----
    Estimates are those of lme4 [Bates2015]_. At a singular fit the degrees of freedom of a contrast
    are not: there the likelihood says nothing of how uncertain the ratio is, and lmerTest gives
    effects between blocks about as many as there are observations. Here, means of blocks and
    deviations from them count as two independent estimates of the variance, with ``df_between``
    and ``df_within``. In balanced designs tests between blocks then never reject more often than
    the exact F test.

    References
    ----------
    .. [Bates2015] Bates D, Maechler M, Bolker B, Walker S (2015). Fitting linear mixed-effects
       models using lme4. Journal of Statistical Software 67(1), 1-48.

    Examples
    --------
    >>> from dex.stats.basis import Basis
    >>> design = BlockedDesign.of(Basis.from_design(np.ones((6, 1))), np.array([0, 0, 1, 1, 2, 2]))
    >>> fit = fit_mixed_models(np.array([[1.0], [3.0], [5.0], [7.0], [12.0], [14.0]]), design)
    >>> fit.coef.round(6).item(), fit.var.round(6).item(), fit.ratio.round(6).item()
    (7.0, 2.0, 15.0)
    """
    y = np.asarray(values, dtype=np.float64)
    if len(y) != len(design.basis.Q):
        msg = f"The design has {len(design.basis.Q)} observations, the values have {len(y)}."
        raise InputError(msg)
    w = np.ones((len(y), 1)) if weights is None else np.asarray(weights, dtype=np.float64)
    sums = _BlockSums.of(design, w)
    effects = sums.least_squares(y)
    residuals = y - design.basis.Q @ effects.T
    spectrum, small = _spectrum(sums, residuals, design, _rounding(y, design.basis, effects))
    constant = small | ~np.isfinite(spectrum.rest)
    ratio = np.full(y.shape[1], np.nan)
    ratio[~constant] = reml_ratio(spectrum.of_genes(~constant))
    effects = effects + sums.correction(residuals, ratio)
    return _models(sums, spectrum, effects, ratio, design)


def _models(
    sums: _BlockSums, spectrum: Spectrum, effects: Float, ratio: Float, design: BlockedDesign
) -> MixedModels:
    """What is known of genes at their ratios."""
    singular = ratio == 0
    var = spectrum.sum_of_squares(ratio) / spectrum.df
    inverse = np.linalg.inv(sums.gram_at(np.nan_to_num(ratio)))
    between = inverse @ sums.slope_at(ratio, singular) @ inverse
    with np.errstate(divide="ignore", invalid="ignore"):
        uncertainty = spectrum.uncertainty(ratio)
    within = 2 / design.df_within
    uncertainty[singular] = within, -within, within + 2 / design.df_between
    to_coef, scale = design.basis.to_coef, var[:, None, None]
    return MixedModels(
        effects @ to_coef.T,
        pack(scale * (to_coef @ inverse @ to_coef.T)),
        pack(scale * (to_coef @ between @ to_coef.T)),
        uncertainty,
        var,
        ratio,
        singular,
        np.isnan(ratio),
    )


@dataclass(frozen=True, slots=True)
class _BlockSums:
    """Weighted sums over blocks and over all; the first axis is of genes, or 1 where they share."""

    weights: Float
    """``(n_obs, n_vars)`` or ``(n_obs, 1)``."""
    Q: Float
    member: Float
    """``(n_obs, n_blocks)``."""
    size: Float
    """``(n, n_blocks)``."""
    block_x: Float
    """``(n, n_blocks, k)``."""
    gram: Float
    """``(n, k, k)``."""
    inverse: Float
    """Of ``gram``."""

    @classmethod
    def of(cls, design: BlockedDesign, w: Float) -> _BlockSums:
        Q, member = design.basis.Q, np.eye(int(design.codes.max()) + 1)[design.codes]
        rows, columns = np.triu_indices(Q.shape[1])
        gram = unpack(w.T @ (Q[:, rows] * Q[:, columns]))
        by_block = (member[:, :, None] * Q[:, None, :]).reshape(len(Q), -1)
        block_x = (w.T @ by_block).reshape(w.shape[1], member.shape[1], Q.shape[1])
        return cls(w, Q, member, w.T @ member, block_x, gram, np.linalg.inv(gram))

    def least_squares(self, y: Float) -> Float:
        """Effects without blocks, ``(n_vars, k)``."""
        effects = _times(self.inverse, (self.weights * y).T @ self.Q)
        left = y - self.Q @ effects.T
        return effects + _times(self.inverse, (self.weights * left).T @ self.Q)

    def correction(self, residuals: Float, ratio: Float) -> Float:
        """What blocks change of these effects, ``(n_vars, k)``."""
        shrink = self._shrink(np.nan_to_num(ratio))
        sums = shrink * ((self.weights * residuals).T @ self.member)
        right = _times(self.block_x.transpose(0, 2, 1), sums)
        return -_times(np.linalg.inv(self.gram_at(np.nan_to_num(ratio))), right)

    def gram_at(self, ratio: Float) -> Float:
        """``X' V^-1 X`` of every gene at its ratio, ``(n_vars, k, k)``."""
        return self.gram - self._weighted_squares(self._shrink(ratio))

    def slope_at(self, ratio: Float, singular: Bool) -> Float:
        """How it falls with the ratio; of singular fits, what of it is of means of blocks."""
        falls = 1 / np.square(1 + ratio[:, None] * self.size)
        return self._weighted_squares(np.where(singular[:, None], 1 / self.size, falls))

    def _shrink(self, ratio: Float) -> Float:
        return np.asarray(ratio[:, None] / (1 + ratio[:, None] * self.size))

    def _weighted_squares(self, by: Float) -> Float:
        """Sum over blocks of the squares of ``block_x``, each ``by`` a number."""
        rows, columns = np.triu_indices(self.Q.shape[1])
        squares = self.block_x[:, :, rows] * self.block_x[:, :, columns]
        if len(squares) == 1:
            return unpack(by @ squares[0])
        return unpack(np.einsum("gb,gbk->gk", by, squares))


def _spectrum(
    sums: _BlockSums, residuals: Float, design: BlockedDesign, rounding: Float
) -> tuple[Spectrum, Bool]:
    """Independent parts of the residuals, and the genes without any within blocks."""
    x, inverse = sums.block_x, sums.inverse
    between = -(x @ inverse @ x.transpose(0, 2, 1))
    diagonal = np.arange(between.shape[1])
    between[:, diagonal, diagonal] += sums.size
    values, vectors = np.linalg.eigh(between)
    values, vectors = values[:, -design.n_parts :], vectors[:, :, -design.n_parts :]
    along = _times(vectors.transpose(0, 2, 1), (sums.weights * residuals).T @ sums.member)
    along /= np.sqrt(values)
    of_blocks = _times(vectors, along / np.sqrt(values))
    left = residuals - sums.member @ of_blocks.T
    left -= sums.Q @ sums.least_squares(left).T
    left[np.abs(left) <= rounding] = 0.0
    rest = (sums.weights * np.square(left)).sum(axis=0)
    df = len(residuals) - design.basis.Q.shape[1]
    return Spectrum(values, np.square(along), rest, df), rest == 0


def _rounding(y: Float, basis: Basis, effects: Float) -> Float:
    return rounding_of(basis.Q) * size_of_terms(y, basis, effects @ basis.to_coef.T)


def _times(matrices: Float, vectors: Float) -> Float:
    """Products of ``(n_vars, a, b)``, or ``(1, a, b)`` for all, with ``(n_vars, b)``."""
    if len(matrices) == 1:
        return np.asarray(vectors @ matrices[0].T)
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])


def _rank(matrix: Float) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > _SINGULAR * values[0]).sum())

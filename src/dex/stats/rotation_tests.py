"""Self-contained tests of sets by rotations of samples: fry and roast [Wu2010]_.

.. [Wu2010] Wu D, Lim E, Vaillant F, Asselin-Labat ML, Visvader JE, Smyth GK (2010). ROAST: rotation
   gene set tests for complex microarray experiments. Bioinformatics 26, 2176-2182.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from dex.stats.quadratic_tail import rotation_log10_pval
from dex.stats.t_zscores import z_of_t
from dex.stats.tails import t_log10_pval

if TYPE_CHECKING:
    from dex.stats.contrast_effects import ContrastEffects
    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float

Standardize = Literal["posterior", "residual", "none"]
SetStatistic = Literal["mean", "floormean", "mean50", "msq"]
_NODES = 128
_TRIMMED_DF = 0.92
"""Degrees of freedom of a variance without its largest square, to one without a contrast."""
_FLOOR = float(np.sqrt(2 * special.gammaincinv(0.5, 0.5)))
"""Median size of a normal score."""
_AT_A_TIME = 2**21
_FEW = 64
"""Dimensions up to which the products of all sets are held at once."""


@dataclass(frozen=True, slots=True)
class RotationTest:
    """Self-contained tests of sets; arrays ``(n_sets,)``."""

    stat: Float
    """t of fry, mean normal score of roast; positive where the set is up."""
    log10_pval: Float
    """Two-sided, of a change in one direction."""
    log10_pval_mixed: Float
    """Of changes in whatever directions."""


def fry_test(
    effects: ContrastEffects,
    sets: SetIndex,
    *,
    trend: bool = False,
    robust: bool = False,
    standardize: Standardize = "posterior",
) -> RotationTest:
    """What infinitely many rotations would give, of genes brought to one variance.

    The directional p is limma's; it depends, slightly, on the order of the observations, because
    the largest square is left out along the axes of the residuals. That of mixed changes is the
    chance, by saddlepoint, that a random axis has as large a sum of squares as the contrast.

    Parameters
    ----------
    effects
        From :func:`dex.stats.contrast_effects.contrast_effects`, of all genes.
    sets
        Positions among these.
    trend, robust
        Of the prior variance.
    standardize
        What effects are divided by: roots of ``"posterior"`` or ``"residual"`` variances, without
        the largest square of a gene, or nothing.
    """
    df = effects.df_residual
    along = np.column_stack([effects.effect, effects.residuals])
    along /= np.sqrt(_spread(effects, along, standardize, trend=trend, robust=robust))[:, None]
    sums = sets.sums(along)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = sums[:, 0] / np.sqrt(np.square(sums[:, 1:]).mean(axis=1))
    directional = t_log10_pval(t, df)
    mixed = rotation_log10_pval(*_squares(along, sets))
    return RotationTest(t, directional, np.where(sets.sizes > 1, mixed, directional))


def roast_test(
    effects: ContrastEffects,
    sets: SetIndex,
    *,
    n_rotations: int = 9999,
    set_statistic: SetStatistic = "mean",
    trend: bool = False,
    robust: bool = False,
    seed: int = 0,
) -> RotationTest:
    """By random rotations, the same for all sets: p is (b + 1) / (n_rotations + 1).

    Parameters
    ----------
    effects, sets, trend, robust
        As in :func:`fry_test`.
    n_rotations
        They bound p from below.
    set_statistic
        Of the normal scores of moderated t: their ``"mean"``; ``"floormean"``, of those in the
        direction, 0 for others; ``"mean50"``, of the half that is furthest in it; or ``"msq"``, the
        mean square of those in it.
    seed
        Of the rotations.
    """
    prior, df = effects.squeezed(trend=trend, robust=robust).prior, effects.df_residual
    G = len(effects.effect)
    prior_df, prior_var = (np.broadcast_to(a, (G,)) for a in (prior.df, prior.var))
    along = np.column_stack([effects.effect, effects.residuals])
    axes = np.random.default_rng(seed).standard_normal((n_rotations, df + 1))
    axes /= np.sqrt(np.square(axes).sum(axis=1, keepdims=True))
    axes = np.vstack([np.eye(1, df + 1), axes])  # the contrast itself comes first
    out = np.empty((3, sets.n_sets))
    for i in range(sets.n_sets):
        genes = sets[i]
        moderation = along[genes], prior_df[genes], prior_var[genes]
        step = max(_AT_A_TIME // max(len(genes), 1), 1)
        parts = [
            _rotated(axes[start : start + step], *moderation, set_statistic)
            for start in range(0, len(axes), step)
        ]
        up, down, mixed, mean = (np.concatenate(part) for part in zip(*parts, strict=True))
        out[0, i] = mean[0]
        out[1, i] = _exceeding(np.maximum(up, down))
        out[2, i] = _exceeding(mixed)
    return RotationTest(*out)


def _rotated(
    axes: Float, along: Float, prior_df: Float, prior_var: Float, statistic: SetStatistic
) -> tuple[Float, Float, Float, Float]:
    """Set statistics along each axis: up, down, mixed, and the mean score."""
    effect = axes @ along.T
    df = along.shape[1] - 1
    var = np.maximum(np.square(along).sum(axis=1) - np.square(effect), 0.0) / df
    finite = np.isfinite(prior_df)
    d0 = np.where(finite, prior_df, 1.0)
    post = np.where(finite, (d0 * prior_var + df * var) / (d0 + df), prior_var)
    z = z_of_t(effect / np.sqrt(post), df + prior_df)
    mean = z.mean(axis=1)
    if statistic == "mean" or z.shape[1] == 1:
        return mean, -mean, np.abs(z).mean(axis=1), mean
    if statistic == "floormean":
        floored = np.maximum(np.abs(z), _FLOOR)
        return (*_ahead(z, 1), floored.mean(axis=1), mean)
    if statistic == "msq":
        return (*_ahead(z, 2), np.square(z).mean(axis=1), mean)
    half = (z.shape[1] + 1) // 2
    ordered, sizes = np.sort(z, axis=1), np.sort(np.abs(z), axis=1)
    up, down = ordered[:, -half:].mean(axis=1), -ordered[:, :half].mean(axis=1)
    return up, down, sizes[:, -half:].mean(axis=1), mean


def _ahead(z: Float, power: int) -> tuple[Float, Float]:
    up, down = ((np.maximum(side, 0.0) ** power).mean(axis=1) for side in (z, -z))
    return up, down


def _exceeding(statistics: Float) -> float:
    """log10 p of the first among all: it counts itself."""
    as_large = statistics >= statistics[0] * (1 - 1e-12)
    return float(np.log10(as_large.sum() / len(statistics)))


def _spread(
    effects: ContrastEffects, along: Float, standardize: Standardize, *, trend: bool, robust: bool
) -> Float:
    """Variances of genes by all of their effects but the largest, so that rotation keeps them."""
    if standardize == "none":
        return np.ones(len(along))
    squares = np.square(along)
    n = squares.shape[1]
    trimmed = (squares.sum(axis=1) - squares.max(axis=1)) / (n - _largest_square(n))
    if standardize == "residual":
        return np.asarray(trimmed)
    prior = effects.squeezed(trend=trend, robust=robust).prior
    df = _TRIMMED_DF * effects.df_residual
    prior_df, prior_var = (np.broadcast_to(a, trimmed.shape) for a in (prior.df, prior.var))
    finite = np.isfinite(prior_df)
    d0 = np.where(finite, prior_df, 1.0)
    return np.where(finite, (d0 * prior_var + df * trimmed) / (d0 + df), prior_var)


@lru_cache
def _largest_square(n: int) -> float:
    """Expected largest of n squared normal scores, by Gauss and Legendre's rule as limma has it."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    u = (nodes + 1) / 2
    return float((weights / 2 * n * u ** (n - 1) * 2 * special.gammaincinv(0.5, u)).sum())


def _squares(along: Float, sets: SetIndex) -> tuple[Float, Float]:
    """Sums of squares of each set along its principal axes, and along the contrast."""
    n = along.shape[1]
    weights, observed = np.zeros((sets.n_sets, n)), np.zeros(sets.n_sets)
    grams = np.empty((sets.n_sets, n, n)) if n <= _FEW else None
    for i in range(sets.n_sets):
        own = along[sets[i]]
        observed[i] = own[:, 0] @ own[:, 0]
        if grams is not None:
            grams[i] = own.T @ own
        else:
            roots = np.linalg.svd(own, compute_uv=False)
            weights[i, : len(roots)] = np.square(roots)
    if grams is not None:
        weights = np.maximum(np.linalg.eigvalsh(grams), 0.0)
    return weights, observed

"""Likelihood ratio tests of contrasts of negative binomial models: the null model is fitted too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex._numba import kernel
from dex.stats.design_rows import DesignRows
from dex.stats.gene_rows import by_gene, gene_first, of_every_gene
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.nb_newton import exp_rows
from dex.stats.unit_deviance import unit_deviance

if TYPE_CHECKING:
    from dex.typing import Float, Int

_NOTHING: Final = 1e-10
"""Of the largest weight: what is left of a row that follows from others."""


@dataclass(frozen=True, slots=True)
class NullModel:
    """The design under which some contrasts of the coefficients are all zero."""

    design: DesignRows
    df: int
    """Rank of the contrasts: coefficients less than the full design has."""

    @classmethod
    def of(cls, design: Float, contrasts: Float) -> NullModel:
        """Restrict ``design`` ``(n_obs, n_coefs)`` to ``contrasts`` ``(n_rows, n_coefs)`` of zero.

        Some coefficients are replaced by what they are of the others, by elimination with the
        largest pivots. So equal groups have equal rows to the last bit, and are fitted as one.

        Examples
        --------
        >>> design = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
        >>> null = NullModel.of(design, np.array([[0.0, 1, -1]]))
        >>> null.design.rows.tolist(), null.design.index.tolist(), null.df
        ([[0.0, 1.0], [1.0, 0.0]], [1, 0, 0], 1)
        """
        solved, pivots = _eliminated(contrasts)
        others = np.setdiff1d(np.arange(design.shape[1]), pivots)
        restricted = design[:, others] - design[:, pivots] @ solved[:, others]
        return cls(DesignRows.from_design(restricted), len(pivots))


def likelihood_ratio(
    counts: Float,
    null: NullModel,
    depths: Float,
    dispersion: Float,
    deviance: Float,
    *,
    weights: Float | None = None,
) -> Float:
    """Twice the log likelihood ratio of the full against the null model, shape ``(n_vars,)``.

    Parameters
    ----------
    counts, depths, dispersion, weights
        As the full model was fitted to, see :func:`~dex.stats.nb_glm.fit_nb_glm`.
    null
        Of the contrasts tested.
    deviance
        Of the full model, shape ``(n_vars,)``.
    """
    if null.design.n_coefs == 0:
        coef = np.zeros((counts.shape[1], 0))
    else:
        coef = fit_nb_glm(counts, null.design, depths, dispersion, weights=weights).coef
    restricted = nb_deviance(counts, null.design, depths, dispersion, coef, weights=weights)
    return np.maximum(restricted - deviance, 0.0)


def nb_deviance(
    counts: Float,
    design: DesignRows,
    depths: Float,
    dispersion: Float,
    coef: Float,
    *,
    weights: Float | None = None,
) -> Float:
    """Deviance at ``coef``, ``(n_vars,)``; arguments as :func:`~dex.stats.nb_glm.fit_nb_glm`."""
    n_obs, n_vars = counts.shape
    weighted = by_gene(weights, n_obs, n_vars)
    depth, coef = by_gene(depths, n_obs, n_vars), np.ascontiguousarray(coef)
    return _deviance(
        gene_first(counts),
        design.rows,
        design.index,
        depth,
        of_every_gene(dispersion, n_vars),
        weighted,
        coef,
    )


@kernel
def _deviance(
    counts: Float,
    rows: Float,
    index: Int,
    depths: Float,
    dispersions: Float,
    weights: Float,
    coefs: Float,
) -> Float:
    n_vars, n_obs = counts.shape
    deviance, means = np.zeros(n_vars), np.empty(len(rows))
    for j in range(n_vars):
        depth = depths[j if len(depths) > 1 else 0]
        weight = weights[j if len(weights) > 1 else 0]
        exp_rows(rows, coefs[j], means)
        for i in range(n_obs):
            mu = depth[i] * means[index[i]]
            deviance[j] += weight[i] * unit_deviance(counts[j, i], mu, dispersions[j])
    return deviance


def _eliminated(contrasts: Float) -> tuple[Float, list[int]]:
    """Reduced echelon form of the contrasts ``(rank, n_coefs)``, and the columns of its pivots."""
    rows = np.array(np.atleast_2d(contrasts), dtype=np.float64)
    rows /= np.abs(rows).max()
    pivots: list[int] = []
    for step in range(min(rows.shape)):
        free = np.abs(rows[step:])
        r, c = divmod(int(np.argmax(free)), free.shape[1])
        if free[r, c] < _NOTHING:
            break
        rows[[step, step + r]] = rows[[step + r, step]]
        rows[step] /= rows[step, c]
        for other in range(len(rows)):
            if other != step:
                rows[other] -= rows[other, c] * rows[step]
        pivots.append(c)
    return rows[: len(pivots)], pivots

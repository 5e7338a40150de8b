"""Univariate linear models of statistics on membership in a set [BadiaIMompel2022]_.

.. [BadiaIMompel2022] Badia-i-Mompel P, Velez Santiago J, Braunger J, et al. (2022). decoupleR:
   ensemble of computational methods to infer biological activities from omics data. Bioinformatics
   Advances 2, vbac016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.tails import t_log10_pval

if TYPE_CHECKING:
    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float

_CONSTANT = 1e-12


@dataclass(frozen=True, slots=True)
class UlmTest:
    """t tests of slopes; arrays ``(n_sets,)``."""

    stat: Float
    df: float
    log10_pval: Float
    """Two-sided."""


def ulm_test(stat: Float, sets: SetIndex, *, weights: Float | None = None) -> UlmTest:
    """Regress the statistics of all genes on the weights of each set's genes, 0 of the others.

    Parameters
    ----------
    stat
        Shape ``(n_vars,)``.
    sets
        Positions among these.
    weights
        Of the members of the sets, one after another as in ``sets.members``; by default 1.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> test = ulm_test(np.array([3.0, 2, 0, -1, 0, 1]), SetIndex.of([[0, 1]], 6))
    >>> float(test.stat.round(4)[0])
    3.6515
    """
    x = sets.matrix
    if weights is not None:
        x = x.copy()
        order = np.concatenate(
            [np.argsort(sets[i]) + sets.starts[i] for i in range(sets.n_sets)] or [[]]
        ).astype(np.intp)
        x.data[:] = weights[order]
    G = len(stat)
    total, squares = np.asarray(x.sum(axis=1)), np.asarray(x.multiply(x).sum(axis=1))
    centred = stat - stat.mean()
    Sxy, Sxx, Syy = x @ centred, squares - total**2 / G, float(centred @ centred)
    Sxx = np.where(Sxx > _CONSTANT * squares, Sxx, np.nan)  # all genes alike have no slope
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.maximum(Syy - np.square(Sxy) / Sxx, 0.0)
        t = Sxy / np.sqrt(Sxx * rest / (G - 2))
    df = float(G - 2)
    return UlmTest(t, df, t_log10_pval(t, df))

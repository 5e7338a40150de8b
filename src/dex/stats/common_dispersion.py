"""One dispersion for many genes, by the Cox-Reid adjusted profile likelihood [McCarthy2012]_."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import minimize_scalar

from dex.stats.nb_glm import fit_nb_glm
from dex.stats.profile_grid import adjusted_likelihood

if TYPE_CHECKING:
    from dex.stats.design_rows import DesignRows
    from dex.typing import Float, Int

MIN_TOTAL: Final = 5.0
"""Genes with fewer counts say nothing of the dispersion."""
_LARGEST: Final = 4.0
_EXACT: Final = 1e-7  # of the dispersion's fourth root: rounding tells of no less


def fit_common_dispersion(
    counts: Float, design: DesignRows, depths: Float, *, weights: Float | None = None
) -> float:
    """Maximise the sum of the genes' adjusted profile likelihoods; between 0 and 4.

    Parameters
    ----------
    counts, design, depths, weights
        As in :func:`~dex.stats.nb_glm.fit_nb_glm`; genes with fewer than 5 counts are left out.

    Returns
    -------
    The dispersion; NaN without genes.

    References
    ----------
    .. [McCarthy2012] McCarthy DJ, Chen Y, Smyth GK (2012). Differential expression analysis of
       multifactor RNA-Seq experiments with respect to biological variation. Nucleic Acids Research
       40, 4288-4297.

    Examples
    --------
    >>> from dex.stats.design_rows import DesignRows
    >>> rng = np.random.default_rng(0)
    >>> counts = rng.negative_binomial(5, 5 / (5 + 40), (6, 400)).astype(float)
    >>> round(fit_common_dispersion(counts, DesignRows.from_design(np.ones((6, 1))), np.ones(6)), 3)
    0.209
    """
    used = counts.sum(axis=0) >= MIN_TOTAL
    if not used.any():
        return np.nan
    y = np.asfortranarray(counts[:, used])
    depth = depths if depths.ndim == 1 else np.asfortranarray(depths[:, used])
    weight = (
        weights if weights is None or weights.ndim == 1 else np.asfortranarray(weights[:, used])
    )

    coef: Float | None = None

    def profiles(root: float) -> Float:
        nonlocal coef  # near those at the dispersion that was tried before
        at = np.full(y.shape[1], root**4)
        coef = fit_nb_glm(y, design, depth, at, weights=weight, start=coef).coef
        return adjusted_likelihood(y, design, depth, at, coef, weights=weight)

    none = profiles(0.0)

    def loss(root: float) -> float:
        return -float((profiles(root) - none).sum())  # gene by gene, or rounding would tell

    # The fourth root, since dispersions are of any size and may be 0.
    found = minimize_scalar(
        loss, bounds=(0.0, _LARGEST**0.25), method="bounded", options={"xatol": _EXACT}
    )
    return 0.0 if found.fun >= 0 else float(found.x**4)


def evenly_spaced(abundance: Float, at_most: int) -> Int:
    """Choose genes evenly spaced by abundance where there are twice ``at_most`` or more.

    Examples
    --------
    >>> evenly_spaced(np.arange(23.0), 4).tolist()
    [2, 7, 12, 17, 22]
    """
    step = max(len(abundance) // at_most, 1)
    return np.argsort(abundance, kind="stable")[step // 2 :: step]

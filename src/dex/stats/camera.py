"""camera: whether genes of a set change more than others, correlated as they are [Wu2012]_.

.. [Wu2012] Wu D, Smyth GK (2012). Camera: a competitive gene set test accounting for inter-gene
   correlation. Nucleic Acids Research 40, e133.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.t_zscores import z_of_t
from dex.stats.tails import t_log10_pval

if TYPE_CHECKING:
    from dex.stats.contrast_effects import ContrastEffects
    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float

_NO_VARIANCE = 1e-8
_LOG10_2 = float(np.log10(2.0))


@dataclass(frozen=True, slots=True)
class CameraTest:
    """Competitive tests of sets; arrays ``(n_sets,)``."""

    stat: Float
    """t with the variance inflated, positive where the set is up."""
    df: float
    log10_pval: Float
    """Two-sided."""
    correlation: Float
    """Between genes of a set, estimated or given; NaN where a set has one gene."""


def camera_test(
    effects: ContrastEffects,
    sets: SetIndex,
    *,
    correlation: Float | float | None = None,
    allow_negative: bool = False,
    trend: bool = False,
    use_ranks: bool = False,
) -> CameraTest:
    """Test sets against all other genes, by moderated t statistics as normal scores.

    Parameters
    ----------
    effects
        From :func:`dex.stats.contrast_effects.contrast_effects`, of all genes.
    sets
        Positions among these.
    correlation
        Between the genes of a set, for all or each of the sets; None estimates it from residuals.
    allow_negative
        Whether an estimated correlation below 0 makes p smaller.
    trend
        Whether the prior variance follows the mean.
    use_ranks
        Whether ranks are compared, not means.

    Returns
    -------
    Tests, ``vif = 1 + (m - 1) correlation`` [Wu2012]_, eq. 3 to 5. With an estimated correlation
    they have as many degrees of freedom as the residuals.
    """
    squeezed, df = effects.squeezed(trend=trend), effects.df_residual
    stat = effects.effect / np.sqrt(squeezed.var)
    if not use_ranks:
        stat = z_of_t(stat, np.minimum(df + squeezed.prior.df, len(stat) * df))
    if correlation is not None:
        return camera_preranked(stat, sets, correlation=correlation, use_ranks=use_ranks)
    scaled = effects.residuals / np.sqrt(np.maximum(effects.var, _NO_VARIANCE))[:, None]
    m = sets.sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        vif = np.square(sets.sums(scaled)).mean(axis=1) / m
        found = np.where(m > 1, (vif - 1) / (m - 1), np.nan)
    known = np.nan_to_num(found) if allow_negative else np.maximum(np.nan_to_num(found), 0.0)
    df_test = float(min(df, len(stat) - 2))
    test = _tested(stat, sets, known, df_test, use_ranks=use_ranks)
    return CameraTest(test.stat, test.df, test.log10_pval, found)


def camera_preranked(
    stat: Float, sets: SetIndex, *, correlation: Float | float = 0.01, use_ranks: bool = False
) -> CameraTest:
    """Test sets by statistics of all genes, ``(n_vars,)``, and a correlation that is given.

    Nothing is learnt of the correlation, so that sets of genes with more of it are called far too
    often.

    Examples
    --------
    >>> from dex.stats.gene_sets import SetIndex
    >>> test = camera_preranked(np.array([3.0, 2, 0, -1, 0, 1]), SetIndex.of([[0, 1]], 6))
    >>> float((10**test.log10_pval).round(4)[0])
    0.022
    """
    known = np.broadcast_to(np.asarray(correlation, dtype=np.float64), (sets.n_sets,))
    df = np.inf if use_ranks else float(len(stat) - 2)
    return _tested(stat, sets, known, df, use_ranks=use_ranks)


def _tested(
    stat: Float, sets: SetIndex, correlation: Float, df: float, *, use_ranks: bool
) -> CameraTest:
    if use_ranks:
        return _rank_sums(stat, sets, correlation, df)
    G, m = len(stat), sets.sizes
    others = G - m
    with np.errstate(divide="ignore", invalid="ignore"):
        vif = 1 + (m - 1) * correlation
        ahead = G / others * (sets.sums(stat) / m - stat.mean())
        pooled = ((G - 1) * stat.var(ddof=1) - np.square(ahead) * m * others / G) / (G - 2)
        t = ahead / np.sqrt(pooled * (vif / m + 1 / others))
    return CameraTest(t, df, t_log10_pval(t, df), np.where(m > 1, correlation, np.nan))


def _rank_sums(stat: Float, sets: SetIndex, correlation: Float, df: float) -> CameraTest:
    """Wilcoxon's test, the variance with correlated ranks [Wu2012]_, supplement."""
    from scipy.stats import rankdata  # takes long to import

    G, m = len(stat), sets.sizes
    others = G - m
    ranks = rankdata(stat)
    pairs = m * others
    U = pairs + m * (m + 1) / 2 - sets.sums(ranks)
    var = (
        np.pi / 2
        + np.arcsin(0.5) * (others - 1)
        + np.arcsin(correlation / 2) * (m - 1) * (others - 1)
        + np.arcsin((correlation + 1) / 2) * (m - 1)
    ) * (pairs / (2 * np.pi))
    ties = np.unique(stat, return_counts=True)[1].astype(np.float64)
    var = var * (1 - (ties * (ties + 1) * (ties - 1)).sum() / (G * (G + 1) * (G - 1)))
    below, above = ((pairs / 2 - U + half) / np.sqrt(var) for half in (0.5, -0.5))
    smaller = np.minimum(_log10_upper(-below, df), _log10_upper(above, df))
    return CameraTest(
        np.where(above + below > 0, above, below),
        df,
        np.minimum(smaller + _LOG10_2, 0.0),
        np.where(m > 1, correlation, np.nan),
    )


def _log10_upper(z: Float, df: float) -> Float:
    """log10 of the upper tail of t."""
    half = t_log10_pval(z, df) - _LOG10_2
    return np.asarray(np.where(z >= 0, half, np.log1p(-(10.0**half)) / np.log(10.0)))

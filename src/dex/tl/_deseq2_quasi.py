"""DESeq2 with quasi-likelihoods: dispersions about a running median, and F tests [Ahlmann2020]_.

.. [Ahlmann2020] Ahlmann-Eltze C, Huber W (2020). glmGamPoi: fitting Gamma-Poisson generalized
   linear models on single cell count data. Bioinformatics 36, 5701-5702.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.data.expression import stacked
from dex.errors import InputError
from dex.results.fit import Fit
from dex.stats.gene_dispersion import CountModel, fit_gene_dispersion, fit_means
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.nested import nb_deviance
from dex.stats.quasi_prior import excess_over_trend, likeliest_prior, running_median
from dex.tl._deseq2 import filtered
from dex.tl._deseq2_fit import unreplicated
from dex.tl._edger_tests import NestedOptions, nested_any, nested_each
from dex.tl._options import require_choice, require_level

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.design.matrix import Design
    from dex.tl._model import FitSetting, Tested, TestSetting
    from dex.typing import Float, Int

_LN2 = float(np.log(2.0))
_VARIES = 1e-6
"""Dispersions that are not as good as none."""


@dataclass(frozen=True, slots=True)
class QuasiTestOptions(NestedOptions):
    """Options of the tests."""

    alpha: float = 0.1
    """Level at which results will be used: the filter is chosen for it."""
    independent_filtering: bool = True
    """Whether genes with low means get no adjusted p-value, so that others are found."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        NestedOptions.__post_init__(self)
        require_choice("independent_filtering", self.independent_filtering, (False, True))
        require_level("alpha", self.alpha)


def fit_quasi_deseq2(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Fit the design with dispersions of a trend, and squeeze quasi-dispersions about it."""
    if len(design.matrix) == design.matrix.shape[1]:
        return unreplicated(expression, design.matrix, setting.n_threads)
    depths, model = expression.depths("size_factor"), CountModel.from_design(design.matrix)
    df = len(design.matrix) - design.matrix.shape[1]

    def own(raw: Float, place: slice) -> Columns:
        counts = np.rint(raw)
        genes = fit_gene_dispersion(counts, depths.of(place), model, quasi=True)
        return {"base_mean": genes.base_mean, "dispersion_gene": genes.dispersion}

    blocks = expression.blocks
    genes = stacked(blocks.map_placed(own, setting.n_threads, "gene-wise dispersions"))
    genes |= _about_trend(genes["base_mean"], genes["dispersion_gene"], df)
    dispersion = np.nan_to_num(genes["dispersion_trend"], nan=1.0)

    def fitted(raw: Float, place: slice) -> Columns:
        counts, here, spread = np.rint(raw), depths.of(place), dispersion[place]
        fit = fit_nb_glm(counts, model.rows, here, spread)
        shown = fit_means(counts, here, model.rows, spread).coef
        deviance = nb_deviance(counts, model.rows, here, spread, fit.coef)
        return {"coef": shown / _LN2, "deviance": deviance, "converged": fit.converged}

    genes |= stacked(blocks.map_placed(fitted, setting.n_threads, "DESeq2"))
    coef = np.where(np.isnan(genes["dispersion_trend"])[:, None], np.nan, genes.pop("coef"))
    genes["dispersion"] = dispersion
    return Fit(design.matrix, coef, genes, obs={"size_factors": depths.shared})


def _about_trend(mean: Float, own: Float, df: int) -> Columns:
    """Trend of the dispersions, and quasi-dispersions about it: their own, prior and posterior.

    Raises
    ------
    InputError
        If no gene is more variable than Poisson counts.
    """
    with np.errstate(invalid="ignore"):
        told = own > _VARIES
    if not told.any():
        msg = (
            "no gene is more variable than Poisson counts: method='deseq2_quasi' has no trend of "
            "dispersions; method='edger' needs none."
        )
        raise InputError(msg)
    trend = np.full(len(mean), np.nan)
    trend[told] = running_median(mean[told], own[told])
    silent = ~told & np.isfinite(own)
    trend[silent] = trend[told][_nearest(mean[told], mean[silent])]
    quasi, every = excess_over_trend(mean, own, trend), np.full(len(mean), float(df))
    prior = likeliest_prior(quasi[np.isfinite(quasi)], float(df))
    return {
        "dispersion_trend": trend,
        "quasi_dispersion": quasi,
        "quasi_dispersion_trend": np.where(np.isnan(quasi), np.nan, prior.var),
        "quasi_dispersion_post": (prior.df * prior.var + df * quasi) / (prior.df + df),
        "df_residual": every,
        "df_prior": np.full(len(mean), float(prior.df[0])),
    }


def _nearest(known: Float, values: Float) -> Int:
    """Which of the known means is nearest to each value."""
    order = np.argsort(known, kind="stable")
    middles = (known[order][1:] + known[order][:-1]) / 2
    return np.asarray(order[np.searchsorted(middles, values)])


def each(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Every contrast, ``(n_tests, n_coefs)``, by the F test of its own null model."""
    return filtered(nested_each(fit, contrasts, setting).columns, fit, setting)


def any_of(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Return whether any of the contrasts differs from zero: the F test of one null model."""
    return filtered(nested_any(fit, contrasts, setting).columns, fit, setting)

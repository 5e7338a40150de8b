"""edgeR's tests of contrasts: likelihood ratios of null models, or F with quasi-dispersions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from dex.results.schema import EFFECTS
from dex.stats.design_rows import DesignRows
from dex.stats.nb_glm import fit_nb_glm, fitted_means
from dex.stats.nb_treat import Null, threshold_roots, treat_log10_pval
from dex.stats.nested import NullModel, likelihood_ratio, nb_deviance
from dex.stats.tails import chi2_log10_pval, f_log10_pval, log10_pval_against, t_log10_pval
from dex.tl._counted import Counted
from dex.tl._model import Tested
from dex.tl._options import require_choice
from dex.tl._single_counts import single_counts_note

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.results.fit import Fit
    from dex.tl._model import TestSetting
    from dex.typing import Bool, Float

_LN2 = float(np.log(2))


@dataclass(frozen=True, slots=True)
class NestedOptions:
    """Options of tests by null models."""

    null: Null = "interval"
    """With ``lfc=``, where the effect is under the null: anywhere within (``"interval"``), or at
    the nearer end (``"worst_case"``)."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("null", self.null, ("interval", "worst_case"))


def nested_each(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Every contrast by its own null model; ``contrasts`` is ``(n_tests, n_coefs)``."""
    log2fc = fit.coef @ contrasts.T
    columns = {"log2fc": log2fc, "log2fc_se": np.full_like(log2fc, np.nan)}
    if fit.df_residual == 0:
        return Tested(columns | _nothing(log2fc.shape))
    if setting.lfc > 0:
        tests = [_against_threshold(fit, contrast, setting) for contrast in contrasts]
        stacked = {name: np.stack([test[name] for test in tests], axis=1) for name in tests[0]}
        return _told(fit, columns | stacked, setting)
    nulls = [NullModel.of(fit.design, contrast[None]) for contrast in contrasts]
    columns |= _ratio_columns(fit, nulls, setting)
    if setting.alternative != "two-sided":
        columns["log10_pval"] = log10_pval_against(
            setting.alternative, stat=log2fc, two_sided=columns["log10_pval"]
        )
    return _told(fit, columns, setting)


def nested_any(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Return whether any of the contrasts differs from zero: one null model for all."""
    shape = (len(fit.coef), 1)
    nulls = [NullModel.of(fit.design, contrasts)]
    effects = {"log2fc": np.full(shape, np.nan), EFFECTS: fit.coef @ contrasts.T}
    if fit.df_residual == 0:
        return Tested(_nothing(shape) | effects)
    return _told(fit, _ratio_columns(fit, nulls, setting) | effects, setting)


def _told(fit: Fit, columns: Columns, setting: TestSetting) -> Tested:
    """Beside the tests, what is to be said of the genes called."""
    spread = _working_dispersion(fit)
    return Tested(columns, single_counts_note(fit, columns["log10_pval"], spread, setting))


def _nothing(shape: tuple[int, ...]) -> Columns:
    return {name: np.full(shape, np.nan) for name in ("stat", "df", "log10_pval")}


def _ratio_columns(fit: Fit, nulls: list[NullModel], setting: TestSetting) -> Columns:
    """F with quasi-dispersions, else chi-square tests of twice the log likelihood ratios."""
    ratio, poisson = _ratios(fit, nulls, setting)
    rank = np.broadcast_to([float(null.df) for null in nulls], ratio.shape)
    if "quasi_dispersion_post" not in fit.genes:
        return {"stat": ratio, "df": rank.copy(), "log10_pval": chi2_log10_pval(ratio, rank)}
    df = np.repeat(_total_df(fit)[:, None], len(nulls), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = ratio / rank / fit.genes["quasi_dispersion_post"][:, None]
    log10_pval = f_log10_pval(stat, rank, df)
    bounded = np.isfinite(poisson)
    if bounded.any():
        bound = chi2_log10_pval(poisson[bounded], rank[bounded])
        log10_pval[bounded] = np.maximum(log10_pval[bounded], bound)
    return {"stat": stat, "df": df, "log10_pval": log10_pval}


def _total_df(fit: Fit) -> Float:
    """The genes' own and the prior's, no more than those of all genes together."""
    own = fit.genes["df_residual"]
    return np.asarray(np.minimum(own + fit.genes["df_prior"], own.sum()))


def _working_dispersion(fit: Fit) -> Float:
    """What the model was fitted with, shape ``(n_vars,)``."""
    typical = float(fit.shared.get("typical_quasi_dispersion", 1.0))
    return np.asarray(fit.genes["dispersion"] / typical)


def _ratios(fit: Fit, nulls: list[NullModel], setting: TestSetting) -> tuple[Float, Float]:
    """Twice the log likelihood ratios of the fit and the null models, ``(n_vars, n_tests)``.

    The second are without dispersion, of genes whose counts vary less than Poisson's by the legacy
    method, and NaN elsewhere: no p-value is smaller than what they give.
    """
    counted = Counted(cast("Expression", setting.expression), setting.n_threads)
    deviance, spread = fit.genes["deviance"], _working_dispersion(fit)
    full, legacy = DesignRows.from_design(fit.design), bool(fit.shared.get("legacy"))

    def columns(counts: Float, place: slice) -> Columns:
        depths, weights = counted.depths(place), counted.weights(place)
        parts = (depths, spread[place], deviance[place])
        every = [likelihood_ratio(counts, null, *parts, weights=weights) for null in nulls]
        ratio = np.stack(every, axis=1)
        poisson = np.full_like(ratio, np.nan)
        if legacy:
            post = fit.genes["quasi_dispersion_post"][place]
            few = _below_poisson(counts, full, depths, spread[place], post, weights=weights)
            some = depths if depths.ndim == 1 else depths[:, few]
            weighted = None if weights is None else weights[:, few]
            of_few = (np.asfortranarray(counts[:, few]), full, nulls, some, weighted)
            poisson[few] = _poisson_ratios(*of_few)
        return {"ratio": ratio, "poisson": poisson}

    found = counted.map(columns, "null models")
    return found["ratio"], found["poisson"]


def _below_poisson(
    counts: Float,
    full: DesignRows,
    depths: Float,
    spread: Float,
    quasi_dispersion: Float,
    *,
    weights: Float | None,
) -> Bool:
    fit = fit_nb_glm(counts, full, depths, spread, weights=weights)
    mu = fitted_means(full, depths, fit.coef)
    return np.asarray((quasi_dispersion * (1 + spread * mu) < 1).any(axis=0))


def _poisson_ratios(
    counts: Float, full: DesignRows, nulls: list[NullModel], depths: Float, weights: Float | None
) -> Float:
    none = np.zeros(counts.shape[1])
    coef = fit_nb_glm(counts, full, depths, none, weights=weights).coef
    deviance = nb_deviance(counts, full, depths, none, coef, weights=weights)
    parts = (depths, none, deviance)
    every = [likelihood_ratio(counts, null, *parts, weights=weights) for null in nulls]
    return np.stack(every, axis=1)


def _against_threshold(fit: Fit, contrast: Float, setting: TestSetting) -> Columns:
    """Distances of the estimate from both ends of the null, and what is further than them."""
    low, high = _roots(fit, contrast, setting)
    df = np.full_like(low, np.inf)
    if "quasi_dispersion_post" in fit.genes:
        df, scale = _total_df(fit), np.sqrt(fit.genes["quasi_dispersion_post"])
        low, high = low / scale, high / scale
    if setting.alternative != "two-sided":
        stat = high if setting.alternative == "greater" else low
        two_sided = t_log10_pval(stat, df)
        log10_pval = log10_pval_against(setting.alternative, stat=stat, two_sided=two_sided)
    else:
        stat = np.maximum(high, 0) + np.minimum(low, 0)
        log10_pval = treat_log10_pval(low, high, df, null=setting.options.null)
    shown = np.where(np.isinf(df), np.nan, df)
    return {"stat": stat, "df": shown, "log10_pval": log10_pval}


def _roots(fit: Fit, contrast: Float, setting: TestSetting) -> tuple[Float, Float]:
    """Signed roots of the likelihood ratios at ``-lfc`` and at ``lfc``."""
    counted = Counted(cast("Expression", setting.expression), setting.n_threads)
    deviance, spread = fit.genes["deviance"], _working_dispersion(fit)
    full = DesignRows.from_design(fit.design)

    def columns(counts: Float, place: slice) -> Columns:
        depths, weights = counted.depths(place), counted.weights(place)
        found = fit_nb_glm(counts, full, depths, spread[place], weights=weights)
        parts = (depths, spread[place], deviance[place], found.coef @ contrast / _LN2)
        low, high = threshold_roots(
            counts, fit.design, contrast, *parts, threshold=setting.lfc, weights=weights
        )
        return {"low": low, "high": high}

    found = counted.map(columns, "models at the threshold")
    return found["low"], found["high"]

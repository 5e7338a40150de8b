"""Linear models whose variances are moderated between genes: what limma's methods share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.expression import stacked
from dex.errors import InputError
from dex.results.fit import Fit
from dex.results.schema import EFFECTS, Status
from dex.stats.basis import Basis, JointContrasts
from dex.stats.ebayes import squeeze_var
from dex.stats.moderated import PROPORTION, log_odds, moderated_f_test, total_df
from dex.stats.packed import quadratic_forms, unpack
from dex.stats.tails import t_log10_pval, t_quantile
from dex.stats.weighted_model import GeneModels, estimable
from dex.tl._columns import estimate_columns, t_columns
from dex.tl._model import Tested

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns
    from dex.tl._model import TestSetting
    from dex.typing import Bool, Float


_PART_VALUES = 2**16


@dataclass(frozen=True, slots=True)
class ModeratedOptions:
    """Options of moderated tests."""

    proportion: float = PROPORTION
    """Share of genes assumed to be differentially expressed, for ``lods``."""
    conf_level: float = 0.95
    """Of the confidence intervals."""

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        require_probability("proportion", self.proportion)
        require_probability("conf_level", self.conf_level)


def model_columns(models: GeneModels, mean_log2: Float) -> Columns:
    """Linear models of some genes as columns of a fit."""
    n = len(models.coef)
    return {
        "coef": models.coef,
        "cov": np.broadcast_to(models.cov, (n, models.cov.shape[1])),
        "deficient": models.deficient,
        "mean_log2": mean_log2,
        "var": models.var,
        "df_residual": models.df_residual,
    }


def in_parts(function: Callable[..., Columns], block: Float, *others: Float | None) -> Columns:
    """Apply ``function`` to a few genes of ``(n_obs, n_genes)`` at a time, in their order.

    ``others`` are of the same shape, or None, and go with them.
    Weights and residuals take several times the memory of the values.
    """
    n = max(_PART_VALUES // len(block), 1)
    every, parts = (block, *others), []
    for start in range(0, block.shape[1], n):
        some = [None if one is None else one[:, start : start + n] for one in every]
        parts.append(function(*some))
    return stacked(parts)


def moderated_fit(
    design: Float, genes: Columns, *, trend: bool, robust: bool, shared: dict[str, Any]
) -> Fit:
    """Squeeze the variances of all genes; keep one covariance where the genes share it."""
    known = np.isfinite(genes["mean_log2"])  # at least one observation
    along = genes["mean_log2"][known] if trend else None
    squeezed = squeeze_var(
        genes["var"][known], genes["df_residual"][known], covariate=along, robust=robust
    )
    prior = {"var_prior": squeezed.prior.var, "df_prior": squeezed.prior.df}
    for name, values in {**prior, "var_post": squeezed.var}.items():
        genes[name] = np.full(known.shape, np.nan)
        genes[name][known] = values
    genes["df_total"] = total_df(genes["df_residual"], genes["df_prior"])
    coef, cov = genes.pop("coef"), genes.pop("cov")
    shared |= {"deficient": bool(genes.pop("deficient").any())}
    if (cov == cov[0]).all():
        return Fit(design, coef, genes, shared=shared | {"cov_unscaled": cov[0]})
    return Fit(design, coef, genes, cov=cov, shared=shared)


def moderated_t(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Every contrast of the coefficients by its moderated t; exact whatever the weights."""
    seen = _estimable(fit, contrasts)
    unscaled = np.sqrt(quadratic_forms(_covariance(fit), contrasts))
    effect = np.where(seen, fit.coef @ contrasts.T, np.nan)
    se = np.where(seen, unscaled * np.sqrt(fit.genes["var_post"])[:, None], np.nan)
    stat = np.divide(effect, se, out=np.full(se.shape, np.nan), where=se > 0)
    df = np.broadcast_to(fit.genes["df_total"][:, None], stat.shape)
    margin = se * t_quantile((1 + setting.options.conf_level) / 2, df)
    is_log = bool(fit.shared["is_log"])
    name = "log2fc" if is_log else "mean_diff"
    columns = {
        **estimate_columns(effect, se, is_log=is_log),
        **t_columns(stat, t_log10_pval(stat, df), effect, se, df, setting=setting),
        f"{name}_low": effect - margin,
        f"{name}_high": effect + margin,
        "status": _status(seen),
    }
    if setting.lfc == 0:
        columns["lods"] = _log_odds(fit, stat, unscaled, setting)
    return Tested(columns)


def moderated_f(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:  # noqa: ARG001  # no options
    """Return whether any of the contrasts differs from zero: one moderated F per gene."""
    joint = JointContrasts.from_basis(Basis.from_design(fit.design), contrasts).vectors
    seen = _estimable(fit, joint).all(axis=1)
    covariance = joint @ unpack(_covariance(fit)) @ joint.T
    var_post, df = fit.genes["var_post"], fit.genes["df_total"]
    test = moderated_f_test(fit.coef @ joint.T, covariance, var_post, df)
    is_log = bool(fit.shared["is_log"])
    columns = {
        "log2fc": np.full((len(df), 1), np.nan),
        "stat": np.where(seen, test.stat, np.nan)[:, None],
        "df": df[:, None],
        "log10_pval": np.where(seen, test.log10_pval, np.nan)[:, None],
        "status": _status(seen[:, None]),
        EFFECTS: np.where(_estimable(fit, contrasts) & is_log, fit.coef @ contrasts.T, np.nan),
    }
    return Tested(columns)


def mean_of_known(values: Float) -> Float:
    """Mean of every gene over the observations that it has, ``(n_vars,)``; NaN without any."""
    n = np.count_nonzero(~np.isnan(values), axis=0)
    return np.asarray(np.nansum(values, axis=0) / np.where(n > 0, n, np.nan))


def _covariance(fit: Fit) -> Float:
    """Packed covariances at a variance of 1, of every gene or ``(1, ...)`` for all."""
    return np.atleast_2d(fit.shared["cov_unscaled"]) if fit.cov is None else fit.cov


def _estimable(fit: Fit, contrasts: Float) -> Bool:
    """Which contrasts each gene's observations determine, ``(n_vars, n_tests)``."""
    fitted = np.repeat(np.isfinite(fit.coef[:, :1]), len(contrasts), axis=1)
    if not fit.shared["deficient"]:
        return fitted
    return fitted & estimable(_covariance(fit), Basis.from_design(fit.design), contrasts)


def _status(seen: Bool) -> np.ndarray[Any, Any]:
    return np.where(seen, np.int8(Status.TESTED), np.int8(Status.NOT_ESTIMABLE))


def _log_odds(fit: Fit, stat: Float, unscaled: Float, setting: TestSetting) -> Float:
    prior = fit.genes["var_prior"], fit.genes["df_prior"]
    proportion = setting.options.proportion
    return log_odds(stat, unscaled, fit.genes["df_total"], prior, proportion=proportion)


def require_probability(name: str, value: float) -> None:
    """Refuse what is no probability.

    Raises
    ------
    InputError
        If it is not between 0 and 1.
    """
    if not 0 < value < 1:
        msg = f"{name}={value!r} is no probability; give a number between 0 and 1."
        raise InputError(msg)

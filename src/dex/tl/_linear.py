"""Ordinary least squares: the design is fitted once, and every contrast tested by t or F."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from dex.results.fit import Fit
from dex.results.schema import EFFECTS
from dex.stats.basis import Basis, JointContrasts, SeparateContrasts
from dex.stats.linear_model import LinearFit, contrast_f_test, contrast_t_test, lm_fit
from dex.tl._columns import estimate_columns, t_columns
from dex.tl._model import Tested
from dex.tl._options import require_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns, Expression, GeneBlock
    from dex.design.matrix import Design
    from dex.tl._model import FitSetting, TestSetting
    from dex.typing import Bool, Float


@dataclass(frozen=True, slots=True)
class OlsOptions:
    """Options of tests by least squares."""

    vcov: Literal["classical", "HC3"] = "classical"
    """Covariance of the coefficients: ``"HC3"`` holds if variances differ between observations;
    both with t on the residual degrees of freedom."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("vcov", self.vcov, ("classical", "HC3"))


def fit_ols(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Fit the design to every gene. Coefficients are in log2 if the values are logs."""
    basis = Basis.from_design(design.matrix)
    scale = expression.scale
    unit = scale.log2_per_unit if scale.is_log else 1.0

    def columns(block: GeneBlock) -> Columns:
        fit = lm_fit(block.values, basis)
        return {
            "coef": fit.coef * unit,
            "var": fit.var * unit**2,
            "base_mean": block.linear.mean(axis=0),
        }

    genes = expression.map_blocks(columns, n_threads=setting.n_threads, label="least squares")
    shared = {"is_log": scale.is_log, "unit": unit}
    return Fit(design.matrix, genes.pop("coef"), genes, shared=shared)


def ols(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Every contrast of the coefficients by its t test; ``contrasts`` is ``(n_tests, n_coefs)``."""
    basis, hc3 = Basis.from_design(fit.design), setting.options.vcov == "HC3"
    prepared = SeparateContrasts.from_basis(basis, contrasts, hc3=hc3)

    def columns(linear: LinearFit, unit: float) -> Columns:
        test = contrast_t_test(linear, prepared)
        effect, se = test.estimate * unit, test.se * unit
        df = np.broadcast_to(test.df, test.stat.shape)
        statistics = t_columns(test.stat, test.log10_pval, effect, se, df, setting=setting)
        return estimate_columns(effect, se, is_log=bool(fit.shared["is_log"])) | statistics

    return Tested(_by_gene(columns, fit, basis, setting))


def ols_any(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Return whether any of the contrasts differs from zero: one F test per gene."""
    basis, hc3 = Basis.from_design(fit.design), setting.options.vcov == "HC3"
    prepared = JointContrasts.from_basis(basis, contrasts, hc3=hc3)

    def columns(linear: LinearFit, unit: float) -> Columns:  # noqa: ARG001  # F has no unit
        test = contrast_f_test(linear, prepared)
        return {
            "stat": test.stat[:, None],
            "df": np.full((len(test.stat), 1), test.df_den),
            "log10_pval": test.log10_pval[:, None],
        }

    tested = _by_gene(columns, fit, basis, setting)
    effects = fit.coef @ contrasts.T
    tested["log2fc"] = np.full_like(tested["stat"], np.nan)
    tested[EFFECTS] = effects if fit.shared["is_log"] else np.full_like(effects, np.nan)
    return Tested(tested)


def without_hc3(fit: Fit, contrasts: Float, setting: TestSetting) -> Bool:
    """Contrasts without HC3 standard errors where these are asked for, shape ``(n_tests,)``.

    They rest on an observation that the design fits whatever its value, as a group of one. One F
    test of several contrasts is possible if all of them have standard errors.
    """
    if setting.options.vcov != "HC3":
        return np.zeros(len(contrasts), dtype=bool)
    basis = Basis.from_design(fit.design)
    return ~SeparateContrasts.from_basis(basis, contrasts, hc3=True).estimable


def _by_gene(
    columns: Callable[[LinearFit, float], Columns], fit: Fit, basis: Basis, setting: TestSetting
) -> Columns:
    """Test from what was kept, or, for HC3, from the residuals, for which the values are read."""
    if setting.options.vcov != "HC3":
        var, none = fit.genes["var"], np.empty((0, len(fit.coef)))
        kept = LinearFit(fit.coef, var, basis.df_residual, constant=var == 0, squares=none)
        return columns(kept, 1.0)
    unit, expression = float(fit.shared["unit"]), cast("Expression", setting.expression)
    return expression.map_blocks(
        lambda block: columns(lm_fit(block.values, basis), unit),
        n_threads=setting.n_threads,
        label="least squares",
    )

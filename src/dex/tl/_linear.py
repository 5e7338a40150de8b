"""Ordinary least squares: fit the design once, then test every contrast, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.results.schema import EFFECTS
from dex.stats.basis import Basis, JointContrasts, SeparateContrasts
from dex.stats.linear_model import contrast_f_test, contrast_t_test, lm_fit
from dex.tl._columns import base_mean, mean_columns, t_columns

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression, GeneBlock
    from dex.tl._columns import Sides
    from dex.tl._options import Options
    from dex.typing import Bool, Float


def ols(
    expression: Expression,
    design: Float,
    contrasts: Float,
    sides: Sides | None,
    options: Options,
) -> Columns:
    """Every contrast of the coefficients by its t test.

    ``design`` is ``(n_obs, n_coefs)``, ``contrasts`` ``(n_tests, n_coefs)``; ``sides`` says which
    contrasts compare groups. Estimates are in log2 if the values are logs.
    """
    scale, basis = expression.scale, Basis.from_design(design)
    prepared = SeparateContrasts.from_basis(basis, contrasts, hc3=options.vcov == "HC3")
    unit = scale.log2_per_unit if scale.is_log else 1.0

    def columns(block: GeneBlock) -> Columns:
        test = contrast_t_test(lm_fit(block.values, basis), prepared)
        effect, se = test.estimate * unit, test.se * unit
        df = np.broadcast_to(test.df, test.stat.shape)
        return {
            **_estimate_columns(effect, se, is_log=scale.is_log),
            **t_columns(test.stat, test.log10_pval, effect, se, df, options=options),
            "base_mean": base_mean(block, len(contrasts)),
            **(mean_columns(block, sides) if sides is not None else {}),
        }

    return expression.map_blocks(columns, n_threads=options.n_threads, label="least squares")


def ols_any(expression: Expression, design: Float, contrasts: Float, options: Options) -> Columns:
    """Return whether any of the contrasts differs from zero: one F test per gene."""
    scale, basis = expression.scale, Basis.from_design(design)
    prepared = JointContrasts.from_basis(basis, contrasts, hc3=options.vcov == "HC3")

    def columns(block: GeneBlock) -> Columns:
        fit = lm_fit(block.values, basis)
        test = contrast_f_test(fit, prepared)
        stat = test.stat[:, None]
        return {
            "log2fc": np.full_like(stat, np.nan),
            "stat": stat,
            "df": np.broadcast_to(test.df_den, test.stat.shape)[:, None],
            "log10_pval": test.log10_pval[:, None],
            "base_mean": base_mean(block, 1),
            EFFECTS: fit.coef @ contrasts.T * scale.log2_per_unit,
        }

    return expression.map_blocks(columns, n_threads=options.n_threads, label="least squares")


def hc3_estimable(design: Float, contrasts: Float) -> Bool:
    """Whether the contrasts have HC3 standard errors, shape ``(n_tests,)``.

    They have none if they rest on an observation that the design fits whatever its value, as a
    group of one. One F test of several contrasts is possible if all of them are estimable.

    Examples
    --------
    >>> groups = np.eye(3)[[0, 0, 1, 1, 2]]
    >>> hc3_estimable(groups, np.array([[1.0, -1, 0], [1, 0, -1]])).tolist()
    [True, False]
    """
    basis = Basis.from_design(design)
    return SeparateContrasts.from_basis(basis, contrasts, hc3=True).estimable


def _estimate_columns(effect: Float, se: Float, *, is_log: bool) -> Columns:
    """Differences of logs are fold changes; of anything else they are differences of means."""
    if is_log:
        return {"log2fc": effect, "log2fc_se": se}
    nothing = np.full_like(effect, np.nan)
    return {"log2fc": nothing, "log2fc_se": nothing, "mean_diff": effect, "mean_diff_se": se}

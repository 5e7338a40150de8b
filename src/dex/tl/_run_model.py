"""Fit a design to every gene, and test contrasts of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from dex.data.threads import SERIAL_BLAS
from dex.design.wording import listed
from dex.tl._answer import Answer, everybody
from dex.tl._columns import Sides, mean_columns
from dex.tl._model import FitSetting, TestSetting

if TYPE_CHECKING:
    import pandas as pd

    from dex.data import Expression
    from dex.data.expression import Columns
    from dex.design.comparison import ModelComparison
    from dex.design.groups import Groups
    from dex.design.matrix import Design
    from dex.results.fit import Fit
    from dex.tl._options import Options
    from dex.tl.methods import ModelMethod
    from dex.typing import Bool, Float, Int


def run_fit(
    method: ModelMethod, expression: Expression, design: Design, obs: pd.DataFrame, options: Options
) -> Fit:
    """Fit every gene; ``obs`` is of all observations of the source."""
    used = obs.iloc[expression.rows]
    setting = FitSetting(options.fit, used, options.block, options.n_threads)
    with SERIAL_BLAS:  # products over genes are too small to be shared: threads would only wait
        return method.fit(expression, design, setting)


def run_contrasts(
    method: ModelMethod,
    fit: Fit,
    comparison: ModelComparison,
    expression: Expression | None,
    options: Options,
) -> Answer:
    """Test the contrasts of a comparison, and tell the means of the groups that they compare.

    ``expression`` is what was fitted; without it there are no means, and no test that fits again.
    """
    setting = TestSetting(
        options.test,
        options.lfc,
        options.alternative,
        options.n_threads,
        expression,
        options.padj_method,
        options.padj_scope,
        None if comparison.groups is None else _sides(comparison).in_tests,
    )
    contrasts = comparison.contrasts.vectors
    unreplicated, notes = _unreplicated(method, fit, comparison, setting)
    joint = comparison.omnibus and method.omnibus is not None
    tested = (method.omnibus if joint and method.omnibus else method.each)(fit, contrasts, setting)
    columns = tested.columns
    n_tests = columns["stat"].shape[1]
    n = np.repeat(everybody(len(fit.design)), n_tests, axis=0)
    columns["base_mean"] = np.repeat(fit.genes["base_mean"][:, None], n_tests, axis=1)
    if not joint and comparison.groups is not None:
        sides = _sides(comparison)
        n = np.where(sides.compared[:, None], sides.n, n)
        if expression is not None:
            columns |= _group_means(expression, sides, options)
    if joint:
        unreplicated = np.array([unreplicated.any()])
    elif not unreplicated.any():
        notes = (*notes, *_single(comparison, n))
    notes = (*fit.notes, *notes, *tested.notes)
    return Answer(columns, n, unreplicated, notes, params=tested.params, fit=fit)


def _single(comparison: ModelComparison, n: Int) -> tuple[str, ...]:
    """A note on tests with a single observation on a side; ``n`` is ``(n_tests, 2)``."""
    names = [
        info.name for info, sizes in zip(comparison.effects, n, strict=True) if 1 in sizes.tolist()
    ]
    if not names:
        return ()
    said = f"{listed(names, limit=5)}: one side is a single observation"
    return (f"{said}, of which how it varies is taken from the others.",)


def _sides(comparison: ModelComparison) -> Sides:
    groups = cast("Groups", comparison.groups)
    codes = groups.codes[comparison.design.kept]
    return Sides(codes, len(groups.levels), comparison.tests)


def _group_means(expression: Expression, sides: Sides, options: Options) -> Columns:
    return expression.map_blocks(
        lambda block: mean_columns(block, sides), n_threads=options.n_threads, label="group means"
    )


def _unreplicated(
    method: ModelMethod, fit: Fit, comparison: ModelComparison, setting: TestSetting
) -> tuple[Bool, tuple[str, ...]]:
    """Contrasts without a standard error, ``(n_effects,)``, and the note that says so."""
    contrasts: Float = comparison.contrasts.vectors
    if fit.df_residual == 0:
        note = _NO_DF.format(n=len(fit.design), k=fit.design.shape[1])
        return np.ones(len(contrasts), dtype=bool), (note,)
    if method.untestable is None:
        return np.zeros(len(contrasts), dtype=bool), ()
    without = method.untestable(fit, contrasts, setting)
    names = [info.name for info, lacks in zip(comparison.effects, without, strict=True) if lacks]
    named = method.untestable_note.format(names=listed(names, limit=5))
    return without, (named,) if names else ()


_NO_DF = (
    "{n} observations and {k} coefficients leave no residual degrees of freedom: log2fc only, no "
    "p-values; replicates or a smaller design are needed."
)

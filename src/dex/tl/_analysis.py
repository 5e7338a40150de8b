"""From a question to a result: who is compared, what is measured, the test, the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dex.data.source import obs_of
from dex.design.comparison import ModelComparison, TwoSampleComparison
from dex.results import Result
from dex.results.schema import DESIGN, EFFECTS, LARGEST_DESIGN, OF_SAMPLES, SAMPLE_WEIGHTS
from dex.tl._applicable import require_applicable
from dex.tl._finish import expand, finish
from dex.tl._measure import measure
from dex.tl._recorded import comparison_params, is_stratified, measured_params
from dex.tl._run import run
from dex.tl._run_model import run_contrasts, run_fit
from dex.tl._samples import Measured, add_up_cells, with_enough_counts
from dex.tl._strata import in_strata

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray

    from dex.data import Expression, Source
    from dex.data.expression import Columns
    from dex.tl._answer import Answer
    from dex.tl._auto import Plan
    from dex.tl._options import Options
    from dex.tl._question import Question
    from dex.tl.methods import Method, ModelMethod, TwoSampleMethod
    from dex.typing import Float, Int

_FEWEST_GENES, _LARGEST_SHIFT = 100, 0.2  # for a median to mean something, and in log2


def analyse(
    adata: AnnData, source: Source, question: Question, *, plan: Plan, genes: Int, options: Options
) -> Result:
    """Answer ``question`` for the genes at positions ``genes``; ``adata`` is only read."""
    measured = prepare(adata, source, question, plan=plan, genes=genes, options=options)
    comparison = question.comparison(measured.obs, model=plan.method.model)
    return compare(adata, measured, comparison, plan=plan, options=options)


def prepare(
    adata: AnnData,
    source: Source,
    question: Question,
    *,
    plan: Plan,
    genes: Int,
    options: Options,
    per: str | None = None,
) -> Measured:
    """Check what was asked, and add cells up into samples where replicates are known.

    Cells that differ in ``obs[per]`` go into samples of their own.
    """
    require_applicable(plan.method, question.kind, options)
    obs, left_out = question.taking_part(obs_of(adata))
    measured = Measured(source, obs, genes, left_out)
    if plan.replicate is None:
        return measured
    return add_up_cells(
        adata,
        measured,
        question,
        replicate=plan.replicate,
        per=per,
        block=options.block,
        min_cells=options.min_cells,
        n_threads=options.n_threads,
    )


def compare(
    adata: AnnData,
    measured: Measured,
    comparison: TwoSampleComparison | ModelComparison,
    *,
    plan: Plan,
    options: Options,
) -> Result:
    """Test what is measured; size factors are of its observations."""
    if isinstance(comparison, TwoSampleComparison) and is_stratified(plan.method, options):
        comparison = in_strata(comparison, measured.obs, str(options.block))
    if plan.replicate is not None:
        measured = with_enough_counts(measured, comparison)
    expression = measure(adata, measured, plan.method, comparison.kept, options)
    answer = _answer(plan.method, expression, comparison, measured.obs, options)
    params = {
        **comparison_params(plan.method, comparison, options),
        **measured_params(expression),
        "replicate": plan.replicate,
        **measured.made,
        **_sample_divisors(measured, expression),
    }
    made_of = MadeOf(
        measured.genes,
        adata.n_vars,
        params,
        (*plan.notes, *measured.notes, *comparison.notes, *expression.notes),
        divisors_of(expression, len(measured.obs)) if plan.replicate is None else None,
    )
    return result_of(answer, comparison, made_of, expression=expression, options=options)


def _answer(
    method: Method,
    expression: Expression,
    comparison: TwoSampleComparison | ModelComparison,
    obs: pd.DataFrame,
    options: Options,
) -> Answer:
    if isinstance(comparison, TwoSampleComparison):
        return run(cast("TwoSampleMethod", method), expression, comparison, obs, options)
    model = cast("ModelMethod", method)
    fit = run_fit(model, expression, comparison.design, obs, options)
    return run_contrasts(model, fit, comparison, expression, options)


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a result is of, beside the answer."""

    genes: Int
    """Positions of the genes tested."""
    n_vars: int
    params: dict[str, Any]
    notes: tuple[str, ...]
    size_factors: Float | None
    """What the counts of the observations were divided by, ``(n_obs,)``."""


def result_of(
    answer: Answer,
    comparison: TwoSampleComparison | ModelComparison,
    made_of: MadeOf,
    *,
    expression: Expression | None,
    options: Options,
) -> Result:
    """Give every gene its row, status and adjusted p-values."""
    effects = answer.columns.pop(EFFECTS, None)
    genes, n_vars = made_of.genes, made_of.n_vars
    columns = finish(
        answer.columns,
        genes,
        n_vars,
        two_sample=isinstance(comparison, TwoSampleComparison),
        unreplicated=answer.unreplicated,
        not_estimable=answer.not_estimable,
        options=options,
    )
    shift = _composition_notes(columns["log2fc"], comparison, expression)
    names = [info.name for info in comparison.effects]
    fitted = {} if answer.fit is None else answer.fit.genes
    params, by_obs = made_of.params | answer.params, _by_observation(answer, comparison)
    if "sample_by" in params:  # rows are of samples that are made again when they are needed
        params |= {OF_SAMPLES[name]: values for name, values in by_obs.items()}
        by_obs = {}
    return Result(
        columns,
        comparison.infos,
        tuple(answer.n[:, 0].tolist()),
        tuple(answer.n[:, 1].tolist()),
        params,
        (*made_of.notes, *answer.notes, *shift),
        {} if effects is None else _named(names, expand(effects, genes, n_vars)),
        made_of.size_factors,
        {name: expand(values, genes, n_vars) for name, values in fitted.items()},
        {} if answer.fit is None else answer.fit.shared,
        **by_obs,
    )


def _by_observation(
    answer: Answer, comparison: TwoSampleComparison | ModelComparison
) -> dict[str, Float]:
    """What a model knows of every observation; NaN where one was left out."""
    if answer.fit is None or answer.fit.design.size > LARGEST_DESIGN:
        return {}
    known = {DESIGN: answer.fit.design}
    known |= {name: a for name, a in answer.fit.obs.items() if name == SAMPLE_WEIGHTS}
    out = {name: np.full((len(comparison.kept), *a.shape[1:]), np.nan) for name, a in known.items()}
    for name, values in known.items():
        out[name][comparison.kept] = values
    return out


def divisors_of(expression: Expression, n_obs: int) -> Float | None:
    """What the counts of each observation were divided by; NaN where it was not used."""
    if expression.divisors is None:
        return None
    divisors = np.full(n_obs, np.nan)
    divisors[expression.rows] = expression.divisors
    return divisors


def _sample_divisors(measured: Measured, expression: Expression) -> dict[str, Any]:
    """Likewise of samples that cells were added up into, by name."""
    if not measured.made or expression.divisors is None:
        return {}
    names = measured.obs.index[expression.rows].to_numpy(dtype=object)
    return {"sample_names": names, "sample_size_factors": expression.divisors}


def _named(names: list[str], columns: NDArray[Any]) -> Columns:
    return dict(zip(names, columns.T, strict=True))


def _composition_notes(
    log2fc: Float, comparison: TwoSampleComparison | ModelComparison, expression: Expression | None
) -> tuple[str, ...]:
    """Say where most genes of samples still seem to move together after normalisation."""
    if expression is None or expression.source.unit == "cells" or expression.factors is None:
        return ()
    changes = [info for info in comparison.infos if info.group]
    medians = [
        float(np.median(known))
        for info, values in zip(comparison.infos, log2fc.T, strict=True)
        if info in changes and len(known := values[~np.isnan(values)]) >= _FEWEST_GENES
    ]
    largest = max(medians, key=abs, default=0.0)
    if abs(largest) < _LARGEST_SHIFT:
        return ()
    return (
        f"The median gene has a log2fc of {largest:+.2f}: most genes seem to move together, which "
        f"normalisation by {expression.factors.title} has not removed; size_factors= names others.",
    )

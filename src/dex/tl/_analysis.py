"""From a question to a result: who is compared, what is measured, the test, the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data import Expression, Source
from dex.data.scale import Scale
from dex.data.source import obs_of
from dex.design.comparison import ModelComparison, TwoSampleComparison
from dex.results import Result
from dex.results.schema import EFFECTS
from dex.tl._applicable import require_applicable
from dex.tl._finish import expand, finish
from dex.tl._run import run
from dex.tl._samples import Measured, add_up_cells, with_enough_counts
from dex.tl._strata import in_strata

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

    from dex.data.expression import Columns
    from dex.tl._auto import Plan
    from dex.tl._options import Options
    from dex.tl._question import Question
    from dex.tl.methods import Method
    from dex.typing import Float, Int

_FEWEST_GENES, _LARGEST_SHIFT = 100, 0.2  # for a median to mean something, and in log2


def analyse(
    adata: AnnData, source: Source, question: Question, *, plan: Plan, genes: Int, options: Options
) -> Result:
    """Answer ``question`` for the genes at positions ``genes``; ``adata`` is only read."""
    require_applicable(plan.method, question.test, options)
    obs, left_out = question.taking_part(obs_of(adata))
    measured = Measured(source, obs, genes, left_out)
    if plan.replicate is not None:
        measured = add_up_cells(
            adata, measured, question, replicate=plan.replicate, n_threads=options.n_threads
        )
    comparison = question.comparison(measured.obs, model=plan.method.model)
    if isinstance(comparison, TwoSampleComparison) and _is_stratified(plan.method, options):
        comparison = in_strata(comparison, measured.obs, str(options.block))
    if plan.replicate is not None:
        measured = with_enough_counts(measured, comparison)
    rows = np.flatnonzero(comparison.kept)
    expression = Expression.from_source(
        measured.source,
        rows,
        measured.genes,
        size_factors=options.size_factors,
        obs=measured.obs,
        n_threads=options.n_threads,
    )
    answer = run(plan.method, expression, comparison, measured.obs, options)
    effects = answer.columns.pop(EFFECTS, None)
    n_vars = adata.n_vars
    columns = finish(
        answer.columns,
        measured.genes,
        n_vars,
        two_sample=not plan.method.model,
        unreplicated=answer.unreplicated,
        not_estimable=answer.not_estimable,
        options=options,
    )
    shift = _composition_notes(columns["log2fc"], comparison, expression)
    names = [info.name for info in comparison.effects]
    return Result(
        columns,
        comparison.infos,
        tuple(answer.n[:, 0].tolist()),
        tuple(answer.n[:, 1].tolist()),
        {
            **_params(plan, expression, comparison, options),
            **measured.made,
            **_sample_divisors(measured, expression),
        },
        (*plan.notes, *measured.notes, *comparison.notes, *expression.notes, *answer.notes, *shift),
        {} if effects is None else _named(names, expand(effects, measured.genes, n_vars)),
        divisors_of(expression, adata.n_obs) if plan.replicate is None else None,
    )


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
    log2fc: Float, comparison: TwoSampleComparison | ModelComparison, expression: Expression
) -> tuple[str, ...]:
    """Say where most genes of samples still seem to move together after normalisation."""
    if expression.scale is not Scale.LOGCPM or expression.factors is None:
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


def _is_stratified(method: Method, options: Options) -> bool:
    return options.block is not None and method.on_ranks


def _named_method(method: Method, options: Options, *, omnibus: bool) -> tuple[str, str]:
    """Title and citation of the test that is made."""
    if omnibus:
        return method.omnibus_title, method.citation
    if _is_stratified(method, options):
        return method.stratified_title, method.stratified_citation
    return method.title, method.citation


def _params(
    plan: Plan,
    expression: Expression,
    comparison: TwoSampleComparison | ModelComparison,
    options: Options,
) -> dict[str, Any]:
    """What was asked and decided, with the names that scanpy's readers expect."""
    title, citation = _named_method(plan.method, options, omnibus=comparison.omnibus)
    params: dict[str, Any] = {
        "groupby": comparison.groupby,
        "reference": comparison.reference,
        **measured_params(expression),
        "method": plan.method.name,
        "method_title": title,
        "citation": citation,
        "replicate": plan.replicate,
        "block": options.block,
        "weights": options.weights if _is_stratified(plan.method, options) else None,
        "alternative": options.alternative,
        "continuity": options.continuity,
        "lfc": options.lfc,
        "corr_method": options.padj_method,
        "padj_scope": options.padj_scope,
        "n_obs": int(comparison.kept.sum()),
    }
    if isinstance(comparison, ModelComparison):
        params |= {
            "vcov": options.vcov,
            "design": comparison.design.formula,
            "design_columns": np.array(comparison.design.coefs, dtype=object),
            "contrasts": comparison.contrasts.vectors,
        }
    return params


def measured_params(expression: Expression) -> dict[str, Any]:
    """Which matrix was measured, and how it was normalised on the way."""
    return {
        "use_raw": False,
        "layer": expression.source.layer,
        "source_scale": str(expression.source.scale),
        "scale": str(expression.scale),
        "pseudocount": expression.pseudocount,
        "size_factors": None if expression.factors is None else expression.factors.method,
        "unit": expression.source.unit,
    }

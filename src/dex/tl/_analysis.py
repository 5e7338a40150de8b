"""From a question to a result: who is compared, what is measured, the test, the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dex.data import Expression, Source
from dex.data.pseudobulk import counts_source, pseudobulk
from dex.data.source import obs_of
from dex.design.comparison import Comparison, ModelComparison, TwoSampleComparison
from dex.design.formula import read_formula
from dex.design.labels import column_of, is_numeric
from dex.design.wording import listed, plural
from dex.errors import InputError
from dex.results import Result
from dex.results.schema import EFFECTS
from dex.stats.filtering import filter_by_expr, min_sample_size
from dex.tl._finish import expand, finish
from dex.tl._run import require_applicable, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray

    from dex.data.expression import Columns
    from dex.tl._auto import Plan
    from dex.tl._options import Options
    from dex.typing import Int


@dataclass(frozen=True, slots=True)
class Question:
    """Who is compared with whom, as the user says it."""

    groupby: str | None
    design: Any
    contrasts: Any
    reference: str | None
    groups: Sequence[str] | None
    test: Literal["each", "any"]

    @property
    def compared(self) -> str | None:
        """Column whose levels are compared, if the words say which."""
        if self.groupby is None and isinstance(self.contrasts, tuple) and self.contrasts:
            return str(self.contrasts[0])
        return self.groupby

    def compared_in(self, obs: pd.DataFrame) -> str | None:
        """``compared``, or else the last column of the design, of labels if it has any."""
        if self.compared is not None:
            return self.compared
        return next(reversed(self.labels(obs) or list(self.variables(obs))), None)

    def labels(self, obs: pd.DataFrame) -> list[str]:
        """Columns of labels that the question is about: a sample is of one label in each."""
        names = [] if self.compared is None else [self.compared]
        names += [name for name in self.variables(obs) if not is_numeric(obs[name])]
        for name in names:
            column_of(obs, name, argument="groupby")
        return list(dict.fromkeys(names))

    def variables(self, obs: pd.DataFrame) -> tuple[str, ...]:
        """Columns that the design names."""
        if not isinstance(self.design, str):
            return ()
        return tuple(read_formula(self.design, [str(name) for name in obs.columns]).variables)

    def comparison(
        self, obs: pd.DataFrame, *, model: bool
    ) -> TwoSampleComparison | ModelComparison:
        """Ask it of some observations."""
        return Comparison.from_obs(
            obs,
            groupby=self.groupby,
            design=self.design,
            contrasts=self.contrasts,
            reference=self.reference,
            groups=self.groups,
            test=self.test,
            model=model,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What is tested: a matrix, the observations that belong to it, and the genes."""

    source: Source
    obs: pd.DataFrame
    genes: Int
    notes: tuple[str, ...] = ()


def analyse(
    adata: AnnData, source: Source, question: Question, *, plan: Plan, genes: Int, options: Options
) -> Result:
    """Answer ``question`` for the genes at positions ``genes``; ``adata`` is only read."""
    require_applicable(plan.method, question.test, options)
    measured = Measured(source, obs_of(adata), genes)
    if plan.replicate is not None:
        measured = _add_up_cells(adata, measured, plan.replicate, question, options)
    comparison = question.comparison(measured.obs, model=plan.method.model)
    rows = np.flatnonzero(comparison.kept)
    expression = Expression.from_source(
        measured.source, rows, measured.genes, n_threads=options.n_threads
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
        options=options,
    )
    names = [info.name for info in comparison.effects]
    return Result(
        columns,
        comparison.infos,
        tuple(answer.n[:, 0].tolist()),
        tuple(answer.n[:, 1].tolist()),
        _params(plan, expression, comparison, options),
        (*plan.notes, *measured.notes, *comparison.notes, *expression.notes, *answer.notes),
        {} if effects is None else _named(names, expand(effects, measured.genes, n_vars)),
    )


def _named(names: list[str], columns: NDArray[Any]) -> Columns:
    return dict(zip(names, columns.T, strict=True))


def _add_up_cells(
    adata: AnnData, measured: Measured, replicate: str, question: Question, options: Options
) -> Measured:
    """Samples of cells; genes with too few counts in them to be tested are left out."""
    if replicate == question.compared:
        msg = f"replicate={replicate!r} is the column compared; name the donor, animal or sample."
        raise InputError(msg)
    source = counts_source(adata, measured.source)
    by = [replicate, *(name for name in question.labels(measured.obs) if name != replicate)]
    column_of(measured.obs, replicate, argument="replicate")
    min_cells = 10 if source.unit == "cells" else 1
    bulk = pseudobulk(source, measured.obs, by, min_cells=min_cells, n_threads=options.n_threads)
    _require_constant(question.variables(measured.obs), bulk.obs, by)
    counts = bulk.source.matrix
    smallest = min_sample_size(_codes(bulk.obs, by[1:]))
    keep = filter_by_expr(counts, counts.sum(axis=1), min_sample_size=smallest)
    genes = measured.genes[keep[measured.genes]]
    notes = (*source.notes, *bulk.notes, *_left_out(len(measured.genes) - len(genes)))
    return Measured(bulk.source, bulk.obs, genes, notes)


def _left_out(n_genes: int) -> tuple[str, ...]:
    if not n_genes:
        return ()
    return (f"{plural(n_genes, 'gene')} left out for too few counts in the samples.",)


def _codes(obs: pd.DataFrame, by: list[str]) -> Int:
    """Which observations agree in the columns ``by``; all of them do if there are none."""
    if not by:
        return np.zeros(len(obs), dtype=np.intp)
    return np.asarray(obs.groupby(by, observed=True).ngroup(), dtype=np.intp)


def _require_constant(variables: Sequence[str], samples: pd.DataFrame, by: Sequence[str]) -> None:
    varying = [name for name in variables if name not in samples]
    if varying:
        msg = (
            f"design= uses {listed(varying)}, which differs between cells of one sample "
            f"({' x '.join(by)}); leave it out, or replicate=None tests the cells."
        )
        raise InputError(msg)


def _params(
    plan: Plan,
    expression: Expression,
    comparison: TwoSampleComparison | ModelComparison,
    options: Options,
) -> dict[str, Any]:
    """What was asked and decided, with the names that scanpy's readers expect."""
    params: dict[str, Any] = {
        "groupby": comparison.groupby,
        "reference": comparison.reference,
        "use_raw": False,
        "method": plan.method.name,
        "method_title": plan.method.omnibus_title if comparison.omnibus else plan.method.title,
        "citation": plan.method.citation,
        "layer": expression.source.layer,
        "source_scale": str(expression.source.scale),
        "scale": str(expression.scale),
        "pseudocount": expression.pseudocount,
        "unit": expression.source.unit,
        "replicate": plan.replicate,
        "block": options.block,
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

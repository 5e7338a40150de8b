"""Strata analysed apart, as cell types: every one by itself, all in one result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dex.data.source import obs_of
from dex.design.labels import Labels, column_of, is_numeric
from dex.design.wording import listed, plural
from dex.errors import InputError
from dex.results.schema import Status
from dex.tl._analysis import compare, prepare
from dex.tl._joined import Joined, joined
from dex.tl._recorded import comparison_params
from dex.tl._within import comparison_within, too_few

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from dex.data import Source
    from dex.design.comparison import ModelComparison, TwoSampleComparison
    from dex.results import Result
    from dex.tl._auto import Plan
    from dex.tl._options import Options
    from dex.tl._question import Question
    from dex.tl._samples import Measured
    from dex.typing import Int

_MOST_NUMBERS = 20
"""Different numbers with a fraction beyond which a column is a measurement, and no strata."""


def analyse_per(
    adata: AnnData,
    source: Source,
    question: Question,
    *,
    per: str,
    plan: Plan,
    genes: Int,
    options: Options,
) -> Result:
    """Answer ``question`` within every level of ``obs[per]``; ``adata`` is only read.

    Every stratum has samples, genes with counts enough, size factors and a fit of its own. Its
    tests are those of all observations together; those that it cannot make have a status, and a
    note says why.

    Raises
    ------
    InputError
        If the question cannot be answered in any stratum, or makes no sense within them.
    """
    _require_apart(question, obs_of(adata), per, plan)
    names = Labels.from_column(column_of(obs_of(adata), per, argument="per")).levels
    measured = prepare(adata, source, question, plan=plan, genes=genes, options=options, per=per)
    whole = question.comparison(measured.obs, model=plan.method.model)
    strata = [
        _stratum(adata, measured, question, whole, name=name, rows=rows, plan=plan, options=options)
        for name, rows in _rows(measured.obs, per, names)
    ]
    if all(stratum.result is None for stratum in strata):
        largest = max(strata, key=lambda stratum: len(stratum.rows))
        msg = f"per={per!r}: no level of it can be tested. {largest.problem}"
        raise InputError(msg)
    params = {
        **comparison_params(plan.method, whole, options),
        "replicate": plan.replicate,
        "per": per,
    }
    notes = (*plan.notes, *measured.notes, *_unlabelled(measured, per))
    about = Joined(per, whole, params, notes, genes, options)
    return joined(strata, about, n_vars=adata.n_vars, n_obs=len(measured.obs))


@dataclass(frozen=True, slots=True)
class Stratum:
    """One level of the column, and what came of it."""

    name: str
    rows: Int
    """Positions of its observations among those measured."""
    n: Int
    """Its observations on both sides of every test of the whole, shape ``(n_tests, 2)``."""
    result: Result | None
    problem: str = ""
    """Why tests are missing; empty if none is."""
    status: Status = Status.TESTED
    """Of the genes in the tests that are missing."""


def _stratum(
    adata: AnnData,
    measured: Measured,
    question: Question,
    whole: TwoSampleComparison | ModelComparison,
    *,
    name: str,
    rows: Int,
    plan: Plan,
    options: Options,
) -> Stratum:
    """Test one stratum; what cannot be tested there is a problem of it, and no error."""
    n, few = too_few(rows, whole, unit=measured.source.unit)
    status = Status.NO_REPLICATES if few else Status.NOT_ESTIMABLE
    try:
        some = measured.take(rows)
        comparison = comparison_within(question, some.obs, whole, model=plan.method.model)
        result = compare(adata, some, comparison, plan=replace(plan, notes=()), options=options)
    except InputError as error:
        why = few or f"it cannot be tested: {error}"
        return Stratum(name, rows, n, None, f"{name!r}: {why}", status)
    missing = [info.name for info in whole.infos if info not in result.infos]
    if not missing:
        said = f"{name!r}: {few} Those that are there are tested." if few else ""
        return Stratum(name, rows, n, result, said)
    why = f"{few or 'not estimable.'} Not tested: {listed(missing, limit=5)}."
    return Stratum(name, rows, n, result, f"{name!r}: {why}", status)


def _rows(obs: pd.DataFrame, per: str, names: tuple[str, ...]) -> list[tuple[str, Int]]:
    """Every level and the positions of its observations, which may be none."""
    labels = Labels.from_column(obs[per])
    codes = {name: code for code, name in enumerate(labels.levels)}
    return [(name, np.flatnonzero(labels.codes == codes.get(name, -2))) for name in names]


def _unlabelled(measured: Measured, per: str) -> tuple[str, ...]:
    """Say which observations are in no stratum; those of samples were never added up."""
    n = int(measured.obs[per].isna().sum())
    return (f"{plural(n, 'observation')} without a label in obs[{per!r}] left out.",) if n else ()


def _require_apart(question: Question, obs: pd.DataFrame, per: str, plan: Plan) -> None:
    column = column_of(obs, per, argument="per")
    if is_numeric(column) and column.dtype.kind == "f" and column.nunique() > _MOST_NUMBERS:
        msg = (
            f"per={per!r} is continuous ({column.nunique():,} different numbers), and every level "
            "is analysed by itself; name a column of labels, as cell types."
        )
        raise InputError(msg)
    if per == plan.replicate:
        msg = f"per={per!r} is also the replicate: there would be one sample in every level."
        raise InputError(msg)
    if per in question.compared(obs):
        msg = f"per={per!r} is the column compared; name a column that holds all of its levels."
        raise InputError(msg)
    if per in (*question.labels(obs), *question.variables(obs)):
        msg = f"per={per!r} is in the design, and the same for all observations of a level."
        raise InputError(msg)
    if question.design is not None and not isinstance(question.design, str):
        msg = f"per={per!r} takes parts of obs, which a design matrix is not of; write a formula."
        raise InputError(msg)

"""Hand a comparison to a method in the form that its family takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dex.design.comparison import ModelComparison
from dex.design.pairs import matched_pairs
from dex.design.wording import listed, plural
from dex.errors import InputError
from dex.stats.exact_ranks import smallest_exact_pval, use_exact
from dex.tl._columns import Sides
from dex.tl._linear import hc3_estimable
from dex.tl._strata import Stratified

if TYPE_CHECKING:
    import pandas as pd

    from dex.data import Expression
    from dex.data.expression import Columns
    from dex.design.comparison import TwoSampleComparison
    from dex.design.tests import TestInfo
    from dex.tl._options import Options
    from dex.tl.methods import Method
    from dex.typing import Bool, Int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method says of the genes tested."""

    columns: Columns
    n: Int
    """Observations on both sides of every test, shape ``(n_tests, 2)``."""
    unreplicated: Bool
    """Tests with too few observations for a p-value, shape ``(n_tests,)``."""
    notes: tuple[str, ...] = ()
    not_estimable: Bool = field(default_factory=lambda: np.zeros(1, dtype=bool))
    """Tests that no stratum can make, shape ``(n_tests,)``, or one False for all."""


def run(
    method: Method,
    expression: Expression,
    comparison: TwoSampleComparison | ModelComparison,
    obs: pd.DataFrame,
    options: Options,
) -> Answer:
    """Test every gene."""
    if options.lfc > 0 and not expression.scale.is_log:
        msg = f"lfc={options.lfc} is in log2, and {expression.source.where} is not on a log scale."
        raise InputError(msg)
    if isinstance(comparison, ModelComparison):
        return _run_model(method, expression, comparison, options)
    if method.paired:
        return _run_paired(method, expression, comparison, obs, options)
    if options.block is not None:
        return _run_strata(method, expression, comparison, obs, options)
    return _run_groups(method, expression, comparison, options)


def _run_groups(
    method: Method, expression: Expression, comparison: TwoSampleComparison, options: Options
) -> Answer:
    groups = comparison.groups
    sides = Sides(groups.codes[expression.rows], len(groups.levels), comparison.tests)
    if comparison.omnibus and method.omnibus is not None:
        _require_all_groups(comparison, method)
        columns = method.omnibus(expression, sides, options)
        lone = groups.sizes.min() < method.fewest or groups.sizes.sum() <= len(groups.sizes)
        said = (_LONE.format(title=method.omnibus_title, n=method.fewest),) if lone else ()
        return Answer(columns, _everybody(expression), np.array([lone]), said)
    unreplicated = (sides.n.min(axis=1) < method.fewest) | (sides.n.sum(axis=1) < 3)
    notes = _unreplicated_notes(comparison.infos, sides.n, unreplicated)
    notes += _exact_notes(sides.n[None], options) if method.on_ranks else ()
    return Answer(method.each(expression, sides, options), sides.n, unreplicated, notes)


def _run_strata(
    method: Method,
    expression: Expression,
    comparison: TwoSampleComparison,
    obs: pd.DataFrame,
    options: Options,
) -> Answer:
    """Groups are compared within strata; their means are of all observations."""
    groups = comparison.groups
    sides = Sides(groups.codes[expression.rows], len(groups.levels), comparison.tests)
    block = str(options.block)
    within = Stratified.from_obs(obs.iloc[expression.rows], comparison.infos, sides, block)
    unreplicated = within.estimable & (within.n.sum(axis=(0, 2)) < 3)
    notes = _unreplicated_notes(comparison.infos, within.n.sum(axis=0), unreplicated)
    notes += (*within.notes, *_exact_notes(within.n, options))
    if expression.source.unit == "cells":
        notes += (_BLOCKS_ARE_NOT_REPLICATES.format(block=options.block),)
    columns = method.each(expression, sides, options, strata=within.strata)
    return Answer(columns, sides.n, unreplicated, notes, ~within.estimable)


def _require_all_groups(comparison: TwoSampleComparison, method: Method) -> None:
    levels = comparison.groups.levels
    missing = set(range(len(levels))) - set(comparison.tests.ravel().tolist())
    if missing:
        msg = (
            f"test='any': the {method.omnibus_title} is of all {len(levels)} groups of "
            f"obs[{comparison.groups.column!r}] at once; leave out groups= and contrasts=, or use "
            "method='ols'."
        )
        raise InputError(msg)


def _run_paired(
    method: Method,
    expression: Expression,
    comparison: TwoSampleComparison,
    obs: pd.DataFrame,
    options: Options,
) -> Answer:
    """Every test has pairs of its own, and means of the observations in them only."""
    answers: list[tuple[Columns, Int]] = []
    notes: list[str] = []
    for test in comparison.tests:
        pairs = matched_pairs(obs, comparison.groups, test, block=options.block)
        codes = np.full(len(obs), -1, dtype=np.intp)
        codes[pairs.rows[:, 0]], codes[pairs.rows[:, 1]] = 0, 1
        sides = Sides(codes[expression.rows], 2, np.array([[0, 1]]))
        rows = np.searchsorted(expression.rows, pairs.rows)
        answers.append((method.each(expression, sides, options, pairs=rows), sides.n))
        notes += pairs.notes
    columns = {name: np.hstack([part[name] for part, _ in answers]) for name in answers[0][0]}
    n = np.vstack([n for _, n in answers])
    return Answer(columns, n, np.zeros(len(n), dtype=bool), tuple(notes))


def _run_model(
    method: Method, expression: Expression, comparison: ModelComparison, options: Options
) -> Answer:
    design, contrasts = comparison.design, comparison.contrasts.vectors
    unreplicated, notes = _unreplicated_contrasts(comparison, options)
    if comparison.omnibus and method.omnibus is not None:
        columns = method.omnibus(expression, design.matrix, contrasts, options)
        any_of_them = np.array([unreplicated.any()])
        return Answer(columns, _everybody(expression), any_of_them, notes)
    sides = None
    n = np.repeat(_everybody(expression), len(contrasts), axis=0)
    if comparison.groups is not None:
        codes = comparison.groups.codes[expression.rows]
        sides = Sides(codes, len(comparison.groups.levels), comparison.tests)
        n = np.where(sides.compared[:, None], sides.n, n)
    columns = method.each(expression, design.matrix, contrasts, sides, options)
    return Answer(columns, n, unreplicated, notes)


def _unreplicated_contrasts(
    comparison: ModelComparison, options: Options
) -> tuple[Bool, tuple[str, ...]]:
    """Contrasts without a standard error, ``(n_effects,)``, and the note that says so."""
    design, contrasts = comparison.design, comparison.contrasts.vectors
    if design.df_residual == 0:
        note = _NO_DF.format(n=len(design.matrix), k=len(design.coefs))
        return np.ones(len(contrasts), dtype=bool), (note,)
    if options.vcov != "HC3":
        return np.zeros(len(contrasts), dtype=bool), ()
    resting = ~hc3_estimable(design.matrix, contrasts)
    names = [info.name for info, rests in zip(comparison.effects, resting, strict=True) if rests]
    return resting, (_NO_HC3.format(names=listed(names, limit=5)),) if names else ()


_LONE = "The {title} needs {n} or more observations in every group, and replicates: no p-values."
_BLOCKS_ARE_NOT_REPLICATES = (
    "block={block!r} takes differences between its levels out; it does not make the cells of one "
    "level independent, as replicate= does for conditions."
)
_NO_HC3 = (
    "HC3 has no standard error for {names}, which rest on an observation that the design fits "
    "whatever its value: no p-values."
)
_NO_DF = (
    "{n} observations and {k} coefficients leave no residual degrees of freedom: log2fc only, no "
    "p-values; replicates or a smaller design are needed."
)


def _everybody(expression: Expression) -> Int:
    return np.array([[len(expression.rows), 0]])


def _unreplicated_notes(infos: tuple[TestInfo, ...], n: Int, unreplicated: Bool) -> tuple[str, ...]:
    if not unreplicated.any():
        return ()
    i = int(np.flatnonzero(unreplicated)[0])
    return (
        f"{unreplicated.sum()} of {len(n)} tests have too few observations for a p-value (status "
        f"no_replicates), the first is {infos[i].name!r} with {n[i, 0]} against {n[i, 1]}.",
    )


def _exact_notes(n: Int, options: Options) -> tuple[str, ...]:
    """Name the bound of small tests, below which no p-value can be.

    ``n`` has the observations of every stratum on both sides, ``(n_strata, n_tests, 2)``.
    """
    small = use_exact(*n.sum(axis=0).T)
    smallest = [
        smallest_exact_pval(*sizes[sizes.any(axis=1)].T, alternative=options.alternative)
        for sizes in n[:, small].swapaxes(0, 1)
    ]
    if not smallest:
        return ()
    return (
        f"Of {plural(n.shape[1], 'test')}, {len(smallest)} small and exact: without ties no "
        f"p-value there is below {max(smallest):.2g}.",
    )

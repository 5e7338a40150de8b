"""Compare groups of observations by a method for two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.design.pairs import matched_pairs
from dex.design.wording import plural
from dex.errors import InputError
from dex.stats.exact_ranks import smallest_exact_pval, use_exact
from dex.tl._answer import Answer, everybody
from dex.tl._columns import Sides
from dex.tl._strata import Stratified

if TYPE_CHECKING:
    import pandas as pd

    from dex.data import Expression
    from dex.data.expression import Columns
    from dex.design.comparison import TwoSampleComparison
    from dex.design.tests import TestInfo
    from dex.tl._options import Options
    from dex.tl.methods import TwoSampleMethod
    from dex.typing import Bool, Int


def run(
    method: TwoSampleMethod,
    expression: Expression,
    comparison: TwoSampleComparison,
    obs: pd.DataFrame,
    options: Options,
) -> Answer:
    """Test every gene."""
    if method.block == "pairs":
        return _run_paired(method, expression, comparison, obs, options)
    if options.block is not None:
        return _run_strata(method, expression, comparison, obs, options)
    return _run_groups(method, expression, comparison, options)


def _run_groups(
    method: TwoSampleMethod,
    expression: Expression,
    comparison: TwoSampleComparison,
    options: Options,
) -> Answer:
    groups = comparison.groups
    sides = Sides(groups.codes[expression.rows], len(groups.levels), comparison.tests)
    if comparison.omnibus and method.omnibus is not None:
        _require_all_groups(comparison, method)
        columns = method.omnibus(expression, sides, options)
        lone = groups.sizes.min() < method.fewest or groups.sizes.sum() <= len(groups.sizes)
        said = (_LONE.format(title=method.omnibus_title, n=method.fewest),) if lone else ()
        return Answer(columns, everybody(len(expression.rows)), np.array([lone]), said)
    unreplicated = (sides.n.min(axis=1) < method.fewest) | (sides.n.sum(axis=1) < 3)
    notes = _unreplicated_notes(comparison.infos, sides.n, unreplicated)
    notes += _exact_notes(sides.n[None], options) if method.on_ranks else ()
    return Answer(method.each(expression, sides, options), sides.n, unreplicated, notes)


def _run_strata(
    method: TwoSampleMethod,
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


def _require_all_groups(comparison: TwoSampleComparison, method: TwoSampleMethod) -> None:
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
    method: TwoSampleMethod,
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


_LONE = "The {title} needs {n} or more observations in every group, and replicates: no p-values."
_BLOCKS_ARE_NOT_REPLICATES = (
    "block={block!r} takes differences between its levels out; it does not make the cells of one "
    "level independent, as replicate= does for conditions."
)


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

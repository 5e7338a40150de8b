"""Rank tests within the levels of a nuisance column, and what to say of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dex.design.labels import Labels, column_of, is_numeric
from dex.design.wording import plural
from dex.errors import InputError
from dex.stats.ranks import RankSumTest, rank_sum_test
from dex.stats.stratified_ranks import Strata, stratified_rank_sum_test, stratum_sizes

if TYPE_CHECKING:
    import pandas as pd

    from dex.design.comparison import TwoSampleComparison
    from dex.design.tests import TestInfo
    from dex.stats.sparse_genes import SparseGenes
    from dex.tl._columns import Sides
    from dex.tl._options import Options
    from dex.typing import Bool, Float, Int

_MOST_NUMBERS = 20
"""Different numbers with a fraction beyond which a column is a measurement, and not strata."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """Every test, within strata."""

    strata: Strata
    n: Int
    """Observations on both sides in the strata that have both, ``(n_strata, n_tests, 2)``."""
    notes: tuple[str, ...]

    @property
    def estimable(self) -> Bool:
        """Tests with a stratum that has both sides, shape ``(n_tests,)``."""
        return self.n.any(axis=(0, 2))

    @classmethod
    def from_obs(
        cls, obs: pd.DataFrame, infos: tuple[TestInfo, ...], sides: Sides, block: str
    ) -> Stratified:
        """Read ``obs[block]`` of the observations that ``sides`` are of."""
        labels = Labels.from_column(column_of(obs, block, argument="block"))
        strata = Strata(labels.codes, len(labels.levels))
        n = stratum_sizes(sides.codes, sides.n_groups, sides.tests, strata=strata)
        return cls(strata, n, _notes(infos, (n > 0).all(axis=2).sum(axis=0), labels, block))


def in_strata(
    comparison: TwoSampleComparison, obs: pd.DataFrame, block: str
) -> TwoSampleComparison:
    """Leave out the observations without a label in ``obs[block]``.

    Raises
    ------
    InputError
        If the column is not there, holds measurements or nothing, or is the one compared.
    """
    groups = comparison.groups
    labels = _labels(obs, block, groupby=groups.column)
    without = comparison.kept & (labels.codes < 0)
    if not without.any():
        return comparison
    said = (
        f"{plural(int(without.sum()), 'observation')} without a label in obs[{block!r}] left out."
    )
    return replace(
        comparison,
        groups=replace(groups, codes=np.where(without, -1, groups.codes)),
        kept=comparison.kept & ~without,
        notes=(*comparison.notes, said),
    )


def compare_ranks(
    values: Float | SparseGenes, sides: Sides, options: Options, *, strata: Strata | None
) -> RankSumTest:
    """Every test of a block of genes, ``values`` being ``(n_obs, n_genes)``."""
    groups = (sides.grouping, sides.n_groups, sides.tests)
    against, continuity = options.alternative, options.continuity
    if strata is None:
        return rank_sum_test(values, *groups, alternative=against, continuity=continuity)
    return stratified_rank_sum_test(
        values,
        *groups,
        strata=strata,
        weights=options.weights,
        alternative=against,
        continuity=continuity,
    )


def _labels(obs: pd.DataFrame, block: str, *, groupby: str) -> Labels:
    if block == groupby:
        msg = (
            f"block={block!r} is the column that is compared: no stratum would hold two groups; "
            "name a nuisance, as the batch."
        )
        raise InputError(msg)
    column = column_of(obs, block, argument="block")
    labels = Labels.from_column(column)
    if not labels.levels:
        msg = f"block={block!r}: obs[{block!r}] holds missing values only, where strata are needed."
        raise InputError(msg)
    continuous = is_numeric(column) and column.dtype.kind == "f"
    if continuous and len(labels.levels) > _MOST_NUMBERS:
        msg = (
            f"block={block!r} is continuous ({len(labels.levels):,} different numbers), where "
            "strata are needed; cut it into classes, or use method='ols' with it in the design."
        )
        raise InputError(msg)
    return labels


def _notes(infos: tuple[TestInfo, ...], used: Int, labels: Labels, block: str) -> tuple[str, ...]:
    """How many strata the tests use, and which test uses none."""
    n = len(labels.levels)
    notes = [f"Observations are compared within the {plural(n, 'level')} of obs[{block!r}]."]
    fewest = int(used.argmin())
    if used[fewest] < n:
        notes.append(
            f"Levels with one side of a test only take no part in it: {int((used < n).sum())} of "
            f"{plural(len(used), 'test')} {'use' if len(used) > 1 else 'uses'} fewer than {n}, the "
            f"first of the fewest is {infos[fewest].name!r} with {used[fewest]}."
        )
    if used[fewest] == 0:
        notes.append(
            f"{int((used == 0).sum())} of {plural(len(used), 'test')} cannot be made within "
            f"obs[{block!r}]: no p-values (status not_estimable)."
        )
    return tuple(notes)

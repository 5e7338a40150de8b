"""The columns that methods share: means, fold changes, fractions expressing, t statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dex.data.shared_columns import widen
from dex.design.comparison import NO_GROUP
from dex.stats.grouping import Grouping
from dex.stats.moments import (
    GroupMoments,
    TwoSamples,
    group_moments,
    two_samples,
)
from dex.stats.tails import log10_pval_against
from dex.stats.treat import treat_test
from dex.typing import REST

if TYPE_CHECKING:
    from dex.data.expression import Columns, GeneBlock, SparseBlock
    from dex.tl._model import TestSetting
    from dex.tl._options import Options
    from dex.typing import Bool, Float, Int


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is on which side of every test."""

    codes: Int
    """Group of each observation used, shape ``(n_obs,)``; -1 is in none."""
    n_groups: int
    tests: Int
    """Rows (group, reference), shape ``(n_tests, 2)``; the reference may be ``REST``. Both are
    ``NO_GROUP`` in a test that compares no two groups."""
    grouping: Grouping = field(init=False)
    """The codes, checked once for all blocks of genes."""

    def __post_init__(self) -> None:
        """Check the codes."""
        checked = Grouping.of(self.codes, self.n_groups, len(self.codes))
        object.__setattr__(self, "grouping", checked)

    @property
    def compared(self) -> Bool:
        """Tests that compare two groups, shape ``(n_tests,)``."""
        return np.not_equal(self.tests[:, 0], NO_GROUP)

    @property
    def in_tests(self) -> Bool:
        """Observations that a test compares, ``(n_tests, n_obs)``; all, if not of two groups."""
        members = (self.codes == self.tests[:, :1]) | (self.codes == self.tests[:, 1:])
        two = (self.tests >= 0).all(axis=1)
        return np.asarray(members | ~two[:, None])

    @property
    def n(self) -> Int:
        """Observations on both sides, shape ``(n_tests, 2)``."""
        return self.grouping.of_sides(self.tests)


def t_columns(
    stat: Float,
    two_sided: Float,
    effect: Float,
    se: Float,
    df: Float,
    *,
    setting: Options | TestSetting,
) -> Columns:
    """Statistic and p-value of the t test, or of the test against a threshold, of the side asked.

    ``two_sided`` is log10 of the two-sided p-value of ``stat``.
    """
    against = setting.alternative
    if setting.lfc > 0:
        test = treat_test(effect, se, df, threshold=setting.lfc, alternative=against)
        return {"stat": test.stat, "df": df, "log10_pval": test.log10_pval}
    log10_pval = log10_pval_against(against, stat=stat, two_sided=two_sided)
    return {"stat": stat, "df": df, "log10_pval": log10_pval}


def estimate_columns(effect: Float, se: Float, *, is_log: bool) -> Columns:
    """Differences of logs are fold changes; of anything else they are differences of means."""
    if is_log:
        return {"log2fc": effect, "log2fc_se": se}
    nothing = np.full_like(effect, np.nan)
    return {"log2fc": nothing, "log2fc_se": nothing, "mean_diff": effect, "mean_diff_se": se}


def mean_columns(block: GeneBlock, sides: Sides) -> Columns:
    """Means on both sides and, where zeros are zeros, the fractions that express the gene.

    They are NaN in tests that compare no two groups.
    """
    everybody = np.where(sides.compared[:, None], sides.tests, [0, REST])
    moments = group_moments(block.linear, sides.grouping, sides.n_groups)
    columns = _side_columns(two_samples(moments, everybody), block)
    for name, values in columns.items():
        columns[name] = np.where(sides.compared, values, np.nan)
    return columns


def fold_change_columns(
    block: GeneBlock | SparseBlock, sides: Sides, *, pseudocount: float
) -> Columns:
    """Add to :func:`mean_columns` the log2 ratio of the means and its standard error.

    ``log2fc = log2((mean_group + c) / (mean_reference + c))``; its standard error is the delta
    method's, from the variances of both means.
    """
    each = group_moments(block.linear, sides.grouping, sides.n_groups)
    moments = two_samples(each, sides.tests)
    group, reference = (side.mean + pseudocount for side in (moments.group, moments.reference))
    with np.errstate(divide="ignore", invalid="ignore"):
        log2fc = np.log2(group / reference)
        relative_var = _var_of_mean(moments.group) / group**2
        relative_var += _var_of_mean(moments.reference) / reference**2
    return {
        "log2fc": log2fc,
        "log2fc_se": np.sqrt(relative_var) / np.log(2),
        "base_mean": widen(_overall_mean(each)[:, None], log2fc.shape),
        **_side_columns(moments, block),
    }


def _overall_mean(moments: GroupMoments) -> Float:
    """Mean of the observations in all groups, shape ``(n_vars,)``."""
    weighted = np.where(moments.n > 0, moments.mean, 0.0) * (moments.n / moments.n.sum())
    return np.asarray(weighted.sum(axis=1))


def _side_columns(moments: TwoSamples, block: GeneBlock | SparseBlock) -> Columns:
    """Means of both sides of linear values, and the fractions of both that express the gene."""
    group, reference = moments.group, moments.reference
    columns = {"mean_group": group.mean, "mean_reference": reference.mean}
    if block.abundance is not None:  # above zero where the linear values are
        with np.errstate(invalid="ignore"):
            columns["pct_group"] = group.n_positive / group.n
            columns["pct_reference"] = reference.n_positive / reference.n
    return {name: widen(values, group.mean.shape) for name, values in columns.items()}


def _var_of_mean(moments: GroupMoments) -> Float:
    return moments.var / moments.n

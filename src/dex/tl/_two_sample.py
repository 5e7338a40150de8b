"""t tests and rank tests: groups against a reference or the rest, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.results.schema import EFFECTS
from dex.stats.moments import group_moments
from dex.stats.ranks import kruskal_test
from dex.stats.ttest import (
    TTest,
    anova,
    cohens_d,
    paired_t_test,
    student_t_test,
    welch_anova,
    welch_t_test,
)
from dex.tl._columns import fold_change_columns, t_columns
from dex.tl._strata import compare_ranks

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns, Expression, GeneBlock, SparseBlock
    from dex.data.scale import Scale
    from dex.stats.stratified_ranks import Strata
    from dex.tl._columns import Sides
    from dex.tl._options import Options
    from dex.typing import Float, Int

    OmnibusStatistics = Callable[[SparseBlock], tuple[Float, Float, Float]]


def t_test(
    expression: Expression, sides: Sides, options: Options, *, equal_var: bool = False
) -> Columns:
    """Every group against its reference by Welch's or Student's t test."""
    compare = student_t_test if equal_var else welch_t_test

    scale, c = expression.scale, expression.pseudocount

    def columns(block: SparseBlock) -> Columns:
        moments = group_moments(block.values, sides.grouping, sides.n_groups)
        test = compare(moments, sides.tests)
        effects = fold_change_columns(block, sides, pseudocount=c)
        return effects | _t_columns(test, scale, options)

    n, n_threads = len(sides.tests), options.n_threads
    return expression.map_sparse(columns, n_threads=n_threads, label="t test", n_tests=n)


def paired(expression: Expression, sides: Sides, options: Options, *, pairs: Int) -> Columns:
    """One group against its reference within pairs of observations."""
    scale, c = expression.scale, expression.pseudocount

    def columns(block: GeneBlock) -> Columns:
        test = paired_t_test(block.values, pairs)
        effects = fold_change_columns(block, sides, pseudocount=c)
        return effects | _t_columns(test, scale, options)

    return expression.map_blocks(columns, n_threads=options.n_threads, label="paired t test")


def wilcoxon(
    expression: Expression, sides: Sides, options: Options, *, strata: Strata | None = None
) -> Columns:
    """Every group against its reference by the rank-sum test, within ``strata`` if there are."""
    c = expression.pseudocount

    def columns(block: SparseBlock) -> Columns:
        test = compare_ranks(block.values, sides, options, strata=strata)
        statistics = {"stat": test.stat, "auc": test.auc, "log10_pval": test.log10_pval}
        if "cohens_d" in options.stats:
            moments = group_moments(block.values, sides.grouping, sides.n_groups)
            statistics["cohens_d"] = cohens_d(moments, sides.tests)
        return fold_change_columns(block, sides, pseudocount=c) | statistics

    n, n_threads = len(sides.tests), options.n_threads
    return expression.map_sparse(columns, n_threads=n_threads, label="Wilcoxon test", n_tests=n)


def analysis_of_variance(
    expression: Expression, sides: Sides, options: Options, *, equal_var: bool = False
) -> Columns:
    """Return whether the mean of any group differs."""
    compare = anova if equal_var else welch_anova

    def statistics(block: SparseBlock) -> tuple[Float, Float, Float]:
        test = compare(group_moments(block.values, sides.grouping, sides.n_groups))
        return test.stat, test.df_den, test.log10_pval

    return _omnibus(expression, sides, options, statistics)


def kruskal(expression: Expression, sides: Sides, options: Options) -> Columns:
    """Return whether any group is shifted."""

    def statistics(block: SparseBlock) -> tuple[Float, Float, Float]:
        test = kruskal_test(block.values, sides.grouping, sides.n_groups)
        return test.stat, test.df, test.log10_pval

    return _omnibus(expression, sides, options, statistics)


def _omnibus(
    expression: Expression, sides: Sides, options: Options, statistics: OmnibusStatistics
) -> Columns:
    """One test per gene; the effects beside it are the log2fc of ``sides``."""
    c = expression.pseudocount

    def columns(block: SparseBlock) -> Columns:
        stat, df, log10_pval = (column[:, None] for column in statistics(block))
        effects = fold_change_columns(block, sides, pseudocount=c)
        return {
            "log2fc": np.full_like(stat, np.nan),
            "stat": stat,
            "df": df,
            "log10_pval": log10_pval,
            "base_mean": effects["base_mean"][:, :1],
            EFFECTS: effects["log2fc"],
        }

    return expression.map_sparse(columns, n_threads=options.n_threads, label="omnibus test")


def _t_columns(test: TTest, scale: Scale, options: Options) -> Columns:
    """Mean differences of logs in log2, whatever the base of the logs tested."""
    unit = scale.log2_per_unit if scale.is_log else 1.0
    mean_diff, se = test.mean_diff * unit, test.mean_diff_se * unit
    half_width = test.half_width * unit
    return {
        "mean_diff": mean_diff,
        "mean_diff_se": se,
        "mean_diff_low": mean_diff - half_width,
        "mean_diff_high": mean_diff + half_width,
        "cohens_d": test.cohens_d,
        **t_columns(test.stat, test.log10_pval, mean_diff, se, test.df, setting=options),
    }

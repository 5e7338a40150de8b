"""From the statistics of the genes tested to the columns of all genes: status, p, adjusted p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.results.schema import Status
from dex.stats.multitest import adjust_columns

if TYPE_CHECKING:
    from dex.data.expression import Columns
    from dex.tl._options import Options
    from dex.typing import Bool, Int

_STATISTICS = (
    "log2fc",
    "log2fc_se",
    "mean_diff",
    "mean_diff_se",
    "stat",
    "df",
    "auc",
    "log10_pval",
)


def finish(
    columns: Columns,
    genes: Int,
    n_vars: int,
    *,
    two_sample: bool,
    unreplicated: Bool,
    not_estimable: Bool,
    options: Options,
) -> Columns:
    """Give every gene of the AnnData its row, a status, ``pval``, ``padj`` and their logs.

    ``genes`` are the positions of the rows of ``columns``; the other genes were left out.
    ``two_sample`` says that nobody but the two sides of a test takes part in it.
    ``unreplicated``, shape ``(n_tests,)``, marks tests with too few observations for a p-value,
    ``not_estimable`` those that the observations cannot answer however many there are.
    """
    all_zero = _all_zero(columns, in_both=two_sample)
    for name in _STATISTICS:
        if name in columns and all_zero.any():
            columns[name] = np.where(all_zero, np.nan, columns[name])
    untestable = unreplicated | not_estimable
    if untestable.any():
        columns["log10_pval"] = np.where(untestable, np.nan, columns["log10_pval"])
    status = _status(columns["log10_pval"], all_zero, unreplicated, not_estimable)
    full = {name: expand(values, genes, n_vars) for name, values in columns.items()}
    full["status"] = np.full((n_vars, status.shape[1]), Status.FILTERED, dtype=np.int8)
    full["status"][genes] = status
    log10_padj = adjust_columns(full["log10_pval"], options.padj_method, scope=options.padj_scope)
    full["log10_padj"] = log10_padj
    full["pval"], full["padj"] = 10 ** full["log10_pval"], 10**log10_padj
    return full


def _all_zero(columns: Columns, *, in_both: bool) -> Bool:
    """Genes that nobody in the test expresses; NaN means, of z-scores, are not zero."""
    if in_both and "mean_group" in columns:
        return np.equal(columns["mean_group"], 0) & np.equal(columns["mean_reference"], 0)
    return np.equal(columns["base_mean"], 0)


def _status(
    log10_pval: np.ndarray, all_zero: Bool, unreplicated: Bool, not_estimable: Bool
) -> np.ndarray:
    """In the order of precedence: all_zero, not_estimable, no_replicates, constant, tested."""
    untested = np.isnan(log10_pval)
    codes = np.where(untested, np.int8(Status.CONSTANT), np.int8(Status.TESTED))
    codes[untested & unreplicated] = Status.NO_REPLICATES
    codes[untested & not_estimable] = Status.NOT_ESTIMABLE
    codes[all_zero] = Status.ALL_ZERO
    return codes


def expand(values: np.ndarray, genes: Int, n_vars: int) -> np.ndarray:
    """Rows of the genes tested among those of all genes, NaN elsewhere."""
    if len(genes) == n_vars:
        return values
    full = np.full((n_vars, *values.shape[1:]), np.nan)
    full[genes] = values
    return full

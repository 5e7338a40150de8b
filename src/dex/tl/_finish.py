"""From the statistics of the genes tested to the columns of all genes: status, p, adjusted p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.data.shared_columns import distinct, widen
from dex.results.schema import Status
from dex.stats.multitest import adjust_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.data.expression import Columns
    from dex.tl._options import Options
    from dex.typing import Bool, Float, Int

_DESCRIPTIONS = frozenset(
    {
        "base_mean",
        "mean_group",
        "mean_reference",
        "pct_group",
        "pct_reference",
        "n_blocks",
        "n_agreeing",
        "status",
    }
)
"""Columns that are known also of a gene that nobody expresses; the others are statistics."""


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
    ``not_estimable`` those that the observations cannot answer however many there are. A
    ``status`` among the columns says what the method knows, ``log10_padj`` that it has adjusted.
    """
    all_zero = _all_zero(columns, in_both=two_sample)
    known = columns.pop("status", np.int8(Status.TESTED))
    adjusted = columns.pop("log10_padj", None)
    for name in set(columns) - _DESCRIPTIONS if all_zero.any() else ():
        columns[name] = _without(all_zero, columns[name])
    untestable = unreplicated | not_estimable
    if untestable.any():
        columns["log10_pval"] = _without(untestable, columns["log10_pval"])
    status = _status(columns["log10_pval"], all_zero, unreplicated, not_estimable, known)
    full = {name: expand(values, genes, n_vars) for name, values in columns.items()}
    full["status"] = np.full((n_vars, status.shape[1]), Status.FILTERED, dtype=np.int8)
    full["status"][genes] = status
    full["log10_padj"] = (
        adjust_columns(full["log10_pval"], options.padj_method, scope=options.padj_scope)
        if adjusted is None
        else expand(adjusted, genes, n_vars)
    )
    full["pval"], full["padj"] = 10 ** full["log10_pval"], 10 ** full["log10_padj"]
    return full


def _without(what: Bool, values: Float) -> Float:
    """NaN where ``what`` is true, in place where the values are a method's own."""
    if not values.flags.writeable or values.base is not None:
        return np.where(what, np.nan, values)
    np.copyto(values, np.nan, where=what)
    return values


def _all_zero(columns: Columns, *, in_both: bool) -> Bool:
    """Genes that nobody in the test expresses; NaN means, of z-scores, are not zero."""
    if in_both and "mean_group" in columns:
        return np.equal(columns["mean_group"], 0) & np.equal(columns["mean_reference"], 0)
    return np.equal(columns["base_mean"], 0)


def _status(
    log10_pval: Float,
    all_zero: Bool,
    unreplicated: Bool,
    not_estimable: Bool,
    known: NDArray[np.int8] | np.int8,
) -> NDArray[np.int8]:
    """In the order of precedence; ``known`` is what the method says of its genes."""
    untested = np.isnan(log10_pval)
    reasons = (
        (Status.ALL_ZERO, all_zero),
        (Status.NOT_ESTIMABLE, untested & not_estimable),
        (Status.NO_REPLICATES, untested & unreplicated),
        (Status.CONSTANT, untested & np.equal(known, Status.TESTED)),
    )
    codes = np.broadcast_to(known, untested.shape).copy()
    for code, applies in reversed(reasons):
        np.copyto(codes, np.int8(code), where=applies)
    return codes


def expand(values: np.ndarray, genes: Int, n_vars: int) -> np.ndarray:
    """Rows of the genes tested among those of all genes, NaN elsewhere."""
    if len(genes) == n_vars:
        return values
    part = distinct(values)
    full = np.full((n_vars, *part.shape[1:]), np.nan)
    full[genes] = part
    return widen(full, (n_vars, *values.shape[1:]))

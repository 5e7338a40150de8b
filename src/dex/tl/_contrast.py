"""Test contrasts of a fit that lies in an AnnData."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from dex._logging import logger
from dex.data import Source
from dex.data.scale import Scale
from dex.data.source import obs_of
from dex.data.sums import row_totals
from dex.design.compared import compared_columns
from dex.design.model_comparison import compare_in_design
from dex.design.reduced import dropped_coefficients
from dex.errors import InputError
from dex.results.actual import check_writable
from dex.results.fit_store import FittedModel, read_fit, same_genes
from dex.results.store import check_free, check_stats, store
from dex.tl._analysis import MadeOf, divisors_of, result_of
from dex.tl._applicable import require_applicable
from dex.tl._double_dipping import dipped_warning
from dex.tl._measure import measure
from dex.tl._method_options import with_method_options
from dex.tl._model import TestSetting
from dex.tl._options import Options
from dex.tl._recorded import comparison_params
from dex.tl._run_model import run_contrasts
from dex.tl._samples import Measured
from dex.tl.methods import METHODS, ModelMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.data import Expression
    from dex.tl._double_dipping import DoubleDipping
    from dex.typing import Alternative

_SAME_TOTAL = 1e-9
"""Sums in another order of the same values; of counts they are equal."""


def contrast(
    adata: AnnData,
    contrasts: Any = None,
    *,
    groupby: str | None = None,
    reference: str | None = None,
    groups: Sequence[str] | None = None,
    test: Literal["each", "any"] = "each",
    reduced: str | None = None,
    fit_key: str = "fit",
    double_dipping: DoubleDipping = "warn",
    lfc: float = 0.0,
    alternative: Alternative = "two-sided",
    padj_method: str = "fdr_bh",
    padj_scope: Literal["test", "global"] = "test",
    stats: Sequence[str] | None = None,
    key_added: str = "rank_genes",
    n_threads: int | None = None,
    **method_options: Any,
) -> None:
    """Test contrasts of a design that :func:`dex.tl.fit` has fitted.

    Parameters
    ----------
    adata
        With the fit, from memory or read from a file.
    contrasts
        What to test: ``(column, group, reference)``; an expression over levels or coefficients; a
        vector over the coefficients; a list of these, or a dict ``{name: one of these}``. Without
        it and ``groupby``, the design's last coefficient.
    groupby
        A factor of the design whose levels are each compared with ``reference``, or by default
        with the unweighted mean of the others (of two levels: the one with the other).
    reference, groups
        As in :func:`dex.tl.rank_genes`, of ``groupby``.
    test
        ``"each"`` contrast, or ``"any"``: one omnibus test of them together.
    reduced
        A formula with some of the design's terms: all others are tested together.
    fit_key
        Where the fit is.
    double_dipping, lfc, alternative, padj_method, padj_scope, stats, key_added, n_threads
        As in :func:`dex.tl.rank_genes`.
    **method_options
        What the fit's method takes for its tests, as in :func:`dex.tl.rank_genes`.

    Returns
    -------
    None. Writes a result as :func:`dex.tl.rank_genes` does, to the last bit the same as if it had
    fitted and tested in one call. The fit's own columns are left as they are.

    Raises
    ------
    dex.errors.InputError
        If there is no fit, if observations, their labels or (for tests that fit again) the values
        are not those that were fitted, or if something cannot be tested as asked. ``adata`` is
        then unchanged.

    Notes
    -----
    Means and fractions of groups are told where the matrix that was fitted is still there.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(
    ...     n_genes=100, n_per_group=4, groups=("a", "b", "c"), seed=0
    ... )
    >>> dex.tl.fit(adata, "~ condition", method="ols")
    >>> dex.tl.contrast(adata, {"b/a": ("condition", "b", "a"), "mid": "(a + c)/2 - b"})
    >>> dex.get.tests_df(adata)["name"].tolist()
    ['b/a', 'mid']
    """
    options = Options(
        lfc=lfc,
        block=None,
        padj_method=padj_method,
        padj_scope=padj_scope,
        key_added=key_added,
        n_threads=n_threads,
        size_factors="auto",
        alternative=alternative,
        continuity=False,
        weights="optimal",
    )
    check_writable(adata)
    check_free(adata, key_added)
    check_stats(stats)
    model = read_fit(adata, fit_key)
    method = cast("ModelMethod", METHODS[str(model.params["method"])])
    if reduced is not None:
        if contrasts is not None or groupby is not None:
            msg = "reduced= says what is tested; leave out groupby= and contrasts=."
            raise InputError(msg)
        contrasts, test = dropped_coefficients(obs_of(adata), model.design, reduced), "any"
    require_applicable(method, test, options)
    if lfc > 0 and not Scale(model.params["scale"]).is_log:
        msg = f"lfc={lfc} is in log2, and what was fitted is not on a log scale."
        raise InputError(msg)
    options = with_method_options(options, method, method_options, steps=("test",))
    comparison = compare_in_design(
        obs_of(adata),
        model.design,
        groupby=groupby,
        reference=reference,
        contrasts=contrasts,
        groups=groups,
        omnibus=test == "any",
    )
    dipped = _dipped(adata, model, groupby, contrasts, double_dipping)
    needed = method.rereads(TestSetting(options.test, lfc, alternative))
    needed = needed or (test == "any" and method.omnibus_rereads)
    expression, notes = _values_again(adata, model, method, options, fit_key, needed=needed)
    answer = run_contrasts(method, model.fit, comparison, expression, options)
    params = {**comparison_params(method, comparison, options), "fit_key": fit_key}
    divisors = None if expression is None else divisors_of(expression, adata.n_obs)
    made_of = MadeOf(
        model.genes,
        adata.n_vars,
        params | model.params,
        (*dipped, *model.notes, *comparison.notes, *notes),
        divisors,
    )
    result = result_of(answer, comparison, made_of, expression=expression, options=options)
    for warning in dipped:
        logger.warning(warning)
    for note in result.notes[len(dipped) :]:
        logger.info(note)
    store(adata, result, key=key_added, stats=stats)


def _dipped(
    adata: AnnData,
    model: FittedModel,
    groupby: str | None,
    contrasts: Any,
    double_dipping: DoubleDipping,
) -> tuple[str, ...]:
    compared = compared_columns(
        obs_of(adata), groupby=groupby, design=model.design.formula, contrasts=contrasts
    )
    return dipped_warning(adata, compared, double_dipping, layer=model.params.get("layer"))


def _values_again(
    adata: AnnData,
    model: FittedModel,
    method: ModelMethod,
    options: Options,
    fit_key: str,
    *,
    needed: bool,
) -> tuple[Expression | None, tuple[str, ...]]:
    """Find what was fitted, if it is still there; else None and a note, or an error if needed."""
    changed = _change(adata, model, fit_key, options.n_threads)
    if changed and needed:
        msg = f"{changed} since the fit {fit_key!r}, and this test fits again: dex.tl.fit first."
        raise InputError(msg)
    if changed:
        return None, (f"{changed} since the fit: results are as fitted, without group means.",)
    params = model.params
    source = _source(adata, model)
    measured = Measured(source, obs_of(adata), model.genes)
    again = replace(
        options,
        size_factors=str(params.get("size_factors", "auto")),
        lengths=params.get("lengths"),
        control_genes=params.get("control_genes"),
        fit=method.fit_options(
            **{
                name: params[name]
                for name in method.option_names(method.fit_options)
                if name in params
            }
        ),
    )
    return measure(adata, measured, method, model.design.kept, again), ()


def _change(adata: AnnData, model: FittedModel, fit_key: str, n_threads: int | None) -> str:
    """What has changed since the fit, in words; empty if nothing has."""
    if not same_genes(adata, fit_key):
        return "The genes have changed"
    try:
        source = _source(adata, model)
    except InputError:
        return "The matrix that was fitted has gone"
    now = row_totals(source, n_threads=n_threads)
    if not np.allclose(now, model.totals, rtol=_SAME_TOTAL, atol=0, equal_nan=True):
        return f"{source.where} has changed"
    return ""


def _source(adata: AnnData, model: FittedModel) -> Source:
    params = model.params
    return Source.from_adata(
        adata, layer=params.get("layer"), scale=params["source_scale"], unit=params["unit"]
    )

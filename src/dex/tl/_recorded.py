"""What is recorded of a question: what was asked, decided, fitted and measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dex.design.comparison import ModelComparison
from dex.tl.methods import TwoSampleMethod

if TYPE_CHECKING:
    from dex.data import Expression
    from dex.design.comparison import TwoSampleComparison
    from dex.design.matrix import Design
    from dex.tl._options import Options
    from dex.tl.methods import Method, ModelMethod


def is_stratified(method: Method, options: Options) -> bool:
    """Whether groups are compared within the levels of ``block``."""
    return options.block is not None and method.block == "strata"


def _named_method(method: Method, options: Options, *, omnibus: bool) -> tuple[str, str]:
    """Title and citation of the test that is made."""
    if omnibus:
        return method.omnibus_title, method.citation
    if isinstance(method, TwoSampleMethod) and is_stratified(method, options):
        return method.stratified_title, method.stratified_citation
    return method.title, method.citation


def comparison_params(
    method: Method, comparison: TwoSampleComparison | ModelComparison, options: Options
) -> dict[str, Any]:
    """What was asked and decided, with the names that scanpy's readers expect."""
    title, citation = _named_method(method, options, omnibus=comparison.omnibus)
    params: dict[str, Any] = {
        "groupby": comparison.groupby,
        "reference": comparison.reference,
        "method": method.name,
        "method_title": title,
        "citation": citation,
        "block": options.block,
        "weights": options.weights if is_stratified(method, options) else None,
        "alternative": options.alternative,
        "continuity": options.continuity,
        "lfc": options.lfc,
        "corr_method": options.padj_method,
        "padj_scope": options.padj_scope,
        "n_obs": int(comparison.kept.sum()),
    }
    if isinstance(comparison, ModelComparison):
        params |= {
            **fit_params(cast("ModelMethod", method), comparison.design, options),
            **asdict(options.test),
            "contrasts": comparison.contrasts.vectors,
        }
    return params


def fit_params(method: ModelMethod, design: Design, options: Options) -> dict[str, Any]:
    """What was asked and decided of a fit."""
    return {
        "method": method.name,
        "block": options.block,
        "counts_modelled": method.counts or None,
        "lengths": options.lengths,
        "control_genes": options.control_genes,
        "design": design.formula,
        "design_columns": np.array(design.coefs, dtype=object),
        "n_obs": len(design.matrix),
        **asdict(options.fit),
    }


def measured_params(expression: Expression) -> dict[str, Any]:
    """Which matrix was measured, and how it was normalised on the way."""
    return {
        "use_raw": False,
        "layer": expression.source.layer,
        "source_scale": str(expression.source.scale),
        "scale": str(expression.scale),
        "pseudocount": expression.pseudocount,
        "size_factors": None if expression.factors is None else expression.factors.method,
        "unit": expression.source.unit,
    }

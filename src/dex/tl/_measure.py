"""Blocks of genes on the scale that a method needs, and the layers that go with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas.api.types import is_bool_dtype

from dex.data import Expression, Source
from dex.data.reader import read_rows, row_pieces
from dex.data.scale import Scale
from dex.data.source import counts_source, layer_names, var_of
from dex.design.wording import listed
from dex.errors import InputError
from dex.tl.methods import METHODS, ModelMethod

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.tl._options import Options
    from dex.tl._samples import Measured
    from dex.tl.methods import Method
    from dex.typing import Bool, Int


def measure(
    adata: AnnData, measured: Measured, method: Method, kept: Bool, options: Options
) -> Expression:
    """Blocks of genes on the scale that the method needs, of the observations ``kept``."""
    rows, how = np.flatnonzero(kept), options.size_factors
    control_genes = _control_genes(adata, options.control_genes)
    counts = isinstance(method, ModelMethod) and method.counts
    weights = _beside(adata, measured, "observation_weights", options.observation_weights)
    if weights is not None:
        _require_weights(weights, rows, zero=not counts)
    if not isinstance(method, ModelMethod) or not counts:
        if options.lengths is not None:
            counted = [repr(one.name) for one in METHODS.values() if _models_counts(one)]
            msg = f"lengths={options.lengths!r} goes with count models: {', '.join(counted)}."
            raise InputError(msg)
        expression = Expression.from_source(
            measured.source,
            rows,
            measured.genes,
            size_factors=_size_factors(method, measured.source, how),
            obs=measured.obs,
            control_genes=control_genes,
            n_threads=options.n_threads,
        )
        if isinstance(method, ModelMethod) and method.gaps:
            expression = replace(expression, blocks=replace(expression.blocks, gaps=True))
        if options.lfc > 0 and not expression.scale.is_log:
            where = expression.source.where
            msg = f"lfc={options.lfc} is in log2, and {where} is not on a log scale."
            raise InputError(msg)
        return replace(expression, weights=weights)
    lengths = _beside(adata, measured, "lengths", options.lengths)
    need = f"{method.name} models counts: put raw counts into adata.layers['counts']"
    expression = Expression.of_counts(
        counts_source(adata, measured.source, need=need),
        rows,
        measured.genes,
        size_factors=_size_factors(method, measured.source, how),
        obs=measured.obs,
        scale=method.scale,
        lengths=lengths,
        control_genes=control_genes,
        whole=method.whole,
        n_threads=options.n_threads,
    )
    return replace(expression, weights=weights)


def _models_counts(method: Method) -> bool:
    return isinstance(method, ModelMethod) and method.counts


def _control_genes(adata: AnnData, name: str | None) -> Bool | None:
    if name is None:
        return None
    var = var_of(adata)
    if not isinstance(name, str) or name not in var or not is_bool_dtype(var[name]):
        flags = [str(column) for column in var if is_bool_dtype(var[column])]
        msg = f"control_genes={name!r} is no boolean column of var; there is {listed(flags)}."
        raise InputError(msg)
    return var[name].to_numpy(dtype=bool)


def _beside(adata: AnnData, measured: Measured, argument: str, name: str | None) -> Any:
    """A layer that goes with the values, as average transcript lengths do."""
    if name is None:
        return None
    if name not in layer_names(adata):
        msg = f"{argument}={name!r} is not in adata.layers; it has {listed(layer_names(adata))}."
        raise InputError(msg)
    if measured.made:
        msg = f"{argument}={name!r} are of observations, and cells are added up by replicate=."
        raise InputError(msg)
    layer = adata.layers[name]
    return layer if measured.rows is None else layer[measured.rows]


def _require_weights(weights: Any, rows: Int, *, zero: bool) -> None:
    """Refuse weights that are none; zero says that a value is missing, where one may be."""
    for piece in row_pieces(weights, rows):
        some = read_rows(weights, piece)
        good = np.isfinite(some) & ((some >= 0) if zero else (some > 0))
        if not good.all():
            least = "0 (missing) or more" if zero else "above 0"
            msg = f"observation_weights= must be numbers {least}; one is {some[~good][0]:g}."
            raise InputError(msg)


def _size_factors(method: Method, source: Source, how: str) -> str:
    """As asked, else the method's own where counts are normalised."""
    if not isinstance(method, ModelMethod) or how != "auto":
        return how
    return method.size_factors if method.counts or source.scale is Scale.COUNTS else how

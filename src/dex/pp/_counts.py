"""The matrix that a step of preprocessing starts from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dex.data import Scale, Source
from dex.data.source import counts_layer
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    from anndata import AnnData


def find_source(
    adata: AnnData,
    *,
    need: str,
    takes: Collection[Scale] = (Scale.COUNTS,),
    layer: str | None = None,
    scale: str | None = None,
    beside_x: bool = True,
) -> Source:
    """Find values on one of the scales that are taken: ``X`` or ``layer``, else the counts.

    Where ``X`` holds something else and no layer was named, the layer that is called ``counts`` is
    taken if it holds them, and a note of the source says so (unless ``beside_x`` is false).
    ``need`` completes an error message.

    Raises
    ------
    InputError
        If there are no such values, or as :meth:`dex.data.Source.from_adata`.
    """
    try:
        source = Source.from_adata(adata, layer=layer, scale=scale)
    except InputError:
        beside = (
            None if layer or scale or not beside_x else _counts_beside_x(adata, "X cannot be used")
        )
        if beside is None:
            raise
        return beside
    if source.scale in takes:
        return source
    holds = f"{source.where} holds {source.scale.words}"
    beside = _counts_beside_x(adata, holds) if layer is None and beside_x else None
    if beside is None:
        msg = f"{holds}, and {need}; name the layer that holds counts with layer=."
        raise InputError(msg)
    return beside


def _counts_beside_x(adata: AnnData, why: str) -> Source | None:
    layer = None if 0 in adata.shape else counts_layer(adata)
    if layer is None:
        return None
    source = Source.from_adata(adata, layer=layer)
    return replace(source, notes=(f"{why}; counts are taken from layers[{layer!r}].",))

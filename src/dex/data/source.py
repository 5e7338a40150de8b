"""Which matrix of an AnnData is measured, and on what scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from dex.data.memory import memory_limit
from dex.data.reader import sample_rows
from dex.data.scale import (
    LAYERS_KEY,
    Detected,
    Scale,
    declared_scale,
    detect_scale,
    one_count,
)
from dex.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from dex.typing import Float

Unit = Literal["cells", "samples"]

_LARGEST_LOG = 100.0  # 2^100 reads
FEWEST_CELLS = 100
"""Fewer observations are taken for samples."""
_UNUSABLE = frozenset({Scale.ZSCORE, Scale.SIGNED})


@dataclass(frozen=True, slots=True)
class Source:
    """A matrix, observations x genes, and what its numbers are."""

    matrix: Any
    scale: Scale
    unit: Unit
    obs_names: np.ndarray[Any, Any] | pd.Index[Any]
    """As the AnnData holds them: a million names are not copied to name a few in a message."""
    var_names: np.ndarray[Any, Any]
    layer: str | None = None
    """Name of the layer; None is ``X``."""
    explicit: bool = False
    """Whether the user has named the layer; linear values in it are then not logged."""
    pseudocount: float = 1.0
    """Of the order of one count per typical library, in linear units of this matrix."""
    notes: tuple[str, ...] = ()
    max_memory: int | None = None
    """Bytes that blocks of genes and what is made of them may take; None is about a gigabyte."""

    @property
    def where(self) -> str:
        """Name of the matrix in messages."""
        return "X" if self.layer is None else f"layers[{self.layer!r}]"

    @classmethod
    def from_adata(
        cls,
        adata: AnnData,
        *,
        layer: str | None = None,
        scale: str | None = None,
        unit: str | None = None,
        max_memory: float | str | None = None,
    ) -> Source:
        """Choose ``X`` or ``layer`` and tell its scale.

        The scale is ``scale`` if given, else what the layer's writer recorded, else what the
        values say.

        Raises
        ------
        InputError
            If the layer, the scale or the unit is not one that there is, if there are no values,
            or if ``X`` holds z-scores or other negative values and no layer was named.
        """
        limit, matrix = memory_limit(max_memory), _matrix(adata, layer)
        sample = sample_rows(matrix)
        chosen_unit = _unit(unit, sample, n_obs=adata.n_obs)
        detected = _scale(adata, sample, layer=layer, scale=scale, unit=chosen_unit)
        if layer is None and scale is None and detected.scale in _UNUSABLE:
            raise InputError(_refusal(adata, detected.scale))
        _require_logs(detected.scale, sample)
        return cls(
            matrix,
            detected.scale,
            chosen_unit,
            adata.obs_names,
            np.asarray(adata.var_names, dtype=object),
            layer=layer,
            explicit=layer is not None,
            pseudocount=_pseudocount(adata, layer, detected.scale, sample),
            notes=(detected.note,) if detected.note else (),
            max_memory=limit,
        )


def obs_of(adata: AnnData) -> pd.DataFrame:
    """``adata.obs``, which lazily read AnnData alone hold as something else."""
    return _in_memory(adata.obs)


def var_of(adata: AnnData) -> pd.DataFrame:
    """``adata.var``, likewise."""
    return _in_memory(adata.var)


def read_labels(adata: AnnData) -> None:
    """Read the ``obs`` and ``var`` of a lazily read AnnData, which can then take results."""
    if hasattr(adata.obs, "to_memory"):
        adata.obs = obs_of(adata)
    if hasattr(adata.var, "to_memory"):
        adata.var = var_of(adata)


def _in_memory(labels: Any) -> pd.DataFrame:
    return cast("pd.DataFrame", labels.to_memory() if hasattr(labels, "to_memory") else labels)


def layer_names(adata: AnnData) -> list[str]:
    """Names of the layers; anndata 0.13 lists ``X`` among them, as None."""
    return [str(name) for name in adata.layers.keys() if name is not None]  # noqa: SIM118


def counts_layer(adata: AnnData) -> str | None:
    """Name of the layer that is called ``counts`` and holds counts, or None if there is none."""
    for name in ("counts", "raw_counts"):
        if name in layer_names(adata) and _scale_of(adata, name) is Scale.COUNTS:
            return name
    return None


def counts_source(adata: AnnData, source: Source, *, need: str) -> Source:
    """Return the source itself if it holds counts, else the layer that does.

    ``need`` says in messages what they are needed for, and what to do without.

    Raises
    ------
    InputError
        If there are no counts.
    """
    if source.scale is Scale.COUNTS:
        return source
    layer = None if source.explicit else counts_layer(adata)
    if layer is None:
        msg = f"{source.where} holds {source.scale.words}, and {need}."
        raise InputError(msg)
    counts = Source.from_adata(adata, layer=layer, unit=source.unit)
    note = f"{source.where} holds {source.scale.words}; counts are taken from layers[{layer!r}]."
    return replace(counts, explicit=False, notes=(note,))


def has_counts(adata: AnnData, source: Source) -> bool:
    """Whether :func:`counts_source` finds counts."""
    return source.scale is Scale.COUNTS or (not source.explicit and counts_layer(adata) is not None)


def _matrix(adata: AnnData, layer: str | None) -> Any:
    if layer is not None and layer not in layer_names(adata):
        have = ", ".join(map(repr, layer_names(adata))) or "none"
        msg = f"layer={layer!r} is not in adata.layers; it has {have}, and layer=None is X."
        raise InputError(msg)
    matrix = adata.X if layer is None else adata.layers[layer]
    if matrix is None:
        have = ", ".join(map(repr, layer_names(adata))) or "none"
        msg = f"adata.X is empty; name one of the layers with layer=: {have}."
        raise InputError(msg)
    if 0 in adata.shape:
        msg = f"adata has {adata.n_obs} observations and {adata.n_vars} genes; nothing to test."
        raise InputError(msg)
    return matrix


def _unit(unit: object, sample: Float, *, n_obs: int) -> Unit:
    """Cells: a hundred observations, and the median expressed gene is more than half zeros."""
    if unit is None:
        zeros = (sample == 0).mean(axis=0)
        expressed = zeros < 1
        sparse_genes = expressed.any() and np.median(zeros[expressed]) > 0.5
        return "cells" if n_obs >= FEWEST_CELLS and sparse_genes else "samples"
    if unit in {"cells", "samples"}:
        return unit
    msg = f"unit={unit!r} is not known; one row of X is one of 'cells' or 'samples'."
    raise InputError(msg)


def _scale(
    adata: AnnData, sample: Float, *, layer: str | None, scale: str | None, unit: str
) -> Detected:
    if scale is not None:
        known = [str(choice) for choice in Scale if choice is not Scale.SIGNED]
        if scale not in known:
            choices = ", ".join(map(repr, known))
            msg = f"scale={scale!r} is not known; the values are one of {choices}."
            raise InputError(msg)
        return Detected(Scale(scale))
    declared = declared_scale(adata.uns, layer)
    if declared is not None:
        return Detected(declared)
    return detect_scale(sample, adata.uns, layer=layer, unit=unit)


def _require_logs(scale: Scale, sample: Float) -> None:
    """Refuse what was called logs and would overflow when undone."""
    if not scale.is_log:
        return
    largest = float(sample.max(initial=0.0, where=np.isfinite(sample)))
    if largest > _LARGEST_LOG:
        msg = f"the values are called {scale}, and one is {largest:g}: they are not logs."
        raise InputError(msg)


def _scale_of(adata: AnnData, layer: str) -> Scale:
    sample = sample_rows(adata.layers[layer], n_rows=100)
    return _scale(adata, sample, layer=layer, scale=None, unit="cells").scale


def _refusal(adata: AnnData, scale: Scale) -> str:
    what = "z-scores (columns of mean 0)" if scale is Scale.ZSCORE else "negative values"
    usable = [name for name in layer_names(adata) if _scale_of(adata, name) not in _UNUSABLE]
    if usable:
        advice = f"say layer={usable[0]!r}" + (f" (or {usable[1:]})" if usable[1:] else "")
    elif adata.raw is not None:
        advice = "adata.raw may hold what is needed: rank adata.raw.to_adata()"
    else:
        advice = "give counts or logs"  # type: ignore[unreachable]  # raw is often None
    hint = "" if scale is Scale.ZSCORE else ", or say what they are, as in scale='logcpm'"
    return f"X holds {what}, from which fold changes cannot be had; {advice}{hint}."


def _pseudocount(adata: AnnData, layer: str | None, scale: Scale, sample: Float) -> float:
    """About one count in a typical library, in linear units.

    As recorded by the layer's writer; else, where the values are seen to be counts over size
    factors, one count to one digit (so that it hardly depends on the sample); else 1.
    """
    record = adata.uns.get(LAYERS_KEY, {}).get(layer or "X", {})
    if "pseudocount" in record:
        return float(record["pseudocount"])
    if not scale.keeps_zero or scale is Scale.COUNTS:
        return 1.0
    found = one_count(scale.to_linear(sample))
    return 1.0 if found is None else float(f"{found:.0e}")

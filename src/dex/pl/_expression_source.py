"""Where a picture of expression reads it: what a result was made of, or a layer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from anndata import AnnData

from dex.get import expression_df, obs_df, params
from dex.pl._strips import OBS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS = {
    "logcpm": "log₂ CPM",
    "ln1p": "ln(1 + norm. counts)",
    "log2p1": "log₂(1 + x)",
    "log2": "log₂ expression",
    "linear": "normalised counts",
    "zscore": "z-score",
}
LINEAR: Final = frozenset({_UNITS["linear"]})
"""Units whose zero is the absence of expression."""


@dataclass(frozen=True, slots=True)
class ExpressionSource:
    """Values, and the observations that they belong to."""

    adata: AnnData
    shown: AnnData
    """Whose ``obs`` are drawn: ``adata``, or the samples that its cells were added up into."""
    key: str | None
    """Result whose values are read; None where ``layer`` and ``scale`` say which."""
    layer: str | None
    scale: str | None
    unit: str
    """What the values are, in words."""
    params: dict[str, Any]
    """Of the result; empty where there is none."""

    @classmethod
    def from_adata(
        cls, adata: AnnData, *, key: str | None, layer: str | None, scale: str | None = None
    ) -> ExpressionSource:
        """Read what the result under ``key`` was made of, unless ``layer`` or ``scale`` is given.

        Raises
        ------
        InputError
            If there is no such result.
        """
        known = {} if key is None else params(adata, key=key)
        recorded = layer is None and scale is None and "source_scale" in known
        if key is None or not recorded:
            return cls(adata, adata, None, layer, scale, _unit(adata, layer, scale), known)
        unit = _UNITS.get(str(known.get("scale")), "log expression")
        return cls(adata, _observations(adata, key), key, None, None, unit, known)

    def values(self, genes: Sequence[str], *, gene_symbols: str | None) -> pd.DataFrame:
        """Expression of ``genes``, ``(n_shown, n_genes)``."""
        return expression_df(
            self.adata,
            genes,
            layer=self.layer,
            scale=self.scale,
            key=self.key,
            gene_symbols=gene_symbols,
        )

    def text(self, name: str) -> str | None:
        """Return what was asked for the result, if it is text."""
        value = self.params.get(name)
        return value if isinstance(value, str) else None

    def design_columns(self) -> tuple[str, ...]:
        """Columns of ``obs`` in the formula of the result, in its order."""
        formula = self.text("design") or ""
        return self._mentioned([re.sub(r"'[^']*'|\"[^\"]*\"", "", formula)])

    def contrasted_columns(self) -> tuple[str, ...]:
        """Columns of ``obs`` whose effect the result is about: ``groupby``, or of its contrasts."""
        groupby = self.text("groupby")
        if groupby is not None and groupby in self.shown.obs:
            return (groupby,)
        coefs = [re.sub(r"\[[^\]]*\]", "", str(c)) for c in self.params.get("design_columns", ())]
        weights = np.atleast_2d(np.asarray(self.params.get("contrasts", np.zeros((0, len(coefs))))))
        if weights.shape[1] != len(coefs):
            return ()
        used = (weights != 0).any(axis=0)
        in_design = set(self.design_columns())
        columns = self._mentioned(
            [coef for coef, is_used in zip(coefs, used, strict=True) if is_used]
        )
        return tuple(column for column in columns if column in in_design)

    def design_order(self, column: str) -> tuple[str, ...]:
        """Levels of a text column as the design of the result has them, the reference first."""
        values = self.shown.obs.get(column)
        if values is None or isinstance(values.dtype, pd.CategoricalDtype):
            return ()
        term = re.compile(rf"(?<![\w.]){re.escape(column)}`?\)?\[T\.(.*)\]")
        found = [term.fullmatch(str(c)) for c in self.params.get("design_columns", ())]
        others = [match.group(1) for match in found if match]
        first = set(map(str, values.dropna().unique())) - set(others)
        return (*first, *others) if len(first) == 1 else ()

    def is_numeric(self, column: str) -> bool:
        """Whether a column of ``obs`` holds numbers, and no labels."""
        values = self.shown.obs[column]
        return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)

    def _mentioned(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Columns of ``obs`` that are words of ``texts``, in the order in which they occur."""
        text = " ".join(texts)
        found = {
            str(column): match.start()
            for column in self.shown.obs.columns
            if (match := re.search(rf"(?<![\w.]){re.escape(str(column))}(?![\w.])", text))
        }
        return tuple(sorted(found, key=found.__getitem__))


def _observations(adata: AnnData, key: str) -> AnnData:
    """``adata``; or samples, with its colours, where a result was made of them."""
    obs = obs_df(adata, key=key)
    if obs.index.equals(adata.obs_names):
        return adata
    obs = obs.set_axis(obs.index.astype(str))
    for column in obs.columns.intersection(adata.obs.columns):
        levels = adata.obs[column].dtype
        if isinstance(levels, pd.CategoricalDtype):  # all of them, as colours go by position
            obs[column] = pd.Categorical(obs[column], levels.categories, ordered=levels.ordered)
    colours = {name: value for name, value in adata.uns.items() if str(name).endswith("_colors")}
    columns = np.array(adata.obs.columns, dtype=str)  # colours go by position here, too
    return AnnData(obs=obs, uns=colours | {OBS_COLUMNS: columns})


def _unit(adata: AnnData, layer: str | None, scale: str | None) -> str:
    """What a layer holds, as far as its writer has recorded it."""
    record = adata.uns.get("dex_layers", {}).get(layer or "X", {})
    known = scale or record.get("scale")
    if known == "counts" or (known == "linear" and layer is None):  # logged on the way
        return "log expression"
    unit = _UNITS.get(str(known))
    return unit or ("log expression" if layer is None else f"layer {layer!r}")

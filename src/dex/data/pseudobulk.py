"""Counts of cells added up into samples: the replicate is the donor, not the cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from dex.data.expression import Expression
from dex.data.scale import Scale
from dex.data.source import Source, counts_layer
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.typing import Float, Int

_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class Pseudobulk:
    """Samples made of cells."""

    source: Source
    """Their counts, ``(n_samples, n_vars)``, in memory."""
    obs: pd.DataFrame
    """The samples: what they were made by, and all that is constant within them."""
    notes: tuple[str, ...] = ()


def pseudobulk(
    source: Source,
    obs: pd.DataFrame,
    by: Sequence[str],
    *,
    min_cells: int = 10,
    n_threads: int | None = None,
) -> Pseudobulk:
    """Add up the counts of all cells that agree in the columns ``by`` of ``obs``.

    Cells with a missing value there are left out, and so are samples of fewer than ``min_cells``
    cells, whose sums are mostly noise. Other columns of ``obs`` come along if they are constant
    within every sample.

    Raises
    ------
    InputError
        If fewer than two samples are left.
    """
    labels, table = _samples(obs, by)
    sizes = np.bincount(labels[labels >= 0], minlength=len(table))
    large = sizes >= min_cells
    if large.sum() < 2:
        msg = (
            f"{int(large.sum())} samples have {min_cells} cells or more when cells are added up by "
            f"{', '.join(by)}; at least 2 are needed."
        )
        raise InputError(msg)
    renumbered = np.where(large, np.cumsum(large) - 1, -1)
    labels = np.where(labels >= 0, renumbered[labels], -1)
    rows = np.flatnonzero(labels >= 0)
    counts = _sums(source, rows, labels[rows], n_threads)
    table = table[large].reset_index(drop=True)
    table = table.join(_constant_columns(obs.iloc[rows], labels[rows], by))
    if "n_cells" not in table:
        table["n_cells"] = sizes[large]
    table.index = pd.Index([_SEPARATOR.join(map(str, row)) for row in table[list(by)].to_numpy()])
    names = table.index.to_numpy(dtype=object)
    samples = replace(
        source,
        matrix=counts,
        scale=Scale.COUNTS,
        unit="samples",
        obs_names=names,
        layer=None,
        explicit=False,
        notes=(),
    )
    return Pseudobulk(samples, table, _notes(by, len(rows), sizes, min_cells))


def counts_source(adata: AnnData, source: Source) -> Source:
    """Return the source itself if it holds counts, else the layer that does.

    Raises
    ------
    InputError
        If there are no counts.
    """
    if source.scale is Scale.COUNTS:
        return source
    layer = None if source.explicit else counts_layer(adata)
    if layer is None:
        msg = (
            f"{source.where} holds {source.scale.words}, and cells are added up as counts; put "
            "raw counts into adata.layers['counts'], or replicate=None tests the cells."
        )
        raise InputError(msg)
    counts = Source.from_adata(adata, layer=layer, unit=source.unit)
    note = f"{source.where} holds {source.scale.words}; counts are taken from layers[{layer!r}]."
    return replace(counts, explicit=False, notes=(note,))


def _samples(obs: pd.DataFrame, by: Sequence[str]) -> tuple[Int, pd.DataFrame]:
    """Sample of every cell (-1: a value is missing), and the samples' values of ``by``."""
    grouped = obs[list(by)].groupby(list(by), observed=True, sort=True, dropna=True)
    labels = np.asarray(grouped.ngroup().fillna(-1), dtype=np.intp)
    numbers, first = np.unique(labels, return_index=True)
    return labels, obs[list(by)].iloc[first[numbers >= 0]].reset_index(drop=True)


def _constant_columns(obs: pd.DataFrame, labels: Int, by: Sequence[str]) -> pd.DataFrame:
    """Columns with one value within every sample, a row per sample."""
    others = obs.drop(columns=list(by))
    distinct = others.groupby(labels).nunique(dropna=False)
    constant = [name for name in others if distinct[name].max() == 1]
    return others[constant].groupby(labels).first()


def _sums(source: Source, rows: Int, labels: Int, n_threads: int | None) -> Float:
    member = sparse.csr_array(
        (np.ones(len(rows)), (labels, np.arange(len(rows)))), shape=(labels.max() + 1, len(rows))
    )
    everything = Expression(source, rows, np.arange(len(source.var_names)), Scale.COUNTS)
    return everything.reduce_observations(lambda raw: member @ raw, n_threads)


def _notes(by: Sequence[str], n_cells: int, sizes: Int, min_cells: int) -> tuple[str, ...]:
    n_samples, small = int((sizes >= min_cells).sum()), int((sizes < min_cells).sum())
    dropped = f"; left out for having fewer than {min_cells} cells: {small}" if small else ""
    what = " x ".join(by)
    return (f"{n_cells:,} cells are added up into {n_samples} samples by {what}{dropped}.",)

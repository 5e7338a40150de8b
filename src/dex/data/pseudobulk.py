"""Counts of cells added up into samples: the replicate is the donor, not the cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.data.sample_sums import add_up_rows
from dex.data.scale import Scale
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.data.source import Source
    from dex.typing import Int

_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class Samples:
    """Which cells make which sample."""

    obs: pd.DataFrame
    """A row per sample: what they were made by, and all that is constant within them."""
    labels: Int
    """Sample of every cell, ``(n_cells,)``; -1 where it is in none."""
    note: str

    @classmethod
    def from_obs(cls, obs: pd.DataFrame, by: Sequence[str], *, min_cells: int = 10) -> Samples:
        """Put the cells together that agree in the columns ``by`` of ``obs``.

        Cells with a missing value there are left out, and so are samples of fewer than
        ``min_cells`` cells, whose sums are mostly noise. Other columns of ``obs`` come along if
        they are constant within every sample.

        Raises
        ------
        InputError
            If fewer than two samples are left.
        """
        labels, table = _labels(obs, by)
        sizes = np.bincount(labels[labels >= 0], minlength=len(table))
        large = sizes >= min_cells
        if large.sum() < 2:
            msg = (
                f"{int(large.sum())} samples have {min_cells} cells or more when cells are added "
                f"up by {', '.join(by)}; at least 2 are needed."
            )
            raise InputError(msg)
        renumbered = np.where(large, np.cumsum(large) - 1, -1)
        labels = np.where(labels >= 0, renumbered[labels], -1)
        rows = np.flatnonzero(labels >= 0)
        table = table[large].reset_index(drop=True)
        table = table.join(_constant_columns(obs.iloc[rows], labels[rows], by))
        if "n_cells" not in table:
            table["n_cells"] = sizes[large]
        names = [_SEPARATOR.join(map(str, row)) for row in table[list(by)].to_numpy()]
        table.index = pd.Index(names)
        return cls(table, labels, _note(by, len(rows), sizes, min_cells))


def pseudobulk(source: Source, samples: Samples, *, n_threads: int | None = None) -> Source:
    """Add up the counts of the cells of each sample: ``(n_samples, n_vars)``, in memory."""
    sums = add_up_rows(source.matrix, samples.labels, len(samples.obs), n_threads=n_threads)
    return replace(
        source,
        matrix=sums,
        scale=Scale.COUNTS,
        unit="samples",
        obs_names=samples.obs.index.to_numpy(dtype=object),
        layer=None,
        explicit=False,
        notes=(),
    )


def _labels(obs: pd.DataFrame, by: Sequence[str]) -> tuple[Int, pd.DataFrame]:
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


def _note(by: Sequence[str], n_cells: int, sizes: Int, min_cells: int) -> str:
    n_samples, small = int((sizes >= min_cells).sum()), int((sizes < min_cells).sum())
    dropped = f"; left out for having fewer than {min_cells} cells: {small}" if small else ""
    what = " x ".join(by)
    return f"{n_cells:,} cells are added up into {n_samples} samples by {what}{dropped}."

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
_MOST_NAMED = 3


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
        labels, first = _labels(obs, by)
        sizes = np.bincount(labels[labels >= 0], minlength=len(first))
        large = sizes >= min_cells
        if large.sum() < 2:
            msg = (
                f"{int(large.sum())} samples have {min_cells} cells or more when cells are added "
                f"up by {', '.join(by)}; at least 2 are needed."
            )
            raise InputError(msg)
        names = obs[list(by)].iloc[first].astype(str).agg(_SEPARATOR.join, axis=1).to_numpy()
        note = _note(by, labels, sizes, names[~large], min_cells=min_cells)
        labels = np.append(np.where(large, np.cumsum(large) - 1, -1), -1)[labels]
        first = first[large]
        same = [name for name in obs if name in by or _is_constant(obs[name], labels, first)]
        table = obs[[*by, *(name for name in same if name not in by)]].iloc[first].copy()
        if "n_cells" not in table:
            table["n_cells"] = sizes[large]
        table.index = pd.Index(names[large])
        return cls(table, labels, note)


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


def _labels(obs: pd.DataFrame, by: Sequence[str]) -> tuple[Int, Int]:
    """Sample of every cell (-1: a value is missing), and the first cell of every sample."""
    grouped = obs[list(by)].groupby(list(by), observed=True, sort=True, dropna=True)
    labels = np.asarray(grouped.ngroup().fillna(-1), dtype=np.intp)
    numbers, first = np.unique(labels, return_index=True)
    return labels, first[numbers >= 0]


def _is_constant(column: pd.Series, labels: Int, first: Int) -> bool:
    """Whether all cells of a sample have the value of its first cell; missing values are alike."""
    inside = labels >= 0
    codes = pd.factorize(column)[0]
    return bool(np.array_equal(codes[inside], codes[first][labels[inside]]))


def _note(by: Sequence[str], labels: Int, sizes: Int, small: np.ndarray, *, min_cells: int) -> str:
    """Say what is added up, and what is not."""
    n_cells = int(sizes[sizes >= min_cells].sum())
    left_out = ""
    if len(small):
        named = ", ".join(map(repr, small[:_MOST_NAMED])) + ", ..." * (len(small) > _MOST_NAMED)
        left_out = f"; left out for having fewer than {min_cells} cells: {len(small)} ({named})"
    if unlabelled := int((labels < 0).sum()):
        left_out += f"; cells without a label in one of these: {unlabelled:,}"
    n_samples = len(sizes) - len(small)
    return f"{n_cells:,} cells are added up into {n_samples} samples by {' x '.join(by)}{left_out}."

"""Groups of observations, in blocks or not, and what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.data import Expression, Source
from dex.data.source import obs_of
from dex.design.exclusion import leave_out
from dex.design.groups import Groups
from dex.design.labels import Labels, column_of
from dex.design.wording import plural
from dex.errors import InputError
from dex.tl._genes import genes_tested

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.typing import Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Which matrix is measured, and how; the words are those of :func:`dex.tl.rank_genes`."""

    layer: str | None
    scale: str | None
    unit: str | None
    size_factors: str
    mask_var: str | ArrayLike | None
    n_threads: int | None


@dataclass(frozen=True, slots=True)
class Grouped:
    """Observations that are in a group, and in a block if there are any."""

    groups: Groups
    """Of all observations of the AnnData."""
    expression: Expression
    codes: Int
    """Group of each observation used, shape ``(n_rows,)``."""
    blocks: tuple[str, ...]
    """Levels of the block; one without a name if none was given."""
    strata: Int
    """Block of each observation used, shape ``(n_rows,)``."""
    genes: Int
    """Positions of the genes tested."""
    notes: tuple[str, ...]

    @classmethod
    def from_adata(
        cls,
        adata: AnnData,
        groupby: str,
        *,
        exclude: Sequence[str],
        named: Sequence[str],
        block: str | None,
        reference: str,
        measurement: Measurement,
    ) -> Grouped:
        """Read the columns and choose the matrix.

        ``named`` are levels that ``exclude`` may not leave out.

        Raises
        ------
        InputError
            If a column, level or matrix cannot be used as asked.
        """
        how = measurement
        source = Source.from_adata(adata, layer=how.layer, scale=how.scale, unit=how.unit)
        genes = genes_tested(adata, how.mask_var)
        obs, left_out = leave_out(obs_of(adata), groupby, exclude, named=named)
        groups = Groups.from_obs(obs, groupby, reference=reference, named=named)
        levels, strata, unblocked = _strata(obs, block, groupby)
        rows = np.flatnonzero(groups.kept & (strata >= 0))
        expression = Expression.from_source(
            source,
            rows,
            genes,
            size_factors=how.size_factors,
            obs=obs,
            n_threads=how.n_threads,
        )
        notes = (*left_out, *groups.notes, *unblocked, *expression.notes)
        return cls(groups, expression, groups.codes[rows], levels, strata[rows], genes, notes)


def _strata(
    obs: pd.DataFrame, block: str | None, groupby: str
) -> tuple[tuple[str, ...], Int, tuple[str, ...]]:
    """Levels of the block, that of each observation (-1 if missing), and a note on missing ones."""
    if block is None:
        return ("",), np.zeros(len(obs), dtype=np.intp), ()
    if block == groupby:
        msg = f"block={block!r} is the column compared; name the batch, donor or replicate."
        raise InputError(msg)
    labels = Labels.from_column(column_of(obs, block, argument="block"))
    if not labels.levels:
        msg = f"block={block!r}: obs[{block!r}] holds missing values only."
        raise InputError(msg)
    missing = int((labels.codes < 0).sum())
    count = plural(missing, "observation")
    said = (f"{count} without a label in obs[{block!r}] left out.",) if missing else ()
    return labels.levels, labels.codes, said

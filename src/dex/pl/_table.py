"""What a heatmap shows, in the order in which it shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get import expression_df, params
from dex.pl._order import similar_first, within_blocks, z_scores
from dex.pl._strips import Levels, find_column

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.pl._genes import GeneChoice
    from dex.typing import Float, Int

ClusterObs = Literal["within"] | bool

Z_LIMIT = 2.5
"""z-scores beyond this, either way, have the last colour."""


@dataclass(frozen=True, slots=True)
class Observations:
    """The columns of a heatmap, group by group."""

    rows: Int
    """Positions in ``adata.obs``, ``(n_shown,)``."""
    group: Int
    """``(n_shown,)``, position in ``names``, ascending."""
    names: tuple[str, ...]
    """Of the groups, in the order shown; one empty name where there are no groups."""
    levels: Levels | None
    """The column of ``obs`` that the groups come from."""

    @property
    def sizes(self) -> Int:
        """Observations by group."""
        return np.bincount(self.group, minlength=len(self.names))

    @property
    def is_grouped(self) -> bool:
        """Whether there are groups."""
        return self.names != ("",)

    @classmethod
    def everything(cls, adata: AnnData) -> Observations:
        """All observations, in one group."""
        return cls(np.arange(adata.n_obs), np.zeros(adata.n_obs, dtype=np.intp), ("",), None)

    @classmethod
    def grouped(cls, adata: AnnData, groupby: str, first: list[str] | None = None) -> Observations:
        """Observations that have a level of ``groupby``; of the levels ``first`` alone if given."""
        levels = Levels.from_adata(adata, groupby)
        used = [name for i, name in enumerate(levels.names) if (levels.codes == i).any()]
        names = used if first is None else [name for name in first if name in used]
        position = np.full(len(levels.names) + 1, -1)
        position[[levels.names.index(name) for name in names]] = np.arange(len(names))
        group = position[levels.codes]  # the last place is that of missing values, -1
        rows = np.flatnonzero(group >= 0)
        rows = rows[np.argsort(group[rows], kind="stable")]
        return cls(rows, group[rows], tuple(names), levels)

    def restricted(self, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Observations:
        """Leave out observations; ``keep`` is over all of ``adata.obs``."""
        kept = keep[self.rows]
        return replace(self, rows=self.rows[kept], group=self.group[kept])

    def as_one_group(self) -> Observations:
        """Forget the groups, but keep whom they hold."""
        return replace(self, group=np.zeros_like(self.group), names=("",))


@dataclass(frozen=True, slots=True)
class HeatmapTable:
    """Values of the genes in the observations shown, both in the order drawn."""

    values: Float
    """``(n_genes, n_shown)``."""
    genes: tuple[str, ...]
    rank: Int
    """``(n_genes,)``, 0 for the best gene of its block."""
    block: Int
    """``(n_genes,)``, ascending."""
    observations: Observations

    @classmethod
    def from_adata(
        cls,
        adata: AnnData,
        choice: GeneChoice,
        observations: Observations,
        *,
        layer: str | None,
        scale: str | None,
        gene_symbols: str | None,
        z_score: bool,
        cluster_genes: bool,
        cluster_obs: ClusterObs,
    ) -> HeatmapTable:
        """Read the values, standardise them over the observations shown, put like beside like."""
        frame = expression_df(
            adata, choice.genes, layer=layer, scale=scale, gene_symbols=gene_symbols
        )
        values = frame.to_numpy()[observations.rows]
        values = z_scores(values) if z_score else values
        compared = np.clip(values, -Z_LIMIT, Z_LIMIT) if z_score else values
        n_genes = len(choice.genes)
        genes = within_blocks(compared.T, choice.block) if cluster_genes else np.arange(n_genes)
        obs = np.arange(len(values))
        if cluster_obs is True:
            observations = observations.as_one_group()
            obs = similar_first(compared)
        elif cluster_obs == "within":
            obs = within_blocks(compared, observations.group)
        rank = np.arange(n_genes) - np.searchsorted(choice.block, choice.block)
        return cls(
            values[obs][:, genes].T,
            tuple(str(frame.columns[j]) for j in genes),
            rank[genes],
            choice.block[genes],
            replace(observations, rows=observations.rows[obs]),
        )


def compared(
    adata: AnnData, tests: pd.DataFrame | None, *, key: str, groupby: str | None
) -> Observations:
    """Observations that the tests under ``key`` compare, by the groups that they compare.

    Raises
    ------
    InputError
        If ``groupby`` is not a column of ``obs``, or has no values.
    """
    column = groupby or (None if tests is None else _grouping(adata, key))
    if column is None:
        return Observations.everything(adata)
    names = None if tests is None else _levels_compared(tests)
    observations = Observations.grouped(adata, column)
    if names is not None and set(names) <= set(observations.names):
        in_order = [name for name in observations.names if name in names]
        first = [names[1]] if len(tests) == 1 else []  # type: ignore[arg-type]  # the reference
        in_order = [*first, *(name for name in in_order if name not in first)]
        observations = Observations.grouped(adata, column, in_order)
    if tests is not None:
        observations = _in_stratum(observations, adata, tests, _param(adata, key, "per"))
    if not len(observations.rows):
        msg = f"groupby={column!r}: no observation has a value there; choose another column."
        raise InputError(msg)
    return observations


def tested_matrix(adata: AnnData, *, key: str) -> tuple[str | None, str | None]:
    """Layer and scale of the values that the result under ``key`` was made from.

    Of cells that were added up, nothing is said of the values of the cells.
    """
    if _param(adata, key, "replicate") is not None:
        return None, None
    return _param(adata, key, "layer"), _param(adata, key, "source_scale")


def _param(adata: AnnData, key: str, name: str) -> str | None:
    """Return what was asked for the result, if it is text."""
    value = params(adata, key=key).get(name)
    return value if isinstance(value, str) else None


def _grouping(adata: AnnData, key: str) -> str | None:
    """Return the column that the result compared, where it is one of groups."""
    column = _param(adata, key, "groupby")
    if column is None or column not in adata.obs:
        return None
    values = adata.obs[column]
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return None if numeric else column


def _levels_compared(tests: pd.DataFrame) -> list[str] | None:
    """Groups and references; None where a test compares with everybody else."""
    if tests["reference"].isin(["rest", ""]).any():
        return None
    pairs = zip(tests["group"], tests["reference"], strict=True)
    return list(dict.fromkeys(name for pair in pairs for name in pair))


def _in_stratum(
    observations: Observations, adata: AnnData, tests: pd.DataFrame, column: str | None
) -> Observations:
    """Only the strata that the tests were made in."""
    strata = set(tests["per"]) - {""}
    if column is None or not strata:
        return observations
    return observations.restricted(find_column(adata, column).astype(str).isin(strata).to_numpy())

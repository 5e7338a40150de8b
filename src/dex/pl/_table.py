"""What a heatmap shows, in the order in which it shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.pl._order import Arrangement, Tree, arranged, cut, z_scores
from dex.pl._strips import Levels, find_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData

    from dex.pl._expression_source import ExpressionSource
    from dex.pl._genes import GeneChoice
    from dex.typing import Bool, Float, Int

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
    levels: tuple[Levels, ...] = ()
    """The columns of ``obs`` that the groups come from, the outermost first."""
    outer: tuple[tuple[str, ...], ...] = ()
    """For each group the levels that it lies in, where groups are nested."""
    along: Float | None = None
    """Over all of ``adata.obs``: the covariate that observations are in the order of."""
    trees: tuple[Tree, ...] = ()

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
        return cls(np.arange(adata.n_obs), np.zeros(adata.n_obs, dtype=np.intp), ("",))

    @classmethod
    def grouped(
        cls, adata: AnnData, columns: Sequence[str], first: Sequence[str] = ()
    ) -> Observations:
        """Observations that have a level of every column, group by group, groups nested.

        The levels ``first`` come first, in that order, then the others as their columns have them.
        """
        levels = tuple(Levels.from_adata(adata, column) for column in columns)
        places = np.column_stack([_places(column, first) for column in levels])
        rows = np.flatnonzero((places >= 0).all(axis=1))
        found, group = np.unique(places[rows], axis=0, return_inverse=True)
        group = group.reshape(-1).astype(np.intp)
        order = np.argsort(group, kind="stable")
        paths = [_path(levels, place, first) for place in found]
        return cls(
            rows[order],
            group[order],
            tuple(path[-1] for path in paths),
            levels,
            tuple(path[:-1] for path in paths) if len(columns) > 1 else (),
        )

    def restricted(self, keep: Bool) -> Observations:
        """Leave out observations; ``keep`` is over all of ``adata.obs``."""
        kept = keep[self.rows]
        used, group = np.unique(self.group[kept], return_inverse=True)
        return replace(
            self,
            rows=self.rows[kept],
            group=group.astype(np.intp),
            names=tuple(self.names[g] for g in used),
            outer=tuple(self.outer[g] for g in used) if self.outer else (),
        )

    def as_one_group(self) -> Observations:
        """Forget the groups, but keep whom they hold."""
        return replace(self, group=np.zeros_like(self.group), names=("",), outer=())


def _in_order(levels: Levels, first: Sequence[str]) -> list[str]:
    place = {name: i for i, name in reversed(list(enumerate(first)))}
    return sorted(levels.names, key=lambda name: place.get(name, len(first)))  # stable


def _places(levels: Levels, first: Sequence[str]) -> Int:
    """Place of each observation's level, ``(n_obs,)``; -1 where it has none."""
    in_order = _in_order(levels, first)
    place = np.array([*(in_order.index(name) for name in levels.names), -1])
    return place[levels.codes]  # the last is that of missing values, -1


def _path(levels: tuple[Levels, ...], places: Int, first: Sequence[str]) -> tuple[str, ...]:
    pairs = zip(levels, places, strict=True)
    return tuple(_in_order(column, first)[place] for column, place in pairs)


@dataclass(frozen=True, slots=True)
class HeatmapTable:
    """Values of the genes in the observations shown, both in the order drawn."""

    values: Float
    """``(n_genes, n_shown)``."""
    genes: tuple[str, ...]
    """Names to show."""
    asked: tuple[str, ...]
    """``var_names``, or what the user wrote."""
    rank: Int
    """``(n_genes,)``, 0 for the best gene of its block."""
    block: Int
    """``(n_genes,)``, ascending from 0 without gaps."""
    block_names: tuple[str, ...]
    """Of the blocks drawn; one empty name where there is one."""
    observations: Observations
    trees: tuple[Tree, ...] = ()
    """Of the genes."""

    @property
    def block_sizes(self) -> Int:
        """Genes by block."""
        return np.bincount(self.block)

    def find(self, genes: Sequence[str]) -> Bool:
        """Which genes drawn are among ``genes``, ``(n_genes,)``.

        Raises
        ------
        InputError
            If one of them is not drawn.
        """
        missing = set(genes) - {*self.genes, *self.asked}
        if missing:
            msg = (
                f"mark={sorted(missing)[:5]} are not among the {len(self.genes)} genes drawn; "
                "draw them with genes= or a larger n_genes=."
            )
            raise InputError(msg)
        pairs = zip(self.genes, self.asked, strict=True)
        return np.array([name in genes or asked in genes for name, asked in pairs])

    @classmethod
    def from_source(
        cls,
        source: ExpressionSource,
        choice: GeneChoice,
        observations: Observations,
        *,
        gene_symbols: str | None,
        z_score: bool,
        cluster_genes: bool,
        n_gene_parts: int | None,
        cluster_obs: ClusterObs,
        n_obs_parts: int | None,
    ) -> HeatmapTable:
        """Read the values, standardise them over the observations shown, put like beside like."""
        frame = source.values(choice.genes, gene_symbols=gene_symbols)
        values = frame.to_numpy()[observations.rows]
        values = z_scores(values) if z_score else values
        compared = np.clip(values, -Z_LIMIT, Z_LIMIT) if z_score else values
        genes = _arrange_genes(
            compared.T, choice, cluster_genes=cluster_genes, n_parts=n_gene_parts
        )
        drawn, block = np.unique(genes.part, return_inverse=True)
        names = choice.blocks if n_gene_parts is None else _numbered(n_gene_parts)
        observations, columns = _arrange_obs(
            compared, observations, cluster_obs=cluster_obs, n_parts=n_obs_parts
        )
        rank = np.arange(len(choice.genes)) - np.searchsorted(choice.block, choice.block)
        return cls(
            values[columns][:, genes.order].T,
            tuple(str(frame.columns[j]) for j in genes.order),
            tuple(choice.genes[j] for j in genes.order),
            rank[genes.order],
            block.astype(np.intp),
            tuple(names[b] for b in drawn),
            observations,
            genes.trees,
        )


def _arrange_genes(
    rows: Float, choice: GeneChoice, *, cluster_genes: bool, n_parts: int | None
) -> Arrangement:
    if n_parts is not None:
        return cut(rows, n_parts, argument="split_genes")
    if cluster_genes:
        return arranged(rows, choice.block)
    return Arrangement(np.arange(len(rows)), choice.block)


def _arrange_obs(
    rows: Float, observations: Observations, *, cluster_obs: ClusterObs, n_parts: int | None
) -> tuple[Observations, Int]:
    """Observations in their order, and their positions before."""
    if n_parts is not None:
        found = cut(rows, n_parts, argument="split_obs")
        names = _numbered(int(found.part.max()) + 1)
        observations = replace(observations, group=found.part, names=names, outer=())
    elif cluster_obs is True:
        observations = observations.as_one_group()
        found = arranged(rows, observations.group)
    elif cluster_obs == "within" and observations.along is None:
        found = arranged(rows, observations.group)
    else:
        keys = np.arange(len(rows))
        if cluster_obs == "within" and observations.along is not None:
            keys = np.argsort(np.argsort(observations.along[observations.rows], kind="stable"))
        found = Arrangement(np.lexsort([keys, observations.group]), observations.group)
    shown = replace(observations, rows=observations.rows[found.order], trees=found.trees)
    return shown, found.order


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(f"cluster {i + 1}" for i in range(n))


def compared(
    source: ExpressionSource,
    tests: pd.DataFrame | None,
    *,
    groupby: str | None,
    split: Sequence[str] = (),
) -> Observations:
    """Observations that the tests compare, by the groups that they compare or by ``split``.

    Without ``groupby`` the groups are those of the columns that the result is about.

    Raises
    ------
    InputError
        If a column is not in ``obs``, or if no observation has a value there.
    """
    adata = source.shown
    about = (groupby,) if groupby else (source.contrasted_columns() if tests is not None else ())
    columns = tuple(c for c in about if groupby or not source.is_numeric(c))
    numeric = [c for c in about if c not in columns]
    first, keep = _levels_compared(adata, columns, tests)
    if split:
        columns = tuple(dict.fromkeys(split))
    first = [*first, *(name for column in columns for name in source.design_order(column))]
    observations = Observations.grouped(adata, columns, first) if columns else None
    observations = observations or Observations.everything(adata)
    if tests is not None:
        keep = keep & _in_strata(adata, tests, source.text("per"))
    if numeric:
        along = find_column(adata, numeric[0]).to_numpy(dtype=np.float64, na_value=np.nan)
        observations = replace(observations, along=along)
        keep = keep & ~np.isnan(along)
    observations = observations.restricted(keep)
    if not len(observations.rows):
        where = ", ".join(map(repr, columns or about))
        msg = f"no observation has a value in {where}; choose another column."
        raise InputError(msg)
    return observations


def _levels_compared(
    adata: AnnData, columns: tuple[str, ...], tests: pd.DataFrame | None
) -> tuple[list[str], Bool]:
    """The level to show first, the reference of all tests, and who is compared."""
    everybody = np.ones(adata.n_obs, dtype=bool)
    if len(columns) != 1:
        return [], everybody
    levels = Levels.from_adata(adata, columns[0])
    known = levels.codes >= 0
    if tests is None or tests["reference"].isin(["rest", ""]).any():
        return [], known
    names = {*tests["group"], *tests["reference"]}
    if not names <= {levels.names[code] for code in np.unique(levels.codes[known])}:
        return [], known
    taken = np.isin(levels.codes, [levels.names.index(name) for name in names])
    references = list(tests["reference"].unique())
    return references if len(references) == 1 else [], taken


def _in_strata(adata: AnnData, tests: pd.DataFrame, column: str | None) -> Bool:
    """Whether observations are of the strata that the tests were made in."""
    strata = set(tests["per"]) - {""}
    if column is None or not strata:
        return np.ones(adata.n_obs, dtype=bool)
    return find_column(adata, column).astype(str).isin(strata).to_numpy()

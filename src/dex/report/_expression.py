"""What the browser draws when a gene is clicked: its values, or their quantiles by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from dex.errors import InputError
from dex.get._tested import Tested
from dex.pl._strips import Levels, palette
from dex.report._ranking import is_grouping

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression, GeneBlock
    from dex.report._arrays import Arrays
    from dex.report._ranking import Ranking
    from dex.typing import Float, Int

_BYTES_PER_VALUE = 1.9
_MOST_POINTS = 200
"""Observations that are drawn as points; of more, quantiles are drawn by group."""
_MOST_IN_STRATA = 20
"""Groups of all strata beyond which only the strata are told apart."""
_MOST_READ = 100_000_000
"""Values that quantiles are taken of, or the report takes minutes."""
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MISSING = np.iinfo(np.int32).min
_AXES = {
    "ln1p": "log1p of normalised counts",
    "log2p1": "log2(x + 1)",
    "logcpm": "log2 counts per million",
    "log2": "log2 expression",
    "counts": "counts",
    "linear": "expression",
    "zscore": "z-score",
}


@dataclass(frozen=True, slots=True)
class PlotGroups:
    """The groups that the observations are drawn in."""

    groupby: str
    """Empty where there is one group."""
    names: tuple[str, ...]
    colours: tuple[str, ...]
    codes: Int
    """``(n_obs,)``; -1 in none."""

    @classmethod
    def from_ranking(cls, ranking: Ranking) -> PlotGroups:
        """Group by the column compared, in its own order; a reference of all tests comes first."""
        n_obs = len(ranking.obs)
        if ranking.groupby is None:
            everybody = np.zeros(n_obs, dtype=np.intp)
            return cls("", ("all observations",), palette(1), everybody)
        if ranking.per is not None and ranking.per != ranking.groupby:
            return cls._in_strata(ranking, ranking.per, ranking.groupby)
        codes, names = level_codes(ranking.obs[ranking.groupby])
        references = {test.reference for test in ranking.tests}
        first = references.pop() if len(references) == 1 else None
        order = sorted(range(len(names)), key=lambda i: (names[i] != first, i))
        place = np.empty(len(names) + 1, dtype=np.intp)
        place[order], place[-1] = np.arange(len(names)), -1
        colour = _colours(ranking, names)
        in_order = tuple(names[i] for i in order)
        return cls(
            ranking.groupby, in_order, tuple(colour[name] for name in in_order), place[codes]
        )

    @classmethod
    def _in_strata(cls, ranking: Ranking, per: str, groupby: str) -> PlotGroups:
        """A group of every stratum and level, coloured by the level; by strata if they are many."""
        strata, stratum_names = level_codes(ranking.obs[per])
        codes, names = level_codes(ranking.obs[groupby])
        if len(stratum_names) * len(names) > _MOST_IN_STRATA:
            return cls(per, stratum_names, palette(len(stratum_names)), strata)
        colour = _colours(ranking, names)
        both = np.where((strata >= 0) & (codes >= 0), strata * len(names) + codes, -1)
        labels = tuple(f"{one}, {name}" for one in stratum_names for name in names)
        colours = tuple(colour[name] for _ in stratum_names for name in names)
        return cls(f"{per}, {groupby}", labels, colours, both)


def _colours(ranking: Ranking, names: tuple[str, ...]) -> dict[str, str]:
    """Colours of levels, as in the figures."""
    colour = dict(zip(names, palette(len(names)), strict=True))
    if ranking.groupby is not None and ranking.groupby in ranking.adata.obs:
        levels = Levels.from_adata(ranking.adata, ranking.groupby)
        colour |= {name: to_hex(of) for name, of in zip(levels.names, levels.colours, strict=True)}
    return colour


def level_codes(values: pd.Series) -> tuple[Int, tuple[str, ...]]:
    """Levels that occur, in their order, and the place of each observation's; -1 for none."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
    else:
        values = values.astype("category")
    return np.asarray(values.cat.codes, dtype=np.intp), tuple(map(str, values.cat.categories))


def expression_meta(ranking: Ranking, arrays: Arrays, *, budget: float) -> dict[str, Any] | None:
    """Add the values of as many genes as fit, and describe them; None if they cannot be read."""
    groups = PlotGroups.from_ranking(ranking)
    n_obs, n_vars = len(ranking.obs), ranking.adata.n_vars
    as_points = n_obs <= _MOST_POINTS
    per_gene = n_obs if as_points else (len(_QUANTILES) + 2) * len(groups.names)
    n_genes = int(budget / _BYTES_PER_VALUE / per_gene)
    if not as_points:
        n_genes = min(n_genes, _MOST_READ // n_obs)
    genes = np.sort(best_of_all(ranking)[: min(n_genes, n_vars)])
    if not len(genes):
        return None
    try:
        expression = Tested.by(ranking.stored).expression(genes)
        values = _values(expression, groups, as_points=as_points)
    except InputError:
        return None  # the matrix has gone or changed since it was tested
    step = _step(values)
    words = np.where(np.isnan(values), _MISSING, np.round(np.nan_to_num(values) / step))
    return {
        "kind": "values" if as_points else "quantiles",
        "axis": _AXES.get(str(expression.scale), str(expression.scale)),
        "caption": _caption(ranking, as_points=as_points, pairs=_pairs(ranking, groups)),
        "groupby": groups.groupby,
        "groups": groups.names,
        "colours": groups.colours,
        "sizes": np.bincount(groups.codes[groups.codes >= 0], minlength=len(groups.names)).tolist(),
        "genes": None if len(genes) == n_vars else arrays.integers(genes),
        "n_genes": len(genes),
        "perGene": per_gene,
        "step": step,
        "values": arrays.integers(words.astype(np.int64).ravel()),
        **(_points_meta(ranking, groups) if as_points else {}),
    }


def best_of_all(ranking: Ranking) -> Int:
    """All genes: the best of every test, then the second best of every test, and so on."""
    turns = np.stack([ranking.order(test) for test in ranking.tests], axis=1).ravel()
    first = np.unique(turns, return_index=True)[1]
    return turns[np.sort(first)]


def _values(expression: Expression, groups: PlotGroups, *, as_points: bool) -> Float:
    """``(n_genes, n_obs)``, or ``(n_genes, n_groups * 7)``."""

    def columns(block: GeneBlock) -> Columns:
        values = block.values  # noqa: PD011 - not pandas
        return {"values": values.T if as_points else _summaries(values, block.abundance, groups)}

    return expression.map_blocks(columns, n_threads=None, label="expression")["values"]


def _summaries(values: Float, abundance: Float | None, groups: PlotGroups) -> Float:
    """Fraction that express the gene, mean, and quantiles, of every group."""
    parts = []
    for group in range(len(groups.names)):
        own = groups.codes == group
        positive = np.full(values.shape[1], np.nan)
        if abundance is not None:
            positive = (abundance[own] > 0).mean(axis=0)
        quantiles = np.quantile(values[own], _QUANTILES, axis=0)
        parts += [positive, values[own].mean(axis=0), *quantiles]
    return np.stack(parts, axis=1)


def _step(values: Float) -> float:
    """Round to a hundredth, or so that the largest has five digits."""
    largest = np.nanmax(np.abs(values), initial=1.0, where=np.isfinite(values))
    return max(0.01, float(10.0 ** (np.floor(np.log10(largest)) - 4)))


def _points_meta(ranking: Ranking, groups: PlotGroups) -> dict[str, Any]:
    column = _pairs(ranking, groups)
    meta: dict[str, Any] = {
        "codes": groups.codes.tolist(),
        "obs": [str(name) for name in ranking.obs.index],
        "pairs": None,
        "x": None,
    }
    if ranking.covariate is not None:
        numbers = ranking.obs[ranking.covariate].to_numpy(dtype=np.float64, na_value=np.nan)
        known = [float(number) if np.isfinite(number) else None for number in numbers]
        meta |= {"x": known, "xLabel": ranking.covariate}
    if column is not None:
        codes, names = level_codes(ranking.obs[column])
        meta |= {"pairs": codes.tolist(), "pairColumn": column, "pairNames": names}
    return meta


def _pairs(ranking: Ranking, groups: PlotGroups) -> str | None:
    """Column whose levels are pairs: in the design, with one observation at most in a group."""
    for name in ranking.variables:
        if (
            name in {groups.groupby, ranking.groupby, ranking.per}
            or not is_grouping(ranking.obs[name])
            or not groups.groupby
        ):
            continue
        codes, names = level_codes(ranking.obs[name])
        known = (codes >= 0) & (groups.codes >= 0)
        table = np.zeros((len(names), len(groups.names)), dtype=np.intp)
        np.add.at(table, (codes[known], groups.codes[known]), 1)
        if table.max(initial=0) == 1 and (table.sum(axis=1) >= 2).mean() > 0.5:
            return name
    return None


def _caption(ranking: Ranking, *, as_points: bool, pairs: str | None) -> str:
    if not as_points:
        return (
            "Box: quartiles and median; line: 5 % to 95 %; dot: mean; percentages: cells that "
            "express the gene."
        )
    unit = "sample" if ranking.unit == "samples" else "cell"
    if ranking.covariate is not None:
        coloured = f", coloured by {ranking.groupby}" if ranking.groupby else ""
        return f"A point per {unit}{coloured}."
    if pairs is not None:
        return f"A point per {unit}; lines join those of one {pairs}."
    return f"A point per {unit}; bars are means."

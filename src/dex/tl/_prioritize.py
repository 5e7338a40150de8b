"""Which cell types respond most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its stats load at first use

from dex._logging import logger
from dex.data.source import obs_of
from dex.data.threads import map_threads
from dex.design.labels import Labels, column_of
from dex.design.wording import listed, plural
from dex.errors import InputError
from dex.learn.pairs import held_out_pairs, pair_areas
from dex.learn.permutation import Null, every_relabelling
from dex.learn.units import Units
from dex.results.actual import check_writable
from dex.tl._genes import genes_tested
from dex.tl._learning import check_count, donors_of, measure, spread
from dex.tl._learning_store import check_place, write
from dex.tl._learning_words import read_classes

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.learn.depth import Table
    from dex.typing import Bool, Float, Int

_MADE_BY = "dex.tl.prioritize"
_FEWEST_DONORS = 3
_FEWEST_CELLS = 5
_ALPHA = 0.05


def prioritize(
    adata: AnnData,
    groupby: str,
    *,
    per: str,
    replicate: str = "auto",
    reference: str | None = None,
    n_cells: int = 20,
    n_genes: int = 1000,
    repeats: int = 10,
    n_permutations: int = 1000,
    layer: str | None = None,
    scale: str | None = None,
    mask_var: str | ArrayLike | None = None,
    key_added: str = "prioritize",
    seed: int = 0,
    n_threads: int | None = None,
) -> None:
    """Rank cell types by how well their cells tell two conditions apart, in donors never seen.

    The question of Augur [Skinnider2021]_. There the cells of a donor are on both sides of the
    cross-validation, which then learns donors: areas are high where nothing responds. Here
    two donors, one of each condition (or one who has both), are held out at a time, their cells are
    told apart by a model of the others, and p is by permuting the conditions of donors. Every donor
    gives the same number of cells in every type, so that large types have no advantage.

    Parameters
    ----------
    adata
        Cells x genes: counts or logs in ``X`` or in a layer.
    groupby
        Column of ``adata.obs`` with two conditions.
    per
        Column of ``obs`` with the cell types.
    replicate
        Column of ``obs`` that names the donors; ``"auto"`` takes the one that obviously does. Where
        some have both conditions and some have one, those are used of whom there are more pairs.
    reference
        Condition that the other is told from; it changes no area.
    n_cells
        Cells of each donor (and condition, where donors have both) that are drawn for each type.
        Donors with fewer have no part in that type.
    n_genes
        Genes to learn from: those of the largest variance in training cells.
    repeats
        Times that cells are drawn; areas are means over them.
    n_permutations
        For the p-values. If there are no more different ways to deal the conditions to the donors,
        each is taken once.
    layer, scale
        As for :func:`dex.tl.rank_genes`. Where ``X`` holds logs and a layer ``"counts"`` counts,
        these are taken, as log1p of counts per 10,000.
    mask_var
        Genes to choose from: a boolean column of ``adata.var``, or a boolean array.
    key_added
        Where the result goes; an earlier one there is replaced.
    seed
        The same seed gives the same result, with any number of threads.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes, with ``key`` for ``key_added``:

    ``adata.uns[key]``
        For each cell type ``auc``, its mean and standard deviation under permutation
        (``null_mean``, ``null_sd``), ``pval``, ``padj`` (Benjamini & Hochberg), ``n_group`` and
        ``n_reference`` donors, and ``n_possible`` ways to deal the conditions. NaN where a
        condition has fewer than 3 donors with enough cells. :func:`dex.get.priorities_df` makes a
        table of it.
    ``adata.obs[f"{key}_auc"]``
        The area of each cell's type, for maps.

    Raises
    ------
    dex.errors.InputError
        If something cannot be used as asked, if there are not two conditions, if no column names
        donors, or if no type has enough of them; ``adata`` is then unchanged.

    See Also
    --------
    dex.pl.priorities

    References
    ----------
    .. [Skinnider2021] Skinnider et al. (2021), Nature Biotechnology 39:30.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(
    ...     60, 4, cells_per_replicate=80, mean_count=1, log2fc_sd=2, de_fraction=0.3
    ... )
    >>> adata.obs["type"] = ["T" if i % 2 else "B" for i in range(adata.n_obs)]
    >>> dex.tl.prioritize(adata, "condition", per="type", replicate="replicate", repeats=2)
    >>> dex.get.priorities_df(adata).columns.tolist()[:4]
    ['type', 'auc', 'null_mean', 'null_sd']
    """
    check_writable(adata)
    check_place(adata, key_added, made_by=_MADE_BY)
    for name, value, least in (
        ("n_cells", n_cells, _FEWEST_CELLS),
        ("n_genes", n_genes, 1),
        ("repeats", repeats, 1),
        ("n_permutations", n_permutations, 1),
    ):
        check_count(name, value, least)
    classes, codes, rows = read_classes(adata, groupby, reference)
    if len(classes) != 2:
        msg = (
            f"groupby={groupby!r} has {len(classes)} conditions ({listed(classes)}); two are told "
            f"apart: give adata[adata.obs[{groupby!r}].isin([...])]."
        )
        raise InputError(msg)
    types = Labels.from_column(column_of(obs_of(adata), per, argument="per"))
    donors, named = donors_of(adata, groupby, replicate, rows, unit="cells")
    if named is None:
        msg = "no column of obs obviously names donors; name it by replicate=."
        raise InputError(msg)
    measured = measure(
        adata,
        rows,
        genes_tested(adata, mask_var),
        layer=layer,
        scale=scale,
        unit="cells",
        size_factors="auto",
    )
    cohorts = [
        _Cohort.of(types.codes[rows] == t, codes, donors, n_cells) for t in range(len(types.levels))
    ]
    if not any(cohort.testable for cohort in cohorts):
        msg = (
            f"no type in obs[{per!r}] has {_FEWEST_DONORS} levels of obs[{named!r}] with {n_cells} "
            f"cells in each of {listed(classes)}; ask for fewer cells by n_cells=."
        )
        raise InputError(msg)
    plan = _Plan(n_cells, n_genes, repeats, n_permutations, seed, n_threads)
    found = _areas(measured.table, cohorts, plan)
    params = {
        "groupby": groupby,
        "group": classes[1],
        "reference": classes[0],
        "per": per,
        "replicate": named,
        "n_cells": n_cells,
        "n_genes": n_genes,
        "repeats": repeats,
        "n_permutations": n_permutations,
        "layer": measured.source.layer or "X",
        "seed": seed,
    }
    notes = (*measured.notes, *_notes(cohorts, types.levels, n_cells))
    for note in notes:
        logger.info(note)
    entry = _entry(cohorts, found, types.levels)
    auc = np.append(entry["auc"], np.nan)[types.codes[rows]]
    write(
        adata,
        key_added,
        {
            "made_by": _MADE_BY,
            "format_version": 1,
            "params": params,
            "notes": np.array(notes, dtype=object),
            **entry,
        },
        obs={"auc": spread(auc, rows, adata.n_obs)},
        var={},
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    n_cells: int
    n_genes: int
    repeats: int
    n_permutations: int
    seed: int
    n_threads: int | None


@dataclass(frozen=True, slots=True)
class _Cohort:
    """The cells of a type, of the donors that have enough of them."""

    cells: Int
    """Positions among the observations measured."""
    units: Units | None
    """Who these cells are of; None if nobody has enough."""

    @classmethod
    def of(cls, inside: Bool, codes: Int, donors: Int, n_cells: int) -> _Cohort:
        """Drop units with few cells; of donors with both conditions and with one, the fewer."""
        cells = np.flatnonzero(inside)
        if not len(cells):
            return cls(cells, None)
        units = _units_of(codes[cells], donors[cells])
        cells = cells[(np.bincount(units.of_obs) >= n_cells)[units.of_obs]]
        if not len(cells):
            return cls(cells, None)
        units = _units_of(codes[cells], donors[cells])
        if not units.constant:
            both = np.bincount(units.unit_donors) == 2
            alone = np.bincount(units.unit_codes[~both[units.unit_donors]], minlength=2)
            kept = both if both.sum() >= alone.min() else ~both
            cells = cells[kept[units.donors]]
            units = _units_of(codes[cells], donors[cells])
        return cls(cells, units)

    @property
    def n_donors(self) -> Int:
        """Donors of the reference and of the other condition."""
        if self.units is None:
            return np.zeros(2, dtype=np.intp)
        return np.bincount(self.units.unit_codes, minlength=2)

    @property
    def testable(self) -> bool:
        """Whether there are donors to learn from when a pair is held out."""
        return bool(self.n_donors.min() >= _FEWEST_DONORS)

    @property
    def least_pval(self) -> float:
        """Smallest p that there can be."""
        assert self.units is not None
        return self.units.least_pval()

    def labellings(self, n: int, rng: np.random.Generator) -> tuple[Float, float, bool]:
        """Classes of the units, -1 or 1, the given ones first, ``(n_units, 1 + n)``.

        With the number of ways that there are, and whether these are all.
        """
        assert self.units is not None
        possible = self.units.n_relabellings()
        if possible - 1 <= n:
            given = self.units.unit_codes
            others = [one for one in every_relabelling(self.units) if (one != given).any()]
        else:
            others = [self.units.relabelling(rng).unit_codes for _ in range(n)]
        codes = np.column_stack([self.units.unit_codes, *others])
        return 2.0 * codes - 1, possible, possible - 1 <= n


def _units_of(codes: Int, donors: Int) -> Units:
    return Units.of(codes, np.unique(donors, return_inverse=True)[1].ravel().astype(np.intp))


def _areas(table: Table, cohorts: list[_Cohort], plan: _Plan) -> list[tuple[float, Null] | None]:
    """Area and null of every type; None where there are too few donors."""
    streams = np.random.default_rng(plan.seed).spawn(len(cohorts))
    labels: dict[int, tuple[Float, float, bool]] = {}
    pieces: list[tuple[int, np.random.Generator]] = []
    for t, (cohort, rng) in enumerate(zip(cohorts, streams, strict=True)):
        if cohort.testable:
            labels[t] = cohort.labellings(plan.n_permutations, rng)
            pieces += [(t, one) for one in rng.spawn(plan.repeats)]

    def work(piece: tuple[int, np.random.Generator]) -> Float:
        t, rng = piece
        return _one_repeat(table, cohorts[t], labels[t][0], plan, rng)

    areas = map_threads(work, pieces, n_threads=plan.n_threads, label="cell types")
    found: list[tuple[float, Null] | None] = []
    for t in range(len(cohorts)):
        own = [area for (one, _), area in zip(pieces, areas, strict=True) if one == t]
        if not own:
            found.append(None)
            continue
        mean = np.mean(own, axis=0)
        found.append((float(mean[0]), Null(mean[1:], labels[t][1], labels[t][2])))
    return found


def _one_repeat(
    table: Table, cohort: _Cohort, labels: Float, plan: _Plan, rng: np.random.Generator
) -> Float:
    """Draw cells and tell them apart, for all labellings at once."""
    assert cohort.units is not None
    units = cohort.units
    order = rng.permutation(len(cohort.cells))
    place = np.empty(len(order), dtype=np.intp)  # of each cell among those of its unit, as drawn
    for unit in range(len(units.unit_codes)):
        own = order[units.of_obs[order] == unit]
        place[own] = np.arange(len(own))
    drawn = np.flatnonzero(place < plan.n_cells)
    rows = cohort.cells[drawn]
    values: Any = table.values(table.fit(rows), rows, slice(None))
    dense = np.asarray(values if isinstance(values, np.ndarray) else values.toarray())
    pairs = held_out_pairs(units, rng)
    return pair_areas(dense, units.of_obs[drawn], pairs, labels, n_genes=plan.n_genes)


def _entry(
    cohorts: list[_Cohort], found: list[tuple[float, Null] | None], levels: tuple[str, ...]
) -> dict[str, Any]:
    nothing = (np.nan,) * 5
    rows = [
        nothing
        if one is None
        else (
            one[0],
            float(one[1].drawn.mean()),
            float(one[1].drawn.std()),
            one[1].pval(one[0]),
            one[1].n_possible,
        )
        for one in found
    ]
    auc, mean, sd, pval, possible = np.array(rows, dtype=np.float64).T
    padj = np.full(len(pval), np.nan)
    tested = ~np.isnan(pval)
    padj[tested] = scipy.stats.false_discovery_control(pval[tested])
    donors = np.array([cohort.n_donors for cohort in cohorts], dtype=np.int64)
    return {
        "types": np.array(levels, dtype=object),
        "auc": auc,
        "null_mean": mean,
        "null_sd": sd,
        "pval": pval,
        "padj": padj,
        "n_group": donors[:, 1],
        "n_reference": donors[:, 0],
        "n_possible": possible,
    }


def _notes(cohorts: list[_Cohort], levels: tuple[str, ...], n_cells: int) -> tuple[str, ...]:
    notes = []
    left_out = [name for name, one in zip(levels, cohorts, strict=True) if not one.testable]
    if left_out:
        notes.append(
            f"{plural(len(left_out), 'type')} without {_FEWEST_DONORS} donors of each condition "
            f"with {n_cells} cells: {listed(left_out)} not ranked."
        )
    least = max(one.least_pval for one in cohorts if one.testable)
    if least > _ALPHA:
        notes.append(
            f"the conditions of few donors can be dealt in few ways: p is at least {least:.2g} for "
            "a type."
        )
    donors = {int(one.n_donors.sum()) for one in cohorts if one.testable}
    if len(donors) > 1:
        notes.append(
            f"types have {min(donors)} to {max(donors)} donors' samples: areas of those with more "
            "are of models that have learnt from more."
        )
    return tuple(notes)

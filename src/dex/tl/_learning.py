"""What learning has in common: the table, the donors and the folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from dex._logging import logger
from dex.data import Source
from dex.data.reader import read_rows
from dex.data.scale import Scale
from dex.data.source import counts_source, has_counts, obs_of
from dex.data.threads import map_threads
from dex.design.labels import Labels, column_of, is_missing
from dex.design.replicates import repeated_units, replicate_candidates
from dex.errors import InputError
from dex.learn.depth import Table
from dex.learn.folds import Split, check_splits, donor_folds, given_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from anndata import AnnData

    from dex.learn.units import Units
    from dex.learn.validation import Mapper
    from dex.typing import Int

_FEWEST_EXPRESSED = 20
"""Genes with values that observations have at least if they are to be told to be duplicates."""
_DEPTHS = ("auto", "tmm", "library")


@dataclass(frozen=True, slots=True)
class Measured:
    """The observations and genes to learn from."""

    table: Table
    rows: Int
    """Positions of the observations in the AnnData, ``(n_obs,)``."""
    genes: Int
    """Positions of the genes, ``(n_vars,)``."""
    source: Source
    notes: tuple[str, ...]


def measure(
    adata: AnnData,
    rows: Int,
    genes: Int,
    *,
    layer: str | None,
    scale: str | None,
    unit: str | None,
    size_factors: str,
) -> Measured:
    """Read the observations ``rows``; counts, wherever they are, are normalised in the folds.

    Raises
    ------
    InputError
        If there is no such layer or method, if values cannot be used, or if a sample is empty.
    """
    if size_factors not in _DEPTHS:
        msg = (
            f"size_factors={size_factors!r}: learning normalises in its folds by one of "
            f"{', '.join(map(repr, _DEPTHS))}; for another way, name a layer made by it."
        )
        raise InputError(msg)
    source = Source.from_adata(adata, layer=layer, scale=scale, unit=unit)
    if source.scale is not Scale.COUNTS and layer is None and has_counts(adata, source):
        source = counts_source(adata, source, need="")
    values = read_matrix(source, rows, genes)
    notes = source.notes
    if source.scale is Scale.COUNTS:
        method = _depth_method(source, size_factors)
        table = Table.of_counts(values, method)
        if source.unit == "samples" and (table.sizes <= 0).any():
            empty = source.obs_names[rows[int(np.argmin(table.sizes))]]
            msg = f"the sample {empty!r} has no counts in {source.where}; drop it."
            raise InputError(msg)
        return Measured(table, rows, genes, source, (*notes, _how(source, method)))
    values = logged(values, source.scale)
    note = (
        f"{source.where} holds {source.scale.words}, taken as they are: whatever was done across "
        "samples to make them was done outside the folds."
    )
    return Measured(Table.of_values(values), rows, genes, source, (*notes, note))


def read_matrix(source: Source, rows: Int, genes: Int) -> Any:
    """Values of some observations and genes: CSR if they are stored sparse, else an array."""
    if sparse.issparse(source.matrix):
        stored: Any = source.matrix
        values: Any = sparse.csr_matrix(stored)[rows][:, genes].astype(np.float64)
        checked = values.data
        if source.unit == "samples":
            values = values.toarray()
    else:
        values = checked = read_rows(source.matrix, rows)[:, genes]
    if not np.isfinite(checked).all():
        msg = f"{source.where} has values that are missing or not finite; learning needs them all."
        raise InputError(msg)
    if source.scale is Scale.COUNTS and checked.min(initial=0.0) < 0:
        msg = f"{source.where} has negative values, which are no counts."
        raise InputError(msg)
    return values


def _depth_method(source: Source, asked: str) -> Any:
    if source.unit == "cells":
        if asked == "tmm":
            msg = "size_factors='tmm' is for samples; cells have too few counts for it."
            raise InputError(msg)
        return "cells"
    return "tmm" if asked == "auto" else asked


def _how(source: Source, method: str) -> str:
    words = {
        "cells": "log1p of counts per 10,000",
        "tmm": "log2 CPM with TMM factors against training samples",
        "library": "log2 CPM",
    }
    return f"{source.where} holds counts: taken as {words[method]}, made in each fold."


def logged(values: Any, scale: Scale) -> Any:
    """Linear values as log2 of 1 + them, others as they are; sparse values in place."""
    if scale is not Scale.LINEAR:
        return values
    if isinstance(values, np.ndarray):
        return np.log2(1 + values)
    values.data = np.log2(1 + values.data)
    return values


def donors_of(
    adata: AnnData,
    groupby: str,
    replicate: str | None,
    rows: Int,
    *,
    unit: str,
    least: int = 3,
) -> tuple[Int, str | None]:
    """Donor of each of ``rows``, as codes from 0, and the column that says so.

    ``"auto"`` takes the column that obviously names donors, of several the one with fewest levels;
    of samples also one whose levels have several with one label each, if ``least`` have every
    label. Where there is none, or with None, every observation stands for itself.

    Raises
    ------
    InputError
        If there is no such column, or if it has missing values.
    """
    obs = obs_of(adata)
    name = None if replicate == "auto" else replicate
    if replicate == "auto":
        found: tuple[str, ...] = ()
        if unit == "samples":
            found = repeated_units(obs.iloc[rows], groupby, least=least)
        found = found or replicate_candidates(obs, groupby)
        name = min(found, key=lambda one: obs[one].nunique(), default=None)
        if name is not None:
            logger.info(
                "folds are of whole levels of obs[%r], which names donors; replicate= is another, "
                "or None.",
                name,
            )
        elif unit == "cells":
            logger.warning(
                "cells are taken for independent, as no column of obs names donors: if cells of "
                "one donor are on both sides of a fold, its scores are too good. Name the donors "
                "by replicate=."
            )
    if name is None:
        return np.arange(len(rows)), None
    column = column_of(obs, name, argument="replicate").iloc[rows]
    if is_missing(column).any():
        n = int(is_missing(column).sum())
        msg = f"replicate={name!r}: {n} observations have no value in it; fill it in or drop them."
        raise InputError(msg)
    codes = Labels.from_column(column).codes
    return np.unique(codes, return_inverse=True)[1].ravel().astype(np.intp), name


def duplicates(table: Table) -> Int:
    """Group of observations with the very same values, ``(n_obs,)``; -1 where there is no other.

    Counts are compared as shares of their library, so that a sample at another depth is found.
    Observations with hardly any genes may be alike by chance, and are not compared.
    """
    matrix = table.matrix
    is_sparse = sparse.issparse(matrix)
    found: dict[bytes, list[int]] = {}
    for i in range(table.shape[0]):
        row = matrix.data[matrix.indptr[i] : matrix.indptr[i + 1]] if is_sparse else matrix[i]
        if np.count_nonzero(row) < _FEWEST_EXPRESSED:
            continue
        key = np.float32(row).tobytes()
        if is_sparse:
            key += matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]].tobytes()
        found.setdefault(key, []).append(i)
    groups = np.full(table.shape[0], -1, dtype=np.intp)
    for number, members in enumerate(same for same in found.values() if len(same) > 1):
        groups[members] = number
    return groups


def together(units: Units, table: Table) -> Units:
    """Keep duplicated observations on one side of every fold, and say so."""
    groups = duplicates(table)
    n = int((groups >= 0).sum())
    if not n:
        return units
    logger.warning(
        "%d observations are copies of each other (%d different ones); copies count as one donor, "
        "and are kept on one side of every fold.",
        n,
        int(groups.max()) + 1,
    )
    return units.merged(groups)


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """How folds are made, for given and for permuted labels."""

    make: Callable[[Units, np.random.Generator], list[list[Split]]]
    n_repeats: int
    n_splits: int
    words: str


def plan_folds(
    cv: int | str, repeats: int | None, units: Units, adata: AnnData, rows: Int, *, auto: int
) -> FoldPlan:
    """Folds by number, or one for each level of a column of ``obs``.

    Raises
    ------
    InputError
        If ``cv`` is neither, or leaves a class without tests.
    """
    if isinstance(cv, str) and cv != "auto":
        column = column_of(obs_of(adata), cv, argument="cv").iloc[rows]
        if is_missing(column).any():
            msg = f"cv={cv!r}: some observations have no value in it, and are in no fold."
            raise InputError(msg)
        labels = Labels.from_column(column)
        used, groups = np.unique(labels.codes, return_inverse=True)
        splits = given_folds(groups.ravel(), units.donors)
        _check_given(splits, units, cv, [labels.levels[code] for code in used])
        return FoldPlan(lambda units, rng: [splits], 1, len(splits), f"levels of {cv}")  # noqa: ARG005
    if cv != "auto":
        check_count("cv", cv, 2)
    n_splits = auto if cv == "auto" else int(cv)
    check_splits(n_splits, units)
    n_repeats = _auto_repeats(units.n_donors) if repeats is None else repeats
    if isinstance(n_repeats, bool) or n_repeats < 1:
        msg = f"repeats={repeats!r} is not a number of at least 1."
        raise InputError(msg)

    def make(units: Units, rng: np.random.Generator) -> list[list[Split]]:
        return [donor_folds(units, n_splits, rng) for _ in range(n_repeats)]

    return FoldPlan(make, n_repeats, n_splits, f"{n_splits} folds of donors")


def _check_given(splits: Sequence[Split], units: Units, cv: str, levels: Sequence[str]) -> None:
    if len(splits) < 2:
        msg = f"cv={cv!r} has one level only; two folds are needed."
        raise InputError(msg)
    every = set(range(units.n_classes))
    for level, split in zip(levels, splits, strict=True):
        if set(units.codes[split.train]) != every:
            msg = (
                f"cv={cv!r}: without {level!r} and the donors in it, a class is missing from "
                "training."
            )
            raise InputError(msg)
    if all(len(set(units.codes[split.test])) == 1 for split in splits):
        msg = (
            f"cv={cv!r}: each of its levels has one class only, with nothing to compare "
            "it with; cv= takes a column whose levels have several, as a study, or a number."
        )
        raise InputError(msg)


def _auto_repeats(n_donors: int) -> int:
    return 3 if n_donors <= 60 else 2 if n_donors <= 200 else 1


def threads(n_threads: int | None, label: str) -> Mapper:
    """Map by threads."""
    return lambda function, pieces: map_threads(function, pieces, n_threads=n_threads, label=label)


def check_count(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number of at least ``least``.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        msg = f"{name}={value!r} is not a whole number of at least {least}."
        raise InputError(msg)


def spread(values: Any, places: Int, n: int, fill: float = np.nan) -> Any:
    """Put values in their places among ``n``, the first axis; ``fill`` elsewhere."""
    values = np.asarray(values)
    out = np.full((n, *values.shape[1:]), fill, dtype=np.float64)
    out[places] = values
    return out


def labelled(column: pd.Series[Any]) -> Int:
    """Positions of the observations that have a value."""
    return np.flatnonzero(~is_missing(column))

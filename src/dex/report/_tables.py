"""The tables of genes that the browser sorts and filters, as arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.results.schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.report._arrays import Arrays
    from dex.report._ranking import Counted, Ranking
    from dex.typing import Int

_BUDGET = 4_600_000
"""Bytes in the page for all tables together."""
_BYTES = {3: 3.6, 4: 4.8}
"""Of a number in the page, by the bytes of it that are kept."""
_ALWAYS = ("log2fc", "base_mean", "stat", "log10_pval", "log10_padj", "status")
_IF_THERE_IS_ROOM = (
    "log2fc_se",
    "pct_group",
    "pct_reference",
    "auc",
    "log2fc_shrunk",
    "svalue",
    "mean_diff",
)
_OF_CELLS = frozenset({"pct_group", "pct_reference"})
"""Of samples they are all near 1."""
_SHOWN = (
    "log2fc",
    "log2fc_se",
    "log2fc_shrunk",
    "mean_diff",
    "base_mean",
    "pct_group",
    "pct_reference",
    "auc",
    "stat",
    "log10_pval",
    "log10_padj",
    "svalue",
    "status",
)
"""The order of the columns."""
_LABELS = {
    "base_mean": "mean",
    "log2fc_se": "SE",
    "log10_pval": "p",
    "log10_padj": "adjusted p",
    "auc": "AUC",
    "pct_group": "% group",
    "pct_reference": "% reference",
}
_KINDS = {
    "log10_pval": "p",
    "log10_padj": "p",
    "pct_group": "fraction",
    "pct_reference": "fraction",
    "status": "status",
}


@dataclass(frozen=True, slots=True)
class Room:
    """What fits into the page."""

    columns: tuple[str, ...]
    planes: int
    """Bytes kept of a number."""
    n_genes: int
    """Of each test, the best first."""


def make_room(rankings: Sequence[Ranking], *, budget: float = _BUDGET) -> Room:
    """Choose columns, digits and the number of genes so that all tests fit."""
    n_tests = sum(len(ranking.tests) for ranking in rankings)
    n_genes = max(ranking.adata.n_vars for ranking in rankings)
    there = {name for ranking in rankings for name in ranking.stored.columns}
    columns = [name for name in _ALWAYS if name in there]
    if not any(ranking.unit == "cells" for ranking in rankings):
        there -= _OF_CELLS
    entries = n_tests * n_genes
    n_floats = len(columns) - ("status" in columns)  # codes take next to nothing
    for name in (name for name in _IF_THERE_IS_ROOM if name in there):
        if entries * (n_floats + 1) * _BYTES[3] <= budget:
            columns.append(name)
            n_floats += 1
    planes = 4 if entries * n_floats * _BYTES[4] <= budget else 3
    fits = int(budget / (n_tests * n_floats * _BYTES[planes]))
    return Room(tuple(name for name in _SHOWN if name in columns), planes, min(fits, n_genes))


def table_meta(ranking: Ranking, room: Room, arrays: Arrays) -> dict[str, Any]:
    """Add the tables of a result to ``arrays`` and describe them for the script."""
    columns = columns_of(ranking, room)
    return {
        "key": ranking.key,
        "columns": [column_meta(name) for name in columns],
        "tests": [_test_meta(ranking, test, columns, room, arrays) for test in ranking.tests],
    }


def columns_of(ranking: Ranking, room: Room) -> list[str]:
    """Columns of the tables of a result, in order."""
    return [name for name in room.columns if name in ranking.stored.columns]


def column_meta(name: str) -> dict[str, str]:
    """Say what a column is called, and how its numbers are written."""
    column = COLUMNS.get(name.replace("log10_p", "p")) if name in _LABELS else COLUMNS.get(name)
    return {
        "name": name,
        "plain": name.removeprefix("log10_"),
        "label": _LABELS.get(name, name),
        "kind": _KINDS.get(name, "number"),
        "title": name if column is None else column.meaning,
    }


def _test_meta(
    ranking: Ranking, test: Counted, columns: Sequence[str], room: Room, arrays: Arrays
) -> dict[str, Any]:
    rows = best_genes(ranking, test, room)
    ids = {}
    for name in columns:
        values = ranking.column(name, test)
        values = values if rows is None else values[rows]
        if name == "status" and values.any():  # else all were tested
            ids[name] = arrays.integers(values)
        elif name != "status" and not np.isnan(values).all():
            ids[name] = arrays.floats(values, planes=room.planes)
    return {
        "name": test.name,
        "file": re.sub(r"[^A-Za-z0-9._-]+", "_", f"{ranking.key}_{test.name}")[:80],
        "rows": None if rows is None else arrays.integers(rows),
        "arrays": ids,
    }


def best_genes(ranking: Ranking, test: Counted, room: Room) -> Int | None:
    """Positions of the genes in the table, ascending; None where that is all of them."""
    if room.n_genes >= ranking.adata.n_vars:
        return None
    return np.sort(ranking.order(test)[: room.n_genes])

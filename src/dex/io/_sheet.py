"""Tables of what is known about samples or genes, found by their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.errors import InputError
from dex.io._cells import MISSING, Reading, as_text, numbers_if_all, read_cells
from dex.io._names import check_samples_unique, few, storable

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from dex.io._layout import CountTable


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A place in a sheet where the names may stand."""

    where: str
    names: pd.Index
    column: Hashable | None
    """None for the index."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a row per sample or gene."""

    table: pd.DataFrame
    source: str
    """The file, or the argument that it came by."""
    is_text: bool
    """Whether the cells are text still, as in a file."""

    @classmethod
    def from_any(cls, given: str | os.PathLike[str] | pd.DataFrame, argument: str) -> Self:
        """Take a DataFrame as it is, or read a text file, every cell as text."""
        if isinstance(given, pd.DataFrame):
            several = isinstance(given.index, pd.MultiIndex)
            table = given.reset_index() if several else given
            return cls(table.rename(columns=str), f"{argument}=", is_text=False)
        cells = read_cells(Path(given), Reading(as_text=True, min_columns=1))
        table = cells.columns.apply(as_text)
        header = cells.names_header or argument.removesuffix("s")
        table.insert(0, header, cells.names.to_numpy(), allow_duplicates=True)
        if table.columns.has_duplicates:
            twice = table.columns[table.columns.duplicated()].unique()
            msg = f"'{given}' has several columns called {few(twice)}. Rename them."
            raise InputError(msg)
        return cls(table, f"'{given}'", is_text=True)

    def keys(self) -> list[Key]:
        """Return the index and the columns that may hold the names."""
        keys = [
            Key(f"column {name!r}", pd.Index(as_text(column)), name)
            for name, column in self.table.items()
            if column.dtype.kind != "f"
        ]
        if isinstance(self.table.index, pd.RangeIndex):
            return keys
        return [Key("the index", pd.Index(self.table.index.astype(str)), None), *keys]

    def described(self, key: Key, at: NDArray[np.intp], names: pd.Index) -> pd.DataFrame:
        """Rows at positions (-1: there is none), by their names, without the column of names."""
        rows = self.table.drop(columns=[] if key.column is None else key.column)
        rows.columns = storable(rows.columns)
        if (at < 0).any():  # True and False have no missing value otherwise
            rows = rows.astype(dict.fromkeys(rows.select_dtypes(bool), "boolean"))
        rows = rows.reset_index(drop=True).reindex(np.where(at < 0, len(rows), at)).set_axis(names)
        return rows.fillna("").apply(from_text) if self.is_text else rows


class SampleSheet(Sheet):
    """A table with one row per sample."""

    __slots__ = ()

    def words(self) -> frozenset[str]:
        """Everything that might be the name of a sample."""
        return frozenset(name for key in self.keys() for name in key.names)

    def match(self, table: CountTable) -> pd.DataFrame:
        """Rows of the sheet in the order of the table's samples, which become the index.

        Raises
        ------
        InputError
            A sample is missing from the sheet or from the table, or stands twice in the sheet.
        """
        samples, candidates = table.samples, self.keys()
        best = max(candidates, key=lambda key: int(samples.isin(key.names).sum()), default=None)
        if best is None or not samples.isin(best.names).any():
            raise InputError(self._no_match(table))
        unknown, absent = samples.difference(best.names), best.names.difference(samples)
        if len(unknown) or len(absent):
            raise InputError(_mismatch(f"{best.where} of {self.source}", unknown, absent))
        check_samples_unique(best.names, f"{best.where} of {self.source}")
        logger.info("Samples were matched by %s of %s.", best.where, self.source)
        return self.described(best, best.names.get_indexer(samples), samples)

    def _no_match(self, table: CountTable) -> str:
        others = table.rows if table.by_gene else table.genes
        if any(key.names.isin(others).all() for key in self.keys() if key.names.is_unique):
            other = "samples_x_genes" if table.by_gene else "genes_x_samples"
            return (
                f"The samples of {self.source} are on the other axis of the count table: "
                f"pass orientation='{other}'."
            )
        listed = few(self.keys()[0].names) if self.keys() else "nothing"
        return (
            f"{self.source} does not name the samples of the count table. The table has "
            f"{len(table.samples)} samples: {few(table.samples)}. The sheet has {listed}. Samples "
            "are matched by name: give the sheet a column with the names of the table."
        )


def from_text(column: pd.Series[str]) -> pd.Series[Any]:
    """Give a column of text cells its type: numbers, booleans, categories in order of appearance.

    Text that never repeats stays text.
    """
    if set(column) <= {"TRUE", "FALSE", "True", "False", "true", "false"}:
        return column.str.lower() == "true"
    numbers = numbers_if_all(column)
    if numbers is not column:
        return numbers
    text = column.mask(column.isin(MISSING))
    if not text.isna().any() and not text.duplicated().any():
        return text
    return text.astype(pd.CategoricalDtype(list(text.dropna().unique())))


def _mismatch(key: str, unknown: pd.Index, absent: pd.Index) -> str:
    parts = []
    if len(unknown):
        parts.append(f"{len(unknown)} samples of the count table are not in it: {few(unknown)}")
    if len(absent):
        parts.append(f"{len(absent)} of its samples are not in the count table: {few(absent)}")
    return (
        f"The count table and {key} name different samples; {'; '.join(parts)}. "
        "Samples are matched by name: correct or remove these."
    )

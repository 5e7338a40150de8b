"""From the cells that were measured to a matrix of numbers, or an error that finds the bad cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.errors import InputError
from dex.io._cells import MISSING, are_numbers, as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Bool

EXACT_FLOAT32 = 2**24
"""Up to here float32 holds every whole number."""


@dataclass(frozen=True, slots=True)
class Where:
    """Names of the cells of a table, for errors."""

    rows: pd.Index
    columns: pd.Index
    by_gene: bool
    """Whether rows are genes and columns samples."""
    source: str

    def first(self, bad: Bool) -> tuple[int, int]:
        """Row and column of the first bad cell."""
        row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
        return int(row), int(column)

    def say(self, bad: Bool, what: str, cell: object, advice: str) -> str:
        """Say how many cells are bad, and which is the first."""
        row, column = self.first(bad)
        names = (self.rows[row], self.columns[column])
        gene, sample = names if self.by_gene else names[::-1]
        return (
            f"{self.source}: {int(bad.sum())} of {bad.size} cells {what}; the first is {cell!r}, "
            f"gene '{gene}', sample '{sample}'. {advice}"
        )


def count_matrix(measured: pd.DataFrame, where: Where) -> NDArray[Any]:
    """Return the numbers, exactly: float32 where they are whole and at most 2**24, else float64.

    Raises
    ------
    InputError
        A cell is no number, missing, infinite or negative: the first one and how many.
    """
    values = _numeric(measured, where)
    infinite = ~np.isfinite(values)
    if infinite.any():
        first = float(values[where.first(infinite)])
        raise InputError(where.say(infinite, "are not finite", first, "Correct the file."))
    negative = values < 0
    if negative.any():
        advice = "Counts are not negative: a table of logs or z-scores is no table of counts."
        first = values[where.first(negative)].item()
        raise InputError(where.say(negative, "are negative", first, advice))
    whole = values.dtype.kind in "iu" or bool((values == np.floor(values)).all())
    if not whole:
        logger.info("%s holds numbers that are not whole; they are kept as they are.", where.source)
    exact = whole and bool(np.max(values) <= EXACT_FLOAT32)
    return values.astype(np.float32 if exact else np.float64)


def _numeric(measured: pd.DataFrame, where: Where) -> NDArray[Any]:
    numeric = are_numbers(measured)
    if numeric.all():
        return measured.to_numpy()
    text = measured.loc[:, ~numeric].apply(as_text)
    parsed = text.apply(pd.to_numeric, errors="coerce")
    missing, bad = np.zeros(measured.shape, dtype=bool), np.zeros(measured.shape, dtype=bool)
    missing[:, ~numeric] = text.isin(MISSING)
    bad[:, ~numeric] = parsed.isna() & ~text.isin(MISSING)
    if bad.any():
        advice = "Correct them; a column that describes genes can be named in annotation=."
        cell = str(measured.iloc[where.first(bad)])
        raise InputError(where.say(bad, "are not numbers", cell, advice))
    if missing.any():
        advice = "Write 0 where nothing was counted, or remove the gene. Is a row too short?"
        cell = str(measured.iloc[where.first(missing)])
        raise InputError(where.say(missing, "are missing", cell, advice))
    values = np.empty(measured.shape)
    values[:, numeric], values[:, ~numeric] = measured.loc[:, numeric], parsed
    return values

"""The cells of a text table: names as text, numbers as numbers, nothing guessed to be missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.errors import InputError
from dex.io._dialect import NUMBER, Dialect, sniff
from dex.io._names import few
from dex.io._text import TextFile, reading

if TYPE_CHECKING:
    from pathlib import Path

    from dex.typing import Bool

MISSING = frozenset({"", "NA", "N/A", "#N/A", "NaN", "nan", "<NA>"})
"""Cells that stand for a missing value. A gene of such a name stays a gene."""

_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True, slots=True)
class Cells:
    """A text table, read."""

    names: pd.Index
    """Row names, text."""
    names_header: str
    """What the header says above the row names; often nothing."""
    columns: pd.DataFrame
    """The other columns under their names; numeric where every cell is a number, else text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user said about a text table."""

    sep: str | None = None
    decimal: str | None = None
    name_column: str | None = None
    """The column of row names; the first one if None."""
    as_text: bool = False
    """Read every cell as text."""
    min_columns: int = 2


def read_cells(path: Path, how: Reading) -> Cells:
    """Read the table in ``path``.

    Raises
    ------
    InputError
        The file is missing, empty, damaged or no text, or is no regular table.
    """
    file = TextFile.from_path(path)
    try:
        return _read(file, how)
    except UnicodeDecodeError:
        return _read(replace(file, encoding="latin-1"), how)


def are_numbers(frame: pd.DataFrame) -> Bool:
    """For each column, whether every cell was read as a number."""
    return np.array([dtype.kind in "iuf" for dtype in frame.dtypes], dtype=bool)


def as_text(column: pd.Series[Any]) -> pd.Series[str]:
    """Return the cells as text without space around them."""
    return column.astype(str).str.strip()


def is_text_cell(text: pd.Series[str]) -> pd.Series[bool]:
    """Which cells are neither a number nor missing."""
    number = text.str.fullmatch(NUMBER) | text.str.fullmatch(_THOUSANDS)
    return ~(number | text.isin(MISSING))


def numbers_if_all(text: pd.Series[str]) -> pd.Series[Any]:
    """Return numbers where every cell is one or is missing, else the text as it is.

    A decimal comma will do. Numbers with leading zeros, as in ``007``, are names.
    """
    missing = text.isin(MISSING)
    if missing.all() or text.str.fullmatch(r"[+-]?0\d.*").any():
        return text
    numbers = pd.to_numeric(text.str.replace(",", ".").mask(missing), errors="coerce")
    return numbers if (numbers.isna() == missing).all() else text


def _read(file: TextFile, how: Reading) -> Cells:
    if file.encoding == "latin-1":
        logger.info("'%s' is not UTF-8; it was read as Latin-1.", file.path)
    dialect = sniff(file, sep=how.sep, min_columns=how.min_columns)
    at = _name_position(dialect.header, how.name_column, file)
    if how.as_text:
        return _without_blanks(_parse(file, dialect, dtype=str), dialect, at, file)
    frame = _parse(file, dialect, dtype={at: str}, decimal=how.decimal or ".")
    if how.decimal is None and _has_decimal_comma(frame, dialect, file):
        logger.info("'%s' has decimal commas; '1,5' was read as 1.5.", file.path)
        frame = _parse(file, dialect, dtype={at: str}, decimal=",")
    return _without_blanks(frame, dialect, at, file)


def _name_position(header: tuple[str, ...], name_column: str | None, file: TextFile) -> int:
    if name_column is None:
        return 0
    if name_column not in header:
        msg = f"'{file.path}' has no column {name_column!r}; it has {few(header, 10)}."
        raise InputError(msg)
    return header.index(name_column)


def _parse(file: TextFile, dialect: Dialect, *, dtype: Any, decimal: str = ".") -> pd.DataFrame:
    try:
        with reading(file.path):
            frame = pd.read_csv(
                file.path,
                sep=dialect.sep,
                header=None,
                skiprows=dialect.n_skipped,
                dtype=dtype,
                na_filter=False,
                decimal=decimal,
                encoding=file.encoding,
                compression=file.compression,
                skipinitialspace=True,
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        msg = f"'{file.path}' is not a regular table: {reason}."
        raise InputError(msg) from error
    if frame.shape[1] != len(dialect.header):
        msg = (
            f"'{file.path}': the header has {len(dialect.header)} names, "
            f"the first row has {frame.shape[1]} cells."
        )
        raise InputError(msg)
    return frame


def _has_decimal_comma(frame: pd.DataFrame, dialect: Dialect, file: TextFile) -> bool:
    """Whether the columns that could not be read as numbers are numbers with a decimal comma."""
    if dialect.sep == "," or any(dtype.kind == "f" for dtype in frame.dtypes):
        return False
    texts = (as_text(column) for _, column in frame.loc[:, ~are_numbers(frame)].items())
    found = [
        cell
        for text in texts
        if not is_text_cell(text).any()
        for cell in text[text.str.fullmatch(_COMMA_NUMBER)]
    ]
    if found and all(_THOUSANDS.fullmatch(cell) for cell in found):
        thousand, decimal = found[0].replace(",", ""), found[0].replace(",", ".")
        msg = (
            f"'{file.path}': {found[0]!r} may be {thousand} or {decimal}. "
            "Remove the thousands separators, or pass decimal=','."
        )
        raise InputError(msg)
    return bool(found)


def _without_blanks(frame: pd.DataFrame, dialect: Dialect, at: int, file: TextFile) -> Cells:
    """Name rows and columns, and drop empty ones, as spreadsheets leave them behind."""
    names = as_text(frame[at])
    header = pd.Index(dialect.header, dtype=str)
    columns = frame.drop(columns=at).set_axis(header.delete(at), axis=1)
    if (columns.columns == "").any():
        unnamed = columns.loc[:, columns.columns == ""]
        if not (unnamed.astype(str) == "").all(axis=None):
            msg = f"'{file.path}': {unnamed.shape[1]} columns beside the row names have no name."
            raise InputError(msg)
        columns = columns.loc[:, columns.columns != ""]
    if (names == "").any():
        blank = (names == "") & (columns.astype(str) == "").all(axis=1)
        names, columns = names[~blank], columns[~blank].apply(_reinferred)
    return Cells(pd.Index(names).rename(None), dialect.header[at], columns.reset_index(drop=True))


def _reinferred(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers if only the blank rows were none."""
    parsed = pd.to_numeric(column, errors="coerce")
    return column if parsed.isna().any() else parsed

"""Ranked genes as a workbook of Excel: a sheet per test, and what the columns mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.io._atomic import atomic_path
from dex.io._tables import as_json, is_text, starts_formula
from dex.results import COLUMNS, StoredResult
from dex.results.schema import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from anndata import AnnData

MOST_ROWS = 1_048_575
"""Rows of a sheet, less its header."""
_LONGEST_NAME, _LONGEST_TEXT = 31, 32_767
_SMALLEST, _LARGEST = 2.2250738585072014e-308, 9.99999999999999e307
"""Sizes of the numbers that Excel can hold."""
_TESTS, _COLUMNS, _PARAMETERS = "tests", "columns", "parameters"
_RESERVED = ("history", _TESTS, _COLUMNS, _PARAMETERS)
_NARROWEST, _WIDEST = 8, 60
_P_VALUES = ("pval", "padj")
_BY_UNIT = {"log2": "0.000", "log10": "0.00", "linear": "#,##0.00"}
_CREATED = datetime(1980, 1, 1)  # no time of day: the same result is the same file
_GENES = (
    Column("gene", "Gene, as it is shown.", scanpy="names", r="row names"),
    Column("gene_id", "Gene, as it is called in adata.var_names."),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table and the name of its sheet."""

    name: str
    frame: pd.DataFrame


def write_workbook(
    adata: AnnData, path: str | Path, *, key: str, test: Any = None, **options: Any
) -> None:
    """Write a sheet per test, and the sheets ``tests``, ``columns`` and ``parameters``.

    Raises
    ------
    InputError
        If XlsxWriter is not installed, if there is no such result, test or folder, or if a table
        is longer than a sheet.
    """
    from dex.get import rank_genes_df

    xlsxwriter = _import_xlsxwriter(path)
    names = list(rank_genes_df(adata, test, key=key)["test"].unique())
    frames = [rank_genes_df(adata, name, key=key, **options) for name in names]
    _check_frames(frames, path)
    sheets = [
        Sheet(name, frame.drop(columns="test"))
        for name, frame in zip(sheet_names(names), frames, strict=True)
    ]
    places = {name: sheet.name for name, sheet in zip(names, sheets, strict=True)}
    sheets += [
        Sheet(_TESTS, _tests(adata, key, places)),
        Sheet(_COLUMNS, _definitions(frames[0].columns)),
        Sheet(_PARAMETERS, _parameters(StoredResult.from_adata(adata, key))),
    ]
    with atomic_path(path) as temporary:
        settings = {"constant_memory": True, "use_zip64": True}
        with xlsxwriter.Workbook(temporary, settings) as book:
            book.set_properties({"created": _CREATED})
            formats = _Formats(book)
            for sheet in sheets:
                _write_sheet(book.add_worksheet(sheet.name), sheet, formats)


def sheet_names(tests: Iterable[str]) -> list[str]:
    """Names that Excel takes: 31 characters at most, unique ignoring case, no brackets or slashes.

    >>> sheet_names(["CD4/CD8 vs rest", "cd4:cd8 vs rest", "tests"])
    ['CD4_CD8 vs rest', 'cd4_cd8 vs rest (2)', 'tests (2)']
    """
    taken = set(_RESERVED)
    names = []
    for test in tests:
        name = _unique(re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", test).strip(" '") or "test", taken)
        taken.add(name.lower())
        names.append(name)
    return names


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name[:_LONGEST_NAME].rstrip(" '"), 1
    while candidate.lower() in taken:
        number += 1
        ending = f" ({number})"
        candidate = name[: _LONGEST_NAME - len(ending)].rstrip(" '") + ending
    return candidate


def _import_xlsxwriter(path: str | Path) -> Any:
    try:
        import xlsxwriter
    except ImportError as error:
        msg = (
            f"'{path}' needs XlsxWriter; install it with 'pip install \"dex-de[excel]\"', or write "
            "a .csv."
        )
        raise InputError(msg) from error
    return xlsxwriter


def _check_frames(frames: Sequence[pd.DataFrame], path: str | Path) -> None:
    if not frames:
        msg = f"'{path}' would have no sheet: there is no gene in the result."
        raise InputError(msg)
    longest = max(map(len, frames))
    if longest > MOST_ROWS:
        msg = (
            f"'{path}' would have {longest:,} rows in a sheet, and Excel holds {MOST_ROWS:,}; "
            "write a .csv or .parquet, or fewer genes with padj=."
        )
        raise InputError(msg)


def _tests(adata: AnnData, key: str, places: dict[str, str]) -> pd.DataFrame:
    """Return the tests written, and the sheet of each."""
    from dex.get import tests_df

    tests = tests_df(adata, key=key).set_index("name", drop=False).loc[list(places)]
    tests.insert(0, "sheet", list(places.values()))
    return tests


def _definitions(columns: Iterable[str]) -> pd.DataFrame:
    rows = [
        (column.name, column.meaning, column.unit, column.scanpy, column.r)
        for column in (*_GENES, *COLUMNS.values())
        if column.name in columns
    ]
    return pd.DataFrame(rows, columns=["column", "meaning", "unit", "scanpy", "R"])


def _parameters(stored: StoredResult) -> pd.DataFrame:
    """Everything that was asked and decided, as text."""
    versions = stored.entry.get("versions", {})
    rows = [("key", stored.key), *((name, _words(value)) for name, value in stored.params.items())]
    rows += [("note", note) for note in stored.notes]
    rows += [(f"version of {package}", str(version)) for package, version in versions.items()]
    parts = [
        (name, text[start : start + _LONGEST_TEXT])
        for name, text in rows
        for start in range(0, max(len(text), 1), _LONGEST_TEXT)
    ]
    return pd.DataFrame(parts, columns=["parameter", "value"])


def _words(value: Any) -> str:
    return value if isinstance(value, str) else as_json(value)


class _Formats:
    """How cells look; made once for a workbook."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[str, Any] = {}
        self.header = book.add_format({"bold": True, "bottom": 1, "num_format": "@"})
        self.text = book.add_format({"num_format": "@"})
        # Shows the text as it is, and keeps it text when someone edits the cell.
        self.quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        self.link = book.add_format({"font_color": "#0563C1", "underline": 1})

    def number(self, column: pd.Series) -> Any:
        """Return the format of a column of numbers."""
        pattern = _number_format(column)
        if pattern not in self._numbers:
            self._numbers[pattern] = self._book.add_format({"num_format": pattern})
        return self._numbers[pattern]


def _number_format(column: pd.Series) -> str:
    if pd.api.types.is_integer_dtype(column):
        return "#,##0"
    if column.name in _P_VALUES:
        return "0.00E+00"
    known = COLUMNS.get(str(column.name))
    return _BY_UNIT.get(known.unit, "0.000") if known is not None else "0.000"


def _write_sheet(page: Any, sheet: Sheet, formats: _Formats) -> None:
    frame = sheet.frame
    is_results = sheet.name not in _RESERVED
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, max(len(frame), 1), frame.shape[1] - 1)
    for j, name in enumerate(frame.columns):
        page.set_column(j, j, _width(frame.iloc[:, j]))
        page.write_string(0, j, name, formats.header)
    columns = [_cells(frame.iloc[:, j], formats) for j in range(frame.shape[1])]
    for i, row in enumerate(zip(*columns, strict=True), start=1):
        for j, (value, form) in enumerate(row):
            if value is None:
                continue
            if isinstance(value, float):
                page.write_number(i, j, value, form)
            elif not is_results and frame.columns[j] == "sheet":
                link = value.replace("'", "''")
                page.write_url(i, j, f"internal:'{link}'!A1", formats.link, value)
            else:
                page.write_string(i, j, value[:_LONGEST_TEXT], form)


def _cells(column: pd.Series, formats: _Formats) -> list[tuple[Any, Any]]:
    """Value and format of every cell: a float, a text, or None where there is nothing."""
    if is_text(column):
        known = column.notna()
        return [
            (str(value), formats.quoted if starts_formula(value) else formats.text)
            if has
            else (None, None)
            for has, value in zip(known, column, strict=True)
        ]
    form = formats.number(column)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.where(np.abs(values) < _SMALLEST, 0.0, values)
    inside = np.abs(values) <= _LARGEST
    return [
        (value, form) if fits else (None if np.isnan(value) else str(value), formats.text)
        for fits, value in zip(inside.tolist(), values.tolist(), strict=True)
    ]


def _width(column: pd.Series) -> float:
    """Width in characters: of the longest text; of numbers, that of their header and format."""
    header = len(str(column.name)) + 3  # the arrow of the filter
    if not is_text(column):
        return max(header, _NARROWEST + 2)
    longest = int(column.dropna().astype(str).str.len().max()) if column.notna().any() else 0
    return min(max(header, longest + 1, _NARROWEST), _WIDEST)

"""Tables out, as text and as parquet."""

from __future__ import annotations

import csv
import gzip
import json
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from pandas.api.types import is_bool_dtype, is_numeric_dtype

from dex.errors import InputError
from dex.io._atomic import atomic_path

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    import pandas as pd

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
_WHOLE = (".parquet", ".xlsx")
"""Formats that are compressed in themselves."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def table_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix that says how to write a table, in lower case and without ``.gz``.

    Raises
    ------
    InputError
        If it is none that can be written.
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    compressed = suffixes[-1:] == [".gz"]
    suffix = "".join(suffixes[:-1][-1:] if compressed else suffixes[-1:])
    if suffix not in _SEPARATORS and (compressed or suffix not in _WHOLE):
        zipped = [f"{suffix}.gz" for suffix in _SEPARATORS]
        possible = ", ".join([*_SEPARATORS, *zipped, *_WHOLE])
        msg = f"'{path}' does not say what kind of table to write; end it in one of {possible}."
        raise InputError(msg)
    return suffix


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write ``frame`` as UTF-8 text, whole or not at all.

    The suffix decides: ``.csv`` is comma-separated, ``.tsv`` and ``.txt`` tab-separated, a further
    ``.gz`` compresses. There is a header and no index. Numbers are written with as many digits as
    it takes to read the same number back; missing values are empty cells. Text that a spreadsheet
    would run as a formula gets an apostrophe before it.

    Raises
    ------
    InputError
        Another suffix, or no such folder.
    """
    suffix = table_suffix(path)
    if suffix not in _SEPARATORS:
        msg = f"'{path}' is no table of text; end it in one of {', '.join(_SEPARATORS)}."
        raise InputError(msg)
    compressed = Path(path).suffix.lower() == ".gz"
    frame = frame.apply(_harmless)
    with atomic_path(path) as temporary, _open(temporary, compressed=compressed) as stream:
        frame.to_csv(
            stream,
            sep=_SEPARATORS[suffix],
            index=False,
            mode="wb",
            encoding="utf-8",
            lineterminator="\n",
            # Python's csv, before 3.13, writes a lone carriage return bare, which ends a line.
            quoting=csv.QUOTE_NONNUMERIC if _has_returns(frame) else csv.QUOTE_MINIMAL,
        )


def write_parquet(
    frame: pd.DataFrame, path: str | os.PathLike[str], *, metadata: Mapping[str, Any]
) -> None:
    """Write ``frame`` as parquet, whole or not at all, with ``metadata`` as JSON under ``dex``.

    Raises
    ------
    InputError
        If pyarrow is not installed, or there is no such folder.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        msg = f"'{path}' needs pyarrow; install it with 'pip install pyarrow', or write a .csv."
        raise InputError(msg) from error
    table = pa.Table.from_pandas(frame, preserve_index=False)
    words = {"dex": as_json(metadata).encode()}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **words})
    with atomic_path(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd")


def as_json(value: Any) -> str:
    """Return JSON of plain values, and of NumPy's as lists and numbers."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def starts_formula(value: object) -> bool:
    """Whether a spreadsheet would take ``value``, which is to be text, for a formula.

    >>> [starts_formula(text) for text in ("=1+1", "-", "@A1", "-0.5", "MARCH1")]
    [True, True, True, False, False]
    """
    return isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _is_number(value)


def is_text(column: pd.Series) -> bool:
    """Whether a column holds words; logical values are neither words nor numbers."""
    return not (is_numeric_dtype(column) or is_bool_dtype(column))


def _harmless(column: pd.Series) -> pd.Series:
    if not is_text(column):
        return column
    words = column.astype(object)
    return words.mask(words.map(starts_formula), "'" + words.astype(str))


def _has_returns(frame: pd.DataFrame) -> bool:
    words = (frame[name] for name in frame.columns if is_text(frame[name]))
    return any(column.astype(str).str.contains("\r", regex=False).any() for column in words)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    """Return what JSON can hold for what it cannot: NumPy's arrays and numbers, then words."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


@contextmanager
def _open(path: Path, *, compressed: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if not compressed:
            yield file
            return
        # Neither name nor time of day in it: the same table is the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as stream:
            yield cast("IO[bytes]", stream)

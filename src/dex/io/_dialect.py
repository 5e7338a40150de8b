"""How a text table is laid out: its separator, its header, its row names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.io._text import TextFile

WHITESPACE = r"\s+"
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)

_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe", WHITESPACE: "white space"}
_HEAD_LINES = 25


@dataclass(frozen=True, slots=True)
class Dialect:
    """The layout of a text table."""

    sep: str
    """One character, or ``\\s+`` for runs of white space."""
    header: tuple[str, ...]
    """One name for each column; empty for the row names of R's ``write.table``."""
    n_skipped: int
    """Lines before the first row: comments, blank lines and the header."""


@dataclass(frozen=True, slots=True)
class _Split:
    """The first lines of a file, cut at one separator."""

    sep: str
    header: list[str]
    rows: list[list[str]]
    n_skipped: int

    @property
    def width(self) -> int:
        """Columns that most rows have."""
        widths = Counter(map(len, self.rows or [self.header]))
        return widths.most_common(1)[0][0]

    @property
    def missing_names(self) -> int:
        return self.width - len(self.header)

    @property
    def n_numbers(self) -> int:
        return sum(bool(NUMBER.fullmatch(cell)) for row in self.rows for cell in row[1:])

    def fits(self, min_columns: int) -> bool:
        n_regular = sum(len(row) == self.width for row in self.rows)
        regular = not self.rows or n_regular * 2 >= len(self.rows)
        return self.width >= min_columns and self.missing_names in {0, 1} and regular


def sniff(file: TextFile, *, sep: str | None = None, min_columns: int = 2) -> Dialect:
    """Layout of the table in ``file``, from its first lines.

    The separator is the one that cuts header and rows into the same number of columns, most of
    them numbers. Where the header is one name short the row names have none, as in R's
    ``write.table``.

    Raises
    ------
    InputError
        No separator gives ``min_columns`` columns, or ``sep`` does not, or there are no rows.
    """
    lines = file.head(_HEAD_LINES)
    splits = [_split(lines, candidate) for candidate in _NAMES]
    *visible, space = splits  # white space is the last resort, for it also stands within cells
    best = max(
        [split for split in visible if split.fits(2)]
        or [split for split in [space] if split.fits(2)]
        or [split for split in visible if split.fits(min_columns)],
        key=lambda split: (split.missing_names == 0, split.n_numbers, split.width),
        default=None,
    )
    chosen = best if sep is None else _split(lines, _checked(sep))
    if chosen is None or not chosen.fits(min_columns):
        raise InputError(_no_columns(file, lines, sep, best))
    if not chosen.rows:
        msg = f"'{file.path}' has a header but no rows: {lines[0][:80]!r}."
        raise InputError(msg)
    return Dialect(chosen.sep, _full_header(chosen), chosen.n_skipped)


def _split(lines: list[str], sep: str) -> _Split:
    comments = 0
    while comments < len(lines) and (
        lines[comments].startswith("#") or not lines[comments].strip()
    ):
        comments += 1
    rows = _fields(lines[comments:], sep)
    n_blank = next((i for i, line in enumerate(lines[comments:]) if line.strip()), 0)
    split = _Split(sep, rows[0] if rows else [""], rows[1:], comments + n_blank + 1)
    if comments == 0 or not rows:
        return split
    commented = _fields([lines[comments - 1].lstrip("#")], sep)
    if commented and len(commented[0]) == split.width > 1:  # the header itself begins with "#"
        return replace(split, header=commented[0], rows=rows, n_skipped=comments)
    return split


def _fields(lines: list[str], sep: str) -> list[list[str]]:
    if sep == WHITESPACE:
        lines, sep = [re.sub(WHITESPACE, " ", line.strip()) for line in lines], " "
    reader = csv.reader(
        (line for line in lines if line.strip()), delimiter=sep, skipinitialspace=True
    )
    try:
        return [[cell.strip() for cell in row] for row in reader]
    except csv.Error:  # a field without end: this is not the separator
        return []


def _full_header(split: _Split) -> tuple[str, ...]:
    if split.missing_names == 0:
        return tuple(split.header)
    if all(row[-1] == "" for row in split.rows):  # every row ends in a separator
        return (*split.header, "")
    return ("", *split.header)


def _checked(sep: str) -> str:
    if sep in {" ", WHITESPACE}:
        return WHITESPACE
    if len(sep) != 1:
        msg = (
            f"sep={sep!r} is not one character; pass '\\t', ',', ';', '|' or ' ', or leave it out."
        )
        raise InputError(msg)
    return sep


def _no_columns(file: TextFile, lines: list[str], sep: str | None, best: _Split | None) -> str:
    shown = next((line for line in lines if line.strip() and not line.startswith("#")), lines[0])
    cut = f"sep={sep!r}" if sep is not None else "No separator (tab, comma, semicolon, pipe, space)"
    does = "does not cut" if sep is not None else "cuts"
    what = f"{cut} {does} '{file.path}' into columns; it begins with {shown[:80]!r}."
    if best is not None:
        return f"{what} It looks {_NAMES[best.sep]}-separated: leave sep out, or pass {best.sep!r}."
    return f"{what} Expected a header, then one row per gene or sample, all of the same length."

"""Tables out, as text."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from dex.errors import InputError
from dex.io._atomic import atomic_path

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pandas as pd

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write ``frame`` as UTF-8 text, whole or not at all.

    The suffix decides: ``.csv`` is comma-separated, ``.tsv`` and ``.txt`` tab-separated, a further
    ``.gz`` compresses. There is a header and no index. Numbers are written with as many digits as
    it takes to read the same number back; missing values are empty cells.

    Raises
    ------
    InputError
        Another suffix, or no such folder.
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    compressed = suffixes[-1:] == [".gz"]
    suffix = "".join(suffixes[:-1][-1:] if compressed else suffixes[-1:])
    if suffix not in _SEPARATORS:
        possible = ", ".join([*_SEPARATORS, *(f"{suffix}.gz" for suffix in _SEPARATORS)])
        msg = f"'{path}' does not say what kind of table to write; end it in one of {possible}."
        raise InputError(msg)
    with atomic_path(path) as temporary, _open(temporary, compressed=compressed) as stream:
        frame.to_csv(
            stream,
            sep=_SEPARATORS[suffix],
            index=False,
            mode="wb",
            encoding="utf-8",
            lineterminator="\n",
        )


@contextmanager
def _open(path: Path, *, compressed: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if not compressed:
            yield file
            return
        # Neither name nor time of day in it: the same table is the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as stream:
            yield cast("IO[bytes]", stream)

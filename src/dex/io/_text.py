"""A text file as it lies on disk: is it there, is it text, how is it compressed and encoded."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import IO, TYPE_CHECKING, Literal, cast

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Compression = Literal["gzip", "bz2", "xz"]

_COMPRESSED: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NOT_TABLES = {
    b"\x89HDF": "an HDF5 file; read an .h5ad with dex.io.read_h5ad",
    b"PK\x03\x04": "a zip archive or an Excel workbook; unzip it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"%PDF": "a PDF",
    b"%%MatrixMarket": "a Matrix Market file; read it with scanpy.read_10x_mtx",
}
_SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that has been looked at and is text."""

    path: Path
    compression: Compression | None
    """Told from the first bytes, not from the name."""
    encoding: str

    @classmethod
    def from_path(cls, path: Path) -> TextFile:
        """Look at the first bytes of ``path``; InputError where it cannot be a text table."""
        check_is_file(path)
        with reading(path):
            start = first_bytes(path, 8)
            compression = next(
                (c for magic, c in _COMPRESSED.items() if start.startswith(magic)), None
            )
            with _open_bytes(path, compression) as stream:
                sample = stream.read(_SAMPLE_BYTES)
        if not sample.strip():
            msg = f"'{path}' is empty."
            raise InputError(msg)
        return cls(path, compression, _encoding(sample, path))

    def head(self, n_lines: int) -> list[str]:
        """Return the first lines, without their line ends."""
        with reading(self.path), _open_bytes(self.path, self.compression) as stream:
            lines = io.TextIOWrapper(stream, encoding=self.encoding)
            return [line.rstrip("\n") for line in islice(lines, n_lines)]


def check_is_file(path: Path) -> None:
    """Raise InputError where ``path`` is missing, a folder, or of no length."""
    if path.is_dir():
        msg = f"'{path}' is a folder, not a file."
        raise InputError(msg)
    if not path.exists():
        raise InputError(_missing(path))
    if path.stat().st_size == 0:
        msg = f"'{path}' is empty."
        raise InputError(msg)


def first_bytes(path: Path, n_bytes: int) -> bytes:
    """Return the first bytes as they lie on disk."""
    with path.open("rb") as stream:
        return stream.read(n_bytes)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while bytes are read into an InputError."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        msg = f"'{path}' is damaged or incomplete ({error}); copy or download it again."
        raise InputError(msg) from error
    except OSError as error:
        msg = f"'{path}' cannot be read: {error.strerror or error}."
        raise InputError(msg) from error


def _missing(path: Path) -> str:
    if not path.parent.is_dir():
        return f"'{path}' does not exist: there is no folder '{path.parent}'."
    near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    return f"'{path}' does not exist." + (f" Did you mean '{near[0]}'?" if near else "")


def _open_bytes(path: Path, compression: Compression | None) -> IO[bytes]:
    if compression == "gzip":
        return cast("IO[bytes]", gzip.open(path))
    if compression == "bz2":
        return bz2.open(path)
    if compression == "xz":
        return lzma.open(path)
    return path.open("rb")


def _encoding(sample: bytes, path: Path) -> str:
    for bom, encoding in _BOMS.items():
        if sample.startswith(bom):
            return encoding
    kind = next((kind for magic, kind in _NOT_TABLES.items() if sample.startswith(magic)), None)
    if kind is None and b"\0" in sample:
        kind = "a binary file"
    if kind is not None:
        msg = f"'{path}' is not a text table but {kind}."
        raise InputError(msg)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"

"""Gene sets in GMT files: a set per line, its name, a description, its genes, between tabs."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dex._logging import logger
from dex.errors import InputError

if TYPE_CHECKING:
    import os

_GZIP = b"\x1f\x8b"
_WEIGHT = re.compile(r",[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?$")
"""Behind a gene, as Enrichr writes it: ``MYC,1.0``."""
_LINE = re.compile(r"\r\n|\r|\n")
"""``str.splitlines`` also breaks at what descriptions may have in them, as U+2028."""
_SHOWN = 3


@dataclass(slots=True)
class _Cleaned:
    """What was put right, to be told once."""

    path: Path
    repeated: int = 0
    """Genes that stand twice in a set."""
    weighted: int = 0
    empty: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """Sets that stand twice, the same both times."""

    def say(self) -> None:
        said = {
            "genes that a set names twice, kept once": self.repeated,
            "weights behind genes, left out": self.weighted,
            f"sets without genes, left out ({', '.join(self.empty[:_SHOWN])})": len(self.empty),
            f"sets written twice, kept once ({', '.join(self.again[:_SHOWN])})": len(self.again),
        }
        parts = [f"{n} {what}" for what, n in said.items() if n]
        if parts:
            logger.info("'%s': %s.", self.path, "; ".join(parts))


def read_gmt(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    r"""Read gene sets from a GMT file, also gzipped.

    Each line is a set: its name, a description that may be empty, and its genes, separated by tabs.
    Trailing tabs, blank lines and Enrichr's weights (``MYC,1.0``) are cleaned away; genes or whole
    sets that stand there twice are kept once, sets without genes are left out, and a message says
    how many. Descriptions are not kept.

    Parameters
    ----------
    path
        File to read.

    Returns
    -------
    dict
        Genes by the name of their set, both in the order of the file.

    Raises
    ------
    dex.errors.InputError
        If there is no such file, a line is no set, or one name stands for two sets; the message
        has the numbers of the lines.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sets.gmt"
    ...     _ = path.write_text("GLYCOLYSIS\t\tPKM\tHK2\t\nHYPOXIA\thttp://x\tVEGFA\n")
    ...     read_gmt(path)
    {'GLYCOLYSIS': ['PKM', 'HK2'], 'HYPOXIA': ['VEGFA']}
    """
    path = Path(path)
    cleaned = _Cleaned(path)
    sets: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(_LINE.split(_text(path)), start=1):
        if not line.strip():
            continue
        name, genes = _set_of(line, number, cleaned)
        if not genes:
            cleaned.empty.append(name)
        elif name in sets and set(genes) != set(sets[name]):
            msg = (
                f"'{path}', lines {lines[name]} and {number}: {name!r} names two sets of different "
                "genes; rename one."
            )
            raise InputError(msg)
        elif name in sets:
            cleaned.again.append(name)
        else:
            sets[name], lines[name] = genes, number
    if not sets:
        msg = f"'{path}' has no gene sets."
        raise InputError(msg)
    cleaned.say()
    return sets


def _set_of(line: str, number: int, cleaned: _Cleaned) -> tuple[str, list[str]]:
    fields = line.split("\t")
    name = fields[0].strip()
    if len(fields) < 2 or not name:
        what = "has no tab" if len(fields) < 2 else "begins with a tab"
        shown = line if len(line) <= 60 else line[:57] + "..."
        msg = (
            f"'{cleaned.path}', line {number} {what}: {shown!r}. A line of a GMT file is a name, a "
            "description (which may be empty) and genes, separated by tabs."
        )
        raise InputError(msg)
    genes = [gene for word in fields[2:] if (gene := word.strip())]
    plain = [_WEIGHT.sub("", gene) for gene in genes]
    cleaned.weighted += sum(a != b for a, b in zip(genes, plain, strict=True))
    once = list(dict.fromkeys(plain))
    cleaned.repeated += len(plain) - len(once)
    return name, once


def _text(path: Path) -> str:
    if not path.is_file():
        msg = f"'{path}' is not a file; gene_sets= takes a GMT file, a dict or a DataFrame."
        raise InputError(msg)
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        msg = f"'{path}', line {line} is no UTF-8 text: is this a GMT file?"
        raise InputError(msg) from error
    except (OSError, EOFError, zlib.error) as error:
        msg = f"'{path}' cannot be read: {error}."
        raise InputError(msg) from error

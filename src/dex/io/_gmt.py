"""Gene sets out, as GMT."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from dex.errors import InputError
from dex.io._atomic import atomic_path

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

_BREAKS = ("\t", "\n", "\r")


def write_gmt(
    gene_sets: Mapping[str, Iterable[str]],
    path: str | os.PathLike[str],
    *,
    descriptions: Mapping[str, str] | None = None,
) -> None:
    """Write gene sets as a GMT file, whole or not at all.

    Parameters
    ----------
    gene_sets
        Genes by the name of their set.
    path
        File to write; with the suffix ``.gz`` it is compressed.
    descriptions
        Of some of the sets, by name.

    Raises
    ------
    dex.errors.InputError
        If a set has no genes or no name, a word has a tab or a line break in it, or there is no
        such folder.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "sets.gmt"
    >>> dex.io.write_gmt({"HYPOXIA": ["VEGFA", "PGK1"]}, path)
    >>> dex.io.read_gmt(path)
    {'HYPOXIA': ['VEGFA', 'PGK1']}
    """
    lines = [
        _line(str(name), genes, str((descriptions or {}).get(name, "")))
        for name, genes in gene_sets.items()
    ]
    raw = "".join(lines).encode()
    if Path(path).suffix.lower() == ".gz":
        raw = gzip.compress(raw, mtime=0)
    with atomic_path(path) as temporary:
        temporary.write_bytes(raw)


def _line(name: str, genes: Iterable[str], description: str) -> str:
    if isinstance(genes, str):
        msg = f"gene_sets: {name!r} is one string, {genes!r}; give a list of genes."
        raise InputError(msg)
    words = [name, description, *map(str, genes)]
    if len(words) < 3 or not all(words[:1] + words[2:]):
        msg = f"gene_sets: {name!r} has no genes, or an empty name among them."
        raise InputError(msg)
    for word in words:
        if any(character in word for character in _BREAKS):
            msg = f"gene_sets: {word!r} of {name!r} has a tab or a line break in it."
            raise InputError(msg)
    return "\t".join(words) + "\n"

"""How much memory blocks of genes may take while they are read and tested."""

from __future__ import annotations

import re

from dex.errors import InputError

DEFAULT_STREAMED = 2**30
"""Of genes that are read from a file by its rows, or from chunks: each block costs a sweep."""
SMALLEST = 64 * 2**20
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def memory_limit(given: float | str | None) -> int | None:
    """Bytes that ``max_memory=`` allows; None where nothing was said.

    Raises
    ------
    InputError
        If it is not an amount, or too little to work with.

    Examples
    --------
    >>> memory_limit("2 GB"), memory_limit("512MiB"), memory_limit(None)
    (2000000000, 536870912, None)
    """
    if given is None:
        return None
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:e[0-9]+)?)\s*([a-z]*)\s*", str(given).lower())
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or isinstance(given, bool):
        msg = f"max_memory={given!r} is not an amount of memory; say '2GB', or a number of bytes."
        raise InputError(msg)
    limit = int(float(found[1]) * unit)
    if limit < SMALLEST:
        msg = f"max_memory={given!r} is too little to read genes in; give '64MiB' or more."
        raise InputError(msg)
    return limit

"""The only place that touches numba: serial kernels, free of the GIL, cached on disk.

numba's own cache looks at the file of the kernel that is called and misses an edit of a callee in
another file, and then runs the old machine code. So the cache folder of a kernel is named after a
hash of its file and of all that this file imports. Where no folder can be written, kernels compile
in memory.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba
import numba.core.config
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_R = TypeVar("_R")

ZERO: Any = np.int64(0)
"""A number that kernels put in a tuple: of one with a literal 0, callees are compiled once more."""

_ROOT = Path(__file__).parent
_IMPORTED = re.compile(r"^\s*from dex\.(stats|data)\.(\w+) import", re.MULTILINE)


@functools.cache
def _read(source: Path) -> tuple[bytes, tuple[Path, ...]]:
    """Text of a source and the sources, of rooms that may hold kernels, that it imports."""
    text = source.read_bytes()
    imported = sorted(set(_IMPORTED.findall(text.decode())))
    return text, tuple(_ROOT / room / f"{name}.py" for room, name in imported)


def kernel_hash(source: Path) -> str:
    """Hash of a source and of all that it imports from rooms that may hold kernels."""
    reached, waiting = set[Path](), [source, _ROOT / "_numba.py"]
    while waiting:
        if (path := waiting.pop()) not in reached:
            reached.add(path)
            waiting += _read(path)[1]
    digest = hashlib.sha256()
    for path in sorted(reached, key=lambda path: (path.name, path.parent.name)):
        digest.update(_read(path)[0])
    return digest.hexdigest()[:16]


def cache_dir() -> Path | None:
    """Folder of the compiled kernels, or None where none can be written (a container, a full disk).

    It lies below ``NUMBA_CACHE_DIR`` or the user's cache folder.
    """
    try:
        base = os.environ.get("NUMBA_CACHE_DIR")
        home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        folder = Path(base) if base else Path(home or Path("~/.cache").expanduser()) / "dex-de"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None


_CACHE_DIR = cache_dir()


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a loop that Python calls: serial, ``nogil``, cached on disk where possible."""
    if _CACHE_DIR is None:
        return _compiled(function, no_cfunc_wrapper=True)
    source = Path(function.__code__.co_filename)
    config: Any = numba.core.config
    user_setting = config.CACHE_DIR
    # Read while numba builds the dispatcher.
    config.CACHE_DIR = str(_CACHE_DIR / f"{source.stem}-{kernel_hash(source)}")
    try:
        return _compiled(function, cache=True, no_cfunc_wrapper=True)
    finally:
        config.CACHE_DIR = user_setting


def inner(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function that kernels call; it is cached inside its callers."""
    return _compiled(function)


def part(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function that only kernels call, and Python cannot: in two thirds of the time."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled(function: Callable[_P, _R], **options: Any) -> Callable[_P, _R]:
    return cast("Callable[_P, _R]", numba.njit(nogil=True, **options)(function))

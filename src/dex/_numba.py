"""The only place that touches numba: serial kernels, free of the GIL, cached on disk.

numba's own cache looks at the file of the kernel that is called and misses an edit of a callee in
another file, and then runs the old machine code. So the cache folder here is named after a hash of
all sources that may hold kernels. Where no folder can be written, kernels compile in memory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba
import numba.core.config

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_R = TypeVar("_R")

_KERNEL_ROOMS = ("stats", "data")


def kernel_hash(root: Path) -> str:
    """Hash of every source below ``root`` that may hold a kernel."""
    digest = hashlib.sha256()
    for source in sorted(path for room in _KERNEL_ROOMS for path in (root / room).glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def cache_dir() -> Path | None:
    """Folder of the compiled kernels, or None where none can be written (a container, a full disk).

    It lies below ``NUMBA_CACHE_DIR`` or the user's cache folder.
    """
    try:
        base = os.environ.get("NUMBA_CACHE_DIR")
        home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        folder = Path(base) if base else Path(home or Path("~/.cache").expanduser()) / "dex-de"
        folder /= f"kernels-{kernel_hash(Path(__file__).parent)}"
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
    config: Any = numba.core.config
    user_setting = config.CACHE_DIR
    config.CACHE_DIR = str(_CACHE_DIR)  # read while numba builds the dispatcher
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

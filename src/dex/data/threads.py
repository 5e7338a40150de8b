"""A pool of threads over independent pieces of work."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from dex._progress import progress
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_T = TypeVar("_T")
_R = TypeVar("_R")


def thread_count(n_threads: int | None) -> int:
    """Threads to use: as asked, else the cores this process may use and its environment allows."""
    if n_threads is not None:
        if not isinstance(n_threads, int | np.integer) or n_threads < 1:
            msg = f"n_threads={n_threads!r} is not a number of threads; give 1 or more, or None"
            raise InputError(msg)
        return int(n_threads)
    affinity = getattr(os, "sched_getaffinity", None)
    limits = [len(affinity(0)) if affinity else os.cpu_count() or 1]
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            limits.append(int(value))
    return min(limits)


def map_threads(
    function: Callable[[_T], _R], pieces: Sequence[_T], *, n_threads: int | None, label: str
) -> list[_R]:
    """``[function(piece) for piece in pieces]`` by threads, in order, with a bar if it takes long.

    An exception, Ctrl-C included, drops the pieces that have not begun.
    """
    workers = min(thread_count(n_threads), max(len(pieces), 1))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="dex")
    try:
        with SERIAL_BLAS:
            results = pool.map(function, pieces)
            return list(progress(results, total=len(pieces), label=label))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def read_ahead(read: Callable[[_T], _R], pieces: Sequence[_T]) -> Iterator[_R]:
    """Yield ``read(piece)`` of all pieces in order, the next one being read meanwhile."""
    with ThreadPoolExecutor(1, thread_name_prefix="dex-read") as reading:
        coming = reading.submit(read, pieces[0]) if pieces else None
        for following in [*pieces[1:], None]:
            if coming is None:
                return
            found = coming.result()
            coming = None if following is None else reading.submit(read, following)
            yield found


@cache
def _blas() -> ThreadpoolController:
    """NumPy's and SciPy's; to look for them takes longer than small data take to test.

    What other packages bring later is not ours to hold back, and nothing here calls it.
    """
    import scipy.linalg  # noqa: F401  # SciPy brings its own

    return ThreadpoolController()


class _SerialBlas:
    """While any caller is inside, matrix products keep to their thread: the pool has the cores.

    The setting is the process's. It is changed by the first caller to enter and restored by the
    last to leave, so that callers at the same time do not restore each other's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limits = _blas().limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limits.restore_original_limits()


SERIAL_BLAS = _SerialBlas()
"""To be entered around work whose matrix products are small."""

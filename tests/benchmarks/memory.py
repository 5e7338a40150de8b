"""Peak memory of a call, on Linux: of the process, and above what that held before."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def above_held(run: Callable[[], object]) -> dict[str, float]:
    """Peak of the process in MiB while ``run()`` works, and above what it holds before."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak so far
    held = _status("VmRSS")
    run()
    peak = _status("VmHWM")
    return {"peak": peak, "above": peak - held}


def _status(what: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(what))) / 1024

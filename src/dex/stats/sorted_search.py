"""Search in ascending lists, from where the last search ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex._numba import inner

if TYPE_CHECKING:
    from dex.typing import Int


@inner
def leap(values: Int, low: int, stop: int, value: int) -> int:
    """First position from ``low`` on with ``values >= value``, by doubling steps and bisection."""
    if low == stop or values[low] >= value:
        return low
    step = 1
    while low + step < stop and values[low + step] < value:
        low += step
        step *= 2
    high = min(low + step, stop)
    while high - low > 1:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle
        else:
            high = middle
    return high

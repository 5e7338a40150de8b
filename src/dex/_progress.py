"""A bar for work that takes more than a few seconds, and nothing for what does not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")
_SECONDS_BEFORE_BAR = 3.0


def progress(pieces: Iterable[_T], *, total: int, label: str) -> Iterator[_T]:
    """Iterate over ``pieces``; a bar appears after three seconds, and goes when all is done.

    It appears in terminals and notebooks, not in logs and pipes, where nobody watches it.
    """
    yield from tqdm(
        pieces,
        total=total,
        desc=label,
        delay=_SECONDS_BEFORE_BAR,
        leave=False,
        disable=False if "ipykernel" in sys.modules else None,  # None: off where no terminal is
    )

"""A bar for work that takes more than a few seconds, and nothing for what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")
_SECONDS_BEFORE_BAR = 3.0


def progress(pieces: Iterable[_T], *, total: int, label: str) -> Iterator[_T]:
    """Iterate over ``pieces``; a bar appears after three seconds, and goes when all is done."""
    yield from tqdm(pieces, total=total, desc=label, delay=_SECONDS_BEFORE_BAR, leave=False)

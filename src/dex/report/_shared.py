"""What is the same for all results is said once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

T = TypeVar("T", bound="Hashable")


@dataclass(frozen=True, slots=True)
class Shared(Generic[T]):
    """Items of several lists, without repetition."""

    common: tuple[T, ...]
    """Those that are in every list."""
    rest: tuple[tuple[T, ...], ...]
    """The others, list by list."""


def shared(lists: Sequence[Sequence[T]]) -> Shared[T]:
    """Take out what is in every list; of one list that is all.

    >>> shared([["a", "b"], ["c", "a"]])
    Shared(common=('a',), rest=(('b',), ('c',)))
    """
    first = lists[0] if lists else ()
    common = tuple(item for item in first if all(item in one for one in lists))
    rest = tuple(tuple(item for item in one if item not in common) for one in lists)
    return Shared(common, rest)

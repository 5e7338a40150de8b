"""How error messages list names and guess what was meant."""

from __future__ import annotations

from difflib import get_close_matches
from keyword import iskeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LIMIT = 20


def listed(names: Iterable[object], *, limit: int = _LIMIT) -> str:
    """Quote and join names, the first ``limit`` of them.

    >>> listed(["ctrl", "a", "b"], limit=2)
    "'ctrl', 'a', ... (3 in all)"
    """
    words = [str(name) for name in names]
    if not words:
        return "none"
    shown = ", ".join(repr(word) for word in words[:limit])
    return shown if len(words) <= limit else f"{shown}, ... ({len(words)} in all)"


def did_you_mean(name: object, options: Iterable[object]) -> str:
    """Name the closest option in a sentence with a space before it; nothing where none is close.

    >>> did_you_mean("ctl", ["ctrl", "a"])
    " Did you mean 'ctrl'?"
    >>> did_you_mean("x", ["ctrl", "a"])
    ''
    """
    by_lower = {str(option).lower(): str(option) for option in options}
    close = get_close_matches(str(name).lower(), list(by_lower), n=1)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def plural(count: int, noun: str) -> str:
    """Count a noun.

    >>> plural(1, "observation"), plural(1200, "observation")
    ('1 observation', '1,200 observations')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def all_of(names: Sequence[object]) -> str:
    """Quote names and join them with ``and``.

    >>> all_of(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    words = [repr(str(name)) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def in_formula(name: str) -> str:
    """Write a column's name as a formula takes it: in backticks unless it is an identifier.

    >>> in_formula("drug"), in_formula("cell type")
    ('drug', '`cell type`')
    """
    return name if name.isidentifier() and not iskeyword(name) else f"`{name}`"

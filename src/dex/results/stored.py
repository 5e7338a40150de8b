"""Read a result back from an AnnData."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The result under one key, as it lies in an AnnData."""

    adata: AnnData
    key: str
    entry: dict[str, Any]

    @classmethod
    def from_adata(cls, adata: AnnData, key: str) -> StoredResult:
        """Find the result that :func:`dex.tl.rank_genes` left under ``key``.

        Raises
        ------
        InputError
            If there is none, or if its arrays have gone missing.
        """
        entry = adata.uns.get(key)
        if entry is None or not is_result(entry):
            have = [name for name, value in adata.uns.items() if is_result(value)]
            there = f"it has results under {have}" if have else "it has no results yet"
            msg = f"key={key!r} holds no result in adata.uns; {there}: run dex.tl.rank_genes first."
            raise InputError(msg)
        stored = cls(adata, key, entry)
        missing = [name for name in stored.columns if f"{key}_{name}" not in adata.varm]
        if missing:
            msg = f"adata.varm has lost {missing} of {key!r}; run dex.tl.rank_genes again."
            raise InputError(msg)
        return stored

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns written."""
        return tuple(map(str, self.entry["columns"]))

    @property
    def params(self) -> dict[str, Any]:
        """What was asked and decided."""
        return dict(self.entry["params"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was said while the result was made."""
        return tuple(map(str, self.entry["notes"]))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tests."""
        return self.field("name")

    def field(self, name: str) -> tuple[str, ...]:
        """What describes the tests: ``name``, ``kind``, ``group``, ``reference`` or ``per``."""
        return tuple(map(str, self.entry["tests"][name]))

    def counts(self, name: str) -> tuple[int, ...]:
        """Numbers of observations by test: ``n_group`` or ``n_reference``."""
        return tuple(map(int, self.entry["tests"][name]))

    @property
    def has_pvalues(self) -> bool:
        """Whether genes were tested; markers are scored by effect sizes alone."""
        return "log10_pval" in self.columns

    def values(self, column: str) -> np.ndarray[Any, Any]:
        """Array ``(n_vars, n_tests)`` of a column.

        Raises
        ------
        InputError
            If the result has no such column.
        """
        if column not in self.columns:
            have = ", ".join(self.columns)
            msg = f"column {column!r} is not in the result {self.key!r}; it has {have}."
            raise InputError(msg)
        return np.asarray(self.adata.varm[f"{self.key}_{column}"])

    def position(self, test: str | int | None) -> int:
        """Position of a test by name, by the group that only it has, or by number.

        ``None`` means the only test.

        Raises
        ------
        InputError
            If it names no test or more than one.
        """
        names, groups = self.names, self.field("group")
        if test is None and len(names) == 1:
            return 0
        number = _as_number(test)
        if number is not None and -len(names) <= number < len(names):
            return range(len(names))[number]
        found = [i for i, name in enumerate(names) if name == test]
        found = found or [i for i, group in enumerate(groups) if test is not None and group == test]
        if len(found) == 1:
            return found[0]
        raise InputError(self._which(test))

    def _which(self, test: str | int | None) -> str:
        names = self.names
        shown = ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
        near = get_close_matches(str(test), [*names, *self.field("group")], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return (
            f"test={test!r} is not one of the {len(names)} tests under {self.key!r}: {shown}{hint}"
        )


def is_result(value: Any) -> bool:
    """Whether an entry of ``uns`` is a result of ours."""
    return isinstance(value, dict) and "columns" in value and "tests" in value


def _as_number(test: object) -> int | None:
    """Return an integer, NumPy's too, as a number of a test; True is none."""
    if isinstance(test, int | np.integer) and not isinstance(test, bool):
        return int(test)
    return None

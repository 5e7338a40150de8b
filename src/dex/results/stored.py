"""Read a result back from an AnnData."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    @property
    def strata(self) -> tuple[str, ...]:
        """Strata analysed apart, in the order of the tests; empty if there are none."""
        return tuple(dict.fromkeys(name for name in self.field("per") if name))

    @property
    def contrast_names(self) -> tuple[str, ...]:
        """Names of the tests without the stratum, as ``stim vs ctrl``."""
        pairs = zip(self.names, self.field("per"), strict=True)
        return tuple(name.removeprefix(f"{per}: ") if per else name for name, per in pairs)

    def position(self, test: str | int | None, *, per: str | None = None) -> int:
        """Position of a test by name, by the group that only it has, or by number.

        ``None`` means the only test, there is or in the stratum ``per``.

        Raises
        ------
        InputError
            If it names no test or more than one.
        """
        found = self.positions(test, per=per)
        if len(found) != 1:
            raise InputError(self._which(test, found))
        return found[0]

    def positions(
        self, test: str | int | None = None, *, per: str | Sequence[str] | None = None
    ) -> list[int]:
        """Positions of a test in all strata, or in those named; ``None`` means all tests.

        Raises
        ------
        InputError
            If there is no such test or stratum, or if a group has several tests in one stratum.
        """
        inside = self._inside(per)
        if test is None:
            return inside
        number = _as_number(test)
        if number is not None and -len(inside) <= number < len(inside):
            return [inside[number]]
        for words in (self.names, self.contrast_names, self.field("group")):
            found = [i for i in inside if words[i] == test]
            strata = [self.field("per")[i] for i in found]
            if found and len(set(strata)) == len(found):
                return found
        raise InputError(self._which(test, inside))

    def _inside(self, per: str | Sequence[str] | None) -> list[int]:
        """Positions of the tests of some strata, in the order in which these are named."""
        strata = self.field("per")
        if per is None:
            return list(range(len(strata)))
        named = [per] if isinstance(per, str) else [str(one) for one in per]
        if not self.strata:
            msg = f"per={per!r}: the result {self.key!r} is of all observations together."
            raise InputError(msg)
        if unknown := [name for name in named if name not in self.strata]:
            near = get_close_matches(unknown[0], self.strata, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            have = ", ".join(map(repr, self.strata[:20]))
            msg = f"per={unknown[0]!r} is not in the result {self.key!r}; it has {have}{hint}."
            raise InputError(msg)
        return [i for name in dict.fromkeys(named) for i, one in enumerate(strata) if one == name]

    def _which(self, test: str | int | None, inside: Sequence[int]) -> str:
        names = [self.names[i] for i in inside]
        groups = [self.field("group")[i] for i in inside]
        shown = ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
        near = get_close_matches(str(test), [*names, *groups], n=1)
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

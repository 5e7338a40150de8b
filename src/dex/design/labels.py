"""A column of ``obs`` as labels: levels in their order, and a code per observation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from dex.design.wording import did_you_mean, listed
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dex.typing import Bool, Int


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of the observations of one column."""

    levels: tuple[str, ...]
    """Levels in use, or named: a categorical's own order, else sorted (``2`` before ``10``)."""
    codes: Int
    """Index into ``levels``, shape ``(n_obs,)``; -1 where the label is missing."""
    ordered: bool
    """Whether the column is an ordered categorical."""

    @classmethod
    def from_column(cls, column: pd.Series[Any], *, named: Collection[str] = ()) -> Labels:
        """Labels of strings, booleans, numbers or categories; every level becomes a ``str``.

        Categories that no observation has are gone, but for those in ``named``.

        Raises
        ------
        InputError
            If two different values read alike as labels (``1`` and ``"1"``).
        """
        if isinstance(column.dtype, pd.CategoricalDtype):
            there = set(column.cat.remove_unused_categories().cat.categories)
            values = [one for one in column.cat.categories if one in there or label(one) in named]
            codes = column.cat.set_categories(values).cat.codes.to_numpy()
            ordered = bool(column.dtype.ordered)
        else:
            codes, uniques = pd.factorize(column, use_na_sentinel=True)
            values, codes = _sorted(list(uniques), codes)
            ordered = False
        levels = tuple(label(value) for value in values)
        _require_distinct(levels, column.name)
        return cls(levels, codes.astype(np.intp), ordered)


def label(value: object) -> str:
    """Return the label that a value stands for; whole floats read as integers.

    >>> label(2.0), label(True), label("a"), label(0.5)
    ('2', 'True', 'a', '0.5')
    """
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def column_of(obs: pd.DataFrame, name: object, *, argument: str) -> pd.Series[Any]:
    """Return the column of ``obs`` that ``argument`` names.

    Raises
    ------
    InputError
        If there is none of that name, or more than one.
    """
    if not isinstance(name, str):
        msg = f"{argument}={name!r} must be the name of one column of obs, a string."
        raise InputError(msg)
    if name not in obs.columns:
        msg = f"{argument}={name!r} is not in obs; it has {listed(obs.columns)}."
        raise InputError(msg + did_you_mean(name, obs.columns))
    if (count := int((obs.columns == name).sum())) > 1:
        msg = f"obs has {count} columns called {name!r}; rename them."
        raise InputError(msg)
    column = obs[name]
    return column.infer_objects() if column.dtype == object else column


def is_numeric(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers rather than labels; booleans and categories are labels."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    return bool(is_numeric_dtype(column.dtype)) and not is_bool_dtype(column.dtype)


def is_missing(column: pd.Series[Any]) -> Bool:
    """Mark missing values, shape ``(n_obs,)``."""
    return np.asarray(column.isna(), dtype=np.bool_)


def _sorted(values: list[Any], codes: Int) -> tuple[list[Any], Int]:
    numeric = all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in values)
    order = sorted(
        range(len(values)), key=lambda i: values[i] if numeric else _natural(label(values[i]))
    )
    rank = np.empty(len(values) + 1, dtype=np.intp)
    rank[order] = np.arange(len(values))
    rank[-1] = -1  # so that the code -1, of a missing label, stays -1
    return [values[i] for i in order], rank[codes]


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"([0-9]+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _require_distinct(levels: Sequence[str], name: object) -> None:
    if len(set(levels)) < len(levels):
        twice = sorted({level for level in levels if levels.count(level) > 1})
        msg = (
            f"obs[{name!r}] holds different values that read alike: {listed(twice)}; relabel them."
        )
        raise InputError(msg)

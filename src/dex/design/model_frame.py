"""What the factors of a formula hold, in the observations that miss nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from dex.design.factor import FactorLevels
from dex.design.labels import Labels, column_of, is_missing, is_numeric
from dex.design.reference import level_index
from dex.design.transforms import evaluate
from dex.design.wording import all_of, in_formula, listed, plural
from dex.errors import DesignError, FormulaError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dex.design.expression import Expression
    from dex.design.formula import Formula
    from dex.typing import Bool, Float

_LABEL_LIKE: Final = range(2, 6)
"""So many different whole numbers in a column look like labels: batches 1, 2, 3."""


@dataclass(frozen=True, slots=True)
class ModelFrame:
    """Values of a formula's factors; rows are the observations kept."""

    kept: Bool
    """Observations that miss none of the columns used, shape ``(n_obs,)``."""
    values: dict[str, Any]
    """By the factor's text: categories as a Series, numbers as an array, or formulaic's columns."""
    factors: tuple[FactorLevels, ...]
    covariates: tuple[str, ...]
    """Columns of ``obs`` that enter as numbers."""
    notes: tuple[str, ...]

    @classmethod
    def from_obs(
        cls, obs: pd.DataFrame, formula: Formula, *, references: Mapping[str, Any]
    ) -> ModelFrame:
        """Evaluate every factor of ``formula`` in ``obs``.

        Raises
        ------
        DesignError
            If no observation is complete, or a categorical has one level left.
        FormulaError
            If a function gets labels, or returns numbers that are not finite.
        InputError
            If a covariate is infinite, or a reference is not a level.
        """
        columns = {name: column_of(obs, name, argument="design") for name in formula.variables}
        kept, notes = complete_rows(columns, n_obs=len(obs))
        columns = {name: column[kept] for name, column in columns.items()}
        labelled = _labelled(formula, columns)
        _require_factors(references, [formula.expressions[text] for text in labelled], formula)
        factors = tuple(
            _levels(name, formula.expressions[name], columns, references) for name in labelled
        )
        values: dict[str, Any] = {factor.name: _as_series(factor) for factor in factors}
        covariates: dict[str, Float] = {}
        for text, expression in formula.expressions.items():
            if text not in labelled:
                numbers = {name: _numbers(columns[name], text) for name in expression.variables}
                covariates |= numbers
                values[text] = evaluate(expression.tree, numbers)
                _require_finite(values[text], text)
        slopes = [name for name in formula.expressions if name in covariates]
        notes = (*notes, *(note for factor in factors for note in factor.notes))
        notes += tuple(note for name in slopes for note in _label_like(name, covariates[name]))
        return cls(kept, values, factors, tuple(covariates), notes)


def complete_rows(
    columns: Mapping[str, pd.Series[Any]], *, n_obs: int
) -> tuple[Bool, tuple[str, ...]]:
    """Mark the observations that miss nothing, ``(n_obs,)``, and say how many miss what.

    Raises
    ------
    DesignError
        If none is left.
    """
    missing = {name: is_missing(column) for name, column in columns.items()}
    kept = np.ones(n_obs, dtype=np.bool_)
    for mask in missing.values():
        kept &= ~mask
    at_fault = [name for name, mask in missing.items() if mask.any()]
    if not kept.any():
        what = f"; they miss {all_of(at_fault)}" if at_fault else ""
        msg = f"none of {plural(n_obs, 'observation')} is complete{what}."
        raise DesignError(msg)
    if not at_fault:
        return kept, ()
    count = int(n_obs - kept.sum())
    note = f"{count:,} of {plural(n_obs, 'observation')} miss {all_of(at_fault)} and were left out."
    return kept, (note,)


def _labelled(formula: Formula, columns: Mapping[str, pd.Series[Any]]) -> list[str]:
    """Texts of the factors that are categorical."""
    texts = []
    for text, expression in formula.expressions.items():
        name = expression.column
        if expression.categorical:
            texts.append(text)
        elif name is not None and not is_numeric(columns[name]):
            _refuse_dates(columns[name])
            texts.append(text)
    return texts


def _require_factors(
    references: Mapping[str, Any], labelled: Sequence[Expression], formula: Formula
) -> None:
    for name in references:
        if name not in formula.variables:
            has = listed(formula.variables)
            msg = f"a reference is given for {name!r}, but design={formula.text!r} uses {has}."
            raise InputError(msg)
        if not any(expression.column == name for expression in labelled):
            msg = (
                f"a reference is given for {name!r}, which is numeric in design={formula.text!r}; "
                f"write C({in_formula(name)}) for a factor."
            )
            raise InputError(msg)


def _levels(
    text: str,
    expression: Expression,
    columns: Mapping[str, pd.Series[Any]],
    references: Mapping[str, Any],
) -> FactorLevels:
    variable = expression.variables[0]
    labels = Labels.from_column(columns[variable])
    reference = references.get(variable, expression.reference)
    if expression.reference is not None:
        own = level_index(labels.levels, expression.reference, column=variable)
        if level_index(labels.levels, reference, column=variable) != own:
            msg = f"reference={reference!r} contradicts {text} in the design; give one of them."
            raise InputError(msg)
    return FactorLevels.from_labels(labels, name=text, variable=variable, reference=reference)


@dataclass(frozen=True, slots=True)
class _Level:
    """A level that prints as its name; formulaic drops the columns of strings like ``__x``."""

    name: str

    def __str__(self) -> str:
        return self.name


def _as_series(factor: FactorLevels) -> pd.Series[Any]:
    levels = pd.Index([_Level(name) for name in factor.levels], dtype=object)
    return pd.Series(pd.Categorical.from_codes(factor.codes, levels))


def _numbers(column: pd.Series[Any], text: str) -> Float:
    if not is_numeric(column):
        msg = f"{text} needs numbers, and obs[{column.name!r}] holds labels."
        raise FormulaError(msg)
    numbers = column.to_numpy(dtype=np.float64)
    if (infinite := ~np.isfinite(numbers)).any():
        first = column.index[int(np.argmax(infinite))]
        count = plural(int(infinite.sum()), "observation")
        where = f"{count} (the first is {first!r})"
        msg = f"obs[{column.name!r}] is infinite in {where}; mend or drop them."
        raise InputError(msg)
    return numbers


def _refuse_dates(column: pd.Series[Any]) -> None:
    if getattr(column.dtype, "kind", "O") in "mM":
        msg = (
            f"obs[{column.name!r}] holds dates; make it a number (days since the first) for a "
            "slope, or text for a factor."
        )
        raise InputError(msg)


def _require_finite(value: object, text: str) -> None:
    columns = list(value.values()) if isinstance(value, dict) else [value]
    finite = np.all([np.isfinite(np.asarray(c, dtype=np.float64)).all() for c in columns])
    if not finite:
        msg = (
            f"{text} is not finite in some observations, as a logarithm or root of a value that is "
            "not positive, or a division by 0."
        )
        raise FormulaError(msg)


def _label_like(name: str, numbers: Float) -> tuple[str, ...]:
    distinct = np.unique(numbers)
    repeated = len(numbers) >= 2 * len(distinct)
    if len(distinct) not in _LABEL_LIKE or not repeated or np.any(distinct % 1):
        return ()
    if set(distinct) == {0.0, 1.0}:
        return ()  # the slope is the difference
    values = ", ".join(f"{value:g}" for value in distinct)
    factor = f"C({in_formula(name)})"
    return (f"obs[{name!r}] ({values}) enters as a slope; if these are labels, write {factor}.",)

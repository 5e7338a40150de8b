"""Which columns of ``obs`` a question is about, told before any model is built."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dex.design.coding import code_terms, term_name
from dex.design.contrasts import read_contrasts
from dex.design.formula import read_formula
from dex.design.labels import column_of, is_numeric
from dex.design.matrix import Design
from dex.design.model_frame import ModelFrame, complete_rows
from dex.errors import FormulaError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from dex.design.contrasts import ContrastSpec
    from dex.design.formula import Formula
    from dex.typing import Int

_MAX_NUMBERS = 200
"""Different numbers of a column that the sketch of a design holds: as many as a spline may need."""
_MAX_ROWS: Final = 2_000
"""Rows of the sketch, beyond which a factor, a barcode say, makes it as large as the design."""


def compared_columns(
    obs: pd.DataFrame,
    *,
    groupby: str | None,
    design: str | pd.DataFrame | np.ndarray[Any, Any] | None,
    contrasts: ContrastSpec | None,
) -> tuple[str, ...]:
    """Columns of ``obs`` whose effect is asked for; the arguments are those of ``Comparison``.

    ``groupby`` if it is given; else the columns that the contrasts weight, which may be numeric;
    else those of the last term of the design. Nothing for a design matrix, and for whatever cannot
    be read: the comparison itself says why.

    Where only the whole design could tell (a factor of thousands of levels), it is all columns of
    labels in the formula.

    Examples
    --------
    >>> import pandas as pd
    >>> obs = pd.DataFrame({"drug": ["dex", "ctrl"] * 3, "donor": list("aabbcc")})
    >>> compared_columns(obs, groupby=None, design="~ donor + drug", contrasts="dex - ctrl")
    ('drug',)
    """
    if groupby is not None:
        return _in_obs(obs, [groupby])
    try:
        formula = _formula(obs, design)
        if contrasts is not None:
            return _in_obs(obs, _of_contrasts(obs, formula, contrasts))
        return () if formula is None else _last_term(formula)
    except InputError:
        return ()


def _formula(obs: pd.DataFrame, design: object) -> Formula | None:
    if not isinstance(design, str):
        return None
    return read_formula(design, [str(name) for name in obs.columns])


def _in_obs(obs: pd.DataFrame, names: Iterable[object]) -> tuple[str, ...]:
    found = (name for name in names if isinstance(name, str) and name in obs.columns)
    return tuple(dict.fromkeys(found))


def _of_contrasts(obs: pd.DataFrame, formula: Formula | None, contrasts: object) -> list[str]:
    """Columns of contrasts in any form."""
    match contrasts:
        case Mapping():
            return _of_several(obs, formula, contrasts.values())
        case (str() as column, _, _) if isinstance(contrasts, tuple):
            return [column] if formula is None else [column, *_variables(formula, [column])]
        case list() | tuple() if not all(isinstance(item, Number) for item in contrasts):
            return _of_several(obs, formula, contrasts)
        case _ if formula is None:
            return []
        case _:
            return _of_weights(obs, formula, contrasts)


def _of_several(
    obs: pd.DataFrame, formula: Formula | None, contrasts: Iterable[object]
) -> list[str]:
    return [name for item in contrasts for name in _of_contrasts(obs, formula, item)]


def _of_weights(obs: pd.DataFrame, formula: Formula, contrasts: Any) -> list[str]:
    """Columns in the terms that an expression or a vector weights."""
    sketch = _sketch(obs, formula)
    if sketch is None:
        return _label_columns(obs, formula)
    weighted = np.zeros(len(sketch.columns), dtype=np.bool_)
    for contrast in read_contrasts(sketch, contrasts):
        weighted |= contrast.vector != 0
    parts = {term_name(term): [str(f.expr) for f in term.factors] for term in formula.terms}
    names = [name for name, places in sketch.terms.items() if weighted[list(places)].any()]
    return [column for name in names for column in _variables(formula, parts[name])]


def _last_term(formula: Formula) -> tuple[str, ...]:
    terms = list(formula.terms)
    return _variables(formula, [str(f.expr) for f in terms[-1].factors]) if terms else ()


def _variables(formula: Formula, factors: Iterable[str]) -> tuple[str, ...]:
    known = [formula.expressions[name] for name in factors if name in formula.expressions]
    return tuple(name for expression in known for name in expression.variables)


def _label_columns(obs: pd.DataFrame, formula: Formula) -> list[str]:
    return [
        expression.variables[0]
        for expression in formula.expressions.values()
        if expression.categorical
        or (expression.column is not None and not is_numeric(obs[expression.column]))
    ]


def _sketch(obs: pd.DataFrame, formula: Formula) -> Design | None:
    """Design of a few observations that hold every level, so that its columns are the design's."""
    rows = _telling_rows(obs, formula)
    if len(rows) > _MAX_ROWS:
        return None
    try:
        frame = ModelFrame.from_obs(obs.iloc[rows], formula, references={})
    except FormulaError:  # too few values for a polynomial, say
        return None
    coded = code_terms(formula, frame)
    n_columns = len(coded.columns)
    return Design(
        formula=formula.text,
        columns=coded.columns,
        matrix=coded.matrix,
        kept=frame.kept,
        estimable=np.arange(n_columns),
        aliased=(),
        dependence=np.empty((n_columns, 0)),
        factors=coded.factors,
        covariates=frame.covariates,
        terms=coded.terms,
    )


def _telling_rows(obs: pd.DataFrame, formula: Formula) -> Int:
    """Rows where a value of a column used is met first, among the complete ones."""
    columns = {name: column_of(obs, name, argument="design") for name in formula.variables}
    complete = np.flatnonzero(complete_rows(columns, n_obs=len(obs))[0])
    labels = _label_columns(obs, formula)
    first = [complete[:1]]
    for name, column in columns.items():
        new = complete[~column.iloc[complete].duplicated().to_numpy()]
        first.append(new if name in labels else new[:_MAX_NUMBERS])
    return np.unique(np.concatenate(first))

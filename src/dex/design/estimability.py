"""Whether a contrast can be estimated, and what stands in the way where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from dex.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.design.factor import Factor
    from dex.design.matrix import Design
    from dex.typing import Bool, Float, Int

ESTIMABLE_TOLERANCE: Final = 1e-6
"""Of the terms summed; above the error of the dependence, at worst near ``RANK_TOLERANCE``."""

_MAX_TABLE = 12
"""Levels per side of a cross-table."""


def require_estimable(design: Design, vector: Float, *, name: str) -> None:
    """Check that a contrast lies in the row space of the full design.

    With ``X_a = X_e D`` for the aliased columns, the row space holds the vectors whose aliased
    part is ``c_a = D' c_e``: only they give every solution of the normal equations one value.

    Parameters
    ----------
    design
        The design.
    vector
        Weights of all columns, shape ``(n_columns,)``.
    name
        Of the contrast, for the message.

    Raises
    ------
    DesignError
        If not; it names the columns at fault, and shows how their factors are confounded.
    """
    at_fault = violations(design, vector)
    if not at_fault.any():
        return
    relations = "; ".join(_relation(design, int(j)) for j in np.flatnonzero(at_fault))
    msg = f"{name!r} cannot be estimated from {design.text}, because {relations}."
    factors = _factors_at_fault(design, at_fault)
    if len(factors) >= 2:
        msg += f" Observations per level:\n{_cross_table(factors[0], factors[1])}"
    raise DesignError(msg)


def violations(design: Design, vector: Float) -> Bool:
    """Which aliased columns a contrast treats otherwise than they follow, ``(n_aliased,)``."""
    parts = design.dependence * vector[design.estimable][:, None]
    own = vector[_aliased(design)]
    size = np.abs(own) + np.abs(parts).sum(axis=0)
    return np.asarray(np.abs(own - parts.sum(axis=0)) > ESTIMABLE_TOLERANCE * size, dtype=np.bool_)


def _aliased(design: Design) -> Int:
    return np.setdiff1d(np.arange(len(design.columns)), design.estimable)


def _relation(design: Design, j: int) -> str:
    """Write the ``j``-th aliased column in terms of the others."""
    weights = design.dependence[:, j]
    if not weights.any():
        return f"{design.aliased[j]!r} is 0 in all {design.matrix.shape[0]:,} observations"
    return f"{design.aliased[j]!r} = {written(weights, [repr(name) for name in design.coefs])}"


def written(vector: Float, columns: Sequence[str]) -> str:
    """Write a vector as an expression over coefficients.

    >>> written(np.array([0, -1, 0.5]), ["Intercept", "a", "b"])
    '-a + 0.5*b'
    """
    parts = []
    for weight, column in zip(vector, columns, strict=True):
        if weight:
            size = f"{abs(weight):.4g}"
            parts.append(
                f"{'-' if weight < 0 else '+'} {'' if size == '1' else size + '*'}{column}"
            )
    text = " ".join(parts)
    return text.removeprefix("+ ") if text.startswith("+") else f"-{text[2:]}"


def _factors_at_fault(design: Design, at_fault: Bool) -> list[Factor]:
    """Factors whose columns are aliased, then those that they follow from."""
    sources = np.flatnonzero(design.dependence[:, at_fault].any(axis=1))
    columns = [*_aliased(design)[at_fault], *design.estimable[sources]]
    terms = [name for i in columns for name, places in design.terms.items() if i in places]
    found = [factor for term in terms for factor in design.factors if term in factor.terms]
    return list({factor.name: factor for factor in found}.values())


def _cross_table(rows: Factor, columns: Factor) -> str:
    counts = np.zeros((len(rows.levels), len(columns.levels)), dtype=np.intp)
    np.add.at(counts, (rows.codes, columns.codes), 1)
    table = pd.DataFrame(
        counts,
        index=pd.Index(rows.levels, name=rows.variable),
        columns=pd.Index(columns.levels, name=columns.variable),
    )
    return table.iloc[:_MAX_TABLE, :_MAX_TABLE].to_string()

"""A design as plain values that any file can hold, and back; no formula is read again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.design.factor import Factor
from dex.design.labels import Labels
from dex.design.matrix import Design
from dex.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class StoredDesign:
    """What it takes to make a design again; rows are all observations."""

    matrix: Float
    """Estimable columns, shape ``(n_obs, n_coefs)``; NaN where an observation was left out."""
    levels: NDArray[np.int32]
    """Level of each factor, shape ``(n_obs, n_factors)``; -1 where an observation was left out."""
    held: NDArray[np.int8]
    """Likewise, 1 where the factor's main effect is taken."""
    text: str
    """Everything else, as JSON."""
    dependence: Float
    """As in the design."""

    @classmethod
    def of(cls, design: Design) -> StoredDesign:
        """Take a design apart."""
        n_obs, factors = len(design.kept), design.factors
        matrix = np.full((n_obs, design.matrix.shape[1]), np.nan)
        levels = np.full((n_obs, len(factors)), -1, dtype=np.int32)
        held = np.zeros((n_obs, len(factors)), dtype=np.int8)
        matrix[design.kept] = design.matrix
        for i, factor in enumerate(factors):
            levels[design.kept, i], held[design.kept, i] = factor.codes, factor.held
        words = {
            "formula": design.formula,
            "columns": design.columns,
            "estimable": design.estimable.tolist(),
            "aliased": design.aliased,
            "covariates": design.covariates,
            "terms": design.terms,
            "factors": [_words(factor) for factor in factors],
        }
        return cls(matrix, levels, held, json.dumps(words), design.dependence)

    def design(self) -> Design:
        """Put it together again."""
        kept = ~np.isnan(self.matrix).any(axis=1)
        words = json.loads(self.text)
        factors = tuple(
            _factor(each, self.levels[kept, i], self.held[kept, i])
            for i, each in enumerate(words["factors"])
        )
        return Design(
            formula=words["formula"],
            columns=tuple(words["columns"]),
            matrix=self.matrix[kept],
            kept=kept,
            estimable=np.array(words["estimable"], dtype=np.intp),
            aliased=tuple(words["aliased"]),
            dependence=self.dependence,
            factors=factors,
            covariates=tuple(words["covariates"]),
            terms={name: tuple(places) for name, places in words["terms"].items()},
        )


def require_same_labels(design: Design, obs: pd.DataFrame) -> None:
    """Refuse a table whose columns are not what was fitted.

    Raises
    ------
    InputError
        If a factor's column has gone, or holds other labels in an observation used.
    """
    for factor in design.factors:
        column = factor.variable
        if column not in obs:
            msg = f"obs[{column!r}] was fitted and is gone; put it back, or fit again."
            raise InputError(msg)
        now = Labels.from_column(obs[column][design.kept])
        names = np.array([*now.levels, None], dtype=object)[now.codes]
        changed = names != np.array(factor.levels, dtype=object)[factor.codes]
        if changed.any():
            where = obs.index[design.kept][changed][0]
            msg = (
                f"obs[{column!r}] has changed since the fit in {int(changed.sum())} observations "
                f"(the first is {where!r}); fit again."
            )
            raise InputError(msg)


def _words(factor: Factor) -> dict[str, Any]:
    main = factor.main_effect
    return {
        "name": factor.name,
        "variable": factor.variable,
        "levels": factor.levels,
        "reference_reason": factor.reference_reason,
        "terms": factor.terms,
        "main_effect": None if main is None else main.tolist(),
        "held_at": factor.held_at,
    }


def _factor(words: dict[str, Any], codes: NDArray[np.int32], held: NDArray[np.int8]) -> Factor:
    main = words["main_effect"]
    return Factor(
        name=words["name"],
        variable=words["variable"],
        levels=tuple(words["levels"]),
        codes=codes.astype(np.intp),
        reference_reason=words["reference_reason"],
        terms=tuple(words["terms"]),
        main_effect=None if main is None else np.array(main, dtype=np.intp),
        held_at=tuple(words["held_at"]),
        held=held.astype(bool),
    )

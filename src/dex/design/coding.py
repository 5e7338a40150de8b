"""Terms as columns: formulaic codes the factors, treatment contrasts with the reference first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from formulaic.materializers import PandasMaterializer

from dex.design.factor import Factor

if TYPE_CHECKING:
    from formulaic.parser.types import Term

    from dex.design.factor import FactorLevels
    from dex.design.formula import Formula
    from dex.design.model_frame import ModelFrame
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class CodedTerms:
    """The columns of a formula, before any is left out."""

    columns: tuple[str, ...]
    matrix: Float
    """Shape ``(n_kept, n_columns)``."""
    terms: dict[str, tuple[int, ...]]
    """Indices of the columns of every term."""
    factors: tuple[Factor, ...]


def code_terms(formula: Formula, frame: ModelFrame) -> CodedTerms:
    """Columns of ``formula``, coded as R and formulaic do, of the values in ``frame``."""
    empty = pd.DataFrame(index=range(int(frame.kept.sum())))
    materializer = PandasMaterializer(empty, context=frame.values)
    coded = materializer.get_model_matrix(formula.terms, output="numpy", na_action="ignore")
    terms: dict[str, tuple[int, ...]] = {}
    parts: dict[str, tuple[str, ...]] = {}
    stop = 0
    for structure in coded.model_spec.structure:
        name = term_name(structure.term)
        start, stop = stop, stop + len(structure.columns)
        terms[name] = tuple(range(start, stop))
        parts[name] = tuple(factor.expr for factor in structure.term.factors)
    factors = tuple(_placed(levels, frame, terms, parts) for levels in frame.factors)
    columns = tuple(str(name) for name in coded.model_spec.column_names)
    return CodedTerms(columns, np.asarray(coded, dtype=np.float64), terms, factors)


def term_name(term: Term) -> str:
    """Return what a term is called: its factors, or Intercept."""
    name = ":".join(factor.expr for factor in term.factors)
    return "Intercept" if name == "1" else name


def _placed(
    levels: FactorLevels,
    frame: ModelFrame,
    terms: dict[str, tuple[int, ...]],
    parts: dict[str, tuple[str, ...]],
) -> Factor:
    mine = tuple(term for term, names in parts.items() if levels.name in names)
    partners = dict.fromkeys(name for term in mine for name in parts[term] if name != levels.name)
    factors = {factor.name: factor for factor in frame.factors}
    held = np.ones(len(levels.codes), dtype=bool)
    held_at = []
    for name in partners:
        other = factors.get(name)
        held &= False if other is None else other.codes == 0
        held_at.append(f"{name} = {'0' if other is None else other.levels[0]}")
    return Factor(
        name=levels.name,
        variable=levels.variable,
        levels=levels.levels,
        codes=levels.codes,
        reference_reason=levels.reference_reason,
        terms=mine,
        main_effect=_main_effect(terms.get(levels.name), len(levels.levels)),
        held_at=tuple(held_at),
        held=held,
    )


def _main_effect(columns: tuple[int, ...] | None, n_levels: int) -> Int | None:
    if columns is None:
        return None
    places = np.full(n_levels, -1, dtype=np.intp)
    places[n_levels - len(columns) :] = columns  # the reference, first, has no column of its own
    return places

"""Contrasts: what is asked of the coefficients of a design, and whether it can be answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dex.design.estimability import require_estimable, written
from dex.design.grammar import Names, read_expression
from dex.design.groups import REST_NAME, group_info, means_rest
from dex.design.reference import level_index
from dex.design.tests import Kind, TestInfo
from dex.design.wording import listed
from dex.errors import InputError
from dex.typing import REST, Float

if TYPE_CHECKING:
    from dex.design.factor import Factor
    from dex.design.matrix import Design

ContrastSpec: TypeAlias = (
    "str | tuple[str, str, str] | np.ndarray[Any, Any] | Sequence[Any] | Mapping[str, Any]"
)

_SAME_WEIGHT = 1e-9
"""Rounding of weights such as 1/3."""


@dataclass(frozen=True, slots=True)
class LevelPair:
    """Two levels of one factor that a contrast compares."""

    factor: str
    """Name of the factor in the design."""
    group: int
    """Index of the level among ``factor.levels``."""
    reference: int
    """Likewise, or ``REST`` for the unweighted mean of all others."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """One contrast."""

    info: TestInfo
    vector: Float
    """Weights of all columns of the design, also of aliased ones, shape ``(n_columns,)``."""
    pair: LevelPair | None
    """The two levels compared, if that is what the contrast does."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Contrasts that a design can answer."""

    vectors: Float
    """Weights of the design's ``coefs``, shape ``(n_contrasts, n_coefs)``."""
    infos: tuple[TestInfo, ...]
    """One per row."""
    pairs: tuple[LevelPair | None, ...]
    """Per row the two levels compared, if it compares two."""
    notes: tuple[str, ...]

    @classmethod
    def from_list(cls, design: Design, contrasts: Sequence[Contrast]) -> Contrasts:
        """Check and stack contrasts.

        Raises
        ------
        InputError
            If two have the same name, or one is zero everywhere.
        DesignError
            If one cannot be estimated.
        """
        _require_names(contrasts)
        for contrast in contrasts:
            require_estimable(design, contrast.vector, name=contrast.info.name)
        vectors = np.stack([contrast.vector[design.estimable] for contrast in contrasts])
        notes = dict.fromkeys(note for contrast in contrasts for note in contrast.notes)
        return cls(
            vectors,
            tuple(contrast.info for contrast in contrasts),
            tuple(contrast.pair for contrast in contrasts),
            (*notes, *_aliasing(design)),
        )


def contrast_set(design: Design, contrasts: ContrastSpec) -> Contrasts:
    """Read contrasts in any form, and check that the design can answer them.

    Parameters
    ----------
    design
        The design that the contrasts are of.
    contrasts
        One of, or a list of, or a dict ``{name: any of these}`` of:

        - a tuple ``(column, group, reference)``; the reference may be ``"rest"``, the unweighted
          mean of all other levels;
        - a string, a linear expression over levels and coefficients
          (:func:`~dex.design.grammar.read_expression`), or a coefficient by itself;
        - a vector ``(n_columns,)`` over all ``design.columns``, or a matrix of such rows.

    Raises
    ------
    InputError
        If one cannot be read, or two have the same name.
    DesignError
        If one cannot be estimated; the message names the columns at fault.

    Examples
    --------
    >>> import pandas as pd
    >>> from dex.design.matrix import Design
    >>> design = Design.from_obs(pd.DataFrame({"drug": ["ctrl", "a", "b"] * 2}), "~ drug")
    >>> found = contrast_set(design, [("drug", "b", "a"), "(a + b)/2 - ctrl", "drug[T.a]"])
    >>> [info.name for info in found.infos]
    ['b vs a', '(a + b)/2 - ctrl', 'drug[T.a]']
    >>> found.vectors.tolist()
    [[0.0, -1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 1.0, 0.0]]
    """
    return Contrasts.from_list(design, read_contrasts(design, contrasts))


def read_contrasts(design: Design, contrasts: ContrastSpec) -> list[Contrast]:
    """Read contrasts as :func:`contrast_set` does; whether they can be estimated is not asked.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    return _read(design, contrasts, Names.of(design))


def level_contrast(design: Design, factor: Factor, *, group: int, reference: int) -> Contrast:
    """Contrast of a level and a reference (or ``REST``) in the main effect of a factor."""
    weights = (
        factor.against_others(group) if reference == REST else factor.against(group, reference)
    )
    vector = factor.vector(weights, n_columns=len(design.columns))
    other = REST_NAME if reference == REST else factor.levels[reference]
    info = group_info(factor.levels[group], other)
    info = replace(info, name=info.name + factor.where)
    pair = LevelPair(factor.name, group, reference)
    return Contrast(info, vector, pair, _conditional(factor, info.name))


def coefficient_contrast(design: Design, index: int) -> Contrast:
    """Contrast that tests one coefficient by itself."""
    vector = np.zeros(len(design.columns))
    vector[index] = 1.0
    return _described(design, vector, design.columns[index], is_coefficient=True)


def vector_contrast(design: Design, vector: Float, *, name: str = "") -> Contrast:
    """Contrast of a vector over all columns; without ``name`` it is called by its weights."""
    return _described(design, vector, name or written(vector, design.columns))


def _read(design: Design, contrasts: object, names: Names) -> list[Contrast]:
    match contrasts:
        case str():
            return [_from_text(design, contrasts, names)]
        case tuple() if any(isinstance(part, str) for part in contrasts):
            return [_from_tuple(design, contrasts)]
        case Mapping() if contrasts:
            return [_renamed(design, name, item, names) for name, item in contrasts.items()]
        case np.ndarray():
            return [_from_vector(design, row) for row in np.atleast_2d(contrasts)]
        case list() | tuple() if contrasts and all(_is_number(item) for item in contrasts):
            return [_from_vector(design, np.array(contrasts))]
        case list() | tuple() if contrasts:
            _hint_at_tuple(design, contrasts)
            return [found for item in contrasts for found in _read(design, item, names)]
    msg = (
        f"contrasts={contrasts!r} is none of: a tuple (column, group, reference), an expression "
        "'A - B', a vector of weights, a list of these, or a dict {name: one of these}."
    )
    raise InputError(msg)


def _renamed(design: Design, name: object, item: object, names: Names) -> Contrast:
    found = _read(design, item, names)
    if not isinstance(name, str) or not name or len(found) != 1:
        msg = f"contrasts: {name!r} must be a name, a string, of one contrast; it has {len(found)}."
        raise InputError(msg)
    return replace(found[0], info=replace(found[0].info, name=name))


def _from_tuple(design: Design, parts: tuple[Any, ...]) -> Contrast:
    if len(parts) != 3 or not isinstance(parts[0], str):
        msg = f"contrast {parts!r} is not (column, group, reference)."
        raise InputError(msg)
    column, group, reference = parts
    factor = design.factor(column)
    levels = factor.levels
    index = level_index(levels, group, column=factor.variable, argument="group")
    if means_rest(levels, reference, column=factor.variable):
        return level_contrast(design, factor, group=index, reference=REST)
    against = level_index(levels, reference, column=factor.variable)
    if index == against:
        msg = f"contrast {parts!r} compares {levels[index]!r} with itself."
        raise InputError(msg)
    return level_contrast(design, factor, group=index, reference=against)


def _from_text(design: Design, text: str, names: Names) -> Contrast:
    bare = text.strip().strip("`")
    if bare in design.columns and len(names.meanings[bare]) == 1:
        return coefficient_contrast(design, design.columns.index(bare))
    vector = read_expression(text, design, names=names)
    return _described(design, vector, text.strip())


def _from_vector(design: Design, row: np.ndarray[Any, Any]) -> Contrast:
    columns = design.columns
    if row.shape != (len(columns),) or row.dtype.kind not in "biuf":
        msg = (
            f"a contrast vector has one number for each of the {len(columns)} columns "
            f"{listed(columns)}; this one has shape {row.shape}."
        )
        raise InputError(msg)
    vector = row.astype(np.float64)
    if not np.isfinite(vector).all():
        msg = f"the contrast vector {vector.tolist()} is not finite."
        raise InputError(msg)
    return vector_contrast(design, vector)


def _described(
    design: Design, vector: Float, name: str, *, is_coefficient: bool = False
) -> Contrast:
    """Find out whether a vector compares two levels of a factor, and name them."""
    notes = tuple(
        note for factor in design.factors for note in _notes(design, factor, vector, name)
    )
    for factor in design.factors:
        pair = _pair(factor, vector)
        if pair is not None:
            other = REST_NAME if pair.reference == REST else factor.levels[pair.reference]
            kind: Kind = "coefficient" if is_coefficient else "group"
            info = TestInfo(name, kind, factor.levels[pair.group], other)
            return Contrast(info, vector, pair, notes)
    info = TestInfo(name, "coefficient" if is_coefficient else "contrast")
    return Contrast(info, vector, None, notes)


def _pair(factor: Factor, vector: Float) -> LevelPair | None:
    if factor.main_effect is None:
        return None
    coded = factor.main_effect >= 0
    weights = np.zeros(len(factor.levels))
    weights[coded] = vector[factor.main_effect[coded]]
    if np.count_nonzero(weights) != np.count_nonzero(vector):
        return None  # other columns take part
    if not factor.coded_in_full:
        weights[~coded] = -weights.sum()
    group, lowest = int(np.argmax(weights)), int(np.argmin(weights))
    if np.allclose(weights, factor.against(group, lowest), rtol=0, atol=_SAME_WEIGHT):
        return LevelPair(factor.name, group, lowest)
    if np.allclose(weights, factor.against_others(group), rtol=0, atol=_SAME_WEIGHT):
        return LevelPair(factor.name, group, REST)
    return None


def _notes(design: Design, factor: Factor, vector: Float, name: str) -> tuple[str, ...]:
    if factor.main_effect is None:
        return ()
    of_terms = {term: vector[list(design.terms[term])] for term in factor.terms}
    main = of_terms.pop(factor.name)
    if not main.any() or any(weights.any() for weights in of_terms.values()):
        return ()  # with interactions in it, the contrast says by itself where it is taken
    if factor.coded_in_full and abs(main.sum()) > _SAME_WEIGHT:
        return (f"{name!r} tests a mean of {factor.variable!r} against 0, not a difference.",)
    return _conditional(factor, name)


def _conditional(factor: Factor, name: str) -> tuple[str, ...]:
    if not factor.held_at:
        return ()
    where = " and ".join(factor.held_at)
    return (
        f"{name.removesuffix(factor.where)!r} is the effect where {where}, as the design has it.",
    )


def _require_names(contrasts: Sequence[Contrast]) -> None:
    counts = Counter(contrast.info.name for contrast in contrasts)
    if twice := [name for name, count in counts.items() if count > 1]:
        msg = (
            f"contrasts of the same name: {listed(twice)}; give names by a dict {{name: contrast}}."
        )
        raise InputError(msg)
    for contrast in contrasts:
        if not contrast.vector.any():
            msg = f"contrast {contrast.info.name!r} weights everything by 0; it tests nothing."
            raise InputError(msg)


def _hint_at_tuple(design: Design, items: Sequence[Any]) -> None:
    known = {factor.name for factor in design.factors} | {f.variable for f in design.factors}
    if len(items) == 3 and all(isinstance(item, str) for item in items) and items[0] in known:
        msg = f"contrasts={items!r} is a list of three contrasts; one is a tuple, {tuple(items)!r}."
        raise InputError(msg)


def _aliasing(design: Design) -> tuple[str, ...]:
    if not design.aliased:
        return ()
    note = (
        f"{listed(design.aliased)} of {design.text} follow from earlier columns and were left out; "
        "the contrasts do not depend on them."
    )
    return (note,)


def _is_number(item: object) -> bool:
    return isinstance(item, (int, float, np.number))

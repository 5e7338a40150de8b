"""Questions for methods that fit a design."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.design.comparison import NO_GROUP, ModelComparison
from dex.design.contrasts import (
    Contrasts,
    coefficient_contrast,
    contrast_set,
    level_contrast,
)
from dex.design.formula import read_formula
from dex.design.groups import (
    Groups,
    direction,
    group_info,
    means_rest,
    omnibus_name,
    two_sample_tests,
)
from dex.design.labels import Labels, is_numeric
from dex.design.matrix import Design
from dex.design.tests import TestInfo
from dex.design.wording import in_formula
from dex.errors import DesignError, InputError
from dex.typing import REST, Int

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dex.design.contrasts import ContrastSpec
    from dex.design.factor import Factor


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of a design."""

    contrasts: Contrasts
    omnibus: str
    """Name of the joint test."""
    notes: tuple[str, ...] = ()


def compare_by_model(
    obs: pd.DataFrame,
    *,
    groupby: str | None,
    design: str | pd.DataFrame | np.ndarray[Any, Any] | None,
    reference: object | None,
    contrasts: ContrastSpec | None,
    groups: Sequence[str] | None,
    omnibus: bool,
) -> ModelComparison:
    """Design and contrasts; the arguments are those of ``Comparison.from_obs``."""
    _require_groupby(groupby, reference=reference, groups=groups, contrasts=contrasts)
    built = _design(obs, groupby, design, reference)
    return compare_in_design(
        obs,
        built,
        groupby=groupby,
        reference=reference,
        contrasts=contrasts,
        groups=groups,
        omnibus=omnibus,
    )


def compare_in_design(
    obs: pd.DataFrame,
    built: Design,
    *,
    groupby: str | None,
    reference: object | None,
    contrasts: ContrastSpec | None,
    groups: Sequence[str] | None,
    omnibus: bool,
) -> ModelComparison:
    """Contrasts of a design that there is; its factors' columns of ``obs`` are as they were.

    Raises
    ------
    InputError
        If the question cannot be answered as put.
    """
    _require_groupby(groupby, reference=reference, groups=groups, contrasts=contrasts)
    if contrasts is not None:
        question = _asked(built, contrasts)
    elif groupby is not None:
        factor = built.factor(groupby)
        found = _groups(obs, built, factor)
        question = _levels(built, factor, found, reference, tested=groups, omnibus=omnibus)
    else:
        question = _last_term(built) if omnibus else _last_coefficient(built)
    return _comparison(obs, built, question, groupby=groupby, omnibus=omnibus)


def _require_groupby(
    groupby: str | None, *, reference: object, groups: object, contrasts: object
) -> None:
    if groupby is None and reference is not None:
        msg = (
            f"reference={reference!r} is a level of groupby=, which is not given; "
            "contrasts=(column, group, reference) name theirs."
        )
        raise InputError(msg)
    if groups is not None and (groupby is None or contrasts is not None):
        msg = "groups= picks levels of groupby=; it goes with groupby= and without contrasts=."
        raise InputError(msg)


def _design(
    obs: pd.DataFrame,
    groupby: str | None,
    design: str | pd.DataFrame | np.ndarray[Any, Any] | None,
    reference: object | None,
) -> Design:
    if groupby is None:
        if design is None:
            msg = "nothing says who is compared: give groupby=, or design= with contrasts=."
            raise InputError(msg)
        return Design.from_obs(obs, design)
    groups = Groups.from_obs(obs, groupby, reference=reference)
    if design is None:
        name = in_formula(groupby)
        design = f"~ C({name})" if is_numeric(obs[groupby]) else f"~ {name}"
    _require_in_design(obs, groupby, design)
    no_level = reference is None or means_rest(groups.levels, reference, column=groupby)
    built = Design.from_obs(obs, design, references=None if no_level else {groupby: reference})
    built.factor(groupby)  # for its message
    return built


def _require_in_design(obs: pd.DataFrame, groupby: str, design: object) -> None:
    if not isinstance(design, str):
        msg = (
            f"groupby={groupby!r} cannot be found in a design matrix; give contrasts= over its "
            "columns, or a formula."
        )
        raise InputError(msg)
    if groupby not in read_formula(design, [str(name) for name in obs.columns]).variables:
        msg = (
            f"groupby={groupby!r} is not in design={design!r}; write "
            f"design='{design} + {in_formula(groupby)}'."
        )
        raise InputError(msg)


def _groups(obs: pd.DataFrame, design: Design, factor: Factor) -> Groups:
    """Make groups of a factor of the observations that its main effect is of.

    With interactions these are the ones at the references of its partners. Levels are in the order
    of ``obs``.
    """
    labels = Labels.from_column(obs[factor.variable][design.kept])
    codes = np.full(len(obs), -1, dtype=np.intp)
    codes[design.kept] = np.where(factor.held, labels.codes, -1)
    reference, reason = labels.levels.index(factor.levels[0]), factor.reference_reason
    notes = direction(labels.levels, reference=reference, reason=reason)
    return Groups(factor.variable, labels.levels, codes, reference, reason, notes)


def _levels(
    design: Design,
    factor: Factor,
    groups: Groups,
    reference: object | None,
    *,
    tested: Sequence[str] | None,
    omnibus: bool,
) -> _Question:
    against = factor.levels[0] if omnibus else reference
    if means_rest(groups.levels, against, column=groups.column):
        groups = replace(groups, reference=None, notes=())
    pairs = two_sample_tests(groups, groups_tested=tested, reference=against).tests
    index = [factor.levels.index(level) for level in groups.levels]
    contrasts = [
        level_contrast(
            design,
            factor,
            group=index[group],
            reference=REST if other == REST else index[other],
        )
        for group, other in pairs
    ]
    name = omnibus_name(groups, pairs)
    return _Question(Contrasts.from_list(design, contrasts), name, groups.notes)


def _asked(design: Design, contrasts: ContrastSpec) -> _Question:
    found = contrast_set(design, contrasts)
    n_asked = len(found.infos)
    name = found.infos[0].name if n_asked == 1 else f"any of {n_asked} contrasts"
    return _Question(found, name)


def _last_coefficient(design: Design) -> _Question:
    term, _ = _last(design)
    name = design.columns[-1]
    if _are_means(design, term):
        msg = (
            f"{design.text}: its last coefficient, {name!r}, is a mean and no difference; "
            "give groupby= or contrasts=."
        )
        raise DesignError(msg)
    last = coefficient_contrast(design, len(design.columns) - 1)
    if last.pair is not None:  # a reader knows the levels, not how they are coded
        factor = design.factor(last.pair.factor)
        both = group_info(last.info.group, last.info.reference).name + factor.where
        last = replace(last, info=replace(last.info, name=both))
    found = Contrasts.from_list(design, [last])
    notes: tuple[str, ...] = (
        f"{design.text} was given by itself, so its last coefficient is tested: {name!r}.",
    )
    if (pair := found.pairs[0]) is not None:
        factor = design.factor(pair.factor)
        levels = (factor.levels[pair.reference], factor.levels[pair.group])
        notes += direction(levels, reference=0, reason=factor.reference_reason)
    return _Question(found, name, notes)


def _last_term(design: Design) -> _Question:
    term, columns = _last(design)
    note = f"{design.text} was given by itself, so all of its last term is tested: {term!r}."
    name = f"any effect of {term}"
    if any(factor.name == term for factor in design.factors):
        factor = design.factor(term)
        contrasts = [
            level_contrast(design, factor, group=group, reference=0)
            for group in range(1, len(factor.levels))
        ]
        return _Question(Contrasts.from_list(design, contrasts), name, (note,))
    if _are_means(design, term):
        msg = f"{design.text}: its last term, {term!r}, is means, no difference; give contrasts=."
        raise DesignError(msg)
    independent = [i for i in columns if i in design.estimable] or list(columns)
    found = Contrasts.from_list(design, [coefficient_contrast(design, i) for i in independent])
    return _Question(found, name, (note,))


def _last(design: Design) -> tuple[str, tuple[int, ...]]:
    return next((name, columns) for name, columns in reversed(design.terms.items()) if columns)


def _are_means(design: Design, term: str) -> bool:
    """Whether every observation belongs to one column of a term, as without an intercept."""
    places = np.isin(design.estimable, design.terms[term])
    return bool(np.allclose(design.matrix[:, places].sum(axis=1), 1.0))


def _comparison(
    obs: pd.DataFrame,
    design: Design,
    question: _Question,
    *,
    groupby: str | None,
    omnibus: bool,
) -> ModelComparison:
    contrasts = question.contrasts
    names = [pair.factor for pair in contrasts.pairs if pair is not None]
    factor = design.factor(groupby or names[0]) if groupby or names else None
    some = factor is not None and factor.held.any()  # else means of groups would be of nobody
    groups = _groups(obs, design, factor) if factor is not None and some else None
    tests = _codes(contrasts, factor, groups)
    of_one_factor = bool(np.all(tests != NO_GROUP))
    references = {info.reference for info in contrasts.infos}
    omnibus_info = TestInfo(question.omnibus, "omnibus")
    return ModelComparison(
        infos=(omnibus_info,) if omnibus else contrasts.infos,
        effects=contrasts.infos,
        omnibus=omnibus,
        kept=design.kept,
        groupby=factor.variable if factor is not None and of_one_factor else None,
        reference=references.pop() if of_one_factor and len(references) == 1 else None,
        notes=(*design.notes, *question.notes, *contrasts.notes),
        design=design,
        contrasts=contrasts,
        groups=groups,
        tests=tests,
    )


def _codes(contrasts: Contrasts, factor: Factor | None, groups: Groups | None) -> Int:
    tests = np.full((len(contrasts.pairs), 2), NO_GROUP, dtype=np.intp)
    if factor is None or groups is None:
        return tests
    for row, pair in enumerate(contrasts.pairs):
        if pair is not None and pair.factor == factor.name:
            other = pair.reference
            tests[row] = (
                groups.levels.index(factor.levels[pair.group]),
                REST if other == REST else groups.levels.index(factor.levels[other]),
            )
    return tests

"""The question of all observations, asked within one stratum of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.design.comparison import ModelComparison, TwoSampleComparison
from dex.errors import DesignError, InputError
from dex.typing import REST

if TYPE_CHECKING:
    import pandas as pd

    from dex.design.matrix import Design
    from dex.tl._question import Question
    from dex.typing import Bool, Int

    Compared = TwoSampleComparison | ModelComparison

_TREATMENT = "[T."
"""In the name of a coefficient, whose meaning hangs on which level is the reference."""


def comparison_within(
    question: Question, obs: pd.DataFrame, whole: Compared, *, model: bool
) -> Compared:
    """Ask it of some observations such that a test means what it means of all of them.

    The reference stays that of ``whole`` where a stratum by itself would have another, as without
    its controls. Of several contrasts, those are left that can be made.

    Raises
    ------
    InputError
        If no test is left.
    """
    ways = [question]
    if question.groupby is not None and question.contrasts is None and whole.reference:
        ways.append(replace(question, reference=whole.reference))
    problem: InputError | None = None
    for asked in ways:
        try:
            return _same(asked, obs, whole, model=model)
        except InputError as error:
            problem = problem or error
    possible = [one for one in _each_contrast(question) if _can_be(one, obs, whole, model=model)]
    if possible:
        return _same(_together(possible), obs, whole, model=model)
    assert problem is not None  # else it was returned
    raise problem


def _same(question: Question, obs: pd.DataFrame, whole: Compared, *, model: bool) -> Compared:
    """Ask, and refuse tests that mean something else than those of the same names in ``whole``."""
    comparison = question.comparison(obs, model=model)
    known = set(comparison.infos) <= set(whole.infos)
    if not known or not _means_the_same(question, comparison, whole):
        msg = (
            "it has other levels than all observations have, so its tests would mean other things."
        )
        raise DesignError(msg)
    return comparison


def _can_be(question: Question, obs: pd.DataFrame, whole: Compared, *, model: bool) -> bool:
    try:
        _same(question, obs, whole, model=model)
    except InputError:
        return False
    return True


def _each_contrast(question: Question) -> list[Question]:
    """The question with each of several contrasts alone; nothing if there is one."""
    given = question.contrasts
    if isinstance(given, Mapping):
        return [replace(question, contrasts={name: one}) for name, one in given.items()]
    if isinstance(given, list) and not all(isinstance(one, Number) for one in given):
        return [replace(question, contrasts=[one]) for one in given]
    return []


def _together(questions: list[Question]) -> Question:
    given = [question.contrasts for question in questions]
    together: Any = [one for some in given for one in some]
    if isinstance(given[0], Mapping):
        together = {name: one for some in given for name, one in some.items()}
    return replace(questions[0], contrasts=together)


def _means_the_same(question: Question, here: Compared, whole: Compared) -> bool:
    """Whether coefficients that are tested by name or by place are coded alike."""
    if not isinstance(here, ModelComparison) or not isinstance(whole, ModelComparison):
        return True
    asked = question.contrasts
    if asked is None:
        return question.groupby is not None or _coded_alike(here, whole)
    if isinstance(asked, tuple) and any(isinstance(part, str) for part in asked):
        return True
    if isinstance(asked, str):
        return _TREATMENT not in asked or _coded_alike(here, whole)
    if isinstance(asked, Mapping | list) and not all(isinstance(one, Number) for one in asked):
        items = asked.values() if isinstance(asked, Mapping) else asked
        return all(_means_the_same(replace(question, contrasts=one), here, whole) for one in items)
    return here.design.columns == whole.design.columns


def _coded_alike(here: ModelComparison, whole: ModelComparison) -> bool:
    """Whether the factors compared, and those in interactions, have the same references."""
    references = _references(whole.design)
    return all(
        references.get(name) == level
        for name, level in _references(here.design).items()
        if name in _not_only_adjusted_for(whole)
    )


def _references(design: Design) -> dict[str, str]:
    return {factor.name: factor.levels[0] for factor in design.factors}


def _not_only_adjusted_for(whole: ModelComparison) -> set[str]:
    design = whole.design
    tested = (whole.contrasts.vectors != 0).any(axis=0)
    columns = set(design.estimable[tested].tolist())
    terms = {name for name, places in design.terms.items() if columns.intersection(places)}
    return {
        factor.name
        for factor in design.factors
        if len(factor.terms) > 1 or terms.intersection(factor.terms)
    }


def too_few(rows: Int, whole: Compared, *, unit: str) -> tuple[Int, str]:
    """Observations of a stratum on both sides of every test, and in words what they lack."""
    kept = rows[whole.kept[rows]]
    n_tests = len(whole.infos)
    if whole.groups is None or whole.omnibus:
        n = np.repeat([[len(kept), 0]], n_tests, axis=0)
    else:
        sides = [_on_both_sides(whole.groups.codes[kept], test) for test in whole.tests]
        n = np.array(sides, dtype=np.intp)
    if whole.groups is not None:
        sizes = np.bincount(whole.groups.codes[kept], minlength=len(whole.groups.levels))
        if not sizes.all() or len(kept) < 3:
            counts = ", ".join(
                f"{size} of {level!r}"
                for level, size in zip(whole.groups.levels, sizes, strict=True)
            )
            return n, f"too few {unit} ({counts})."
    if len(kept) < 3:
        return n, f"too few {unit} ({len(kept)})."
    return n, ""


def _on_both_sides(codes: Int, test: Int) -> tuple[int, int]:
    group, reference = test
    if group < 0:  # compares no two groups
        return len(codes), 0
    others: Bool = codes != group if reference == REST else codes == reference
    return int((codes == group).sum()), int(others.sum())

"""Questions for methods that compare two groups and fit no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.design.comparison import TwoSampleComparison
from dex.design.groups import (
    Groups,
    TwoSample,
    against_name,
    group_info,
    means_rest,
    two_sample_tests,
)
from dex.design.reference import level_index
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.typing import REST

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dex.design.contrasts import ContrastSpec


def compare_two_samples(
    obs: pd.DataFrame,
    *,
    groupby: str | None,
    reference: object | None,
    contrasts: ContrastSpec | None,
    groups: Sequence[str] | None,
    omnibus: bool,
) -> TwoSampleComparison:
    """Codes and pairs of groups; the arguments are those of ``Comparison.from_obs``."""
    if contrasts is not None:
        found, tests = _from_contrasts(obs, _pairs(contrasts), groupby, reference, groups)
    elif groupby is None:
        msg = (
            "nothing says who is compared: give groupby=, or contrasts=(column, group, reference)."
        )
        raise InputError(msg)
    else:
        named = [groups] if isinstance(groups, str) else (groups or ())
        found = Groups.from_obs(obs, groupby, reference=reference, named=named)
        wanted = _of_omnibus(found, reference) if omnibus else reference
        tests = two_sample_tests(found, groups_tested=groups, reference=wanted)
    name = f"any difference in {found.column}"
    references = {info.reference for info in tests.infos}
    return TwoSampleComparison(
        infos=(TestInfo(name, "omnibus"),) if omnibus else tests.infos,
        effects=tests.infos,
        omnibus=omnibus,
        kept=found.kept,
        groupby=found.column,
        reference=references.pop() if len(references) == 1 else None,
        notes=found.notes,
        groups=found,
        tests=tests.tests,
    )


def _of_omnibus(groups: Groups, reference: object | None) -> object:
    """Return the reference of an omnibus test's effects: a level, unless the rest was given."""
    if reference is not None or groups.reference is None:
        return reference
    return groups.levels[groups.reference]


def _pairs(contrasts: object) -> list[tuple[str | None, tuple[Any, ...]]]:
    """Contrasts as (name or None, tuple)."""
    if isinstance(contrasts, Mapping) and contrasts:
        return [(str(name), pair) for name, item in contrasts.items() for _, pair in _pairs(item)]
    if isinstance(contrasts, list) and contrasts:
        return [pair for item in contrasts for pair in _pairs(item)]
    if isinstance(contrasts, tuple) and len(contrasts) == 3 and isinstance(contrasts[0], str):
        return [(None, contrasts)]
    msg = (
        f"contrasts={contrasts!r}: a rank or t test compares two groups, "
        "contrasts=(column, group, reference); method='ols' takes other contrasts."
    )
    raise InputError(msg)


def _from_contrasts(
    obs: pd.DataFrame,
    pairs: list[tuple[str | None, tuple[Any, ...]]],
    groupby: str | None,
    reference: object | None,
    groups: Sequence[str] | None,
) -> tuple[Groups, TwoSample]:
    columns = dict.fromkeys(pair[0] for _, pair in pairs)
    if groupby is not None:
        columns[groupby] = None
    if len(columns) != 1 or reference is not None or groups is not None:
        msg = (
            "contrasts=(column, group, reference) of a rank or t test say all by themselves: they "
            "are of one column, the same as groupby= if that is given, and without reference= and "
            f"groups=. The columns given are {', '.join(map(repr, columns)) or 'none'}."
        )
        raise InputError(msg)
    found = Groups.from_obs(
        obs,
        next(iter(columns)),
        reference=_only({pair[2] for _, pair in pairs}),
        named=[name for _, pair in pairs for name in pair[1:]],
    )
    tests = np.array([_codes(found, *pair[1:]) for _, pair in pairs], dtype=np.intp)
    infos = [group_info(found.levels[group], against_name(found, other)) for group, other in tests]
    named = [
        TestInfo(name or info.name, info.kind, info.group, info.reference)
        for (name, _), info in zip(pairs, infos, strict=True)
    ]
    if len({info.name for info in named}) < len(named):
        msg = f"contrasts of the same name among {[info.name for info in named]}."
        raise InputError(msg)
    return found, TwoSample(tests, tuple(named))


def _only(references: set[Any]) -> object:
    return references.pop() if len(references) == 1 else None


def _codes(groups: Groups, group: object, reference: object) -> tuple[int, int]:
    index = level_index(groups.levels, group, column=groups.column, argument="group")
    if means_rest(groups.levels, reference, column=groups.column):
        return index, REST
    against = level_index(groups.levels, reference, column=groups.column)
    if index == against:
        msg = f"a contrast of obs[{groups.column!r}] compares {groups.levels[index]!r} with itself."
        raise InputError(msg)
    return index, against

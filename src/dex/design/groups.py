"""Groups of observations that two-sample methods compare: a column of ``obs`` as codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.design.labels import Labels, column_of, is_numeric, label
from dex.design.reference import choose_reference, level_index
from dex.design.tests import TestInfo
from dex.design.wording import in_formula, plural
from dex.errors import InputError
from dex.typing import REST, Bool, Int

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

REST_NAME = "rest"
"""What the rest is called where a level's name would stand."""

_MAX_FLOAT_LEVELS = 20
_MAX_NAMES = 6
"""Groups that the name of a joint test lists."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one column of ``obs``."""

    column: str
    levels: tuple[str, ...]
    """Levels in use, in the column's order."""
    codes: Int
    """Index into ``levels``, shape ``(n_obs,)``; -1 where an observation is in no group."""
    reference: int | None
    """Index of the level that others are compared with; None if it is the rest."""
    reference_reason: str
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> Bool:
        """Observations that are in a group, shape ``(n_obs,)``."""
        return self.codes >= 0

    @property
    def sizes(self) -> Int:
        """Observations per group, shape ``(n_groups,)``."""
        return np.bincount(self.codes[self.kept], minlength=len(self.levels))

    @classmethod
    def from_obs(
        cls,
        obs: pd.DataFrame,
        groupby: str,
        *,
        reference: object | None = None,
        named: Collection[object] = (),
    ) -> Groups:
        """Read ``obs[groupby]``; missing labels are in no group, unused categories are gone.

        ``reference`` is a level, or ``"rest"`` for everybody else. Categories in ``named`` stay
        also where no observation has them, so that their tests can say so.

        Raises
        ------
        InputError
            If the column is not there, is continuous or has fewer than two levels in use, or if
            ``reference`` is not one of them.

        Examples
        --------
        >>> import pandas as pd
        >>> obs = pd.DataFrame({"drug": ["dex", "DMSO", "dex", None]})
        >>> groups = Groups.from_obs(obs, "drug")
        >>> groups.levels, groups.codes.tolist(), groups.levels[groups.reference]
        (('DMSO', 'dex'), [1, 0, 1, -1], 'DMSO')

        The order of plain strings is natural, so that cluster 10 follows cluster 9.
        """
        column = column_of(obs, groupby, argument="groupby")
        _require_groups(Labels.from_column(column), column)
        labels = Labels.from_column(column, named={label(name) for name in named})
        groups = cls.from_labels(labels, groupby, reference=reference)
        if not is_numeric(column) or len(groups.levels) == 2:
            return groups
        note = (
            f"obs[{groupby!r}] holds numbers, and each of the {len(groups.levels)} is a group; "
            f"design='~ {in_formula(groupby)}' fits a slope."
        )
        return replace(groups, notes=(note, *groups.notes))

    @classmethod
    def from_labels(cls, labels: Labels, column: str, *, reference: object | None = None) -> Groups:
        """Make groups of labels; ``column`` is their name in ``obs``."""
        missing = _missing(labels, column)
        if means_rest(labels.levels, reference, column=column):
            return cls(column, labels.levels, labels.codes, None, "as given", missing)
        chosen = choose_reference(labels, column=column, given=reference)
        says = direction(labels.levels, reference=chosen.index, reason=chosen.reason)
        notes = (*missing, *chosen.notes, *says)
        return cls(column, labels.levels, labels.codes, chosen.index, chosen.reason, notes)


@dataclass(frozen=True, slots=True)
class TwoSample:
    """Two-sample tests between groups."""

    tests: Int
    """Codes of (group, reference), shape ``(n_tests, 2)``; the reference may be ``REST``."""
    infos: tuple[TestInfo, ...]
    """One per row of ``tests``."""


def two_sample_tests(
    groups: Groups,
    *,
    groups_tested: Sequence[str] | None = None,
    reference: object | None = None,
) -> TwoSample:
    """List the tests of a column of groups.

    Two levels make one test, against the reference. More are each tested against the rest or, where
    ``reference`` was given, against it. ``groups_tested`` picks among them.

    Raises
    ------
    InputError
        If a level is not there, if nothing is left to test, or if the rest is meant and a level is
        called "rest" too.

    Examples
    --------
    >>> import pandas as pd
    >>> groups = Groups.from_obs(pd.DataFrame({"cluster": ["B", "NK", "T"]}), "cluster")
    >>> [info.name for info in two_sample_tests(groups).infos]
    ['B vs rest', 'NK vs rest', 'T vs rest']
    >>> [info.name for info in two_sample_tests(groups, reference="B").infos]
    ['NK vs B', 'T vs B']
    """
    tested = _tested(groups, groups_tested)
    against = _against(groups, reference)
    tested = [index for index in tested if index != against]
    if not tested:
        msg = (
            f"groups= names only the reference of obs[{groups.column!r}], "
            f"{groups.levels[against]!r}; name another group, or give reference= another level."
        )
        raise InputError(msg)
    pairs = np.array([(index, against) for index in tested], dtype=np.intp)
    other = against_name(groups, against)
    return TwoSample(pairs, tuple(group_info(groups.levels[index], other) for index in tested))


def omnibus_name(groups: Groups, tests: Int) -> str:
    """Name the joint test of ``tests`` ``(n_tests, 2)``; it lists the groups if they are not all.

    >>> groups = Groups("drug", ("a", "b", "ctrl"), np.arange(3), 2, "as given")
    >>> omnibus_name(groups, np.array([[0, 2], [1, 2]])), omnibus_name(groups, np.array([[0, 2]]))
    ('any difference in drug', 'any difference among a, ctrl in drug')
    """
    codes = np.unique(tests)
    if REST in codes or len(codes) == len(groups.levels):
        return f"any difference in {groups.column}"
    names = [groups.levels[code] for code in codes]
    if len(names) > _MAX_NAMES:
        names = [*names[:_MAX_NAMES], f"... ({len(names)} in all)"]
    return f"any difference among {', '.join(names)} in {groups.column}"


def group_info(group: str, reference: str) -> TestInfo:
    """Name the test of a group against a reference."""
    return TestInfo(f"{group} vs {reference}", "group", group, reference)


def against_name(groups: Groups, reference: int) -> str:
    """Return the name of a reference: a level, or "rest".

    Raises
    ------
    InputError
        If the rest is meant and there is a level of that name.
    """
    if reference != REST:
        return groups.levels[reference]
    if REST_NAME in groups.levels:
        raise _two_meanings_of_rest(groups.column)
    return REST_NAME


def means_rest(levels: Sequence[str], reference: object | None, *, column: str) -> bool:
    """Whether ``reference`` is everybody else; one of two levels called "rest" is just a level.

    Raises
    ------
    InputError
        If it could be both.
    """
    if reference != REST_NAME:
        return False
    if REST_NAME in levels and len(levels) > 2:
        raise _two_meanings_of_rest(column)
    return REST_NAME not in levels


def _tested(groups: Groups, names: Sequence[str] | None) -> list[int]:
    if names is None:
        return list(range(len(groups.levels)))
    if isinstance(names, str):
        names = [names]
    indices = [
        level_index(groups.levels, name, column=groups.column, argument="groups") for name in names
    ]
    return list(dict.fromkeys(indices))


def _against(groups: Groups, reference: object | None) -> int:
    if means_rest(groups.levels, reference, column=groups.column):
        return REST
    if reference is not None:
        return level_index(groups.levels, reference, column=groups.column)
    if len(groups.levels) > 2 or groups.reference is None:
        return REST
    return groups.reference


def _two_meanings_of_rest(column: str) -> InputError:
    msg = (
        f"obs[{column!r}] has a level called 'rest', which is also what everybody else is called: "
        "rename the level, or give reference= another level."
    )
    return InputError(msg)


def _missing(labels: Labels, column: str) -> tuple[str, ...]:
    count = int(np.sum(labels.codes < 0))
    if not count:
        return ()
    total = plural(labels.codes.size, "observation")
    return (f"{count:,} of {total} have no label in obs[{column!r}] and were left out.",)


def direction(levels: Sequence[str], *, reference: int, reason: str) -> tuple[str, ...]:
    """Say which of two levels a positive effect means; nothing if there are more."""
    if len(levels) != 2:
        return ()
    higher, lower = levels[1 - reference], levels[reference]
    return (f"Positive log2fc = higher in {higher!r}; the reference is {lower!r} ({reason}).",)


def _require_groups(labels: Labels, column: pd.Series[Any]) -> None:
    name, n_obs, n_levels = column.name, len(column), len(labels.levels)
    if not n_obs:
        msg = f"obs has no observation, so obs[{name!r}] has no group to compare."
        raise InputError(msg)
    if not n_levels:
        msg = f"obs[{name!r}] holds missing values only; there is no group to compare."
        raise InputError(msg)
    if n_levels == 1:
        count = plural(int(np.sum(labels.codes >= 0)), "observation")
        msg = (
            f"obs[{name!r}] has one group only, {labels.levels[0]!r} ({count}); "
            "a comparison needs two."
        )
        raise InputError(msg)
    too_many = n_levels > max(2, min(_MAX_FLOAT_LEVELS, n_obs // 2))
    if is_numeric(column) and column.dtype.kind == "f" and too_many:
        msg = (
            f"groupby={name!r} is continuous ({n_levels:,} different numbers): "
            f"use design='~ {in_formula(str(name))}'."
        )
        raise InputError(msg)

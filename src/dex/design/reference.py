"""Which level the others are compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dex.design.labels import label
from dex.design.wording import all_of, did_you_mean, listed
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.design.labels import Labels

# As written by _bare: lower case, without separators.
CONTROL_NAMES: Final = frozenset(
    """
    control controls ctrl ctrls ctl ctls contr cntrl cntl controlgroup ctrlgroup
    negativecontrol negcontrol negctrl negctl
    untreated untreat untr untrt nontreated nottreated notreatment notreat notreated
    unstimulated unstim nonstimulated nostim nostimulation uninduced noninduced unperturbed
    wt wildtype wtype wtwt
    vehicle veh vehiclecontrol vehiclecontrols vehctrl dmso dmsocontrol pbs saline
    mock mocktreated mockinfected mockcontrol mocktransfected
    nontargeting nontarget nontargetingcontrol nontargetingcontrols nontargetcontrol ntc ntctrl
    ntcontrol nontargetinggrna nontargetingsgrna nontargetingguide safetargeting
    scramble scrambled scramblecontrol scrambledcontrol shscramble siscramble shscr siscr
    sgcontrol sgctrl sgnt sgntc shcontrol shctrl sicontrol sictrl sinc sint shnt
    emptyvector emptyvectorcontrol untransfected nontransfected untransduced nontransduced
    placebo healthy healthycontrol healthycontrols healthydonor normalcontrol
    unaffected nondiseased nondisease nodisease
    sham shamoperated shamsurgery
    uninfected noninfected unexposed uninjured uninjected unvaccinated unchallenged
    """.split()  # noqa: SIM905 - a list literal takes ninety lines
)
WEAK_CONTROL_NAMES: Final = frozenset(
    "con cont none neg negative nc nt ev hc normal naive naïve baseline reference ref".split()  # noqa: SIM905
)
"""Names that also mean other things; they count where no level has one of the others."""
_WILD_TYPE_GENOTYPE = "+/+"


@dataclass(frozen=True, slots=True)
class Reference:
    """The level that the others are compared with, and why."""

    index: int
    """Its index among the levels."""
    reason: str
    """Why it is this one."""
    notes: tuple[str, ...] = ()


def choose_reference(labels: Labels, *, column: str, given: object = None) -> Reference:
    """Choose the reference: as given, else as order or names suggest, else the first level.

    The rule: ``given``; else the first category of an ordered categorical; else the one level whose
    name means control (``ctrl``, ``DMSO``, ``wild type``, ``non-targeting``; only if there is none,
    ``NC``, ``EV``, ``naive``, ``none``); else the first level.

    Raises
    ------
    InputError
        If ``given`` is not a level.
    """
    if given is not None:
        return Reference(level_index(labels.levels, given, column=column), "as given")
    if labels.ordered:
        return Reference(0, "the first category of an ordered column")
    controls = _controls(labels.levels)
    if len(controls) == 1:
        return Reference(controls[0], "its name means control")
    if not controls:
        return Reference(0, "the first level")
    names = all_of([labels.levels[i] for i in controls])
    note = (
        f"{names} of obs[{column!r}] all read as controls, so the reference is the first level, "
        f"{labels.levels[0]!r}; reference= names another."
    )
    return Reference(0, "the first level", (note,))


def means_control(level: str) -> bool:
    """Whether a level's name says that it is the control.

    >>> [means_control(name) for name in ("Non-Targeting", "wild type", "DMSO", "normalised")]
    [True, True, True, False]
    """
    return _surely_means_control(level) or _bare(level) in WEAK_CONTROL_NAMES


def _surely_means_control(level: str) -> bool:
    return level.strip() == _WILD_TYPE_GENOTYPE or _bare(level) in CONTROL_NAMES


def _controls(levels: Sequence[str]) -> list[int]:
    """Indices of the levels whose names mean control, the ambiguous ones only among themselves."""
    sure = [i for i, level in enumerate(levels) if _surely_means_control(level)]
    return sure or [i for i, level in enumerate(levels) if means_control(level)]


def level_index(
    levels: Sequence[str], given: object, *, column: str, argument: str = "reference"
) -> int:
    """Index of a level.

    Raises
    ------
    InputError
        If it is not among the levels in use.
    """
    if (name := label(given)) in levels:
        return levels.index(name)
    msg = f"{argument}={name!r} is not in obs[{column!r}]; it has {listed(levels)}."
    raise InputError(msg + did_you_mean(name, levels))


def _bare(level: str) -> str:
    return re.sub(r"[\W_]+", "", level.lower())

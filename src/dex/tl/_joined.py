"""Results of strata, side by side in one result."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.results import Result
from dex.results.schema import Status
from dex.stats.multitest import adjust_columns
from dex.tl._joined_fits import fits_joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.data.expression import Columns
    from dex.design.comparison import ModelComparison, TwoSampleComparison
    from dex.design.tests import TestInfo
    from dex.tl._options import Options
    from dex.tl._per import Stratum
    from dex.typing import Float, Int

_OF_ONE_FIT = frozenset({"contrasts", "design_columns", "sample_design", "sample_weights"})
"""Parameters that belong to the fit of one stratum: joined by :func:`fits_joined`."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What the strata have in common."""

    per: str
    """Column of ``obs`` that they are levels of."""
    whole: TwoSampleComparison | ModelComparison
    """The question, asked of all observations: its tests are those of every stratum."""
    params: dict[str, Any]
    notes: tuple[str, ...]
    genes: Int
    """Positions of the genes that were to be tested."""
    options: Options


def joined(strata: Sequence[Stratum], about: Joined, *, n_vars: int, n_obs: int) -> Result:
    """Put the tests of all strata into one result, stratum by stratum.

    ``padj`` is over the genes of a test, ``padj_global`` over those of all strata for the same
    contrast. ``n_obs`` is the number of observations, or samples, that the strata divide.
    """
    columns = _columns(strata, about, n_vars)
    n = _sizes(strata, about)
    of_fits, by_obs = fits_joined(strata, about.whole.infos, n_obs)
    return Result(
        columns,
        tuple(_named(stratum, info) for stratum in strata for info in about.whole.infos),
        tuple(n[:, 0].tolist()),
        tuple(n[:, 1].tolist()),
        about.params | _params(strata) | of_fits,
        (*about.notes, *_notes(strata, about.per)),
        _effects(strata),
        _size_factors(strata, n_obs),
        **by_obs,
    )


def _named(stratum: Stratum, info: TestInfo) -> TestInfo:
    return replace(info, name=f"{stratum.name}: {info.name}", per=stratum.name)


def _columns(strata: Sequence[Stratum], about: Joined, n_vars: int) -> Columns:
    results = [stratum.result for stratum in strata if stratum.result is not None]
    names = dict.fromkeys(name for result in results for name in result.columns)
    parts = [_of_stratum(stratum, about, list(names), n_vars) for stratum in strata]
    columns = {name: np.hstack([part[name] for part in parts]) for name in names}
    _adjust_together(columns, about)
    return columns


def _of_stratum(stratum: Stratum, about: Joined, names: list[str], n_vars: int) -> Columns:
    """Columns of one stratum, ``(n_vars, n_tests)``: all tests of the whole, also those missing."""
    infos = about.whole.infos
    columns: Columns = {name: np.full((n_vars, len(infos)), np.nan) for name in names}
    columns["status"] = np.full((n_vars, len(infos)), Status.FILTERED, dtype=np.int8)
    columns["status"][about.genes] = stratum.status
    if stratum.result is None:
        return columns
    places = [infos.index(info) for info in stratum.result.infos]
    for name, values in stratum.result.columns.items():
        columns[name][:, places] = values
    return columns


def _adjust_together(columns: Columns, about: Joined) -> None:
    """Adjust over all strata, the genes that have an adjusted p-value in theirs."""
    method, n_tests = about.options.padj_method, len(about.whole.infos)
    log10_pval = columns["log10_pval"]
    log_p = np.where(np.isnan(columns["log10_padj"]), np.nan, log10_pval)
    together = np.full(log_p.shape, np.nan)
    for test in range(n_tests):
        same = slice(test, None, n_tests)
        together[:, same] = adjust_columns(log_p[:, same], method, scope="global")
    columns["log10_padj_global"], columns["padj_global"] = together, 10**together
    if about.options.padj_scope == "global":
        columns["log10_padj"] = adjust_columns(log_p, method, scope="global")
        columns["padj"] = 10 ** columns["log10_padj"]


def _sizes(strata: Sequence[Stratum], about: Joined) -> Int:
    """Observations on both sides of every test, ``(n_strata * n_tests, 2)``."""
    n = [stratum.n.copy() for stratum in strata]
    for sizes, stratum in zip(n, strata, strict=True):
        if (result := stratum.result) is not None:
            places = [about.whole.infos.index(info) for info in result.infos]
            sizes[places] = np.column_stack([result.n_group, result.n_reference])
    return np.vstack(n)


def _params(strata: Sequence[Stratum]) -> dict[str, Any]:
    """What all strata agree in; and, of the samples of all of them, names and size factors."""
    every = [stratum.result.params for stratum in strata if stratum.result is not None]
    agreed = {
        name: value
        for name, value in every[0].items()
        if all(name in one and _equal(one[name], value) for one in every)
        and name not in _OF_ONE_FIT
    }
    for name in ("sample_names", "sample_size_factors"):
        if name in every[0]:
            agreed[name] = np.concatenate([one[name] for one in every])
    return agreed | {"n_obs": sum(int(one["n_obs"]) for one in every)}


def _equal(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))  # type: ignore[arg-type]
    return bool(one == other)


def _notes(strata: Sequence[Stratum], per: str) -> list[str]:
    """What was said of strata: once where it is the same but for numbers, then what is missing."""
    tested = [stratum for stratum in strata if stratum.result is not None]
    said: dict[str, list[tuple[str, str]]] = {}
    for stratum in tested:
        for note in stratum.result.notes if stratum.result is not None else ():
            said.setdefault(re.sub(r"[+−-]?\d[\d,.]*", "#", note), []).append((stratum.name, note))
    notes = []
    for same in said.values():
        name, note = same[0]
        if len(same) == len(tested) and len({text for _, text in same}) == 1:
            notes.append(note)
        else:
            more = f" (So in {len(same) - 1} more of {per!r}.)" if len(same) > 1 else ""
            notes.append(f"{name!r}: {note}{more}")
    return [*notes, *(f"{per} {stratum.problem}" for stratum in strata if stratum.problem)]


def _effects(strata: Sequence[Stratum]) -> dict[str, Float]:
    return {
        f"{stratum.name}: {name}": values
        for stratum in strata
        if stratum.result is not None
        for name, values in stratum.result.effects.items()
    }


def _size_factors(strata: Sequence[Stratum], n_obs: int) -> Float | None:
    """Of the observations, each of one stratum; those of samples are in the parameters."""
    full = np.full(n_obs, np.nan)
    known = False
    for stratum in strata:
        if stratum.result is not None and stratum.result.size_factors is not None:
            full[stratum.rows] = stratum.result.size_factors
            known = True
    return full if known else None

"""Which method, when none is named: by what a row of ``X`` is and what is known of replicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dex.data.scale import Scale
from dex.data.source import FEWEST_CELLS
from dex.design.replicates import (
    looks_like_clusters,
    replicate_candidates,
    without_synonyms,
)
from dex.design.wording import listed
from dex.errors import InputError
from dex.tl.methods import METHODS, Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dex.data import Source


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be run."""

    method: Method
    replicate: str | None
    """Column of ``obs`` whose levels are the independent units that cells are added up into."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan(
    source: Source,
    obs: pd.DataFrame,
    *,
    method: str,
    compared: Sequence[str],
    design: object,
    replicate: str | None,
    counts: bool,
) -> Plan:
    """Choose the method, and whether cells are added up into samples first.

    ``compared`` are the columns of ``obs`` whose effect is asked for. ``replicate`` is a
    column, None for none, or ``"auto"`` for the one column that obviously names replicates.
    ``counts`` says whether counts are at hand, in the matrix or in a layer.

    Raises
    ------
    InputError
        If the method or the column is not one that there is.
    """
    if method != "auto" and method not in METHODS:
        msg = f"method={method!r} is not known; it is one of {listed(['auto', *METHODS])}."
        raise InputError(msg)
    if replicate not in {None, "auto"}:
        return Plan(METHODS["edger" if method == "auto" else method], replicate)
    candidates = _candidates(source, obs, compared) if replicate == "auto" else ()
    if method != "auto":
        return Plan(METHODS[method], None, warnings=_warning(source, candidates, compared))
    if source.unit == "samples":
        chosen = METHODS[_for_samples(source, counts=counts)]
        note = f"method='auto': these are samples{' with counts' * counts}, so {chosen.title}."
        return Plan(chosen, None, (note,), _warning(source, candidates, compared))
    if len(candidates) == 1:
        note = (
            f"method='auto': cells are not replicates, so their counts are added up by "
            f"obs[{candidates[0]!r}]; replicate= names another column, or None."
        )
        return Plan(METHODS["edger"], candidates[0], (note,))
    chosen = METHODS["wilcoxon" if design is None else "ols"]
    note = f"method='auto': these are cells, so {chosen.title}; p-values of cells are exploratory."
    return Plan(chosen, None, (note,), _warning(source, candidates, compared))


def _for_samples(source: Source, *, counts: bool) -> str:
    """Counts are modelled as they are, logs with variances moderated along their means."""
    if counts:
        return "edger"
    becomes_log = source.scale.is_log or (source.scale is Scale.LINEAR and not source.explicit)
    return "limma" if becomes_log else "ols"


def _candidates(source: Source, obs: pd.DataFrame, compared: Sequence[str]) -> tuple[str, ...]:
    """Columns that name replicates, where conditions of many observations are compared.

    Clusters are not conditions: cells of one donor differ by themselves there.
    """
    conditions = [name for name in compared if not looks_like_clusters(name)]
    if not conditions or (source.unit == "samples" and len(obs) < FEWEST_CELLS):
        return ()
    found = [replicate_candidates(obs, name) for name in conditions]
    shared = [name for name in found[0] if all(name in others for others in found)]
    return without_synonyms(obs, shared, conditions)


def _warning(
    source: Source, candidates: tuple[str, ...], compared: Sequence[str]
) -> tuple[str, ...]:
    if not candidates:
        return ()
    what = "Cells" if source.unit == "cells" else "Observations"
    return (
        f"{what} are tested as if each were a replicate of {listed(compared)}, but obs has "
        f"{listed(candidates)}: p-values will be far too small; replicate={candidates[0]!r} adds "
        f"up the {what.lower()} of each (replicate=None silences this).",
    )

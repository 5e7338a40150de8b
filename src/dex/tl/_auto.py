"""Which method, when none is named: by what a row of ``X`` is and what is known of replicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dex.design.replicates import looks_like_clusters, replicate_candidates
from dex.design.wording import listed
from dex.errors import InputError
from dex.tl.methods import METHODS, Method

if TYPE_CHECKING:
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
    compared: str | None,
    design: object,
    replicate: str | None,
) -> Plan:
    """Choose the method, and whether cells are added up into samples first.

    ``compared`` is the column whose levels are compared, if there is one. ``replicate`` is a
    column, None for none, or ``"auto"`` for the one column that obviously names replicates.

    Raises
    ------
    InputError
        If the method or the column is not one that there is.
    """
    if method != "auto" and method not in METHODS:
        msg = f"method={method!r} is not known; it is one of {listed(['auto', *METHODS])}."
        raise InputError(msg)
    if replicate not in {None, "auto"}:
        return Plan(METHODS["ols" if method == "auto" else method], replicate)
    candidates = _candidates(source, obs, compared) if replicate == "auto" else ()
    if method != "auto":
        return Plan(METHODS[method], None, warnings=_warning(candidates, compared))
    if source.unit == "samples":
        return Plan(
            METHODS["ols"], None, ("method='auto': these are samples, so ordinary least squares.",)
        )
    if len(candidates) == 1:
        note = (
            f"method='auto': cells are not replicates, so their counts are added up by "
            f"obs[{candidates[0]!r}]; replicate= names another column, or None."
        )
        return Plan(METHODS["ols"], candidates[0], (note,))
    chosen = METHODS["wilcoxon" if design is None else "ols"]
    note = f"method='auto': these are cells, so {chosen.title}; p-values of cells are exploratory."
    return Plan(chosen, None, (note,), _warning(candidates, compared))


def _candidates(source: Source, obs: pd.DataFrame, compared: str | None) -> tuple[str, ...]:
    """Columns that name replicates, where conditions of cells are compared, not clusters."""
    if source.unit == "samples" or compared is None or looks_like_clusters(compared):
        return ()
    return replicate_candidates(obs, compared)


def _warning(candidates: tuple[str, ...], compared: str | None) -> tuple[str, ...]:
    if not candidates:
        return ()
    return (
        f"Cells are tested as if each were a replicate of obs[{compared!r}], but obs has "
        f"{listed(candidates)}: p-values will be far too small; replicate={candidates[0]!r} adds "
        "up the cells of each (replicate=None silences this).",
    )

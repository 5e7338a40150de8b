"""Levels that take no part: neither tested nor in the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.design.labels import Labels, column_of
from dex.design.reference import level_index
from dex.design.wording import all_of, listed, plural
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def leave_out(
    obs: pd.DataFrame,
    groupby: str | None,
    exclude: Sequence[str],
    *,
    named: Sequence[str] = (),
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take the labels in ``obs[groupby]`` away from the observations of some levels.

    ``named`` are levels that the question names elsewhere, as its reference.

    Returns
    -------
    ``obs``, a copy if anything was left out, and a note that says what was.

    Raises
    ------
    InputError
        If there is no such level, or if one is named elsewhere too.

    Examples
    --------
    >>> obs = pd.DataFrame({"guide": ["a", "b", "ctrl", "ctrl"]})
    >>> kept, notes = leave_out(obs, "guide", ["ctrl"])
    >>> kept["guide"].notna().tolist(), notes[0]
    ([True, True, False, False], "exclude='ctrl': 2 observations count as having no label.")
    """
    levels = [exclude] if isinstance(exclude, str) else list(exclude)
    if not levels:
        return obs, ()
    if groupby is None:
        msg = f"exclude={levels!r} names levels of a column; give groupby= too."
        raise InputError(msg)
    column = column_of(obs, groupby, argument="groupby")
    labels = Labels.from_column(column, named=[*map(str, levels), *map(str, named)])
    codes = [level_index(labels.levels, one, column=groupby, argument="exclude") for one in levels]
    names = [labels.levels[code] for code in codes]
    if both := [name for name in names if name in map(str, named)]:
        msg = f"exclude= leaves out {listed(both)} of obs[{groupby!r}], which is also to be tested."
        raise InputError(msg)
    out = np.isin(labels.codes, codes)
    count = plural(int(out.sum()), "observation")
    shown = all_of(names) if len(names) <= 5 else f"{len(names)} levels"
    masked = obs.copy(deep=False)
    codes_left = np.where(out, -1, labels.codes)
    masked[groupby] = pd.Categorical.from_codes(
        codes_left, pd.Index(labels.levels), ordered=labels.ordered
    )
    return masked, (f"exclude={shown}: {count} count as having no label.",)

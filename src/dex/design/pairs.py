"""Pairs of observations: one in the group and one in the reference, of one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.design.labels import Labels, column_of
from dex.design.wording import listed, plural
from dex.errors import DesignError, InputError
from dex.typing import REST, Int

if TYPE_CHECKING:
    import pandas as pd

    from dex.design.groups import Groups


@dataclass(frozen=True, slots=True)
class Pairs:
    """Observations matched one to one."""

    rows: Int
    """Positions in ``obs``, in the group and in the reference, shape ``(n_pairs, 2)``."""
    notes: tuple[str, ...] = ()


def matched_pairs(obs: pd.DataFrame, groups: Groups, test: Int, *, block: str | None) -> Pairs:
    """Pair the observations of two groups that share a level of ``obs[block]``.

    Levels with an observation on one side only are left out, which is noted.

    Raises
    ------
    InputError
        If ``block`` is not given or not in ``obs``, or if the test is against the rest.
    DesignError
        If a level has several observations on a side, or if fewer than two pairs are left.
    """
    group, reference = (int(code) for code in test)
    if block is None:
        msg = (
            "a paired test needs block=, the column of obs that says which observations belong "
            f"together (a donor, say); obs has {listed(obs.columns)}."
        )
        raise InputError(msg)
    if reference == REST:
        msg = f"a paired test needs a reference= among {listed(groups.levels)}, not the rest."
        raise InputError(msg)
    blocks = Labels.from_column(column_of(obs, block, argument="block"))
    sides = [_one_per_block(groups, code, blocks, block) for code in (group, reference)]
    complete = (sides[0] >= 0) & (sides[1] >= 0)
    if complete.sum() < 2:
        names = f"{groups.levels[group]!r} and {groups.levels[reference]!r}"
        msg = (
            f"{plural(int(complete.sum()), 'level')} of obs[{block!r}] have an observation in both "
            f"{names}; a paired test needs at least 2 pairs."
        )
        raise DesignError(msg)
    half = np.flatnonzero(~complete & ((sides[0] >= 0) | (sides[1] >= 0)))
    rows = np.column_stack([side[complete] for side in sides])
    if not len(half):
        return Pairs(rows)
    alone = listed([blocks.levels[i] for i in half], limit=5)
    return Pairs(rows, (f"{plural(len(half), 'unpaired observation')} left out: {block} {alone}.",))


def _one_per_block(groups: Groups, code: int, blocks: Labels, name: str) -> Int:
    """Position of the block's observation in the group, shape ``(n_blocks,)``; -1 if none."""
    rows = np.flatnonzero((groups.codes == code) & (blocks.codes >= 0))
    numbers = np.bincount(blocks.codes[rows], minlength=len(blocks.levels))
    if numbers.max(initial=0) > 1:
        level = blocks.levels[int(numbers.argmax())]
        msg = (
            f"obs[{name!r}] = {level!r} has {numbers.max()} observations in "
            f"{groups.levels[code]!r}, where a paired test takes one; add them up first, or use "
            f"method='ols' with design='~ {name} + {groups.column}'."
        )
        raise DesignError(msg)
    position = np.full(len(blocks.levels), -1, dtype=np.intp)
    position[blocks.codes[rows]] = rows
    return position

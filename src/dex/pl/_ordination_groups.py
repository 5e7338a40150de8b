"""Where groups of observations are named on a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

if TYPE_CHECKING:
    from dex.pl._strips import Levels
    from dex.typing import Float, Int

_MANY = 100
"""Observations from which on names may take the place of the key."""
_NEAREST = 15
_APART = 0.8
_MOST_TRIED = 500


@dataclass(frozen=True, slots=True)
class GroupPlaces:
    """Where each group that occurs is named."""

    codes: Int
    """``(n_groups,)``, of the levels."""
    rows: Int
    """``(n_groups,)``: an observation of the group, in the midst of its own."""
    purity: Float
    """``(n_groups,)``: part of the nearest neighbours there that are of the group."""
    n_obs: int

    @property
    def are_regions(self) -> bool:
        """Whether there are so many points that names may lie over them."""
        return self.n_obs >= _MANY

    @property
    def lie_apart(self) -> bool:
        """Whether every name is over points of its own group, and of many."""
        return self.are_regions and bool((self.purity >= _APART).all())


def places_of_groups(xy: Float, levels: Levels) -> GroupPlaces:
    """Place each group at its observation nearest to its median that is among its own.

    If the groups overlap too much for that, at the one with the most of its own around.
    """
    codes = np.unique(levels.codes[levels.codes >= 0])
    tree = KDTree(xy)
    found = [_midst(xy, levels.codes, code, tree) for code in codes]
    rows, purity = zip(*found, strict=True) if found else ((), ())
    return GroupPlaces(codes, np.array(rows, dtype=np.intp), np.array(purity), len(xy))


def _midst(xy: Float, codes: Int, code: int, tree: KDTree) -> tuple[int, float]:
    """Row of an observation of a group, and how pure its neighbourhood is."""
    own = np.flatnonzero(codes == code)
    middle = np.median(xy[own], axis=0)
    own = own[np.argsort(np.hypot(*(xy[own] - middle).T), kind="stable")]
    tried = own[np.unique(np.linspace(0, len(own) - 1, _MOST_TRIED).astype(np.intp))]
    nearest = tree.query(xy[tried], k=min(_NEAREST, len(own), len(xy)))[1]
    purity = (codes[nearest.reshape(len(tried), -1)] == code).mean(axis=1)
    good = np.flatnonzero(purity >= _APART)
    best = int(good[0]) if len(good) else int(np.argmax(purity))
    return int(tried[best]), float(purity[best])

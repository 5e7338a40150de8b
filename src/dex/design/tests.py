"""The second axis of a result: what was tested against what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["group", "contrast", "coefficient", "omnibus"]


@dataclass(frozen=True, slots=True)
class TestInfo:
    """One test: a column of every result array."""

    __test__ = False  # not for pytest

    name: str
    """Unique among the tests of one result, as in ``treated vs control``."""
    kind: Kind
    """``group`` (two sets of observations), ``contrast``, ``coefficient`` or ``omnibus``."""
    group: str = ""
    """The side that is higher where ``log2fc`` is positive; empty where there is no such side."""
    reference: str = ""
    """The other side: a level, ``rest``, or empty."""
    per: str = ""
    """The stratum (a cell type, say) that the test was made in; empty for all observations."""

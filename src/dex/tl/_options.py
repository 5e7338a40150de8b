"""What the user may set, checked before the first number is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from dex.data.threads import thread_count
from dex.errors import InputError
from dex.results.store import check_key
from dex.stats.multitest import METHODS as PADJ_METHODS
from dex.stats.stratified_ranks import Weights
from dex.tl._model import NoOptions
from dex.typing import Alternative

Scope = Literal["test", "global"]


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a ranking: those that every method takes, or refuses, and its own."""

    lfc: float
    block: str | None
    padj_method: str
    padj_scope: Scope
    key_added: str
    n_threads: int | None
    size_factors: str
    alternative: Alternative
    continuity: bool
    weights: Weights
    lengths: str | None = None
    """Layer with average transcript lengths, for count models."""
    control_genes: str | None = None
    """Boolean column of ``var``: genes that size factors are told by."""
    min_cells: int | None = None
    """Of a sample that cells are added up into; None is 10 of cells: sums of fewer are noise."""
    stats: tuple[str, ...] = ()
    """Columns that were asked for: those that take work of their own are made for it."""
    fit: Any = field(default_factory=NoOptions)
    """Options of the method's own for its fit."""
    test: Any = field(default_factory=NoOptions)
    """Likewise for its tests."""

    @property
    def observation_weights(self) -> str | None:
        """Layer with weights, of methods that take them."""
        return getattr(self.fit, "observation_weights", None)

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        check_key(self.key_added)
        thread_count(self.n_threads)
        require_choice("padj_method", self.padj_method, PADJ_METHODS)
        require_choice("padj_scope", self.padj_scope, ("test", "global"))
        require_choice("alternative", self.alternative, get_args(Alternative))
        require_choice("continuity", self.continuity, (False, True))
        require_choice("weights", self.weights, get_args(Weights))
        if self.min_cells is not None and not _is_count(self.min_cells):
            msg = f"min_cells={self.min_cells!r} is not a number of cells; give 1 or more."
            raise InputError(msg)
        if not _is_threshold(self.lfc):
            msg = f"lfc={self.lfc!r} is not a threshold; give a log2 fold change of 0 or more."
            raise InputError(msg)


def _is_count(value: object) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and bool(value >= 1)  # type: ignore[operator]


def _is_threshold(value: object) -> bool:
    return isinstance(value, int | float | np.number) and bool(0 <= value < float("inf"))


def require_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Refuse a value that is not one of the choices.

    Raises
    ------
    InputError
        If it is not.
    """
    if value not in choices:
        msg = f"{name}={value!r} is not known; it is one of {', '.join(map(repr, choices))}."
        raise InputError(msg)


def require_level(name: str, value: float) -> None:
    """Refuse what is no level of a test.

    Raises
    ------
    InputError
        If it is not between 0 and 1.
    """
    if not 0 < value < 1:
        msg = f"{name}={value!r} is not a level; give a number between 0 and 1."
        raise InputError(msg)

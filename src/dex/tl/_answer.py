"""What a method says of the genes tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dex.data.expression import Columns
    from dex.results.fit import Fit
    from dex.typing import Bool, Int


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns of the genes tested, and what is to be known of the tests."""

    columns: Columns
    n: Int
    """Observations on both sides of every test, shape ``(n_tests, 2)``."""
    unreplicated: Bool
    """Tests with too few observations for a p-value, shape ``(n_tests,)``."""
    notes: tuple[str, ...] = ()
    not_estimable: Bool = field(default_factory=lambda: np.zeros(1, dtype=bool))
    """Tests that no stratum can make, shape ``(n_tests,)``, or one False for all."""
    params: dict[str, Any] = field(default_factory=dict)
    """What was found on the way and is to be recorded."""
    fit: Fit | None = None
    """Of a model, for its diagnostics."""


def everybody(n_obs: int) -> Int:
    """Number of observations on both sides of a test that compares no two groups."""
    return np.array([[n_obs, 0]])

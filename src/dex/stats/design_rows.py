"""The different rows of a design: observations that share one have one mean, up to their depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class DesignRows:
    """A design matrix without its repetitions."""

    rows: Float
    """Different rows, shape ``(n_rows, n_coefs)``."""
    index: Int
    """Row of every observation, shape ``(n_obs,)``."""
    to_coef: Float | None
    """Inverse of ``rows`` where there are as many as coefficients: each is a group of its own, and
    coefficients follow from the groups' log means; None otherwise."""

    @classmethod
    def from_design(cls, design: Float) -> DesignRows:
        """Find the rows of a design of full column rank, shape ``(n_obs, n_coefs)``.

        Examples
        --------
        >>> design = np.array([[1.0, 0], [1, 1], [1, 0], [1, 1]])
        >>> found = DesignRows.from_design(design)
        >>> found.rows.tolist(), found.index.tolist()
        ([[1.0, 0.0], [1.0, 1.0]], [0, 1, 0, 1])
        """
        design = np.ascontiguousarray(design, dtype=np.float64)
        rows, index = np.unique(design, axis=0, return_inverse=True)
        square = len(rows) == design.shape[1]
        return cls(
            rows, index.reshape(-1).astype(np.int64), np.linalg.inv(rows) if square else None
        )

    @property
    def n_coefs(self) -> int:
        """Number of coefficients."""
        return int(self.rows.shape[1])

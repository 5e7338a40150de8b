"""What is clustered: observations or genes as points, and points like them that are one cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.data.threads import SERIAL_BLAS
from dex.errors import InputError
from dex.stats.one_cluster import one_cluster, permuted_columns
from dex.stats.principal_components import principal_components

if TYPE_CHECKING:
    from dex.typing import Float

Axis = Literal["obs", "var"]
Null = Literal["uniform", "gaussian", "permuted"]
NULLS = ("uniform", "gaussian", "permuted")


@dataclass(frozen=True, slots=True)
class Points:
    """Observations or genes, by their principal components."""

    values: Float
    """Log expression, ``(n_obs, n_genes)``, every gene standardised where genes are the points."""
    axis: Axis
    scores: Float
    """Shape ``(n_points, n_comps)``."""
    singular_values: Float
    """Of the scores, shape ``(n_comps,)``."""

    @classmethod
    def of(cls, values: Float, axis: Axis, n_comps: int) -> Points:
        """Find the components of log expression, ``(n_obs, n_genes)``; no gene is constant.

        Genes are alike if they rise and fall together: each is standardised before.
        """
        if axis == "var":
            values = (values - values.mean(axis=0)) / values.std(axis=0)
        scores = _scores(values, axis, n_comps)
        return cls(values, axis, scores, np.linalg.norm(scores, axis=0))

    def take(self, rows: np.ndarray) -> Points:
        """Only some points, in the same dimensions but as if no others were there."""
        scores = self.scores[rows] - self.scores[rows].mean(axis=0)
        U, d, _ = np.linalg.svd(scores, full_matrices=False)
        kept = d > d[0] * 1e-9
        values = self.values[rows] if self.axis == "obs" else self.values[:, rows]
        return Points(values, self.axis, (U * d)[:, kept], d[kept])

    def like_one(self, null: Null, rng: np.random.Generator) -> Float:
        """Points that are one cluster, ``(n_points, n_comps)``."""
        n_points, n_comps = self.scores.shape
        if null != "permuted":
            return one_cluster(null, n_points, self.singular_values, rng=rng)
        return _scores(permuted_columns(self.values, rng=rng), self.axis, n_comps)


def check_null(null: str | None, axis: Axis) -> Null:
    """Return the null asked for, by default that of the axis.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if null is None:
        return "uniform" if axis == "obs" else "permuted"
    if null not in NULLS:
        msg = f"null={null!r} is not known; it is one of {', '.join(map(repr, NULLS))}."
        raise InputError(msg)
    return null  # type: ignore[return-value]


def _scores(values: Float, axis: Axis, n_comps: int) -> Float:
    with SERIAL_BLAS:  # whose sums would else depend on the cores that there are
        return principal_components(values if axis == "obs" else values.T, n_comps).scores

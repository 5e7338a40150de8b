"""What the map of observations gives away: batches outside the design, and outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.report._expression import level_codes
from dex.report._ranking import is_grouping

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from dex.report._overview import Overview
    from dex.report._ranking import Ranking
    from dex.typing import Float

_COMPONENTS = 2
_LEAST_VARIANCE = 0.1
"""Of a component that is worth a word."""
_STRONG = 0.6
"""Partial R², corrected for degrees of freedom, of a column that a component goes with."""
_NOTHING = 1e-9
"""Of a sum of squares, what rounding leaves."""
_ALONE = 0.7
"""Share of a component that one observation makes; of n alike, each makes 1 / n."""
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Batch:
    """A column of ``obs`` that a component goes with and the design leaves out."""

    column: str
    component: int
    variance: float
    """Of the component, as a fraction."""
    r2: float
    """Partial: of what the design leaves of the component."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """An observation that makes a component by itself."""

    name: str
    component: int
    variance: float
    share: float
    """Of the component's sum of squares."""


def find_batches(ranking: Ranking, overview: Overview) -> list[Batch]:
    """Columns that go with what the design leaves of the first components; one for each.

    Of samples only: tests of cells cannot be adjusted.
    """
    if ranking.unit != "samples" or len(ranking.obs) != overview.adata.n_obs:
        return []
    others = [name for name in ranking.obs.columns if _may_be_batch(ranking, str(name))]
    design = dummies(ranking.obs, ranking.variables)
    found = []
    for component, scores, variance in _components(overview):
        r2 = {
            str(name): partial_r2(scores, design, dummies(ranking.obs, [name])) for name in others
        }
        best = max(r2, key=r2.__getitem__, default=None)
        left = residual_share(scores, design)
        if best is not None and r2[best] > _STRONG and variance * left >= _LEAST_VARIANCE:
            found.append(Batch(best, component, variance, r2[best]))
    return found


def _may_be_batch(ranking: Ranking, name: str) -> bool:
    values = ranking.obs[name]
    few = is_grouping(values) and 2 <= values.nunique() <= len(values) // 2
    return few and name not in ranking.variables


def dummies(obs: pd.DataFrame, names: Iterable[str]) -> Float:
    """Intercept, and a column per level, or the numbers themselves; ``(n_obs, n_columns)``."""
    columns = [np.ones((len(obs), 1))]
    for name in names:
        if is_grouping(obs[name]):
            codes, levels = level_codes(obs[name])
            columns.append((codes[:, None] == np.arange(len(levels))).astype(np.float64))
        elif obs[name].dtype.kind in "fiu":
            columns.append(np.nan_to_num(obs[[name]].to_numpy(dtype=np.float64)))
    return np.hstack(columns)


def partial_r2(scores: Float, design: Float, added: Float) -> float:
    """Fraction of what ``design`` leaves of the variance that ``added`` takes, corrected for df.

    >>> everybody = np.ones((4, 1))
    >>> sides = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    >>> round(partial_r2(np.array([0.0, 0.1, 5.0, 5.1]), everybody, sides), 3)
    0.999
    """
    before, df_before = _left(scores, design)
    after, df_after = _left(scores, np.hstack([design, added]))
    if df_after < 1 or df_after == df_before or before < _NOTHING * (scores**2).sum():
        return 0.0
    return float(1 - (after / df_after) / (before / df_before))


def residual_share(scores: Float, design: Float) -> float:
    """Fraction of the variance that the design leaves."""
    total = ((scores - scores.mean()) ** 2).sum()
    return float(_left(scores, design)[0] / total) if total else 0.0


def _left(scores: Float, design: Float) -> tuple[float, int]:
    """Sum of squares that is left, and its degrees of freedom."""
    fitted, _, rank, _ = np.linalg.lstsq(design, scores, rcond=None)
    return float(((scores - design @ fitted) ** 2).sum()), len(scores) - int(rank)


def find_outliers(overview: Overview) -> list[Outlier]:
    """Samples that make most of a component each; cells are too many to."""
    if overview.unit != "samples" or overview.adata.n_obs < _FEWEST:
        return []
    names = overview.adata.obs_names
    found = []
    for component, scores, variance in _components(overview):
        squares = (scores - scores.mean()) ** 2
        share = squares / squares.sum()
        i = int(np.argmax(share))
        if share[i] > _ALONE:
            found.append(Outlier(str(names[i]), component, variance, float(share[i])))
    return found


def _components(overview: Overview) -> list[tuple[int, Float, float]]:
    """Number, scores and share of variance of the first components that matter."""
    components = overview.components
    if components is None or components.variance_ratio is None:
        return []
    return [
        (i + 1, components.coordinates[:, i], float(components.variance_ratio[i]))
        for i in range(min(_COMPONENTS, components.coordinates.shape[1]))
        if components.variance_ratio[i] >= _LEAST_VARIANCE
    ]

"""One result as the report sees it: its tests, what they compare, how many genes changed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.design.formula import read_formula
from dex.errors import InputError
from dex.get import obs_df
from dex.get._symbols import gene_labels
from dex.results import StoredResult
from dex.results.schema import Status
from dex.results.table import best_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.typing import Float, Int

MOST_LEVELS = 60
"""Levels of a column beyond which it makes no groups to draw."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A test, and what its table says in numbers."""

    position: int
    name: str
    kind: str
    group: str
    reference: str
    n_group: int
    n_reference: int
    df: float
    """Residual degrees of freedom; NaN where they differ between genes or there are none."""
    n_tested: int
    n_significant: int
    n_up: int
    n_down: int
    top_up: tuple[str, ...]
    top_down: tuple[str, ...]
    top: tuple[str, ...]
    """The best genes, significant or not."""
    statuses: dict[str, int]
    """Genes by status, of those that occur."""
    has_effects: bool
    """Whether there are fold changes; an omnibus test has none, nor have z-scores."""

    @property
    def sides(self) -> str:
        """Numbers of observations, as in ``4 vs 4``."""
        return f"{self.n_group:,} vs {self.n_reference:,}" if self.group else f"{self.n_group:,}"


@dataclass(frozen=True, slots=True)
class Ranking:
    """A result, and how it is to be shown."""

    adata: AnnData
    stored: StoredResult
    tests: tuple[Counted, ...]
    obs: pd.DataFrame
    """The observations that were tested: of cells that were added up, the samples."""
    groupby: str | None
    """Column of ``obs`` that plots of expression are grouped by."""
    labels: tuple[str, ...]
    """Names of the genes to show."""
    padj: float

    @classmethod
    def from_adata(
        cls,
        adata: AnnData,
        key: str,
        *,
        tests: Sequence[int] | None,
        padj: float,
        groupby: str | None,
        gene_symbols: str | None,
        n_top: int = 5,
    ) -> Ranking:
        """Read the result under ``key``; ``tests`` are positions, None all of them."""
        stored = StoredResult.from_adata(adata, key)
        labels = tuple(gene_labels(adata, gene_symbols))
        obs = obs_df(adata, key=key)
        positions = range(len(stored.names)) if tests is None else tests
        counted = tuple(_count(stored, i, labels, padj=padj, n_top=n_top) for i in positions)
        return cls(adata, stored, counted, obs, _grouping(stored, obs, groupby), labels, padj)

    @property
    def key(self) -> str:
        """Where the result is."""
        return self.stored.key

    @property
    def params(self) -> dict[str, Any]:
        """What was asked and decided."""
        return self.stored.params

    @property
    def unit(self) -> str:
        """What was tested: ``cells`` or ``samples``."""
        return str(self.params.get("unit", "samples")) if not self.is_pseudobulk else "samples"

    @property
    def is_pseudobulk(self) -> bool:
        """Whether cells were added up into samples."""
        return self.params.get("replicate") is not None

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns of ``obs`` that the design or the grouping names."""
        return design_variables(self.stored, self.obs)

    @property
    def per(self) -> str | None:
        """Column of ``obs`` whose levels were analysed apart; None if all were taken together."""
        name = self.params.get("per")
        return name if isinstance(name, str) and name in self.obs else None

    @property
    def covariate(self) -> str | None:
        """Numeric column that was tested, and that makes no groups; None if there is none."""
        compared = self.params.get("groupby") or next(reversed(self.variables), None)
        if compared not in self.obs or is_grouping(self.obs[compared]):
            return None
        return str(compared) if pd.api.types.is_numeric_dtype(self.obs[compared]) else None

    def column(self, name: str, test: Counted) -> Float:
        """Values of a column for one test, ``(n_vars,)``."""
        return np.asarray(self.stored.values(name)[:, test.position])

    def order(self, test: Counted) -> Int:
        """Genes, best first."""
        return best_first(self.stored, test.position)


def design_variables(stored: StoredResult, obs: pd.DataFrame) -> tuple[str, ...]:
    """The strata, and columns that the formula names, or the grouping if there is no formula."""
    formula, groupby = stored.params.get("design"), stored.params.get("groupby")
    named: tuple[str, ...] = ()
    if isinstance(formula, str):
        with suppress(InputError):  # a matrix has no formula
            named = read_formula(formula, [str(name) for name in obs.columns]).variables
    found = dict.fromkeys([stored.params.get("per"), *named, groupby, stored.params.get("block")])
    return tuple(name for name in found if isinstance(name, str) and name in obs)


def is_grouping(values: pd.Series) -> bool:
    """Whether a column has few enough levels to group observations by."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    n_levels = values.nunique()
    return 1 <= n_levels <= (8 if numeric else MOST_LEVELS)


def _grouping(stored: StoredResult, obs: pd.DataFrame, groupby: str | None) -> str | None:
    if groupby is not None:
        if groupby not in obs:
            have = ", ".join(map(repr, obs.columns)) or "none"
            msg = f"groupby={groupby!r} is not a column of what was tested; it has {have}."
            raise InputError(msg)
        return groupby
    compared = stored.params.get("groupby")
    candidates = [compared, *reversed(design_variables(stored, obs))]
    return next((name for name in candidates if name in obs and is_grouping(obs[name])), None)


def _count(
    stored: StoredResult, position: int, labels: Sequence[str], *, padj: float, n_top: int
) -> Counted:
    log10_padj = stored.values("log10_padj")[:, position]
    log10_pval = stored.values("log10_pval")[:, position]
    log2fc = stored.values("log2fc")[:, position]
    significant = log10_padj <= np.log10(padj) if padj > 0 else log10_padj == -np.inf
    order = best_first(stored, position)

    def best(chosen: np.ndarray[Any, Any]) -> tuple[str, ...]:
        return tuple(labels[j] for j in order[chosen[order]][:n_top])

    return Counted(
        position,
        name=stored.field("name")[position],
        kind=stored.field("kind")[position],
        group=stored.field("group")[position],
        reference=stored.field("reference")[position],
        n_group=stored.counts("n_group")[position],
        n_reference=stored.counts("n_reference")[position],
        df=float(stored.entry["tests"]["df"][position]),
        n_tested=int((~np.isnan(log10_pval)).sum()),
        n_significant=int(significant.sum()),
        n_up=int((significant & (log2fc > 0)).sum()),
        n_down=int((significant & (log2fc < 0)).sum()),
        top_up=best(significant & (log2fc > 0)),
        top_down=best(significant & (log2fc < 0)),
        top=best(~np.isnan(log10_pval)),
        statuses=_statuses(stored, position),
        has_effects=bool(np.isfinite(log2fc).any()),
    )


def _statuses(stored: StoredResult, position: int) -> dict[str, int]:
    if "status" not in stored.columns:
        return {}
    codes = stored.values("status")[:, position].astype(np.intp)
    counts = np.bincount(codes, minlength=len(Status))
    return {Status(code).name.lower(): int(n) for code, n in enumerate(counts) if n}

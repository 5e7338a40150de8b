"""Size factors of observations, estimated from their counts by whole rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pandas.api.types import is_numeric_dtype

from dex.data.reader import read_rows, row_pieces
from dex.data.sums import Sums
from dex.data.threads import map_threads
from dex.errors import InputError
from dex.stats.normalize import library_size_factors
from dex.stats.size_factors import (
    centred,
    log_geometric_means,
    median_ratios,
    tmm_factor,
    tmm_reference,
    upper_quartiles,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dex.data.source import Source
    from dex.typing import Bool, Float, Int

SIZE_FACTORS: Final = ("library", "tmm", "median_ratio", "poscounts", "upper_quartile")
"""Methods by name."""
TITLES: Final = {
    "library": "library size",
    "tmm": "TMM",
    "median_ratio": "median of ratios",
    "poscounts": "median of ratios of positive counts",
    "upper_quartile": "upper quartile",
}


@dataclass(frozen=True, slots=True)
class Factors:
    """What the counts of the observations are divided by; arrays ``(n_obs,)``."""

    method: str
    """One of :data:`SIZE_FACTORS`, or the column of ``obs`` that they are from."""
    totals: Float
    """Counts over all genes."""
    norm_factors: Float
    """edgeR's: they correct the totals, and have a geometric mean of 1."""
    size_factors: Float
    """Near 1: DESeq2's own where the method is its, else ``effective`` over a typical one.

    A typical one is the median of the totals for ``"library"``, as in scanpy, else the mean.
    """

    @classmethod
    def known(cls, method: str, divisors: Float, *, per_million: bool) -> Factors:
        """Take what counts were divided by before: millions of reads, or size factors."""
        totals = divisors * 1e6 if per_million else divisors
        factors = divisors / divisors.mean() if per_million else divisors
        return cls(method, totals, np.ones_like(totals), factors)

    def take(self, rows: Int) -> Factors:
        """Those of some of the observations, as they are."""
        parts = (self.totals[rows], self.norm_factors[rows], self.size_factors[rows])
        return Factors(self.method, *parts)

    @property
    def effective(self) -> Float:
        """Effective library sizes."""
        return self.totals * self.norm_factors

    @property
    def typical(self) -> float:
        """Size factor of a typical observation: 1 unless the user has given them."""
        return 1.0 if self.method in SIZE_FACTORS else float(self.size_factors.mean())

    @property
    def title(self) -> str:
        """In messages."""
        return TITLES.get(self.method, f"obs[{self.method!r}]")


def estimate_factors(
    source: Source,
    rows: Int,
    method: str,
    *,
    obs: pd.DataFrame | None = None,
    n_threads: int | None = None,
) -> Factors:
    """Estimate the size factors of the observations ``rows`` of counts.

    ``method`` is one of :data:`SIZE_FACTORS`, or a numeric column of ``obs``, which has a row for
    every observation of the source.

    Raises
    ------
    InputError
        If the method is not known, if a sample has no counts, if values are not counts, or if an
        observation has no factor by the method.
    """
    given = _given(obs, rows, method)
    sums = Sums.of(source, rows, n_threads=n_threads)
    totals = sums.totals
    if source.unit == "samples" or method != "library":
        _refuse_empty(source, rows, totals)
    if given is not None:
        return Factors(method, totals, centred(given / totals), given)
    if method == "library":
        return Factors(method, totals, np.ones_like(totals), library_size_factors(totals))
    table = _Rows(source.matrix, rows, totals, sums.expressed, n_threads)
    if method in {"median_ratio", "poscounts"}:
        own = _median_ratios(table, positive_counts=method == "poscounts")
        return Factors(method, totals, centred(own / totals), own)
    factors = centred((_tmm if method == "tmm" else _upper_quartiles)(table))
    effective = totals * factors
    return Factors(method, totals, factors, effective / effective.mean())


def _given(obs: pd.DataFrame | None, rows: Int, method: str) -> Float | None:
    """Size factors from a column of ``obs``; None where a method is asked for."""
    if method in SIZE_FACTORS:
        return None
    if obs is None or method not in obs or not is_numeric_dtype(obs[method]):
        msg = (
            f"size_factors={method!r} is not known; it is one of {', '.join(SIZE_FACTORS)}, or a "
            "numeric column of obs."
        )
        raise InputError(msg)
    values = np.asarray(obs[method].to_numpy(dtype=np.float64, na_value=np.nan))[rows]
    if not (np.isfinite(values) & (values > 0)).all():
        msg = f"size_factors={method!r}: obs[{method!r}] holds values that are not positive."
        raise InputError(msg)
    return values


def _refuse_empty(source: Source, rows: Int, totals: Float) -> None:
    """A cell without counts stays zero; a sample without counts has no expression at all."""
    empty = source.obs_names[rows[totals <= 0]]
    if len(empty):
        msg = (
            f"{len(empty)} of {len(rows)} {source.unit} have no counts at all in {source.where} "
            f"(the first is {empty[0]!r}); drop them."
        )
        raise InputError(msg)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Counts, read whole rows at a time."""

    matrix: Any
    rows: Int
    totals: Float
    expressed: Bool
    n_threads: int | None

    def map(self, function: Callable[[Float, Float], Any]) -> list[Any]:
        """Apply ``function`` to the counts of the expressed genes and the totals of some rows."""
        pieces = row_pieces(self.matrix, np.arange(len(self.rows)))

        def work(piece: Int) -> Any:
            return function(self.read(piece), self.totals[piece])

        return map_threads(work, pieces, n_threads=self.n_threads, label="size factors")

    def read(self, positions: Int) -> Float:
        return read_rows(self.matrix, self.rows[positions])[:, self.expressed]


def _tmm(table: _Rows) -> Float:
    quartiles = np.concatenate(table.map(upper_quartiles))
    roots = np.concatenate(table.map(lambda counts, _: np.sqrt(counts).sum(axis=1)))
    chosen = tmm_reference(quartiles, roots)
    reference, size = table.read(np.array([chosen]))[0], float(table.totals[chosen])

    def factors(counts: Float, totals: Float) -> list[float]:
        return [
            tmm_factor(row, total, reference, size)
            for row, total in zip(counts, totals, strict=True)
        ]

    return np.concatenate(table.map(factors))


def _upper_quartiles(table: _Rows) -> Float:
    return np.concatenate(table.map(upper_quartiles))


def _median_ratios(table: _Rows, *, positive_counts: bool) -> Float:
    n_obs = len(table.rows)
    sums = table.map(lambda counts, _: np.log(counts, where=counts > 0, out=0 * counts).sum(axis=0))
    positive = table.map(lambda counts, _: (counts > 0).sum(axis=0))
    log_means = log_geometric_means(
        np.sum(sums, axis=0), np.sum(positive, axis=0), n_obs, positive_counts=positive_counts
    )
    if not np.isfinite(log_means).any():
        msg = (
            "size_factors='median_ratio': every gene has a zero in some observation, so there is "
            "no geometric mean; take 'poscounts', or 'tmm'."
        )
        raise InputError(msg)
    factors = np.concatenate(table.map(lambda counts, _: median_ratios(counts, log_means)))
    return centred(factors) if positive_counts else factors

"""Size factors of observations, estimated from their counts by whole rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pandas.api.types import is_numeric_dtype

from dex.data.lengths import Lengths
from dex.data.reader import read_rows, row_pieces
from dex.data.sums import Sums
from dex.data.threads import map_threads
from dex.errors import InputError
from dex.stats.iterative_size_factors import iterative_size_factors
from dex.stats.normalize import library_size_factors
from dex.stats.size_factors import (
    centred,
    log_geometric_means,
    median_ratios,
    relative_log_expression,
    tmm_factor,
    tmm_reference,
    tmmwsp_factor,
    upper_quartiles,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dex.data.source import Source
    from dex.typing import Bool, Float, Int

SIZE_FACTORS: Final = (
    "library",
    "tmm",
    "tmmwsp",
    "rle",
    "upper_quartile",
    "median_ratio",
    "poscounts",
    "iterative",
)
"""Methods by name."""
EDGER: Final = ("tmm", "tmmwsp", "rle", "upper_quartile")
"""Those that give edgeR's normalisation factors."""
TITLES: Final = {
    "library": "library size",
    "tmm": "TMM",
    "tmmwsp": "TMM with singleton pairing",
    "rle": "relative log expression",
    "median_ratio": "median of ratios",
    "poscounts": "median of ratios of positive counts",
    "iterative": "likelihood of unchanged counts",
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
    counted: Float | None = None
    """Counts over all genes as they are, where ``totals`` are of counts over relative lengths."""

    @classmethod
    def known(cls, method: str, divisors: Float, *, per_million: bool) -> Factors:
        """Take what counts were divided by before: millions of reads, or size factors."""
        totals = divisors * 1e6 if per_million else divisors
        factors = divisors / divisors.mean() if per_million else divisors
        return cls(method, totals, np.ones_like(totals), factors)

    def take(self, rows: Int) -> Factors:
        """Those of some of the observations, as they are."""
        parts = (self.totals[rows], self.norm_factors[rows], self.size_factors[rows])
        counted = None if self.counted is None else self.counted[rows]
        return Factors(self.method, *parts, counted)

    @property
    def lib_sizes(self) -> Float:
        """Counts over all genes, as they are."""
        return self.totals if self.counted is None else self.counted

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
    control_genes: Bool | None = None,
    lengths: Any = None,
    whole: bool = False,
    n_threads: int | None = None,
) -> Factors:
    """Estimate the size factors of the observations ``rows`` of counts.

    ``method`` is one of :data:`SIZE_FACTORS`, or a numeric column of ``obs``, which has a row for
    every observation of the source. Medians of ratios may be over ``control_genes``, shape
    ``(n_vars,)``, only. With ``lengths``, a matrix of the source's shape with the average
    transcript length of every gene in every observation, counts are first divided by a gene's
    relative lengths, and ``totals`` are of these; see :mod:`dex.stats.length_offsets`. ``whole``
    rounds counts before their ratios are taken, as DESeq2 does with estimated ones.

    Raises
    ------
    InputError
        If the method is not known, if a sample has no counts, if values are not counts, or if an
        observation has no factor by the method.
    """
    given = _given(obs, rows, method)
    _check_control_genes(control_genes, method, len(source.var_names))
    sums = Sums.of(source, rows, n_threads=n_threads)
    if source.unit == "samples" or method != "library":
        _refuse_empty(source, rows, sums.totals)
    scaled, totals = None, sums.totals
    if lengths is not None:
        scaled = Lengths.of(lengths, rows, n_threads=n_threads)
        totals = scaled.scaled_totals(source.matrix, n_threads=n_threads)
    parts = (totals, sums.expressed, n_threads, control_genes, scaled, whole)
    factors = _by_method(_Rows(source.matrix, rows, *parts), method, given)
    return factors if lengths is None else replace(factors, counted=sums.totals)


def _by_method(table: _Rows, method: str, given: Float | None) -> Factors:
    totals = table.totals
    if given is not None:
        return Factors(method, totals, centred(given / totals), given)
    if method == "library":
        return Factors(method, totals, np.ones_like(totals), library_size_factors(totals))
    if method in {"median_ratio", "poscounts"}:
        own = _median_ratios(table, positive_counts=method == "poscounts")
        return Factors(method, totals, centred(own / totals), own)
    if method == "iterative":
        counts = np.asfortranarray(table.read(np.arange(len(table.rows))))
        own = iterative_size_factors(counts)
        return Factors(method, totals, centred(own / totals), own)
    factors = centred(_NORM_FACTORS[method](table))
    effective = totals * factors
    return Factors(method, totals, factors, effective / effective.mean())


def _check_control_genes(control_genes: Bool | None, method: str, n_vars: int) -> None:
    if control_genes is None:
        return
    if method not in _OF_CONTROL_GENES:
        msg = (
            f"control_genes= are of size_factors={' and '.join(map(repr, _OF_CONTROL_GENES))}, "
            f"not of {method!r}."
        )
        raise InputError(msg)
    if np.shape(control_genes) != (n_vars,) or not np.any(control_genes):
        msg = (
            f"control_genes= is a mask over {n_vars} genes with some of them; it has "
            f"{np.size(control_genes)} values and {np.count_nonzero(control_genes)} genes."
        )
        raise InputError(msg)


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
    control_genes: Bool | None = None
    lengths: Lengths | None = None
    whole: bool = False

    @property
    def controls(self) -> Bool | slice:
        """Of the expressed genes, those that medians are over."""
        return slice(None) if self.control_genes is None else self.control_genes[self.expressed]

    def map(self, function: Callable[[Float, Float], Any]) -> list[Any]:
        """Apply ``function`` to the counts of the expressed genes and the totals of some rows."""
        pieces = row_pieces(self.matrix, np.arange(len(self.rows)))

        def work(piece: Int) -> Any:
            return function(self.read(piece), self.totals[piece])

        return map_threads(work, pieces, n_threads=self.n_threads, label="size factors")

    def read(self, positions: Int) -> Float:
        counts = read_rows(self.matrix, self.rows[positions])
        if self.whole:
            counts = np.rint(counts)
        if self.lengths is not None:
            counts = counts / self.lengths.relative(positions)
        return counts[:, self.expressed]


def _tmm(table: _Rows) -> Float:
    quartiles = np.concatenate(table.map(upper_quartiles))
    return _against(table, tmm_reference(quartiles, _root_totals(table)), tmm_factor)


def _tmmwsp(table: _Rows) -> Float:
    return _against(table, int(np.argmax(_root_totals(table))), tmmwsp_factor)


def _root_totals(table: _Rows) -> Float:
    return np.concatenate(table.map(lambda counts, _: np.sqrt(counts).sum(axis=1)))


def _against(
    table: _Rows, chosen: int, function: Callable[[Float, float, Float, float], float]
) -> Float:
    reference, size = table.read(np.array([chosen]))[0], float(table.totals[chosen])

    def factors(counts: Float, totals: Float) -> list[float]:
        return [
            function(row, total, reference, size) for row, total in zip(counts, totals, strict=True)
        ]

    return np.concatenate(table.map(factors))


def _rle(table: _Rows) -> Float:
    log_means, controls = _log_means(table, positive_counts=False), table.controls

    def ratios(counts: Float, totals: Float) -> Float:
        return relative_log_expression(counts[:, controls], log_means[controls]) / totals

    return np.concatenate(table.map(ratios))


def _upper_quartiles(table: _Rows) -> Float:
    return np.concatenate(table.map(upper_quartiles))


def _median_ratios(table: _Rows, *, positive_counts: bool) -> Float:
    log_means, controls = _log_means(table, positive_counts=positive_counts), table.controls

    def ratios(counts: Float, _: Float) -> Float:
        return median_ratios(counts[:, controls], log_means[controls])

    factors = np.concatenate(table.map(ratios))
    return centred(factors) if positive_counts else factors


def _log_means(table: _Rows, *, positive_counts: bool) -> Float:
    n_obs = len(table.rows)
    sums = table.map(lambda counts, _: np.log(counts, where=counts > 0, out=0 * counts).sum(axis=0))
    positive = table.map(lambda counts, _: (counts > 0).sum(axis=0))
    log_means = log_geometric_means(
        np.sum(sums, axis=0), np.sum(positive, axis=0), n_obs, positive_counts=positive_counts
    )
    if not np.isfinite(log_means[table.controls]).any():
        msg = (
            "Medians of ratios: every gene has a zero in some observation, so there is no "
            "geometric mean; take 'poscounts', or 'tmm'."
        )
        raise InputError(msg)
    return log_means


_NORM_FACTORS: Final = {
    "tmm": _tmm,
    "tmmwsp": _tmmwsp,
    "rle": _rle,
    "upper_quartile": _upper_quartiles,
}
_OF_CONTROL_GENES: Final = ("median_ratio", "poscounts", "rle")

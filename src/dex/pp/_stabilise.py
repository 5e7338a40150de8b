"""Counts with a variance that hardly depends on the mean: DESeq2's ``vst`` and ``rlog``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np

from dex._logging import logger
from dex.data.blocks import GeneBlocks
from dex.design.matrix import Design
from dex.design.wording import listed
from dex.errors import InputError
from dex.stats.dispersion_trend import TrendKind, fit_trend
from dex.stats.gene_dispersion import CountModel, fit_gene_dispersion
from dex.stats.rlog import rlog, rlog_changes, rlog_variance
from dex.stats.vst import ConstantVst, ParametricVst, numeric_vst, spread_over_means

if TYPE_CHECKING:
    import pandas as pd

    from dex.data import Source
    from dex.stats.dispersion_trend import DispersionTrend
    from dex.typing import Float, Int

_FEWEST_GENES: Final = 10
STABILISED: Final = {"vst": "variance-stabilised counts", "rlog": "regularised log2 counts"}
"""Methods, and what their layers hold."""


@dataclass(frozen=True, slots=True)
class Stabilising:
    """Options of these methods."""

    design: str | None
    """Formula of what dispersions are estimated around; None is blind to it."""
    fit_type: TrendKind
    n_genes: int | None
    """Number of genes that the trend of ``vst`` is taken from; None is all."""

    def check_for(self, method: str) -> None:
        """Refuse what there is not, or what a method has no use of.

        Raises
        ------
        InputError
            If so.
        """
        if method not in STABILISED and self != NOT_STABILISING:
            given = "design=, fit_type= and n_genes="
            msg = f"{given} are of {listed(STABILISED)}; method={method!r} has no use of them."
            raise InputError(msg)
        if self.fit_type not in get_args(TrendKind):
            msg = f"fit_type={self.fit_type!r} is not known; it is {listed(get_args(TrendKind))}."
            raise InputError(msg)
        if self.n_genes is not None and (method != "vst" or self.n_genes < _FEWEST_GENES):
            msg = (
                f"n_genes={self.n_genes!r} is not possible: the trend of method='vst' is taken "
                f"from {_FEWEST_GENES} genes or more."
            )
            raise InputError(msg)


NOT_STABILISING: Final = Stabilising(None, "parametric", None)


@dataclass(frozen=True, slots=True)
class Stabilised:
    """Values of a layer, and what is to be recorded of it."""

    matrix: Any
    params: dict[str, str | float]


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is transformed."""

    source: Source
    rows: Int
    size_factors: Float
    n_threads: int | None

    def normalised(self, raw: Float) -> Float:
        return np.asarray(np.rint(raw) / self.size_factors[:, None])

    def blocks(self, genes: Int | None = None) -> GeneBlocks:
        if genes is None:
            return GeneBlocks.all_genes(self.source, self.rows)
        return GeneBlocks(self.source, self.rows, np.sort(genes))


def stabilise(
    source: Source,
    method: str,
    size_factors: Float,
    options: Stabilising,
    *,
    obs: pd.DataFrame,
    dtype: str,
    n_threads: int | None,
) -> Stabilised:
    """Estimate dispersions and their trend, and transform the counts along it."""
    counts = _Counts(source, np.arange(len(size_factors)), size_factors, n_threads)
    model = CountModel.from_design(_design_matrix(obs, options.design))
    means = counts.blocks().map(
        lambda raw: np.stack(
            [
                (normalised := counts.normalised(raw)).mean(axis=0),
                normalised.max(axis=0),
            ]
        ),
        n_threads,
        "means",
    )
    base_mean, largest = np.concatenate(means, axis=1)
    trend = _trend(counts, model, base_mean, options)
    params: dict[str, str | float] = {"design": options.design or "", "trend": trend.kind}
    if trend.coef is not None:
        params |= {"trend_asymptotic": trend.coef[0], "trend_extra": trend.coef[1]}
    out = np.empty((len(counts.rows), len(base_mean)), dtype=dtype)
    if method == "rlog":
        params["prior_var"] = _fill_rlog(out, counts, base_mean, trend(base_mean))
    else:
        _fill_vst(out, counts, base_mean, trend, float(largest.max()))
    return Stabilised(out, params)


def _design_matrix(obs: pd.DataFrame, formula: str | None) -> Float:
    """Of all observations; without a formula they are one group.

    Raises
    ------
    InputError
        If an observation misses a value, or if no degree of freedom is left for dispersions.
    """
    if formula is None:
        matrix = np.ones((len(obs), 1))
    else:
        design = Design.from_obs(obs, formula)
        if not design.kept.all():
            msg = (
                f"{(~design.kept).sum()} observations miss a value that design={formula!r} needs, "
                "and could not be transformed; fill it in, or leave them out."
            )
            raise InputError(msg)
        matrix = design.matrix
    if matrix.shape[0] <= matrix.shape[1]:
        around = "their mean" if formula is None else f"design={formula!r}"
        hint = "" if formula is None else "; leave design= out to be blind to it"
        msg = f"{len(matrix)} observations tell no dispersions around {around}{hint}."
        raise InputError(msg)
    return matrix


def _trend(
    counts: _Counts, model: CountModel, base_mean: Float, options: Stabilising
) -> DispersionTrend:
    genes = np.flatnonzero(base_mean > 0)
    if options.n_genes is not None:
        genes = np.sort(spread_over_means(base_mean, options.n_genes))
    found = counts.blocks(genes).map(
        lambda raw: fit_gene_dispersion(np.rint(raw), counts.size_factors, model).dispersion,
        counts.n_threads,
        "gene-wise dispersions",
    )
    dispersion = np.concatenate(found) if found else np.empty(0)
    trend = fit_trend(base_mean[genes], dispersion, options.fit_type)
    if trend.kind != options.fit_type:
        logger.info("No curve a + b / mean fits the dispersions: a local regression was taken.")
    return trend


def _fill_vst(
    out: Any, counts: _Counts, base_mean: Float, trend: DispersionTrend, largest: float
) -> None:
    transform: ParametricVst | ConstantVst | Any
    if trend.coef is not None:
        transform = ParametricVst(*trend.coef)
    elif trend.kind == "mean":
        transform = ConstantVst(float(trend(np.ones(1))[0]))
    else:
        factors = counts.size_factors
        transform = numeric_vst(trend, size_factors=factors, base_mean=base_mean, largest=largest)

    def work(raw: Float, place: slice) -> None:
        out[:, place] = transform(counts.normalised(raw))

    counts.blocks().map_placed(work, counts.n_threads, "vst")


def _fill_rlog(out: Any, counts: _Counts, base_mean: Float, dispersion: Float) -> float:
    """Prior variance."""

    def change(raw: Float, place: slice) -> None:
        out[:, place] = rlog_changes(counts.normalised(raw), base_mean[place])

    counts.blocks().map_placed(change, counts.n_threads, "rlog's prior")
    variance = rlog_variance(np.asarray(out, dtype=np.float64), base_mean, dispersion)

    def work(raw: Float, place: slice) -> None:
        here = dispersion[place]
        out[:, place] = rlog(np.rint(raw), counts.size_factors, here, variance=variance)

    counts.blocks().map_placed(work, counts.n_threads, "rlog")
    return variance

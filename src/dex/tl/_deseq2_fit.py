"""DESeq2's fit: dispersions, trend, prior, coefficients, outliers [Love2014]_.

.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.expression import stacked
from dex.design.wording import plural
from dex.errors import InputError
from dex.results.fit import Fit
from dex.stats.conditional_dispersion import DispersionPrior
from dex.stats.cooks import (
    CELL,
    cooks_cutoff,
    cooks_distances,
    exceeded,
    in_cells,
    replacements,
    robust_dispersion,
    tallied_quantiles,
    tally_distances,
)
from dex.stats.design_rows import DesignRows
from dex.stats.dispersion_prior import DispersionSpread, dispersion_spread
from dex.stats.dispersion_trend import (
    DispersionTrend,
    TrendKind,
    eligible,
    fit_trend,
)
from dex.stats.gene_dispersion import (
    FLOOR,
    CountModel,
    GeneDispersion,
    across,
    fit_gene_dispersion,
    fit_means,
    is_dispersion_outlier,
    shrink_dispersion,
)
from dex.stats.nb_curvature import leverages, nb_covariance
from dex.stats.nb_glm import fitted_means

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.design.matrix import Design
    from dex.tl._model import FitSetting
    from dex.typing import Bool, Float, Int

_LN2 = float(np.log(2.0))
_CURVE_POINTS = 200
_SHARES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every block of genes needs once all have been seen."""

    model: CountModel
    trend: DispersionTrend
    spread: DispersionSpread
    replaceable: Bool
    """Observations whose outliers are replaced, ``(n_obs,)``."""


def fit_deseq2(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Estimate dispersions gene by gene, their trend and prior; shrink them; fit coefficients."""
    matrix, threads, options = design.matrix, setting.n_threads, setting.options
    if len(matrix) == matrix.shape[1]:
        return unreplicated(expression, matrix, threads)
    depths, model = expression.depths("size_factor"), CountModel.from_design(matrix)
    first = stacked(
        expression.blocks.map_placed(
            lambda raw, place: _first_pass(raw, depths.of(place), model),
            threads,
            "gene-wise dispersions",
        )
    )
    genes = GeneDispersion(first["base_mean"], first["dispersion"], first["coef"])
    trend, notes = _trend(genes, options.fit_type)
    spread = _spread(genes, trend, len(matrix) - matrix.shape[1], options.prior_var)
    replaceable = _replaceable(model, options.refit_outliers)
    shared = _Shared(model, trend, spread, replaceable)

    def second(raw: Float, place: slice) -> Columns:
        taken = _taken(genes, place)
        return _second_pass(np.rint(raw), depths.of(place), taken, shared, first=place.start)

    final = stacked(expression.blocks.map_placed(second, threads, "DESeq2"))
    notes += _notes(first["rounded"], final["n_replaced"], options.refit_outliers)
    about = {
        "trend": trend.kind,
        "trend_coef": np.array(trend.coef if trend.coef is not None else ()),
        **_curve(trend, genes.base_mean),
        "dispersion_var": spread.observed,
        "prior_var": spread.prior,
        "two_groups": model.rows.rows.shape == (2, 2),
        "replaced": final.pop("replaced"),
        "cooks_cutoff": cooks_cutoff(*matrix.shape),
        "cooks_quantiles": _distances_of_observations(final),
        "observations": setting.obs.index.to_numpy(dtype=object),
    }
    coef, cov = final.pop("coef"), final.pop("cov")
    return Fit(matrix, coef, final, cov, {"size_factors": depths.shared}, about, notes)


def fitted_counts(raw: Float, depths: Float, place: slice, fit: Fit) -> Float:
    """Counts that were fitted: whole numbers, outliers replaced."""
    counts = np.rint(raw)
    genes, obs = np.asarray(fit.shared["replaced"], dtype=np.intp).reshape(-1, 2).T
    here = (genes >= place.start) & (genes < place.stop)
    if here.any():
        columns, rows = genes[here] - place.start, obs[here]
        values = _replacements(counts, depths, changed := np.unique(columns))
        counts[rows, columns] = values[rows, np.searchsorted(changed, columns)]
    return counts


def _replacements(counts: Float, depths: Float, genes: Int) -> Float:
    """Of all counts of some genes, ``(n_obs, len(genes))``."""
    some = _of_genes(depths, genes)
    return replacements(counts[:, genes] / across(some), some)


def _of_genes(depths: Float, genes: Int) -> Float:
    return depths if depths.ndim == 1 else depths[:, genes]


def _first_pass(raw: Float, depths: Float, model: CountModel) -> Columns:
    counts = np.rint(raw)
    genes = fit_gene_dispersion(counts, depths, model)
    return {
        "base_mean": genes.base_mean,
        "dispersion": genes.dispersion,
        "coef": genes.coef,
        "rounded": (counts != raw).any(axis=0),
    }


def _trend(genes: GeneDispersion, kind: TrendKind) -> tuple[DispersionTrend, tuple[str, ...]]:
    """Of the kind that was asked for; where the parametric curve fails, the local one."""
    if not eligible(genes.dispersion).any():
        msg = (
            "no gene is more variable than Poisson counts: method='deseq2' has no trend of "
            "dispersions to shrink to. Are these technical replicates, or too few genes?"
        )
        raise InputError(msg)
    trend = fit_trend(genes.base_mean, genes.dispersion, kind)
    return trend, (_FELL_BACK,) if trend.kind != kind else ()


def _spread(
    genes: GeneDispersion, trend: DispersionTrend, df: int, given: float | None
) -> DispersionSpread:
    used = eligible(genes.dispersion)
    away = np.log(genes.dispersion[used]) - np.log(trend(genes.base_mean[used]))
    spread = dispersion_spread(away, df)
    return spread if given is None else DispersionSpread(spread.observed, given)


def _replaceable(model: CountModel, n_replicates: int | None) -> Bool:
    if n_replicates is None:
        return np.zeros(len(model.rows.index), dtype=bool)
    return in_cells(model.rows.index, n_replicates)


def _second_pass(
    counts: Float, depths: Float, genes: GeneDispersion, shared: _Shared, *, first: int
) -> Columns:
    """Fit the genes of a block, of which one is the ``first``, and those with outliers again.

    ``distances`` are the tallied ones of the observations, ``(1, n_obs, n_bins)``, the largest of
    them beside. ``replaced`` has gene and observation of every count that was replaced,
    ``(n_replaced, 2)``.
    """
    columns, distances = _final_fit(counts, depths, genes, shared)
    n_obs, n_coefs = shared.model.basis.Q.shape
    told = in_cells(shared.model.rows.index, CELL) & ~shared.replaceable
    columns["max_cooks"] = _largest(distances, told)
    columns["cooks_excused"] = exceeded(counts, distances).astype(np.float64)
    swapped = (distances > cooks_cutoff(n_obs, n_coefs)) & shared.replaceable[:, None]
    columns["n_replaced"] = swapped.sum(axis=0).astype(np.float64)
    if (again := np.flatnonzero(swapped.any(axis=0))).size:
        values = _replacements(counts, depths, again)
        new = np.asfortranarray(np.where(swapped[:, again], values, counts[:, again]))
        some = _of_genes(depths, again)
        better, _ = _final_fit(new, some, fit_gene_dispersion(new, some, shared.model), shared)
        for name, found in better.items():
            columns[name][again] = found
    columns["distances"] = tally_distances(distances)[None]
    columns["largest_distance"] = np.fmax.reduce(distances, axis=1, initial=np.nan)[None]
    columns["replaced"] = np.argwhere(swapped.T) + np.array([first, 0])
    return columns


def _final_fit(
    counts: Float, depths: Float, genes: GeneDispersion, shared: _Shared
) -> tuple[Columns, Float]:
    """Shrink dispersions, fit the coefficients, and return Cook's distances beside them."""
    model = shared.model
    trend = shared.trend(genes.base_mean)
    with np.errstate(invalid="ignore"):
        prior = DispersionPrior(np.log(trend), shared.spread.prior)
    shrunken = shrink_dispersion(counts, depths, model, genes, prior)
    outlier = is_dispersion_outlier(genes.dispersion, trend, shared.spread.observed)
    dispersion = np.where(outlier, genes.dispersion, shrunken)
    known = np.where(np.isfinite(dispersion), dispersion, 1.0)
    fit = fit_means(counts, depths, model.rows, known)
    cov = nb_covariance(counts, model.rows, depths, known, fit.coef, ridge=model.ridge, floor=FLOOR)
    mu = fitted_means(model.rows, depths, fit.coef)
    leverage = leverages(model.rows, np.maximum(mu, FLOOR), known, cov)
    robust = robust_dispersion(counts / across(depths), model.rows.index)
    distances = cooks_distances(counts, mu, robust, leverage, model.rows.n_coefs)
    silent = ~np.isfinite(dispersion)
    distances[:, silent] = np.nan
    columns = {
        "coef": np.where(silent[:, None], np.nan, fit.coef / _LN2),
        "cov": np.where(silent[:, None], np.nan, cov / _LN2**2),
        "base_mean": genes.base_mean,
        "dispersion_gene": genes.dispersion,
        "dispersion_trend": trend,
        "dispersion_map": shrunken,
        "dispersion": dispersion,
        "dispersion_outlier": outlier.astype(np.float64),
        "converged": fit.converged.astype(np.float64),
    }
    return columns, distances


def _largest(distances: Float, cells: Bool) -> Float:
    """Largest distance among observations with replicates that are not replaced; NaN without."""
    if not cells.any():
        return np.full(distances.shape[1], np.nan)
    return np.asarray(distances[cells].max(axis=0))


def _taken(genes: GeneDispersion, place: slice) -> GeneDispersion:
    return GeneDispersion(genes.base_mean[place], genes.dispersion[place], genes.coef[place])


def _distances_of_observations(found: dict[str, Any]) -> Float:
    """Cook's distances over genes: 5%, 25%, 50%, 75%, 95% and the largest, ``(n_obs, 6)``."""
    quantiles = tallied_quantiles(found.pop("distances").sum(axis=0), _SHARES)
    largest = np.fmax.reduce(found.pop("largest_distance"), axis=0)
    return np.column_stack([quantiles, largest])


def _curve(trend: DispersionTrend, base_mean: Float) -> Columns:
    """Some points of the trend, to be drawn."""
    means = base_mean[base_mean > 0]
    at = np.geomspace(means.min(), means.max(), _CURVE_POINTS)
    return {"trend_mean": at, "trend_dispersion": trend(at)}


def _notes(rounded: Bool, n_replaced: Float, n_replicates: int | None) -> tuple[str, ...]:
    notes = []
    if rounded.any():
        notes.append(
            f"Counts of {plural(int(rounded.sum()), 'gene')} are not whole numbers, as estimated "
            "ones are: rounded, as DESeq2 does."
        )
    if (n := int((n_replaced > 0).sum())) > 0:
        notes.append(
            f"Fitted again with outliers replaced: {plural(n, 'gene')} (Cook's distance, groups of "
            f"{n_replicates} or more)."
        )
    return tuple(notes)


def unreplicated(expression: Expression, matrix: Float, n_threads: int | None) -> Fit:
    """Fold changes of a design that explains every observation: no dispersion, nothing to test."""
    depths, rows = expression.depths("size_factor"), DesignRows.from_design(matrix)

    def columns(raw: Float, place: slice) -> Columns:
        counts, here = np.rint(raw), depths.of(place)
        fit = fit_means(counts, here, rows, np.zeros(counts.shape[1]))
        nothing = np.full(counts.shape[1], np.nan)
        return {
            "coef": fit.coef / _LN2,
            "cov": np.full((counts.shape[1], rows.n_coefs * (rows.n_coefs + 1) // 2), np.nan),
            "base_mean": (counts / across(here)).mean(axis=0),
            "dispersion": nothing,
            "max_cooks": nothing,
            "cooks_excused": nothing,
        }

    found = stacked(expression.blocks.map_placed(columns, n_threads, "DESeq2"))
    coef, cov = found.pop("coef"), found.pop("cov")
    about = {"two_groups": False, "replaced": np.empty((0, 2), dtype=np.intp)}
    return Fit(matrix, coef, found, cov, {"size_factors": depths.shared}, about)


_FELL_BACK = (
    "The parametric trend of dispersions, a + b / mean, does not fit these genes: a local "
    "regression has taken its place; fit_type='local' or 'mean' says so."
)

"""Seeded negative binomial counts, with the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.sparse import csr_matrix, vstack

from dex.datasets._truth import (
    Genes,
    Spread,
    Trend,
    Units,
    check_at_least,
    check_fraction,
    draw_log2fc,
    draw_outliers,
    is_changed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dex.typing import Float, Int

_EXACT_FLOAT32 = 2**24
_OUTLIER_FACTOR = 100
_SAMPLES = Trend(mean_count=100.0, dispersion=0.05, extra_dispersion=2.0)
_CELLS = Trend(mean_count=0.1, dispersion=0.2, extra_dispersion=0.02)


def simulate_counts(
    n_genes: int = 2000,
    n_per_group: int | Sequence[int] = 3,
    *,
    groups: Sequence[str] = ("control", "treated"),
    de_fraction: float = 0.1,
    log2fc_sd: float = 1.0,
    mean_count: float | None = None,
    mean_count_sd: float = 2.5,
    dispersion: float | None = None,
    extra_dispersion: float | None = None,
    dispersion_sd: float = 0.7,
    library_size_sd: float = 0.4,
    n_batches: int = 1,
    batch_sd: float = 0.5,
    paired: bool = False,
    cells_per_replicate: int | None = None,
    replicate_sd: float = 0.5,
    replicate_condition_sd: float = 0.2,
    outlier_fraction: float = 0.0,
    seed: int = 0,
) -> AnnData:
    """Simulate counts of samples, or of cells of replicates, from the negative binomial.

    A count of gene j in observation i has mean ``mu = s_i q_j 2**e_ij`` and variance
    ``mu + dispersion_j mu**2``. Size factors ``s`` and base means ``q`` are log-normal. The
    dispersion follows ``dispersion + extra_dispersion / q_j`` with log-normal scatter, as in
    [Love2014]_. ``e`` adds up the effects of group, batch and replicate. Every ``_sd`` is a
    standard deviation on the log2 scale. Each part draws from a stream of its own, so that a
    change of one option leaves the truth about the others as it is.

    Parameters
    ----------
    n_genes
        Number of genes.
    n_per_group
        Samples, or replicates of cells, in each group: one number, or one for each.
    groups
        Names of the conditions. The first is the reference: a positive log2fc is higher elsewhere.
    de_fraction
        Fraction of the genes that differ, in each group but the first.
    log2fc_sd
        Their log2fc are normal with mean 0 and this standard deviation.
    mean_count, mean_count_sd
        Median over genes of the base mean, 100 by default and 0.1 for cells, and its spread.
    dispersion, extra_dispersion, dispersion_sd
        Dispersion of highly expressed genes, what is added at a mean of 1, and the scatter around
        this trend. The first two are 0.05 and 2 by default, for cells 0.2 and 0.02.
    library_size_sd
        Spread of the size factors, whose median is 1.
    n_batches, batch_sd
        Batches, which the samples of each group take in turn, and the spread of their effects.
    paired
        Whether every group holds the same donors, in the same order.
    cells_per_replicate
        Simulate this many cells of each replicate instead of one sample.
    replicate_sd
        Spread of the effects of donors (``paired``) or of replicates (cells).
    replicate_condition_sd
        Spread, for cells, of what a replicate does in one condition only.
    outlier_fraction
        Fraction of the genes with one count, of a random observation, multiplied by 100.
    seed
        The same seed and options give the same counts.

    Returns
    -------
    AnnData
        ``X`` is dense, of cells CSR; float32 where that is exact. ``obs``: ``condition``, ``batch``
        (if several), ``donor`` (if paired) or ``replicate`` (of cells; the donor if paired),
        ``true_size_factor``. ``var``:
        ``true_mean`` (in the reference, at size factor 1, before batch and replicate effects),
        ``true_dispersion``, ``is_de``, ``is_outlier`` and, with two groups, ``true_log2fc``, which
        is always in ``varm["true_log2fc"]``, shape ``(n_vars, n_groups - 1)``.

    Raises
    ------
    InputError
        An option out of its range.

    References
    ----------
    .. [Love2014] Love, Huber, Anders (2014). Moderated estimation of fold change and dispersion for
       RNA-seq data with DESeq2. Genome Biology 15, 550. Equations 1, 2 and 6.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(500, n_per_group=4, n_batches=2)
    >>> adata.shape, int(adata.var["is_de"].sum())
    ((8, 500), 50)
    >>> list(adata.obs["batch"])[:4]
    ['batch1', 'batch2', 'batch1', 'batch2']
    """
    check_at_least(1, n_genes=n_genes)
    check_fraction(de_fraction=de_fraction, outlier_fraction=outlier_fraction)
    of_cells = cells_per_replicate is not None
    trend = _trend(_CELLS if of_cells else _SAMPLES, mean_count, dispersion, extra_dispersion)
    spread = Spread(
        log2fc=log2fc_sd,
        mean_count=mean_count_sd,
        dispersion=dispersion_sd,
        library_size=library_size_sd,
        batch=batch_sd if n_batches > 1 else 0.0,
        replicate=replicate_sd if paired or of_cells else 0.0,
        replicate_condition=replicate_condition_sd if of_cells else 0.0,
    )
    units = Units.from_options(
        groups, n_per_group, n_batches=n_batches, paired=paired, n_cells=cells_per_replicate
    )
    changes, bases, libraries, effects, outliers, noise = np.random.default_rng(seed).spawn(6)
    log2fc = draw_log2fc(n_genes, len(groups) - 1, de_fraction, sd=log2fc_sd, rng=changes)
    genes = Genes.draw(log2fc, trend, spread, rng=bases)
    n_obs = len(units.observed)
    size_factors = 2.0 ** libraries.normal(0.0, spread.library_size, n_obs)
    unit_means = genes.mean * 2.0 ** units.draw_effects(log2fc, spread, rng=effects)
    outlier = draw_outliers(n_genes, n_obs, outlier_fraction, rng=outliers)
    X = _draw_counts(unit_means, size_factors, units, genes, outlier=outlier, rng=noise)
    varm: dict[str, Any] = {"true_log2fc": log2fc}
    return AnnData(
        X.astype(np.float32 if _largest(X) <= _EXACT_FLOAT32 else np.float64),
        obs=_obs(units, size_factors),
        var=_var(genes, outlier),
        varm=varm,
    )


def _trend(default: Trend, *given: float | None) -> Trend:
    defaults = (default.mean_count, default.dispersion, default.extra_dispersion)
    return Trend(*(d if g is None else g for g, d in zip(given, defaults, strict=True)))


def _draw_counts(
    unit_means: Float,
    size_factors: Float,
    units: Units,
    genes: Genes,
    *,
    outlier: Int,
    rng: np.random.Generator,
) -> NDArray[np.int64] | csr_matrix:
    """Draw counts unit by unit, so that cells are never all dense at once."""
    per_unit = units.n_cells or 1
    blocks = []
    for unit, mean in enumerate(unit_means):
        start = unit * per_unit
        mu = np.outer(size_factors[start : start + per_unit], mean)
        block = _negative_binomial(mu, genes.dispersion, rng)
        here = np.flatnonzero((outlier >= start) & (outlier < start + per_unit))
        cells = outlier[here] - start
        block[cells, here] = np.maximum(block[cells, here], 1) * _OUTLIER_FACTOR
        blocks.append(block)
    if units.n_cells is None:
        return np.concatenate(blocks)
    sparse: csr_matrix = vstack([csr_matrix(block) for block in blocks], format="csr")
    return sparse


def _negative_binomial(mu: Float, dispersion: Float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Poisson counts of gamma rates with mean ``mu``; without dispersion the rate is the mean."""
    if not dispersion.all():
        return rng.poisson(mu)
    return rng.poisson(rng.gamma(1 / dispersion, mu * dispersion))


def _largest(X: NDArray[np.int64] | csr_matrix) -> int:
    return int(np.max(X if isinstance(X, np.ndarray) else X.data, initial=0))


def _obs(units: Units, size_factors: Float) -> pd.DataFrame:
    observed, names, replicates = units.observed, units.names, units.replicates
    columns: dict[str, Any] = {"condition": _categories(units.condition[observed], units.groups)}
    if units.n_batches > 1:
        batches = [f"batch{i + 1}" for i in range(units.n_batches)]
        columns["batch"] = _categories(units.batch[observed], batches)
    if units.paired or units.n_cells is not None:
        labels = [replicates[unit] for unit in observed]
        column = "donor" if units.n_cells is None else "replicate"
        columns[column] = pd.Categorical(labels, categories=list(dict.fromkeys(labels)))
    columns["true_size_factor"] = size_factors
    if units.n_cells is not None:
        names = [f"{name}_cell{i + 1}" for name in names for i in range(units.n_cells)]
    return pd.DataFrame(columns, index=names)


def _categories(codes: Int, labels: Sequence[str]) -> pd.Categorical[Any]:
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(labels)))


def _var(genes: Genes, outlier: Int) -> pd.DataFrame:
    n_digits = max(4, len(str(len(genes.mean))))
    var = pd.DataFrame(
        {
            "true_mean": genes.mean,
            "true_dispersion": genes.dispersion,
            "is_de": is_changed(genes.log2fc),
            "is_outlier": outlier >= 0,
        },
        index=[f"gene{j + 1:0{n_digits}d}" for j in range(len(genes.mean))],
    )
    if genes.log2fc.shape[1] == 1:
        var["true_log2fc"] = genes.log2fc[:, 0]
    return var

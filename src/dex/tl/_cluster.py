"""Clusters of observations or of genes, and whether there is more than one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex._logging import logger
from dex.data.threads import map_threads
from dex.design.wording import plural
from dex.errors import InputError
from dex.results.actual import check_writable
from dex.stats.consensus import (
    ambiguous_share,
    consensus_labels,
    consensus_matrix,
    resampled_together,
    stability,
)
from dex.stats.one_cluster import GapTest, gap_test
from dex.stats.partitions import log_within, partitions
from dex.tl._cluster_points import Axis, Null, Points, check_null
from dex.tl._cluster_store import Clustered, check_cluster_key, store_clusters
from dex.tl._pca import (
    check_number,
    expression_params,
    gene_values,
    log_expression,
    variable_genes,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.stats.partitions import Procedure
    from dex.typing import Float

Method = Literal["consensus", "kmeans", "hierarchical"]
_PROCEDURES: dict[str, Procedure] = {
    "consensus": "kmeans",
    "kmeans": "kmeans",
    "hierarchical": "hierarchical",
}
_N_COMPS = {"samples": 10, "cells": 30}
_K_MAX = 10
_MOST_POINTS = {"consensus": 3_000, "hierarchical": 20_000}
"""Their pairs are all looked at."""
_MOST_TESTED = 2_000
"""Of more points, so many drawn at random are tested for being one cluster."""


def cluster(
    adata: AnnData,
    k: int | None = None,
    *,
    method: Method = "consensus",
    axis: Axis = "obs",
    layer: str | None = None,
    scale: str | None = None,
    size_factors: str = "auto",
    n_top_genes: int | None = 2000,
    mask_var: str | ArrayLike | None = None,
    n_comps: int | None = None,
    k_max: int | None = None,
    null: Null | None = None,
    n_null: int = 100,
    alpha: float = 0.05,
    n_resamples: int = 100,
    fraction: float = 0.8,
    seed: int = 0,
    key_added: str = "cluster",
    n_threads: int | None = None,
) -> None:
    """Cluster observations or genes, and test whether they are more than one cluster.

    Any algorithm cuts anything into as many clusters as it is asked for. Here the scatter within
    1, 2, ... clusters is compared with that of points which are one cluster and extend as far as
    the data in every principal direction (the gap statistic [Tibshirani2001]_); the largest gap, in
    standard deviations, gives a p-value. Unless that is at most ``alpha`` there is one cluster, or,
    where ``k`` was asked for, a warning.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes: counts or logs in ``X`` or in a layer.
    k
        Number of clusters; by default 1 unless that is rejected, then the least number whose gap is
        within a standard error of the next one's.
    method
        ``"kmeans"`` of the principal components; ``"hierarchical"``, a tree of them by Ward's
        criterion; or ``"consensus"``: k-means of many resamples, and then the points that are most
        often together [Monti2003]_. Consensus is for at most 3,000 points.
    axis
        What is clustered: ``"obs"``, or ``"var"``, the genes by how they rise and fall together
        (each is standardised). See :func:`dex.tl.modules` for a network of them.
    layer
        Layer to read; by default ``X``. Counts are normalised on the way, as
        :func:`dex.tl.rank_genes` does.
    scale, size_factors
        What the values are, where that is not recorded and they do not show it, and what counts
        are divided by: as for :func:`dex.tl.rank_genes`.
    n_top_genes
        Genes of the largest variance to use; None for all.
    mask_var
        Genes to choose from: a boolean column of ``adata.var``, or a boolean array.
    n_comps
        Principal components to cluster; by default 10, and 30 of cells, as far as there are.
    k_max
        Largest number of clusters that is tried; by default 10, or a third of the points.
    null
        What one cluster is: ``"uniform"``, the default for observations, in every principal
        direction, so that a gradient is not cut; ``"gaussian"``, with the covariance of the data,
        which is exact for Gaussian points and has more power against it (SigClust's null
        [Liu2008]_); ``"permuted"``, the default for genes: each gene permuted by itself, so that
        any correlation of genes is against it.
    n_null
        Draws under the null; the smallest p-value is 1 / (``n_null`` + 1).
    alpha
        Largest p-value that rejects one cluster.
    n_resamples, fraction
        Resamples for ``"consensus"``, and the share of the points in each.
    seed
        The same seed gives the same clusters, with any number of threads.
    key_added
        Where the result goes; an earlier one there is replaced.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes, with ``key`` for ``key_added`` (to ``var`` and ``varp`` with ``axis="var"``):

    ``adata.obs[key]``
        Categorical: cluster ``"1"`` is the largest. Missing for genes that are not used.
    ``adata.obs[f"{key}_stability"]``
        With ``"consensus"``: how often a point was with the others of its cluster.
    ``adata.obsp[f"{key}_consensus"]``
        With ``"consensus"``: the share of the resamples in which two points were together.
    ``adata.uns[key]``
        ``k``, ``pval`` of one cluster, and for 1 to ``k_max`` clusters ``log_within``,
        ``expected``, ``gap``, ``error``, ``z`` and, with ``"consensus"``, ``ambiguous``: the share
        of pairs neither together nor apart. Also ``params`` and ``notes``.
        :func:`dex.get.gap_df` makes a table of it.

    Raises
    ------
    dex.errors.InputError
        If a layer, option or value cannot be used as asked, or if too few genes or observations
        vary; ``adata`` is then unchanged.

    See Also
    --------
    dex.pl.gap, dex.pl.consensus, dex.tl.modules

    Notes
    -----
    Genes that differ between the clusters have been made to: testing them on the same values finds
    many in pure noise, and :func:`dex.tl.rank_genes` warns of it.

    More than 2,000 points are tested by 2,000 of them.

    References
    ----------
    .. [Tibshirani2001] Tibshirani, Walther and Hastie (2001), Journal of the Royal Statistical
       Society B 63:411.
    .. [Monti2003] Monti, Tamayo, Mesirov and Golub (2003), Machine Learning 52:91.
    .. [Liu2008] Liu, Hayes, Nobel and Marron (2008), Journal of the American Statistical
       Association 103:1281.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(
    ...     300, 10, groups=("a", "b", "c"), de_fraction=0.3, log2fc_sd=2
    ... )
    >>> dex.tl.cluster(adata, seed=1)
    >>> adata.obs["cluster"].value_counts().tolist()
    [10, 10, 10]
    >>> noise = dex.datasets.simulate_counts(300, 15, de_fraction=0)
    >>> dex.tl.cluster(noise, seed=1)
    >>> noise.uns["cluster"]["k"]
    1
    """
    check_writable(adata)
    check_cluster_key(adata, key_added, made_by="dex.tl.cluster")
    _check(method, axis, alpha=alpha, fraction=fraction)
    for name, value in {
        "k": k,
        "k_max": k_max,
        "n_comps": n_comps,
        "n_top_genes": n_top_genes,
        "n_null": n_null,
        "n_resamples": n_resamples,
    }.items():
        check_number(name, value)
    shape = check_null(null, axis)
    expression = log_expression(
        adata, mask_var, layer=layer, scale=scale, size_factors=size_factors, n_threads=n_threads
    )
    chosen, _ = variable_genes(expression, n_top_genes, n_threads)
    values = gene_values(expression, chosen, n_threads)
    n_comps = n_comps or _N_COMPS[expression.source.unit if axis == "obs" else "samples"]
    points = Points.of(values, axis, n_comps)
    k_max = _k_max(k, k_max, len(points.scores), method, axis)
    plan = _Plan(method, k_max, shape, n_null, n_resamples, fraction, seed, n_threads)
    test = _test(points, plan)
    n_clusters = test.k(alpha) if k is None else k
    found = _divide(points, n_clusters, plan)
    notes = _notes(test, found, k, alpha)
    for note in expression.notes:
        logger.info(note)
    for note in notes:
        logger.warning(note) if k is not None and test.pval > alpha else logger.info(note)
    params = {
        "made_by": "dex.tl.cluster",
        "method": method,
        "axis": axis,
        **expression_params(expression),
        "n_genes": len(chosen),
        "n_top_genes": n_top_genes,
        "n_comps": points.scores.shape[1],
        "null": shape,
        "n_null": n_null,
        "alpha": alpha,
        "k_asked": k,
        "seed": seed,
    }
    if method == "consensus":
        params |= {"n_resamples": n_resamples, "fraction": fraction}
    store_clusters(adata, key_added, found, test, params=params, notes=notes, genes=chosen)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How points are clustered and tested."""

    method: Method
    k_max: int
    null: Null
    n_null: int
    n_resamples: int
    fraction: float
    seed: int
    n_threads: int | None

    @property
    def procedure(self) -> Procedure:
        """What divides points, also those of a resample."""
        return _PROCEDURES[self.method]

    def streams(self, purpose: int, n: int) -> list[np.random.Generator]:
        """Random numbers for ``n`` pieces of work, whoever does them."""
        return np.random.default_rng([self.seed, purpose]).spawn(n)


def _test(points: Points, plan: _Plan) -> GapTest:
    """Compare the scatter within clusters with that of points that are one."""
    choose, first, *streams = plan.streams(0, plan.n_null + 2)
    if len(points.scores) > _MOST_TESTED:
        points = points.take(np.sort(choose.permutation(len(points.scores))[:_MOST_TESTED]))

    def scatter(drawn: Float, rng: np.random.Generator) -> Float:
        return log_within(partitions(drawn, plan.k_max, procedure=plan.procedure, rng=rng))

    def under_null(rng: np.random.Generator) -> Float:
        return scatter(points.like_one(plan.null, rng), rng)

    null = map_threads(under_null, streams, n_threads=plan.n_threads, label="null")
    return gap_test(scatter(points.scores, first), np.array(null))


def _divide(points: Points, k: int, plan: _Plan) -> Clustered:
    (rng,) = plan.streams(1, 1)
    if plan.method != "consensus":
        found = partitions(points.scores, max(k, 1), procedure=plan.procedure, rng=rng)
        return Clustered(found[k - 1].labels)
    resamples = map_threads(
        lambda one: resampled_together(
            points.scores,
            plan.k_max,
            procedure=plan.procedure,
            fraction=plan.fraction,
            rng=one,
        ),
        plan.streams(2, plan.n_resamples),
        n_threads=plan.n_threads,
        label="resamples",
    )
    n_points = len(points.scores)
    ambiguous = np.zeros(plan.k_max)
    for size in range(2, plan.k_max + 1):
        ambiguous[size - 1] = ambiguous_share(consensus_matrix(resamples, size, n_points))
    consensus = consensus_matrix(resamples, k, n_points)
    labels = consensus_labels(consensus, k)
    return Clustered(labels, consensus, stability(consensus, labels), ambiguous)


def _check(method: str, axis: str, *, alpha: float, fraction: float) -> None:
    if method not in _PROCEDURES:
        msg = f"method={method!r} is not known; it is one of {', '.join(map(repr, _PROCEDURES))}."
        raise InputError(msg)
    if axis not in {"obs", "var"}:
        msg = f"axis={axis!r} is not known; it is 'obs' (observations) or 'var' (genes)."
        raise InputError(msg)
    for name, value in {"alpha": alpha, "fraction": fraction}.items():
        if not 0 < value < 1:
            msg = f"{name}={value!r} is not between 0 and 1."
            raise InputError(msg)


def _k_max(k: int | None, k_max: int | None, n_points: int, method: str, axis: Axis) -> int:
    words = "observations" if axis == "obs" else "genes that vary"
    most = _MOST_POINTS.get(method, n_points)
    if n_points > most:
        msg = (
            f"method={method!r} is for at most {most:,} points, and there are {n_points:,} "
            f"{words}; method='kmeans' takes any number."
        )
        raise InputError(msg)
    largest = max(k_max or min(_K_MAX, n_points // 3), k or 2, 2)
    if largest >= n_points:
        msg = f"{largest} clusters of {n_points} {words} cannot be told from one; ask for fewer."
        raise InputError(msg)
    return largest


def _notes(test: GapTest, found: Clustered, k: int | None, alpha: float) -> tuple[str, ...]:
    """What is to be known of the clusters, the number first."""
    one = f"p = {test.pval:.2g} that they are one"
    if test.pval <= alpha:
        notes = [f"{plural(found.k, 'cluster')}; {one}."]
    elif k is None:
        notes = [f"One cluster; {one}, where at most {alpha:g} divides them (k= does so anyway)."]
    else:
        notes = [
            f"{plural(k, 'cluster')} as asked for, but one cluster would look the same: {one}."
        ]
    lone = np.flatnonzero(np.bincount(found.labels) == 1)
    if len(lone) and found.k > 1:
        notes.append(f"{plural(len(lone), 'cluster')} of one member: an outlier, perhaps.")
    return tuple(notes)

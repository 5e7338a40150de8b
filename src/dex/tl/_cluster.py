"""Clusters of observations or of genes, and whether there is more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex._logging import logger
from dex.design.wording import plural
from dex.errors import InputError
from dex.results.actual import check_writable
from dex.stats.communities import import_igraph
from dex.tl._cluster_plan import METHODS, ClusterPlan, Method, Outcome, cluster_points
from dex.tl._cluster_points import Axis, Null, Points, check_null
from dex.tl._cluster_store import check_cluster_key, store_clusters
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


_N_COMPS = {"samples": 10, "cells": 30}
_K_MAX = 10
_MOST_POINTS = {"consensus": 2_000, "hierarchical": 20_000, "leiden": 20_000}
"""Their pairs are all looked at."""


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
    resolution: float = 1.0,
    n_neighbors: int = 15,
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
        criterion; ``"consensus"``: k-means of many resamples, and then the points that are most
        often together [Monti2003]_, for at most 2,000 points; or ``"leiden"``: communities of a
        graph of neighbours, as many as ``resolution`` makes, of which the modularity is tested
        (needs igraph).
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
    resolution, n_neighbors
        For ``"leiden"``: the higher the resolution, the more communities.
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
        of pairs neither together nor apart; with ``"leiden"`` instead ``modularity`` and
        ``expected_modularity``. Also ``params`` and ``notes``.
        :func:`dex.get.gap_df` makes a table of it.

    Raises
    ------
    dex.errors.InputError
        If a layer, option or value cannot be used as asked, or if too few genes or observations
        vary; ``adata`` is then unchanged.

    See Also
    --------
    dex.pl.gap, dex.pl.consensus, dex.tl.modules, dex.pp.split_counts

    Notes
    -----
    Genes that differ between the clusters have been made to: testing them on the same values finds
    many in pure noise, and :func:`dex.tl.rank_genes` warns of it. :func:`dex.pp.split_counts`
    makes one part of the counts to cluster and one to test.

    An outlier is no part of a single heap: observations with a few wild counts reject one cluster,
    too, and then are clusters of one member, which a note says.

    More than 1,000 points are tested by 1,000 of them.

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
    _check(method, axis, k, alpha=alpha, fraction=fraction, resolution=resolution)
    for name, value in {
        "k": k,
        "k_max": k_max,
        "n_comps": n_comps,
        "n_top_genes": n_top_genes,
        "n_null": n_null,
        "n_resamples": n_resamples,
        "n_neighbors": n_neighbors,
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
    plan = ClusterPlan(
        method,
        k,
        k_max,
        shape,
        n_null,
        alpha,
        n_resamples,
        fraction,
        resolution,
        n_neighbors,
        seed,
        n_threads,
    )
    outcome = cluster_points(points, plan)
    notes = _notes(outcome, plan)
    for note in expression.notes:
        logger.info(note)
    for note in notes:
        logger.warning(note) if k is not None and outcome.pval > alpha else logger.info(note)
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
    if method == "leiden":
        params |= {"resolution": resolution, "n_neighbors": n_neighbors}
    tested = {"pval": outcome.pval, **outcome.tested}
    store_clusters(
        adata, key_added, outcome.clusters, tested, params=params, notes=notes, genes=chosen
    )


def _check(
    method: str, axis: str, k: int | None, *, alpha: float, fraction: float, resolution: float
) -> None:
    if method not in METHODS:
        msg = f"method={method!r} is not known; it is one of {', '.join(map(repr, METHODS))}."
        raise InputError(msg)
    if method == "leiden":
        import_igraph()
        if k is not None:
            msg = f"k={k} is not for method='leiden'; resolution= makes more or fewer clusters."
            raise InputError(msg)
    if not resolution > 0:
        msg = f"resolution={resolution!r} is not above 0."
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


def _notes(outcome: Outcome, plan: ClusterPlan) -> tuple[str, ...]:
    """What is to be known of the clusters, the number first."""
    n, alpha = outcome.clusters.k, plan.alpha
    one = f"p = {outcome.pval:.2g} that they are one"
    if outcome.pval <= alpha:
        notes = [f"{plural(n, 'cluster')}; {one}."]
    elif plan.k is None:
        how = "" if plan.method == "leiden" else " (k= does so anyway)"
        notes = [f"One cluster; {one}, where at most {alpha:g} divides them{how}."]
    else:
        said = "as asked for, but one cluster would look the same"
        notes = [f"{plural(n, 'cluster')} {said}: {one}."]
    if plan.k is None and plan.method != "leiden" and n == plan.k_max > 1:
        notes.append(f"{n} is the largest number tried; k_max= tries more.")
    lone = int(np.sum(np.bincount(outcome.clusters.labels) == 1))
    if lone and n > 1:
        notes.append(f"{plural(lone, 'cluster')} of one member: an outlier, perhaps.")
    return tuple(notes)

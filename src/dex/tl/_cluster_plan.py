"""How points are clustered, and compared with points that are one cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dex.data.threads import SERIAL_BLAS, map_threads
from dex.stats.communities import leiden, modularity, neighbour_graph
from dex.stats.consensus import (
    ambiguous_share,
    consensus_labels,
    consensus_matrix,
    resampled_together,
    stability,
)
from dex.stats.one_cluster import gap_test
from dex.stats.partitions import log_within, partitions
from dex.tl._cluster_store import Clustered

if TYPE_CHECKING:
    from dex.stats.one_cluster import GapTest
    from dex.stats.partitions import Procedure
    from dex.tl._cluster_points import Null, Points
    from dex.typing import Float, Int

Method = Literal["consensus", "kmeans", "hierarchical", "leiden"]
METHODS = ("consensus", "kmeans", "hierarchical", "leiden")
_MOST_TESTED = 1_000
"""Of more points, so many drawn at random are tested for being one cluster."""
_STARTS = 3
"""Of k-means in the test, of the data as of what is drawn."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """How points are clustered and tested."""

    method: Method
    k: int | None
    k_max: int
    null: Null
    n_null: int
    alpha: float
    n_resamples: int
    fraction: float
    resolution: float
    n_neighbors: int
    seed: int
    n_threads: int | None

    @property
    def procedure(self) -> Procedure:
        """What divides points, also those of a resample."""
        return "hierarchical" if self.method == "hierarchical" else "kmeans"

    def streams(self, purpose: int, n: int) -> list[np.random.Generator]:
        """Random numbers for ``n`` pieces of work, whoever does them."""
        return np.random.default_rng([self.seed, purpose]).spawn(n)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Clusters, and the test of one."""

    clusters: Clustered
    pval: float
    tested: dict[str, Any]
    """What ``uns`` keeps of the test."""


def cluster_points(points: Points, plan: ClusterPlan) -> Outcome:
    """Divide points, unless they are to be one cluster."""
    if plan.method == "leiden":
        return _by_graph(points, plan)
    test = _gap(points, plan)
    clusters = _divide(points, test.k(plan.alpha) if plan.k is None else plan.k, plan)
    tested = {
        "log_within": test.log_within,
        "expected": test.expected,
        "gap": test.gap,
        "error": test.error,
        "z": test.z,
    }
    return Outcome(clusters, test.pval, tested)


def _by_graph(points: Points, plan: ClusterPlan) -> Outcome:
    """Communities, unless points that are one cluster have as distinct ones."""
    (first,) = plan.streams(1, 1)
    choose, again, *streams = plan.streams(0, plan.n_null + 2)
    labels, distinct = _communities(points.scores, plan, first)
    fewer = _some(points, choose)
    if fewer is not points:
        distinct = _communities(fewer.scores, plan, again)[1]
    with SERIAL_BLAS:  # one by one: the random numbers of igraph are everybody's
        null = [_communities(fewer.like_one(plan.null, rng), plan, rng)[1] for rng in streams]
    pval = (1 + float(np.sum(np.array(null) >= distinct - 1e-9))) / (1 + len(null))
    if pval > plan.alpha:
        labels = np.zeros_like(labels)
    tested = {"modularity": distinct, "expected_modularity": float(np.mean(null))}
    return Outcome(Clustered(labels), pval, tested)


def _communities(scores: Float, plan: ClusterPlan, rng: np.random.Generator) -> tuple[Int, float]:
    """Labels, and how distinct they are."""
    graph = neighbour_graph(scores, plan.n_neighbors)
    labels = leiden(graph, resolution=plan.resolution, rng=rng)
    return labels, modularity(graph, labels, resolution=plan.resolution)


def _some(points: Points, rng: np.random.Generator) -> Points:
    """As many points as are tested."""
    n = len(points.scores)
    if n <= _MOST_TESTED:
        return points
    return points.take(np.sort(rng.permutation(n)[:_MOST_TESTED]))


def _gap(points: Points, plan: ClusterPlan) -> GapTest:
    """Compare the scatter within clusters with that of points that are one."""
    choose, first, *streams = plan.streams(0, plan.n_null + 2)
    points = _some(points, choose)

    def scatter(drawn: Float, rng: np.random.Generator) -> Float:
        found = partitions(drawn, plan.k_max, procedure=plan.procedure, rng=rng, n_starts=_STARTS)
        return log_within(found)

    def under_null(rng: np.random.Generator) -> Float:
        return scatter(points.like_one(plan.null, rng), rng)

    null = map_threads(under_null, streams, n_threads=plan.n_threads, label="null")
    return gap_test(scatter(points.scores, first), np.array(null))


def _divide(points: Points, k: int, plan: ClusterPlan) -> Clustered:
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

"""dex against what people use: seconds, CPU-seconds and the ratio, in one run.

Run it on an idle machine: ``python tests/benchmarks/bench_rank_genes.py``. It simulates 20,000
genes x 1,000 samples (``--n-genes``, ``--n-obs``), ranks them by dex and by each peer, and prints a
table. Peers that loop over genes run on ``--n-loop`` genes and are scaled up, which is fair, as the
loop has no fixed cost. dex and scanpy are warm: kernels compiled, the best of three runs.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scanpy as sc
import statsmodels.api as sm
from scipy import stats

import dex

if TYPE_CHECKING:
    from collections.abc import Callable

    from anndata import AnnData


@dataclass(frozen=True)
class Timing:
    """What one job cost."""

    wall: float
    cpu: float


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-genes", type=int, default=20_000)
    parser.add_argument("--n-obs", type=int, default=1_000)
    parser.add_argument("--n-loop", type=int, default=500)
    options = parser.parse_args()
    adata = simulate(options.n_genes, options.n_obs)
    scale = options.n_genes / options.n_loop
    rows = [row for job in (ols, t_test, wilcoxon) for row in job(adata, options.n_loop, scale)]
    table = pd.DataFrame(rows, columns=["job", "by", "wall s", "CPU s"])
    table["x dex (CPU)"] = table["CPU s"] / table.groupby("job")["CPU s"].transform("first")
    title = f"{options.n_genes} genes x {options.n_obs} samples, log-normalised"
    print(title, table.round(2).to_string(index=False), sep="\n")


def simulate(n_genes: int, n_obs: int) -> AnnData:
    """Log-normalised counts with a condition, a batch and an age."""
    adata = dex.datasets.simulate_counts(n_genes, n_obs // 2, n_batches=5, seed=0)
    totals = adata.X.sum(axis=1, keepdims=True)
    adata.X = np.log1p(adata.X / totals * np.median(totals)).astype(np.float32)
    adata.uns["log1p"] = {"base": None}
    adata.obs["age"] = np.random.default_rng(0).normal(50, 10, size=adata.n_obs)
    for column in ("condition", "batch"):
        adata.obs[column] = adata.obs[column].astype("category")
    return adata


def ols(adata: AnnData, n_loop: int, scale: float) -> list[tuple[str, str, float, float]]:
    """Least squares with covariates, a contrast, p-values."""
    design = "~ batch + age + condition"
    ours = timed_warm(lambda: dex.tl.rank_genes(adata, design=design, method="ols"))
    matrix = adata.uns["rank_genes"]["params"]["design_columns"]
    batches = pd.get_dummies(adata.obs["batch"], drop_first=True, dtype=float)
    treated = (adata.obs["condition"] == "treated").astype(float)
    X = np.column_stack([np.ones(adata.n_obs), batches, adata.obs["age"], treated])
    assert X.shape[1] == len(matrix)
    values = adata.X[:, :n_loop].astype(float)

    def loop() -> None:
        for j in range(n_loop):
            fit = sm.OLS(values[:, j], X).fit()
            _ = fit.params[-1], fit.bse[-1], fit.pvalues[-1]

    return report("ols", ours, {"statsmodels, gene by gene": scaled(timed(loop), scale)})


def t_test(adata: AnnData, n_loop: int, scale: float) -> list[tuple[str, str, float, float]]:
    """Welch's t-test between two conditions."""
    ours = timed_warm(lambda: dex.tl.rank_genes(adata, groupby="condition", method="t-test"))
    group, reference = (
        adata.X[(adata.obs["condition"] == name).to_numpy(), :n_loop].astype(float)
        for name in ("treated", "control")
    )

    def loop() -> None:
        for j in range(n_loop):
            stats.ttest_ind(group[:, j], reference[:, j], equal_var=False)

    peers = {
        "scipy, gene by gene": scaled(timed(loop), scale),
        "scanpy": timed_warm(lambda: scanpy_rank(adata, "t-test")),
    }
    return report("t-test", ours, peers)


def wilcoxon(adata: AnnData, n_loop: int, scale: float) -> list[tuple[str, str, float, float]]:
    """Rank-sum test between two conditions, ties corrected."""
    ours = timed_warm(lambda: dex.tl.rank_genes(adata, groupby="condition", method="wilcoxon"))
    group, reference = (
        adata.X[(adata.obs["condition"] == name).to_numpy(), :n_loop].astype(float)
        for name in ("treated", "control")
    )

    def loop() -> None:
        for j in range(n_loop):
            stats.mannwhitneyu(
                group[:, j], reference[:, j], use_continuity=False, method="asymptotic"
            )

    peers = {
        "scipy, gene by gene": scaled(timed(loop), scale),
        "scanpy": timed_warm(lambda: scanpy_rank(adata, "wilcoxon", tie_correct=True)),
    }
    return report("wilcoxon", ours, peers)


def scanpy_rank(adata: AnnData, method: str, **options: bool) -> None:
    """Rank all genes by scanpy, treated against control."""
    sc.tl.rank_genes_groups(
        adata, "condition", groups=["treated"], reference="control", method=method, **options
    )


def timed(job: Callable[[], None]) -> Timing:
    """Wall and CPU seconds of one run."""
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def timed_warm(job: Callable[[], None], *, repeats: int = 3) -> Timing:
    """Best of some runs after a first that loads or compiles."""
    job()
    return min((timed(job) for _ in range(repeats)), key=lambda timing: timing.wall)


def scaled(timing: Timing, factor: float) -> Timing:
    """Cost of ``factor`` times as many genes."""
    return Timing(timing.wall * factor, timing.cpu * factor)


def report(job: str, ours: Timing, peers: dict[str, Timing]) -> list[tuple[str, str, float, float]]:
    """Rows of the table, ours first."""
    named = {"dex": ours, **peers}
    return [(job, name, timing.wall, timing.cpu) for name, timing in named.items()]


if __name__ == "__main__":
    main()

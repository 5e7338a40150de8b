"""DESeq2 by dex against R's and PyDESeq2: CPU-seconds, the ratio, and peak memory.

Run it on an idle machine: ``python tests/benchmarks/bench_deseq2.py``. It simulates 20,000 genes x
115 and 1,000 samples, ``~ batch + condition``, and tests one contrast by Wald tests. dex is warm:
kernels compiled, the best of three runs, on two threads. R's and PyDESeq2's seconds are measured
where they are given: ``--rscript "Rscript"`` and ``--pydeseq2``.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from memory import above_held

import dex

if TYPE_CHECKING:
    from anndata import AnnData

_SIZES = (115, 1000)
_R = """
suppressMessages(library(DESeq2))
counts <- as.matrix(read.csv("counts.csv", row.names = 1))
samples <- read.csv("samples.csv", row.names = 1, stringsAsFactors = TRUE)
dds <- DESeqDataSetFromMatrix(counts, samples, ~ batch + condition)
time <- system.time(results(DESeq(dds, quiet = TRUE)))
cat(sum(time[c("user.self", "sys.self")]))
"""


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-genes", type=int, default=20_000)
    parser.add_argument("--n-obs", type=int, nargs="*", default=_SIZES)
    parser.add_argument("--rscript", help="how R is started, to be timed too")
    parser.add_argument("--pydeseq2", action="store_true", help="time PyDESeq2, if installed")
    options = parser.parse_args()
    rows = []
    for n_obs in options.n_obs:
        adata = dex.datasets.simulate_counts(
            options.n_genes, [n_obs // 2, n_obs - n_obs // 2], n_batches=2, seed=0
        )
        wall, cpu, memory = min(of_dex(adata) for _ in range(3))
        row = {"samples": n_obs, "wall s": wall, "CPU s": cpu, "memory, dense copies": memory}
        if options.rscript:
            row["R, x dex (CPU)"] = of_r(adata, options.rscript) / cpu
        if options.pydeseq2:
            row["PyDESeq2, x dex (CPU)"] = of_pydeseq2(adata) / cpu
        rows.append(row)
    print(pd.DataFrame(rows).round(2).to_string(index=False))


def of_dex(adata: AnnData) -> tuple[float, float, float]:
    """Wall and CPU seconds, and peak memory in copies of the counts as float64."""

    def run() -> None:
        dex.tl.rank_genes(
            adata,
            design="~ batch + condition",
            contrasts=("condition", "treated", "control"),
            method="deseq2",
            n_threads=2,
        )

    wall, cpu = time.perf_counter(), time.process_time()
    above = above_held(run)["above"] * 2**20
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return *spent, above / (8 * adata.n_obs * adata.n_vars)


def of_r(adata: AnnData, rscript: str) -> float:
    """CPU-seconds of DESeq() and results()."""
    with tempfile.TemporaryDirectory() as folder:
        counts = pd.DataFrame(np.asarray(adata.X.T, dtype=int), adata.var_names, adata.obs_names)
        counts.to_csv(Path(folder) / "counts.csv")
        adata.obs.to_csv(Path(folder) / "samples.csv")
        (Path(folder) / "time.R").write_text(_R)
        command = [*rscript.split(), "time.R"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def of_pydeseq2(adata: AnnData) -> float:
    """CPU-seconds of its fit and Wald tests, on one process."""
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.ds import DeseqStats

    counts = pd.DataFrame(np.asarray(adata.X, dtype=int), adata.obs_names, adata.var_names)
    cpu = time.process_time()
    fit = DeseqDataSet(
        counts=counts, metadata=adata.obs, design="~ batch + condition", n_cpus=1, quiet=True
    )
    fit.deseq2()
    DeseqStats(fit, contrast=["condition", "treated", "control"], n_cpus=1, quiet=True).summary()
    return time.process_time() - cpu


if __name__ == "__main__":
    main()

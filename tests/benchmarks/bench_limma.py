"""limma-voom by dex, R and pylimma: seconds, CPU-seconds, memory and differences, in one run.

Run it on a quiet machine, with R's limma and with a Python that has pylimma (else dex runs alone):
``python tests/benchmarks/bench_limma.py --rscript Rscript --pylimma PYTHON``. It simulates 17,000
genes x 115 samples and 20,000 x 1,000 (``--sizes``), and times voom, the weighted fits and their
moderation from counts to statistics. dex is warm (kernels compiled), the best of three runs; R and
pylimma time the same three steps, without reading the counts. pylimma, which loops over genes, runs
on ``--n-loop`` genes and is scaled up. Where R runs in a root of its own, ``--folder`` is where the
counts are put and ``--r-folder`` is where R finds them.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from memory import above_held

import dex

R = """
suppressMessages(library(limma))
folder <- commandArgs(TRUE)[1]
size <- scan(file.path(folder, "size.txt"), quiet = TRUE)
counts <- matrix(readBin(file.path(folder, "counts.bin"), "double", prod(size)), size[1], size[2])
design <- as.matrix(read.csv(file.path(folder, "design.csv")))
start <- proc.time()
v <- voom(counts, design)
fit <- eBayes(lmFit(v, design))
spent <- proc.time() - start
t <- fit$t[, ncol(design)]
writeLines(sprintf("%.15g", t), file.path(folder, "t.txt"))
cat(spent[["elapsed"]], spent[["user.self"]] + spent[["sys.self"]], "\\n")
"""
PYLIMMA = """
import sys, time
from pathlib import Path
import numpy as np
import pylimma
folder, n = Path(sys.argv[1]), int(sys.argv[2])
size = np.loadtxt(folder / "size.txt", dtype=int)
counts = np.fromfile(folder / "counts.bin").reshape(size[::-1]).T[:n].copy()
design = np.loadtxt(folder / "design.csv", delimiter=",", skiprows=1)
wall, cpu = time.perf_counter(), time.process_time()
fit = pylimma.e_bayes(pylimma.lm_fit(pylimma.voom(counts, design, adaptive_span=False), design))
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["17000x115", "20000x1000"])
    parser.add_argument("--n-loop", type=int, default=1000)
    parser.add_argument("--n-threads", type=int)
    parser.add_argument("--rscript", help="command that runs R")
    parser.add_argument("--pylimma", help="Python that has pylimma")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--r-folder")
    options = parser.parse_args()
    logging.getLogger("dex").setLevel(logging.ERROR)
    folder = options.folder or Path(tempfile.mkdtemp())
    small = simulate(200, 12)
    dex.tl.rank_genes(small, **question(options))  # compiles
    for size in options.sizes:
        n_genes, n_obs = map(int, size.split("x"))
        rows = compare(simulate(n_genes, n_obs), options, folder)
        table = pd.DataFrame(rows, columns=["by", "wall s", "CPU s"])
        table["x dex (wall)"] = table["wall s"] / table["wall s"][0]
        table["x dex (CPU)"] = table["CPU s"] / table["CPU s"][0]
        print(f"voom, fit, eBayes: {size}", table.round(2).to_string(index=False), sep="\n")


def question(options):
    return {
        "design": "~ batch + condition",
        "method": "limma_voom",
        "size_factors": "library",
        "n_threads": options.n_threads,
    }


def simulate(n_genes: int, n_obs: int):
    """Counts with a condition and five batches; the last sample goes where ``n_obs`` is odd."""
    adata = dex.datasets.simulate_counts(n_genes, (n_obs + 1) // 2, n_batches=5, seed=0)[:n_obs]
    adata = adata.copy()
    adata.X = adata.X.astype(np.float64)
    return adata


def compare(adata, options, folder: Path):
    """Yield who, seconds and CPU-seconds."""
    rows = []

    def timed() -> None:
        rows.append(("dex", *best_of_three(lambda: dex.tl.rank_genes(adata, **question(options)))))

    copies = above_held(timed)["above"] * 2**20 / adata.X.nbytes
    print(f"peak memory of dex beyond the counts: {copies:.2f} dense copies of them")
    write_counts(adata, folder)
    if options.rscript:
        where = options.r_folder or str(folder)
        said = run([*shlex.split(options.rscript), "-e", R, where])
        rows.append(("R limma", *said))
        ours = adata.varm["rank_genes_stat"][:, 0]
        theirs = np.loadtxt(folder / "t.txt")
        gap = np.nanmax(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs)))
        print(f"largest difference of t from R's: {gap:.1e}")
    if options.pylimma:
        n = min(options.n_loop, adata.n_vars)
        wall, cpu = run([options.pylimma, "-c", PYLIMMA, str(folder), str(n)])
        scale = adata.n_vars / n
        rows.append((f"pylimma ({n} genes, scaled)", wall * scale, cpu * scale))
    return rows


def write_counts(adata, folder: Path) -> None:
    """Genes x samples by columns, as R has them, and the design."""
    np.savetxt(folder / "size.txt", [adata.n_vars, adata.n_obs], fmt="%d")
    np.ascontiguousarray(adata.X).tofile(folder / "counts.bin")
    dex.tl.fit(adata, "~ batch + condition", method="ols", key_added="bench")
    design = pd.DataFrame(adata.obsm["bench_design"])
    design.to_csv(folder / "design.csv", index=False)


def best_of_three(job):
    """Wall and CPU-seconds of the fastest run."""
    every = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        every.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(every)


def run(words):
    """Run a peer, which prints wall and CPU-seconds last."""
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()[-2:]))


if __name__ == "__main__":
    main()

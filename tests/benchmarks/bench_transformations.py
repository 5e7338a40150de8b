"""vst and rlog by dex and by R's DESeq2: seconds, CPU-seconds and differences, in one run.

Run it on a quiet machine: ``python tests/benchmarks/bench_transformations.py --rscript Rscript``;
without R dex runs alone. It simulates counts (``--sizes``) and times ``dex.pp.normalize`` from
counts to layer, size factors and dispersions included, warm, the best of three runs; R times the
same steps. Where R runs in a root of its own, ``--folder`` is where this script puts the counts and
``--r-folder`` is where R finds them.
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

import dex

R = """
suppressMessages(library(DESeq2))
said <- commandArgs(TRUE)
size <- scan(file.path(said[1], "size.txt"), quiet = TRUE)
counts <- matrix(readBin(file.path(said[1], "counts.bin"), "double", prod(size)), size[1], size[2])
transform <- if (said[2] == "vst") varianceStabilizingTransformation else rlog
start <- proc.time()
dds <- DESeqDataSetFromMatrix(counts, data.frame(g = rep(1, size[2])), ~ 1)
out <- suppressMessages(assay(transform(dds, blind = TRUE)))
spent <- proc.time() - start
writeBin(as.vector(out), file.path(said[1], "out.bin"))
cat(spent[["elapsed"]], spent[["user.self"]] + spent[["sys.self"]], "\\n")
"""


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["20000x8", "5000x60"])
    parser.add_argument("--n-threads", type=int)
    parser.add_argument("--rscript", help="command that runs R")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--r-folder")
    options = parser.parse_args()
    logging.getLogger("dex").setLevel(logging.ERROR)
    folder = options.folder or Path(tempfile.mkdtemp())
    rows = []
    for size in options.sizes:
        n_genes, n_obs = map(int, size.split("x"))
        adata = dex.datasets.simulate_counts(n_genes, n_obs // 2, seed=0)
        rows += [(size, m, *compare(adata, m, options, folder)) for m in ("vst", "rlog")]
    names = ["genes x samples", "method", "dex s", "dex CPU s", "R s", "R CPU s", "R / dex (CPU)"]
    print(pd.DataFrame(rows, columns=[*names, "99% of differences"]).to_string(index=False))


def compare(adata, method: str, options, folder: Path):
    """Seconds and CPU-seconds of dex and R, their ratio, and how far R's values are."""
    job = lambda: dex.pp.normalize(adata, method, n_threads=options.n_threads)  # noqa: E731
    job()  # compiles
    wall, cpu = best_of_three(job)
    if not options.rscript:
        return wall, cpu, np.nan, np.nan, np.nan, np.nan
    np.savetxt(folder / "size.txt", [adata.n_vars, adata.n_obs], fmt="%d")
    adata.X.astype(np.float64).tofile(folder / "counts.bin")
    words = [*shlex.split(options.rscript), "-e", R, options.r_folder or str(folder), method]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    r_wall, r_cpu = map(float, done.stdout.split()[-2:])
    theirs = np.fromfile(folder / "out.bin").reshape(adata.shape)
    gap = np.quantile(np.abs(adata.layers[method] - theirs), 0.99)
    return wall, cpu, r_wall, r_cpu, r_cpu / cpu, gap


def best_of_three(job):
    """Wall and CPU-seconds of the fastest run."""
    every = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        every.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(every)


if __name__ == "__main__":
    main()

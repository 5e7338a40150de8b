"""edgeR's quasi-likelihood pipeline in dex, R and edgePython: CPU-seconds and memory, in one run.

``python tests/benchmarks/bench_edger.py --rscript Rscript`` simulates 17,000 genes x 115 samples
and 15,000 x 1,000 (a condition, two batches), tests the condition by each, prints a table. dex is
warm: kernels compiled, the best of three runs, in a process of its own, as every peer is. Give the
interpreter that has edgePython with ``--edgepython``. ``--scaling`` shows what dex takes by numbers
of samples, genes and coefficients instead.

``peak`` is the resident memory of the whole process, interpreter and libraries included; ``above``
is what the first run takes beyond a process that holds the counts and has tested 200 genes.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from memory import above_held

SIZES = ((17_000, 115), (15_000, 1_000))

R_SCRIPT = """
suppressMessages(library(edgeR))
args <- commandArgs(TRUE); n <- as.integer(args[2]); genes <- as.integer(args[3])
counts <- matrix(readBin(file.path(args[1], "counts.bin"), "double", n * genes), genes)
design <- matrix(readBin(file.path(args[1], "design.bin"), "double", n * as.integer(args[4])), n)
memory <- function(name) {
  status <- grep(name, readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", status)) / 1024
}
run <- function(counts) glmQLFTest(glmQLFit(normLibSizes(DGEList(counts)), design))
invisible(run(counts[1:200, ])); invisible(gc())
cat("5", file = "/proc/self/clear_refs"); before <- memory("VmRSS")
start <- proc.time()
result <- run(counts)
used <- proc.time() - start
cpu <- sum(used[c(1, 2, 4, 5)]); peak <- memory("VmHWM")
form <- '{"wall": %f, "cpu": %f, "peak": %f, "above": %f}'
cat(sprintf(form, used[[3]], cpu, peak, peak - before))
"""

PYTHON_SCRIPT = """
import json, sys, time
import numpy as np, edgepython as ep
sys.path.insert(0, sys.argv.pop(1))
from memory import above_held
folder, n, genes, k = sys.argv[1], *map(int, sys.argv[2:])
counts = np.fromfile(folder + "/counts.bin").reshape(n, genes).T.copy()
design = np.fromfile(folder + "/design.bin").reshape(k, n).T.copy()
def run(counts=counts):
    y = ep.calc_norm_factors(ep.make_dgelist(counts))
    return ep.glm_ql_ftest(ep.glm_ql_fit(y, design))
run(counts[:200])
memory = above_held(run)
wall, cpu = time.perf_counter(), time.process_time()
run()
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
print(json.dumps({"wall": wall, "cpu": cpu} | memory))
"""


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rscript", default="Rscript")
    parser.add_argument("--edgepython", default="")
    parser.add_argument("--folder", help="to exchange files in; by default a temporary one")
    parser.add_argument("--folder-in-r", help="the same, as R sees it")
    parser.add_argument("--sizes", type=int, nargs="+", default=[n for size in SIZES for n in size])
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--dex", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dex:
        print(json.dumps(time_dex(*options.dex)))
    elif options.scaling:
        scaling()
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(options, Path(options.folder or folder))


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Print what each takes."""
    rows = []
    for n_genes, n_obs in zip(options.sizes[::2], options.sizes[1::2], strict=True):
        counts, design = simulate(n_genes, n_obs)
        counts.tofile(folder / "counts.bin")
        design.T.tofile(folder / "design.bin")
        (folder / "run.R").write_text(R_SCRIPT)
        (folder / "run.py").write_text(PYTHON_SCRIPT)
        shape = [str(n) for n in (n_obs, n_genes, design.shape[1])]
        in_r = options.folder_in_r or str(folder)
        jobs = {
            "dex": [sys.executable, __file__, "--dex", str(folder), *shape],
            "edgeR": [*options.rscript.split(), f"{in_r}/run.R", in_r, *shape],
        }
        if options.edgepython:
            script = [str(folder / "run.py"), str(Path(__file__).parent), str(folder)]
            jobs["edgePython"] = [options.edgepython, *script, *shape]
        for name, command in jobs.items():
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(name, "failed:", done.stderr[-500:])
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            rows.append((f"{n_genes} x {n_obs}", name, *found.values()))
    columns = ["data", "by", "wall s", "CPU s", "peak MiB", "above MiB"]
    table = pd.DataFrame(rows, columns=columns)
    for column in ("CPU s", "above MiB"):
        table[f"x dex ({column})"] = table[column] / table.groupby("data")[column].transform(
            "first"
        )
    print(table.round(2).to_string(index=False))


def simulate(n_genes: int, n_obs: int, n_coefs: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Counts ``(n_obs, n_genes)`` and a design of a condition and batches."""
    rng = np.random.default_rng(0)
    index = np.arange(n_obs)
    batches = [index // 2 % (n_coefs - 1) == b for b in range(1, n_coefs - 1)]
    design = np.column_stack([np.ones(n_obs), *batches, index % 2]).astype(float)
    effects = np.vstack([rng.normal(4, 1.8, n_genes), rng.normal(0, 0.3, (n_coefs - 1, n_genes))])
    mu = np.exp(design @ effects + rng.normal(0, 0.3, (n_obs, 1)))
    size = 1 / (0.05 + 0.5 / np.exp(effects[0]) ** 0.5)
    counts = rng.poisson(mu * rng.gamma(size, 1 / size, mu.shape))
    return counts.astype(np.float64), design


def time_dex(folder: str, *shape: str) -> dict[str, float]:
    """Of the best of three runs, after the first, whose memory is told."""
    import anndata as ad  # after the peers' processes, whose memory it is not

    n_obs, n_genes, n_coefs = map(int, shape)
    counts = np.fromfile(Path(folder) / "counts.bin").reshape(n_obs, n_genes)
    design = np.fromfile(Path(folder) / "design.bin").reshape(n_coefs, n_obs).T
    adata = ad.AnnData(counts)
    run_dex(ad.AnnData(counts[:, :200].copy()), design)
    memory = above_held(lambda: run_dex(adata, design))
    return best_of_three(adata, design) | memory


def run_dex(adata: object, design: np.ndarray) -> None:
    """Test the last coefficient."""
    import dex

    logging.getLogger("dex").setLevel(logging.ERROR)
    dex.tl.rank_genes(adata, design=design, method="edger")


def best_of_three(adata: object, design: np.ndarray) -> dict[str, float]:
    """Seconds, with kernels loaded."""
    runs = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        run_dex(adata, design)
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = min(runs)
    return {"wall": wall, "cpu": cpu}


def scaling() -> None:
    """Print CPU-seconds by samples, genes and coefficients."""
    import anndata as ad

    rows = []
    for n_genes, n_obs, n_coefs in (
        *((5_000, n, 3) for n in (6, 24, 96, 384)),
        *((n, 24, 3) for n in (2_500, 10_000, 20_000)),
        *((5_000, 96, k) for k in (2, 4, 8, 16)),
    ):
        counts, design = simulate(n_genes, n_obs, n_coefs)
        adata = ad.AnnData(counts)
        run_dex(adata, design)
        found = best_of_three(adata, design)
        rows.append((n_genes, n_obs, n_coefs, found["cpu"]))
    table = pd.DataFrame(rows, columns=["genes", "samples", "coefficients", "CPU s"])
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()

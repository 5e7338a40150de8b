"""Mixed models of all genes by dex and by lmerTest: seconds and differences of log10 p.

``python tests/benchmarks/bench_mixed.py --rscript Rscript`` (without it, dex runs alone). 20,000
genes x 60 samples of 12 donors, in two conditions of donors and with a covariate; plain, and with
weights of every value. dex takes the best of three runs; R, which loops over genes, runs on
``--n-loop`` of them and is scaled up. Where R runs in a root of its own, ``--folder`` is where the
values are put and ``--r-folder`` is where R finds them.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from dex.stats.basis import Basis
from dex.stats.mixed_model import BlockedDesign, MixedModels, fit_mixed_models
from dex.stats.packed import quadratic_forms
from dex.stats.satterthwaite import satterthwaite_df
from dex.stats.tails import t_log10_pval

N_GENES, N_SAMPLES, N_DONORS, PART = 20_000, 60, 12, 1000
R = """
suppressMessages(library(lmerTest))
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "samples.csv"))
values <- as.matrix(read.csv(file.path(folder, "values.csv"), header = FALSE))
start <- proc.time()[["elapsed"]]
p <- apply(values, 2, function(y) {
  data$y <- y
  fit <- suppressMessages(lmer(y ~ condition + x + (1 | donor), data))
  row <- summary(fit)$coefficients["condition", ]
  c((pt(-abs(row[["t value"]]), row[["df"]], log.p = TRUE) + log(2)) / log(10), isSingular(fit))
})
cat(proc.time()[["elapsed"]] - start, "\\n")
writeLines(sprintf("%.12g %d", p[1, ], p[2, ]), file.path(folder, "p.txt"))
"""


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rscript", default="")
    parser.add_argument("--n-loop", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--r-folder")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    donor = np.repeat(np.arange(N_DONORS), N_SAMPLES // N_DONORS)
    X = np.column_stack([np.ones(N_SAMPLES), donor % 2, rng.normal(size=N_SAMPLES)])
    spread = rng.uniform(0, 1, N_GENES) * rng.normal(size=(N_DONORS, N_GENES))
    values = rng.normal(size=(N_SAMPLES, N_GENES)) + spread[donor]
    weights = np.exp(rng.normal(0, 0.5, values.shape))
    design = BlockedDesign.of(Basis.from_design(X), donor)
    print(f"dex, plain: {seconds(values, design, None):.2f} s for {N_GENES:,} genes")
    print(f"dex, weighted: {seconds(values, design, weights):.2f} s")
    if not options.rscript:
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made)
        where = f"{options.r_folder}/{folder.name}" if options.r_folder else made
        some = values[:, : options.n_loop]
        np.savetxt(folder / "values.csv", some, delimiter=",", fmt="%.17g")
        np.savetxt(
            folder / "samples.csv",
            np.column_stack([donor, X[:, 1:]]),
            delimiter=",",
            header="donor,condition,x",
            comments="",
            fmt="%.17g",
        )
        (folder / "script.R").write_text(R)
        command = [*shlex.split(options.rscript), f"{where}/script.R", where]
        spent = float(subprocess.run(command, check=True, capture_output=True).stdout.split()[-1])
        theirs, singular = np.loadtxt(folder / "p.txt").T
    print(f"lmerTest: {spent / options.n_loop * N_GENES:.0f} s, by {options.n_loop} genes")
    ours = log10_pval(fit_mixed_models(some, design))
    off = np.abs(ours - theirs)[singular == 0]
    print(f"log10 p of {len(off)} fits not singular differ by at most {off.max():.1e}", end="")
    print(f" (median {np.median(off):.1e}); R at its default tolerances")


def seconds(values: np.ndarray, design: BlockedDesign, weights: np.ndarray | None) -> float:
    """Best of three."""
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        for at in range(0, values.shape[1], PART):
            some = slice(at, at + PART)
            by = None if weights is None else weights[:, some]
            log10_pval(fit_mixed_models(values[:, some], design, weights=by))
        spent.append(time.perf_counter() - start)
    return min(spent)


def log10_pval(fit: MixedModels) -> np.ndarray:
    """Of the second coefficient."""
    contrast = np.array([[0.0, 1.0, 0.0]])
    variance, between = (quadratic_forms(each, contrast) for each in (fit.cov, fit.cov_between))
    df = satterthwaite_df(variance, between, fit.uncertainty)
    return t_log10_pval(fit.coef @ contrast.T / np.sqrt(variance), df)[:, 0]


if __name__ == "__main__":
    main()

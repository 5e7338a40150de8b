"""Preranked GSEA by dex and GSEApy's multilevel method: seconds, memory, noise and agreement.

Run it on a quiet machine, with a Python that has gseapy 1.3.1 or later (else dex runs alone):
``python tests/benchmarks/bench_gsea.py --gseapy PYTHON``. It makes 20,000 genes and 5,000 sets of
15 to 500 genes (``--genes``, ``--sets``), of which a share (``--planted``, 0.2) has a tenth to
six tenths of its genes in the outer eighth of the list. dex is warm (kernels compiled), with one
thread and with all; memory is the peak of the process. The noise is the median absolute
difference of log10 p between two seeds, by the size of p; beside it that between dex and GSEApy.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import kstest

from dex.data.threads import map_threads, thread_count
from dex.stats.gene_sets import SetIndex
from dex.stats.gsea import gsea_test
from dex.stats.running_sum import RankedList

GSEAPY = """
import sys, time
import gseapy, numpy, pandas
held = numpy.load(sys.argv[1])
starts, members = held["starts"], held["members"]
stat = pandas.Series(held["stat"], index=[f"g{j}" for j in range(len(held["stat"]))])
sets = {f"s{i}": [f"g{j}" for j in members[a:b]]
        for i, (a, b) in enumerate(zip(starts[:-1], starts[1:]))}
wall, cpu = time.perf_counter(), time.process_time()
found = gseapy.prerank(stat, sets, method="multilevel", min_size=1, max_size=len(stat), seed=1,
                       threads=int(sys.argv[2]), no_plot=True).res2d.set_index("Term")
print(time.perf_counter() - wall, time.process_time() - cpu)
pval = found["NOM p-val"].astype(float).reindex(list(sets)).to_numpy()
numpy.save(sys.argv[3], numpy.log10(pval))
"""
BANDS = ((-1, 0), (-3, -1), (-10, -3), (-30, -10), (-49, -30))


def main() -> None:
    """Simulate, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gseapy", help="command of a Python with gseapy")
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--sets", type=int, default=5_000)
    parser.add_argument("--planted", type=float, default=0.2)
    asked = parser.parse_args()
    stat, sets, planted = simulate(asked.genes, asked.sets, asked.planted)
    ranked = RankedList.from_stat(stat)
    gsea_test(ranked, sets.take(np.arange(sets.n_sets) < 30))  # compiles
    found = {}
    for seed, n in ((1, 1), (1, thread_count(None)), (2, thread_count(None))):
        wall, cpu = time.perf_counter(), time.process_time()
        found[seed] = gsea_test(ranked, sets, seed=seed, apply=threads(n)).log10_pval
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"dex, {n} threads, seed {seed}: {wall:.1f} s ({cpu:.1f} CPU-s)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    uniform = kstest(10.0 ** found[1][~planted], "uniform").pvalue
    print(f"peak memory {peak:.0f} MB; p of unplanted sets against uniform: KS p = {uniform:.2g}")
    report("two seeds", found[1], found[2], found[1])
    if asked.gseapy:
        report("GSEApy", found[1], by_gseapy(asked.gseapy, stat, sets), found[1])


def threads(n: int):
    """Return a ``map`` by ``n`` threads."""
    return lambda function, sizes: map_threads(function, list(sizes), n_threads=n, label="gsea")


def simulate(n_genes: int, n_sets: int, share: float):
    """Statistics of genes, sets, and which sets are planted."""
    rng = np.random.default_rng(0)
    stat = rng.standard_t(5, size=n_genes)
    order = np.argsort(-stat)
    sizes = np.exp(rng.uniform(np.log(15), np.log(500), n_sets)).astype(int)
    planted = rng.random(n_sets) < share
    sets = []
    for size, is_planted in zip(sizes, planted, strict=True):
        n_outer = int(size * rng.uniform(0.1, 0.6)) if is_planted else 0
        outer = order[:: rng.choice((1, -1))][: n_genes // 8]
        own = rng.choice(outer, n_outer, replace=False)
        rest = rng.choice(np.setdiff1d(np.arange(n_genes), own), size - n_outer, replace=False)
        sets.append(np.concatenate([own, rest]))
    return stat, SetIndex.of(sets, n_genes), planted


def report(name: str, one, other, by) -> None:
    """Print differences of log10 p by its size."""
    for low, high in BANDS:
        band = (by > low) & (by <= high)
        if band.any():
            gap = (other - one)[band]
            print(
                f"{name}, log10 p {low} to {high}: {band.sum()} sets, median difference "
                f"{np.median(gap):+.3f}, median absolute {np.median(np.abs(gap)):.3f}"
            )


def by_gseapy(command: str, stat, sets):
    """log10 p of GSEApy, whose times are printed."""
    with tempfile.TemporaryDirectory() as folder:
        held, out = Path(folder) / "sets.npz", Path(folder) / "log10_pval.npy"
        np.savez(held, stat=stat, starts=sets.starts, members=sets.members)
        n = thread_count(None)
        told = subprocess.run(
            [*shlex.split(command), "-c", GSEAPY, str(held), str(n), str(out)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        print(f"GSEApy, {n} threads: {float(told[-2]):.1f} s ({float(told[-1]):.1f} CPU-s)")
        return np.load(out)


if __name__ == "__main__":
    main()

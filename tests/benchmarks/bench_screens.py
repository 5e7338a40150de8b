"""Rank tests and t-tests of many cells: dex beside scanpy, illico, pdex and hpdex.

Run it on an idle machine: ``python tests/benchmarks/bench_screens.py --set a``. Set ``a`` is 20,000
cells x 20,000 genes, 10 clusters, about 7% non-zero, each cluster against the rest. Set ``b`` is
100,000 x 8,000, 1,000 perturbations and 10% control, about 18% non-zero, each against control.
``--shrink 4`` takes a quarter of the cells, genes and perturbations. ``--values`` chooses
log-normalised float32 (``logs``), the same counts as they are (``counts``), or counts that dex
normalises on the way (``normalise``); all in CSR.

Every job runs in a process of its own, which makes the data, runs cold (with whatever kernels are
cached on disk) and then warm, the best of ``--repeats``. Peers that are not installed are left out.
``peak`` is the memory above that of the process when it holds the data, results included.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import resource
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Screen:
    """What is simulated."""

    n_obs: int
    n_vars: int
    n_groups: int
    share_control: float
    share_nonzero: float

    @property
    def reference(self) -> str:
        """What every group is compared with."""
        return "control" if self.share_control else "rest"

    def shrunk(self, factor: float) -> Screen:
        """Fewer cells, genes and, in screens, groups."""
        groups = self.n_groups if self.reference == "rest" else int(self.n_groups / factor)
        cells, genes = int(self.n_obs / factor), int(self.n_vars / factor)
        return Screen(cells, genes, groups, self.share_control, self.share_nonzero)


SCREENS = {
    "a": Screen(20_000, 20_000, 10, 0.0, 0.07),
    "b": Screen(100_000, 8_000, 1_000, 0.1, 0.18),
}


def main() -> None:
    """Time every job in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=SCREENS, default="a")
    parser.add_argument(
        "--values", dest="stored", choices=["logs", "counts", "normalise"], default="logs"
    )
    parser.add_argument("--method", choices=["wilcoxon", "t-test"], default="wilcoxon")
    parser.add_argument("--shrink", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=JOBS, default=list(JOBS))
    options = parser.parse_args()
    screen = SCREENS[options.set].shrunk(options.shrink)
    rows = []
    for name in options.only:
        against_rest = screen.reference == "rest"
        if importlib.util.find_spec(name) is None or (name == "hpdex" and against_rest):
            continue  # hpdex compares with a reference only
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows += pool.apply(time_job, (name, screen, options))
    table = pd.DataFrame(rows, columns=["by", "run", "wall s", "CPU s", "peak MB"])
    title = f"{options.method} on {options.stored}, set {options.set}: {screen}"
    print(title, table.round(2).to_string(index=False), sep="\n")


def time_job(name: str, screen: Screen, options: argparse.Namespace) -> list[tuple[object, ...]]:
    """Rows of the table for one package."""
    warnings.simplefilter("ignore")
    adata = simulate(screen, logs=options.stored == "logs")
    size = matrix_megabytes(adata)
    job = JOBS[name](adata, screen, options)
    cold, *warm = [measured(job) for _ in range(options.repeats + 1)]
    best = np.min(warm, axis=0) if warm else cold
    return [(name, "cold", *cold), (name, f"warm (matrix {size:.0f} MB)", *best)]


def simulate(screen: Screen, *, logs: bool, seed: int = 0) -> AnnData:
    """Overdispersed counts in CSR, made gene by gene; every group has some genes of its own."""
    rng = np.random.default_rng(seed)
    codes = group_codes(screen, rng)
    share = rng.gamma(0.7, size=screen.n_vars)
    share = np.minimum(share / share.mean() * screen.share_nonzero, 0.98)
    columns = [gene(screen, codes, p, j, rng) for j, p in enumerate(share)]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows, _ in columns])])
    indices = np.concatenate([rows for rows, _ in columns])
    data = np.concatenate([values for _, values in columns])
    del columns
    shape = (screen.n_obs, screen.n_vars)
    matrix = sparse.csc_matrix((data, indices, starts), shape=shape).tocsr()
    if logs:
        totals = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1)
        matrix.data /= np.repeat(totals / 1e4, np.diff(matrix.indptr)).astype(np.float32)
        np.log1p(matrix.data, out=matrix.data)
    names = ["control", *(f"g{i}" for i in range(1, screen.n_groups + 1))]
    obs = pd.DataFrame(
        {"group": pd.Categorical.from_codes(codes, names).remove_unused_categories()}
    )
    obs.index = obs.index.astype(str)
    adata = AnnData(matrix, obs=obs)
    if logs:
        adata.uns["log1p"] = {"base": None}
    return adata


def group_codes(screen: Screen, rng: np.random.Generator) -> np.ndarray:
    """Group of every cell; 0 is the control."""
    codes = rng.integers(1, screen.n_groups + 1, screen.n_obs)
    codes[rng.random(screen.n_obs) < screen.share_control] = 0
    return codes


def gene(
    screen: Screen, codes: np.ndarray, share: float, j: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cells with counts of a gene, in order, and the counts; one group has more of them."""
    mean = -np.log1p(-share)
    rows = np.flatnonzero(rng.random(screen.n_obs, dtype=np.float32) < share)
    counts = 1 + rng.poisson(mean * rng.gamma(2.0, 0.5, size=len(rows)))
    counts[codes[rows] == 1 + j % screen.n_groups] *= 1 + j % 3
    return rows.astype(np.int32), counts.astype(np.float32)


def matrix_megabytes(adata: AnnData) -> float:
    """Size of ``X``."""
    return sum(part.nbytes for part in (adata.X.data, adata.X.indices, adata.X.indptr)) / 2**20


def measured(job: Callable[[], object]) -> tuple[float, float, float]:
    """Wall seconds, CPU-seconds and megabytes above what the process held before."""
    watch = MemoryWatch()
    wall, cpu = time.perf_counter(), cpu_seconds()
    job()
    return time.perf_counter() - wall, cpu_seconds() - cpu, watch.stop()


def cpu_seconds() -> float:
    """Of this process and its children, user and system."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))


class MemoryWatch:
    """The highest resident memory, looked at every few milliseconds."""

    def __init__(self) -> None:
        self.before = self.highest = resident_megabytes()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self) -> None:
        """Until told to stop."""
        while not self.done.wait(0.005):
            self.highest = max(self.highest, resident_megabytes())

    def stop(self) -> float:
        """Megabytes above the start."""
        self.done.set()
        self.thread.join()
        return max(self.highest, resident_megabytes()) - self.before


def resident_megabytes() -> float:
    """Memory of this process now; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def by_dex(adata: AnnData, screen: Screen, options: argparse.Namespace) -> Callable[[], object]:
    import dex

    layer = {}
    if options.stored == "counts":  # as they are, as the peers take them
        adata.layers["counts"] = adata.X
        layer = {"layer": "counts", "scale": "linear"}

    def job() -> None:
        dex.tl.rank_genes(
            adata,
            "group",
            method=options.method,
            reference=screen.reference,
            n_threads=options.threads,
            unit="cells",
            replicate=None,
            **layer,
        )

    return job


def by_scanpy(adata: AnnData, screen: Screen, options: argparse.Namespace) -> Callable[[], object]:
    import scanpy as sc

    return lambda: sc.tl.rank_genes_groups(
        adata, "group", method=options.method, reference=screen.reference, tie_correct=True
    )


def by_illico(adata: AnnData, screen: Screen, options: argparse.Namespace) -> Callable[[], object]:
    from illico import asymptotic_wilcoxon

    reference = None if screen.reference == "rest" else screen.reference
    return lambda: asymptotic_wilcoxon(
        adata,
        group_keys="group",
        reference=reference,
        is_log1p=options.stored == "logs",
        n_threads=options.threads,
    )


def by_pdex(adata: AnnData, screen: Screen, options: argparse.Namespace) -> Callable[[], object]:
    from pdex import pdex

    mode = {"mode": "all"} if screen.reference == "rest" else {"mode": "ref", "control": "control"}
    return lambda: pdex(adata, groupby="group", **mode, is_log1p=options.stored == "logs")


def by_hpdex(adata: AnnData, screen: Screen, options: argparse.Namespace) -> Callable[[], object]:
    from hpdex import parallel_differential_expression

    return lambda: parallel_differential_expression(
        adata, groupby_key="group", reference="control", threads=options.threads
    )


JOBS = {
    "dex": by_dex,
    "scanpy": by_scanpy,
    "illico": by_illico,
    "pdex": by_pdex,
    "hpdex": by_hpdex,
}


if __name__ == "__main__":
    main()

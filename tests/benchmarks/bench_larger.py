"""Rank tests of data on disk, and how time grows with cells, genes and groups.

``python tests/benchmarks/bench_larger.py disk``: 1,000,000 cells x 2,000 genes, 10 clusters, each
against the rest, from CSR in an h5ad, in memory and backed within ``--max-memory``. ``peak`` is the
resident memory of the whole process, interpreter and libraries included; the file is written once
to ``--folder`` and made again only if it is not there.

``python tests/benchmarks/bench_larger.py growth``: one screen, then with twice the cells, twice the
genes, and twice the groups; and from a tenth to ten times the groups at the same size.

Run it on an idle machine. Every number is of a process of its own, kernels cached on disk.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parent))
from bench_screens import Screen, cpu_seconds, group_codes, simulate

ON_DISK = Screen(1_000_000, 2_000, 10, 0.0, 0.08)
_ROWS_AT_A_TIME = 50_000
SMALL = Screen(25_000, 2_000, 250, 0.1, 0.18)
GROWTH = {
    "as it is": SMALL,
    "2 x cells": replace(SMALL, n_obs=2 * SMALL.n_obs),
    "2 x genes": replace(SMALL, n_vars=2 * SMALL.n_vars),
    "2 x groups": replace(SMALL, n_groups=2 * SMALL.n_groups),
    "groups / 10": replace(SMALL, n_groups=SMALL.n_groups // 10),
    "10 x groups": replace(SMALL, n_groups=10 * SMALL.n_groups),
}


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["disk", "growth"])
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--cells", type=int, default=ON_DISK.n_obs)
    parser.add_argument("--max-memory", default="1.5GB")
    parser.add_argument("--method", choices=["wilcoxon", "t-test"], default="wilcoxon")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    columns = ["", "wall s", "CPU s", "peak MB"]
    table = pd.DataFrame((disk if options.what == "disk" else growth)(options), columns=columns)
    print(f"{options.method}, {options.what}", table.round(2).to_string(index=False), sep="\n")


def disk(options: argparse.Namespace) -> list[tuple[object, ...]]:
    """In memory, and from the file."""
    path = options.folder / f"screen_{options.cells}.h5ad"
    if not path.exists():
        apart(write_screen, path, replace(ON_DISK, n_obs=options.cells))
    shape = f"{path.stat().st_size / 2**20:.0f} MB"
    rows = []
    for name, backed in ((f"in memory ({shape})", None), (f"backed, {options.max_memory}", "r")):
        rows.append((name, *apart(time_file, path, backed, options)))
    return rows


def growth(options: argparse.Namespace) -> list[tuple[object, ...]]:
    """One screen and larger ones."""
    return [(name, *apart(time_screen, screen, options)) for name, screen in GROWTH.items()]


def apart(function: object, *arguments: object) -> tuple[float, ...]:
    """Call it in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def write_screen(path: Path, screen: Screen, seed: int = 0) -> None:
    """Counts of some thousand cells at a time, appended to one CSR."""
    rng = np.random.default_rng(seed)
    codes = group_codes(screen, rng)
    means = rng.gamma(0.7, size=screen.n_vars)
    means *= screen.share_nonzero / np.mean(-np.expm1(-means))
    start = ad.AnnData(sparse.csr_matrix((0, screen.n_vars), dtype=np.float32))
    whole = ad.AnnData(
        sparse.csr_matrix((screen.n_obs, screen.n_vars), dtype=np.float32),
        obs=pd.DataFrame(
            {"group": pd.Categorical([f"g{code}" for code in codes])},
            index=np.arange(screen.n_obs).astype(str),
        ),
    )
    whole.var_names = start.var_names
    whole.uns["log1p"] = {"base": None}
    whole.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        group = file["X"]
        for name, dtype in (("data", np.float32), ("indices", np.int32)):
            del group[name]
            group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(2**18,))
        indptr = [np.zeros(1, np.int64)]
        for first in range(0, screen.n_obs, _ROWS_AT_A_TIME):
            chosen = codes[first : first + _ROWS_AT_A_TIME]
            counts = rng.poisson(means * rng.gamma(4, 0.25, (len(chosen), 1)))
            block = sparse.csr_matrix(np.log1p(counts.astype(np.float32)))
            for name, values in (("data", block.data), ("indices", block.indices)):
                n = len(group[name])
                group[name].resize((n + len(values),))
                group[name][n:] = values
            indptr.append(block.indptr[1:].astype(np.int64) + indptr[-1][-1])
        del group["indptr"]
        group["indptr"] = np.concatenate(indptr)


def time_file(
    path: Path, backed: str | None, options: argparse.Namespace
) -> tuple[float, float, float]:
    """Seconds without reading into memory, CPU-seconds, and the most memory ever."""
    adata = ad.read_h5ad(path, backed=backed)
    limit = options.max_memory if backed else None
    return timed(adata, options, max_memory=limit)


def time_screen(screen: Screen, options: argparse.Namespace) -> tuple[float, float, float]:
    """Likewise of a simulated screen, the second time that it is done."""
    adata = simulate(screen, logs=True)
    timed(adata, options, reference=screen.reference)
    return timed(adata, options, reference=screen.reference)


def timed(
    adata: ad.AnnData, options: argparse.Namespace, **how: object
) -> tuple[float, float, float]:
    """Rank the genes."""
    import dex

    warnings.simplefilter("ignore")
    few = sparse.csr_matrix(np.eye(40, 3, dtype=np.float32) / 2)
    tiny = ad.AnnData(few, obs={"group": list("abac" * 10)})
    tiny.uns["log1p"] = {"base": None}
    reference = how.get("reference", "rest")
    for each in (tiny, adata):  # kernels are loaded from the cache by the first
        wall, cpu = time.perf_counter(), cpu_seconds()
        if each is tiny:
            own = {"reference": "rest" if reference == "rest" else "a", "unit": "cells"}
            dex.tl.rank_genes(each, "group", method=options.method, replicate=None, **own)
            continue
        dex.tl.rank_genes(
            each,
            "group",
            method=options.method,
            n_threads=options.threads,
            unit="cells",
            replicate=None,
            **{"reference": reference, **how},
        )
    seconds = time.perf_counter() - wall, cpu_seconds() - cpu
    return (*seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()

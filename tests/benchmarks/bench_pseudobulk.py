"""Cells added up into samples: against scanpy and decoupler in memory, and from a file.

``python tests/benchmarks/bench_pseudobulk.py memory``: the sums of CSR and CSC in memory by donor,
condition and cell type, by ``dex.pp.pseudobulk``, ``scanpy.get.aggregate`` and, where it can be
imported, ``decoupler.pp.pseudobulk``; the best of three runs each, kernels loaded.

``python tests/benchmarks/bench_pseudobulk.py file``: 1,000,000 cells x 20,000 genes, 7% of them not
zero, from a CSR in an h5ad of 11 GB, beside the time that it takes to read the file. ``peak`` is
the resident memory of the whole process, interpreter and libraries included, and must stay below
2 GB. The file is written to ``--folder``, unless it is there.

Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

N_CELLS, N_VARS, SHARE = 1_000_000, 20_000, 0.07
LIMIT_MB = 2048
_DONORS, _TYPES = 12, 10
_ROWS_AT_A_TIME = 20_000
_BY = ["donor", "condition", "cell_type"]


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["memory", "file"])
    parser.add_argument("--cells", type=int, help="50,000 in memory, 1,000,000 in a file")
    parser.add_argument("--genes", type=int, default=N_VARS)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.cells = options.cells or (50_000 if options.what == "memory" else N_CELLS)
    table = memory(options) if options.what == "memory" else from_file(options)
    print(f"{options.cells:,} cells x {options.genes:,} genes, {options.threads} threads")
    print(table.round(2).to_string(index=False))


def labels(n_cells: int, rng: np.random.Generator) -> pd.DataFrame:
    """Donors of one condition each, and cell types."""
    donor = rng.integers(0, _DONORS, n_cells)
    words = {
        "donor": np.array([f"d{i:02}" for i in range(_DONORS)])[donor],
        "condition": np.array(["ctrl", "stim"])[donor % 2],
        "cell_type": np.array([f"t{i}" for i in range(_TYPES)])[rng.integers(0, _TYPES, n_cells)],
    }
    index = np.arange(n_cells).astype(str)
    return pd.DataFrame({name: pd.Categorical(value) for name, value in words.items()}, index)


def rows(n: int, n_vars: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """Counts, of which ``SHARE`` are not zero."""
    sizes = rng.binomial(n_vars, SHARE, n)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    genes = [np.sort(rng.choice(n_vars, size, replace=False, shuffle=False)) for size in sizes]
    values = (1 + rng.poisson(0.5, starts[-1])).astype(np.float32)
    indices = np.concatenate(genes).astype(np.int32)
    return sparse.csr_matrix((values, indices, starts), shape=(n, n_vars))


def memory(options: argparse.Namespace) -> pd.DataFrame:
    """Seconds of every package, and whether the sums are the same."""
    import scanpy as sc

    import dex

    rng = np.random.default_rng(0)
    counts = rows(options.cells, options.genes, rng)
    obs = labels(options.cells, rng)
    ways = {
        "dex": lambda adata: (
            dex.pp.pseudobulk(
                adata, "donor", groupby="condition", per="cell_type", n_threads=options.threads
            ).X
        ),
        "scanpy": lambda adata: sc.get.aggregate(adata, _BY, "sum").layers["sum"],
    }
    if importlib.util.find_spec("decoupler"):
        import decoupler

        ways["decoupler"] = lambda adata: (
            decoupler.pp.pseudobulk(adata, sample_col="donor", groups_col="cell_type", mode="sum").X
        )
    table = []
    for form in ("csr", "csc"):
        adata = ad.AnnData(counts.asformat(form), obs=obs)
        total = counts.sum()
        for name, way in ways.items():
            wall, cpu, sums = best_of_three(way, adata)
            same = np.isclose(np.asarray(sums.sum()), total, rtol=1e-6)
            table.append((form, name, wall, cpu, sums.shape[0], bool(same)))
    return pd.DataFrame(table, columns=["", "", "wall s", "CPU s", "samples", "same total"])


def best_of_three(way: object, adata: ad.AnnData) -> tuple[float, float, object]:
    """The shortest time, by the wall and of the processor, and what came of it."""
    walls, cpus = [], []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        sums = way(adata)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus), sums


def from_file(options: argparse.Namespace) -> pd.DataFrame:
    """Seconds and memory, each step in a process of its own."""
    path = options.folder / f"cells_{options.cells}_{options.genes}.h5ad"
    if not path.exists():
        apart(write_cells, path, options.cells, options.genes)
    table = [
        ("read the file", *apart(read_all, path)),
        ("pseudobulk", *apart(add_up, path, options.threads)),
    ]
    found = pd.DataFrame(table, columns=["", "wall s", "peak MB"])
    if found["peak MB"].iloc[1] > LIMIT_MB:
        sys.exit(f"{found}\nmore than {LIMIT_MB} MB were taken")
    return found


def apart(function: object, *arguments: object) -> tuple[float, ...]:
    """Call it in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def write_cells(path: Path, n_cells: int, n_vars: int) -> None:
    """The same block of cells again and again, its rows in another order, appended to one CSR."""
    rng = np.random.default_rng(0)
    block = rows(min(_ROWS_AT_A_TIME, n_cells), n_vars, rng)
    whole = sparse.csr_matrix((n_cells, n_vars), dtype=np.float32)
    ad.AnnData(whole, obs=labels(n_cells, rng)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        group = file["X"]
        for name, dtype in (("data", np.float32), ("indices", np.int32)):
            del group[name]
            group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(2**18,))
        indptr = [np.zeros(1, np.int64)]
        for first in range(0, n_cells, _ROWS_AT_A_TIME):
            n = min(_ROWS_AT_A_TIME, n_cells - first)
            some = block[rng.permutation(block.shape[0])[:n]]
            for name, values in (("data", some.data), ("indices", some.indices)):
                stored = len(group[name])
                group[name].resize((stored + len(values),))
                group[name][stored:] = values
            indptr.append(some.indptr[1:].astype(np.int64) + indptr[-1][-1])
        del group["indptr"]
        group["indptr"] = np.concatenate(indptr)


def read_all(path: Path) -> tuple[float, float]:
    """Seconds to read values and places, some at a time, and to do nothing with them."""
    start = time.perf_counter()
    with h5py.File(path) as file:
        for name in ("data", "indices"):
            stored = file["X"][name]
            for first in range(0, len(stored), 2**23):
                stored[first : first + 2**23]
    return time.perf_counter() - start, peak()


def add_up(path: Path, n_threads: int) -> tuple[float, float]:
    """Seconds to make the samples, with kernels from the cache."""
    import dex

    few = ad.AnnData(rows(400, 50, np.random.default_rng(0)))
    few.obs = labels(400, np.random.default_rng(0))
    dex.pp.pseudobulk(few, "donor", min_cells=1, n_threads=n_threads)
    adata = ad.read_h5ad(path, backed="r")
    start = time.perf_counter()
    dex.pp.pseudobulk(adata, "donor", groupby="condition", per="cell_type", n_threads=n_threads)
    return time.perf_counter() - start, peak()


def peak() -> float:
    """Most resident memory ever, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

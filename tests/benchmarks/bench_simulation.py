"""False discoveries and power by method and number of replicates: why ``auto`` is what it is.

``python tests/benchmarks/bench_simulation.py`` simulates negative binomial counts of two groups
(``--n-genes`` genes, a tenth of which differ; 3, 6, 12 and 24 samples per group; without outliers
and with one in 5% of the genes), ``--n-sets`` times each, and prints the share of false among the
genes found at a false discovery rate of 5%, the share found of those that differ, and the seconds
taken. Methods are the ones that this dex has, of ``--methods``.

A method is valid here if its share of false discoveries is not above 0.05 by more than its
standard error; among those, the one of most power is best.
"""

from __future__ import annotations

import argparse
import logging
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import dex
from dex.tl.methods import METHODS as KNOWN

if TYPE_CHECKING:
    from anndata import AnnData

ALPHA = 0.05
SIZES = (3, 6, 12, 24)
OUTLIERS = {"none": 0.0, "5% of genes": 0.05}
METHODS = ("t-test", "ols", "limma", "voom", "edger", "deseq2", "wilcoxon")
BY = ["outliers", "n per group", "method"]


def main() -> None:
    """Simulate, test, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-genes", type=int, default=5_000)
    parser.add_argument("--n-sets", type=int, default=10)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    methods = [method for method in options.methods if method in KNOWN]
    print("this dex has not:", *(method for method in options.methods if method not in KNOWN))
    logging.getLogger("dex").setLevel(logging.ERROR)
    runs = pd.DataFrame(
        result
        for outliers, fraction in OUTLIERS.items()
        for n in options.sizes
        for seed in range(options.n_sets)
        for result in compare(options.n_genes, n, outliers, fraction, seed, methods)
    )
    summary = runs.groupby(BY, sort=False)[["false", "power", "seconds"]].mean()
    error = runs.groupby(BY, sort=False)["false"].sem()
    summary.insert(1, "+-", error)
    print(summary.round(3).to_string())


def compare(
    n_genes: int, n: int, outliers: str, fraction: float, seed: int, methods: list[str]
) -> list[dict[str, object]]:
    """Results of every method on one data set."""
    adata = dex.datasets.simulate_counts(n_genes, n, outlier_fraction=fraction, seed=seed)
    dex.pp.filter_genes(adata, groupby="condition")
    results = []
    for method in methods:
        start = time.perf_counter()
        dex.tl.rank_genes(adata, groupby="condition", method=method, unit="samples")
        seconds = time.perf_counter() - start
        found = discoveries(adata)
        results.append(
            dict(zip(BY, (outliers, n, method), strict=True)) | found | {"seconds": seconds}
        )
    return results


def discoveries(adata: AnnData) -> dict[str, float]:
    """Share of the false among the found, and of the found among the true."""
    padj = adata.var["rank_genes_padj"].to_numpy()
    found, differs = padj < ALPHA, adata.var["is_de"].to_numpy()
    false = np.count_nonzero(found & ~differs) / max(np.count_nonzero(found), 1)
    return {"false": false, "power": np.count_nonzero(found & differs) / differs.sum()}


if __name__ == "__main__":
    main()

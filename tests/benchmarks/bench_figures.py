"""Seconds that every figure takes for 20,000 genes, and the report of ten tests; no peer has them.

Run on a quiet machine: ``python tests/benchmarks/bench_figures.py``.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path

import matplotlib as mpl

import dex

N_GENES, N_PER_GROUP = 20_000, 6
GROUPS = ("control", *(f"drug{i}" for i in range(10)))


def seconds(function, *words, **options):
    start = time.perf_counter()
    function(*words, **options)
    return time.perf_counter() - start


def figures(adata, folder):
    """Name and seconds of every figure, drawn and saved."""
    plots = {
        "volcano": (dex.pl.volcano, {"n_labels": 20}),
        "ma": (dex.pl.ma, {}),
        "heatmap": (dex.pl.heatmap, {"dendrogram": True}),
        "expression": (dex.pl.expression, {}),
        "pvalues": (dex.pl.pvalues, {}),
        "pvalues, QQ": (dex.pl.pvalues, {"kind": "qq"}),
        "pca": (dex.pl.pca, {}),
        "mds": (dex.pl.mds, {}),
        "sample_distances": (dex.pl.sample_distances, {}),
    }
    for name, (plot, options) in plots.items():
        for suffix in ("png", "pdf"):
            yield f"{name}, {suffix}", seconds(plot, adata, save=folder / f"a.{suffix}", **options)


def main():
    mpl.use("agg")
    logging.getLogger("dex").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp())
    one = dex.datasets.simulate_counts(N_GENES, N_PER_GROUP, seed=1)
    dex.tl.rank_genes(one, groupby="condition")
    dex.tl.pca(one)
    dex.tl.mds(one)
    for name, spent in figures(one, folder):
        print(f"{name:28s} {spent:6.2f} s")
    ten = dex.datasets.simulate_counts(N_GENES, N_PER_GROUP, groups=GROUPS, seed=1)
    dex.tl.rank_genes(ten, groupby="condition", reference="control")
    for kind in ("tiles", "upset"):
        spent = seconds(dex.pl.compare, ten, kind=kind, save=folder / "a.png")
        print(f"compare, {kind:19s} {spent:6.2f} s")
    spent = seconds(dex.report.write, ten, folder / "report.html")
    megabytes = (folder / "report.html").stat().st_size / 1e6
    print(f"report of {len(GROUPS) - 1} tests           {spent:6.2f} s, {megabytes:.1f} MB")


if __name__ == "__main__":
    main()

"""How often gene set tests call sets in which nothing changes, and seconds that they take.

Six samples against six, 200 disjoint sets of 50 genes whose logs correlate within their set; 20
data sets are 4,000 tests for every method and correlation. Run on a quiet machine:
``python tests/benchmarks/bench_gene_sets.py [figure.png]``.
"""

from __future__ import annotations

import logging
import sys
import time

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from anndata import AnnData

import dex
from dex.stats.camera import camera_test
from dex.stats.contrast_effects import contrast_effects
from dex.stats.gene_sets import SetIndex
from dex.stats.overrepresentation import overrepresentation_log10_pval
from dex.stats.rotation_tests import fry_test
from dex.tl._set_methods import SET_METHODS

CORRELATIONS = (0.0, 0.05, 0.1, 0.2)
N_SETS, SIZE, N_DATA, N_PER_GROUP = 200, 50, 20, 6
METHODS = {
    "camera": {"method": "camera"},
    "fry": {"method": "fry"},
    "roast": {"method": "roast", "n_rotations": 199},
    "camera, 0.01": {"method": "camera", "inter_gene_cor": 0.01},
    "camera, preranked": {"method": "camera_preranked"},
    "ulm": {"method": "ulm"},
    "ora, p <= 0.05": {"method": "ora", "pval": 0.05},
    "gsea": {"method": "gsea"},
}
SEEING_SAMPLES = ("camera", "fry", "fry, mixed", "roast")
SPEED = {"n_genes": 20_000, "n_obs": 12, "n_sets": 5_000}


def null_data(correlation, rng):
    """Logs of samples in two groups that do not differ."""
    n_genes, n_obs = N_SETS * SIZE, 2 * N_PER_GROUP
    shared = np.repeat(rng.standard_normal((n_obs, N_SETS)), SIZE, axis=1)
    own = rng.standard_normal((n_obs, n_genes))
    noise = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    values = 8 + noise * np.sqrt(4 / rng.chisquare(4, n_genes)) * 0.3
    obs = pd.DataFrame(
        {"group": np.repeat(["a", "b"], N_PER_GROUP)}, index=[f"s{i}" for i in range(n_obs)]
    )
    var = pd.DataFrame(index=[f"g{j}" for j in range(n_genes)])
    return AnnData(values, obs=obs, var=var)


def rates():
    """Share of sets with p of 0.05 or less, by method and correlation."""
    found = {}
    for correlation in CORRELATIONS:
        rng = np.random.default_rng(int(1000 * correlation) + 1)
        called = {name: [] for name, how in METHODS.items() if how["method"] in SET_METHODS}
        for _ in range(N_DATA):
            adata = null_data(correlation, rng)
            names = np.array(adata.var_names).reshape(N_SETS, SIZE)
            sets = {f"set{i}": list(one) for i, one in enumerate(names)}
            dex.tl.rank_genes(adata, "group", method="limma", scale="log2", trend=False)
            for name, shares in called.items():
                dex.tl.enrich(adata, sets, **METHODS[name])
                shares.append((dex.get.enrich_df(adata)["pval"] <= 0.05).mean())
                if name == "fry":
                    mixed = dex.get.enrich_df(adata)["pval_mixed"]
                    found.setdefault("fry, mixed", {}).setdefault(correlation, []).append(
                        (mixed <= 0.05).mean()
                    )
        for name, shares in called.items():
            found.setdefault(name, {})[correlation] = np.mean(shares)
    found["fry, mixed"] = {c: np.mean(shares) for c, shares in found["fry, mixed"].items()}
    return pd.DataFrame(found).T


def draw(table, path):
    """Rates over correlations, beside the level that was asked for."""
    plt.rcParams["font.size"] = 7
    figure, ax = plt.subplots(figsize=(85 / 25.4, 70 / 25.4), layout="constrained")
    colours = ("#0072B2", "#009E73", "#56B4E9", "#999999", "#D55E00", "#E69F00", "#CC79A7")
    markers = "osD^vPXh*"
    palette = [*colours, "#000000", "#F0E442"]
    for i, (name, row) in enumerate(table.iterrows()):
        style = "-" if name in SEEING_SAMPLES else "--"
        ax.plot(row.index, row, style, marker=markers[i], ms=4, lw=1, color=palette[i], label=name)
    ax.axhline(0.05, color="black", lw=0.7, ls=":")
    ax.set(
        xlabel="Correlation between genes of a set",
        ylabel="Null sets called at 5%",
        ylim=0,
        xticks=CORRELATIONS,
    )
    ax.legend(fontsize=6, frameon=False)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    figure.savefig(path, dpi=200)


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def speeds():
    """Seconds of the statistics alone, the shorter of two runs."""
    rng = np.random.default_rng(0)
    values = rng.normal(8, 1, (SPEED["n_obs"], SPEED["n_genes"]))
    design = np.column_stack([np.ones(12), np.repeat([0.0, 1.0], 6)])
    sizes = rng.integers(15, 300, SPEED["n_sets"])
    lists = [rng.choice(SPEED["n_genes"], size, replace=False) for size in sizes]
    sets, contrast = SetIndex.of(lists, SPEED["n_genes"]), np.array([0.0, 1.0])
    weights = rng.gamma(5, 0.2, values.shape)
    overlap = rng.binomial(sizes, 0.05)
    work = {
        "camera": lambda: camera_test(contrast_effects(values, design, contrast), sets),
        "camera, weights of every value": lambda: camera_test(
            contrast_effects(values, design, contrast, weights=weights), sets
        ),
        "fry": lambda: fry_test(contrast_effects(values, design, contrast), sets),
        "ora": lambda: overrepresentation_log10_pval(overlap, sizes, 1000, SPEED["n_genes"]),
    }
    return {name: min(seconds(one), seconds(one)) for name, one in work.items()}


def main():
    mpl.use("agg")
    logging.getLogger("dex").setLevel(logging.ERROR)
    for name, spent in speeds().items():
        print(f"{name:32s} {spent:6.2f} s")
    table = rates()
    print(table.round(3).to_string())
    draw(table, sys.argv[1] if len(sys.argv) > 1 else "gene_set_levels.png")


if __name__ == "__main__":
    main()

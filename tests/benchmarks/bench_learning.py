"""Whether learning tells the truth, and how fast: the full version of what the tests sample.

``python tests/benchmarks/bench_learning.py`` runs, each if named (all by default),

noise
    100 data sets of 40 samples and 5,000 genes with permuted labels: the mean area under the ROC
    curve of folds, in standard errors from 0.5; and whether permutation p-values are uniform.
leak
    The same with the genes chosen before cross-validation, and with cells of donors split between
    training and test: what ``dex`` prevents.
intervals
    200 data sets of 4 against 4 donors that differ while their conditions do not: how often the 95%
    interval holds 0.5, and how often that of a plain bootstrap over donors does.
planted
    Ten genes of 1.5 standard deviations in 60 samples and 5,000 genes: how many of them a panel of
    20 holds, by method; and the area of nested cross-validation on noise.
speed
    Against a pipeline of scikit-learn that does the same.
"""

from __future__ import annotations

import argparse
import logging
import time
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
from scipy.stats import kstest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import dex
from dex.learn.panels import PANEL_METHODS
from dex.learn.selection import best_genes, rank_by_test

if TYPE_CHECKING:
    from anndata import AnnData

PARTS = ("noise", "leak", "intervals", "planted", "speed")


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS)
    parser.add_argument("--n-sets", type=int, help="data sets, instead of the full number")
    options = parser.parse_args()
    logging.getLogger("dex").setLevel(logging.ERROR)
    for part in options.parts:
        print(f"== {part}")
        globals()[part](options.n_sets)


def of_logs(X: np.ndarray, labels: np.ndarray, **obs: object) -> AnnData:
    """An AnnData of logs."""
    frame = pd.DataFrame({"group": np.array(["a", "b"])[labels], **obs})
    frame.index = [f"s{i}" for i in range(len(X))]
    adata = ad.AnnData(X, obs=frame)
    adata.uns["dex_layers"] = {"X": {"scale": "log2"}}
    return adata


def noise(n_sets: int | None) -> None:
    """Areas and p-values where there is nothing."""
    areas, pvals = [], []
    for seed in range(n_sets or 100):
        rng = np.random.default_rng(seed)
        adata = of_logs(rng.normal(size=(40, 5000)), rng.permutation(np.arange(40) % 2))
        dex.tl.classify(adata, "group", repeats=1, n_permutations=39, seed=seed)
        areas.append(adata.uns["classify"]["fold_auc"].mean())
        pvals.append(adata.uns["classify"]["metrics"]["pval"])
    error = np.std(areas, ddof=1) / np.sqrt(len(areas))
    jitter = np.random.default_rng(0).uniform(0, 1 / 40, len(pvals))
    print(f"mean area {np.mean(areas):.3f}, {(np.mean(areas) - 0.5) / error:+.1f} s.e. from 0.5")
    uniform = kstest(np.array(pvals) - jitter, "uniform").pvalue
    print(f"p uniform: Kolmogorov-Smirnov p = {uniform:.2f}")


def leak(n_sets: int | None) -> None:
    """Two ways to fool oneself."""
    before, split, cured = [], [], []
    for seed in range(n_sets or 10):
        rng = np.random.default_rng(seed)
        X, labels = rng.normal(size=(40, 5000)), np.arange(40) % 2
        best = best_genes(rank_by_test(X, labels, 2, by="t-test"), 50)
        p = cross_val_predict(
            LogisticRegression(), X[:, best], labels, cv=StratifiedKFold(5), method="predict_proba"
        )
        before.append(roc_auc_score(labels, p[:, 1]))
        adata = donors(seed, n_cells=50, p=500)
        dex.tl.classify(adata, "group", n_permutations=0, repeats=1)
        cured.append(adata.uns["classify"]["metrics"]["auc"])
        del adata.obs["donor"]
        dex.tl.classify(adata, "group", n_permutations=0, repeats=1)
        split.append(adata.uns["classify"]["metrics"]["auc"])
    print(f"genes chosen before cross-validation: {np.mean(before):.3f}")
    print(
        f"cells of a donor on both sides: {np.mean(split):.3f}; kept together {np.mean(cured):.3f}"
    )


def donors(seed: int, *, n_cells: int, p: int, n_donors: int = 8) -> AnnData:
    """Cells of donors that differ, of conditions that do not."""
    rng = np.random.default_rng(seed)
    donor = np.repeat(np.arange(n_donors), n_cells)
    X = 0.7 * rng.normal(size=(n_donors, p))[donor] + rng.normal(size=(len(donor), p))
    return of_logs(X, donor % 2, donor=[f"d{i}" for i in donor])


def intervals(n_sets: int | None) -> None:
    """Coverage of 0.5 with few donors."""
    for n_donors in (8, 12, 20):
        ours, plain = [], []
        for seed in range(n_sets or 200):
            adata = donors(seed, n_cells=8, p=200, n_donors=n_donors)
            dex.tl.classify(adata, "group", n_permutations=19, repeats=2, n_genes=30, seed=seed)
            found = adata.uns["classify"]["metrics"]
            ours.append(found["auc_low"] <= 0.5 <= found["auc_high"])
            by = adata.obs.groupby("donor", sort=False)
            plain.append(bootstrap_holds_half(by["classify_probability"].mean().to_numpy(), seed))
        half = n_donors // 2
        print(f"{half} v {half}: {np.mean(ours):.3f}, bootstrap over donors {np.mean(plain):.3f}")


def bootstrap_holds_half(score: np.ndarray, seed: int) -> bool:
    """Percentile interval over donors, who are of the classes in turn."""
    rng, labels, areas = np.random.default_rng(seed), np.arange(len(score)) % 2, []
    for _ in range(300):
        rows = rng.integers(0, len(score), len(score))
        if 0 < labels[rows].sum() < len(rows):
            areas.append(roc_auc_score(labels[rows], score[rows]))
    low, high = np.quantile(areas, [0.025, 0.975])
    return bool(low <= 0.5 <= high)


def planted(n_sets: int | None) -> None:
    """Recovery by method, and noise."""
    for method in PANEL_METHODS:
        found, noise_areas, seconds = [], [], time.perf_counter()
        for seed in range(n_sets or 5):
            rng = np.random.default_rng(seed)
            labels = np.arange(60) % 2
            X = rng.normal(size=(60, 5000))
            X[:, :10] += 1.5 * labels[:, None]
            options = {"method": method, "repeats": 1, "seed": seed}
            adata = of_logs(X, labels)
            model = dex.tl.signature(adata, "group", n_genes=20, sizes=(20,), **options)
            found.append(np.isin(model.genes, adata.var_names[:10]).sum())
            adata = of_logs(rng.normal(size=(60, 5000)), labels)
            dex.tl.signature(adata, "group", sizes=(1, 3, 10, 30), **options)
            noise_areas.append(adata.uns["signature"]["metrics"]["auc"])
        seconds = (time.perf_counter() - seconds) / len(found)
        print(
            f"{method}: {np.mean(found):.1f} of 10 (at least {min(found)}); on noise area "
            f"{np.mean(noise_areas):.2f} +- {np.std(noise_areas):.2f}; {seconds:.1f} s for both"
        )


def speed(n_sets: int | None) -> None:
    """Seconds of ten repeats of five folds: normalised logs, so that both do the same.

    Both without threads of BLAS, which would wait for each other.
    """
    with threadpool_limits(1, user_api="blas"):
        compare(n_sets)


def compare(n_sets: int | None) -> None:
    """Time both."""
    rng = np.random.default_rng(0)
    for n, p in ((40, 5000), (40, 20000), (400, 5000)):
        X, labels = rng.normal(size=(n, p)), np.arange(n) % 2
        adata = of_logs(X, labels)
        ours, theirs, one, two = [], [], [], []
        for seed in range(n_sets or 5):
            start = time.perf_counter()
            options = {"select": "t-test", "n_permutations": 0, "repeats": 10, "n_threads": 1}
            dex.tl.classify(adata, "group", seed=seed, **options)
            ours.append(time.perf_counter() - start)
            model = make_pipeline(
                SelectKBest(f_classif, k=50), StandardScaler(), LogisticRegression()
            )
            start = time.perf_counter()
            for repeat in range(10):
                folds = StratifiedKFold(5, shuffle=True, random_state=repeat)
                cross_val_predict(model, X, labels, cv=folds, method="predict_proba")
            model.fit(X, labels)
            theirs.append(time.perf_counter() - start)
            start = time.perf_counter()
            rank_by_test(X, labels, 2, by="t-test")
            one.append(time.perf_counter() - start)
            start = time.perf_counter()
            f_classif(X, labels)
            two.append(time.perf_counter() - start)
        print(
            f"{n} x {p}: classify {min(ours):.2f} s, scikit-learn {min(theirs):.2f} s "
            f"({min(theirs) / min(ours):.1f} times); selection {1e3 * min(one):.1f} ms, f_classif "
            f"{1e3 * min(two):.1f} ms"
        )


if __name__ == "__main__":
    main()

"""Data sets of the parts V1 to V5, each of a seed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

import dex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N_GENES, N_CELL_GENES, N_CELLS = 4000, 1500, 100
SIZES = (3, 6, 12, 24)


@dataclass(frozen=True)
class DataSet:
    """Counts of two conditions, and who is changed."""

    part: str
    scenario: str
    n: int
    """Samples, or donors, per group."""
    seed: int
    adata: AnnData
    """Genes with hardly any counts left out, but of cells."""
    asked: dict[str, Any] = field(default_factory=lambda: {"groupby": "condition"})
    """Of ``rank_genes``."""

    @property
    def changed(self) -> np.ndarray:
        """Genes that differ, ``(n_vars,)``."""
        if "is_de" not in self.adata.var:
            return np.zeros(self.adata.n_vars, dtype=bool)
        return self.adata.var["is_de"].to_numpy()


@dataclass(frozen=True)
class Scenario:
    """Data sets that differ in their seed only."""

    part: str
    name: str
    n: int
    make: Callable[[int], AnnData]
    asked: dict[str, Any] = field(default_factory=lambda: {"groupby": "condition"})
    filtered: bool = True
    most: int = 10**9
    """Data sets that there are."""

    def data_set(self, seed: int) -> DataSet:
        """Make the data set of a seed."""
        adata = self.make(seed)
        if self.filtered:
            dex.pp.filter_genes(adata, groupby="condition")
        return DataSet(self.part, self.name, self.n, seed, adata, self.asked)


def scenarios(part: str) -> Iterator[Scenario]:
    """All of a part."""
    yield from {"V1": _v1, "V2": _v2, "V3": _v3, "V4": _v4, "V5": _v5}[part]()


def _v1() -> Iterator[Scenario]:
    batches = {"design": "~ batch + condition", "groupby": "condition"}
    for n in SIZES:
        clean = partial(dex.datasets.simulate_counts, N_GENES, n)
        yield Scenario("V1", "clean", n, lambda seed, f=clean: f(seed=seed))
        yield Scenario("V1", "outliers", n, lambda s, f=clean: f(outlier_fraction=0.05, seed=s))
        yield Scenario("V1", "composition", n, lambda s, f=clean: with_few_on_top(f(seed=s), s))
        yield Scenario("V1", "depth", n, lambda s, f=clean: with_shallow_side(f(seed=s), s))
        yield Scenario("V1", "batch", n, lambda s, f=clean: f(n_batches=2, seed=s), batches)


def _v2() -> Iterator[Scenario]:
    for n in SIZES:
        null = partial(dex.datasets.simulate_counts, N_GENES, n, de_fraction=0)
        yield Scenario("V2", "unchanged", n, lambda seed, f=null: f(seed=10_000 + seed))


def _v3() -> Iterator[Scenario]:
    if "DEX_REALDATA" not in os.environ:
        return
    where = {
        "yeast": ("schurch_yeast", {"strain": "WT", "clean": True}, (3, 6, 10)),
        "macrophage": ("macrophage", {"condition_name": "naive"}, (3,)),
        "lymphoblasts": ("hapmap_lcl", {"study": "Pickrell", "sex": "female"}, (3, 6, 12)),
    }
    for name, (folder, of, sizes) in where.items():
        for n in sizes:
            make = partial(split_at_random, folder, of, n)
            yield Scenario("V3", name, n, make, most=10 if name == "macrophage" else 10**9)


def _v4() -> Iterator[Scenario]:
    if "DEX_REALDATA" not in os.environ:
        return
    permuted = partial(split_at_random, "hapmap_lcl", {}, 85)
    yield Scenario("V4", "as it is", 85, permuted)
    yield Scenario("V4", "winsorised", 85, lambda seed: winsorised(permuted(seed)))


def _v5() -> Iterator[Scenario]:
    for n in (3, 6, 12):
        cells = partial(
            dex.datasets.simulate_counts,
            N_CELL_GENES,
            n,
            paired=True,
            cells_per_replicate=N_CELLS,
            mean_count=0.3,
        )
        make = lambda seed, f=cells: f(seed=seed)  # noqa: E731
        null = lambda seed, f=cells: f(seed=10_000 + seed, de_fraction=0)  # noqa: E731
        yield Scenario("V5", "cells", n, make, filtered=False)
        yield Scenario("V5", "cells, unchanged", n, null, filtered=False)
    for n in (3, 6):
        yield Scenario("V5", "repeats", n, lambda seed, n=n: repeated_samples(n, seed))


def repeated_samples(n: int, seed: int) -> AnnData:
    """Three samples of every donor, who has one condition."""
    return dex.datasets.simulate_counts(
        N_GENES,
        n,
        cells_per_replicate=3,
        mean_count=100,
        dispersion=0.05,
        extra_dispersion=2,
        replicate_condition_sd=0,
        seed=seed,
    )


def with_few_on_top(adata: AnnData, seed: int) -> AnnData:
    """Twice as much of the fifty genes with most counts, in libraries as deep: all else is halved.

    Thinned counts are again negative binomial, with the same dispersion.
    """
    treated = (adata.obs["condition"] == "treated").to_numpy()
    top = np.argsort(-adata.X.sum(axis=0))[:50]
    others = np.ones(adata.n_vars, dtype=bool)
    others[top] = False
    rng = np.random.default_rng(seed)
    counts = adata.X.astype(np.int64)
    counts[np.ix_(treated, others)] = rng.binomial(counts[np.ix_(treated, others)], 0.5)
    adata.X = counts.astype(np.float64)
    adata.var["is_de"] |= ~others
    return adata


def with_shallow_side(adata: AnnData, seed: int) -> AnnData:
    """A quarter of the counts in the treated samples."""
    treated = (adata.obs["condition"] == "treated").to_numpy()
    counts = adata.X.astype(np.int64)
    counts[treated] = np.random.default_rng(seed).binomial(counts[treated], 0.25)
    adata.X = counts.astype(np.float64)
    return adata


def split_at_random(folder: str, of: dict[str, Any], n: int, seed: int) -> AnnData:
    """Two groups of ``n`` of the samples with these labels; all are alike."""
    adata = _real(folder)
    some = np.ones(adata.n_obs, dtype=bool)
    for column, label in of.items():
        some &= (adata.obs[column].astype(str) == str(label)).to_numpy()
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.flatnonzero(some))[: 2 * n]
    assert len(chosen) == 2 * n, f"{folder} has {some.sum()} samples of {of}"
    return AnnData(
        adata.X[chosen].copy(),
        obs=pd.DataFrame(
            {"condition": pd.Categorical(np.repeat(["control", "treated"], n))},
            index=adata.obs_names[chosen],
        ),
        var=pd.DataFrame(index=adata.var_names),
    )


@cache
def _real(folder: str) -> AnnData:
    root = Path(os.environ["DEX_REALDATA"]) / "data" / folder
    return dex.io.read_counts(root / "counts.csv.gz", samples=root / "samples.csv")


def winsorised(adata: AnnData) -> AnnData:
    """Counts per million above the 95% quantile of their gene are put down to it."""
    depths = adata.X.sum(axis=1, keepdims=True) / 1e6
    shares = adata.X / depths
    limit = np.quantile(shares, 0.95, axis=0)
    adata.X = np.round(np.minimum(shares, limit) * depths)
    return adata

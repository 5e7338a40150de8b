"""Batches outside the design and outliers are found, and nothing else is."""

import numpy as np
import pytest

import dex
from dex.report._overview import Overview
from dex.report._ranking import Ranking
from dex.report._suspects import dummies, find_batches, find_outliers, partial_r2, residual_share

EXACT = 1e-12
"""Rounding of a least-squares fit of a dozen numbers."""


def ranked(adata, **options):
    dex.tl.rank_genes(adata, groupby="condition", **options)
    ranking = Ranking.from_adata(
        adata, "rank_genes", tests=None, padj=0.05, groupby=None, gene_symbols=None
    )
    return ranking, Overview.from_ranking(ranking)


@pytest.fixture
def batched():
    adata = dex.datasets.simulate_counts(n_genes=400, n_per_group=6, seed=1)
    adata.obs["run"] = ["r1", "r2"] * 6
    late = (adata.obs["run"] == "r2").to_numpy()
    factors = np.exp2(np.random.default_rng(0).normal(size=400))
    adata.X[late] = np.round(adata.X[late] * factors)
    return adata


def test_a_batch_is_found_until_it_is_in_the_design(batched):
    (found,) = find_batches(*ranked(batched))
    assert found.column == "run"
    assert found.component == 1
    assert found.r2 > 0.9
    assert find_batches(*ranked(batched, design="~ run + condition")) == []


def test_no_batch_where_there_is_none():
    adata = dex.datasets.simulate_counts(n_genes=400, n_per_group=6, seed=1)
    adata.obs["run"] = ["r1", "r2"] * 6
    ranking, overview = ranked(adata)
    assert find_batches(ranking, overview) == []
    assert find_outliers(overview) == []


def test_an_outlier_is_named():
    adata = dex.datasets.simulate_counts(n_genes=400, n_per_group=6, seed=1)
    adata.X[3] = np.round(adata.X[3] * np.exp2(np.random.default_rng(0).normal(size=400) * 3))
    (found, *_) = find_outliers(ranked(adata)[1])
    assert found.name == adata.obs_names[3]
    assert found.component == 1
    assert found.share > 0.8


def test_partial_r2_is_the_adjusted_one_of_what_is_left(batched):
    rng = np.random.default_rng(1)
    scores, obs = rng.normal(size=12), batched.obs
    design, added = dummies(obs, ["condition"]), dummies(obs, ["run"])
    left = scores - scores.reshape(2, 6).mean(axis=1).repeat(6)
    residual = left - np.where(np.arange(12) % 2, left[1::2].mean(), left[::2].mean())
    expected = 1 - (residual @ residual / 9) / (left @ left / 10)  # the design is balanced
    assert abs(partial_r2(scores, design, added) - expected) < EXACT
    assert partial_r2(scores, design, design) == 0
    centred = scores - scores.mean()
    assert abs(residual_share(scores, design) - left @ left / (centred @ centred)) < EXACT


@pytest.mark.realdata
def test_the_library_type_of_pasilla_is_a_batch(realdata):
    folder = realdata / "pasilla"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    found = find_batches(*ranked(adata))
    assert [(batch.column, batch.component) for batch in found] == [("type", 2)]
    assert find_batches(*ranked(adata, design="~ type + condition")) == []

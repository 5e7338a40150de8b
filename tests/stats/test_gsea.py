"""p-values of preranked GSEA: against all sets there are, against uniform, and by themselves."""

from __future__ import annotations

import os
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.stats import kstest

from dex.stats import gsea
from dex.stats.gene_sets import SetIndex
from dex.stats.gsea import gsea_test, node_shares
from dex.stats.random_sets import random_sets
from dex.stats.running_sum import RankedList, running_sums
from dex.stats.set_walk import walk_above

N_ERRORS = 4.0  # standard errors, as told by the test itself
LOG10_2 = np.log10(2)

compiled = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="minutes without a compiler"
)


@pytest.fixture(scope="module")
def every():
    """All sets of 4 of 16 genes, and their scores."""
    ranked = RankedList.from_stat(np.random.default_rng(5).normal(size=16))
    sets = SetIndex.of([list(one) for one in combinations(range(16), 4)], 16)
    return ranked, sets, running_sums(ranked, sets).es


@pytest.mark.parametrize("rank", [0, 3, 20, 200])
@pytest.mark.parametrize("sign", [1, -1])
def test_p_is_the_share_of_all_sets(every, rank, sign):
    ranked, sets, es = every
    own = np.flatnonzero(sign * es > 0)
    chosen = own[np.argsort(-sign * es[own])[rank]]
    exact = np.mean(sign * es[own] >= sign * es[chosen] - 1e-12)
    test = gsea_test(ranked, SetIndex.of([sets[chosen]], 16), seed=rank)
    assert test.log10_pval[0] == pytest.approx(
        np.log10(exact), abs=N_ERRORS * test.log2err[0] * LOG10_2
    )
    assert test.nes[0] == pytest.approx(es[chosen] / np.mean(sign * es[own]), rel=0.05)


@compiled
def test_p_has_no_floor():
    """One set of all scores 1: that of the first genes."""
    ranked = RankedList.from_stat(np.linspace(1, -1, 120))
    test = gsea_test(ranked, SetIndex.of([np.arange(10)], 120), seed=1)
    exact = -np.log10(comb(120, 10)) - np.log10(0.5)  # half of all sets are up
    assert test.es[0] == pytest.approx(1)
    assert test.log10_pval[0] == pytest.approx(exact, abs=N_ERRORS * test.log2err[0] * LOG10_2)


def null_pvalues(seed):
    rng = np.random.default_rng(seed)
    ranked = RankedList.from_stat(rng.normal(size=400))
    sets = [rng.choice(400, size, replace=False) for size in np.repeat([8, 12, 20], 130)]
    return ranked, SetIndex.of(sets, 400)


@compiled
def test_p_is_uniform_where_genes_are_random():
    ranked, sets = null_pvalues(7)
    test = gsea_test(ranked, sets, seed=3)
    assert kstest(test.pval, "uniform").pvalue > 1e-3
    assert np.mean(test.pval <= 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 390)


@compiled
def test_same_seed_same_numbers_in_whatever_order():
    ranked, sets = null_pvalues(8)

    def backwards(function, sizes):
        return [function(size) for size in sizes[::-1]][::-1]

    some = sets.take(np.arange(390) % 13 == 0)
    a = gsea_test(ranked, some, seed=5)
    b = gsea_test(ranked, some, seed=5, apply=backwards)
    assert np.array_equal(a.log10_pval, b.log10_pval)
    assert np.array_equal(a.nes, b.nes)
    other = gsea_test(ranked, some, seed=6)
    assert not np.array_equal(a.log10_pval, other.log10_pval)


def test_a_set_does_not_depend_on_the_others():
    ranked, sets = null_pvalues(9)
    every = gsea_test(ranked, sets.take(np.arange(390) < 20), seed=5)
    one = gsea_test(ranked, sets.take(np.arange(390) == 7), seed=5)
    assert one.log10_pval[0] == every.log10_pval[7]


@compiled
def test_down_is_up_from_the_other_end():
    ranked, sets = null_pvalues(10)
    some = sets.take(np.arange(390) % 39 == 0)
    stat = np.empty(400)
    stat[ranked.order] = np.sort(np.random.default_rng(10).normal(size=400))[::-1]
    a = gsea_test(RankedList.from_stat(stat), some, seed=1)
    b = gsea_test(RankedList.from_stat(-stat), some, seed=2)
    assert np.allclose(a.es, -b.es, atol=1e-12)
    noise = N_ERRORS * np.hypot(a.log2err, b.log2err) * LOG10_2
    assert (np.abs(a.log10_pval - b.log10_pval) < noise).all()


@compiled
def test_sizes_between_nodes_are_as_good_as_nodes(monkeypatch):
    rng = np.random.default_rng(11)
    ranked = RankedList.from_stat(rng.normal(size=500))
    front = [rng.choice(120, 30, replace=False), rng.choice(500, 57, replace=False)]
    sets = SetIndex.of([np.concatenate([front[0], np.arange(473, 500)]), front[1]], 500)
    sets = SetIndex.of([ranked.order[sets[0]], ranked.order[sets[1]]], 500)
    assert len(node_shares(sets.sizes, 500)) == 2
    between = gsea_test(ranked, sets, seed=1)
    monkeypatch.setattr(gsea, "_ALL_UP_TO", 60)
    assert len(node_shares(sets.sizes, 500)) == 1
    exact = gsea_test(ranked, sets, seed=2)
    noise = N_ERRORS * np.hypot(between.log2err, exact.log2err) * LOG10_2
    assert (np.abs(between.log10_pval - exact.log10_pval) < noise).all()
    assert np.allclose(between.nes, exact.nes, rtol=0.05)


@compiled
@pytest.mark.parametrize(("n_vars", "size"), [(100, 95), (104, 103), (60, 59)])
def test_sets_of_nearly_all_genes_have_random_sets_that_fit(n_vars, size):
    """The node above them would be all genes, or more than there are."""
    assert max(node_shares(np.array([size]), n_vars)) < n_vars
    ranked = RankedList.from_stat(np.random.default_rng(0).normal(size=n_vars))
    test = gsea_test(ranked, SetIndex.of([np.arange(size)], n_vars))
    assert -6 < test.log10_pval[0] <= 0
    assert np.isfinite(test.nes).all()


def test_shares_of_nodes_add_up():
    size = np.array([1, 49, 50, 51, 52, 53, 200, 499, 500, 1999])
    total, mean = np.zeros(10), np.zeros(10)
    for node, (own, share) in node_shares(size, 2000).items():
        total[own] += share
        mean[own] += share * node
    assert np.allclose(total, 1)
    assert np.allclose(mean, size)


def test_random_sets_have_every_gene_as_often():
    sets = random_sets(np.random.default_rng(1), np.ones(30), 6, 2000)
    assert (np.diff(sets.places, axis=1) > 0).all()
    counts = np.bincount(sets.places.ravel(), minlength=30)
    sd = np.sqrt(2000 * 0.2 * 0.8)
    assert np.abs(counts - 400).max() < 4.5 * sd


def test_the_walk_stays_above_and_visits_all(every):
    """Of the few sets above a high level, each is visited about as often."""
    ranked, _, es = every
    level = np.sort(es)[-12]  # eleven sets are above
    start = random_sets(np.random.default_rng(1), ranked.weights, 4, 4000)
    above = start.take(start.up > level + 1e-9)
    walkers = above.take(np.resize(np.arange(len(above.up)), 400))
    rng = np.random.default_rng(2)
    walk_above(rng, ranked.weights, level, 300, walkers.places, walkers.up, walkers.down)
    assert (walkers.up > level).all()
    assert (np.diff(walkers.places, axis=1) > 0).all()
    _, counts = np.unique(walkers.places, axis=0, return_counts=True)
    assert len(counts) == 11
    assert np.abs(counts - 400 / 11).max() < 4.5 * np.sqrt(400 / 11)

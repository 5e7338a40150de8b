"""Running sums against their definition, place by place."""

from __future__ import annotations

import numpy as np
import pytest

from dex.errors import InputError
from dex.stats.gene_sets import SetIndex
from dex.stats.running_sum import RankedList, leading_edges, running_sum, running_sums

EXACT = 1e-12  # the same sums in another order


def by_definition(stat, genes, exponent):
    """The sum after each gene of the list, from the first to the last."""
    order = np.argsort(-stat, kind="stable")
    hit = np.isin(order, genes)
    weight = np.abs(stat[order]) ** exponent * hit
    return np.cumsum(weight / weight.sum() - ~hit / (~hit).sum())


@pytest.fixture
def stat():
    return np.random.default_rng(1).normal(size=60)


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_scores_are_those_of_the_definition(stat, exponent):
    rng = np.random.default_rng(2)
    sets = [rng.choice(60, size, replace=False) for size in (1, 5, 20, 59)]
    sums = running_sums(RankedList.from_stat(stat, exponent=exponent), SetIndex.of(sets, 60))
    for genes, es, peak in zip(sets, sums.es, sums.peak, strict=True):
        walk = by_definition(stat, genes, exponent)
        assert es == pytest.approx(walk[np.abs(walk).argmax()], abs=EXACT)
        at = peak if es > 0 else peak - 1  # the least value lies before the set's gene
        assert walk[at] == pytest.approx(es, abs=EXACT)


def test_corners_lie_on_the_walk(stat):
    genes = np.array([3, 14, 15, 40])
    passed, sums = running_sum(RankedList.from_stat(stat), genes)
    walk = np.concatenate([[0.0], by_definition(stat, genes, 1)])
    assert np.allclose(sums, walk[passed.astype(int)], atol=EXACT)
    assert sums[-1] == 0


def test_the_other_end_of_the_list(stat):
    sets = SetIndex.of([[1, 2, 3], [4, 5, 6, 7]], 60)
    there = running_sums(RankedList.from_stat(stat), sets)
    back = running_sums(RankedList.from_stat(stat).reversed, sets)
    assert np.allclose(there.es, -back.es, atol=EXACT)
    assert (there.peak == 59 - back.peak).all()


def test_order_of_genes_does_not_matter(stat):
    shuffled = np.random.default_rng(3).permutation(60)
    sets = [np.array([1, 2, 3]), np.array([10, 20, 30, 40])]
    place = np.argsort(shuffled)
    moved = SetIndex.of([place[one] for one in sets], 60)
    a = running_sums(RankedList.from_stat(stat), SetIndex.of(sets, 60))
    b = running_sums(RankedList.from_stat(stat[shuffled]), moved)
    assert np.array_equal(a.es, b.es)
    assert np.array_equal(a.peak, b.peak)


def test_leading_edges_go_from_the_end_to_the_peak():
    stat = np.linspace(5, -5, 50)
    ranked, sets = RankedList.from_stat(stat), SetIndex.of([[2, 0, 30], [49, 20, 47]], 50)
    sums = running_sums(ranked, sets)
    up, down = leading_edges(ranked, sets, sums)
    assert up.tolist() == [0, 2]
    assert down.tolist() == [49, 47]


def test_weightless_genes_still_count():
    """With all statistics zero the genes of a set share alike."""
    sums = running_sums(RankedList.from_stat(np.zeros(10)), SetIndex.of([[0, 1]], 10))
    assert sums.es[0] == pytest.approx(1.0, abs=EXACT)


@pytest.mark.parametrize("genes", [[], list(range(10))])
def test_sets_without_a_score(genes):
    with pytest.raises(InputError, match="set 1 has"):
        running_sums(RankedList.from_stat(np.arange(10.0)), SetIndex.of([[0], genes], 10))


@pytest.mark.parametrize(("stat", "exponent"), [([1.0, np.nan], 1), ([1.0, 2.0], -1)])
def test_bad_statistics(stat, exponent):
    with pytest.raises(InputError, match=r"not finite|below 0"):
        RankedList.from_stat(np.array(stat), exponent=exponent)

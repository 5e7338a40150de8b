"""Scores of sets in single observations against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from dex.stats.gene_sets import SetIndex
from dex.stats.set_scores import (
    aucell_scores,
    gsva_scores,
    kernel_distribution,
    mean_z_scores,
    ssgsea_scores,
)

EXACT = 1e-10  # the same sums in another order
SETS = [[0, 4, 7], [1, 2, 3, 30, 31], list(range(20, 35))]


@pytest.fixture
def values():
    return np.random.default_rng(1).normal(size=(5, 40))


@pytest.fixture
def sets():
    return SetIndex.of(SETS, 40)


def test_ssgsea_is_the_sum_of_differences_down_the_list(values, sets):
    found = ssgsea_scores(values, sets, exponent=0.25)
    for i, row in enumerate(values):
        order, rank = np.argsort(-row), rankdata(row)
        for s, genes in enumerate(SETS):
            inside = np.isin(order, genes)
            weight = np.where(inside, rank[order] ** 0.25, 0)
            walk = np.cumsum(weight) / weight.sum() - np.cumsum(~inside) / (~inside).sum()
            assert found[i, s] == pytest.approx(walk.sum(), abs=EXACT)


def test_aucell_is_the_area_in_the_top(values, sets):
    found = aucell_scores(values, sets, top=0.25)
    for i, row in enumerate(values):
        top = np.argsort(-row)[:10]
        for s, genes in enumerate(SETS):
            area = np.cumsum(np.isin(top, genes)).sum()
            best = np.cumsum(np.arange(10) < len(genes)).sum()
            assert found[i, s] == pytest.approx(area / best, abs=EXACT)


def test_aucell_takes_no_gene_that_is_not_expressed():
    values = np.zeros((1, 100))
    values[0, :3] = [5, 4, 3]
    found = aucell_scores(values, SetIndex.of([[0, 1, 2], [50, 51]], 100), top=0.1)
    assert found.tolist() == [[1.0, 0.0]]


def test_gsva_is_a_walk_over_relative_ranks(values, sets):
    placed = kernel_distribution(values)
    apart, largest = (gsva_scores(placed, sets, max_diff=how) for how in (True, False))
    for i, row in enumerate(placed):
        order = np.argsort(-row)
        weight = np.abs(20.0 - np.arange(40))
        for s, genes in enumerate(SETS):
            inside = np.isin(order, genes)
            walk = np.cumsum(np.where(inside, weight, 0)) / weight[inside].sum()
            walk -= np.cumsum(~inside) / (~inside).sum()
            up, down = max(walk.max(), 0), min(walk.min(), 0)
            assert apart[i, s] == pytest.approx(up + down, abs=EXACT)
            assert largest[i, s] == pytest.approx(up if up >= -down else down, abs=EXACT)


def test_kernel_distribution_is_a_mean_of_normal_ones(values):
    found = kernel_distribution(values)
    for j in (0, 17):
        width = values[:, j].std(ddof=1) / 4
        wanted = norm.cdf((values[:, j][:, None] - values[:, j]) / width).mean(axis=1)
        assert np.allclose(found[:, j], wanted, atol=EXACT)
    assert (kernel_distribution(np.ones((3, 2))) == 0.5).all()


def test_mean_z_of_a_constant_gene_is_zero(values, sets):
    values[:, 0] = 3.0
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    sd[0] = 0.0
    found = mean_z_scores(values, mean, sd, sets)
    z = (values - mean) / np.where(sd > 0, sd, 1)
    assert np.allclose(found, np.column_stack([z[:, one].mean(axis=1) for one in SETS]))


@pytest.mark.parametrize("score", [ssgsea_scores, aucell_scores])
def test_equal_genes_share_their_ranks(score):
    values = np.array([[2.0, 2, 2, 2, 1, 1, 0, 0, 0, 0]])
    a = score(values, SetIndex.of([[0, 4]], 10))
    b = score(values, SetIndex.of([[3, 5]], 10))
    assert np.allclose(a, b, atol=EXACT)


@pytest.mark.parametrize("score", [ssgsea_scores, aucell_scores])
def test_only_ranks_matter(values, sets, score):
    assert np.array_equal(score(values, sets), score(np.exp(3 * values), sets))

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from dex.stats.coexpression import (
    adjacency,
    connectivity,
    eigengenes,
    gene_tree,
    lowest_join,
    members_of,
    standardised,
    tree_modules,
)


@pytest.fixture
def unit():
    """Genes of two factors (12 and 8, half of the latter against it) and 10 of none."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(25, 2))
    values = rng.normal(size=(25, 30))
    values[:, :12] += 3 * factors[:, [0]]
    values[:, 12:20] += 3 * factors[:, [1]] * np.repeat([1, -1], 4)
    return standardised(values)


def modules(unit, *, height=0.6, min_size=3, merge=0.75):
    tree = gene_tree(adjacency(unit, 6))
    return tree_modules(tree, unit, height=height, min_size=min_size, merge=merge)


def test_edges_are_powers_of_correlations(unit):
    r = np.corrcoef(unit.T)
    np.testing.assert_allclose(adjacency(unit, 6), ((1 + r) / 2) ** 6, rtol=1e-9, atol=1e-12)


def test_ranks_are_spearmans():
    values = np.random.default_rng(1).gamma(1, size=(12, 4))
    unit = standardised(values, ranks=True)
    np.testing.assert_allclose(unit.T @ unit, spearmanr(values).statistic, rtol=1e-9)


def test_factors_are_modules_and_signs_are_kept_apart(unit):
    expected = np.repeat([0, 1, 2, -1], (12, 4, 4, 10))
    assert modules(unit).tolist() == expected.tolist()


def test_order_of_genes_does_not_matter(unit):
    order = np.random.default_rng(2).permutation(30)
    one, other = modules(unit)[order], modules(unit[:, order])
    for label in range(3):  # those of the same size may change names
        members = one == label
        assert len(set(other[members])) == 1
    assert (other[one == -1] == -1).all()


def test_modules_that_are_alike_are_one(unit):
    assert modules(unit, merge=-1.0).max() == 0
    assert (modules(unit, min_size=5) >= 0).sum() == 12
    assert modules(unit, height=0.0).max() == -1


def test_eigengenes_are_where_the_genes_are(unit):
    labels = modules(unit)
    found = eigengenes(unit, labels)
    np.testing.assert_allclose(found.scores.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(found.scores.std(axis=0), 1, rtol=1e-9)
    for i in range(3):
        r = np.corrcoef(found.scores[:, i], unit[:, labels == i].mean(axis=1))[0, 1]
        assert r > 0.95
        svd = np.linalg.svd(unit[:, labels == i], compute_uv=False)
        assert found.explained[i] == pytest.approx(svd[0] ** 2 / (svd**2).sum())
    assert eigengenes(unit, np.full(30, -1)).scores.shape == (25, 0)


def test_genes_that_hardly_follow_are_no_members(unit):
    labels = modules(unit)
    loose = labels.copy()
    loose[20:22] = 0  # of no factor
    assert members_of(unit, loose, alpha=0.001, min_size=4).tolist() == labels.tolist()
    assert members_of(unit, labels, alpha=0.001, min_size=5).max() == 0
    nothing = np.full(30, -1)
    assert members_of(unit, nothing, alpha=0.001, min_size=3).tolist() == nothing.tolist()


def test_connectivity_is_within_the_module(unit):
    network, labels = adjacency(unit, 6), modules(unit)
    found = connectivity(network, labels)
    assert found[0] == pytest.approx(network[0, 1:12].sum())
    assert np.isnan(found[20:]).all()


def test_lowest_join_is_infinite_without_one():
    assert lowest_join(np.array([[0.0, 1, 0.2, 2]]), 3) == np.inf

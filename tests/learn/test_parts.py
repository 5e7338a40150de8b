"""Units, folds, selection and depth, each by itself."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_selection import f_classif, f_regression

from dex.errors import InputError
from dex.learn.areas import concordance, fold_areas
from dex.learn.depth import Table
from dex.learn.folds import auto_splits, check_splits, donor_folds, given_folds
from dex.learn.numbers import number_folds
from dex.learn.permutation import Null, every_relabelling, permutation_null
from dex.learn.recipe import Outcome, Recipe
from dex.learn.selection import best_genes, rank_by_slope, rank_by_test, unit_means
from dex.learn.units import Units
from dex.learn.validation import Scored, cross_validate, in_turn


def donors(n_per_class, n_each=1, n_classes=2):
    """Donors of one class each, and observations of them."""
    codes = np.repeat(np.arange(n_per_class * n_classes) % n_classes, n_each)
    return Units.of(codes, np.repeat(np.arange(n_per_class * n_classes), n_each))


def paired(n, n_each=1):
    """Donors that have both classes."""
    return Units.of(np.tile(np.repeat([0, 1], n_each), n), np.repeat(np.arange(n), 2 * n_each))


@pytest.mark.parametrize("units", [donors(7, 3), donors(5, 2, n_classes=3), paired(7, 2)])
def test_no_donor_is_on_both_sides(units):
    rng = np.random.default_rng(0)
    for _ in range(20):
        splits = donor_folds(units, auto_splits(units), rng)
        tested = np.concatenate([split.test for split in splits])
        assert np.array_equal(np.sort(tested), np.arange(len(units.codes)))
        for split in splits:
            assert not set(units.donors[split.train]) & set(units.donors[split.test])
            assert set(units.codes[split.test]) == set(range(units.n_classes))
            assert set(units.codes[split.train]) == set(range(units.n_classes))


def test_leaving_one_out_is_refused():
    units = donors(6)
    with pytest.raises(InputError, match=r"0\.41"):
        check_splits(12, units)
    with pytest.raises(InputError, match="needs 3 of each"):
        auto_splits(donors(2))


def test_donors_of_a_given_fold_are_not_learnt_from_elsewhere():
    splits = given_folds(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]))
    assert splits[0].train.tolist() == [3]
    assert splits[1].train.tolist() == [0]


def test_folds_of_numbers_have_small_and_large_ones():
    y = np.arange(20.0)
    units = Units.of(np.arange(20), np.arange(20))
    for split in number_folds(units, y, 5, np.random.default_rng(0)):
        assert y[split.test].min() < 5
        assert y[split.test].max() >= 15


def test_labels_can_be_dealt_in_so_many_ways():
    assert donors(3).n_relabellings() == 20
    assert donors(2, n_classes=3).n_relabellings() == 90
    assert paired(6).n_relabellings() == 64
    assert donors(600).n_relabellings() == np.inf
    assert len({tuple(one) for one in every_relabelling(donors(3))}) == 20
    assert len({tuple(one) for one in every_relabelling(paired(4))}) == 16


def test_ways_of_many_observations_are_not_counted_one_by_one():
    n = 300_000  # of different numbers: to divide by each of their factorials took minutes
    assert Units.of(np.arange(n), np.arange(n)).n_relabellings() == np.inf


def test_classes_that_can_be_exchanged_bound_p_from_below():
    assert donors(3).least_pval() == pytest.approx(2 / 20)
    assert donors(2, n_classes=3).least_pval() == pytest.approx(6 / 90)
    assert paired(5).least_pval() == pytest.approx(2 / 32)
    uneven = Units.of(np.array([0, 0, 0, 1, 1, 1, 1]), np.arange(7))
    assert uneven.least_pval() == pytest.approx(1 / 35)


def test_relabelling_keeps_donors_whole():
    rng = np.random.default_rng(0)
    units = donors(5, 4).relabelling(rng)
    assert units.constant
    assert units.per_class.tolist() == [5, 5]
    within = paired(6, 3).relabelling(rng)
    assert np.bincount(within.donors, within.codes).tolist() == [3] * 6


def test_three_against_three_donors_have_no_small_p():
    null = permutation_null(
        donors(3), lambda units, _: float(units.codes[0]), 1000, np.random.SeedSequence(0), in_turn
    )
    assert null.exact
    assert len(null.drawn) == 19
    assert null.pval(2.0) == pytest.approx(0.05)
    assert Null(np.array([0.5, 0.7, 0.7]), 1e9, exact=False).pval(0.7) == pytest.approx(3 / 4)


def test_copies_become_one_donor():
    units = donors(4).merged(np.array([0, -1, 0, -1, -1, -1, -1, -1]))
    assert units.n_donors == 7
    assert units.donors[0] == units.donors[2]
    with pytest.raises(InputError, match="under different labels"):
        donors(4).merged(np.array([0, 0, -1, -1, -1, -1, -1, -1]))


def test_selection_by_t_test_is_scikit_learns_f():
    rng = np.random.default_rng(0)
    for n_classes in (2, 3):
        X, y = rng.normal(5, 1, (30, 200)), np.arange(30) % n_classes
        np.testing.assert_allclose(
            rank_by_test(X, y, n_classes, by="t-test"), f_classif(X, y)[0], rtol=1e-8, atol=1e-9
        )
    y = rng.normal(size=30)
    np.testing.assert_allclose(
        rank_by_slope(X, y, moderated=False), f_regression(X, y)[0], rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("by", ["limma", "t-test", "wilcoxon"])
def test_constant_genes_come_last(by):
    rng = np.random.default_rng(0)
    X = rng.normal(5, 1, (20, 30))
    X[:, 3] = 0.1
    X[:, 7] += 5 * (np.arange(20) % 2)
    stat = rank_by_test(X, np.arange(20) % 2, 2, by=by)
    order = best_genes(stat, None)
    assert order[0] == 7
    assert order[-1] == 3
    assert best_genes(stat, 5).tolist() == order[:5].tolist()


def test_means_of_units_are_the_same_sparse_or_dense():
    rng = np.random.default_rng(0)
    X, units = rng.poisson(0.5, (30, 8)).astype(float), rng.permutation(np.arange(30) % 6)
    expected = np.array([X[units == u].mean(axis=0) for u in range(6)])
    np.testing.assert_allclose(unit_means(X, units), expected)
    np.testing.assert_allclose(unit_means(sparse.csr_matrix(X), units), expected)


def counts(n=20, p=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1, 50, p) * rng.uniform(0.5, 2, (n, 1))).astype(float)


@pytest.mark.parametrize("method", ["tmm", "library", "cells"])
def test_ten_times_the_library_changes_no_prediction(method):
    X, codes = counts(), np.arange(20) % 2
    train, test = np.arange(16), np.arange(16, 20)
    outcome = Outcome(codes, np.arange(20), 2)
    fitted = Recipe(n_genes=20).fit(Table.of_counts(X, method), train, outcome)
    deeper = X.copy()
    deeper[16] *= 10
    before = fitted.predict(Table.of_counts(X, method), test)
    after = fitted.predict(Table.of_counts(deeper, method), test)
    np.testing.assert_allclose(after, before, rtol=1e-9)


@pytest.mark.parametrize("method", ["tmm", "library", "cells"])
@pytest.mark.parametrize("select", ["limma", "wilcoxon"])
def test_nothing_is_learnt_from_test_observations(method, select):
    """Whatever they hold, all that a fold has learnt is the same to the last bit."""
    X, codes = counts(), np.arange(20) % 2
    train = np.arange(16)
    outcome = Outcome(codes, np.arange(20), 2)
    recipe = Recipe(n_genes=20, select=select)
    fitted = recipe.fit(Table.of_counts(X, method), train, outcome)
    other = X.copy()
    other[16:] = np.random.default_rng(9).poisson(1e4, other[16:].shape)
    swapped = Outcome(np.where(np.arange(20) < 16, codes, 1 - codes), np.arange(20), 2)
    again = recipe.fit(Table.of_counts(other, method), train, swapped)
    for name in ("genes", "mean", "sd", "prior"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))
    np.testing.assert_array_equal(again.estimator.coef, fitted.estimator.coef)
    np.testing.assert_array_equal(again.depth.reference, fitted.depth.reference)
    assert again.depth.prior == fitted.depth.prior
    assert again.depth.log_centre == fitted.depth.log_centre


def test_cells_are_the_same_sparse_or_dense():
    X, codes = counts(40), np.repeat([0, 1], 20)
    units = Units.of(codes, np.repeat(np.arange(8), 5))
    outcome, recipe = Outcome(units.codes, units.of_obs, 2), Recipe(n_genes=10)
    splits = [donor_folds(units, 4, np.random.default_rng(0))]
    dense = cross_validate(Table.of_counts(X, "cells"), outcome, splits, recipe)
    table = Table.of_counts(sparse.csr_matrix(X), "cells")
    listed = cross_validate(table, outcome, splits, recipe)
    np.testing.assert_allclose(listed.values, dense.values, rtol=1e-9)
    np.testing.assert_array_equal(listed.genes, dense.genes)


def test_donors_count_the_same_however_many_cells():
    """Copies of a donor's cells change neither its weight nor the model."""
    X, codes = counts(12), np.arange(12) % 2
    once = Recipe(n_genes=10).fit(
        Table.of_counts(X, "library"), np.arange(12), Outcome(codes, np.arange(12), 2)
    )
    rows = np.concatenate([np.arange(12), np.zeros(9, int)])
    thrice = Recipe(n_genes=10).fit(
        Table.of_values(Table.of_counts(X, "library").values(once.depth, rows, slice(None))),
        np.arange(21),
        Outcome(codes[rows], rows, 2),
    )
    assert set(thrice.genes) == set(once.genes)


def test_areas_are_within_folds():
    scores = np.array([0.1, 0.2, 0.8, 0.9])
    p = np.column_stack([1 - scores, scores])
    codes, folds = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    found = fold_areas(p, codes, folds)
    assert found.auc == 1.0  # pooled it would be 0.75
    assert found.by_fold.tolist() == [1.0, 1.0]
    assert fold_areas(p, codes, np.array([0, 1, 0, 1])).by_fold.tolist() != [1.0, 1.0]


def test_areas_of_several_classes_are_symmetric():
    rng = np.random.default_rng(0)
    p, codes = rng.dirichlet(np.ones(3), 30), np.arange(30) % 3
    order = [2, 0, 1]
    one = fold_areas(p, codes, np.zeros(30, int)).auc
    two = fold_areas(p[:, order], np.argsort(order)[codes], np.zeros(30, int)).auc
    assert one == pytest.approx(two)
    assert fold_areas(np.eye(3)[codes], codes, np.zeros(30, int)).auc == 1.0


def test_concordance_of_the_right_order_is_one():
    y = np.arange(10.0)
    folds = np.arange(10) % 2
    assert concordance(y**3, y, folds)[0] == 1.0
    assert concordance(-y, y, folds)[0] == 0.0
    assert concordance(np.zeros(10), y, folds)[0] == 0.5


def test_scores_of_units_are_means_of_their_observations():
    units = donors(3, 2)
    X = np.random.default_rng(0).normal(size=(12, 30))
    splits = [donor_folds(units, 3, np.random.default_rng(0))]
    found = cross_validate(
        Table.of_values(X), Outcome(units.codes, units.of_obs, 2), splits, Recipe(n_genes=5)
    )
    scored = Scored.of(found, units)
    np.testing.assert_allclose(
        scored.scores[0, :, 1], found.values[0, :, 1].reshape(6, 2).mean(axis=1)
    )


def test_permutations_without_an_area_are_no_evidence():
    null = Null(np.array([0.4, np.nan, 0.6]), 100.0, exact=False)
    assert null.pval(0.7) == 2 / 4
    assert null.pval(float("nan")) == 1.0


def test_a_reference_with_fewer_genes_has_the_counts_that_these_had():
    counts = np.random.default_rng(0).poisson(20.0, (6, 50)).astype(float)
    depth = Table.of_counts(counts, "tmm").fit(np.arange(6))
    genes = np.arange(0, 50, 2)
    part = depth.restricted(genes, float(depth.reference[genes].sum()))
    np.testing.assert_allclose(
        part.reference * part.reference_size, depth.reference[genes] * depth.reference_size
    )

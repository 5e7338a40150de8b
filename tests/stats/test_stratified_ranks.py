"""Van Elteren's test is its formula, every permutation within strata, and the plain test in one."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from dex.errors import InputError
from dex.stats.ranks import rank_sum_test
from dex.stats.sparse_genes import SparseGenes
from dex.stats.stratified_ranks import Strata, stratified_rank_sum_test, stratum_sizes
from dex.typing import REST

RTOL = 1e-12
"""Rank sums are whole numbers: what rounds is their weighting, the root and the quotient."""
LOG10_ATOL = 1e-11
"""Probabilities of at most 1e5 attainable values are added up, each right to rounding."""

FORWARD = np.array([[0, 1]])
TESTS = np.array([[0, 1], [1, 0], [2, 0], [0, REST], [2, REST]])
WEIGHTS = ("optimal", "design-free")
ALTERNATIVES = ("two-sided", "greater", "less")


@pytest.fixture
def rng():
    return np.random.default_rng(20240611)


@pytest.fixture(params=["counts", "continuous", "signed"])
def data(request, rng):
    """Values of 150 observations, their groups and strata, both with some missing."""
    shape = (150, 6)
    values = {
        "counts": rng.negative_binomial(1, 0.3, shape).astype(float),
        "continuous": rng.normal(size=shape),
        "signed": np.round(rng.normal(size=shape) * 2),
    }[request.param]
    codes = rng.choice([-1, 0, 1, 2], 150, p=[0.1, 0.3, 0.4, 0.2])
    return (
        values,
        codes,
        Strata(rng.choice([-1, 0, 1, 2, 3], 150, p=[0.05, 0.4, 0.3, 0.2, 0.05]), 4),
    )


def one_gene(gene, codes, strata, test, weights):
    """z, AUC and standard error of one gene and test, from scipy's ranks and the formula."""
    z = variance = wins = pairs = 0.0
    for k in range(strata.n_strata):
        inside = (strata.codes == k) & (codes >= 0)
        group = inside & (codes == test[0])
        other = inside & (codes != test[0]) if test[1] == REST else inside & (codes == test[1])
        m, n = group.sum(), other.sum()
        if min(m, n) == 0:
            continue
        N = m + n
        w = 1 / (N + 1) if weights == "optimal" else 1 / (m * n)
        ranks = stats.rankdata(np.r_[gene[group], gene[other]])
        ties = np.unique(ranks, return_counts=True)[1].astype(float)
        z += w * (ranks[:m].sum() - m * (N + 1) / 2)
        variance += w**2 * m * n / 12 * ((N + 1) - (ties**3 - ties).sum() / (N * (N - 1)))
        wins += w * (ranks[:m].sum() - m * (m + 1) / 2)
        pairs += w * m * n
    return z / np.sqrt(variance), wins / pairs, np.sqrt(variance)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_is_the_formula(data, weights):
    values, codes, strata = data
    test = stratified_rank_sum_test(values, codes, 3, TESTS, strata=strata, weights=weights)
    for t, pair in enumerate(TESTS):
        z, auc, _ = np.transpose(
            [one_gene(gene, codes, strata, pair, weights) for gene in values.T]
        )
        np.testing.assert_allclose(test.stat[:, t], z, rtol=RTOL, atol=1e-14)
        np.testing.assert_allclose(test.auc[:, t], auc, rtol=RTOL)
        expected = np.log10(2 * stats.norm.sf(np.abs(z)))
        np.testing.assert_allclose(test.log10_pval[:, t], expected, rtol=0, atol=LOG10_ATOL)
    assert not test.exact.any()
    assert (np.sign(test.auc - 0.5) == np.sign(test.stat)).all()


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_one_stratum_is_no_stratum(data, weights, exact, alternative):
    values, codes, _ = data
    values, codes = values[:40], codes[:40]
    options = {"alternative": alternative, "continuity": not exact, "exact": exact}
    plain = rank_sum_test(values, codes, 3, TESTS, **options)
    # Strata 0 and 2 have no observations that take part.
    strata = Strata(np.where(codes >= 0, 1, 0), 3)
    test = stratified_rank_sum_test(
        values, codes, 3, TESTS, strata=strata, weights=weights, **options
    )
    np.testing.assert_array_equal(test.stat, plain.stat)
    np.testing.assert_array_equal(test.auc, plain.auc)
    np.testing.assert_allclose(test.log10_pval, plain.log10_pval, rtol=0, atol=LOG10_ATOL)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_order_and_names_do_not_matter(data, rng, weights):
    values, codes, strata = data
    order, name = rng.permutation(len(codes)), np.array([2, 0, 3, 1])
    renamed = Strata(np.where(strata.codes < 0, -1, name[strata.codes])[order], 4)
    before = stratified_rank_sum_test(values, codes, 3, TESTS, strata=strata, weights=weights)
    after = stratified_rank_sum_test(
        values[order], codes[order], 3, TESTS, strata=renamed, weights=weights
    )
    for name in ("stat", "auc", "log10_pval"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-11)


def test_swapped_groups_negate(data):
    values, codes, strata = data
    swapped = np.array([[1, 0]])
    there = stratified_rank_sum_test(values, codes, 3, FORWARD, strata=strata, alternative="less")
    back = stratified_rank_sum_test(values, codes, 3, swapped, strata=strata, alternative="greater")
    np.testing.assert_array_equal(there.stat, -back.stat)
    np.testing.assert_allclose(there.auc, 1 - back.auc, rtol=1e-14)
    np.testing.assert_array_equal(there.log10_pval, back.log10_pval)


def test_each_stratum_may_be_stretched_by_itself(data):
    values, codes, strata = data
    moved = values.copy()
    for k in range(4):
        moved[strata.codes == k] = np.exp(values[strata.codes == k] * (k + 1) / 8) + 100 * k
    before = stratified_rank_sum_test(values, codes, 3, TESTS, strata=strata)
    after = stratified_rank_sum_test(moved, codes, 3, TESTS, strata=strata)
    np.testing.assert_array_equal(before.stat, after.stat)


def test_an_observation_in_no_stratum_and_a_stratum_of_one_side_do_not_matter(data, rng):
    values, codes, strata = data
    one_sided = np.where(codes == 0, 5, strata.codes)  # group 0 is alone in stratum 5
    wider = Strata(np.where(rng.random(150) < 0.3, one_sided, strata.codes), 6)
    kept = (wider.codes >= 0) & (wider.codes < 5)
    test = stratified_rank_sum_test(values, codes, 3, FORWARD, strata=wider)
    alone = Strata(wider.codes[kept], 4)
    expected = stratified_rank_sum_test(values[kept], codes[kept], 3, FORWARD, strata=alone)
    np.testing.assert_array_equal(test.stat, expected.stat)
    spoilt = values.copy()
    spoilt[~kept] = np.nan
    again = stratified_rank_sum_test(spoilt, codes, 3, FORWARD, strata=wider)
    np.testing.assert_array_equal(again.stat, expected.stat)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_continuity_is_half_of_the_least_weight(data, alternative):
    values, codes, strata = data
    options = {"strata": strata, "exact": False, "alternative": alternative}
    plain = stratified_rank_sum_test(values, codes, 3, TESTS, **options)
    test = stratified_rank_sum_test(values, codes, 3, TESTS, continuity=True, **options)
    np.testing.assert_array_equal(test.stat, plain.stat)
    largest = stratum_sizes(codes, 3, TESTS, strata=strata).sum(axis=2).max(axis=0)
    for t, pair in enumerate(TESTS):
        terms = [one_gene(gene, codes, strata, pair, "optimal") for gene in values.T]
        z, _, se = np.transpose(terms)
        step = 0.5 / (largest[t] + 1) / se
        expected = {
            "two-sided": np.minimum(2 * stats.norm.sf(np.abs(z) - step), 1),
            "greater": stats.norm.sf(z - step),
            "less": stats.norm.cdf(z + step),
        }[alternative]
        np.testing.assert_allclose(10 ** test.log10_pval[:, t], expected, rtol=1e-10)


def test_a_stratum_that_is_tied_all_through_adds_nothing_to_z(rng):
    values = rng.normal(size=(60, 3))
    codes, strata = np.tile([0, 1], 30), np.repeat([0, 1], 30)
    values[strata == 1] = 7.0
    options = {"strata": Strata(strata, 2), "continuity": True, "alternative": "greater"}
    test = stratified_rank_sum_test(values, codes, 2, FORWARD, **options)
    options = {"continuity": True, "alternative": "greater"}
    alone = rank_sum_test(values[:30], codes[:30], 2, FORWARD, **options)
    np.testing.assert_allclose(test.stat, alone.stat, rtol=1e-14)
    np.testing.assert_allclose(test.log10_pval, alone.log10_pval, rtol=1e-12)
    np.testing.assert_allclose(test.auc - 0.5, (alone.auc - 0.5) / 2, rtol=1e-12)


def test_everything_tied_within_strata():
    strata = Strata(np.repeat([0, 1], 20), 2)
    values, codes = strata.codes[:, None] * 3.0, np.tile([0, 1], 20)
    for exact in (True, False):
        test = stratified_rank_sum_test(values, codes, 2, FORWARD, strata=strata, exact=exact)
        assert (test.stat.item(), test.auc.item()) == (0.0, 0.5)
        assert np.isnan(test.log10_pval.item())


def test_no_stratum_has_both_sides(rng):
    codes = np.repeat([0, 1, 2], 10)
    strata = Strata(np.where(codes == 1, 1, 0), 2)
    tests = np.array([[0, 1], [0, 2], [1, REST]])
    test = stratified_rank_sum_test(rng.normal(size=(30, 2)), codes, 3, tests, strata=strata)
    for part in (test.stat, test.auc, test.log10_pval):
        assert np.isnan(part).tolist() == [[True, False, True]] * 2
    assert test.exact.tolist() == [False, False, False]
    sizes = stratum_sizes(codes, 3, tests, strata=strata)
    assert sizes.tolist() == [[[0, 0], [10, 10], [0, 0]], [[0, 0], [0, 0], [0, 0]]]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("background", [-1.0, 0.0, 2.0])
def test_sparse_genes_are_their_values(rng, exact, alternative, background):
    """The background stands below, among and above what is listed, as zeros of z-scores do."""
    genes = SparseGenes.from_dense(rng.poisson(0.7, (50, 6)) * rng.choice([1.0, 3.0], (50, 6)))
    genes = genes.map(lambda x: np.where(x == 0, background, x))
    codes = rng.choice([-1, 0, 1, 2], 50)
    strata = Strata(rng.choice([-1, 0, 1, 2], 50), 3)
    options = {"strata": strata, "exact": exact, "alternative": alternative, "continuity": True}
    sparse = stratified_rank_sum_test(genes, codes, 3, TESTS, **options)
    dense = stratified_rank_sum_test(genes.to_dense(), codes, 3, TESTS, **options)
    for name in ("stat", "auc", "log10_pval", "exact"):
        np.testing.assert_array_equal(getattr(sparse, name), getattr(dense, name))


def test_nan_spoils_the_tests_that_it_is_in(rng):
    values = rng.normal(size=(60, 2))
    codes, strata = np.tile([0, 1, 2], 20), Strata(np.repeat([0, 1], 30), 2)
    values[2, 0] = np.nan  # in group 2
    for exact in (True, False):
        test = stratified_rank_sum_test(
            values, codes, 3, np.array([[0, 1], [0, 2]]), strata=strata, exact=exact
        )
        for part in (test.stat, test.auc, test.log10_pval):
            assert np.isnan(part).tolist() == [[False, True], [False, False]]


def every_choice(gene, codes, strata, weights):
    """T for every choice of the group within every stratum, the observed one first; exact."""
    per_stratum = []
    for k in range(strata.n_strata):
        rows = np.flatnonzero(strata.codes == k)
        group = (codes[rows] == 0).nonzero()[0]
        m, n = len(group), len(rows) - len(group)
        if min(m, n) == 0:
            continue
        w = Fraction(1, m + n + 1) if weights == "optimal" else Fraction(1, m * n)
        scores = (2 * stats.rankdata(gene[rows])).astype(int) - (m + n + 1)
        chosen = [tuple(group), *(c for c in combinations(range(m + n), m))]
        per_stratum.append([w * int(scores[list(c)].sum()) for c in chosen])
    observed = sum(part[0] for part in per_stratum)
    return observed, [sum(parts) for parts in product(*(part[1:] for part in per_stratum))]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("largest", [1, 3, 1000])
@pytest.mark.parametrize(
    "sizes", [[(1, 1), (1, 3)], [(2, 3), (4, 2)], [(1, 2), (2, 1), (2, 2), (1, 4), (0, 3)]]
)
def test_exact_p_is_every_permutation_within_strata(rng, weights, largest, sizes):
    codes = np.concatenate([np.repeat([0, 1], size) for size in sizes])
    strata = Strata(np.repeat(np.arange(len(sizes)), np.sum(sizes, axis=1)), len(sizes))
    values = rng.integers(0, largest + 1, (len(codes), 4)).astype(float)
    options = {"strata": strata, "weights": weights}
    found = {
        name: 10
        ** stratified_rank_sum_test(
            values, codes, 2, FORWARD, alternative=name, **options
        ).log10_pval[:, 0]
        for name in ALTERNATIVES
    }
    for j, gene in enumerate(values.T):
        observed, choices = every_choice(gene, codes, strata, weights)
        if not any(choices):
            assert all(np.isnan(found[name][j]) for name in ALTERNATIVES)
            continue
        expected = {
            "two-sided": np.mean([abs(t) >= abs(observed) for t in choices]),
            "greater": np.mean([t >= observed for t in choices]),
            "less": np.mean([t <= observed for t in choices]),
        }
        for name in ALTERNATIVES:
            assert found[name][j] == pytest.approx(expected[name], rel=RTOL)


def test_exact_p_does_not_depend_on_the_side_called_group(rng):
    sizes = [(1, 6), (2, 2), (4, 9), (1, 5)]
    codes = np.concatenate([np.repeat([0, 1], size) for size in sizes])
    strata = Strata(np.repeat(np.arange(4), np.sum(sizes, axis=1)), 4)
    values = rng.integers(0, 6, (len(codes), 50)).astype(float)
    p = {}
    for name in ALTERNATIVES:
        test = stratified_rank_sum_test(
            values, codes, 2, np.array([[0, 1], [1, 0]]), strata=strata, alternative=name
        )
        assert test.exact.all()
        p[name] = test.log10_pval
    np.testing.assert_allclose(p["two-sided"][:, 0], p["two-sided"][:, 1], rtol=0, atol=LOG10_ATOL)
    np.testing.assert_allclose(p["greater"][:, 0], p["less"][:, 1], rtol=0, atol=LOG10_ATOL)
    assert (10 ** p["greater"] + 10 ** p["less"] > 1).all()


def test_genes_of_different_patterns_do_not_mix(rng):
    codes, strata = np.tile([0, 1], 8), Strata(np.repeat([0, 1], [6, 10]), 2)
    values = rng.integers(0, 3, (16, 60)).astype(float)
    together = stratified_rank_sum_test(values, codes, 2, FORWARD, strata=strata)
    apart = [
        stratified_rank_sum_test(values[:, [j]], codes, 2, FORWARD, strata=strata).log10_pval
        for j in range(60)
    ]
    assert together.exact.all()
    np.testing.assert_array_equal(together.log10_pval, np.concatenate(apart))


def test_exact_is_decided_by_all_strata_of_a_test(rng):
    codes, strata = np.repeat([0, 1, 2], [8, 42, 43]), Strata(np.tile([0, 1, 2], 31), 3)
    tests = np.array([[0, 1], [0, 2]])
    test = stratified_rank_sum_test(rng.normal(size=(93, 2)), codes, 3, tests, strata=strata)
    assert test.exact.tolist() == [True, False]


def test_exact_with_too_many_observations_is_refused(rng):
    codes, strata = np.tile([0, 1], 32), Strata(np.repeat([0, 1], 32), 2)
    with pytest.raises(InputError, match=r"64 observations.*63 at most"):
        stratified_rank_sum_test(
            rng.normal(size=(64, 1)), codes, 2, FORWARD, strata=strata, exact=True
        )

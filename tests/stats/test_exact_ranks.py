from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from dex.errors import InputError
from dex.stats.exact_ranks import (
    LARGEST_EXACT,
    exact_rank_sum_log10_pval,
    smallest_exact_pval,
    use_exact,
)
from dex.typing import REST

RTOL = 1e-12
"""Counts are whole numbers below 2**53: only the last division and the logarithm round."""
LOG10_ATOL = 1e-9
"""Agreement asked of log10 p with scipy."""

FORWARD, BACKWARD = np.array([[0, 1]]), np.array([[1, 0]])


@pytest.fixture
def rng():
    return np.random.default_rng(20240604)


def enumerated_pval(column, in_group, alternative="two-sided") -> float:
    """P(abs(W - E W) >= abs(w - E W)), or of one side, from every choice of the group."""
    doubled = (2 * stats.rankdata(column)).astype(int)
    n, m = len(column), int(in_group.sum())

    def distance(members):
        deviation = doubled[list(members)].sum() - m * (n + 1)
        return {"two-sided": abs(deviation), "greater": deviation, "less": -deviation}[alternative]

    observed = distance(np.flatnonzero(in_group))
    return sum(distance(c) >= observed for c in combinations(range(n), m)) / comb(n, m)


@pytest.mark.parametrize(
    ("m", "n"), [(1, 1), (1, 4), (2, 2), (3, 3), (2, 6), (4, 4), (5, 3), (4, 6)]
)
@pytest.mark.parametrize("largest", [1, 2, 5, 10_000])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_equals_enumeration(rng, m, n, largest, alternative):
    values = rng.integers(-1, largest, (m + n, 6)).astype(float)
    codes = rng.permutation(np.repeat([0, 1], [m, n]))
    log10_pval = exact_rank_sum_log10_pval(values, codes, 2, FORWARD, alternative=alternative)[:, 0]
    for j, column in enumerate(values.T):
        if np.ptp(column) == 0:
            assert np.isnan(log10_pval[j])
        else:
            expected = enumerated_pval(column, codes == 0, alternative)
            assert 10 ** log10_pval[j] == pytest.approx(expected, rel=RTOL)


@pytest.mark.parametrize(("m", "n"), [(3, 3), (4, 9), (8, 42), (20, 20), (31, 32)])
def test_without_ties_equals_scipy(rng, m, n):
    values, codes = rng.normal(size=(m + n, 5)), np.repeat([0, 1], [m, n])
    values[:m] += 0.5
    values[:, 0] = np.arange(m + n)  # an extreme
    log10_pval = exact_rank_sum_log10_pval(values, codes, 2, FORWARD)[:, 0]
    expected = stats.mannwhitneyu(values[:m], values[m:], method="exact").pvalue
    np.testing.assert_allclose(log10_pval, np.log10(expected), rtol=0, atol=LOG10_ATOL)
    assert 10 ** log10_pval[0] == pytest.approx(smallest_exact_pval(m, n), rel=RTOL)


def test_zeros_and_a_large_rest_equal_enumeration(rng):
    values = np.where(rng.random((22, 5)) < 0.7, 0.0, rng.normal(size=(22, 5)).round(1))
    codes = np.repeat([0, 1], [4, 18])
    log10_pval = exact_rank_sum_log10_pval(values, codes, 2, FORWARD)[:, 0]
    expected = [enumerated_pval(column, codes == 0) for column in values.T]
    np.testing.assert_allclose(10**log10_pval, expected, rtol=RTOL)


def test_swapped_sides_and_negated_values(rng):
    values, codes = rng.integers(0, 4, (15, 20)).astype(float), np.repeat([0, 1], [6, 9])
    forward = exact_rank_sum_log10_pval(values, codes, 2, FORWARD)
    np.testing.assert_array_equal(forward, exact_rank_sum_log10_pval(values, codes, 2, BACKWARD))
    negated = exact_rank_sum_log10_pval(-values, codes, 2, FORWARD)
    np.testing.assert_allclose(forward, negated, rtol=0, atol=RTOL)


def test_groups_and_rest_pick_the_observations(rng):
    values, codes = rng.integers(0, 5, (16, 8)).astype(float), np.repeat([-1, 0, 1, 2], 4)
    tests = np.array([[2, 0], [1, REST]])
    log10_pval = exact_rank_sum_log10_pval(values, codes, 3, tests)
    pair = np.isin(codes, [0, 2])
    for t, (rows, group) in enumerate([(pair, 2), (codes >= 0, 1)]):
        expected = [enumerated_pval(c[rows], codes[rows] == group) for c in values.T]
        np.testing.assert_allclose(10 ** log10_pval[:, t], expected, rtol=RTOL)


def test_genes_of_different_patterns_do_not_mix(rng):
    values, codes = rng.integers(0, 3, (8, 60)).astype(float), np.repeat([0, 1], 4)
    together = exact_rank_sum_log10_pval(values, codes, 2, FORWARD)
    apart = [exact_rank_sum_log10_pval(values[:, [j]], codes, 2, FORWARD) for j in range(60)]
    np.testing.assert_array_equal(together, np.concatenate(apart))


def test_null_is_valid(rng):
    values, codes = rng.integers(0, 3, (9, 200)).astype(float), np.repeat([0, 1], [4, 5])
    pval = 10 ** exact_rank_sum_log10_pval(values, codes, 2, FORWARD)
    assert np.nanmax(pval) <= 1
    order = np.array(list(combinations(range(9), 4)))
    in_group = (order[:, :, None] == np.arange(9)).any(axis=1)
    column = values[:, :1]
    each = [
        exact_rank_sum_log10_pval(column, 1 - g.astype(int), 2, FORWARD).item() for g in in_group
    ]
    for level in np.unique(each):
        assert np.mean(np.array(each) <= level) <= 10**level * (1 + RTOL)


def test_nothing_to_test():
    values = np.array([[1.0, 1.0], [1.0, np.nan], [1.0, 2.0]])
    tied_or_nan = exact_rank_sum_log10_pval(values, np.array([0, 1, 1]), 2, FORWARD)
    empty = exact_rank_sum_log10_pval(values, np.array([0, 0, 0]), 2, FORWARD)
    assert np.isnan(tied_or_nan).all()
    assert np.isnan(empty).all()


def test_too_many_observations(rng):
    n = LARGEST_EXACT + 1
    values, codes = rng.normal(size=(n, 1)), (np.arange(n) < 3).astype(int)
    with pytest.raises(InputError, match=f"A test has {n} observations"):
        exact_rank_sum_log10_pval(values, codes, 2, FORWARD)


def test_smallest_pval_and_the_rule():
    assert smallest_exact_pval(4, 4) == 2 / 70
    assert np.isnan(smallest_exact_pval(0, 4))
    assert smallest_exact_pval(4, 4, alternative="less") == 1 / 70
    assert smallest_exact_pval([1, 2], [3, 2]) == 2 / (4 * 6)
    assert np.isnan(smallest_exact_pval([], []))
    assert not use_exact(0, 4)
    assert use_exact(1, 49)
    assert not use_exact(9, 20)
    # Ties in sides of different size: the far extreme alone.
    values, codes = np.array([[1.0], [0.0], [0.0], [0.0]]), np.array([0, 1, 1, 1])
    assert 10 ** exact_rank_sum_log10_pval(values, codes, 2, FORWARD).item() == pytest.approx(0.25)

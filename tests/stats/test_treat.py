"""Tests against a fold change threshold: McCarthy & Smyth's formula, in logs."""

import numpy as np
import pytest
from scipy import stats

from dex.stats.tails import t_log10_pval
from dex.stats.treat import treat_test

LOG10_P = 1e-11  # sums of two tails, each right to about 1e-13


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
def test_p_is_the_sum_of_both_tails_beyond_the_threshold(threshold):
    rng = np.random.default_rng(0)
    estimate, se = rng.normal(0, 2, size=(50, 3)), rng.uniform(0.1, 2, size=(50, 3))
    df = rng.uniform(1, 40, size=(50, 3))
    test = treat_test(estimate, se, df, threshold=threshold)
    near, far = (np.abs(estimate) - threshold) / se, (np.abs(estimate) + threshold) / se
    expected = stats.t.sf(near, df) + stats.t.sf(far, df)
    np.testing.assert_allclose(test.log10_pval, np.log10(expected), rtol=0, atol=LOG10_P)
    np.testing.assert_allclose(test.stat, np.sign(estimate) * np.maximum(near, 0), rtol=1e-14)


@pytest.mark.parametrize("threshold", [0.0, 0.7])
def test_one_side_is_a_t_test_shifted_by_the_threshold(threshold):
    rng = np.random.default_rng(1)
    estimate, se, df = rng.normal(0, 2, 50), rng.uniform(0.1, 2, 50), rng.uniform(1, 40, 50)
    up = treat_test(estimate, se, df, threshold=threshold, alternative="greater")
    np.testing.assert_allclose(up.stat, (estimate - threshold) / se, rtol=1e-14)
    expected = np.log10(stats.t.sf((estimate - threshold) / se, df))
    np.testing.assert_allclose(up.log10_pval, expected, rtol=0, atol=LOG10_P)
    down = treat_test(-estimate, se, df, threshold=threshold, alternative="less")
    np.testing.assert_array_equal(down.stat, -up.stat)
    np.testing.assert_array_equal(down.log10_pval, up.log10_pval)


def test_without_a_threshold_it_is_the_t_test():
    estimate, se, df = np.array([2.0, -1.0, 0.0]), np.array([0.5, 0.7, 1.0]), np.full(3, 7.0)
    test = treat_test(estimate, se, df, threshold=0)
    np.testing.assert_allclose(test.stat, estimate / se)
    np.testing.assert_allclose(
        test.log10_pval, t_log10_pval(estimate / se, df), rtol=0, atol=LOG10_P
    )


def test_p_underflows_nowhere_and_is_at_most_one():
    test = treat_test(np.array([1e4, 0.0]), np.array([1e-3, 1.0]), np.full(2, 900.0), threshold=1)
    assert test.log10_pval[0] < -4000
    assert -0.2 < test.log10_pval[1] <= 0


def test_nan_where_nothing_varies():
    test = treat_test(np.array([1.0]), np.array([0.0]), np.array([np.nan]), threshold=0.5)
    assert np.isnan(test.log10_pval[0])


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_no_test_without_a_standard_error(threshold):
    estimate, se = np.array([1.0, -2.0, 0.0, 0.5, 1.0]), np.array([0.0, 0.0, 0.0, 0.0, np.nan])
    test = treat_test(estimate, se, np.full(5, 8.0), threshold=threshold)
    assert np.isnan(test.stat).all()
    assert np.isnan(test.log10_pval).all()

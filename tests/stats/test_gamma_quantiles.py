"""Quantiles of gamma distributions by way of another, to the far tails."""

import numpy as np
import pytest
from scipy import stats

from dex.stats.gamma_quantiles import same_quantile


@pytest.mark.parametrize("p", [1e-200, 1e-5, 0.5, 1 - 1e-5])
def test_tails_are_the_same(p):
    shape, other = np.array([0.3, 5.0, 400.0, 20.0]), np.array([0.2, 50.0, 300.0, 20.0])
    for law in ("ppf", "isf"):
        x = getattr(stats.gamma, law)(p, shape)
        expected = getattr(stats.gamma, law)(p, other)
        np.testing.assert_allclose(same_quantile(x, shape, other), expected, rtol=1e-8, atol=1e-200)


@pytest.mark.parametrize("x", [0.02, 0.4, 3.0, 40.0])
def test_beyond_the_smallest_numbers_there_and_back(x):
    shape = np.array([1000.0, 3000.0, 2e5])
    other = np.array([2500.0, 900.0, 1e5])
    far = x * shape
    there = same_quantile(far, shape, other)
    np.testing.assert_allclose(same_quantile(there, other, shape), far, rtol=1e-9)
    np.testing.assert_allclose(same_quantile(far, shape, shape), far, rtol=1e-9)


def test_order_is_kept_across_the_change_of_algorithm():
    x = np.linspace(1e-3, 4000, 2000)
    z = same_quantile(x, np.full(2000, 800.0), np.full(2000, 1500.0))
    assert (np.diff(z) > 0).all()
    assert same_quantile(np.zeros(1), np.ones(1), np.full(1, 3.0))[0] == 0

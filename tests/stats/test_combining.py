"""Combined p-values, against scipy's and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dex.stats.combining import deviates, stouffer_test, worst_test
from dex.stats.tails import normal_log10_pval

BACK = {"rtol": 1e-12, "atol": 1e-14}


def test_deviates_give_their_p_back_however_small():
    log10_pval = -np.geomspace(1e-6, 1e5, 60)
    z = deviates(log10_pval, np.resize([1.0, -1.0], 60))
    np.testing.assert_allclose(normal_log10_pval(z), log10_pval, rtol=1e-9)
    assert (np.sign(z) == np.resize([1, -1], 60)).all()
    assert deviates(np.array([0.0, np.nan]), np.array([1.0, 1.0]))[0] == 0
    assert np.isnan(deviates(np.array([np.nan]), np.array([1.0])))[0]


def test_the_worst_is_the_largest_p_where_signs_agree():
    rng = np.random.default_rng(0)
    z = rng.normal(2.0, 1.0, (4, 500))
    test = worst_test(z)
    agree = (z > 0).all(axis=0) | (z < 0).all(axis=0)
    assert 100 < agree.sum() < 500
    largest = (2 * stats.norm.sf(np.abs(z))).max(axis=0)
    np.testing.assert_allclose(10**test.log10_pval, np.where(agree, largest, 1.0), **BACK)
    mirrored = worst_test(-z)
    np.testing.assert_array_equal(mirrored.stat, -test.stat)


def test_stouffer_is_scipys_of_both_sides():
    rng = np.random.default_rng(1)
    z, weights = rng.normal(0.5, 1.0, (3, 40)), np.array([1.0, 2.0, 5.0])
    test = stouffer_test(z, weights[:, None])
    up = [
        stats.combine_pvalues(stats.norm.sf(part), method="stouffer", weights=weights).pvalue
        for part in z.T
    ]
    np.testing.assert_allclose(10**test.log10_pval, 2 * np.minimum(up, 1 - np.array(up)), rtol=1e-9)


def test_parts_without_a_test_do_not_count():
    z = np.array([[2.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    weights = np.ones((3, 1))
    np.testing.assert_array_equal(worst_test(z).stat, [2.0, np.nan])
    np.testing.assert_allclose(stouffer_test(z, weights).stat, [5 / np.sqrt(2), np.nan])


@pytest.mark.parametrize("shift", [0.0, 4.0])
def test_the_worst_is_valid_whichever_parts_have_an_effect(shift):
    """One part of three without an effect is the null; the others may have any."""
    rng = np.random.default_rng(2)
    z = rng.normal(0, 1, (3, 40_000))
    z[1:] += shift
    rate = (worst_test(z).log10_pval <= np.log10(0.05)).mean()
    four_errors = 4 * np.sqrt(0.05 * 0.95 / 40_000)
    assert rate <= 0.05 + four_errors
    if shift:
        assert rate > 0.02  # half of it: a sign that disagrees is 1

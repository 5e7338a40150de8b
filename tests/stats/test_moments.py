from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dex.errors import InputError
from dex.stats.moments import (
    GroupMoments,
    group_moments,
    group_positive,
    rest_moments,
    two_samples,
)
from dex.typing import REST

RTOL = 1e-13
"""A few hundred rounding errors; the sums here have tens of terms."""
NOISE_RTOL = 1e-12
"""Of quantities that live in the last digits of the values: no digit may be lost to the rest."""


@pytest.fixture
def rng():
    return np.random.default_rng(20240601)


def exact_moments(column):
    """Mean and centred sum of squares of the floats as given, in rational arithmetic."""
    numbers = [Fraction(float(x)) for x in column]
    mean = sum(numbers) / len(numbers)
    return mean, sum((x - mean) ** 2 for x in numbers)


def assert_exact(moments: GroupMoments, g: int, columns) -> None:
    for j, column in enumerate(columns.T):
        mean, sum_sq = exact_moments(column)
        assert moments.mean[j, g] == float(mean)
        low = float(mean - Fraction(float(mean)))
        assert moments.mean_low[j, g] == pytest.approx(low, rel=1e-6, abs=1e-12 * np.ptp(column))
        assert moments.sum_sq[j, g] == pytest.approx(float(sum_sq), rel=NOISE_RTOL)


def test_equals_numpy(rng):
    values, codes = rng.normal(3, 2, (40, 6)), rng.integers(-1, 3, 40)
    moments = group_moments(values, codes, 3)
    for g in range(3):
        rows = values[codes == g]
        assert moments.n[g] == len(rows)
        np.testing.assert_allclose(moments.mean[:, g], rows.mean(axis=0), rtol=RTOL)
        np.testing.assert_allclose(moments.var[:, g], rows.var(axis=0, ddof=1), rtol=RTOL)


@pytest.mark.parametrize("noise", [1e-2, 1e-6, 3e-10])
def test_noise_on_a_large_value_is_exact(rng, noise):
    values = 1e6 + noise * rng.normal(size=(20, 4))
    codes = np.repeat([0, 1], [8, 12])
    moments = group_moments(values, codes, 2)
    rest = rest_moments(moments)
    for g in (0, 1):
        assert_exact(moments, g, values[codes == g])
        assert_exact(rest, 1 - g, values[codes == g])


@pytest.mark.parametrize("first", [1e4, -1e8])
def test_a_first_value_far_from_the_others_costs_no_digits(rng, first):
    """Sums about it would lose as many as the number of observations has."""
    values = rng.gamma(2.0, 1.0, (40_000, 1)) * (rng.random((40_000, 1)) < 0.8)
    values[0] = first
    moments = group_moments(values, np.zeros(len(values), np.int32), 1)
    mean, sum_sq = exact_moments(values[:, 0])
    shifted = values[:, 0] - first
    naive = (shifted**2).sum() - shifted.sum() * (shifted.sum() / len(shifted))
    assert abs(naive / float(sum_sq) - 1) > 1e-13
    assert moments.sum_sq.item() == pytest.approx(float(sum_sq), rel=1e-14)
    assert moments.mean.item() == pytest.approx(float(mean), rel=1e-14)


def test_mean_diff_keeps_digits_that_the_means_lack(rng):
    values = 1e6 + 1e-7 * rng.normal(size=(30, 5))
    codes = rng.permutation(np.repeat([0, 1, 2], 10))
    tests = np.array([[0, 1], [2, REST]])
    difference = two_samples(group_moments(values, codes, 3), tests).mean_diff
    for j, column in enumerate(values.T):
        mean = [exact_moments(column[codes == g])[0] for g in range(3)]
        others = exact_moments(column[codes != 2])[0]
        expected = [float(mean[0] - mean[1]), float(mean[2] - others)]
        np.testing.assert_allclose(difference[j], expected, rtol=1e-8)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -7.3e11, 1e-300, 5e-324, 1.7e308])
def test_constant_group_is_exactly_constant(value):
    values = np.full((13, 1), value)
    moments = group_moments(values, np.repeat([0, 1], [6, 7]), 2)
    for part in (moments, rest_moments(moments)):
        assert (part.mean == value).all()
        assert (part.mean_low == 0).all()
        assert (part.sum_sq == 0).all()


def test_a_constant_group_beside_another_scale():
    values = np.array([[1e6], [1e6], [1e-12], [1e-12]])
    moments = group_moments(values, np.array([0, 0, 1, 1]), 2)
    assert moments.mean.tolist() == [[1e6, 1e-12]]
    assert moments.sum_sq.tolist() == [[0.0, 0.0]]


def test_rest_is_everybody_else(rng):
    values, codes = rng.gamma(1, 100, (50, 3)), rng.integers(-1, 6, 50)
    codes[codes == 4] = 3  # an empty group
    rest = rest_moments(group_moments(values, codes, 6))
    for g in range(6):
        direct = group_moments(values, np.where((codes >= 0) & (codes != g), 0, -1), 1)
        assert rest.n[g] == direct.n[0]
        np.testing.assert_allclose(rest.mean[:, g], direct.mean[:, 0], rtol=RTOL)
        np.testing.assert_allclose(rest.sum_sq[:, g], direct.sum_sq[:, 0], rtol=RTOL)


def test_empty_group_and_rest_of_the_only_group():
    moments = group_moments(np.array([[1.0], [3.0]]), np.array([0, 0]), 2)
    assert moments.n.tolist() == [2, 0]
    np.testing.assert_array_equal(moments.mean, [[2.0, np.nan]])
    np.testing.assert_array_equal(moments.var, [[2.0, np.nan]])
    rest = rest_moments(moments)
    assert rest.n.tolist() == [0, 2]
    np.testing.assert_array_equal(rest.mean, [[np.nan, 2.0]])


def test_one_observation_has_no_variance():
    moments = group_moments(np.array([[4.0]]), np.array([0]), 1)
    assert moments.mean.item() == 4.0
    assert np.isnan(moments.var.item())


def test_nan_stays_in_its_group_and_out_of_its_own_rest():
    values = np.array([[1.0], [2.0], [np.nan], [4.0], [5.0], [7.0]])
    moments = group_moments(values, np.array([0, 0, 1, 1, 2, 2]), 3)
    np.testing.assert_array_equal(moments.mean, [[1.5, np.nan, 6.0]])
    np.testing.assert_array_equal(rest_moments(moments).mean, [[np.nan, 3.75, np.nan]])


def test_two_samples_picks_the_columns(rng):
    values, codes = rng.normal(size=(30, 2)), rng.integers(0, 3, 30)
    moments = group_moments(values, codes, 3)
    sides = two_samples(moments, np.array([[2, 0], [1, REST]]))
    np.testing.assert_array_equal(sides.group.mean, moments.mean[:, [2, 1]])
    np.testing.assert_array_equal(sides.reference.sum_sq[:, 0], moments.sum_sq[:, 0])
    assert sides.reference.n.tolist() == [moments.n[0], 30 - moments.n[1]]
    assert sides.mean_diff.shape == (2, 2)


def test_order_and_dtype_of_the_values_do_not_matter(rng):
    values, codes = rng.integers(0, 9, (12, 5)).astype(np.float32), np.repeat([0, 1], 6)
    fortran, c_order = (group_moments(np.array(values, order=o), codes, 2) for o in "FC")
    np.testing.assert_array_equal(fortran.sum_sq, c_order.sum_sq)
    np.testing.assert_allclose(fortran.mean[:, 0], values[:6].astype(float).mean(axis=0), rtol=RTOL)


@pytest.mark.parametrize(
    ("codes", "message"),
    [([0, 1], "3 observations need"), ([0, 1, 2], "2 groups"), ([-2, 0, 1], "run from -2 to 1")],
)
def test_wrong_codes_are_refused(codes, message):
    with pytest.raises(InputError, match=message):
        group_moments(np.ones((3, 1)), np.array(codes), 2)


def test_positive_values_are_counted_by_group():
    values = np.random.default_rng(0).poisson(0.7, size=(30, 12)) - 0.5 * (np.arange(12) == 3)
    codes = np.random.default_rng(1).integers(-1, 3, size=30)
    expected = [[(values[codes == g, j] > 0).sum() for g in range(4)] for j in range(12)]
    np.testing.assert_array_equal(group_positive(values, codes, 4), expected)

"""Arrays are decoded to what they were."""

import numpy as np
import pytest

from dex.report._arrays import Arrays

ROUNDED = 2.0**-16
"""Relative error of a Float32 whose last byte was rounded off: half of its 15th binary digit."""


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    values = rng.normal(size=500) * 10.0 ** rng.integers(-30, 30, 500)
    values[:4] = np.nan, np.inf, -np.inf, 0
    return values


def decode(page, arrays):
    return page(str(arrays.html()))


def test_four_planes_keep_every_digit_of_float32(values, page):
    arrays = Arrays()
    name = arrays.floats(values, planes=4)
    np.testing.assert_array_equal(decode(page, arrays).array(name), values.astype(np.float32))


def test_three_planes_round_to_nearest(values, page):
    arrays = Arrays()
    name = arrays.floats(values, planes=3)
    found = decode(page, arrays).array(name)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    known = np.isfinite(values)
    np.testing.assert_allclose(found[known], values[known], rtol=1.01 * ROUNDED)
    np.testing.assert_array_equal(found[1:4], values[1:4])


def test_integers_of_both_signs(page):
    integers = np.array([0, 1, -1, 2**31 - 1, -(2**31), 300])
    arrays = Arrays()
    name = arrays.integers(integers)
    np.testing.assert_array_equal(decode(page, arrays).array(name), integers)


def test_strings_of_any_kind(page):
    strings = ["a", "</script>", "\u00e9\u4e2d", "", "a\nb", '"']
    arrays = Arrays()
    name = arrays.strings(strings)
    assert decode(page, arrays).array(name) == strings


def test_the_same_array_is_kept_once(values):
    arrays = Arrays()
    assert arrays.floats(values, planes=3) == arrays.floats(values.copy(), planes=3)
    assert arrays.floats(values, planes=4) != arrays.floats(values, planes=3)
    assert len(arrays.elements) == 2


def test_like_bytes_together_are_smaller(values):
    smooth = np.sort(np.abs(values[4:]))
    arrays = Arrays()
    arrays.floats(smooth, planes=3)
    n_plain = len(smooth) * 4 * 4 / 3
    assert arrays.n_bytes < n_plain

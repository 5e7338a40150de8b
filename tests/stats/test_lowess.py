from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.lowess import lowess, lowess_curve

REFERENCE = Path(__file__).parents[1] / "reference" / "lowess"
SAME = 1e-12  # the same sums in another order
SETTINGS = {
    "default": {},
    "half": {"span": 0.5},
    "no_delta": {"span": 0.5, "delta": 0.0},
    "no_iterations": {"span": 0.3, "n_iter": 0, "delta": 0.3},
    "two_points": {"span": 0.001},
}


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(REFERENCE / "lowess.csv")


@pytest.mark.parametrize("name", SETTINGS)
def test_equals_r(table, name):
    ours = lowess(table["x"].to_numpy(), table["y"].to_numpy(), **SETTINGS[name])
    np.testing.assert_allclose(ours, table[name], rtol=SAME, atol=SAME)


def test_order_of_the_points_does_not_matter(table):
    x, y = np.unique(table["x"].to_numpy()), table["y"].to_numpy()
    y = y[: len(x)]
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_array_equal(lowess(x[order], y[order]), lowess(x, y)[order])


def test_a_line_is_fitted_exactly():
    x = np.random.default_rng(1).normal(size=50)
    np.testing.assert_allclose(lowess(x, 3 - 2 * x), 3 - 2 * x, rtol=1e-12)


def test_points_at_one_place_have_their_mean():
    fitted = lowess(np.ones(4), np.array([1.0, 2, 3, 6]), n_iter=0)
    np.testing.assert_allclose(fitted, 3.0)


def test_curve_interpolates_and_ends_level(table):
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    curve, fitted = lowess_curve(x, y), lowess(x, y)
    np.testing.assert_array_equal(curve(x), fitted)
    assert curve(np.array([-5.0, 99.0])).tolist() == [fitted[0], fitted[-1]]
    middle = (x[3] + x[4]) / 2
    np.testing.assert_allclose(curve(np.array([middle])), (fitted[3] + fitted[4]) / 2)

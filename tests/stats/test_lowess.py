from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats.lowess import choose_span, lowess, lowess_curve, weighted_lowess

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


WEIGHTED = {
    "default": {},
    "loess_fit": {},
    "wide": {"span": 0.8},
    "no_delta": {"delta": 0.0},
    "delta": {"delta": 0.5},
    "few_points": {"n_points": 20},
    "not_robust": {"n_iter": 0},
    "frequencies": {"delta": 0.0},
}


@pytest.fixture(scope="module")
def weighted():
    return pd.read_csv(REFERENCE.with_name("weighted_lowess") / "weighted_lowess.csv")


@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_are_limmas(weighted, name):
    weights = weighted["frequency" if name == "frequencies" else "w"]
    ours = weighted_lowess(weighted["x"], weighted["y"], weights, **WEIGHTED[name])
    np.testing.assert_allclose(ours, weighted[name], rtol=SAME, atol=SAME)


def test_limma_takes_equal_weights_for_none(weighted):
    ours = lowess(weighted["x"], weighted["y"], span=0.3)
    np.testing.assert_allclose(ours, weighted["loess_fit_equal"], rtol=SAME, atol=SAME)


def test_weight_of_two_is_two_points(weighted):
    x, y, n = (weighted[name].to_numpy() for name in ("x", "y", "frequency"))
    repeated = np.repeat(np.arange(len(x)), n)
    twice = weighted_lowess(x[repeated], y[repeated], np.ones(n.sum()), delta=0)
    np.testing.assert_allclose(weighted_lowess(x, y, n, delta=0)[repeated], twice, atol=SAME)


@pytest.mark.parametrize("weights", [[1, 1], [0, 0, 0], [1, -1, 1], [1, np.nan, 1]])
def test_weights_must_be_weights(weights):
    with pytest.raises(InputError, match="one finite weight for each"):
        weighted_lowess([1, 2, 3], [1, 2, 3], weights)


@pytest.mark.parametrize(("x", "y"), [([], []), ([1, 2], [1]), ([1, np.nan], [1, 2])])
def test_points_must_be_points(x, y):
    with pytest.raises(InputError, match="points"):
        lowess(x, y)


def test_one_point_is_itself():
    assert lowess([3.0], [4.0]).tolist() == [4.0]


def test_span_shrinks_with_the_number_of_points():
    assert choose_span(10) == 1
    assert choose_span(1000, small_n=200, min_span=0.6) == pytest.approx(0.6 + 0.4 * 0.2 ** (1 / 3))

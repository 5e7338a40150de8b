from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats.local_regression import local_regression

REFERENCE = Path(__file__).parents[1] / "reference" / "local_regression"
SAME = 1e-12  # the same sums in another order
LOCFIT = 2e-7  # locfit solves parabolas loosely: it misses x^2 itself by 6e-7 where that is 180
SETTINGS = [(degree, span) for degree in (0, 1, 2) for span in (0.3, 0.7)]


def table(name):
    return pd.read_csv(REFERENCE / f"{name}.csv")


@pytest.fixture(scope="module")
def points():
    return table("points").to_numpy().T


@pytest.mark.parametrize(("degree", "span"), SETTINGS)
def test_curve_is_locfits_also_beyond_the_points(points, degree, span):
    curve = local_regression(*points, span=span, degree=degree)
    theirs = table("curves")
    tolerance = SAME if degree < 2 else LOCFIT
    np.testing.assert_allclose(
        curve(theirs["x"]), theirs[f"degree{degree}_span{span}"], rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize(("degree", "span"), SETTINGS)
def test_ends_are_local_fits(points, degree, span):
    x = points[0]
    curve = local_regression(*points, span=span, degree=degree)
    ends = [int(np.argmin(x)), int(np.argmax(x))]
    theirs = table("at_points")[f"degree{degree}_span{span}"].to_numpy()
    np.testing.assert_allclose(curve(x)[ends], theirs[ends], atol=SAME if degree < 2 else LOCFIT)


def test_columns_are_smoothed_as_edger_does(points):
    x, y, w = points
    columns = np.column_stack([y, np.cos(x), x**2])
    theirs = table("by_col").to_numpy()
    plain = local_regression(x, columns, span=0.5, degree=0)
    weighted = local_regression(x, columns, w, span=0.3, degree=0)
    np.testing.assert_allclose(plain(x), theirs[:, :3], rtol=SAME, atol=SAME)
    np.testing.assert_allclose(weighted(x), theirs[:, 3:], rtol=SAME, atol=SAME)


def test_trend_of_dispersions_is_deseq2s():
    means, dispersion, trend = table("trend").to_numpy().T
    used = dispersion >= 1e-7  # ten times the least that DESeq2 allows
    curve = local_regression(np.log(means[used]), np.log(dispersion[used]), means[used])
    np.testing.assert_allclose(np.exp(curve(np.log(means))), trend, rtol=LOCFIT)
    assert (~used).any()


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_polynomials_are_their_own_smooth(degree):
    x = np.random.default_rng(0).uniform(-1, 4, 80)
    y = (1 + x) ** degree
    at = np.linspace(-2, 5, 20)
    expected = (1 + at) ** degree
    fitted = local_regression(x, y, degree=degree)(at)
    np.testing.assert_allclose(fitted, expected, rtol=1e-11, atol=1e-11)


def test_ties_and_one_place():
    x = np.repeat([1.0, 2.0], [9, 1])
    y = np.r_[np.arange(9.0), 30]
    assert local_regression(x, y, degree=0)([1.0, 2.0]).round(9).tolist() == [4.0, 30.0]
    assert local_regression(x[:9], y[:9])(5.0) == pytest.approx(4.0)


def test_missing_stays_missing(points):
    assert np.isnan(local_regression(*points)(np.nan))


@pytest.mark.parametrize(
    ("x", "y", "weights", "options", "match"),
    [
        ([1, 2], [1], None, {}, "one of each"),
        ([1, np.nan], [1, 2], None, {}, "not finite"),
        ([1, 2], [1, 2], [0, 0], {}, "all zero"),
        ([1, 2], [1, 2], None, {"degree": 3}, "degree is 0, 1 or 2"),
        ([1, 2, 3, 4], [1, 2, 3, 4], [0, 0, 1, 1], {"span": 0.5}, "larger span"),
    ],
)
def test_refusals(x, y, weights, options, match):
    with pytest.raises(InputError, match=match):
        local_regression(x, y, weights, **options)

import numpy as np
import pytest
from scipy import special

from dex.stats.nb import (
    log1p_ratio,
    rising,
    stirling_error,
    xlog1p_gap,
)

ROUNDING = 1e-12


@pytest.mark.parametrize("x", [0.3, 1.0, 15.9, 16.1, 1e6])
def test_gamma_functions(x):
    stirling = (x - 0.5) * np.log(x) - x + 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(
        stirling_error(x), special.gammaln(x) - stirling, atol=1e-9 if x > 1e5 else ROUNDING
    )


@pytest.mark.parametrize("x", [1e-12, 1e-5, 0.049, 0.051, 3.0, 1e6])
def test_logs_near_one(x):
    exact = np.longdouble(x)
    np.testing.assert_allclose(log1p_ratio(x), float(np.log1p(exact) / exact), rtol=ROUNDING)
    if x > 1e-4:  # below, long doubles cancel too
        np.testing.assert_allclose(
            xlog1p_gap(x), float(((1 + exact) * np.log1p(exact) - exact) / exact**2), rtol=1e-10
        )
    else:
        assert xlog1p_gap(x) == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("dispersion", [1e-12, 1e-6, 1e-3, 0.06, 0.07, 1.0, 1e4])
def test_rising_is_a_sum_over_the_counts_below(dispersion):
    for count in (1.0, 2.0, 17.0, 400.0):
        k = np.arange(count)
        tiny = 1e-13 * count
        np.testing.assert_allclose(
            rising(count, dispersion), np.log1p(k * dispersion).sum(), rtol=1e-11, atol=tiny
        )

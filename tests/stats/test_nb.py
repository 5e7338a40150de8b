import numpy as np
import pytest
from scipy import special, stats

from dex.stats.nb import (
    digamma_gap,
    log1p_gap,
    log1p_ratio,
    nb_log_kernel,
    rising,
    rising_slopes,
    stirling_error,
    trigamma,
    xlog1p_gap,
)

ROUNDING = 1e-12
COUNTS = [1.0, 2.0, 3.5, 17.0, 400.0, 12_345.0]


@pytest.mark.parametrize("x", [0.3, 1.0, 15.9, 16.1, 1e6])
def test_gamma_functions(x):
    stirling = (x - 0.5) * np.log(x) - x + 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(
        stirling_error(x), special.gammaln(x) - stirling, atol=1e-9 if x > 1e5 else ROUNDING
    )
    np.testing.assert_allclose(digamma_gap(x), np.log(x) - special.digamma(x), atol=ROUNDING)
    np.testing.assert_allclose(trigamma(x), special.polygamma(1, x), rtol=ROUNDING)


@pytest.mark.parametrize("x", [1e-12, 1e-5, 0.049, 0.051, 3.0, 1e6])
def test_logs_near_one(x):
    exact = np.longdouble(x)
    np.testing.assert_allclose(log1p_ratio(x), float(np.log1p(exact) / exact), rtol=ROUNDING)
    if x > 1e-4:  # below, long doubles cancel too
        np.testing.assert_allclose(
            log1p_gap(x), float((exact - np.log1p(exact)) / exact**2), rtol=1e-10
        )
        np.testing.assert_allclose(
            xlog1p_gap(x), float(((1 + exact) * np.log1p(exact) - exact) / exact**2), rtol=1e-10
        )
    else:
        assert log1p_gap(x) == pytest.approx(0.5, rel=1e-4)
        assert xlog1p_gap(x) == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("dispersion", [1e-12, 1e-6, 1e-3, 0.06, 0.07, 1.0, 1e4])
def test_rising_is_a_sum_over_the_counts_below(dispersion):
    for count in (1.0, 2.0, 17.0, 400.0):
        k = np.arange(count)
        p = k * dispersion / (1 + k * dispersion)
        first, second = rising_slopes(count, dispersion)
        tiny = 1e-13 * count
        np.testing.assert_allclose(
            rising(count, dispersion), np.log1p(k * dispersion).sum(), rtol=1e-11, atol=tiny
        )
        np.testing.assert_allclose(first, p.sum(), rtol=1e-10, atol=tiny)
        np.testing.assert_allclose(second, (p * (1 - p)).sum(), rtol=1e-9, atol=tiny)


@pytest.mark.parametrize("count", COUNTS)
def test_slopes_are_slopes(count):
    for dispersion in (0.02, 0.3, 5.0):
        h = 1e-4
        values = [rising(count, dispersion * np.exp(step)) for step in (-h, 0.0, h)]
        first, second = rising_slopes(count, dispersion)
        np.testing.assert_allclose((values[2] - values[0]) / (2 * h), first, rtol=1e-6, atol=1e-9)
        curve = [rising_slopes(count, dispersion * np.exp(step))[0] for step in (-h, h)]
        np.testing.assert_allclose((curve[1] - curve[0]) / (2 * h), second, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("dispersion", [0.0, 0.2, 3.0])
def test_log_probability(dispersion):
    mu = 7.5
    law = (
        stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mu)) if dispersion else stats.poisson(mu)
    )
    for count in (0, 1, 9, 60):
        ours = nb_log_kernel(count, mu, np.log(mu), dispersion) - special.gammaln(count + 1)
        np.testing.assert_allclose(ours, law.logpmf(count), rtol=1e-11)

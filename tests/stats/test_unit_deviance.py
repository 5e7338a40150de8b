"""Moments of the unit deviance: sums over all counts, edgeR's approximations, limits."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import xlogy

from dex.stats.unit_deviance import (
    exact_unit_deviance_moments,
    unit_deviance,
    unit_deviance_moments,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "adjusted_deviance"
SUMMED = 1e-10  # scipy's probabilities have about 12 digits
INTERPOLATED = 1e-8  # step of the knots to the power of six
BETWEEN_DISPERSIONS = 1e-6

# edgeR interpolates its own tables, piece by piece: it is within 0.15% up to a dispersion of 0.5
# for the mean, and within 7% at 3.
EDGER_MEAN = {0.5: 2e-3, 3.0: 0.03}
EDGER_VAR = {0.5: 3e-3, 3.0: 0.07}
slow_as_python = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="minutes without a compiler"
)


def brute_force(mu, dispersion):
    """Sums over all counts that have a probability."""
    size = 1 / dispersion if dispersion else None
    law = stats.nbinom(size, 1 / (1 + mu * dispersion)) if dispersion else stats.poisson(mu)
    y = np.arange(0.0, mu + 40 * np.sqrt(mu * (1 + mu * dispersion)) + 60 * (1 + mu * dispersion))
    deviance = 2 * (xlogy(y, y / mu) - (y - mu))
    if dispersion:
        deviance = 2 * (xlogy(y, y / mu) - (y + size) * np.log1p((y - mu) / (mu + size)))
    p = law.pmf(y)
    mean = np.sum(p * deviance)
    return mean, np.sum(p * (deviance - mean) ** 2)


@pytest.mark.parametrize("dispersion", [0.0, 0.01, 0.3, 1.0, 5.0])
@pytest.mark.parametrize("mu", [1e-3, 0.01, 0.7, 6.0, 40.0, 500.0])
def test_sums_by_blocks_are_the_sums_over_all_counts(mu, dispersion):
    expected = brute_force(mu, dispersion)
    np.testing.assert_allclose(exact_unit_deviance_moments(mu, dispersion), expected, rtol=SUMMED)


def test_large_poisson_means_have_the_moments_of_their_series():
    # E = 1 + 1/(6 mu) + 1/(6 mu^2) + ..., the Poisson's cumulants in a Taylor series of D
    for mu in (1e4, 1e6, 1e8):
        mean, var = exact_unit_deviance_moments(mu, 0.0)
        np.testing.assert_allclose(mean - 1, 1 / (6 * mu), rtol=2 / mu + 1e-10 * mu)
        np.testing.assert_allclose(var - 2, 4 / (6 * mu), rtol=5 / mu + 1e-10 * mu)


def test_a_small_dispersion_is_nearly_none():
    for mu in (0.1, 3.0, 100.0):
        none, small = (exact_unit_deviance_moments(mu, d) for d in (0.0, 1e-9))
        np.testing.assert_allclose(small, none, rtol=1e-6)


@pytest.mark.parametrize("dispersion", [0.0, 0.2])
def test_interpolated_are_the_sums(dispersion):
    mu = np.exp(np.linspace(np.log(1e-7), np.log(1e6), 40))[:, None]
    mean, var = unit_deviance_moments(mu, np.array([dispersion]))
    exact = np.array([exact_unit_deviance_moments(m, dispersion) for m in mu[:, 0]])
    np.testing.assert_allclose(np.column_stack([mean, var]), exact, rtol=INTERPOLATED)


@slow_as_python
def test_interpolated_between_dispersions():
    rng = np.random.default_rng(0)
    dispersion = np.append(np.exp(rng.uniform(np.log(0.005), np.log(4), 30)), [0.005, 4])
    mu = np.exp(rng.uniform(np.log(1e-6), np.log(1e6), (4, 32)))
    mean, var = unit_deviance_moments(mu, dispersion)
    exact = np.array(
        [[exact_unit_deviance_moments(*md) for md in zip(m, dispersion, strict=True)] for m in mu]
    )
    np.testing.assert_allclose(mean, exact[..., 0], rtol=BETWEEN_DISPERSIONS)
    np.testing.assert_allclose(var, exact[..., 1], rtol=BETWEEN_DISPERSIONS)


def test_a_mean_of_zero_has_no_deviance():
    mean, var = unit_deviance_moments(np.array([[0.0], [1.0]]), np.array([0.1]))
    assert mean[0, 0] == var[0, 0] == 0
    assert mean[1, 0] > 0


@pytest.mark.parametrize("limit", [0.5, 3.0])
def test_edger_approximates_them(limit):
    table = pd.read_csv(REFERENCE / "unit.csv")
    table = table[table.dispersion <= limit]
    exact = [
        exact_unit_deviance_moments(*md) for md in zip(table.mu, table.dispersion, strict=True)
    ]
    mean, var = np.array(exact).T
    np.testing.assert_allclose(table["mean"], mean, rtol=EDGER_MEAN[limit])
    np.testing.assert_allclose(table["var"], var, rtol=EDGER_VAR[limit])


@pytest.mark.parametrize("dispersion", [1e-3, 0.1, 20.0])
def test_unit_deviance_is_twice_the_log_likelihood_ratio(dispersion):
    size = 1 / dispersion
    for count, mu in ((0.0, 3.0), (3.0, 3.0), (7.0, 3.0), (50.0, 3000.0), (4000.0, 3000.0)):
        at_count = 0.0
        if count:
            at_count = stats.nbinom.logpmf(count, size, size / (size + count))
        ratio = at_count - stats.nbinom.logpmf(count, size, size / (size + mu))
        np.testing.assert_allclose(unit_deviance(count, mu, dispersion), 2 * ratio, atol=1e-9)

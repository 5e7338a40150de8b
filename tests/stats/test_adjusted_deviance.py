"""Adjusted deviances against edgeR's, whose moments are approximations, and by simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.adjusted_deviance import (
    abundant_genes,
    adjusted_deviance,
    typical_quasi_dispersion,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "adjusted_deviance"
EDGER_MOMENTS = 3e-3  # of its approximations, see test_unit_deviance


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv")


def matrix(name):
    return np.ascontiguousarray(read(name).to_numpy(float).T)


@pytest.fixture(scope="module")
def counts():
    return matrix("counts")


@pytest.mark.parametrize("name", ["common", "given"])
def test_deviance_and_df_are_edgers(counts, name):
    genes, scalars = read(f"{name}_genes"), read("scalars").set_index("fit").loc[name]
    parts = (counts, matrix(f"{name}_mu"), matrix(f"{name}_leverage"), genes.dispersion.to_numpy())
    adjusted = adjusted_deviance(*parts, quasi_dispersion=scalars.typical)
    known = genes.df > 1e-4
    assert known.sum() > 130
    np.testing.assert_allclose(adjusted.df[known], genes.df[known], rtol=EDGER_MOMENTS)
    np.testing.assert_allclose(adjusted.deviance[known], genes.deviance[known], rtol=EDGER_MOMENTS)
    assert (adjusted.df[~known] < 1e-4).all()


@pytest.mark.parametrize("name", ["common", "given"])
def test_typical_quasi_dispersion_is_edgers_after_two_rounds(counts, name):
    genes, scalars = read(f"{name}_genes"), read("scalars").set_index("fit").loc[name]
    abundance, dispersion = genes.abundance.to_numpy(), genes.dispersion.to_numpy()
    typical = 1.0
    for mu in (f"{name}_mu_first", f"{name}_mu"):
        adjusted = adjusted_deviance(
            counts, matrix(mu), matrix(f"{name}_leverage"), dispersion, quasi_dispersion=typical
        )
        typical = typical_quasi_dispersion(adjusted.quasi_dispersion, abundance)
    np.testing.assert_allclose(typical, scalars.typical, rtol=EDGER_MOMENTS)


def test_weights_are_edgers(counts):
    genes = read("weighted_genes")
    weights = np.tile([2, 0.5, 1, 1, 3], 2)[:, None].astype(float)
    args = (counts, matrix("weighted_mu"), matrix("weighted_leverage"), np.full(len(genes), 0.1))
    typical = float(genes.typical[0])
    adjusted = adjusted_deviance(*args, quasi_dispersion=typical, weights=weights)
    known = (genes.df > 1e-4).to_numpy()
    np.testing.assert_allclose(adjusted.df[known], genes.df[known], rtol=EDGER_MOMENTS)
    np.testing.assert_allclose(adjusted.deviance[known], genes.deviance[known], rtol=EDGER_MOMENTS)
    full = np.repeat(weights, len(genes), axis=1)
    same = adjusted_deviance(*args, quasi_dispersion=typical, weights=full)
    np.testing.assert_array_equal(same.deviance, adjusted.deviance)


def test_share_of_abundant_genes_is_edgers():
    for n_vars, df, share in read("top").to_numpy():
        genes = abundant_genes(np.arange(n_vars), df)
        assert len(genes) == np.ceil(share * n_vars)
        assert genes[0] == n_vars - 1
    assert len(abundant_genes(np.zeros(10), 1, proportion=0.01)) == 1
    assert len(abundant_genes(np.zeros(5), 1)) == 5


def test_trend_is_robust_and_at_least_one():
    rng = np.random.default_rng(1)
    s2, abundance = 3 * rng.chisquare(20, 500) / 20, rng.normal(size=500)
    s2[:10] = np.nan
    typical = typical_quasi_dispersion(s2, abundance)
    assert 2.7 < typical < 3.3
    s2[10:20] *= 1000
    np.testing.assert_allclose(typical_quasi_dispersion(s2, abundance), typical, rtol=0.05)
    assert typical_quasi_dispersion(s2 / 1e4, abundance) == 1
    assert typical_quasi_dispersion(np.full(3, np.nan), np.zeros(3)) == 1


@pytest.mark.parametrize("mu", [0.05, 0.5, 5.0])
def test_quasi_dispersion_of_small_counts_is_unbiased_at_known_means(mu):
    rng = np.random.default_rng(3)
    n_obs, n_vars, dispersion = 10, 400, 0.3
    counts = rng.negative_binomial(1 / dispersion, 1 / (1 + mu * dispersion), (n_obs, n_vars))
    adjusted = adjusted_deviance(
        counts.astype(float),
        np.full((n_obs, n_vars), mu),
        np.zeros((n_obs, n_vars)),
        np.full(n_vars, dispersion),
    )
    se = np.sqrt(2 / adjusted.df.sum())  # df are those that give this variance
    assert abs(adjusted.deviance.sum() / adjusted.df.sum() - 1) < 4 * se

"""Size factors by the likelihood of unchanged counts."""

import numpy as np
import pytest

from dex.stats.iterative_size_factors import iterative_size_factors

NOISE = 0.12  # of logs, with 300 genes: a count lost says more of a sample with few counts


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(5)
    depths = rng.lognormal(0, 0.6, 6)
    mean = rng.lognormal(3.5, 1, 300)
    mu = depths[:, None] * mean
    mu[3:, :15] *= 6  # some genes that do change
    counts = rng.negative_binomial(20, 20 / (20 + mu)).astype(float)
    counts[rng.integers(0, 6, 300), np.arange(300)] = 0  # no gene is counted in all samples
    return np.asfortranarray(counts), np.log(depths) - np.log(depths).mean()


def test_depths_come_back_where_every_gene_has_a_zero(simulated):
    counts, logs = simulated
    assert not counts.all(axis=0).any()
    np.testing.assert_allclose(np.log(iterative_size_factors(counts)), logs, atol=NOISE)


def test_order_of_samples_and_genes_tells_nothing(simulated):
    counts, _ = simulated
    found = iterative_size_factors(counts)
    rng = np.random.default_rng(1)
    genes, samples = rng.permutation(counts.shape[1]), rng.permutation(len(counts))
    again = iterative_size_factors(np.asfortranarray(counts[samples][:, genes]))
    np.testing.assert_allclose(again, found[samples], rtol=1e-4)


def test_poisson_counts_have_no_dispersion_to_estimate():
    rng = np.random.default_rng(2)
    depths = np.array([0.5, 1, 1, 2])
    counts = np.asfortranarray(rng.poisson(depths[:, None] * np.full(60, 500.0)).astype(float))
    np.testing.assert_allclose(iterative_size_factors(counts), depths, rtol=0.02)

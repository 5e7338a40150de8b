"""TMM and median ratios, each mechanism by itself; tests/data compares the whole with R."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from dex.errors import InputError
from dex.stats.size_factors import (
    _untrimmed,
    centred,
    log_geometric_means,
    median_ratios,
    tmm_factor,
    tmm_reference,
    upper_quartiles,
)

CLOSE = {"rtol": 1e-12}  # the same few operations in another order


@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.integers(-4, 4)),
    st.sampled_from([0.05, 0.3]),
)
def test_trimmed_are_the_ranks_outside_with_ties_averaged(values, trim):
    n = len(values)
    lowest = np.floor(n * trim) + 1
    ranks = rankdata(values)
    expected = (ranks >= lowest) & (ranks <= n + 1 - lowest)
    np.testing.assert_array_equal(_untrimmed(values, trim), expected)


@pytest.fixture
def pair():
    rng = np.random.default_rng(5)
    mean = rng.lognormal(4, 1.5, 800)
    return rng.poisson(mean).astype(float), rng.poisson(0.4 * mean).astype(float)


def brute_force_tmm(y, ref):
    """Robinson & Oshlack (2010), equation 2 and the sentence on trimming, gene by gene."""
    N, N_ref = y.sum(), ref.sum()
    genes = [(a, b) for a, b in zip(y, ref, strict=True) if a > 0 and b > 0]
    M = [np.log2((a / N) / (b / N_ref)) for a, b in genes]
    A = [0.5 * np.log2(a / N * b / N_ref) for a, b in genes]
    weight = [1 / ((N - a) / (N * a) + (N_ref - b) / (N_ref * b)) for a, b in genes]
    n = len(genes)
    rank_M, rank_A = rankdata(M), rankdata(A)
    low_M, low_A = np.floor(0.3 * n) + 1, np.floor(0.05 * n) + 1
    kept = [
        g
        for g in range(n)
        if low_M <= rank_M[g] <= n + 1 - low_M and low_A <= rank_A[g] <= n + 1 - low_A
    ]
    return 2 ** (sum(weight[g] * M[g] for g in kept) / sum(weight[g] for g in kept))


def test_tmm_is_the_papers(pair):
    y, ref = pair
    got = tmm_factor(y, y.sum(), ref, ref.sum())
    assert got == pytest.approx(brute_force_tmm(y, ref), rel=1e-10)


def test_tmm_of_the_same_composition_is_one(pair):
    y, _ = pair
    assert tmm_factor(3 * y, 3 * y.sum(), y, y.sum()) == 1.0
    assert tmm_factor(np.zeros(3), 1.0, np.ones(3), 3.0) == 1.0, "nothing in common"


def test_tmm_does_not_see_genes_that_one_lacks(pair):
    y, ref = pair
    more, none = np.r_[y, 50.0, 0.0], np.r_[ref, 0.0, 70.0]
    expected = tmm_factor(y, y.sum(), ref, ref.sum())
    assert tmm_factor(more, y.sum(), none, ref.sum()) == expected


def test_the_reference_is_the_most_average_one():
    assert tmm_reference(np.array([0.1, 0.25, 0.3]), np.array([9.0, 1, 1])) == 1
    assert tmm_reference(np.array([0.0, 0.0, 0.3]), np.array([2.0, 9, 1])) == 1, "hardly any counts"


def test_upper_quartiles_are_of_shares():
    counts = np.random.default_rng(1).poisson(4.0, (3, 101)).astype(float)
    totals = counts.sum(axis=1)
    expected = [np.sort(row)[75] / total for row, total in zip(counts, totals, strict=True)]
    np.testing.assert_allclose(upper_quartiles(counts, totals), expected, **CLOSE)


def test_median_ratios_are_to_the_geometric_mean():
    counts = np.random.default_rng(2).poisson(20.0, (5, 60)).astype(float) + 1
    counts[2, 7] = counts[4, 9] = 0
    positive = counts > 0
    logs = np.log(np.where(positive, counts, 1))
    usable = positive.all(axis=0)
    geometric = np.exp(logs.mean(axis=0))
    log_means = log_geometric_means(logs.sum(axis=0), positive.sum(axis=0), 5)
    expected = [np.exp(np.median(np.log(row[usable] / geometric[usable]))) for row in counts]
    np.testing.assert_allclose(median_ratios(counts, log_means), expected, **CLOSE)
    assert np.isneginf(log_means[[7, 9]]).all()
    of_positive = log_geometric_means(
        logs.sum(axis=0), positive.sum(axis=0), 5, positive_counts=True
    )
    assert np.isfinite(of_positive).all()


def test_an_observation_without_usable_genes_has_no_factor():
    log_means = np.array([0.0, -np.inf])
    factors = median_ratios(np.array([[0.0, 3.0], [2.0, 3.0]]), log_means)
    np.testing.assert_array_equal(factors, [np.nan, 2.0])
    with pytest.raises(InputError, match=r"1 observations have no size factor .* position 0"):
        centred(factors)

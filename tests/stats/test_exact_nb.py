"""The exact test equal to edgeR's and to sums over all outcomes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dex.stats.exact_nb import equalised_counts, exact_test

REFERENCE = Path(__file__).parents[1] / "reference" / "exact_nb"
LIKE_R = 1e-7  # of p-values: R sums probabilities that have some ten digits
QUANTILES = 1e-9  # R inverts gamma distributions iteratively
N, N_REF = 4, 3


@pytest.fixture(scope="module")
def genes():
    return pd.read_csv(REFERENCE / "genes.csv")


def matrix(name):
    return np.ascontiguousarray(pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(float).T)


def test_equalised_counts_are_edgers(genes):
    sizes, rate = matrix("sizes")[0], genes.rate.to_numpy()
    common = np.exp(np.log(sizes).mean()) * rate
    found = equalised_counts(
        matrix("counts"), sizes[:, None] * rate, common, genes.dispersion.to_numpy()
    )
    np.testing.assert_allclose(found, matrix("pseudo"), rtol=QUANTILES, atol=1e-9)


@pytest.mark.parametrize(("column", "big_count"), [("p", 900.0), ("p_summed", np.inf)])
def test_p_values_are_edgers(genes, column, big_count):
    pseudo, dispersion = matrix("pseudo"), genes.dispersion.to_numpy()
    sums = pseudo[3:].sum(axis=0), pseudo[:3].sum(axis=0)
    small = np.maximum(*sums) < 5000 if big_count == np.inf else np.full(len(genes), True)
    assert small.sum() > 70
    test = exact_test(*(s[small] for s in sums), N, N_REF, dispersion[small], big_count=big_count)
    p = genes[column].to_numpy()[small]
    np.testing.assert_allclose(10**test.log10_pval, p, rtol=LIKE_R, atol=1e-300)


@pytest.mark.parametrize("dispersion", [1e-4, 0.1, 2.0])
def test_twice_the_smaller_tail_of_the_beta_binomial(dispersion):
    y, y_ref = np.array([0, 1, 7, 30, 12.0]), np.array([5, 0, 9, 4, 8.0])
    found = 10 ** exact_test(y, y_ref, N, N_REF, np.full(5, dispersion)).log10_pval
    for p, k, rest in zip(found, y, y_ref, strict=True):
        law = stats.betabinom(k + rest, N / dispersion, N_REF / dispersion)
        expected = min(1, 2 * min(law.cdf(k), law.sf(k - 1)))
        np.testing.assert_allclose(p, expected, rtol=1e-7)  # scipy subtracts lgamma


def test_without_dispersion_it_is_the_binomial_test():
    y, y_ref = np.array([0, 3, 7, 40, 0, 12]), np.array([5, 0, 9, 15, 30, 9])
    found = 10 ** exact_test(y * 1.0, y_ref * 1.0, N, N_REF, np.zeros(6)).log10_pval
    for p, k, rest in zip(found, y, y_ref, strict=True):
        expected = stats.binomtest(int(k), int(k + rest), N / (N + N_REF)).pvalue
        np.testing.assert_allclose(p, expected, rtol=1e-9)


def test_groups_change_places():
    rng = np.random.default_rng(0)
    y, y_ref = rng.integers(0, 2000, (2, 60)).astype(float)
    dispersion = rng.choice([0, 0.05, 1], 60)
    one = exact_test(y, y_ref, N, N_REF, dispersion).log10_pval
    other = exact_test(y_ref, y, N_REF, N, dispersion).log10_pval
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_no_counts_and_tiny_p_values():
    y, y_ref = np.array([0, 0, 3e5, 0]), np.array([0, 3e4, 1e3, 1])
    found = exact_test(y, y_ref, 3, 3, np.array([0.1, 0.0, 0.0, 0.1])).log10_pval
    np.testing.assert_allclose(found[[0, 3]], 0, atol=1e-15)
    # all of 30,000 counts on one side, two-sided: 2 * 0.5**30000
    assert found[1] == pytest.approx(np.log10(2) * (1 - 3e4), rel=1e-9)
    assert -np.inf < found[2] < -1e4


def test_equal_libraries_keep_their_counts():
    counts = np.array([[0.0, 3], [7, 100]])
    mu = np.array([[4.0, 20], [4, 20]])
    same = equalised_counts(counts, mu, mu[0], np.array([0.0, 0.3]))
    np.testing.assert_allclose(same, counts, atol=1e-9)
    assert (equalised_counts(counts * 0, mu * 0, mu[0] * 0, np.zeros(2)) == 0).all()

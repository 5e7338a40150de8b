from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from dex.stats.one_cluster import gap_test, one_cluster, permuted_columns


@pytest.mark.parametrize("shape", ["uniform", "gaussian"])
def test_draws_have_the_singular_values(shape):
    wanted = np.array([5.0, 2.0, 0.5])
    drawn = one_cluster(shape, 30, wanted, rng=np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.svd(drawn, compute_uv=False), wanted, rtol=1e-10)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-12)


def test_draws_have_their_shape():
    """The fourth moment over the squared second is 3 of Gaussian, 1.8 of uniform points."""
    sizes = np.array([2.0, 1.0])
    for shape, wanted in (("gaussian", 3.0), ("uniform", 1.8)):
        drawn = one_cluster(shape, 20_000, sizes, rng=np.random.default_rng(1))
        kurtosis = (drawn**4).mean(axis=0) / (drawn**2).mean(axis=0) ** 2
        np.testing.assert_allclose(kurtosis, wanted, atol=0.1)


def test_p_is_exact_where_the_null_holds():
    """Of scatter that is drawn like that of the null, p is uniform on its grid."""
    rng = np.random.default_rng(2)
    drawn = rng.normal(size=(2000, 20, 5))
    pval = [gap_test(one[0], one[1:]).pval for one in drawn]
    assert kstest(np.array(pval) - rng.uniform(0, 0.05, 2000), "uniform").pvalue > 0.001
    assert min(pval) == 1 / 20


def test_the_gap_chooses_the_number():
    rng = np.random.default_rng(3)
    null = np.log([100, 60, 45, 35, 30]) + rng.normal(0, 0.01, (40, 5))
    found = gap_test(np.log([100, 50, 10, 9, 8]), null)
    assert found.k_of_gap == 3
    assert found.k(0.05) == 3
    assert found.pval == 1 / 41
    assert found.k(0.01) == 1
    assert found.gap[2] == pytest.approx(np.log(4.5), abs=0.02)


def test_permuted_columns_keep_their_values():
    values = np.random.default_rng(4).normal(size=(10, 4))
    permuted = permuted_columns(values, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(np.sort(values, axis=0), np.sort(permuted, axis=0))
    assert not np.array_equal(values, permuted)

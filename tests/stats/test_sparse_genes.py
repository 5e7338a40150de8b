"""Lists of what is not zero, and back."""

from __future__ import annotations

import numpy as np
import pytest

from dex.stats.moments import group_moments, group_positive
from dex.stats.sparse_genes import SparseGenes

RTOL = 1e-12  # of sums whose terms are grouped in another way


@pytest.fixture
def values():
    rng = np.random.default_rng(2)
    return np.where(rng.random((60, 7)) < 0.6, 0.0, rng.gamma(2.0, size=(60, 7)))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_there_and_back(values, order, dtype):
    given = np.array(values, dtype=dtype, order=order)
    genes = SparseGenes.from_dense(given)
    assert genes.values.dtype == (np.float32 if dtype is np.float32 else np.float64)
    assert len(genes.values) == np.count_nonzero(given)
    dense = genes.to_dense()
    assert dense.flags.f_contiguous
    np.testing.assert_array_equal(dense, given.astype(np.float64))


def test_some_observations_and_some_genes(values):
    genes, rows = SparseGenes.from_dense(values), np.array([0, 3, 59])
    np.testing.assert_array_equal(genes.to_dense(rows), values[rows])
    np.testing.assert_array_equal(genes.take(2, 5).to_dense(), values[:, 2:5])
    np.testing.assert_array_equal(genes.take(6, 99).to_dense(), values[:, 6:])


def test_functions_reach_the_background(values):
    genes = SparseGenes.from_dense(values)
    np.testing.assert_array_equal(genes.map(np.exp2).to_dense(), np.exp2(values))
    divisors = np.linspace(0.5, 2, 60)
    np.testing.assert_array_equal(genes.divided_by(divisors).to_dense(), values / divisors[:, None])


def test_sums_over_genes(values):
    genes = SparseGenes.from_dense(values)
    np.testing.assert_allclose(genes.sum_genes(), values.sum(axis=1), rtol=RTOL)


def test_nan_is_listed():
    assert np.isnan(SparseGenes.from_dense(np.array([[np.nan], [0.0]])).values).tolist() == [True]


@pytest.mark.parametrize("background", [0.0, -3.25, 1e6])
def test_moments_with_a_background_are_those_of_all_values(values, background):
    codes = np.random.default_rng(0).integers(-1, 4, 60)
    lists = SparseGenes.from_dense(values)
    genes = lists.map(lambda x: np.where(x == 0, background, x + 1e3))
    dense = genes.to_dense()
    assert genes.background == background
    moments, direct = group_moments(genes, codes, 5), group_moments(dense, codes, 5)
    for g in range(4):
        rows = dense[codes == g]
        np.testing.assert_allclose(moments.mean[:, g], rows.mean(axis=0), rtol=RTOL)
        np.testing.assert_allclose(moments.var[:, g], rows.var(axis=0, ddof=1), rtol=RTOL)
    np.testing.assert_allclose(moments.sum_sq, direct.sum_sq, rtol=RTOL)
    np.testing.assert_array_equal(group_positive(genes, codes, 5), group_positive(dense, codes, 5))


def test_listed_zeros_change_no_bit(values):
    listed = SparseGenes.from_dense(values)
    starts, rows = np.arange(8) * 60, np.tile(np.arange(60, dtype=np.int32), 7)
    every = SparseGenes(starts, rows, values.T.ravel(), 60)
    codes = np.random.default_rng(1).integers(0, 3, 60)
    for field in ("mean", "mean_low", "sum_sq"):
        a, b = (getattr(group_moments(genes, codes, 3), field) for genes in (listed, every))
        np.testing.assert_array_equal(a, b)


def test_split_by_label_is_each_label_by_itself():
    rng = np.random.default_rng(5)
    values, labels = rng.poisson(0.6, (60, 7)).astype(np.float32), rng.integers(-1, 4, 60)
    parts = SparseGenes.from_dense(values).split(labels.astype(np.int32), 5)
    assert len(parts) == 5
    for label, part in enumerate(parts):
        expected = SparseGenes.from_dense(values[labels == label])
        assert part.n_obs == expected.n_obs
        for name in ("starts", "rows", "values"):
            np.testing.assert_array_equal(getattr(part, name), getattr(expected, name))

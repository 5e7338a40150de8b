from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import stats

from dex.errors import InputError
from dex.stats.normalize import (
    library_size_factors,
    ln1p,
    log_cpm,
    million_factors,
    zscores,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "edger_cpm"
# A handful of roundings in a number near 10.
SAME_LOG = 1e-10
# scanpy works in float32 unless it is given float64, and in another order of operations.
SCANPY = 1e-12


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(np.float64)


def counts(n_obs=30, n_vars=50, seed=0):
    rng = np.random.default_rng(seed)
    return rng.negative_binomial(2, 0.2, (n_obs, n_vars)) * rng.integers(1, 5, (n_obs, 1)) * 1.0


class TestLogCpm:
    counts = read("counts_small")
    norm_factors = np.array([1.1, 0.9, 1, 0.95, 1.2, 1, 0.87])

    def test_edger(self):
        ours = log_cpm(self.counts, self.counts.sum(axis=1))
        np.testing.assert_allclose(ours, read("logcpm_small"), rtol=0, atol=SAME_LOG)

    def test_edger_with_normalisation_factors(self):
        ours = log_cpm(self.counts, self.counts.sum(axis=1) * self.norm_factors)
        np.testing.assert_allclose(ours, read("logcpm_small_norm"), rtol=0, atol=SAME_LOG)

    def test_edger_with_another_prior(self):
        ours = log_cpm(self.counts[:3, :40], [1e4, 5e6, 123.5], prior_count=0.5)
        np.testing.assert_allclose(ours, read("logcpm_prior_half"), rtol=0, atol=SAME_LOG)

    def test_blocks_of_genes(self):
        sizes = self.counts.sum(axis=1)
        whole = log_cpm(self.counts, sizes)
        np.testing.assert_array_equal(log_cpm(self.counts[:, 20:50], sizes), whole[:, 20:50])

    @pytest.mark.parametrize("seed", range(5))
    def test_zeros_are_one_value_to_the_last_digit(self, seed):
        sizes = np.exp(np.random.default_rng(seed).uniform(0, 20, size=1001))
        for lib_sizes in (sizes, np.ceil(sizes)):
            assert len(np.unique(log_cpm(np.zeros((1001, 3)), lib_sizes))) == 1

    def test_equal_proportions_are_one_value(self):
        sizes = np.random.default_rng(0).integers(1, 10**7, 500) * 1000.0
        proportions = np.array([0, 1, 7, 500]) / 1000
        logs = log_cpm(np.rint(sizes[:, None] * proportions), sizes)
        np.testing.assert_array_equal(logs, np.broadcast_to(logs[0], logs.shape))

    def test_rank_tests_are_those_of_proportions(self):
        rng = np.random.default_rng(1)
        sizes = rng.integers(500, 50_000, 300).astype(float)
        counts = rng.poisson(sizes[:, None] * rng.uniform(1e-5, 1e-3, 40)).astype(float)
        logs, proportions = log_cpm(counts, sizes), counts / sizes[:, None]
        for test in (stats.mannwhitneyu, stats.kruskal):
            ours = test(logs[:140], logs[140:], axis=0)
            expected = test(proportions[:140], proportions[140:], axis=0)
            np.testing.assert_array_equal(ours, expected)

    def test_empty_library(self):
        with pytest.raises(InputError, match=r"1 observations have no counts .* position 1"):
            log_cpm(np.ones((3, 2)), [5.0, 0.0, 5.0])


class TestLn1p:
    @pytest.mark.filterwarnings("ignore:Some cells have zero counts:UserWarning")
    def test_scanpy(self):
        values = counts()
        values[4] = 0.0
        adata = anndata.AnnData(values.copy())
        sc.pp.normalize_total(adata)
        sc.pp.log1p(adata)
        ours = ln1p(values, library_size_factors(values.sum(axis=1)))
        np.testing.assert_allclose(ours, adata.X, rtol=SCANPY, atol=0)
        assert (ours[4] == 0).all()

    def test_scale_of_counts_does_not_matter(self):
        values = counts()
        sizes = values.sum(axis=1)
        first = ln1p(values, sizes / 5.0)
        np.testing.assert_allclose(ln1p(values * 3, sizes * 3 / 5.0), first, rtol=SCANPY)

    @pytest.mark.parametrize("function", [ln1p, log_cpm])
    @pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
    def test_dtype_and_layout(self, function, dtype):
        values = np.minimum(counts(), 200)
        sizes = values.sum(axis=1)
        before = values.astype(dtype, order="F")
        ours = function(before, sizes)
        assert ours.dtype == np.float64
        assert ours.flags.f_contiguous
        np.testing.assert_array_equal(ours, function(values, sizes))
        np.testing.assert_array_equal(before, values)


class TestLibrarySizeFactors:
    def test_median_of_positive_totals(self):
        np.testing.assert_array_equal(library_size_factors([0, 2, 4, 8]), [1, 0.5, 1, 2])

    def test_no_counts(self):
        with pytest.raises(InputError, match="No observation has counts"):
            library_size_factors([0, 0])


class TestMillionFactors:
    def test_counts_over_them_are_per_million(self):
        values = counts()
        values[3] = 0.0
        sizes = values.sum(axis=1)
        cpm = values / million_factors(sizes)[:, None]
        expected = np.where(sizes > 0, 1e6, 0.0)
        np.testing.assert_allclose(cpm.sum(axis=1), expected, rtol=SCANPY)

    def test_no_counts(self):
        with pytest.raises(InputError, match="No observation has counts"):
            million_factors([0, 0])


class TestZscores:
    @pytest.mark.parametrize("max_value", [None, 1.5])
    def test_scanpy(self, max_value):
        values = np.log1p(counts())
        values[:, 7] = 3.0  # of 3.3 scanpy keeps a rounding error
        expected = sc.pp.scale(values.copy(), max_value=max_value)
        ours = zscores(values, max_value=max_value)
        np.testing.assert_allclose(ours, expected, rtol=SAME_LOG, atol=SCANPY)
        assert (ours[:, 7] == 0).all()

    def test_a_constant_that_no_mean_hits_is_exactly_zero(self):
        ours = zscores(np.full((7, 2), 0.1))
        np.testing.assert_array_equal(ours, 0)

    def test_missing_values_are_left_out(self):
        values = np.log1p(counts())
        values[4, 2] = values[5, 2] = np.nan
        values[:, 3] = np.nan
        values[1:, 4] = np.nan
        ours = zscores(values)
        known = np.delete(values[:, 2], [4, 5])
        np.testing.assert_allclose(np.delete(ours[:, 2], [4, 5]), stats.zscore(known, ddof=1))
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(values))
        assert ours[0, 4] == 0

    def test_location_and_scale_do_not_matter(self):
        values = np.log1p(counts())
        np.testing.assert_allclose(zscores(3 * values - 5), zscores(values), atol=SAME_LOG)

    def test_one_observation(self):
        np.testing.assert_array_equal(zscores([[3.0, 0.0]]), [[0.0, 0.0]])

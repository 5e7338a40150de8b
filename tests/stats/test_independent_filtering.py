import numpy as np
import pytest

from dex.stats.independent_filtering import _choose, filtered_adjustment
from dex.stats.multitest import adjust_log10_pval

DIGITS = 1e-9
"""R's p-values in the tables have 11 digits."""


@pytest.mark.parametrize(
    ("name", "answer", "alpha"),
    [
        ("df1", "last", 0.1),
        ("df4", "last", 0.1),
        ("six", "last", 0.1),
        ("seven", "last", 0.1),
        ("additive", "b_a", 0.1),
        ("additive", "alpha", 0.05),
        ("additive", "lessAbs", 0.1),
        ("lrt", "last", 0.1),
        ("rising", "last", 0.1),
    ],
)
def test_adjusted_p_values_are_those_of_deseq2(deseq2_run, name, answer, alpha):
    table = deseq2_run(name).tight
    log10_pval = np.log10(table[f"{answer}.pvalue"].to_numpy())
    found = filtered_adjustment(log10_pval, table["baseMean"].to_numpy(), alpha=alpha)
    theirs = table[f"{answer}.padj"].to_numpy()
    np.testing.assert_array_equal(np.isnan(found.log10_padj), np.isnan(theirs))
    np.testing.assert_allclose(10**found.log10_padj, theirs, rtol=DIGITS)


def test_without_rejections_nothing_is_filtered():
    log10_pval = np.log10(np.random.default_rng(0).uniform(0.2, 1, 300))
    mean = np.arange(1.0, 301)
    found = filtered_adjustment(log10_pval, mean)
    assert found.quantile == 0
    np.testing.assert_array_equal(found.log10_padj, adjust_log10_pval(log10_pval))


def test_the_filter_goes_where_rejections_are():
    rng = np.random.default_rng(1)
    mean = rng.lognormal(3, 2, 4000)
    pval = rng.uniform(size=4000)
    high = mean > np.quantile(mean, 0.5)
    pval[high] = pval[high] ** 4
    found = filtered_adjustment(np.log10(pval), mean)
    assert 0.3 < found.quantile < 0.6
    assert (found.log10_padj < -1).sum() > (adjust_log10_pval(np.log10(pval)) < -1).sum()
    assert np.isnan(found.log10_padj[mean < found.cutoff]).all()


@pytest.mark.parametrize(
    ("n_rejected", "smoothed", "chosen"),
    [
        ([10, 9, 8], [10, 9, 8], 0),
        ([90, 95, 110, 100], [90.0, 96, 105, 101], 2),
        ([100, 100, 100, 120], [100.0, 200, 110, 110], 0),
    ],
)
def test_the_lowest_quantile_near_the_peak_is_chosen(n_rejected, smoothed, chosen):
    assert _choose(np.array(n_rejected), np.array(smoothed)) == chosen

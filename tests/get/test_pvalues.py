from __future__ import annotations

import numpy as np
import pytest

import dex
from dex.errors import InputError
from dex.get._pvalues import describe

RNG = np.random.default_rng(7)
UNIFORM = RNG.uniform(size=10_000)
SIGNAL = RNG.beta(0.1, 20, size=2000)
SE_OF_PI0 = 0.01
"""sqrt(0.5 * 0.5 / 10,000) / 0.5."""


def mixed(*parts):
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("pval", "shape"),
    [
        (UNIFORM, "uniform"),
        (mixed(UNIFORM, SIGNAL), "peak at 0"),
        (mixed(UNIFORM, SIGNAL, np.ones(3000)), "both ends"),
        (mixed(UNIFORM, np.ones(3000)), "peak at 1"),
        (RNG.beta(3, 3, size=10_000), "hill"),
        (RNG.beta(2, 1, size=10_000), "peak at 1"),
        (UNIFORM[:50], "few"),
        (np.zeros(500), "peak at 0"),
    ],
)
def test_shapes(pval, shape):
    assert describe(pval).shape == shape


def test_uniform_is_rarely_called_anything_else():
    samples = np.random.default_rng(11).uniform(size=(200, 2000))
    assert sum(describe(pval).shape != "uniform" for pval in samples) == 0


def test_pi0_and_inflation_of_uniform_and_mixture():
    null = describe(UNIFORM)
    assert null.pi0 == pytest.approx(1, abs=4 * SE_OF_PI0)
    assert null.inflation == pytest.approx(1, abs=0.05)
    mixture = describe(mixed(UNIFORM, SIGNAL))
    assert mixture.pi0 == pytest.approx(10 / 12, abs=4 * SE_OF_PI0)
    assert mixture.inflation > 1.2
    assert "an estimated 16 %" in mixture.sentence


def test_inflation_is_the_ratio_of_chi_square_medians():
    from scipy.stats import chi2

    expected = chi2.isf(np.median(SIGNAL), 1) / chi2.median(1)
    assert describe(SIGNAL).inflation == pytest.approx(expected, rel=1e-12)


def test_threshold_tests_are_not_called_conservative():
    pval = RNG.beta(4, 0.5, size=5000)
    assert "conservative" in describe(pval).sentence
    assert "as they should be" in describe(pval, lfc=1.0).sentence


def test_nothing_and_nonsense():
    empty = describe(np.array([]))
    assert empty.n == 0
    assert np.isnan(empty.pi0)
    with pytest.raises(InputError, match="between 0 and 1"):
        describe(np.array([0.5, 1.5]))


def test_reads_a_result():
    adata = dex.datasets.simulate_counts(500, 5, groups=("a", "b", "c"), de_fraction=0, seed=2)
    dex.tl.rank_genes(adata, groupby="condition", method="t-test-student", replicate=None)
    shape = dex.get.pvalue_shape(adata, "b")
    pval = adata.varm["rank_genes_pval"]
    tests = dex.get.tests_df(adata)
    column = pval[:, list(tests["group"]).index("b")]
    assert shape.n == (~np.isnan(column)).sum()
    assert shape == describe(column[~np.isnan(column)])
    with pytest.raises(InputError):
        dex.get.pvalue_shape(adata)


@pytest.mark.parametrize("shape", [np.ones(3000), mixed(SIGNAL, np.ones(3000))])
def test_filtering_is_advised_once(shape):
    pval = mixed(UNIFORM, shape)
    assert "filter them" in describe(pval).sentence
    assert "filter" not in describe(pval, filtered=True).sentence


@pytest.mark.parametrize(
    ("column", "said"), [("condition", "how many genes change"), ("leiden", "they rank markers")]
)
def test_a_peak_of_cells_is_not_praised(column, said):
    adata = dex.datasets.simulate_counts(
        300, 2, cells_per_replicate=60, mean_count=2.0, de_fraction=0.5, seed=2
    )
    adata.obs = adata.obs.rename(columns={"condition": column})
    dex.tl.rank_genes(adata, groupby=column, method="wilcoxon", replicate=None, unit="cells")
    found = dex.get.pvalue_shape(adata, 0)
    assert found.shape == "peak at 0"
    assert said in found.sentence
    assert "%" not in found.sentence
    assert "as it should be" not in found.sentence
    assert found.sentence.count(".") == 1


def test_data_that_were_filtered_are_not_to_be_filtered():
    adata = dex.datasets.simulate_counts(400, 4, de_fraction=0, seed=2)
    dex.tl.rank_genes(adata, groupby="condition", method="wilcoxon")
    adata.varm["rank_genes_log10_pval"] = np.zeros_like(adata.varm["rank_genes_log10_pval"])
    assert "filter them" in dex.get.pvalue_shape(adata).sentence
    adata.uns["dex_filter"] = {"n_before": 500, "n_after": 400, "rule": "a rule"}
    assert "filter them" not in dex.get.pvalue_shape(adata).sentence

"""DESeq2 with quasi-likelihoods through the door, against DESeq2 1.46.0 with glmGamPoi 1.18.0."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError
from dex.stats.quasi_prior import excess_over_trend, likeliest_prior, running_median

REFERENCE = Path(__file__).parents[1] / "reference" / "glmgampoi"
CASES = {"groups": ("~ group", "~ 1", 6), "batch": ("~ batch + group", "~ batch", 4)}
PRINTED = 1e-9  # R's tables have 12 digits
OPTIMISER = 1e-4  # R's search for the prior stops early
STEADY = 1e-6
MEANS = {"groups": 1e-6, "batch": 1e-2}
"""Of nine in ten dispersions and statistics: those of covariates hang on the means that are held,
of which R's are from another fit. The others are where it hangs on digits whether a gene keeps its
first estimate."""
LOG10P = 0.01  # the median; some genes with one count have another dispersion, and the prior moves


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv.gz")


@pytest.fixture(scope="module")
def adata():
    obs = pd.DataFrame({"batch": list("abc") * 3, "group": list("aaabbbccc")})
    adata = ad.AnnData(read("counts").to_numpy(float), obs=obs.set_index(obs.index.map(str)))
    for name, (design, reduced, _) in CASES.items():
        settings = {"design": design, "reduced": reduced, "method": "deseq2_quasi"}
        dex.tl.rank_genes(adata, key_added=name, **settings)
    return adata


@pytest.mark.parametrize("name", CASES)
def test_stages_from_rs_dispersions(name):
    table, df = read(name), CASES[name][2]
    own, mean = table["dispGeneEst"].to_numpy(), table["baseMean"].to_numpy()
    told = own > 1e-6
    trend = running_median(mean[told], own[told])
    np.testing.assert_allclose(trend, table["dispFit"][told], rtol=PRINTED)
    quasi = excess_over_trend(mean, own, table["dispFit"].to_numpy())
    np.testing.assert_allclose(quasi, table["qlDispMLE"], rtol=PRINTED)
    prior = likeliest_prior(quasi, df)
    np.testing.assert_allclose(prior.var, table["qlDispFit"][0], rtol=OPTIMISER)
    post = (prior.df * prior.var + df * quasi) / (prior.df + df)
    np.testing.assert_allclose(post, table["qlDispMAP"], rtol=20 * OPTIMISER)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("column", "expected"),
    [("dispersion_gene", "dispGeneEst"), ("dispersion_trend", "dispFit"), ("deviance", "deviance")],
)
def test_fits_are_rs(adata, name, column, expected):
    off = np.abs(adata.var[f"{name}_{column}"].to_numpy() / read(name)[expected] - 1)
    assert np.median(off) < MEANS[name]
    assert np.quantile(off, 0.8) < 10 * MEANS[name]


@pytest.mark.parametrize("name", CASES)
def test_calls_are_rs(adata, name):
    table, found = read(name), adata.varm
    off = np.abs(found[f"{name}_log10_pval"][:, 0] - np.log10(table["pvalue"]))
    assert np.median(off) < LOG10P
    calls = found[f"{name}_padj"][:, 0] < 0.1
    assert calls.sum() > 40
    assert np.array_equal(calls, table["padj"] < 0.1)


def test_a_contrast_of_two_groups_has_its_fold_change_and_side(adata):
    settings = {"groupby": "group", "reference": "a", "groups": ["b"], "method": "deseq2_quasi"}
    dex.tl.rank_genes(adata, key_added="two", **settings)
    dex.tl.rank_genes(adata, key_added="up", alternative="greater", **settings)
    log2fc, pval = adata.varm["two_log2fc"][:, 0], adata.varm["two_pval"][:, 0]
    one_sided = np.where(log2fc > 0, pval / 2, 1 - pval / 2)
    np.testing.assert_allclose(adata.varm["up_pval"][:, 0], one_sided)
    assert np.median(log2fc[:40]) == pytest.approx(np.log2(3), abs=0.3)


def test_order_of_genes_tells_nothing(adata):
    genes = np.random.default_rng(0).permutation(adata.n_vars)
    other = adata[:, genes].copy()
    settings = {"design": "~ group", "reduced": "~ 1", "method": "deseq2_quasi"}
    dex.tl.rank_genes(other, key_added="again", **settings)
    same = adata.varm["groups_stat"][genes]
    np.testing.assert_allclose(other.varm["again_stat"], same, rtol=STEADY)


def test_without_replicates_there_are_fold_changes_alone():
    adata = dex.datasets.simulate_counts(100, n_per_group=1, seed=0)
    dex.tl.rank_genes(adata, "condition", method="deseq2_quasi")
    table = dex.get.rank_genes_df(adata)
    assert table["log2fc"].notna().any()
    assert table["pval"].isna().all()
    assert set(table["status"]) <= {"no_replicates", "all_zero", "low_count"}


def test_poisson_counts_have_no_trend():
    rng = np.random.default_rng(0)
    adata = ad.AnnData(np.tile(rng.poisson(50, (1, 30)), (6, 1)).astype(float))
    adata.obs["g"] = list("aaabbb")
    with pytest.raises(InputError, match="no gene is more variable than Poisson counts"):
        dex.tl.rank_genes(adata, groupby="g", method="deseq2_quasi")


@pytest.mark.parametrize("bad", [{"alpha": 2.0}, {"independent_filtering": "yes"}])
def test_options_that_are_none(adata, bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        dex.tl.rank_genes(adata, groupby="group", method="deseq2_quasi", key_added="bad", **bad)

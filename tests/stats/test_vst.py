from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.dispersion_trend import eligible, local_trend, parametric_trend
from dex.stats.vst import ConstantVst, ParametricVst, numeric_vst, spread_over_means

REFERENCE = Path(__file__).parents[1] / "reference" / "transformations"
SAME = 1e-12  # the same formula
SUMMED = 5e-4  # log2; DESeq2 sums over a thousand cells, we integrate
FITTED = 2e-5  # log2; R's gamma regression of the trend stops at a change of 1e-8
BLIND = ["blind", "design"]


def table(name):
    return pd.read_csv(REFERENCE / name, skipinitialspace=True)


@pytest.fixture(scope="module")
def data():
    factors = table("size_factors.csv.gz").iloc[:, 0].to_numpy()
    normalised = table("counts.csv").to_numpy(float) / factors[:, None]
    return normalised, factors, table("genes.csv.gz")


def scalar(name):
    return table("scalars.csv").set_index("name")["value"][name]


@pytest.mark.parametrize("where", BLIND)
def test_parametric_is_deseq2s(data, where):
    vst = ParametricVst(scalar(f"{where}_asymptotic"), scalar(f"{where}_extra"))
    theirs = table(f"vst_{where}_parametric.csv.gz")
    np.testing.assert_allclose(vst(data[0]), theirs, rtol=SAME)


@pytest.mark.parametrize("where", BLIND)
def test_constant_is_deseq2s(data, where):
    vst = ConstantVst(data[2][f"{where}_mean"].dropna().iloc[0])
    np.testing.assert_allclose(vst(data[0]), table(f"vst_{where}_mean.csv.gz"), rtol=SAME)


@pytest.mark.parametrize("where", BLIND)
def test_local_is_deseq2s(data, where):
    normalised, factors, genes = data
    mean = genes["base_mean"].to_numpy()
    trend = local_trend(mean, genes[f"{where}_gene_wise"].to_numpy())
    vst = numeric_vst(trend, size_factors=factors, base_mean=mean, largest=normalised.max())
    np.testing.assert_allclose(vst(normalised), table(f"vst_{where}_local.csv.gz"), atol=SUMMED)


def test_few_genes_are_deseq2s(data):
    normalised, _, genes = data
    mean, dispersion = genes["base_mean"].to_numpy(), genes["blind_gene_wise"].to_numpy()
    few = spread_over_means(mean, 100)
    used = few[eligible(dispersion[few])]
    vst = ParametricVst(*parametric_trend(mean[used], dispersion[used]).coef)
    np.testing.assert_allclose(vst(normalised), table("vst_fast.csv.gz"), atol=FITTED)


def test_all_are_log2_of_large_counts():
    large = np.array([1e9, 1e10])
    for vst in (ParametricVst(0.1, 4.0), ConstantVst(0.1)):
        np.testing.assert_allclose(vst(large), np.log2(large), atol=1e-3)


def test_numeric_follows_the_closed_form():
    rng = np.random.default_rng(0)
    q = 1 + rng.gamma(0.5, 500, 1000)
    numeric = numeric_vst(
        lambda mean: np.full(mean.shape, 0.2), size_factors=np.ones(3), base_mean=q, largest=q.max()
    )(q)
    exact = ConstantVst(0.2)(q)
    line = np.polynomial.Polynomial.fit(exact, numeric, 1)
    np.testing.assert_allclose(numeric, line(exact), atol=0.02)  # half a cell late, as DESeq2's
    assert (np.diff(numeric[np.argsort(q)]) >= 0).all()


def test_all_genes_where_there_are_few():
    assert spread_over_means(np.array([9.0, 1, 7]), 5).tolist() == [2, 0]

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.rlog import rlog, rlog_changes, rlog_variance

REFERENCE = Path(__file__).parents[1] / "reference" / "transformations"
SAME = 1e-11  # log2, both converged
PRIOR = 1e-12  # the same formula
LOOSE, LOOSE_MOST = 0.07, 2e-3  # log2; R's own default fit is so far from its tight one
BLIND = ["blind", "design"]


def table(name):
    return pd.read_csv(REFERENCE / name, skipinitialspace=True)


@pytest.fixture(scope="module")
def data():
    factors = table("size_factors.csv.gz").iloc[:, 0].to_numpy()
    return table("counts.csv").to_numpy(float), factors, table("genes.csv.gz")


def scalar(name):
    return table("scalars.csv").set_index("name")["value"][name]


def transformed(data, where="blind"):
    counts, factors, genes = data
    dispersion = genes[f"{where}_parametric"].to_numpy()
    return rlog(counts, factors, dispersion, variance=scalar(f"{where}_rlog_variance"))


@pytest.mark.parametrize("where", BLIND)
def test_prior_is_deseq2s(data, where):
    counts, factors, genes = data
    mean, dispersion = genes["base_mean"].to_numpy(), genes[f"{where}_parametric"].to_numpy()
    changes = rlog_changes(counts / factors[:, None], mean)
    ours = rlog_variance(changes, mean, dispersion)
    assert ours == pytest.approx(scalar(f"{where}_rlog_variance"), rel=PRIOR)


@pytest.mark.parametrize("where", BLIND)
def test_equals_deseq2_with_a_tight_fit(data, where):
    seen = data[0].any(axis=0)
    theirs = table(f"rlog_tight_{where}.csv.gz")
    np.testing.assert_allclose(transformed(data, where)[:, seen], theirs, atol=SAME)


@pytest.mark.parametrize("where", BLIND)
def test_deseq2s_default_is_near(data, where):
    away = np.abs(transformed(data, where) - table(f"rlog_{where}.csv.gz").to_numpy())
    assert away.max() < LOOSE
    assert np.quantile(away, 0.95) < LOOSE_MOST


def test_gene_without_counts_is_zero(data):
    empty = ~data[0].any(axis=0)
    assert empty.any()
    assert (transformed(data)[:, empty] == 0).all()


def test_no_dispersion_no_log(data):
    counts, factors, _ = data
    dispersion = np.full(counts.shape[1], np.nan)
    assert np.isnan(rlog(counts, factors, dispersion, variance=1.0)[:, 0]).all()


def test_changes_are_shrunk_more_by_a_tighter_prior(data):
    counts, factors, genes = data
    dispersion = genes["blind_parametric"].to_numpy()
    spread = [
        np.ptp(rlog(counts, factors, dispersion, variance=variance), axis=0).mean()
        for variance in (1e-8, 0.1, 1.0, 10.0)
    ]
    assert spread[0] < 1e-3
    assert (np.diff(spread) > 0).all()


def test_depth_of_every_count(data):
    counts, factors, genes = data
    dispersion = genes["blind_parametric"].to_numpy()
    each = np.broadcast_to(factors[:, None], counts.shape)
    ours = rlog(counts, each, dispersion, variance=1.0)
    np.testing.assert_allclose(ours, rlog(counts, factors, dispersion, variance=1.0), atol=SAME)


def test_samples_in_any_order(data):
    counts, factors, genes = data
    order = np.random.default_rng(0).permutation(len(factors))
    moved = transformed((counts[order], factors[order], genes))
    np.testing.assert_allclose(moved, transformed(data)[order], atol=SAME)

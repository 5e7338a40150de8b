from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import trim_mean

from dex.stats.cooks import (
    cooks_cutoff,
    cooks_distances,
    exceeded,
    in_cells,
    replacements,
    robust_dispersion,
    tallied_quantiles,
    tally_distances,
    trimmed_mean,
)
from dex.stats.gene_dispersion import FLOOR, CountModel, fit_means
from dex.stats.nb_curvature import leverages, nb_covariance
from dex.stats.nb_glm import fitted_means

FOLDER = Path(__file__).parents[1] / "reference" / "deseq2"
OF_MEANS = 1e-4
"""The distances at R's means, which are right to 1e-6 or, of genes with outliers, 1e-5."""


def distances(run):
    genes = np.flatnonzero(run.counts.sum(axis=0) > 0)
    counts = np.asfortranarray(run.counts[:, genes])
    dispersion = run.tight["dispersion"].to_numpy()[genes]
    model = CountModel.from_design(run.design)
    depths, rows = run.size_factors, model.rows
    coef = fit_means(counts, depths, rows, dispersion).coef
    cov = nb_covariance(counts, rows, depths, dispersion, coef, ridge=model.ridge, floor=FLOOR)
    mu = fitted_means(rows, depths, coef)
    leverage = leverages(rows, np.maximum(mu, FLOOR), dispersion, cov)
    robust = robust_dispersion(counts / depths[:, None], rows.index)
    found = np.full(run.counts.shape, np.nan)
    found[:, genes] = cooks_distances(counts, mu, robust, leverage, rows.n_coefs)
    return found, rows


@pytest.mark.parametrize("name", ["six", "covariate"])
def test_distances_are_those_of_deseq2(deseq2_run, name):
    theirs = pd.read_csv(FOLDER / f"{name}_cooks.csv.gz").to_numpy().T
    found, _ = distances(deseq2_run(name))
    np.testing.assert_allclose(found[:, :20], theirs, rtol=OF_MEANS)


@pytest.mark.parametrize("name", ["df3", "df4", "six", "seven", "wide", "thousand"])
def test_largest_distance_in_groups_of_three_is_that_of_deseq2(deseq2_run, name):
    run = deseq2_run(name)
    found, rows = distances(run)
    theirs = run.tight["maxCooks"].to_numpy()
    ours = found[in_cells(rows.index, 3)].max(axis=0)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    close = np.isclose(ours, theirs, rtol=OF_MEANS, equal_nan=True)
    assert close.mean() > 0.98


def test_outliers_are_those_of_deseq2(deseq2_run):
    run = deseq2_run("six")
    found, rows = distances(run)
    flagged = found[in_cells(rows.index, 3)].max(axis=0) > cooks_cutoff(*run.design.shape)
    theirs = run.tight["last.pvalue"].isna() & run.tight["kept.pvalue"].notna()
    assert theirs.sum() == 17
    assert (flagged & ~exceeded(run.counts, found) == theirs).all()


def test_three_larger_counts_excuse():
    counts = np.array([[9.0, 9], [7, 7], [8, 3], [1, 1], [2, 2], [3, 8]])
    far = np.zeros((6, 2))
    far[2] = 10
    assert exceeded(counts, far).tolist() == [False, True]


def test_no_group_of_three():
    assert in_cells(np.array([0, 0, 1, 1, 2]), 3).tolist() == [False] * 5
    normalised = np.array([[10.0], [20], [30], [40], [1000]])
    squares = (normalised - trim_mean(normalised, 1 / 8)) ** 2
    variance = 1.51 * trim_mean(squares, 1 / 8)
    mean = normalised.mean()
    by_hand = (variance - mean) / mean**2
    assert robust_dispersion(normalised, np.arange(5)) == pytest.approx(by_hand)


def test_robust_dispersion_has_a_lower_bound():
    assert robust_dispersion(np.full((6, 1), 50.0), np.zeros(6, dtype=int)) == 0.04


@pytest.mark.parametrize("n_obs", [3, 5, 10, 24])
@pytest.mark.parametrize("trim", [1 / 8, 0.2, 1 / 4, 1 / 3])
def test_trimmed_mean_is_scipys(n_obs, trim):
    values = np.random.default_rng(0).normal(size=(n_obs, 4))
    np.testing.assert_allclose(trimmed_mean(values, trim), trim_mean(values, trim))


def test_replacements_are_whole_counts_at_the_samples_depths():
    normalised = np.array([[10.0], [11], [12], [10], [500]])
    depths = np.array([1.0, 2, 0.5, 1, 1.5])
    assert replacements(normalised, depths)[:, 0].tolist() == [11, 22, 5, 11, 16]


def test_tallies_add_up_and_tell_quantiles():
    rng = np.random.default_rng(3)
    distances = rng.lognormal(-3, 1.5, (4, 5000))
    distances[1, :100] = np.nan
    distances[2] = 0.0
    distances[3] = np.nan
    parts = tally_distances(distances[:, :2000]) + tally_distances(distances[:, 2000:])
    assert np.array_equal(parts, tally_distances(distances))
    shares = np.array([0.05, 0.5, 0.95])
    found = tallied_quantiles(parts, shares)
    exact = np.nanquantile(distances[:2], shares, axis=1).T
    np.testing.assert_allclose(np.log10(found[:2]), np.log10(exact), atol=0.02)
    assert (found[2] < 2e-6).all()
    assert np.isnan(found[3]).all()

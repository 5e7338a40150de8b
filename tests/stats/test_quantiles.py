from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats.quantiles import mean_quantiles, set_quantiles

REFERENCE = Path(__file__).parents[1] / "reference" / "normalize"
LIMMA = 1e-10  # relative: sums and interpolation of numbers near 10, in another order


def normalize_quantiles(values):
    return set_quantiles(values, mean_quantiles(values))


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(np.float64)


@pytest.fixture
def logs():
    return np.random.default_rng(2).normal(5, 2, size=(6, 40))


@pytest.mark.parametrize(
    ("given", "expected"), [("logcpm", "quantile"), ("missing", "quantile_missing")]
)
def test_limma(given, expected):
    values = read(given)
    ties = [len(np.unique(row[~np.isnan(row)])) < (~np.isnan(row)).sum() for row in values]
    assert any(ties)
    assert np.isnan(values).any() == (given == "missing")
    np.testing.assert_allclose(normalize_quantiles(values), read(expected), rtol=LIMMA)


def test_all_observations_get_one_distribution(logs):
    made = np.sort(normalize_quantiles(logs), axis=1)
    np.testing.assert_array_equal(made, np.broadcast_to(made[0], made.shape))
    np.testing.assert_array_equal(made[0], mean_quantiles(logs))
    np.testing.assert_allclose(made[0], np.sort(logs, axis=1).mean(axis=0), rtol=LIMMA)


def test_order_within_an_observation_stays(logs):
    made = normalize_quantiles(logs)
    np.testing.assert_array_equal(np.argsort(made, axis=1), np.argsort(logs, axis=1))


def test_ties_stay_ties_and_get_the_quantile_of_their_mean_rank(logs):
    logs[2, [3, 8, 30]] = logs[2].min() - 1
    made = normalize_quantiles(logs)
    assert len(np.unique(made[2, [3, 8, 30]])) == 1
    assert made[2, 3] == mean_quantiles(logs)[1]  # ranks 0, 1 and 2


def test_normalised_again_nothing_changes(logs):
    once = normalize_quantiles(logs)
    np.testing.assert_allclose(normalize_quantiles(once), once, rtol=1e-13)


def test_genes_in_another_order(logs):
    order = np.random.default_rng(0).permutation(logs.shape[1])
    made = normalize_quantiles(logs[:, order])
    np.testing.assert_array_equal(made, normalize_quantiles(logs)[:, order])


def test_observations_one_by_one(logs):
    quantiles = mean_quantiles(logs)
    parts = [set_quantiles(logs[i : i + 1], quantiles) for i in range(len(logs))]
    np.testing.assert_array_equal(np.vstack(parts), normalize_quantiles(logs))


def test_one_observation_or_gene(logs):
    np.testing.assert_array_equal(normalize_quantiles(logs[:1]), logs[:1])
    np.testing.assert_allclose(
        normalize_quantiles(logs[:, :1]), logs[:, :1].mean() + np.zeros((6, 1))
    )


@pytest.mark.parametrize("n_known", [0, 1])
def test_hardly_any_values(logs, n_known):
    logs[4, n_known:] = np.nan
    with pytest.raises(InputError, match=rf"position 4 has {n_known} values .* need two"):
        normalize_quantiles(logs)

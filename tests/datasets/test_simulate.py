"""Simulated counts: the moments are those of the truth, the structure is the one asked for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from dex.datasets import simulate_counts
from dex.errors import InputError

STANDARD_ERRORS = 4.0  # chance of a false alarm 6e-5 per check, and the seeds are fixed
PLAIN = {"library_size_sd": 0.0, "mean_count_sd": 1.0, "de_fraction": 0.0}


def dense(adata):
    return adata.X.toarray() if sp.issparse(adata.X) else adata.X


def assert_zero_mean(deviations, width=STANDARD_ERRORS):
    """Of independent deviations; their own spread gives the standard error."""
    deviations = np.asarray(deviations).ravel()
    error = deviations.std(ddof=1) / np.sqrt(deviations.size)
    assert abs(deviations.mean()) < width * error


def test_mean_and_variance_are_those_of_the_negative_binomial():
    adata = simulate_counts(400, 500, groups=("a", "b"), seed=1, de_fraction=0.5)
    counts, var, obs = adata.X.astype(float), adata.var, adata.obs
    fold = 2.0 ** np.outer(obs["condition"] == "b", var["true_log2fc"])
    mu = np.outer(obs["true_size_factor"], var["true_mean"]) * fold
    variance = mu + var["true_dispersion"].to_numpy() * mu**2
    z = (counts - mu) / np.sqrt(variance)
    assert_zero_mean(z)
    per_gene = z.mean(axis=0) * np.sqrt(len(z))
    assert np.abs(per_gene).max() < STANDARD_ERRORS + 1.0  # 400 skewed genes at once
    per_gene_variance = (z**2).mean(axis=0)
    assert_zero_mean(per_gene_variance - 1.0)


def test_without_dispersion_counts_are_poisson():
    adata = simulate_counts(200, 500, dispersion=0.0, extra_dispersion=0.0, seed=2, **PLAIN)
    mu = adata.var["true_mean"].to_numpy()
    assert (adata.var["true_dispersion"] == 0).all()
    assert_zero_mean((((adata.X - mu) ** 2) / mu).mean(axis=0) - 1.0)


def test_trend_of_the_dispersion():
    adata = simulate_counts(
        20_000, 1, dispersion=0.03, extra_dispersion=4.0, dispersion_sd=0.5, seed=3
    )
    trend = 0.03 + 4.0 / adata.var["true_mean"]
    scatter = np.log2(adata.var["true_dispersion"] / trend).to_numpy()
    assert_zero_mean(scatter)
    assert_zero_mean((scatter / 0.5) ** 2 - 1.0)


def test_base_means_and_size_factors_are_log_normal():
    adata = simulate_counts(
        20_000, 100, mean_count=50.0, mean_count_sd=2.0, library_size_sd=0.3, seed=4
    )
    means = np.log2(adata.var["true_mean"] / 50.0).to_numpy()
    factors = np.log2(adata.obs["true_size_factor"]).to_numpy()
    for values, sd in ((means, 2.0), (factors, 0.3)):
        assert_zero_mean(values)
        assert_zero_mean((values / sd) ** 2 - 1.0)


def test_changed_genes():
    adata = simulate_counts(5000, 2, de_fraction=0.2, log2fc_sd=1.5, seed=5)
    changed = adata.var["is_de"].to_numpy()
    log2fc = adata.var["true_log2fc"].to_numpy()
    assert changed.sum() == 1000
    assert (log2fc[~changed] == 0).all()
    assert_zero_mean(log2fc[changed])
    assert_zero_mean((log2fc[changed] / 1.5) ** 2 - 1.0)
    np.testing.assert_array_equal(adata.varm["true_log2fc"][:, 0], log2fc)


def test_positive_log2fc_is_higher_in_the_second_group():
    adata = simulate_counts(2000, 20, log2fc_sd=3.0, de_fraction=0.5, seed=6)
    treated = (adata.obs["condition"] == "treated").to_numpy()
    observed = np.log2(adata.X[treated].mean(axis=0) + 1) - np.log2(
        adata.X[~treated].mean(axis=0) + 1
    )
    assert np.corrcoef(observed, adata.var["true_log2fc"])[0, 1] > 0.9


def test_three_groups():
    adata = simulate_counts(300, [3, 4, 5], groups=("wt", "a", "b"), seed=7)
    assert adata.obs["condition"].value_counts(sort=False).to_dict() == {"wt": 3, "a": 4, "b": 5}
    assert list(adata.obs["condition"].cat.categories) == ["wt", "a", "b"]
    assert adata.varm["true_log2fc"].shape == (300, 2)
    assert "true_log2fc" not in adata.var
    np.testing.assert_array_equal((adata.varm["true_log2fc"] != 0).any(axis=1), adata.var["is_de"])


def _deviations(adata):
    """log2 of the ratio of every count to what is expected without batch and replicate effects."""
    fold = 2.0 ** np.outer(adata.obs["condition"] == "treated", adata.var["true_log2fc"])
    mu = np.outer(adata.obs["true_size_factor"], adata.var["true_mean"]) * fold
    return np.log2((dense(adata) + 0.5) / (mu + 0.5))


LARGE = {"mean_count": 1e6, "mean_count_sd": 0.5, "dispersion": 0.0, "extra_dispersion": 0.0}
"""So large that Poisson noise is far below the effects."""


def test_batches_are_balanced_and_share_their_effects():
    adata = simulate_counts(2000, 4, n_batches=2, batch_sd=0.7, seed=8, **LARGE)
    table = adata.obs.groupby(["condition", "batch"], observed=True).size()
    assert table.tolist() == [2, 2, 2, 2]
    deviations = _deviations(adata)
    first = deviations[(adata.obs["batch"] == "batch1").to_numpy()]
    assert np.ptp(first, axis=0).max() < 0.05
    assert_zero_mean((first[0] / 0.7) ** 2 - 1.0)


def test_donors_are_shared_between_conditions():
    adata = simulate_counts(2000, 3, paired=True, replicate_sd=0.6, seed=9, **LARGE)
    assert list(adata.obs["donor"]) == ["donor1", "donor2", "donor3"] * 2
    deviations = _deviations(adata)
    np.testing.assert_allclose(deviations[:3], deviations[3:], atol=0.05)
    assert_zero_mean((deviations[:3] / 0.6) ** 2 - 1.0)


def test_one_batch_and_no_pairs_leave_no_column():
    assert list(simulate_counts(10).obs.columns) == ["condition", "true_size_factor"]


def test_cells_are_sparse_and_lie_in_replicates():
    adata = simulate_counts(1000, 3, cells_per_replicate=20, seed=10)
    assert sp.issparse(adata.X)
    assert adata.X.format == "csr"
    assert adata.X.dtype == np.float32
    assert adata.shape == (120, 1000)
    assert adata.X.nnz / np.prod(adata.shape) < 0.5
    sizes = adata.obs.groupby(["condition", "replicate"], observed=True).size()
    assert len(sizes) == 6
    assert (sizes == 20).all()
    assert adata.obs_names.is_unique
    assert adata.obs_names[20] == "control_2_cell1"


@pytest.mark.parametrize("paired", [False, True])
def test_effects_of_replicates_on_cells(paired):
    adata = simulate_counts(
        3000,
        2,
        cells_per_replicate=2,
        paired=paired,
        replicate_sd=0.5,
        replicate_condition_sd=0.3,
        seed=11,
        **LARGE,
    )
    units = _deviations(adata)[::2]
    np.testing.assert_allclose(units, _deviations(adata)[1::2], atol=0.05)  # cells of one replicate
    assert_zero_mean(units**2 / (0.5**2 + 0.3**2) - 1.0)
    between = units[:2] - units[2:]  # the same donor in two conditions, or two replicates
    expected = 2 * 0.3**2 if paired else 2 * (0.5**2 + 0.3**2)
    assert_zero_mean(between**2 / expected - 1.0)
    assert adata.obs["replicate"].nunique() == (2 if paired else 4)


@pytest.mark.parametrize("cells", [None, 10])
def test_outliers(cells):
    options = {"cells_per_replicate": cells, "seed": 12}
    plain = simulate_counts(500, 5, **options)
    adata = simulate_counts(500, 5, outlier_fraction=0.1, **options)
    ratio = dense(adata) / np.maximum(dense(plain), 1)
    changed = dense(adata) != dense(plain)
    assert adata.var["is_outlier"].sum() == 50
    np.testing.assert_array_equal(changed.sum(axis=0), adata.var["is_outlier"].astype(int))
    assert (ratio[changed] == 100).all()
    assert not plain.var["is_outlier"].any()


def test_same_seed_same_bits():
    options = {"n_batches": 2, "paired": True, "outlier_fraction": 0.1}
    first, again = (simulate_counts(300, 4, seed=3, **options) for _ in range(2))
    other = simulate_counts(300, 4, seed=4, **options)
    assert first.X.tobytes() == again.X.tobytes()
    assert first.obs.equals(again.obs)
    assert first.var.equals(again.var)
    assert (first.X != other.X).mean() > 0.5


def test_one_option_leaves_the_truth_about_the_others():
    first = simulate_counts(300, 4, seed=3)
    second = simulate_counts(300, 4, seed=3, log2fc_sd=3.0, n_batches=2)
    for column in ("true_mean", "true_dispersion", "is_de"):
        assert first.var[column].equals(second.var[column])
    np.testing.assert_allclose(second.var["true_log2fc"], 3 * first.var["true_log2fc"])


def test_names():
    assert list(simulate_counts(10, 1).var_names[[0, 9]]) == ["gene0001", "gene0010"]
    assert simulate_counts(10_001, 1).var_names[0] == "gene00001"
    assert list(simulate_counts(10, 1).obs_names) == ["control_1", "treated_1"]


def test_counts_stay_exact_when_large():
    adata = simulate_counts(50, 2, mean_count=1e9, mean_count_sd=0.0)
    assert adata.X.dtype == np.float64
    small = simulate_counts(50, 2)
    assert small.X.dtype == np.float32
    np.testing.assert_array_equal(adata.X, np.round(adata.X))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n_genes": 0}, "n_genes=0"),
        ({"n_per_group": 0}, "n_per_group=0"),
        ({"n_per_group": [3, 4, 5]}, "3 numbers for 2 groups"),
        ({"groups": ["a"]}, "two or more different names"),
        ({"groups": ["a", "a"]}, "two or more different names"),
        ({"groups": "ab"}, "two or more different names"),
        ({"de_fraction": 1.5}, "de_fraction=1.5.*between 0 and 1"),
        ({"outlier_fraction": -0.1}, "outlier_fraction=-0.1.*between 0 and 1"),
        ({"log2fc_sd": -1.0}, "log2fc_sd=-1.0"),
        ({"replicate_sd": float("nan"), "paired": True}, "replicate_sd=nan"),
        ({"mean_count": 0.0}, "mean_count=0"),
        ({"dispersion": -0.1}, "dispersion=-0.1"),
        ({"n_batches": 0}, "n_batches=0"),
        ({"n_batches": 4, "n_per_group": 3}, "n_batches=4 is more than the smallest group, 3"),
        ({"paired": True, "n_per_group": [3, 4]}, "paired=True needs groups of one size"),
        ({"cells_per_replicate": 0}, "cells_per_replicate=0"),
    ],
)
def test_bad_options(option, message):
    with pytest.raises(InputError, match=message):
        simulate_counts(**option)

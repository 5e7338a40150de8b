"""Abundance, fits, likelihood ratios and fold changes at known dispersions, against edgeR 4.4.2."""

import numpy as np
import pytest

from dex.stats.abundance import ave_log_cpm, with_prior_count
from dex.stats.design_rows import DesignRows
from dex.stats.nb_glm import fit_nb_glm, fitted_means
from dex.stats.nb_groups import fit_groups
from dex.stats.nested import NullModel, likelihood_ratio, nb_deviance
from dex.stats.quasi import fit_quasi

WRITTEN = 2e-9  # ten digits are in the files
DEVIANCE = 5e-6  # edgeR adds a little to counts and means of deviances
ABSOLUTE = 1e-6  # likewise, where the deviance is nearly 0
LEVENBERG = 1.5e-3  # log2fc: without groups edgeR stops when the deviance changes by 1e-6
GROUPS = 1e-7  # log2fc: with groups it is Newton's method
KNOWN = enumerate((0.0, 0.07, 0.4), start=1)
CASES = ("df1", "df2", "batch", "groups", "covariate", "poisson")


@pytest.fixture(params=CASES, scope="module")
def case(request, edger_case):
    return edger_case(request.param)


def test_average_log_cpm(case):
    ours = ave_log_cpm(case.counts, case.lib_sizes)
    np.testing.assert_allclose(ours, case.read("known")["ave_log_cpm"], rtol=WRITTEN, atol=6e-9)


@pytest.mark.parametrize(("i", "dispersion"), list(KNOWN))
def test_fits_at_a_known_dispersion(case, i, dispersion):
    counts, known = case.counts, case.read("known")
    spread = np.full(counts.shape[1], dispersion)
    fit = fit_quasi(counts, case.rows, case.depths, spread)
    assert fit.converged.all()
    theirs = known[f"deviance_{i}"].to_numpy()
    np.testing.assert_allclose(fit.deviance, theirs, rtol=DEVIANCE, atol=ABSOLUTE)
    # theirs adds to the counts; beyond that, no likelihood of ours is below
    assert (fit.deviance <= theirs * (1 + 1e-6) + ABSOLUTE).all()
    null = NullModel.of(case.design, case.last)
    ratio = likelihood_ratio(counts, null, case.depths, spread, fit.deviance)
    np.testing.assert_allclose(ratio, known[f"lr_{i}"], rtol=DEVIANCE, atol=2e-6)
    raised, depths = with_prior_count(counts, case.depths, 0.125)
    log2fc = fit_nb_glm(raised, case.rows, depths, spread).coef[:, -1] / np.log(2)
    tolerance = GROUPS if case.grouped else LEVENBERG
    np.testing.assert_allclose(log2fc, known[f"log2fc_{i}"], atol=tolerance)


def test_shares_of_groups_are_the_fit_of_a_design_of_groups():
    rng = np.random.default_rng(3)
    index, depths = np.array([0, 1, 2, 0, 1, 2, 2]), rng.uniform(0.5, 2, 7)
    counts, spread = rng.negative_binomial(2, 0.05, (7, 5)).astype(float), rng.uniform(0, 1, 5)
    counts[index == 1, 0] = 0
    weights = rng.uniform(0.2, 2, (7, 5))
    shares = fit_groups(counts, index, depths, spread, weights=weights).share
    rows = DesignRows.from_design(np.eye(3)[index])
    coef = fit_nb_glm(counts, rows, depths, spread, weights=weights).coef
    mu = fitted_means(rows, depths, coef)
    np.testing.assert_allclose(shares[:, index].T * depths[:, None], mu, rtol=1e-9, atol=1e-9)
    assert shares[0, 1] == 0


def test_null_models_span_what_the_contrasts_leave():
    rng = np.random.default_rng(0)
    design, contrasts = rng.normal(size=(9, 4)), rng.normal(size=(2, 4))
    null = NullModel.of(design, np.vstack([contrasts, contrasts.sum(axis=0)]))
    assert null.df == 2
    assert null.design.n_coefs == 2
    left = np.linalg.svd(contrasts)[2][2:]  # coefficients for which the contrasts are zero
    spanned = np.hstack([design @ left.T, null.design.rows[null.design.index]])
    assert np.linalg.matrix_rank(spanned, tol=1e-9) == 2


def test_equal_groups_are_one_group_to_the_last_bit():
    group = np.repeat(np.arange(4), 3)
    design = np.eye(4)[group]
    for contrast in ([0, 1, 0, -1], [0, 0.1, 0, -0.1], [0, 1 / 3, 0, -1 / 3]):
        null = NullModel.of(design, np.array([contrast]))
        assert null.design.to_coef is not None
        assert len(null.design.rows) == 3


def test_a_null_model_of_nothing_is_the_depths():
    counts, depths = np.array([[3.0], [5.0]]), np.array([2.0, 6.0])
    null = NullModel.of(np.ones((2, 1)), np.ones((1, 1)))
    assert null.design.n_coefs == 0
    spread = np.array([0.2])
    ratio = likelihood_ratio(counts, null, depths, spread, np.zeros(1))
    size, mu = 5.0, depths
    y = counts[:, 0]
    expected = 2 * np.sum(y * np.log(y / mu) - (y + size) * np.log((y + size) / (mu + size)))
    np.testing.assert_allclose(ratio, expected)


def test_residual_df_leave_out_groups_without_counts():
    counts = np.array([[0, 0, 5.0, 9, 7], [0, 0, 0, 0, 0], [3, 1, 5, 9, 7]]).T
    design = np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 1]]).T
    fit = fit_quasi(counts, DesignRows.from_design(design), np.ones(5), 0.1)
    assert fit.df_residual.tolist() == [2, 0, 3]
    np.testing.assert_allclose(fit.adjusted.df[1], 0, atol=1e-9)


def test_residual_df_are_edgers(case):
    spread = case.read("dispersions")["trended"].to_numpy()
    fit = fit_quasi(case.counts, case.rows, case.depths, spread)
    np.testing.assert_array_equal(fit.df_residual, case.read("ql")["df_zeros_legacy"])


def test_deviance_is_the_same_by_itself(case):
    spread = np.full(case.counts.shape[1], 0.3)
    fit = fit_quasi(case.counts, case.rows, case.depths, spread)
    alone = nb_deviance(case.counts, case.rows, case.depths, spread, fit.coef)
    np.testing.assert_allclose(alone, fit.deviance, rtol=1e-9, atol=1e-9)

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from dex.errors import InputError
from dex.stats.design_rows import DesignRows
from dex.stats.nb_curvature import leverages, nb_covariance
from dex.stats.nb_glm import fit_nb_glm, fitted_means
from dex.stats.nested import nb_deviance

SAME = 5e-7  # statsmodels stops where the deviance does not move, at half of the digits
ROUNDING = 1e-10
N_OBS = 18


def simulate(seed=0, n_vars=8):
    """Counts in three batches and two conditions, depths, dispersions, a design with and without a
    covariate."""
    rng = np.random.default_rng(seed)
    batch, condition = np.arange(N_OBS) % 3, (np.arange(N_OBS) // 3) % 2
    design = np.column_stack([np.ones(N_OBS), batch == 1, batch == 2, condition]).astype(float)
    depths = np.exp(rng.normal(0, 0.3, N_OBS))
    coef = np.column_stack([rng.normal(3, 1, n_vars), rng.normal(0, 0.7, (n_vars, 3))])
    dispersion = np.exp(rng.normal(-2, 1, n_vars))
    dispersion[0] = 0.0
    mu = depths[:, None] * np.exp(design @ coef.T)
    shape = 1 / np.maximum(dispersion, 1e-8)
    counts = rng.poisson(rng.gamma(shape, 1 / shape, mu.shape) * mu).astype(float)
    slope = np.column_stack([design, rng.normal(size=N_OBS)])
    return counts, depths, dispersion, design, slope


def theirs(counts, design, depths, dispersion, weights=None):
    family = sm.families.NegativeBinomial(alpha=dispersion) if dispersion else sm.families.Poisson()
    model = sm.GLM(counts, design, family=family, offset=np.log(depths), var_weights=weights)
    return model.fit(tol=1e-14, maxiter=300)


@pytest.mark.parametrize("covariate", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_statsmodels(covariate, weighted):
    counts, depths, dispersion, design, slope = simulate()
    design = slope if covariate else design
    weights = np.random.default_rng(1).uniform(0.3, 2, counts.shape) if weighted else None
    rows = DesignRows.from_design(design)
    fit = fit_nb_glm(counts, rows, depths, dispersion, weights=weights)
    cov = nb_covariance(counts, rows, depths, dispersion, fit.coef, weights=weights)
    deviance = nb_deviance(counts, rows, depths, dispersion, fit.coef, weights=weights)
    assert fit.converged.all()
    upper = np.triu_indices(design.shape[1])
    for j in range(counts.shape[1]):
        w = None if weights is None else weights[:, j]
        result = theirs(counts[:, j], design, depths, dispersion[j], w)
        np.testing.assert_allclose(fit.coef[j], result.params, rtol=SAME, atol=SAME)
        np.testing.assert_allclose(deviance[j], result.deviance, rtol=SAME)
        np.testing.assert_allclose(cov[j], result.cov_params()[upper], rtol=1e-6, atol=SAME)


def test_means_and_leverages():
    counts, depths, dispersion, design, _ = simulate()
    rows = DesignRows.from_design(design)
    coef = fit_nb_glm(counts, rows, depths, dispersion).coef
    mu = fitted_means(rows, depths, coef)
    np.testing.assert_allclose(mu, depths[:, None] * np.exp(design @ coef.T), rtol=ROUNDING)
    cov = nb_covariance(counts, rows, depths, dispersion, coef)
    hat = leverages(rows, mu, dispersion, cov)
    np.testing.assert_allclose(hat.sum(axis=0), design.shape[1], rtol=ROUNDING)
    root = np.sqrt(mu[:, 3] / (1 + dispersion[3] * mu[:, 3]))
    Q = np.linalg.qr(root[:, None] * design)[0]
    np.testing.assert_allclose(hat[:, 3], np.square(Q).sum(axis=1), rtol=1e-8)


def test_depths_of_every_count():
    counts, depths, dispersion, design, _ = simulate()
    rows = DesignRows.from_design(design)
    factors = depths[:, None] * np.exp(np.random.default_rng(2).normal(0, 0.2, counts.shape))
    fit = fit_nb_glm(counts, rows, factors, dispersion)
    for j in (0, 4):
        result = theirs(counts[:, j], design, factors[:, j], dispersion[j])
        np.testing.assert_allclose(fit.coef[j], result.params, rtol=SAME, atol=SAME)
    same = fit_nb_glm(counts, rows, np.repeat(depths[:, None], 8, axis=1), dispersion)
    np.testing.assert_array_equal(same.coef, fit_nb_glm(counts, rows, depths, dispersion).coef)


def test_ridge_is_the_posterior_mode():
    counts, depths, dispersion, design, _ = simulate()
    rows, ridge = DesignRows.from_design(design), np.array([1e-6, 1e-6, 2.0, 5.0])
    fit = fit_nb_glm(counts, rows, depths, dispersion, ridge=ridge)
    j, a = 5, 1 / dispersion[5]

    def loss(coef):
        mu = depths * np.exp(design @ coef)
        log = counts[:, j] * np.log(mu) - (counts[:, j] + a) * np.log(mu + a)
        return -log.sum() + 0.5 * ridge @ np.square(coef)

    best = minimize(loss, fit.coef[j] + 0.1, method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(fit.coef[j], best.x, atol=1e-5)
    assert loss(fit.coef[j]) <= best.fun + 1e-12
    cov = nb_covariance(counts, rows, depths, dispersion, fit.coef, ridge=ridge)
    mu = depths * np.exp(design @ fit.coef[j])
    information = design.T @ ((mu / (1 + dispersion[j] * mu))[:, None] * design)
    bread = np.linalg.inv(information + np.diag(ridge))
    expected = bread @ information @ bread
    np.testing.assert_allclose(cov[j], expected[np.triu_indices(4)], rtol=1e-9, atol=1e-14)


def test_a_floor_solves_the_equations_with_floored_means():
    counts, depths, dispersion, design, _ = simulate()
    counts[design[:, 3] == 1, 2] = 0
    rows, floor = DesignRows.from_design(design), 0.5
    ridge = np.full(4, 1e-6 / np.log(2) ** 2)
    fit = fit_nb_glm(counts, rows, depths, dispersion, ridge=ridge, floor=floor)
    eta = design @ fit.coef[2]
    mu = np.maximum(depths * np.exp(eta), floor)
    w = mu / (1 + dispersion[2] * mu)
    response = np.log(mu / depths) + (counts[:, 2] - mu) / mu
    equations = design.T @ (w * (response - eta)) - ridge * fit.coef[2]
    np.testing.assert_allclose(equations, 0, atol=1e-4)


def test_groups_without_counts_have_a_mean_of_nothing():
    counts, depths, dispersion, design, _ = simulate()
    counts[design[:, 3] == 1, 2] = 0
    counts[:, 4] = 0
    rows = DesignRows.from_design(design)
    fit = fit_nb_glm(counts, rows, depths, dispersion)
    assert fit.converged.all()
    assert fit.coef[2, 3] < -20
    assert np.isfinite(fit.coef).all()
    assert fitted_means(rows, depths, fit.coef)[design[:, 3] == 1, 2].max() < 1e-8
    assert nb_deviance(counts, rows, depths, dispersion, fit.coef)[4] < 1e-8


class TestInvariance:
    counts, depths, dispersion, design, slope = simulate(seed=3)

    def coef(self, counts=None, design=None, depths=None):
        counts = self.counts if counts is None else counts
        rows = DesignRows.from_design(self.slope if design is None else design)
        return fit_nb_glm(
            counts, rows, self.depths if depths is None else depths, self.dispersion
        ).coef

    def test_genes(self):
        order = np.random.default_rng(0).permutation(8)
        ours = fit_nb_glm(
            self.counts[:, order],
            DesignRows.from_design(self.slope),
            self.depths,
            self.dispersion[order],
        )
        np.testing.assert_array_equal(ours.coef, self.coef()[order])

    def test_observations(self):
        order = np.random.default_rng(0).permutation(N_OBS)
        ours = self.coef(self.counts[order], self.slope[order], self.depths[order])
        np.testing.assert_allclose(ours, self.coef(), rtol=1e-7, atol=1e-9)

    def test_parametrisation(self):
        change = np.array(
            [
                [1.0, 2, 0, 0, 1],
                [0, 1, 0, 3, 0],
                [0, 0, 2, 0, 0],
                [0, 0, 0, 1, 0.0],
                [0, 0, 0, 0, 4],
            ]
        )
        ours = self.coef(design=self.slope @ np.linalg.inv(change))
        np.testing.assert_allclose(ours, self.coef() @ change.T, rtol=1e-7, atol=1e-8)

    def test_depth_is_an_intercept(self):
        ours = self.coef(depths=self.depths * 1e6)
        expected = self.coef()
        np.testing.assert_allclose(ours[:, 0], expected[:, 0] - np.log(1e6), rtol=1e-9)
        np.testing.assert_allclose(ours[:, 1:], expected[:, 1:], rtol=1e-7, atol=1e-8)

    def test_a_weight_of_two_is_an_observation_twice(self):
        weights = np.where(np.arange(N_OBS) == 4, 2.0, 1.0)
        rows = DesignRows.from_design(self.slope)
        ours = fit_nb_glm(self.counts, rows, self.depths, self.dispersion, weights=weights)
        twice = [*range(N_OBS), 4]
        expected = self.coef(self.counts[twice], self.slope[twice], self.depths[twice])
        np.testing.assert_allclose(ours.coef, expected, rtol=1e-8, atol=1e-9)

    def test_layout(self):
        np.testing.assert_array_equal(self.coef(np.asfortranarray(self.counts)), self.coef())


def test_shapes_that_do_not_fit():
    counts, _, dispersion, design, _ = simulate()
    with pytest.raises(InputError, match=r"shape \(3,\) belong neither to 18 observations"):
        fit_nb_glm(counts, DesignRows.from_design(design), np.ones(3), dispersion)


def scattered(seed=5, n_obs=9, n_vars=12):
    rng = np.random.default_rng(seed)
    counts = np.round(
        rng.negative_binomial(1.5, 0.05, (n_obs, n_vars)) * rng.lognormal(0, 1, n_vars)
    )
    return counts, rng.lognormal(0, 0.5, n_obs), rng.choice([0.0, 0.02, 0.7, 4.0], n_vars)


def test_groups_are_fitted_alike_by_shares_and_by_newton():
    counts, depths, dispersion = scattered()
    index = np.arange(9) % 3
    groups = (index[:, None] == np.arange(3)).astype(float)
    contrasts = groups @ np.array([[1.0, 0, 0], [1, 1, 0], [1, 0.5, 2]])
    for design in (groups, contrasts):
        rows = DesignRows.from_design(design)
        assert rows.to_coef is not None
        by_shares = fit_nb_glm(counts, rows, depths, dispersion)
        by_newton = fit_nb_glm(counts, replace(rows, to_coef=None), depths, dispersion)
        assert by_shares.converged.all()
        assert by_newton.converged.all()
        np.testing.assert_allclose(by_shares.coef, by_newton.coef, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("away", [-6.0, 0.0, 6.0])
def test_the_maximum_is_found_from_afar(away):
    counts, depths, dispersion = scattered()
    age = np.linspace(-2, 3, 9)
    rows = DesignRows.from_design(np.column_stack([np.ones(9), age, age > 0]))
    near = fit_nb_glm(counts, rows, depths, dispersion)
    start = near.coef + away * np.array([1.0, -0.5, 1.0])
    far = fit_nb_glm(counts, rows, depths, dispersion, start=start)
    assert far.converged.all()
    np.testing.assert_allclose(far.coef, near.coef, rtol=1e-8, atol=1e-9)
    mu = fitted_means(rows, depths, far.coef)
    slope = rows.rows[rows.index].T @ ((counts - mu) / (1 + dispersion * mu))
    np.testing.assert_allclose(slope, 0, atol=1e-6)

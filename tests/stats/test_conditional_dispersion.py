import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import gammaln
from scipy.stats import nbinom

from dex.stats.conditional_dispersion import DispersionPrior, fit_conditional_dispersion
from dex.stats.design_rows import DesignRows

OF_VALUES, AT_BOUND = 1e-9, 1e-5
"""Relative: of log probabilities; scipy's lose digits where there is hardly any dispersion."""


def objective(log_dispersion, y, mu, design, prior=None):
    dispersion = np.exp(log_dispersion)
    size = 1 / dispersion
    weights = mu / (1 + dispersion * mu)
    value = nbinom.logpmf(y, size, size / (size + mu)).sum()
    value -= 0.5 * np.linalg.slogdet(design.T * weights @ design)[1]
    if prior is not None:
        value -= 0.5 * (log_dispersion - prior.log_mean[0]) ** 2 / prior.var
    return value


def simulated(rng, n_obs, mean, dispersion):
    mu = mean * rng.lognormal(0, 0.5, n_obs)
    return rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mu)).astype(float), mu


DESIGNS = {
    "groups": np.column_stack([np.ones(8), np.arange(8) % 2]),
    "covariate": np.column_stack([np.ones(8), np.linspace(-1, 1, 8) ** 3]),
    "batches": np.column_stack([np.ones(8), np.arange(8) % 2, np.arange(8) > 3]),
}


@pytest.mark.parametrize("mean", [2.0, 100.0, 1e5])
@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("with_prior", [False, True])
def test_nothing_is_higher(name, mean, with_prior):
    rng = np.random.default_rng(3)
    design = DESIGNS[name]
    for _ in range(5):
        y, mu = simulated(rng, 8, mean, 0.3)
        prior = DispersionPrior(np.log([0.1]), 0.5) if with_prior else None
        fit = fit_conditional_dispersion(
            y[:, None], mu[:, None], DesignRows.from_design(design), np.array([0.1]), prior=prior
        )
        found = float(np.log(fit.dispersion[0]))
        near = minimize_scalar(
            lambda at, y=y, mu=mu, prior=prior: -objective(at, y, mu, design, prior),
            bounds=(max(found - 1, np.log(1e-8)), min(found + 1, np.log(10))),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert fit.converged[0]
        reached = objective(found, y, mu, design, prior)
        allowed = AT_BOUND if found < np.log(1e-7) else OF_VALUES
        assert reached >= -near.fun - allowed * abs(near.fun)


def test_slope_and_gain_are_those_of_the_objective():
    rng = np.random.default_rng(0)
    y, mu = simulated(rng, 8, 40.0, 0.3)
    design = DESIGNS["batches"]
    fit = fit_conditional_dispersion(
        y[:, None], mu[:, None], DesignRows.from_design(design), np.array([0.02])
    )
    step, at = 1e-4, np.log(0.02)
    ends = [objective(at + sign * step, y, mu, design) for sign in (-1, 1)]
    assert fit.slope[0] == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-5)
    gained = objective(np.log(fit.dispersion[0]), y, mu, design) - objective(at, y, mu, design)
    without = objective(at, y, mu, design) - nbinom_constant(y, mu)
    assert fit.gained[0] == pytest.approx(gained / abs(without), rel=1e-8)


def nbinom_constant(y, mu):
    """The part of the log probability that the dispersion has no part in."""
    return (y * np.log(mu) - gammaln(y + 1)).sum()


def test_poisson_counts_go_to_the_lower_bound():
    y = np.array([10.0, 10, 11, 9, 10, 10])
    design = DesignRows.from_design(np.ones((6, 1)))
    fit = fit_conditional_dispersion(y[:, None], np.full((6, 1), 10.0), design, np.array([0.1]))
    assert fit.dispersion[0] == pytest.approx(1e-8)


def test_a_narrow_prior_decides():
    rng = np.random.default_rng(1)
    y, mu = simulated(rng, 8, 40.0, 0.3)
    prior = DispersionPrior(np.log([0.01]), 1e-9)
    fit = fit_conditional_dispersion(
        y[:, None],
        mu[:, None],
        DesignRows.from_design(DESIGNS["groups"]),
        np.array([0.3]),
        prior=prior,
    )
    assert fit.dispersion[0] == pytest.approx(0.01, rel=1e-6)


def test_genes_do_not_know_of_each_other():
    rng = np.random.default_rng(2)
    pairs = [simulated(rng, 8, mean, 0.2) for mean in (3.0, 50.0, 2000.0)]
    counts, mu = (np.column_stack(part) for part in zip(*pairs, strict=True))
    rows = DesignRows.from_design(DESIGNS["groups"])
    together = fit_conditional_dispersion(counts, mu, rows, np.full(3, 0.1)).dispersion
    order = np.array([2, 0, 1])
    permuted = fit_conditional_dispersion(counts[:, order], mu[:, order], rows, np.full(3, 0.1))
    np.testing.assert_array_equal(permuted.dispersion, together[order])
    samples = rng.permutation(8)
    shuffled = fit_conditional_dispersion(
        counts[samples],
        mu[samples],
        DesignRows.from_design(DESIGNS["groups"][samples]),
        np.full(3, 0.1),
    )
    np.testing.assert_allclose(shuffled.dispersion, together, rtol=1e-8)

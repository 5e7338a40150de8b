import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from dex.errors import InputError
from dex.stats.adaptive_shrinkage import (
    UnimodalPrior,
    fit_unimodal_prior,
    shrink_unimodal,
)
from dex.stats.false_sign_rate import s_values
from dex.stats.mixture_weights import mixture_weights


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(2)
    n = 8000
    truth = np.where(rng.random(n) < 0.3, rng.normal(0, 1.5, n), 0.0)
    se = rng.gamma(3, 0.1, n) + 0.05
    return truth, truth + rng.normal(0, se), se


@pytest.mark.parametrize("null", [False, True])
def test_weights_are_the_best(simulated, null):
    """No component would gain from more weight: the gradient of the convex problem says so."""
    _, estimate, se = simulated
    prior = fit_unimodal_prior(estimate, se, null=null)
    likelihood = norm.pdf(estimate[:, None], scale=np.hypot(se[:, None], prior.sd))
    gain = (likelihood / (likelihood @ prior.weights)[:, None]).mean(axis=0)
    assert gain.max() < 1 + 1e-8
    np.testing.assert_allclose(gain[prior.weights > 1e-6], 1, atol=1e-6)
    assert prior.weights.sum() == pytest.approx(1)


def test_widths_are_of_the_paper(simulated):
    _, estimate, se = simulated
    sd = fit_unimodal_prior(estimate, se).sd
    np.testing.assert_allclose(sd[1:] / sd[:-1], np.sqrt(2))
    assert sd[-1] == pytest.approx(2 * np.sqrt((estimate**2 - se**2).max()))
    assert se.min() / 10 / np.sqrt(2) < sd[0] <= se.min() / 10


def test_shrinkage_is_better_and_rates_are_honest(simulated):
    truth, estimate, se = simulated
    posterior = shrink_unimodal(estimate, se, fit_unimodal_prior(estimate, se, null=True))
    assert np.square(posterior.estimate - truth).mean() < np.square(estimate - truth).mean() / 2
    called = s_values(posterior.false_sign_rate) < 0.05
    wrong = np.sign(posterior.estimate) != np.sign(truth)
    n = called.sum()
    assert n > 500
    assert wrong[called].mean() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / n)
    nulls = posterior.null_rate[called].mean()
    assert (truth[called] == 0).mean() < nulls + 4 * np.sqrt(nulls / n)


@pytest.mark.parametrize("lfc", [0.0, 0.3])
def test_posterior_is_the_integral(lfc):
    prior = UnimodalPrior(np.array([0.2, 1.0]), np.array([0.7, 0.3]))
    b, s = -0.8, 0.5
    found = shrink_unimodal([b], [s], prior, lfc=lfc)

    def density(x):
        return norm.pdf(b, x, s) * (norm.pdf(x, scale=prior.sd) @ prior.weights)

    total = quad(density, -9, 9, points=[0])[0]
    mean = quad(lambda x: x * density(x), -9, 9, points=[0])[0] / total
    square = quad(lambda x: x**2 * density(x), -9, 9, points=[0])[0] / total
    wrong = quad(density, -lfc, 9, points=[0])[0] / total
    assert found.estimate[0] == pytest.approx(mean)
    assert found.sd[0] == pytest.approx(np.sqrt(square - mean**2))
    assert found.false_sign_rate[0] == pytest.approx(wrong)
    assert found.null_rate[0] == 0


def test_signs_and_order_do_not_matter(simulated):
    _, estimate, se = simulated
    order = np.random.default_rng(0).permutation(len(se))
    there, back = (
        fit_unimodal_prior(b, s) for b, s in ((estimate, se), (-estimate[order], se[order]))
    )
    np.testing.assert_allclose(there.weights, back.weights, atol=1e-6)
    one, other = shrink_unimodal(estimate, se, there), shrink_unimodal(-estimate, se, there)
    np.testing.assert_array_equal(one.estimate, -other.estimate)


def test_missing_stays_missing(simulated):
    _, estimate, se = simulated
    b, s = np.r_[estimate, np.nan, 1.0, 1.0], np.r_[se, 1.0, np.nan, 0.0]
    prior = fit_unimodal_prior(b, s)
    np.testing.assert_array_equal(prior.weights, fit_unimodal_prior(estimate, se).weights)
    posterior = shrink_unimodal(b, s, prior)
    assert np.isnan(posterior.estimate[-3:]).all()
    assert np.isfinite(posterior.estimate[:-3]).all()


def test_all_noise_is_shrunk_to_nothing():
    posterior_of = np.linspace(-1, 1, 51), np.full(51, 2.0)
    prior = fit_unimodal_prior(*posterior_of)
    assert np.abs(shrink_unimodal(*posterior_of, prior).estimate).max() < 0.05


def test_nothing_to_shrink():
    with pytest.raises(InputError, match="nothing to shrink"):
        fit_unimodal_prior([np.nan], [1.0])


def test_weights_of_two_components_are_known():
    rng = np.random.default_rng(0)
    first = rng.random(4000) < 0.25
    x = np.where(first, rng.normal(-3, 1, 4000), rng.normal(3, 1, 4000))
    weights = mixture_weights(norm.logpdf(x[:, None], loc=[-3, 3, 40]))
    assert weights[0] == pytest.approx(first.mean(), abs=0.005)
    assert weights[2] == 0

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from dex.stats.adjusted_profile import maximise_dispersion
from dex.stats.design_rows import DesignRows
from dex.stats.nb_glm import fit_nb_glm, fitted_means
from dex.stats.profile_grid import adjusted_profile

ROUNDING = 1e-9
FLAT = 1e-6  # where scipy stops on a parabola's top
BOUNDS = (np.log(1e-8), np.log(24.0))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    n_obs, n_vars = 12, 6
    index = np.arange(n_obs)
    design = np.column_stack([np.ones(n_obs), index % 2, index / n_obs])
    depths = np.exp(rng.normal(0, 0.3, n_obs))
    coef = np.column_stack([rng.normal(3.5, 1, n_vars), rng.normal(0, 0.7, (n_vars, 2))])
    dispersion = np.exp(rng.normal(-1.5, 1, n_vars))
    mu = depths[:, None] * np.exp(design @ coef.T)
    counts = rng.poisson(rng.gamma(1 / dispersion, dispersion, mu.shape) * mu).astype(float)
    rows = DesignRows.from_design(design)
    fitted = fitted_means(rows, depths, fit_nb_glm(counts, rows, depths, dispersion).coef)
    return counts, depths, design, rows, fitted


def by_definition(y, mu, design, log_dispersion, weights=1.0, *, adjust=True):
    a = np.exp(-log_dispersion)
    log = gammaln(y + a) - gammaln(a) + y * np.log(mu / (mu + a)) - a * np.log1p(mu / a)
    information = design.T @ ((weights * mu / (1 + mu / a))[:, None] * design)
    determinant = np.linalg.slogdet(information)[1]
    return np.sum(weights * log) - (0.5 * determinant if adjust else 0.0)


def test_refitted_profile(data):
    counts, depths, design, rows, _ = data
    grid = np.array([-4.0, -1.0, 1.0])
    ours = adjusted_profile(counts, rows, depths, grid)
    weights = np.random.default_rng(0).uniform(0.5, 2, counts.shape)
    weighted = adjusted_profile(counts, rows, depths, grid, weights=weights)
    expected = np.empty((2, *ours.shape))
    for g, at in enumerate(grid):
        dispersion = np.full(6, np.exp(at))
        for values, w in zip(expected, (None, weights), strict=True):
            coef = fit_nb_glm(counts, rows, depths, dispersion, weights=w).coef
            mu = fitted_means(rows, depths, coef)
            for j in range(6):
                weight = 1.0 if w is None else w[:, j]
                values[j, g] = by_definition(counts[:, j], mu[:, j], design, at, weight)
    for values, defined in zip((ours, weighted), expected, strict=True):
        np.testing.assert_allclose(np.diff(values), np.diff(defined), atol=ROUNDING)


def test_a_grid_of_each_gene(data):
    counts, depths, _, rows, _ = data
    grid = np.array([-3.0, 0.5])
    every = adjusted_profile(counts, rows, depths, np.repeat(grid[None], 6, axis=0))
    np.testing.assert_array_equal(every, adjusted_profile(counts, rows, depths, grid))


@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("adjust", [False, True])
def test_maximum(data, prior, adjust):
    counts, _, design, rows, mu = data
    centre, var = np.linspace(-3, 0, 6), 0.4
    options = {"prior_mean": centre, "prior_var": var} if prior else {}
    found = maximise_dispersion(
        counts, mu, rows, np.full(6, -1.0), bounds=BOUNDS, adjust=adjust, **options
    )
    assert found.converged.all()
    for j in range(6):

        def loss(at, j=j):
            value = by_definition(counts[:, j], mu[:, j], design, at, adjust=adjust)
            return -value + ((at - centre[j]) ** 2 / (2 * var) if prior else 0.0)

        best = minimize_scalar(loss, bounds=BOUNDS, method="bounded", options={"xatol": 1e-9})
        assert loss(found.log_dispersion[j]) <= best.fun + 1e-10
        if found.log_dispersion[j] == BOUNDS[0]:
            continue
        np.testing.assert_allclose(found.log_dispersion[j], best.x, atol=FLAT * 10)
        h, at = 1e-3, found.log_dispersion[j]
        bend = (2 * loss(at) - loss(at - h) - loss(at + h)) / h**2
        np.testing.assert_allclose(found.curvature[j], bend, rtol=1e-4)


def test_poisson_counts_end_at_the_lower_bound(data):
    *_, rows, mu = data
    found = maximise_dispersion(np.rint(mu), mu, rows, np.full(6, -1.0), bounds=BOUNDS)
    np.testing.assert_array_equal(found.log_dispersion, BOUNDS[0])
    assert found.converged.all()


def test_start_does_not_matter_to_the_only_maximum(data):
    counts, _, _, rows, mu = data
    ends = [
        maximise_dispersion(counts, mu, rows, np.full(6, start), bounds=BOUNDS).log_dispersion
        for start in (-15.0, -4.0, 0.0, 3.0)
    ]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], atol=1e-8)

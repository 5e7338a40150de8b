"""Common, trended and tagwise dispersions, and quasi-dispersions, against edgeR 4.4.2."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from dex.stats.abundance import ave_log_cpm
from dex.stats.adjusted_deviance import abundant_genes, typical_quasi_dispersion
from dex.stats.common_dispersion import evenly_spaced, fit_common_dispersion
from dex.stats.design_rows import DesignRows
from dex.stats.ebayes import squeeze_var
from dex.stats.profile_grid import adjusted_profile
from dex.stats.quasi import fit_quasi
from dex.stats.spline_maximum import spline_maximum
from dex.stats.weighted_likelihood import (
    LOG_DISPERSIONS,
    dispersion_at_maximum,
    posterior_dispersion,
    shared_likelihood,
    trend_span,
)

OPTIMIZE = 5e-5  # edgeR's optimize(tol = 1e-5), along some root of the dispersion
NO_COUNTS = 0.03  # 'batch': groups without counts leave rounding in edgeR's determinants
LEVENBERG = 5e-6  # edgeR's fits without groups are not tight
GROUPS = 5e-7
LIKELIHOOD = 5e-4  # its fits of large counts, at 1e-6 of their deviance
EDGER_MOMENTS = 3e-3  # its approximate moments of unit deviances; ours are exact
CASES = ("df1", "df2", "batch", "groups", "covariate", "poisson")


@pytest.fixture(params=CASES, scope="module")
def case(request, edger_case):
    return edger_case(request.param)


def tolerance(case):
    return NO_COUNTS if case.name == "batch" else GROUPS if case.grouped else LEVENBERG


def test_profiles(case):
    theirs = case.read("known")[["apl_1", "apl_2", "apl_3"]].to_numpy()
    with np.errstate(divide="ignore"):
        ours = adjusted_profile(case.counts, case.rows, case.depths, np.log([0.0, 0.07, 0.4]))
    # Where a group has no counts, edgeR's determinant is of rounding, unless all are groups.
    left = fit_quasi(case.counts, case.rows, case.depths, 0.1).df_residual
    clean = case.grouped | (left == np.subtract(*case.design.shape))
    np.testing.assert_allclose(
        np.diff(ours)[clean], np.diff(theirs)[clean], atol=LIKELIHOOD, rtol=1e-7
    )


def test_dispersion_of_abundant_genes(case):
    abundance = ave_log_cpm(case.counts, case.lib_sizes)
    top = abundant_genes(abundance, np.subtract(*case.design.shape))
    counts = np.asfortranarray(case.counts[:, top])
    found = fit_common_dispersion(counts, case.rows, case.depths_of(top))
    theirs = case.numbers["dispersion_new"]
    np.testing.assert_allclose(found, theirs, rtol=OPTIMIZE)
    at = np.log([found, theirs])
    profiles = adjusted_profile(counts, case.rows, case.depths_of(top), at)
    assert np.diff(profiles).sum() <= 1e-9  # theirs is no better


def test_weighted_likelihood(case):
    table, numbers = case.read("dispersions"), case.numbers
    used = case.counts.sum(axis=0) >= 5
    counts = np.asfortranarray(case.counts[:, used])
    profiles = adjusted_profile(counts, case.rows, case.depths_of(used), LOG_DISPERSIONS)
    profiles -= profiles[:, :1]
    common = dispersion_at_maximum(profiles.sum(axis=0))
    np.testing.assert_allclose(common, numbers["common"], rtol=tolerance(case))
    np.testing.assert_allclose(trend_span(used.sum()), numbers["span"])
    abundance = ave_log_cpm(counts, case.lib_sizes, dispersion=numbers["common"])
    shared = shared_likelihood(profiles, abundance)
    trend = dispersion_at_maximum(shared)
    np.testing.assert_allclose(trend, table["trended"][used], rtol=tolerance(case))
    weight = numbers["prior_df"] / np.subtract(*case.design.shape)
    own = posterior_dispersion(profiles, shared, weight)
    np.testing.assert_allclose(own, table["tagwise"][used], rtol=2 * tolerance(case))
    fit = fit_quasi(counts, case.rows, case.depths_of(used), trend)
    s2 = np.divide(fit.deviance, fit.df_residual, where=fit.df_residual > 0, out=0 * trend)
    for robust, theirs in ((False, numbers["prior_df"]), (True, table["prior_df_robust"][used])):
        prior = squeeze_var(s2, fit.df_residual, covariate=abundance, robust=robust).prior
        ours = np.broadcast_to(prior.df, trend.shape)
        expected = np.broadcast_to(theirs, trend.shape)
        # optimize() in squeezeVar, where degrees of freedom differ
        np.testing.assert_allclose(ours, expected, rtol=0.02 if case.name == "batch" else 1e-3)


@pytest.mark.parametrize("how", ["new", "given"])
def test_quasi_dispersions(case, how):
    numbers, table = case.numbers, case.read("ql")
    dispersion, typical = numbers[f"dispersion_{how}"], numbers[f"average_ql_{how}"]
    fit = fit_quasi(case.counts, case.rows, case.depths, dispersion, quasi_dispersion=typical)
    known = table[f"df_adj_{how}"].to_numpy() > 1e-4
    for ours, theirs in ((fit.adjusted.df, "df_adj"), (fit.adjusted.deviance, "deviance_adj")):
        np.testing.assert_allclose(
            ours[known], table[f"{theirs}_{how}"][known], rtol=EDGER_MOMENTS, atol=1e-7
        )
    assert (fit.adjusted.df[~known] < 1e-4).all()
    abundance = ave_log_cpm(case.counts, case.lib_sizes)
    again = 1.0
    for _ in range(2):
        now = fit_quasi(case.counts, case.rows, case.depths, dispersion, quasi_dispersion=again)
        again = typical_quasi_dispersion(now.adjusted.quasi_dispersion, abundance)
    # in 'batch', genes without any degrees of freedom but rounding have a say in edgeR
    np.testing.assert_allclose(again, typical, rtol=0.02 if case.name == "batch" else 3e-3)


def test_no_dispersion_is_found_at_the_bound():
    counts = np.tile([[10.0], [11.0], [10.0]], (1, 30))
    rows = DesignRows.from_design(np.ones((3, 1)))
    assert fit_common_dispersion(counts, rows, np.ones(3)) == 0
    assert np.isnan(fit_common_dispersion(counts[:, :0], rows, np.ones(3)))
    assert np.isnan(fit_common_dispersion(np.ones((3, 4)), rows, np.ones(3)))


def test_splines_are_those_of_forsythe():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(200, 7))
    found = spline_maximum(values, start=2.0, step=0.5)
    grid = 2.0 + 0.5 * np.arange(7)
    fine = np.linspace(0, 6, 6001)
    for y, at in zip(values, found, strict=True):
        third = np.diff(y, 3)
        bend = np.linalg.solve(*_system(y, third))
        spline = CubicSpline(np.arange(7), y, bc_type=((2, bend[0]), (2, bend[-1])))
        near = np.abs(fine - np.argmax(y)) <= 1
        best = spline(fine[near]).max()
        assert spline((at - 2.0) / 0.5) >= best - 1e-12
        assert grid[0] <= at <= grid[-1]


def _system(y, third):
    n = len(y)
    system, right = np.zeros((n, n)), np.zeros(n)
    for i in range(1, n - 1):
        system[i, i - 1 : i + 2], right[i] = (1, 4, 1), 6 * (y[i - 1] - 2 * y[i] + y[i + 1])
    system[0, :2], system[-1, -2:] = (-1, 1), (-1, 1)
    right[0], right[-1] = third[0], third[-1]
    return system, right


def test_evenly_spaced_genes():
    assert evenly_spaced(np.array([3.0, 1, 2]), 5).tolist() == [1, 2, 0]
    assert evenly_spaced(np.arange(10.0), 3).tolist() == [1, 4, 7]


def test_an_infinite_prior_leaves_the_trend():
    rng = np.random.default_rng(0)
    own, shared = rng.normal(size=(2, 4, 21))
    np.testing.assert_array_equal(
        posterior_dispersion(own, shared, np.inf), dispersion_at_maximum(shared)
    )
    np.testing.assert_array_equal(
        posterior_dispersion(own, shared, 0.0), dispersion_at_maximum(own)
    )

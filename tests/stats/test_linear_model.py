import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from dex.errors import InputError
from dex.stats.basis import Basis, JointContrasts, SeparateContrasts
from dex.stats.linear_model import contrast_f_test, contrast_t_test, lm_fit

REFERENCE = Path(__file__).parents[1] / "reference" / "lm"
SAME_STAT = 1e-10
SAME_LOG10_P = 1e-9
# The same numbers in another order of summation.
SAME_ROUNDING = 1e-11
# A covariate with a mean a thousand times its spread costs three digits, in its variance six.
ILL_CONDITIONED = 1e-8


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv")


def simulate(n_obs=24, n_vars=40, seed=0):
    """Return values (n_obs, n_vars) and a design of intercept, two groups and a covariate."""
    rng = np.random.default_rng(seed)
    group = np.arange(n_obs) % 3
    design = np.column_stack(
        [np.ones(n_obs), group == 1, group == 2, rng.normal(size=n_obs)]
    ).astype(float)
    effects = rng.normal(scale=3, size=(4, n_vars))
    noise = rng.normal(size=(n_obs, n_vars)) * np.exp(rng.normal(size=n_vars))
    return 5 + design @ effects + noise * (1 + group[:, None]), design


CONTRASTS = np.array([[0.0, 1, 0, 0], [0, 1, -1, 0], [0, 0, 0, 1], [1, 0.5, 0.5, 2]])


def fit_design(values, design):
    return lm_fit(values, Basis.from_design(design))


def t_test(values, design, contrasts=CONTRASTS, *, hc3=False):
    basis = Basis.from_design(design)
    prepared = SeparateContrasts.from_basis(basis, contrasts, hc3=hc3)
    return contrast_t_test(lm_fit(values, basis), prepared)


def f_test(values, design, contrasts=CONTRASTS, *, hc3=False):
    basis = Basis.from_design(design)
    prepared = JointContrasts.from_basis(basis, contrasts, hc3=hc3)
    return contrast_f_test(lm_fit(values, basis), prepared)


@pytest.mark.parametrize(
    ("model", "tested"),
    [("additive", ["conditionx", "conditiony"]), ("interaction", ["batchb:age"])],
)
class TestEqualsR:
    values = read("values").to_numpy()

    @staticmethod
    def by_gene(table, column, terms):
        wide = table.pivot_table(index="gene", columns="term", values=column, sort=False)
        return wide[terms].to_numpy()

    def test_coefficients(self, model, tested):
        table, design = read(f"{model}_coef"), read(f"{model}_design")
        terms = list(design)
        for hc3, suffix in ((False, ""), (True, "_hc3")):
            fit = fit_design(self.values, design)
            test = t_test(self.values, design, np.eye(len(terms)), hc3=hc3)
            pairs = [
                (fit.coef, "coef", SAME_STAT),
                (test.estimate, "coef", SAME_STAT),
                (test.se, f"se{suffix}", SAME_STAT),
                (test.stat, f"t{suffix}", SAME_STAT),
                (test.log10_pval, f"log10_pval{suffix}", SAME_LOG10_P),
            ]
            for ours, column, rtol in pairs:
                np.testing.assert_allclose(ours, self.by_gene(table, column, terms), rtol=rtol)

    def test_f(self, model, tested):
        table, design = read(f"{model}_f"), read(f"{model}_design")
        fit = fit_design(self.values, design)
        rows = [design.columns.get_loc(t) for t in tested]
        test = f_test(self.values, design, np.eye(design.shape[1])[rows])
        assert test.df_num == table["df_num"].iloc[0] == len(tested)
        assert test.df_den == table["df_den"].iloc[0] == fit.df_residual
        np.testing.assert_allclose(fit.var, table["var"], rtol=SAME_STAT)
        np.testing.assert_allclose(test.stat, table["F"], rtol=SAME_STAT)
        np.testing.assert_allclose(test.log10_pval, table["log10_pval"], rtol=SAME_LOG10_P)


@pytest.mark.parametrize("hc3", [False, True])
class TestEqualsStatsmodels:
    values, design = simulate()

    def results(self, hc3):
        kind = {"cov_type": "HC3", "use_t": True} if hc3 else {}
        return [sm.OLS(gene, self.design).fit(**kind) for gene in self.values.T]

    def test_t(self, hc3):
        ours = t_test(self.values, self.design, hc3=hc3)
        for j, result in enumerate(self.results(hc3)):
            theirs = result.t_test(CONTRASTS)
            np.testing.assert_allclose(ours.stat[j], theirs.statistic.ravel(), rtol=SAME_STAT)
            np.testing.assert_allclose(ours.se[j], theirs.sd.ravel(), rtol=SAME_STAT)
            np.testing.assert_allclose(
                ours.log10_pval[j], np.log10(theirs.pvalue), rtol=SAME_LOG10_P
            )

    def test_wald_f(self, hc3):
        ours = f_test(self.values, self.design, CONTRASTS[:3], hc3=hc3)
        theirs = [result.f_test(CONTRASTS[:3]) for result in self.results(hc3)]
        np.testing.assert_allclose(ours.stat, [float(f.fvalue) for f in theirs], rtol=SAME_STAT)
        np.testing.assert_allclose(
            ours.log10_pval, np.log10([float(f.pvalue) for f in theirs]), rtol=SAME_LOG10_P
        )


def both_tests(values, design, contrasts=CONTRASTS, *, hc3):
    t, f = (test(values, design, contrasts, hc3=hc3) for test in (t_test, f_test))
    return np.column_stack([t.stat, t.log10_pval, f.stat, f.log10_pval])


@pytest.mark.parametrize("hc3", [False, True])
class TestInvariance:
    values, design = simulate(seed=1)

    def assert_same(self, values, design, hc3, contrasts=CONTRASTS, rtol=SAME_ROUNDING):
        expected = both_tests(self.values, self.design, hc3=hc3)
        np.testing.assert_allclose(
            both_tests(values, design, contrasts, hc3=hc3), expected, rtol=rtol
        )

    def test_scale(self, hc3):
        self.assert_same(self.values * 1e-7, self.design, hc3)

    def test_shift(self, hc3):
        ours = both_tests(self.values + 1e4, self.design, CONTRASTS[:3], hc3=hc3)
        expected = both_tests(self.values, self.design, CONTRASTS[:3], hc3=hc3)
        # Values of 1e4 have four digits less for the rest.
        np.testing.assert_allclose(ours, expected, rtol=1e-8)

    def test_gene_permutation(self, hc3):
        order = np.random.default_rng(0).permutation(self.values.shape[1])
        expected = both_tests(self.values, self.design, hc3=hc3)[order]
        ours = both_tests(self.values[:, order], self.design, hc3=hc3)
        np.testing.assert_allclose(ours, expected, rtol=SAME_ROUNDING)

    def test_sample_permutation(self, hc3):
        order = np.random.default_rng(0).permutation(len(self.design))
        self.assert_same(self.values[order], self.design[order], hc3)

    def test_layout(self, hc3):
        self.assert_same(np.asfortranarray(self.values), np.asfortranarray(self.design), hc3)

    def test_units_of_a_covariate(self, hc3):
        units = np.array([1.0, 1, 1, 1e9])
        self.assert_same(self.values, self.design / units, hc3, CONTRASTS / units)

    def test_length_of_a_contrast(self, hc3):
        ours = both_tests(self.values, self.design, CONTRASTS * 1e6, hc3=hc3)
        self.assert_same(self.values, self.design, hc3, CONTRASTS * [[1e6], [1e-6], [3], [1]])
        assert np.isfinite(ours).all()

    def test_parametrisation(self, hc3):
        """Cell means or treatment coding: the same contrasts have the same tests."""
        cells = self.design.copy()
        cells[:, 0] -= cells[:, 1] + cells[:, 2]
        to_treatment = np.array([[1.0, 0, 0, 0], [-1, 1, 0, 0], [-1, 0, 1, 0], [0, 0, 0, 1]])
        self.assert_same(self.values, cells, hc3, CONTRASTS @ to_treatment)

    def test_float32(self, hc3):
        single = self.values.astype(np.float32)
        before = single.copy()
        ours = both_tests(single, self.design, hc3=hc3)
        assert ours.dtype == np.float64
        np.testing.assert_array_equal(single, before)
        np.testing.assert_array_equal(
            ours, both_tests(single.astype(np.float64), self.design, hc3=hc3)
        )

    def test_one_row_f_is_t_squared(self, hc3):
        t = t_test(self.values, self.design, hc3=hc3)
        f = f_test(self.values, self.design, CONTRASTS[[1]], hc3=hc3)
        np.testing.assert_allclose(f.stat, t.stat[:, 1] ** 2, rtol=SAME_ROUNDING)
        np.testing.assert_allclose(f.log10_pval, t.log10_pval[:, 1], rtol=SAME_ROUNDING)

    def test_dependent_contrasts_are_reduced_to_their_rank(self, hc3):
        base = f_test(self.values, self.design, CONTRASTS[:2], hc3=hc3)
        more = np.vstack([CONTRASTS[:2], [[0.0, 0, 1, 0], [0, 0, 0, 0], [0, 7, -3, 0]]])
        test = f_test(self.values, self.design, more, hc3=hc3)
        assert test.df_num == base.df_num == 2
        np.testing.assert_allclose(test.stat, base.stat, rtol=SAME_ROUNDING)


def test_duplicated_observations_double_the_information():
    values, design = simulate(seed=2)
    bases = Basis.from_design(design), Basis.from_design(np.tile(design, (2, 1)))
    once, twice = lm_fit(values, bases[0]), lm_fit(np.tile(values, (2, 1)), bases[1])
    np.testing.assert_allclose(twice.coef, once.coef, rtol=SAME_ROUNDING)
    np.testing.assert_allclose(bases[1].cov_unscaled, bases[0].cov_unscaled / 2, rtol=SAME_ROUNDING)
    rss_once, rss_twice = once.var * once.df_residual, twice.var * twice.df_residual
    np.testing.assert_allclose(rss_twice, 2 * rss_once, rtol=SAME_ROUNDING)


@pytest.mark.parametrize("hc3", [False, True])
class TestIllConditioned:
    """A year as covariate, not centred: full rank, and the group's test must not move."""

    years = np.resize([2019.0, 2020, 2021, 2022, 2023], 24)
    values = simulate()[0]
    centred = np.column_stack([np.ones(24), np.arange(24) % 2, years - 2021])
    contrasts = np.array([[0.0, 1, 0], [0, 0, 1]])

    @pytest.mark.parametrize("unit", [1.0, 1e6, 1e-6])
    def test_year(self, hc3, unit):
        raw = self.centred.copy()
        raw[:, 2] = self.years * unit
        expected = t_test(self.values, self.centred, self.contrasts, hc3=hc3)
        ours = t_test(self.values, raw, self.contrasts, hc3=hc3)
        np.testing.assert_allclose(ours.stat, expected.stat, rtol=SAME_STAT)
        np.testing.assert_allclose(ours.log10_pval, expected.log10_pval, rtol=SAME_LOG10_P)

    def test_prediction_at_the_mean_year(self, hc3):
        raw = self.centred.copy()
        raw[:, 2] = self.years
        expected = t_test(self.values, self.centred, [[1.0, 0, 0]], hc3=hc3)
        ours = t_test(self.values, raw, [[1.0, 0, 2021]], hc3=hc3)
        np.testing.assert_allclose(ours.stat, expected.stat, rtol=ILL_CONDITIONED)

    def test_gene_that_follows_the_year_exactly_is_constant(self, hc3):
        raw = self.centred.copy()
        raw[:, 2] = self.years
        values = self.centred @ np.array([[3.0, 0, 0.1], [1, 0.3, 0.7]]).T
        assert fit_design(values, raw).constant.all()
        assert np.isnan(t_test(values, raw, self.contrasts, hc3=hc3).stat).all()


@pytest.mark.parametrize("hc3", [False, True])
class TestNoVariance:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_exactly_fitted_genes_have_no_test(self, hc3, dtype):
        _, design = simulate(n_obs=300)
        rng = np.random.default_rng(5)
        levels = rng.normal(size=(3, 50)) * np.geomspace(1e-8, 1e8, 50)
        values = levels[np.arange(300) % 3]
        values[:, :10] = levels[0, :10]
        values[:, 0] = 0
        values = values.astype(dtype)
        fit = fit_design(values, design)
        assert fit.constant.all()
        assert (fit.var == 0).all()
        t = t_test(values, design, hc3=hc3)
        f = f_test(values, design, CONTRASTS[:2], hc3=hc3)
        np.testing.assert_array_equal(t.se, 0)
        assert np.isnan([t.stat, t.log10_pval]).all()
        assert np.isnan([f.stat, f.log10_pval]).all()

    def test_tiny_variance_is_not_zero(self, hc3):
        values, design = simulate()
        assert not fit_design(1.0 + 1e-9 * values, design).constant.any()
        ours = t_test(1.0 + 1e-9 * values, design, CONTRASTS[:3], hc3=hc3).stat
        expected = t_test(values, design, CONTRASTS[:3], hc3=hc3).stat
        # Seven digits are left of 1e-9 beside 1.
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)

    def test_no_residual_df(self, hc3):
        values, design = simulate(n_obs=4)
        fit, t = fit_design(values, design), t_test(values, design, hc3=hc3)
        f = f_test(values, design, CONTRASTS[:2], hc3=hc3)
        assert fit.df_residual == t.df == f.df_den == 0
        assert not fit.constant.any()
        np.testing.assert_allclose(design @ fit.coef.T, values, rtol=1e-9)
        np.testing.assert_allclose(t.estimate, fit.coef @ CONTRASTS.T, rtol=SAME_ROUNDING)
        for empty in (fit.var, t.se, t.stat, t.log10_pval, f.stat, f.log10_pval):
            assert np.isnan(empty).all()

    def test_nan_stays_in_its_gene(self, hc3):
        values, design = simulate()
        expected = both_tests(values, design, hc3=hc3)
        values[3, 7] = np.nan
        ours = both_tests(values, design, hc3=hc3)
        assert np.isnan(ours[7]).all()
        others = np.arange(values.shape[1]) != 7
        np.testing.assert_allclose(ours[others], expected[others], rtol=SAME_ROUNDING)
        assert not fit_design(values, design).constant[7]

    def test_no_genes(self, hc3):
        assert both_tests(np.zeros((24, 0)), simulate()[1], hc3=hc3).shape == (0, 10)


class TestHc3Degenerate:
    def test_leverage_of_one(self):
        """A group of one has no residual: contrasts with it have no HC3, the others have."""
        values, _ = simulate(n_obs=9)
        group = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
        contrasts = np.array([[-1.0, 1, 0], [-1, 0, 1], [0, -1, 1]])
        test = t_test(values, np.eye(3)[group], contrasts, hc3=True)
        assert np.isnan(test.se[:, 1:]).all()
        assert np.isnan(test.log10_pval[:, 1:]).all()
        expected = t_test(values[:8], np.eye(2)[group[:8]], contrasts[:1, :2], hc3=True)
        np.testing.assert_allclose(test.stat[:, :1], expected.stat, rtol=SAME_ROUNDING)
        assert test.df == expected.df

    def test_leverage_of_one_in_the_reference(self):
        values, _ = simulate(n_obs=9)
        group = np.array([2, 2, 2, 2, 1, 1, 1, 1, 0])
        design = np.eye(3)[group]
        design[:, 0] = 1
        test = t_test(values, design, [[0.0, 1, -1], [0, 1, 0]], hc3=True)
        assert np.isfinite(test.stat[:, 0]).all()
        assert np.isnan(test.se[:, 1]).all()
        assert np.isnan(f_test(values, design, np.eye(3)[1:], hc3=True).stat).all()
        assert np.isfinite(f_test(values, design, [[0.0, 1, -1]], hc3=True).stat).all()

    @pytest.mark.parametrize("treatment", [False, True])
    def test_groups_without_variance(self, treatment):
        """Two constant groups beside a third: no infinite t between them."""
        rng = np.random.default_rng(0)
        values = np.repeat([[1 / 3], [0.7], [0.0]], 5, axis=0) + np.zeros((1, 6))
        values[10:] = rng.normal(size=(5, 6))
        design = np.repeat(np.eye(3), 5, axis=0)
        contrasts = np.array([[1.0, -1, 0], [1, 0, -1]])
        if treatment:
            design[:, 2] = 1
            contrasts = np.array([[1.0, -1, 0], [1, 0, 0]])
        test = t_test(values, design, contrasts, hc3=True)
        assert not fit_design(values, design).constant.any()
        np.testing.assert_array_equal(test.se[:, 0], 0)
        assert np.isnan(test.stat[:, 0]).all()
        assert np.isfinite(test.log10_pval[:, 1]).all()
        assert np.isnan(f_test(values, design, contrasts, hc3=True).stat).all()


class TestWork:
    @pytest.mark.parametrize("hc3", [False, True])
    def test_blocks_share_one_decomposition(self, hc3, monkeypatch):
        values, design = simulate()
        expected = t_test(values, design, hc3=hc3).stat
        basis = Basis.from_design(design)
        prepared = SeparateContrasts.from_basis(basis, CONTRASTS, hc3=hc3)
        for name in ("qr", "svd", "inv", "solve", "cholesky", "matrix_rank"):
            monkeypatch.delattr(np.linalg, name)
        ours = contrast_t_test(lm_fit(values, basis), prepared).stat
        np.testing.assert_array_equal(ours, expected)

    def test_hc3_of_few_contrasts_of_many_coefficients_is_small(self):
        """A covariance of all coefficients would take n_obs x 60 x 61 / 2 numbers."""
        n_obs, n_coefs = 3000, 60
        values = np.random.default_rng(0).normal(size=(n_obs, 5))
        basis = Basis.from_design(np.eye(n_coefs)[np.arange(n_obs) % n_coefs])
        contrasts = np.eye(n_coefs)[:2] - np.eye(n_coefs)[2:4]
        tracemalloc.start()
        fit = lm_fit(values, basis)
        contrast_t_test(fit, SeparateContrasts.from_basis(basis, contrasts, hc3=True))
        contrast_f_test(fit, JointContrasts.from_basis(basis, contrasts, hc3=True))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * n_obs * n_coefs


def test_observations_differ():
    values, design = simulate()
    with pytest.raises(InputError, match="24 observations and the values have 23"):
        fit_design(values[1:], design)

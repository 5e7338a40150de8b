"""Mixed models against lme4 and lmerTest (tests/reference/mixed), and against themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import DesignError, InputError
from dex.stats.basis import Basis
from dex.stats.mixed_model import BlockedDesign, fit_mixed_models
from dex.stats.packed import quadratic_forms
from dex.stats.reml_ratio import Spectrum, reml_ratio
from dex.stats.satterthwaite import contrast_matrices, satterthwaite_df, satterthwaite_f_test
from dex.stats.tails import t_log10_pval

FOLDER = Path(__file__).parents[1] / "reference" / "mixed"
CASES = ["crossed", "nested", "three", "weights"]
OPTIMUM = 2e-6  # of R's theta: its likelihood is flat to 1e-15 over the root of that
SAME_P = 5e-6  # of log10 p, for the same reason; R's derivatives are numerical, to 1e-9 or so
SAME_ESTIMATE = 1e-9  # where nothing is optimised
ROUNDING = 1e-9


def table(name):
    return pd.read_csv(FOLDER / f"{name}.csv.gz")


class Case:
    def __init__(self, name):
        self.name = name
        self.genes = table(f"{name}_values").to_numpy()
        self.X = table(f"{name}_design").to_numpy(float)
        self.codes = table(f"{name}_block")["block"].to_numpy()
        self.weights = table("weights_weights").to_numpy() if name == "weights" else None
        long = table(f"{name}_coef")
        shape = (self.genes.shape[1], self.X.shape[1])
        self.r = {column: long[column].to_numpy().reshape(shape) for column in long.columns}
        self.singular = self.r["singular"][:, 0] == 1

    @property
    def design(self):
        return BlockedDesign.of(Basis.from_design(self.X), self.codes)

    @property
    def fit(self):
        return fit_mixed_models(self.genes, self.design, weights=self.weights)


def statistics_of(fit, contrasts):
    variance = quadratic_forms(fit.cov, contrasts)
    df = satterthwaite_df(variance, quadratic_forms(fit.cov_between, contrasts), fit.uncertainty)
    stat = fit.coef @ contrasts.T / np.sqrt(variance)
    return variance, df, stat, t_log10_pval(stat, df)


@pytest.mark.parametrize("name", CASES)
class TestAgainstR:
    def test_estimates_are_lme4s(self, name):
        case = Case(name)
        fit = case.fit
        np.testing.assert_array_equal(fit.singular, case.singular)
        k = case.X.shape[1]
        variance = statistics_of(fit, np.eye(k))[0]
        for ours, theirs in (
            (fit.coef, case.r["coef"]),
            (np.sqrt(variance), case.r["se"]),
            (np.repeat(fit.var[:, None], k, axis=1), case.r["var"]),
            (np.repeat((fit.var * fit.ratio)[:, None], k, axis=1), case.r["var_block"]),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=OPTIMUM, atol=OPTIMUM)
            some = case.singular
            np.testing.assert_allclose(ours[some], theirs[some], rtol=SAME_ESTIMATE, atol=1e-12)

    def test_p_values_are_lmertests_where_blocks_differ(self, name):
        case = Case(name)
        _, df, stat, log10_pval = statistics_of(case.fit, np.eye(case.X.shape[1]))
        some = ~case.singular
        np.testing.assert_allclose(df[some], case.r["df"][some], rtol=OPTIMUM)
        np.testing.assert_allclose(stat[some], case.r["t"][some], rtol=OPTIMUM, atol=OPTIMUM)
        assert np.abs(log10_pval - case.r["log10_pval"])[some].max() < SAME_P

    def test_singular_fits_have_no_more_df_than_blocks_give(self, name):
        case = Case(name)
        design = case.design
        df = statistics_of(case.fit, np.eye(case.X.shape[1]))[1][case.singular]
        assert (case.r["df"][case.singular] > design.df_between).all()  # lmerTest's do
        if name != "crossed":
            return
        np.testing.assert_array_less(df[:, 2], design.df_between + 0.1)  # age is one of a donor

    def test_likelihood_is_no_lower_than_lme4s(self, name):
        case = Case(name)
        fit, design = case.fit, case.design
        ours = np.array([deviance(case, design, fit, j) for j in range(len(fit.var))])
        theirs = case.r["deviance"][:, 0]
        assert (ours <= theirs + 1e-9).all()
        np.testing.assert_allclose(ours, theirs, atol=1e-8)


def deviance(case, design, fit, j):
    """-2 log restricted likelihood by its definition, of matrices ``n x n``."""
    w = np.ones(len(case.X)) if case.weights is None else case.weights[:, j]
    same = np.equal.outer(case.codes, case.codes)
    V = fit.var[j] * (np.diag(1 / w) + fit.ratio[j] * same)
    X, inverse = case.X, np.linalg.inv(V)
    gram = X.T @ inverse @ X
    residuals = case.genes[:, j] - X @ fit.coef[j]
    n, k = X.shape
    logs = np.linalg.slogdet(V)[1] + np.linalg.slogdet(gram)[1]
    return (n - k) * np.log(2 * np.pi) + logs + residuals @ inverse @ residuals


@pytest.mark.parametrize("name", ["crossed", "three"])
def test_joint_tests_are_contest_mds(name):
    case, e = Case(name), np.eye(5)
    joint = [np.eye(3)[1:]] if name == "crossed" else [e[1:3], e[2:4], [e[1] - e[2], e[1], e[2]]]
    fit, r = case.fit, table(f"{name}_joint")
    for k, L in enumerate(map(np.asarray, joint)):
        test = satterthwaite_f_test(
            fit.coef @ L.T,
            contrast_matrices(fit.cov, L),
            contrast_matrices(fit.cov_between, L),
            fit.uncertainty,
        )
        theirs = r[r.test == k + 1]
        some = ~case.singular
        assert test.df_num == theirs.df_num.iloc[0]
        np.testing.assert_allclose(test.stat, theirs.F, rtol=OPTIMUM, atol=OPTIMUM)
        np.testing.assert_allclose(test.df_den[some], theirs.df_den[some], rtol=OPTIMUM)
        assert np.abs(test.log10_pval - theirs.log10_pval)[some].max() < SAME_P


def test_joint_tests_of_unlike_units():
    """F does not depend on units, and no contrast is lost among large ones."""
    case, tests = Case("three"), []
    fit = case.fit
    for unit in (1.0, 1e-7):
        L = np.eye(5)[2:] * np.array([[1.0], [1.0], [unit]])
        test = satterthwaite_f_test(
            fit.coef @ L.T,
            contrast_matrices(fit.cov, L),
            contrast_matrices(fit.cov_between, L),
            fit.uncertainty,
        )
        assert test.df_num == 3
        tests.append(test)
    np.testing.assert_allclose(tests[1].stat, tests[0].stat, rtol=1e-6)
    assert (tests[1].df_den > 2).mean() > 0.9  # others, as they depend on the contrasts given


@pytest.mark.parametrize("name", CASES)
class TestInvariance:
    def statistics(self, case, contrast):
        variance, df, stat, _ = statistics_of(case.fit, contrast)
        return np.concatenate([variance, df, stat], axis=1)

    def test_order_of_observations_and_genes(self, name):
        case = Case(name)
        expected = self.statistics(case, np.eye(case.X.shape[1]))
        rng = np.random.default_rng(0)
        rows, genes = rng.permutation(len(case.X)), rng.permutation(case.genes.shape[1])
        case.genes = case.genes[rows][:, genes]
        case.X, case.codes = case.X[rows], case.codes[rows]
        if case.weights is not None:
            case.weights = case.weights[rows][:, genes]
        found = self.statistics(case, np.eye(case.X.shape[1]))
        np.testing.assert_allclose(found, expected[genes], rtol=1e-6)

    def test_coding_of_the_design(self, name):
        case = Case(name)
        expected = self.statistics(case, np.eye(case.X.shape[1])[1:2])
        turn = np.random.default_rng(1).normal(size=(case.X.shape[1],) * 2)
        case.X = case.X @ turn
        found = self.statistics(case, turn[1:2])
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_unit_of_the_values(self, name):
        case = Case(name)
        first = statistics_of(case.fit, np.eye(case.X.shape[1]))
        case.genes = 1000 * case.genes
        again = statistics_of(case.fit, np.eye(case.X.shape[1]))
        np.testing.assert_allclose(again[1], first[1], rtol=1e-6)
        np.testing.assert_allclose(again[2], first[2], rtol=1e-6)

    def test_weights_of_one_are_no_weights(self, name):
        case = Case(name)
        case.weights = None
        expected = self.statistics(case, np.eye(case.X.shape[1]))
        case.weights = np.ones_like(case.genes)
        found = self.statistics(case, np.eye(case.X.shape[1]))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_balanced_designs_are_the_analysis_of_variance():
    """Between blocks on blocks' df, within on theirs, exactly, singular or not."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(8), 2)
    X = np.column_stack([np.ones(16), np.arange(16) >= 8, np.tile([0, 1], 8)])
    values = rng.normal(size=(16, 200)) + 0.3 * rng.normal(size=(8, 200))[codes]
    design = BlockedDesign.of(Basis.from_design(X), codes)
    fit = fit_mixed_models(values, design)
    df = statistics_of(fit, np.eye(3)[1:])[1]
    assert 0.1 < fit.singular.mean() < 0.9
    assert (design.df_between, design.df_within) == pytest.approx((6, 7))
    np.testing.assert_allclose(df, np.tile([6.0, 7.0], (200, 1)), rtol=1e-6)


@pytest.mark.parametrize("ratio", [0.0, 0.2, 2.0])
@pytest.mark.parametrize("where", ["within", "between"])
def test_error_rate_is_held(ratio, where):
    """One-sided gates of four standard errors; at ratio 0 lmerTest's df call 6.8% within pairs."""
    rng, n_genes = np.random.default_rng(7), 20_000
    codes = np.repeat(np.arange(6), 2)
    factor = np.tile([0, 1], 6) if where == "within" else codes > 2
    design = BlockedDesign.of(Basis.from_design(np.column_stack([np.ones(12), factor])), codes)
    donors = rng.normal(size=(6, n_genes))[codes]
    fit = fit_mixed_models(rng.normal(size=(12, n_genes)) + np.sqrt(ratio) * donors, design)
    pval = 10 ** statistics_of(fit, np.array([[0.0, 1.0]]))[3][:, 0]
    for level, most in ((0.05, 0.06), (0.001, 0.002)):
        assert (pval < level).mean() < most + 4 * np.sqrt(most / n_genes)


def test_the_better_of_two_optima_is_found():
    """Parts of unlike size can make two dips: the search goes down the deeper."""
    rng = np.random.default_rng(3)
    eigenvalues = np.array([[0.01, 0.01, 0.01, 40.0, 40.0, 40.0]])
    squares = rng.chisquare(1, (3000, 6)) * np.array([9.0, 9, 9, 0.5, 0.5, 0.5])
    spectrum = Spectrum(eigenvalues, squares, rng.chisquare(4, 3000), 10)
    found = reml_ratio(spectrum)
    fine = np.r_[0.0, np.logspace(-9, 9, 2000)]
    values = np.stack([spectrum.deviance(np.full(3000, at)) for at in fine])
    dips = ((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:])).sum(axis=0)
    dips += values[0] < values[1]
    assert (dips > 1).any()
    assert (spectrum.deviance(found) <= values.min(axis=0) + ROUNDING).all()


def test_genes_without_variance_within_blocks_have_no_test():
    codes = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    X = np.column_stack([np.ones(8), np.arange(8) > 3])
    rng = np.random.default_rng(0)
    values = np.column_stack([np.full(8, 3.3), rng.normal(size=4)[codes], rng.normal(size=8)])
    fit = fit_mixed_models(values, BlockedDesign.of(Basis.from_design(X), codes))
    assert fit.constant.tolist() == [True, True, False]
    assert np.isnan(statistics_of(fit, np.eye(2))[3]).all(axis=1).tolist() == [True, True, False]


def test_designs_that_leave_no_room_are_refused():
    codes = np.array([0, 0, 1, 1, 2, 2])
    with pytest.raises(DesignError, match="knows every block already"):
        BlockedDesign.of(Basis.from_design(np.eye(3)[codes]), codes)
    within = np.kron(np.eye(3), [[1.0], [-1.0]])
    with pytest.raises(DesignError, match="no degrees of freedom within blocks"):
        BlockedDesign.of(Basis.from_design(np.column_stack([np.ones(6), within])), codes)
    design = BlockedDesign.of(Basis.from_design(np.ones((6, 1))), codes)
    with pytest.raises(InputError, match="has 6 observations, the values have 5"):
        fit_mixed_models(np.zeros((5, 2)), design)

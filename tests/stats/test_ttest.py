from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from dex.stats.moments import group_moments
from dex.stats.ttest import (
    TTest,
    anova,
    paired_t_test,
    student_t_test,
    welch_anova,
    welch_t_test,
)
from dex.typing import REST

STAT_RTOL = 1e-10
"""Agreement asked of t and F with scipy."""
LOG10_ATOL = 1e-9
"""Agreement asked of log10 p."""
NOISE_RTOL = 1e-9
"""Agreement with rational arithmetic where the data have six digits of noise on 1e6."""

TESTS = np.array([[0, 1], [2, 0], [1, REST], [3, REST]])


@pytest.fixture
def rng():
    return np.random.default_rng(20240602)


@pytest.fixture
def data(rng):
    codes = rng.integers(-1, 4, 40)
    values = rng.normal(5, 1, (40, 8)) * (1 + codes[:, None] % 3) + 0.7 * codes[:, None]
    return values, codes


def sides(values, codes, test):
    group, reference = test
    rest = (codes >= 0) & (codes != group)
    return values[codes == group], values[rest if reference == REST else codes == reference]


def assert_scipy(test: TTest, t: int, expected) -> None:
    np.testing.assert_allclose(test.stat[:, t], expected.statistic, rtol=STAT_RTOL)
    np.testing.assert_allclose(test.df[:, t], expected.df, rtol=STAT_RTOL)
    log10_pval = np.log10(expected.pvalue)
    np.testing.assert_allclose(test.log10_pval[:, t], log10_pval, rtol=0, atol=LOG10_ATOL)


@pytest.mark.parametrize(("t_test", "equal_var"), [(welch_t_test, False), (student_t_test, True)])
def test_two_samples_equal_scipy(data, t_test, equal_var):
    values, codes = data
    test = t_test(group_moments(values, codes, 4), TESTS)
    for t, pair in enumerate(TESTS):
        a, b = sides(values, codes, pair)
        assert_scipy(test, t, stats.ttest_ind(a, b, equal_var=equal_var))
        difference = a.mean(axis=0) - b.mean(axis=0)
        np.testing.assert_allclose(test.mean_diff[:, t], difference, rtol=STAT_RTOL)
    np.testing.assert_allclose(test.stat, test.mean_diff / test.mean_diff_se, rtol=1e-15)


def test_pairs_equal_scipy(rng):
    values, pairs = rng.normal(size=(30, 5)), rng.permutation(30)[:22].reshape(11, 2)
    test = paired_t_test(values, pairs)
    assert_scipy(test, 0, stats.ttest_rel(values[pairs[:, 0]], values[pairs[:, 1]]))
    swapped = paired_t_test(values, pairs[:, ::-1])
    np.testing.assert_array_equal(swapped.stat, -test.stat)


@pytest.mark.parametrize("t_test", [welch_t_test, student_t_test])
def test_swapped_sides_change_the_sign_only(data, t_test):
    moments = group_moments(*data, 4)
    forward, backward = (t_test(moments, np.array([pair])) for pair in ([0, 1], [1, 0]))
    np.testing.assert_allclose(forward.stat, -backward.stat, rtol=1e-14)
    np.testing.assert_allclose(forward.log10_pval, backward.log10_pval, rtol=1e-12)


def test_noise_on_a_large_value(rng):
    values = 1e6 + 1e-4 * rng.normal(size=(12, 6))
    codes = np.repeat([0, 1], [5, 7])
    test = welch_t_test(group_moments(values, codes, 2), np.array([[0, 1]]))
    for j, column in enumerate(values.T):
        moments = []
        for g in (0, 1):
            x = [Fraction(v) for v in column[codes == g]]
            mean = sum(x) / len(x)
            moments.append((mean, sum((v - mean) ** 2 for v in x) / (len(x) - 1) / len(x)))
        (mean, var), (other_mean, other_var) = moments
        stat = float(mean - other_mean) / float(var + other_var) ** 0.5
        assert test.stat[j, 0] == pytest.approx(stat, rel=NOISE_RTOL)


def test_pval_does_not_underflow():
    values = np.repeat([0.0, 1.0], 300)[:, None] + 1e-3 * np.tile([-1.0, 1.0], 300)[:, None]
    codes = np.repeat([0, 1], 300)
    test = student_t_test(group_moments(values, codes, 2), np.array([[1, 0]]))
    assert -3000 < test.log10_pval.item() < -1000


@pytest.mark.parametrize("t_test", [welch_t_test, student_t_test])
def test_no_variance_on_either_side(t_test):
    values = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 3.0], [1.0, 3.0]])
    test = t_test(group_moments(values, np.array([0, 0, 1, 1]), 2), np.array([[1, 0]]))
    assert test.mean_diff.ravel().tolist() == [0.0, 2.0]
    assert test.mean_diff_se.ravel().tolist() == [0.0, 0.0]
    for part in (test.stat, test.df, test.log10_pval):
        assert np.isnan(part).all()


def test_welch_with_one_constant_side():
    a, b = [0.0, 0.0, 0.0], [1.0, 2.0, 4.0]
    values, codes = np.array([a + b]).T, np.repeat([0, 1], 3)
    test = welch_t_test(group_moments(values, codes, 2), np.array([[1, 0]]))
    assert test.df.item() == 2.0  # the constant side adds nothing to the uncertainty
    assert_scipy(test, 0, stats.ttest_ind([b], [a], equal_var=False, axis=1))


@pytest.mark.parametrize(
    ("n", "welch", "student"),
    [((1, 1), False, False), ((2, 1), False, True), ((2, 2), True, True), ((3, 0), False, False)],
)
def test_too_few_observations(rng, n, welch, student):
    values, codes = rng.normal(size=(sum(n), 3)), np.repeat([0, 1], n)
    moments = group_moments(values, codes, 2)
    for t_test, enough in ((welch_t_test, welch), (student_t_test, student)):
        test = t_test(moments, np.array([[0, 1]]))
        assert (np.isfinite(test.log10_pval) == enough).all()
        assert (np.isfinite(test.stat) == enough).all()
        assert (np.isfinite(test.mean_diff) == (min(n) > 0)).all()


@pytest.mark.parametrize("n_pairs", [0, 1])
def test_too_few_pairs(rng, n_pairs):
    values = rng.normal(size=(2, 3))
    test = paired_t_test(values, np.array([[0, 1]] * n_pairs, dtype=np.intp))
    assert test.stat.shape == (3, 1)
    assert np.isnan(test.log10_pval).all()
    expected = values[0] - values[1] if n_pairs else np.full(3, np.nan)
    np.testing.assert_array_equal(test.mean_diff[:, 0], expected)


def test_a_nan_gene_is_nan_and_the_others_are_not(data):
    values, codes = data
    values[np.flatnonzero(codes == 0)[0], 3] = np.nan
    test = welch_t_test(group_moments(values, codes, 4), TESTS)
    assert np.isnan(test.log10_pval[3]).all()  # group 0 is part of every test
    assert np.isfinite(np.delete(test.log10_pval, 3, axis=0)).all()


@pytest.mark.parametrize(("f_test", "equal"), [(anova, True), (welch_anova, False)])
def test_anova_equals_scipy_and_statsmodels(data, f_test, equal):
    values, codes = data
    test = f_test(group_moments(values, codes, 4))
    groups = [values[codes == g] for g in range(4)]
    scipy = stats.f_oneway(*groups, equal_var=equal)
    np.testing.assert_allclose(test.stat, scipy.statistic, rtol=STAT_RTOL)
    np.testing.assert_allclose(test.log10_pval, np.log10(scipy.pvalue), rtol=0, atol=LOG10_ATOL)
    use_var = "equal" if equal else "unequal"
    for j in range(values.shape[1]):
        result = anova_oneway([group[:, j] for group in groups], use_var=use_var)
        assert test.stat[j] == pytest.approx(result.statistic, rel=STAT_RTOL)
        assert (test.df_num[j], test.df_den[j]) == pytest.approx(result.df, rel=STAT_RTOL)


@pytest.mark.parametrize(
    ("f_test", "t_test"), [(anova, student_t_test), (welch_anova, welch_t_test)]
)
def test_of_two_groups_f_is_t_squared(data, f_test, t_test):
    values, codes = data
    codes = np.where(codes > 1, -1, codes)
    values[codes == 1, 0] = 0.0  # constant in one group
    moments = group_moments(values, codes, 3)  # the third group is empty
    f, t = f_test(moments), t_test(moments, np.array([[0, 1]]))
    np.testing.assert_allclose(f.stat, t.stat[:, 0] ** 2, rtol=STAT_RTOL)
    np.testing.assert_allclose(f.df_den, t.df[:, 0], rtol=STAT_RTOL)
    np.testing.assert_allclose(f.log10_pval, t.log10_pval[:, 0], rtol=0, atol=LOG10_ATOL)


def test_anova_of_noise_on_a_large_value(rng):
    noise, codes = rng.normal(size=(15, 4)).round(3), np.repeat([0, 1, 2], 5)
    scale = 2.0**-30  # exact, also on top of 2**20
    for f_test in (anova, welch_anova):
        near_zero = f_test(group_moments((noise * 1000).round(), codes, 3))
        large = f_test(group_moments(2.0**20 + scale * (noise * 1000).round(), codes, 3))
        np.testing.assert_allclose(large.stat, near_zero.stat, rtol=STAT_RTOL)


@pytest.mark.parametrize("f_test", [anova, welch_anova])
def test_anova_of_nothing_that_varies(f_test):
    values = np.array([[1.0, 1.0]] * 3 + [[1.0, 2.0]] * 3)
    test = f_test(group_moments(values, np.repeat([0, 1], 3), 2))
    assert np.isnan(test.stat).all()
    assert np.isnan(test.log10_pval).all()


def test_welch_anova_with_constant_groups_is_the_limit(rng):
    codes = np.repeat([0, 1, 2, 3], 6)
    noise = rng.normal(size=(24, 3))
    varying = np.where(codes[:, None] > 1, noise + 0.3 * codes[:, None], 0.0)
    varying[codes == 1, 1] = noise[codes == 1, 1]  # gene 1: one constant group, the others two
    varying[codes == 1, 2] = 1.0  # gene 2: two constants that differ
    test = welch_anova(group_moments(varying, codes, 4))
    tiny = 1e-5 * np.tile([-1.0, 1.0], 12)[:, None] * (codes[:, None] < 2)
    near = welch_anova(group_moments(varying + tiny, codes, 4))
    np.testing.assert_allclose(test.stat[:2], near.stat[:2], rtol=1e-6)
    np.testing.assert_allclose(test.df_den[:2], near.df_den[:2], rtol=1e-6)
    assert np.isnan(test.log10_pval[2])
    assert near.stat[2] > 1e6


def test_anova_with_a_group_of_one(rng):
    values, codes = rng.normal(size=(9, 2)), np.array([0, 1, 1, 1, 1, 2, 2, 2, 2])
    moments = group_moments(values, codes, 3)
    classical = stats.f_oneway(values[:1], values[1:5], values[5:])
    np.testing.assert_allclose(anova(moments).stat, classical.statistic, rtol=STAT_RTOL)
    assert np.isnan(welch_anova(moments).stat).all()


@pytest.mark.parametrize("f_test", [anova, welch_anova])
def test_anova_needs_groups_and_observations(rng, f_test):
    values = rng.normal(size=(3, 2))
    for codes in ([0, 0, 0], [0, 1, 2]):
        test = f_test(group_moments(values, np.array(codes), 3))
        assert np.isnan(test.log10_pval).all()
        assert test.stat.shape == (2,)

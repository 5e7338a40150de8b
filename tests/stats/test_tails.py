import numpy as np
import pytest
from scipy import stats

from dex.stats.tails import (
    chi2_log10_pval,
    f_log10_pval,
    log10_pval_against,
    normal_log10_pval,
    t_log10_pval,
    t_quantile,
)

# Measured against mpmath at 45 digits over 900 points: 1.2e-13 at worst.
SAME = 1e-12
# Scipy's survival functions are right to 1e-11 or so; near p = 1 that is all of log10 p.
QUANTILE_RTOL = 1e-11  # scipy's own quantiles are found by a search that stops about there
SCIPY = {"rtol": 1e-9, "atol": 1e-10}

# log10 p by mpmath at 45 digits, from continued fractions.
NORMAL = [
    (1e-10, -3.4651686196630805e-11),
    (0.1, -0.036049661062642284),
    (1.0, -0.4985155458279893),
    (1.5, -0.8741467259508352),
    (5.0, -6.241615676726673),
    (37.0, -298.94115118294593),
    (40.0, -349.13597646368186),
    (1000.0, -217150.33901199873),
    (1e8, -2171472409516267.2),
]
T = [
    (0.5, 3.3, -0.18806652987317823),
    (2.0, 1.0, -0.529931852532505),
    (1e5, 30.0, -128.6834202153781),
    (200.0, 1e6, -8519.060233619943),
    (40.0, 1e12, -349.1359761853861),
    (37.0, 2.5, -3.763310675276733),
    (1e-8, 7.0, -3.343993266401704e-09),
    (9.0, 1e9, -18.64643369006679),
]
F = [
    (0.2, 3.0, 8.0, -0.048900633244316496),
    (1.0, 5.0, 5.0, -0.3010299956639812),
    (3.0, 7.3, 77.7, -2.1588768539468988),
    (1e4, 2.0, 1e4, -2385.6062735983123),
    (50.0, 100.0, 5.0, -3.7743308475069988),
    (1.3, 1e5, 1e5, -374.63115501723325),
    (1e-3, 20.0, 30.0, -1.4548834767332545e-26),
    (400.0, 500.0, 1e6, -38855.422687400445),
]
CHI2 = [
    (0.01, 0.5, -0.1506302808862845),
    (1.0, 1.0, -0.4985155458279893),
    (50.0, 3.0, -10.097497834915991),
    (1e5, 10.0, -21697.308391642706),
    (1200.0, 1.0, -262.21470086465615),
    (2e4, 1e4, -668.5711869499843),
    (99.0, 100.0, -0.29287950986732664),
    (1e-3, 10.0, -1.1305040745827196e-19),
]


@pytest.mark.parametrize(
    ("function", "table"),
    [(normal_log10_pval, NORMAL), (t_log10_pval, T), (f_log10_pval, F), (chi2_log10_pval, CHI2)],
)
def test_reference(function, table):
    *arguments, expected = np.array(table).T
    np.testing.assert_allclose(function(*arguments), expected, rtol=SAME, atol=0)


class TestAgainstScipy:
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 30, 60)])

    def test_normal(self):
        expected = np.log10(2 * stats.norm.sf(self.grid))
        np.testing.assert_allclose(normal_log10_pval(self.grid), expected, **SCIPY)
        np.testing.assert_array_equal(normal_log10_pval(-self.grid), normal_log10_pval(self.grid))

    @pytest.mark.parametrize("df", [0.3, 1.0, 4.0, 58.5, 2e4])
    def test_t(self, df):
        expected = np.log10(2 * stats.t.sf(self.grid, df))
        np.testing.assert_allclose(t_log10_pval(self.grid, df), expected, **SCIPY)

    @pytest.mark.parametrize("df_num", [1.0, 2.5, 40.0])
    @pytest.mark.parametrize("df_den", [0.5, 3.0, 1000.0])
    def test_f(self, df_num, df_den):
        expected = np.log10(stats.f.sf(self.grid, df_num, df_den))
        ours = f_log10_pval(self.grid, df_num, df_den)
        np.testing.assert_allclose(ours, expected, **SCIPY)

    @pytest.mark.parametrize("df", [0.5, 1.0, 8.0, 300.0])
    def test_chi2(self, df):
        expected = np.log10(stats.chi2.sf(self.grid, df))
        np.testing.assert_allclose(chi2_log10_pval(self.grid, df), expected, **SCIPY)


class TestIdentities:
    """Relations that hold far beyond the reach of double precision."""

    size = np.geomspace(0.01, 1e6, 50)

    def test_f_with_two_numerator_degrees_is_a_power(self):
        for df in (1.0, 30.0, 1e7):
            expected = -df / 2 * np.log1p(2 * self.size / df) / np.log(10)
            np.testing.assert_allclose(f_log10_pval(self.size, 2, df), expected, rtol=SAME)

    def test_chi2_with_two_degrees_is_exponential(self):
        expected = -self.size / 2 / np.log(10)
        np.testing.assert_allclose(chi2_log10_pval(self.size, 2), expected, rtol=SAME)

    def test_infinite_df_is_the_normal_limit(self):
        np.testing.assert_allclose(
            t_log10_pval(self.size, np.inf), normal_log10_pval(self.size), rtol=SAME
        )
        np.testing.assert_allclose(
            f_log10_pval(self.size, 3, np.inf), chi2_log10_pval(3 * self.size, 3), rtol=SAME
        )

    def test_large_df_approaches_the_limit(self):
        z = np.array([0.3, 3.0, 30.0, 60.0])
        # The next term of the expansion in 1 / df is z^4 / (4 df), relative to z^2 / 2.
        np.testing.assert_allclose(t_log10_pval(z, 1e13), normal_log10_pval(z), rtol=1e-9)

    @pytest.mark.parametrize("df", [3.0, 30.0, 1e4, 1e6])
    def test_smooth_and_decreasing_across_the_switch(self, df):
        """Where scipy hands over to the continued fraction, no step of 1e-12 shows."""
        middle = np.sqrt(df * np.expm1(2 * 250 * np.log(10) / df)) if df > 10 else 1e80
        t = middle * np.linspace(0.97, 1.03, 4001)
        log_p = t_log10_pval(t, df)
        assert (np.diff(log_p) < 0).all()
        bend = np.abs(np.diff(log_p, 3))
        assert bend.max() < 10 * np.median(np.abs(np.diff(log_p, 2))) + 4e-11


class TestEdges:
    functions = (
        normal_log10_pval,
        lambda x: t_log10_pval(x, 3),
        lambda x: t_log10_pval(x, np.inf),
        lambda x: f_log10_pval(x, 2, 5),
        lambda x: f_log10_pval(x, 2, np.inf),
        lambda x: chi2_log10_pval(x, 2),
    )

    @pytest.mark.parametrize("function", functions)
    def test_zero_infinity_nan(self, function):
        np.testing.assert_array_equal(function([0.0, np.inf, np.nan]), [0.0, -np.inf, np.nan])
        assert not np.signbit(function([0.0, -0.0])).any()

    @pytest.mark.parametrize("function", functions)
    def test_shape(self, function):
        for shape in [(), (0,), (3, 0), (2, 3)]:
            assert function(np.ones(shape)).shape == shape

    def test_minus_infinity(self):
        assert normal_log10_pval(-np.inf) == -np.inf
        assert t_log10_pval(-np.inf, 4) == -np.inf

    def test_impossible_df_is_nan(self):
        assert np.isnan(t_log10_pval(2.0, [0.0, -1.0, np.nan])).all()
        assert np.isnan(f_log10_pval(2.0, [0.0, np.nan, np.inf, 1], [1, 1, 1, 0.0])).all()
        assert np.isnan(chi2_log10_pval(2.0, [0.0, np.nan, np.inf])).all()

    def test_below_the_support_p_is_one(self):
        assert f_log10_pval(-1.0, 2, 5) == 0
        assert chi2_log10_pval(-1.0, 2) == 0

    def test_df_broadcasts(self):
        stat, df = np.array([[1.0], [200.0]]), np.array([3.0, 1e5, np.inf])
        expected = [[float(t_log10_pval(s, d)) for d in df] for s in stat[:, 0]]
        np.testing.assert_array_equal(t_log10_pval(stat, df), expected)

    def test_far_beyond_underflow(self):
        assert t_log10_pval(1e4, 1e7) == pytest.approx(-1e7 / 2 * np.log10(1 + 10), rel=1e-5)
        assert np.isfinite(f_log10_pval(1e299, 5, 1e9))
        assert np.isfinite(t_log10_pval(1e200, 4))


@pytest.mark.parametrize(("z", "two_sided"), NORMAL)
def test_the_side_of_the_statistic_is_half(z, two_sided):
    both = normal_log10_pval(z)
    up = log10_pval_against("greater", stat=z, two_sided=both)
    assert up == pytest.approx(two_sided - np.log10(2), rel=SAME)
    assert log10_pval_against("less", stat=-z, two_sided=both) == up
    assert log10_pval_against("two-sided", stat=z, two_sided=both) == both
    other = log10_pval_against("less", stat=z, two_sided=both)
    np.testing.assert_allclose(other, stats.norm.logcdf(z) / np.log(10), **SCIPY)


def test_both_sides_add_up_to_one():
    t, df = np.linspace(-30, 30, 301), 4.5
    two_sided = t_log10_pval(t, df)
    up, down = (
        10 ** log10_pval_against(side, stat=t, two_sided=two_sided) for side in ("greater", "less")
    )
    np.testing.assert_allclose(up, stats.t.sf(t, df), rtol=1e-9)
    np.testing.assert_allclose(up + down, 1, rtol=1e-14)


def test_a_side_of_nothing_is_nothing():
    assert np.isnan(log10_pval_against("greater", stat=np.nan, two_sided=np.nan))


@pytest.mark.parametrize("probability", [0.975, 0.6, 0.9999, 0.025])
def test_quantiles_of_t_are_scipys(probability):
    df = np.array([1.0, 1.5, 3.0, 29.9, 499.9, 500.0, 501.5, 2e3, 1e5, 1e9, np.inf])
    found = t_quantile(probability, df)
    np.testing.assert_allclose(found, stats.t.ppf(probability, df), rtol=QUANTILE_RTOL)
    assert np.isnan(t_quantile(probability, [np.nan])).all()

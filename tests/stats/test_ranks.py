from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dex.errors import InputError
from dex.stats.exact_ranks import exact_rank_sum_log10_pval
from dex.stats.ranks import kruskal_test, rank_sum_test
from dex.typing import REST

U_RTOL = 1e-12
"""U comes from exact rank sums; only the division by the number of pairs rounds."""
STAT_RTOL = 1e-10
"""Agreement asked of z and H with scipy."""
LOG10_ATOL = 1e-9
"""Agreement asked of log10 p."""

TESTS = np.array([[0, 1], [1, 0], [2, 0], [3, 2], [0, REST], [3, REST]])


@pytest.fixture
def rng():
    return np.random.default_rng(20240603)


def counts(rng, shape):
    return rng.negative_binomial(1, 0.3, shape).astype(float)


def log_values(rng, shape):
    return np.log1p(rng.poisson(0.5, shape) * 1e4 / rng.integers(900, 1100, shape))


def float32(rng, shape):
    return rng.normal(size=shape).astype(np.float32)


def signed_with_zeros(rng, shape):
    return np.round(rng.normal(size=shape) * 3) / 2


def one_value_of_two(rng, shape):
    values = np.zeros(shape)
    values[::7] = 1.0
    return values


def any_magnitude(rng, shape):
    return rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.integers(-300, 300, shape)


KINDS = (counts, log_values, float32, signed_with_zeros, one_value_of_two, any_magnitude)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def data(request, rng):
    codes = rng.permutation(np.repeat([-1, 0, 1, 2, 3], [5, 12, 17, 3, 30]))
    return request.param(rng, (len(codes), 5)), codes


def sides(values, codes, test):
    group, reference = test
    rest = (codes >= 0) & (codes != group)
    return values[codes == group], values[rest if reference == REST else codes == reference]


def assert_scipy(test, t, samples) -> None:
    a, b = (sample.astype(float) for sample in samples)  # scipy would compute in float32
    scipy = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=False)
    pairs = len(a) * len(b)
    np.testing.assert_allclose(test.auc[:, t] * pairs, scipy.statistic, rtol=U_RTOL)
    z = np.sign(scipy.statistic - pairs / 2) * stats.norm.isf(scipy.pvalue / 2)
    np.testing.assert_allclose(test.stat[:, t], z, rtol=STAT_RTOL, atol=1e-13)
    log10_pval = np.log10(scipy.pvalue)
    np.testing.assert_allclose(test.log10_pval[:, t], log10_pval, rtol=0, atol=LOG10_ATOL)


def test_equals_scipy(data):
    values, codes = data
    test = rank_sum_test(values, codes, 4, TESTS, exact=False)
    for t, pair in enumerate(TESTS):
        assert_scipy(test, t, sides(values, codes, pair))
    assert not test.exact.any()


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("continuity", [True, False])
def test_sides_and_continuity_equal_scipy(data, alternative, continuity):
    values, codes = data
    options = {"alternative": alternative, "continuity": continuity}
    test = rank_sum_test(values, codes, 4, TESTS, exact=False, **options)
    plain = rank_sum_test(values, codes, 4, TESTS, exact=False)
    np.testing.assert_array_equal(test.stat, plain.stat)
    for t, pair in enumerate(TESTS):
        a, b = (side.astype(float) for side in sides(values, codes, pair))
        expected = stats.mannwhitneyu(
            a, b, alternative=alternative, use_continuity=continuity, method="asymptotic"
        )
        log10_pval = np.log10(expected.pvalue)
        np.testing.assert_allclose(test.log10_pval[:, t], log10_pval, rtol=0, atol=LOG10_ATOL)


def test_u_at_its_mean_has_p_one_with_the_correction():
    values, codes = np.array([[1.0], [4.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    options = {"continuity": True, "exact": False}
    found = {
        side: rank_sum_test(values, codes, 2, TESTS[:1], alternative=side, **options)
        for side in ("two-sided", "greater", "less")
    }
    log10_pval = {side: test.log10_pval.item() for side, test in found.items()}
    assert log10_pval["two-sided"] == 0
    assert log10_pval["greater"] == log10_pval["less"] > np.log10(0.5)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_one_sided_p_far_beyond_underflow(alternative):
    """Groups apart, z near 219: the upper tail is the leading terms of its asymptotic series."""
    n = 32_000
    values, codes = np.arange(2.0 * n)[:, None], np.repeat([1, 0], n)
    test = rank_sum_test(values, codes, 2, TESTS[:1], alternative=alternative)
    z = np.sqrt(3 / (2 * n + 1)) * n
    assert test.stat.item() == pytest.approx(z, rel=1e-12)
    if alternative == "less":
        assert test.log10_pval.item() == 0
        return
    series = np.log1p(-1 / z**2 + 3 / z**4 - 15 / z**6)
    log10_sf = (-z * z / 2 - np.log(z * np.sqrt(2 * np.pi)) + series) / np.log(10)
    assert log10_sf < -10_000
    assert test.log10_pval.item() == pytest.approx(log10_sf, rel=1e-12)


def test_two_groups_alone_equal_the_pair_among_many(data):
    values, codes = data
    pair = np.array([[1, 3]])
    alone = rank_sum_test(values, np.where(codes % 2 == 1, codes, -1), 4, pair)  # one ranking
    among = rank_sum_test(values, codes, 4, pair)  # merged runs
    np.testing.assert_array_equal(alone.auc, among.auc)
    np.testing.assert_allclose(alone.stat, among.stat, rtol=1e-14)


def test_reference_much_larger_than_the_group(rng):
    values, codes = counts(rng, (400, 4)), np.r_[0, 0, 1, np.full(397, 2)]
    values[:, 0] = rng.normal(size=400)
    tests = np.array([[0, 2], [2, 1]])
    test = rank_sum_test(values, codes, 3, tests, exact=False)
    for t, pair in enumerate(tests):
        assert_scipy(test, t, sides(values, codes, pair))


def test_an_increasing_transformation_changes_nothing(rng):
    values, codes = counts(rng, (60, 6)), rng.integers(0, 4, 60)
    raw, logged, negated = (
        rank_sum_test(v, codes, 4, TESTS, exact=False)
        for v in (values, np.log1p(values), -np.exp(values))
    )
    np.testing.assert_array_equal(raw.stat, logged.stat)
    np.testing.assert_allclose(raw.stat, -negated.stat, rtol=1e-14)


def test_permuted_observations_and_renamed_groups(rng):
    values, codes, order = counts(rng, (60, 6)), rng.integers(0, 4, 60), rng.permutation(60)
    name = np.array([2, 0, 3, 1])
    renamed = np.where(TESTS == REST, REST, name[TESTS])
    before = rank_sum_test(values, codes, 4, TESTS)
    after = rank_sum_test(values[order], name[codes][order], 4, renamed)
    np.testing.assert_array_equal(before.stat, after.stat)


def test_everything_tied():
    values, codes = np.full((40, 2), [0.0, 7.5]), np.repeat([0, 1], 20)
    for exact in (False, "auto"):
        test = rank_sum_test(values, codes, 2, np.array([[0, 1], [0, REST]]), exact=exact)
        assert (test.stat == 0).all()
        assert (test.auc == 0.5).all()
        assert np.isnan(test.log10_pval).all()


def test_minus_zero_is_zero():
    values, codes = np.array([[-0.0], [0.0], [-1.0], [0.0]]), np.array([0, 1, 0, 1])
    test = rank_sum_test(values, codes, 2, np.array([[1, 0]]))
    assert test.auc.item() == 0.75


def test_empty_groups():
    values, codes = np.arange(6.0)[:, None], np.array([0, 0, 0, 0, 2, -1])
    tests = np.array([[0, 1], [1, 0], [1, REST], [2, 0]])
    test = rank_sum_test(values, codes, 3, tests)
    for part in (test.stat, test.auc, test.log10_pval):
        assert np.isnan(part).tolist() == [[True, True, True, False]]
    assert test.exact.tolist() == [False, False, False, True]


def test_no_rest():
    test = rank_sum_test(np.arange(3.0)[:, None], np.zeros(3, int), 1, np.array([[0, REST]]))
    assert np.isnan(test.stat).all()


def test_nan_spoils_the_tests_that_it_is_in(rng):
    values, codes = rng.normal(size=(40, 2)), np.repeat([-1, 0, 1, 2], 10)
    values[0, 0] = values[12, 1] = np.nan  # in no group, in group 0
    tests = np.array([[0, 1], [2, 0], [1, 2], [1, REST], [0, REST]])
    for exact in (False, True):
        test = rank_sum_test(values, codes, 3, tests, exact=exact)
        for part in (test.stat, test.auc, test.log10_pval):
            assert np.isnan(part).tolist() == [[False] * 5, [True, True, False, True, True]]


def test_exact_is_decided_per_test(rng):
    values, codes = counts(rng, (60, 5)), np.repeat([0, 1, 2], [5, 6, 49])
    tests = np.array([[0, 1], [0, 2], [1, REST]])
    test = rank_sum_test(values, codes, 3, tests)
    assert test.exact.tolist() == [True, False, False]
    expected = exact_rank_sum_log10_pval(values, codes, 3, tests[:1])
    np.testing.assert_array_equal(test.log10_pval[:, :1], expected)
    asymptotic = rank_sum_test(values, codes, 3, tests, exact=False)
    np.testing.assert_array_equal(test.log10_pval[:, 1:], asymptotic.log10_pval[:, 1:])
    np.testing.assert_array_equal(test.stat, asymptotic.stat)


def test_exact_with_too_many_observations_is_refused(rng):
    values, codes = rng.normal(size=(64, 1)), np.repeat([0, 1], 32)
    with pytest.raises(InputError, match=r"64 observations.*63 at most"):
        rank_sum_test(values, codes, 2, np.array([[0, 1]]), exact=True)


def test_kruskal_equals_scipy(data):
    values, codes = data
    test = kruskal_test(values, codes, 6)  # two more groups, both empty
    expected = stats.kruskal(*(values[codes == g].astype(float) for g in range(4)))
    np.testing.assert_allclose(test.stat, expected.statistic, rtol=STAT_RTOL)
    np.testing.assert_allclose(test.log10_pval, np.log10(expected.pvalue), rtol=0, atol=LOG10_ATOL)
    assert (test.df == 3).all()


def test_kruskal_of_two_groups_is_z_squared(rng):
    values, codes = counts(rng, (50, 6)), rng.integers(0, 2, 50)
    z = rank_sum_test(values, codes, 2, np.array([[0, 1]])).stat[:, 0]
    np.testing.assert_allclose(kruskal_test(values, codes, 2).stat, z**2, rtol=1e-12)


def test_kruskal_without_ranks_or_groups():
    tied = kruskal_test(np.ones((6, 1)), np.repeat([0, 1, 2], 2), 3)
    assert tied.stat.item() == 0
    assert np.isnan(tied.log10_pval.item())
    single = kruskal_test(np.arange(4.0)[:, None], np.zeros(4, int), 2)
    assert np.isnan([single.stat.item(), single.df.item(), single.log10_pval.item()]).all()
    missing = kruskal_test(np.array([[1.0], [np.nan], [2.0]]), np.array([0, 1, 1]), 2)
    assert np.isnan(missing.log10_pval.item())

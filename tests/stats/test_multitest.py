import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from dex.errors import InputError
from dex.stats.multitest import METHODS, adjust_columns, adjust_log10_pval

# statsmodels works on p, we on log10 p: an ulp of log10 p near -10 is 4e-15 of p.
SAME_PVAL = 1e-12
# A shift of log10 p by hundreds costs an ulp of hundreds, 6e-14.
SAME_LOG = 1e-12


def adjusted(pval, method, alpha=0.05):
    with np.errstate(divide="ignore"):
        return 10.0 ** adjust_log10_pval(np.log10(pval), method, alpha=alpha)


def expected(pval, method, alpha=0.05):
    with np.errstate(divide="ignore", invalid="ignore"):
        return multipletests(pval, method=method, alpha=alpha)[1]


def pvalues(n, seed, power=4.0):
    return np.random.default_rng(seed).uniform(size=n) ** power


@pytest.mark.parametrize("method", METHODS)
class TestEqualsStatsmodels:
    @pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 301])
    @pytest.mark.parametrize("power", [0.3, 1.0, 4.0, 30.0])
    def test_random(self, method, n, power):
        pval = pvalues(n, seed=n, power=power)
        np.testing.assert_allclose(
            adjusted(pval, method), expected(pval, method), rtol=SAME_PVAL, atol=0
        )

    def test_ties_zeros_and_ones(self, method):
        pval = np.round(pvalues(200, seed=3), 2)
        pval[:3] = 1.0
        assert (pval == 0).sum() > 2
        np.testing.assert_allclose(
            adjusted(pval, method), expected(pval, method), rtol=SAME_PVAL, atol=0
        )

    @pytest.mark.parametrize("value", [0.0, 0.03, 1.0])
    def test_all_equal(self, method, value):
        pval = np.full(9, value)
        # statsmodels' fdr_gbs divides by zero at p = 1.
        theirs = pval if value == 1.0 else expected(pval, method)
        np.testing.assert_allclose(adjusted(pval, method), theirs, rtol=SAME_PVAL, atol=0)

    @pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2, 0.9])
    def test_alpha(self, method, alpha):
        pval = pvalues(150, seed=9, power=2.0)
        np.testing.assert_allclose(
            adjusted(pval, method, alpha), expected(pval, method, alpha), rtol=SAME_PVAL, atol=0
        )

    def test_nan_is_not_a_test(self, method):
        pval = pvalues(80, seed=5)
        pval[::7] = np.nan
        tested = ~np.isnan(pval)
        ours = adjusted(pval, method)
        np.testing.assert_array_equal(np.isnan(ours), ~tested)
        np.testing.assert_allclose(
            ours[tested], expected(pval[tested], method), rtol=SAME_PVAL, atol=0
        )


@pytest.mark.parametrize("method", METHODS)
class TestInvariance:
    def test_empty(self, method):
        assert adjust_log10_pval([], method).shape == (0,)
        assert np.isnan(adjust_log10_pval([np.nan, np.nan], method)).all()

    def test_order_does_not_matter(self, method):
        log_p = np.log10(pvalues(90, seed=6))
        order = np.random.default_rng(1).permutation(90)
        np.testing.assert_array_equal(
            adjust_log10_pval(log_p[order], method), adjust_log10_pval(log_p, method)[order]
        )

    def test_monotone_and_never_below_p(self, method):
        log_p = np.sort(np.log10(pvalues(90, seed=8)))
        padj = adjust_log10_pval(log_p, method)
        assert (np.diff(padj) >= 0).all()
        adaptive = method in {"fdr_tsbh", "fdr_tsbky", "fdr_gbs"}  # they may adjust below p
        assert adaptive or (padj >= log_p - SAME_LOG).all()

    def test_beyond_underflow(self, method):
        """Tiny p-values behave as their multiples: shift 1e-10..1e-40 by 1e-400."""
        log_p = np.log10(pvalues(50, seed=11, power=20.0)) - 40
        far = adjust_log10_pval(log_p - 400, method)
        near = adjust_log10_pval(log_p, method)
        assert (far < -400).all()
        np.testing.assert_allclose(far + 400, near, rtol=SAME_LOG, atol=0)

    def test_minus_infinity(self, method):
        padj = adjust_log10_pval([-np.inf, -1e6, -3.0, -0.2], method)
        assert padj[0] == -np.inf
        assert -1e6 - 1 < padj[1] < -999_990
        assert np.isfinite(padj[1:]).all()


def test_far_tail_by_hand():
    log_p = np.array([-5000.0, -400.0, -300.0, -0.5])
    n, log = 4, np.log10
    padj = {method: adjust_log10_pval(log_p, method) for method in METHODS}
    bonferroni = [-5000 + log(4), -400 + log(4), -300 + log(4), 0.0]
    holm = [-5000 + log(4), -400 + log(3), -300 + log(2), -0.5]
    bh = [-5000 + log(4), -400 + log(2), -300 + log(n / 3), -0.5]
    np.testing.assert_allclose(padj["bonferroni"], bonferroni, rtol=SAME_LOG)
    np.testing.assert_allclose(padj["sidak"][:3], bonferroni[:3], rtol=SAME_LOG)
    np.testing.assert_allclose(padj["holm"], holm, rtol=SAME_LOG)
    np.testing.assert_allclose(padj["holm-sidak"], holm, rtol=SAME_LOG)
    np.testing.assert_allclose(padj["simes-hochberg"], holm, rtol=SAME_LOG)
    np.testing.assert_allclose(padj["fdr_bh"], bh, rtol=SAME_LOG)
    np.testing.assert_allclose(padj["fdr_by"][:3], np.array(bh[:3]) + log(25 / 12), rtol=SAME_LOG)
    np.testing.assert_allclose(padj["fdr_tsbh"], np.array(bh) + log(1 / 4), rtol=SAME_LOG)


def test_hommel_is_closed_testing_with_simes():
    """Brute force over all subsets: adjusted p = the largest Simes p of the sets that hold it."""
    pval = np.array([0.011, 0.02, 0.021, 0.3, 0.014, 0.6, 0.02])
    sets = np.array([[s >> i & 1 for i in range(7)] for s in range(1, 2**7)], dtype=bool)
    simes = [min(np.sort(pval[s]) * s.sum() / np.arange(1, s.sum() + 1)) for s in sets]
    truth = [max(p for p, s in zip(simes, sets, strict=True) if s[i]) for i in range(7)]
    np.testing.assert_allclose(adjusted(pval, "hommel"), truth, rtol=SAME_PVAL)


def test_hommel_simes_kernel_against_brute_force():
    from dex.stats.multitest import _log_simes_of_largest

    log_p = np.sort(np.log10(np.round(pvalues(333, seed=2), 3) + 1e-3))
    ranks = np.log10(np.arange(1.0, 334))
    truth = [(log_p[333 - i :] - ranks[:i]).min() + ranks[i - 1] for i in range(1, 334)]
    np.testing.assert_allclose(_log_simes_of_largest(log_p, ranks), truth, rtol=0, atol=SAME_LOG)


class TestColumns:
    log_p = np.log10(pvalues(120, seed=4)).reshape(40, 3)

    def test_per_test(self):
        padj = adjust_columns(self.log_p, "holm")
        for test in range(3):
            np.testing.assert_array_equal(
                padj[:, test], adjust_log10_pval(self.log_p[:, test], "holm")
            )

    def test_global(self):
        padj = adjust_columns(self.log_p, "fdr_by", scope="global")
        np.testing.assert_array_equal(padj.ravel(), adjust_log10_pval(self.log_p.ravel(), "fdr_by"))

    @pytest.mark.parametrize("scope", ["test", "global"])
    def test_empty(self, scope):
        assert adjust_columns(np.zeros((0, 3)), scope=scope).shape == (0, 3)
        assert adjust_columns(np.zeros((3, 0)), scope=scope).shape == (3, 0)

    def test_unknown_scope(self):
        with pytest.raises(InputError, match="'test' or 'global'"):
            adjust_columns(self.log_p, scope="all")


@pytest.mark.parametrize(
    ("log_p", "method", "alpha", "message"),
    [
        ([-1.0], "BH", 0.05, "padj_method='BH' is not known; choose one of 'bonferroni'"),
        ([-1.0], None, 0.05, "padj_method=None is not known"),
        ([-1.0], "fdr_bh", 1.0, "alpha=1.0 is not a level"),
        ([-1.0, 0.5], "fdr_bh", 0.05, "has 0.5, a p-value above 1"),
        ([[-1.0]], "fdr_bh", 0.05, "use adjust_columns"),
    ],
)
def test_bad_input(log_p, method, alpha, message):
    with pytest.raises(InputError, match=message):
        adjust_log10_pval(log_p, method, alpha=alpha)

import numpy as np
import pytest
from scipy.stats import norm, t

from dex.stats.wald import wald_test

DIGITS = 1e-8
"""Effects and standard errors in the tables have 11 digits, statistics a few less."""
QUESTIONS = {
    "greaterAbs": "two-sided",
    "lessAbs": "within",
    "greater": "greater",
    "less": "less",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_thresholds_are_those_of_deseq2(deseq2_run, question):
    table = deseq2_run("additive").tight
    estimate, se = (table[f"{question}.{column}"] for column in ("log2FoldChange", "lfcSE"))
    test = wald_test(
        estimate.to_numpy(), se.to_numpy(), threshold=0.5, alternative=QUESTIONS[question]
    )
    np.testing.assert_allclose(test.stat, table[f"{question}.stat"], rtol=DIGITS)
    np.testing.assert_allclose(10**test.log10_pval, table[f"{question}.pvalue"], rtol=1e-7)


def test_t_is_that_of_deseq2(deseq2_run):
    table = deseq2_run("df4_t").tight.dropna(subset=["last.pvalue"])
    estimate, se = table["last.log2FoldChange"].to_numpy(), table["last.lfcSE"].to_numpy()
    test = wald_test(estimate, se, df=4)
    np.testing.assert_allclose(10**test.log10_pval, table["last.pvalue"], rtol=1e-7)
    np.testing.assert_allclose(10**test.log10_pval, 2 * t.sf(np.abs(estimate / se), 4))


def test_far_tails_do_not_underflow():
    test = wald_test(np.array([100.0]), np.array([1.0]), threshold=1.0)
    assert test.log10_pval[0] == pytest.approx(norm.logsf(99) / np.log(10), rel=1e-12)


def test_the_alternatives_agree_at_zero():
    estimate, se = np.array([-1.0, 0.5, 2.0]), np.array([0.5, 1.0, 0.7])
    two, up, down = (
        10 ** wald_test(estimate, se, alternative=side).log10_pval
        for side in ("two-sided", "greater", "less")
    )
    np.testing.assert_allclose(up + down, 1)
    np.testing.assert_allclose(two, 2 * np.minimum(up, down))


def test_without_standard_error_there_is_no_test():
    test = wald_test(np.array([1.0, np.nan]), np.array([0.0, 1.0]))
    assert np.isnan(test.stat).all()
    assert np.isnan(test.log10_pval).all()

"""p-values against a threshold from roots of likelihood ratios: edgeR's, and the integrals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad

from dex.stats.design_rows import DesignRows
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.nb_treat import _inwards, contrast_shift, threshold_roots, treat_log10_pval
from dex.stats.nested import nb_deviance

REFERENCE = Path(__file__).parents[1] / "reference" / "nb_treat"
ROOTS = 1e-5  # edgeR's fits stop at a relative change of deviance of about 1e-6
EFFECTS = 2e-4  # which tells in effects to first order
LIKE_R = 3e-6  # of p: R's width of the interval has seven digits, and so have its likelihood ratios


@pytest.mark.parametrize("name", ["lrt", "ql"])
@pytest.mark.parametrize("null", ["interval", "worst_case"])
def test_p_values_are_edgers(name, null):
    genes = pd.read_csv(REFERENCE / f"{name}.csv")
    found = treat_log10_pval(*(genes[c].to_numpy() for c in ("low", "high", "df")), null=null)
    np.testing.assert_allclose(10**found, genes[null], rtol=LIKE_R, atol=1e-300)


def test_roots_of_likelihood_ratios_are_edgers():
    genes, samples = pd.read_csv(REFERENCE / "lrt.csv"), pd.read_csv(REFERENCE / "samples.csv")
    counts = np.asfortranarray(pd.read_csv(REFERENCE / "counts.csv").to_numpy(float).T)
    design = np.column_stack([np.ones(7), samples.batch, samples.group])
    depths, dispersion = np.exp(samples.offset.to_numpy()), np.full(counts.shape[1], 0.1)
    rows, contrast = DesignRows.from_design(design), np.array([0.0, 0, 1])
    coef = fit_nb_glm(counts, rows, depths, dispersion).coef
    deviance = nb_deviance(counts, rows, depths, dispersion, coef)
    effect = coef[:, 2] / np.log(2)
    known = (np.abs(genes.effect) < 15).to_numpy()  # elsewhere a group has no counts
    np.testing.assert_allclose(effect[known], genes.effect[known], rtol=EFFECTS, atol=EFFECTS)
    for d in (depths, np.tile(depths[:, None], counts.shape[1])):
        parts = (counts, design, contrast, d, dispersion, deviance, effect)
        low, high = threshold_roots(*parts, threshold=0.6)
        np.testing.assert_allclose(low[known], genes.low[known], rtol=ROOTS, atol=ROOTS)
        np.testing.assert_allclose(high[known], genes.high[known], rtol=ROOTS, atol=ROOTS)


@pytest.mark.parametrize("near", [-0.1, 0.0, 0.999, 1.001, 6.0])
@pytest.mark.parametrize("width", [0.3, 1.4, 5.0])
def test_interval_is_the_mean_over_the_null(near, width):
    c = min(width, _inwards())
    sides = [(near, near + c), (near + width - c, near + width)]
    p = sum(quad(stats.norm.sf, a, b, epsrel=1e-11)[0] / (b - a) for a, b in sides)
    low, high = np.array([near + width]), np.array([near])
    found = treat_log10_pval(low, high, np.array([np.inf]))[0]
    np.testing.assert_allclose(10**found, p, rtol=1e-8)


def test_at_the_threshold_it_is_half_the_worst_case():
    low, high, df = np.array([50.0]), np.zeros(1), np.array([np.inf])
    assert 10 ** treat_log10_pval(low, high, df)[0] == pytest.approx(0.25)
    assert 10 ** treat_log10_pval(low, high, df, null="worst_case")[0] == pytest.approx(0.5)


def test_no_effect_has_p_one_and_the_sides_are_alike():
    df = np.array([7.0, 7.0, np.inf])
    low, high = np.array([3.0, 9.0, 9.0]), np.array([-3.0, 4.0, 4.0])
    for null in ("interval", "worst_case"):
        one = treat_log10_pval(low, high, df, null=null)
        other = treat_log10_pval(-high, -low, df, null=null)
        np.testing.assert_allclose(one, other, rtol=1e-12)
        assert one[0] == pytest.approx(0, abs=1e-12)
        assert one[2] < one[1]


def test_without_a_threshold_it_is_the_two_sided_test():
    t, df = np.array([2.5, -4.0, 80.0]), np.array([5.0, np.inf, 12.0])
    for null in ("interval", "worst_case"):
        p = 10 ** treat_log10_pval(t, t, df, null=null)
        np.testing.assert_allclose(p, 2 * stats.t.sf(np.abs(t), df), rtol=1e-6)


def test_tiny_p_values_have_logs():
    low, high = np.array([200.0]), np.array([150.0])
    found = treat_log10_pval(low, high, np.array([np.inf]))[0]
    np.testing.assert_allclose(found, stats.norm.logsf(150) / np.log(10), rtol=1e-3)
    assert found < -4000


def test_shift_is_a_unit_of_the_contrast():
    rng = np.random.default_rng(0)
    design, contrast = rng.normal(size=(9, 4)), np.array([0.0, 1, -1, 0.5])
    coef = np.linalg.lstsq(design, contrast_shift(design, contrast), rcond=None)[0]
    assert contrast @ coef == pytest.approx(1)

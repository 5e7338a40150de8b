import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import cauchy, nbinom, norm

from dex.stats.design_rows import DesignRows
from dex.stats.false_sign_rate import normal_false_sign_rate, s_values
from dex.stats.isolated_contrast import isolate_contrast
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.shrinkage_cauchy import OTHERS_SD, cauchy_scale, shrink_cauchy

SAME = 1e-6  # scipy's optimiser, and its numerical gradient
APEGLM = (
    5e-4  # log2; apeglm's L-BFGS stops early: at its answer the posterior is lower than at ours
)
APEGLM_SD = 2e-4  # relative
LOG2 = np.log(2)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(9), np.arange(9) % 3 == 1, np.arange(9) % 3 == 2]).astype(
        float
    )
    effects = np.column_stack([rng.normal(3, 1, 12), rng.normal(0, 1, (12, 2))])
    depths = rng.uniform(0.5, 2, 9)
    dispersion = rng.uniform(0.01, 0.5, 12)
    mu = depths[:, None] * np.exp(design @ effects.T)
    counts = rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mu)).astype(float)
    counts[design[:, 1] == 1, 0] = 0  # a group without counts
    return counts, design, depths, dispersion


def log_posterior(coef, y, design, depths, dispersion, effect, scale):
    mu = depths * np.exp(design @ coef)
    others = np.delete(coef, effect)
    likelihood = nbinom.logpmf(y, 1 / dispersion, 1 / (1 + dispersion * mu)).sum()
    prior = cauchy.logpdf(coef[effect], scale=scale) + norm.logpdf(others, scale=OTHERS_SD).sum()
    return likelihood + prior


def shrunk(data, effect=2, scale=0.4, design=None):
    counts, given, depths, dispersion = data
    rows = DesignRows.from_design(given if design is None else design)
    start = fit_nb_glm(counts, rows, depths, dispersion).coef
    return shrink_cauchy(counts, rows, depths, dispersion, effect=effect, scale=scale, start=start)


def test_mode_is_the_highest_that_can_be_found(data):
    counts, design, depths, dispersion = data
    fit = shrunk(data)
    assert fit.converged.all()
    for j in range(counts.shape[1]):
        args = (counts[:, j], design, depths, dispersion[j], 2, 0.4)
        ours = log_posterior(fit.coef[j], *args)
        for start in (0.0, 1.0, -3.0):
            best = minimize(
                lambda coef, args=args: -log_posterior(coef, *args), [3, 0, start], tol=1e-12
            )
            assert ours >= -best.fun - SAME


def test_width_is_of_the_curvature(data):
    counts, design, depths, dispersion = data
    fit = shrunk(data)
    step = 1e-4
    for j in range(1, 12):  # the first is flat in the group without counts
        args = (counts[:, j], design, depths, dispersion[j], 2, 0.4)
        shifts = step * np.eye(3)
        hessian = np.array(
            [
                [
                    sum(
                        s * t * log_posterior(fit.coef[j] + s * a + t * b, *args)
                        for s in (1, -1)
                        for t in (1, -1)
                    )
                    / (4 * step**2)
                    for b in shifts
                ]
                for a in shifts
            ]
        )
        assert fit.sd[j] == pytest.approx(np.sqrt(np.linalg.inv(-hessian)[2, 2]), rel=1e-4)


def test_wide_prior_leaves_and_narrow_prior_takes(data):
    counts, design, depths, dispersion = data
    mle = fit_nb_glm(counts, DesignRows.from_design(design), depths, dispersion).coef
    wide, narrow = shrunk(data, scale=1e4), shrunk(data, scale=1e-3)
    np.testing.assert_allclose(wide.estimate[1:], mle[1:, 2], atol=0.01)
    large = np.abs(mle[:, 2]) > 1
    assert (np.abs(narrow.estimate[~large]) < 0.01).all()


def test_group_without_counts_has_a_finite_effect(data):
    fit = shrunk(data, effect=1)
    assert fit.converged.all()
    assert -20 < fit.estimate[0] < -1


def test_no_start_no_effect(data):
    counts, design, depths, dispersion = data
    start = np.full((12, 3), np.nan)
    fit = shrink_cauchy(
        counts, DesignRows.from_design(design), depths, dispersion, effect=1, scale=1, start=start
    )
    assert np.isnan(fit.sd).all()
    assert not fit.converged.any()


def test_contrast_is_minus_the_swapped_one(data):
    there, back = (isolate_contrast(data[1], vector) for vector in ([0, 1, -1], [0, -1, 1]))
    one = shrunk(data, effect=there.coef, design=there.design)
    other = shrunk(data, effect=back.coef, design=back.design)
    np.testing.assert_allclose(one.estimate, -other.estimate, atol=1e-8)
    np.testing.assert_allclose(one.sd, other.sd, rtol=1e-6)


def test_isolated_contrast_spans_the_same_model(data):
    rng = np.random.default_rng(0)
    vector, old = rng.normal(size=3), rng.normal(size=(5, 3))
    isolated = isolate_contrast(data[1], vector)
    new = isolated.coefs(old)
    np.testing.assert_allclose(new[:, isolated.coef], old @ vector)
    np.testing.assert_allclose(isolated.design @ new.T, data[1] @ old.T)


def test_observations_and_genes_in_any_order(data):
    counts, design, depths, dispersion = data
    rng = np.random.default_rng(1)
    rows, genes = rng.permutation(9), rng.permutation(12)
    moved = shrunk((counts[rows][:, genes], design[rows], depths[rows], dispersion[genes]))
    np.testing.assert_allclose(moved.estimate, shrunk(data).estimate[genes], atol=1e-8)


def test_scale_ends():
    se = np.full(50, 0.5)
    assert cauchy_scale(np.zeros(50), se) == pytest.approx(1e-3)
    assert cauchy_scale(np.full(50, 9.0), se) == 1
    assert cauchy_scale(np.full(50, 99.0), se) == 1
    assert cauchy_scale([np.nan], [np.nan]) == pytest.approx(1e-3)


def test_rates_of_false_signs():
    rates = normal_false_sign_rate([3.0, -1.0, 0.5], [1.0, 1.0, 1.0], lfc=0.5)
    np.testing.assert_allclose(rates, norm.cdf([-2.5, -0.5, 0.0]))
    np.testing.assert_allclose(s_values(rates), np.cumsum(rates) / [1, 2, 3])


CASES = {
    "single_factor": ("r_test_lfc_shrink_res", ["condition"], True),
    "single_factor, not adapted": ("r_test_lfc_shrink_no_apeAdapt_res", ["condition"], False),
    "multi_factor": ("r_test_lfc_shrink_res", ["group", "condition"], True),
    "continuous": ("r_test_lfc_shrink_res", ["group", "condition", "measurement"], True),
}


@pytest.mark.realdata
@pytest.mark.parametrize("case", CASES)
def test_equals_apeglm(realdata, case):
    root = realdata.parent / "reference" / "deseq2_1.34_apeglm"
    name, (answer, columns, adapted) = case.partition(",")[0], CASES[case]
    folder = root / "tests" / "data" / name
    inputs, prefix = (
        (folder, "test_") if name == "continuous" else (root, "datasets/synthetic/test_")
    )
    counts = np.asarray(pd.read_csv(inputs / f"{prefix}counts.csv", index_col=0).T, dtype=float)
    samples = pd.read_csv(inputs / f"{prefix}metadata.csv", index_col=0)
    tables = {
        what: pd.read_csv(folder / f"{what}.csv", index_col=0)
        for what in ("r_test_res", "r_test_size_factors", "r_test_dispersions", answer)
    }
    coded = [
        samples[column] if column == "measurement" else samples[column].isin(["Y", "B"])
        for column in columns
    ]
    design = DesignRows.from_design(np.column_stack([np.ones(len(samples)), *coded]).astype(float))
    depths, dispersion = (
        tables[f"r_test_{what}"].iloc[:, 0].to_numpy() for what in ("size_factors", "dispersions")
    )
    wald, theirs, effect = tables["r_test_res"], tables[answer], len(columns)
    scale = cauchy_scale(wald["log2FoldChange"] * LOG2, wald["lfcSE"] * LOG2) if adapted else 1.0
    start = fit_nb_glm(counts, design, depths, dispersion).coef
    ours = shrink_cauchy(
        counts, design, depths, dispersion, effect=effect, scale=scale, start=start
    )
    np.testing.assert_allclose(ours.estimate / LOG2, theirs["log2FoldChange"], atol=APEGLM)
    np.testing.assert_allclose(ours.sd / LOG2, theirs["lfcSE"], rtol=APEGLM_SD)

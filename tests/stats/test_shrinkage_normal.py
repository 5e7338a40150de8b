from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.design_rows import DesignRows
from dex.stats.isolated_contrast import isolate_contrast
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.shrinkage_normal import (
    INTERCEPT_VARIANCE,
    matched_variance,
    normal_prior_variances,
    shrink_normal,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "shrinkage_normal"
LOG2 = np.log(2)
SAME = 1e-12  # the same sums in another order
PRIOR = 1e-4  # DESeq2 matches coefficients as its default fit leaves them (betaTol 1e-8)
DESEQ2 = 4e-5  # log2, and relative for the errors: its IRLS stops at a change of 1e-8 in deviance
COEFS = ["batch_y_vs_x", "age", "group_b_vs_a", "group_c_vs_a"]


def table(name):
    return pd.read_csv(REFERENCE / f"{name}.csv", skipinitialspace=True)


@pytest.fixture(scope="module")
def data():
    samples, genes = table("samples"), table("genes")
    kept = genes["dispersion"].notna().to_numpy()
    columns = [samples["batch"] == "y", samples["age"], *(samples["group"] == g for g in "bc")]
    design = np.column_stack([np.ones(len(samples)), *columns]).astype(float)
    counts = table("counts").to_numpy(float)[:, kept]
    return counts, design, table("size_factors").iloc[:, 0].to_numpy(), genes[kept], kept


def given_variances(which):
    prior = table("prior").set_index("name")["variance"]
    return prior[prior.index.str.startswith(which)].to_numpy() * LOG2**2


def test_quantile_is_deseq2s():
    x, w = [-3, 1, 0.5, 2, -1.5, 0.1, 4, -0.2], [1, 2, 0.5, 3, 1, 1, 0.2, 5]
    assert matched_variance(x, w) == pytest.approx(table("quantile")["quantile"][0], rel=SAME)
    assert matched_variance([*x, np.nan], [*w, 1]) == pytest.approx(matched_variance(x, w))


def test_prior_is_deseq2s(data):
    _, design, _, genes, _ = data
    coef = genes[["Intercept", *COEFS]].to_numpy() * LOG2
    trend = genes["dispFit"].to_numpy()
    base = genes["baseMean"].to_numpy()
    ours = normal_prior_variances(coef, design, base_mean=base, dispersion_trend=trend)
    np.testing.assert_allclose(ours, given_variances("standard"), rtol=PRIOR)
    coef, base, trend = np.vstack([coef, coef[:1]]), np.append(base, 0.0), np.append(trend, np.nan)
    more = normal_prior_variances(coef, design, base_mean=base, dispersion_trend=trend)
    np.testing.assert_array_equal(more, ours)  # a gene without counts has no say


@pytest.mark.parametrize("name", COEFS)
def test_effects_are_deseq2s(data, name):
    counts, design, depths, genes, kept = data
    theirs = table("shrunk")[kept]
    ours = shrink_normal(
        counts,
        DesignRows.from_design(design),
        depths,
        genes["dispersion"].to_numpy(),
        effect=1 + COEFS.index(name),
        variances=given_variances("standard"),
    )
    np.testing.assert_allclose(ours.estimate / LOG2, theirs[f"{name}_log2fc"], atol=DESEQ2)
    np.testing.assert_allclose(ours.sd / LOG2, theirs[f"{name}_se"], rtol=2 * DESEQ2)


def test_effects_of_an_expanded_design_are_deseq2s(data):
    """A column for every level, whose prior makes them estimable; it is how R shrinks contrasts."""
    counts, _, depths, genes, kept = data
    samples = table("samples")
    columns = [*(samples["batch"] == b for b in "xy"), samples["age"]]
    columns += [samples["group"] == g for g in "abc"]
    design = np.column_stack([np.ones(len(samples)), *columns]).astype(float)
    fit = shrink_normal(
        counts,
        DesignRows.from_design(design),
        depths,
        genes["dispersion"].to_numpy(),
        effect=1,
        variances=given_variances("expanded"),
    )
    in_both = counts[(samples["group"] != "a").to_numpy()].any(axis=0)  # else R writes 0
    ours = (fit.coef[:, 6] - fit.coef[:, 5]) / LOG2
    theirs = table("shrunk")["c_b_log2fc"][kept]
    np.testing.assert_allclose(ours[in_both], theirs[in_both], atol=DESEQ2)


def test_shrunk_contrast_is_minus_the_swapped_one(data):
    counts, design, depths, genes, _ = data
    dispersion = genes["dispersion"].to_numpy()
    shrunk = []
    for vector in ([0, 0, 0, 1, -1], [0, 0, 0, -1, 1]):
        contrast = isolate_contrast(design, vector)
        shrunk.append(
            shrink_normal(
                counts,
                DesignRows.from_design(contrast.design),
                depths,
                dispersion,
                effect=contrast.coef,
                variances=np.array([INTERCEPT_VARIANCE, 1, 1, 0.2, 0.2]),
            )
        )
    mle = fit_nb_glm(counts, DesignRows.from_design(design), depths, dispersion).coef
    unshrunk = np.abs(mle[:, 3] - mle[:, 4])
    assert (np.abs(shrunk[0].estimate) < unshrunk)[unshrunk > 0.5].mean() > 0.95
    np.testing.assert_allclose(shrunk[0].estimate, -shrunk[1].estimate, atol=1e-8)


def test_no_effects_no_variance():
    assert np.isnan(matched_variance([np.nan]))

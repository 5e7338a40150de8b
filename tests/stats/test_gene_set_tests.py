"""camera, fry and roast against limma: tests/reference/enrich/make.R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats.camera import camera_preranked, camera_test
from dex.stats.contrast_effects import contrast_effects
from dex.stats.gene_sets import SetIndex
from dex.stats.rotation_tests import fry_test, roast_test
from dex.stats.weighted_model import Blocks

FOLDER = Path(__file__).parent.parent / "reference" / "enrich"
LIMMA = 1e-9  # of log10 p; R's tables have 12 digits
CORRELATION = 1e-10
MONTE_CARLO = 5  # standard errors of a p by 9,999 and by R's 99,999 rotations
CASES = ("plain", "middle", "between", "trend", "weights", "between_weights", "sample_weights")
SAMPLE_WEIGHTS = np.array([1, 2, 0.5, 1, 1, 3, 0.2, 1, 1.5, 1, 1, 0.8])


def limma(name):
    return pd.read_csv(FOLDER / f"{name}.csv")


@pytest.fixture(scope="module")
def values():
    return pd.read_csv(FOLDER / "values.csv.gz").to_numpy()


@pytest.fixture(scope="module")
def sets(values):
    lines = (FOLDER / "sets.gmt").read_text().splitlines()
    lists = [[int(gene[1:]) - 1 for gene in line.split("\t")[2:]] for line in lines]
    return SetIndex.of(lists, values.shape[1])


@pytest.fixture(scope="module")
def effects_of(values):
    def effects(case, **given):
        samples = pd.read_csv(FOLDER / "samples.csv")
        groups = [(samples["group"] == g).to_numpy(float) for g in range(3)]
        batch = samples["batch"].to_numpy(float)
        if case in {"weights", "between_weights"}:
            given["weights"] = pd.read_csv(FOLDER / "weights.csv.gz").to_numpy()
        if case.startswith("between"):
            design, contrast = np.column_stack([*groups, batch]), np.array([0.0, -1, 1, 0])
        else:
            design = np.column_stack([np.ones(12), batch, *groups[1:]])
            contrast = np.eye(4)[2 if case == "middle" else 3]
        if case == "sample_weights":
            given["weights"] = SAMPLE_WEIGHTS
        return contrast_effects(values, design, contrast, **given)

    return effects


def assert_equals_camera(test, expected):
    np.testing.assert_allclose(test.log10_pval, np.log10(expected["PValue"]), atol=LIMMA, rtol=0)
    assert ((test.stat > 0) == (expected["Direction"] == "Up")).all()
    if "Correlation" in expected:
        np.testing.assert_allclose(test.correlation, expected["Correlation"], atol=CORRELATION)


@pytest.mark.parametrize("case", CASES)
def test_camera_with_estimated_correlation(case, effects_of, sets):
    """inter.gene.cor=NA, allow.neg.cor=FALSE."""
    test = camera_test(effects_of(case), sets, trend=case == "trend")
    assert_equals_camera(test, limma(f"camera_na_{case}"))


@pytest.mark.parametrize("case", ["plain", "weights"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("neg", {"allow_negative": True}),
        ("0.01", {"correlation": 0.01}),
        ("ranks", {"use_ranks": True}),
        ("ranks_0.01", {"use_ranks": True, "correlation": 0.01}),
    ],
)
def test_camera_otherwise(case, kind, options, effects_of, sets):
    """inter.gene.cor=NA with allow.neg.cor=TRUE, inter.gene.cor=0.01, and by ranks."""
    assert_equals_camera(
        camera_test(effects_of(case), sets, **options), limma(f"camera_{kind}_{case}")
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [("0.01", {}), ("ranks_0.01", {"use_ranks": True}), ("0.1", {"correlation": 0.1})],
)
def test_camera_preranked(kind, options, sets):
    stat = np.loadtxt(FOLDER / "stats.txt")
    assert_equals_camera(camera_preranked(stat, sets, **options), limma(f"camera_pr_{kind}"))


@pytest.mark.parametrize("case", CASES)
def test_fry(case, effects_of, sets):
    test, expected = fry_test(effects_of(case), sets, trend=case == "trend"), limma(f"fry_{case}")
    np.testing.assert_allclose(test.log10_pval, np.log10(expected["PValue"]), atol=LIMMA)
    assert ((test.stat > 0) == (expected["Direction"] == "Up")).all()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("plain_residual.sd", {"standardize": "residual"}),
        ("plain_none", {"standardize": "none"}),
        ("robust", {"robust": True}),
    ],
)
def test_fry_otherwise(kind, options, effects_of, sets):
    test = fry_test(effects_of("plain"), sets, **options)
    expected = np.log10(limma(f"fry_{kind}")["PValue"])
    np.testing.assert_allclose(test.log10_pval, expected, atol=LIMMA)


def test_fry_of_repeated_measures(effects_of, sets):
    donors = pd.read_csv(FOLDER / "samples.csv")["donor"].to_numpy()
    correlation = float((FOLDER / "correlation.txt").read_text())
    test = fry_test(effects_of("plain", blocks=Blocks(donors, correlation)), sets)
    expected = np.log10(limma("fry_block")["PValue"])
    np.testing.assert_allclose(test.log10_pval, expected, atol=LIMMA)


def test_mixed_p_is_that_of_rotations(effects_of, sets):
    """limma's has beta moments; ours is held to the rotations themselves, which it stands for."""
    effects = effects_of("plain")
    test = fry_test(effects, sets, standardize="none")
    axes = np.random.default_rng(0).standard_normal((100_000, effects.df_residual + 1))
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    along = np.column_stack([effects.effect, effects.residuals])
    for i in range(sets.n_sets):
        own = along[sets[i]]
        larger = np.square(axes @ own.T).sum(axis=1) >= np.square(own[:, 0]).sum()
        error = MONTE_CARLO * np.sqrt(larger.mean() / len(axes)) + 0.15 * larger.mean()
        assert abs(10 ** test.log10_pval_mixed[i] - larger.mean()) <= error


@pytest.mark.parametrize("statistic", ["mean", "floormean", "mean50", "msq"])
def test_roast(statistic, effects_of, sets):
    test = roast_test(effects_of("plain"), sets, n_rotations=9999, set_statistic=statistic)
    expected = limma(f"roast_{statistic}")
    single = sets.sizes == 1  # floored scores of one gene have ties, which limma breaks
    assert_same_chances(test.log10_pval, expected["PValue"].to_numpy())
    assert_same_chances(
        test.log10_pval_mixed[~single], expected["PValue.Mixed"].to_numpy()[~single]
    )


def test_roast_with_weights(effects_of, sets):
    test = roast_test(effects_of("weights"), sets, n_rotations=9999)
    assert_same_chances(test.log10_pval, limma("roast_weights")["PValue"].to_numpy())


def assert_same_chances(log10_pval, expected):
    error = np.sqrt(expected * (1 - expected) * (1 / 9999 + 1 / 99999))
    assert (np.abs(10**log10_pval - expected) <= MONTE_CARLO * error + 2e-4).all()


def test_order_of_genes_and_observations_does_not_matter(values, sets):
    """But that of observations to fry, which trims each gene along the axes of its residuals."""
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(12), np.repeat([0.0, 1], 6)])
    genes, rows = rng.permutation(values.shape[1]), rng.permutation(12)
    moved = SetIndex.of([np.argsort(genes)[sets[i]] for i in range(sets.n_sets)], len(genes))
    for test, order in ((camera_test, rows), (fry_test, np.arange(12))):
        one = test(contrast_effects(values, design, np.array([0.0, 1])), sets)
        other_effects = contrast_effects(values[order][:, genes], design[order], np.array([0.0, 1]))
        other = test(other_effects, moved)
        np.testing.assert_allclose(one.log10_pval, other.log10_pval, atol=LIMMA)


def test_other_way_round_is_the_other_sign(effects_of, values, sets):
    design = np.column_stack([np.repeat([1.0, 0], 6), np.repeat([0.0, 1], 6)])
    there = contrast_effects(values, design, np.array([-1.0, 1]))
    back = contrast_effects(values, design, np.array([1.0, -1]))
    for test in (camera_test, fry_test):
        np.testing.assert_allclose(test(there, sets).stat, -test(back, sets).stat, atol=1e-10)


def test_no_residuals_or_no_contrast_are_refused(values):
    with pytest.raises(InputError, match="leave no residuals"):
        contrast_effects(values[:2], np.eye(2), np.array([1.0, -1]))
    with pytest.raises(InputError, match="zero in all coefficients"):
        contrast_effects(values, np.ones((12, 1)), np.zeros(1))

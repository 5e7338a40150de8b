"""edgeR's pipelines through the door, against edgeR 4.4.2 on simulated counts."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError
from dex.results.schema import Status

CASES = ("df1", "df2", "batch", "groups", "poisson")
# edgeR approximates the moments of unit deviances by tables, up to 0.15% off; ours are exact.
MOMENTS = 4e-3  # of F, quasi-dispersions and their degrees of freedom
MOMENTS_LOG10P = 5e-3
LEVENBERG = 5e-4  # log2fc: without groups, edgeR stops when the deviance changes by 1e-6
# Below a dispersion of 1e-4, edgeR's deviances are a series, 3.7% off at a mean of 3,000.
SERIES = 3e-3
STEADY = 1e-6  # where the search for a common dispersion ends, with observations in another order
TIGHT = 1e-5  # F of the legacy method, whose dispersions are on a grid in both
NO_COUNTS = 0.03  # 'batch': rounding in edgeR's determinants where groups have no counts


def adata_of(case, form=np.asarray):
    counts = case.counts
    genes = [f"g{j}" for j in range(counts.shape[1])]
    return ad.AnnData(form(counts), var=pd.DataFrame(index=genes))


def ranked(case, method="edger", **options):
    adata = adata_of(case)
    dex.tl.rank_genes(adata, design=case.design, method=method, key_added="r", **options)
    return adata


def column(adata, name):
    return np.asarray(adata.varm[f"r_{name}"])[:, 0]


@pytest.fixture(params=CASES, scope="module")
def case(request, edger_case):
    return edger_case(request.param)


def tolerance(case, usual):
    return NO_COUNTS if case.name == "batch" else usual


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ("new", {}),
        ("robust", {"robust": True}),
        ("flat", {"abundance_trend": False}),
        ("given", {"dispersion": 0.07}),
    ],
)
def test_quasi_likelihood(case, how, options):
    table, adata = case.read("ql"), ranked(case, **options)
    telling = table[f"F_{how}"].to_numpy() > 1e-3
    # The typical quasi-dispersion of 'batch' is moved by genes without degrees of freedom.
    loose = case.name == "batch" and how == "given"
    for ours, theirs, rtol in (
        ("stat", "F", MOMENTS),
        ("df", "df", MOMENTS),
        ("log10_pval", "log10_pval", MOMENTS_LOG10P),
    ):
        np.testing.assert_allclose(
            column(adata, ours)[telling],
            table[f"{theirs}_{how}"][telling],
            rtol=NO_COUNTS if loose else rtol,
            atol=0.01 if loose else 1e-4,
        )
    post = adata.var["r_quasi_dispersion_post"]
    np.testing.assert_allclose(post, table[f"s2_post_{how}"], rtol=NO_COUNTS if loose else MOMENTS)
    if how == "new":
        np.testing.assert_allclose(column(adata, "log2fc"), table["log2fc_new"], atol=LEVENBERG)
        assert np.isnan(column(adata, "log2fc_se")).all()


@pytest.mark.parametrize("robust", [False, True])
def test_legacy_quasi_likelihood(case, robust):
    how = "legacy_robust" if robust else "legacy"
    table, adata = case.read("ql"), ranked(case, legacy=True, robust=robust)
    telling = table[f"F_{how}"].to_numpy() > 1e-3
    rtol = tolerance(case, 2e-4 if case.name == "poisson" else TIGHT)
    for ours, theirs in (("stat", "F"), ("df", "df"), ("log10_pval", "log10_pval")):
        np.testing.assert_allclose(
            column(adata, ours)[telling],
            table[f"{theirs}_{how}"][telling],
            rtol=rtol,
            atol=tolerance(case, 1e-5),
        )


def test_likelihood_ratio(case):
    table, adata = case.read("dispersions"), ranked(case, "edger_lrt")
    rtol = tolerance(case, 1e-4)
    np.testing.assert_allclose(adata.var["r_dispersion"], table["tagwise"], rtol=rtol)
    np.testing.assert_allclose(adata.var["r_dispersion_trend"], table["trended"], rtol=rtol)
    np.testing.assert_allclose(
        column(adata, "log2fc"),
        table["log2fc"],
        atol=LEVENBERG * (10 if case.name == "batch" else 1),
    )
    rtol = SERIES if case.name == "poisson" else rtol
    for ours, theirs in (("stat", "lr"), ("log10_pval", "log10_pval")):
        np.testing.assert_allclose(column(adata, ours), table[theirs], rtol=rtol, atol=0.01)
    robust = ranked(case, "edger_lrt", robust=True).var["r_dispersion"]
    np.testing.assert_allclose(robust, table["tagwise_robust"], rtol=tolerance(case, 2e-3))


def test_thresholds(case):
    lrt = ranked(case, "edger_lrt", lfc=0.5)
    answers = [(lrt, case.read("dispersions")["treat_pval"])]
    if case.name != "poisson":  # whose p-values edgeR bounds by Poisson's, which a threshold is not
        legacy = ranked(case, legacy=True, lfc=0.5)
        answers.append((legacy, case.read("ql")["treat_pval_legacy"]))
    for adata, theirs in answers:
        near = np.abs(column(adata, "pval") / theirs - 1) < tolerance(case, 5e-3)
        assert near.mean() > 0.95
    worst = ranked(case, "edger_lrt", lfc=0.5, null="worst_case")
    assert (column(worst, "log10_pval") >= column(lrt, "log10_pval") - 1e-12).all()


def test_several_coefficients_and_contrasts(edger_case):
    case = edger_case("groups")
    table, adata = case.read("ql"), adata_of(case)
    design = pd.DataFrame(case.design, columns=["a", "b", "c"], index=adata.obs_names)
    dex.tl.rank_genes(
        adata, design=design, contrasts=["b", "c"], method="edger", test="any", key_added="r"
    )
    np.testing.assert_allclose(column(adata, "stat"), table["F_any_new"], rtol=MOMENTS, atol=1e-4)
    assert np.isnan(column(adata, "log2fc")).all()
    effects = adata.varm["r_effects"]
    np.testing.assert_allclose(effects[:, 1], table["log2fc_new"], atol=LEVENBERG)
    dex.tl.rank_genes(
        adata, design=design, contrasts=[np.array([0, 1, -0.5])], method="edger", key_added="r"
    )
    telling = table["F_contrast"] > 1e-3
    np.testing.assert_allclose(
        column(adata, "stat")[telling], table["F_contrast"][telling], rtol=MOMENTS
    )
    np.testing.assert_allclose(column(adata, "log2fc"), table["log2fc_contrast"], atol=LEVENBERG)


@pytest.fixture(scope="module")
def small():
    adata = dex.datasets.simulate_counts(n_genes=150, n_per_group=3, seed=1)
    adata.X = np.asarray(adata.X, dtype=float)
    adata.X[:, 0] = 0
    return adata


def result(adata, **options):
    adata = adata.copy()
    options = {"groupby": "condition", "method": "edger", "key_added": "r"} | options
    dex.tl.rank_genes(adata, **options)
    return adata


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("method", ["edger", "edger_lrt"])
def test_forms_of_the_matrix_and_threads_do_not_matter(small, form, method):
    dense = result(small, method=method)
    other = small.copy()
    other.X = form(other.X)
    for again in (result(other, method=method), result(small, method=method, n_threads=2)):
        for name in ("log2fc", "stat", "log10_pval"):
            np.testing.assert_allclose(
                column(again, name), column(dense, name), rtol=STEADY, atol=1e-8
            )


def test_genes_and_samples_may_be_permuted(small):
    rng = np.random.default_rng(0)
    genes, samples = rng.permutation(small.n_vars), rng.permutation(small.n_obs)
    one, other = result(small), result(small[samples, genes])
    for name in ("log2fc", "stat", "log10_pval"):
        np.testing.assert_allclose(
            column(other, name), column(one, name)[genes], rtol=STEADY, atol=STEADY
        )


def test_swapping_the_reference_turns_the_sign(small):
    one = result(small, reference="control")
    other = result(small, reference="treated")
    np.testing.assert_allclose(column(other, "log2fc"), -column(one, "log2fc"), atol=STEADY)
    np.testing.assert_allclose(column(other, "stat"), column(one, "stat"), rtol=STEADY, atol=STEADY)


def test_a_gene_without_counts_is_said_to_be_one(small):
    adata = result(small)
    assert column(adata, "status")[0] == Status.ALL_ZERO
    assert np.isnan(column(adata, "pval")[0])
    assert np.isfinite(column(adata, "pval")[1:]).all()


def test_one_sided_p_values_share_the_two_sided_one(small):
    two, up, down = (
        10 ** column(result(small, alternative=how), "log10_pval")[1:]
        for how in ("two-sided", "greater", "less")
    )
    np.testing.assert_allclose(2 * np.minimum(up, down), two, rtol=1e-9)
    np.testing.assert_allclose(up + down, 1, rtol=1e-9)
    up, down = (
        10 ** column(result(small, alternative=how, lfc=1.0), "log10_pval")[1:]
        for how in ("greater", "less")
    )
    assert (up + down >= 1).all()


def test_without_residual_df_there_are_fold_changes(small):
    pair = small[[0, 3]].copy()
    for method in ("edger", "edger_lrt"):
        adata = result(pair, method=method)
        assert np.isnan(column(adata, "pval")).all()
        assert np.isfinite(column(adata, "log2fc")[1:]).all()
        assert (column(adata, "status")[1:] == Status.NO_REPLICATES).all()


def test_a_fit_from_before_is_tested_with_the_counts(small, tmp_path):
    adata = small.copy()
    dex.tl.fit(adata, "~ condition", method="edger")
    adata.write_h5ad(tmp_path / "fit.h5ad")
    again = ad.read_h5ad(tmp_path / "fit.h5ad")
    contrast = ("condition", "treated", "control")
    dex.tl.contrast(again, contrast, key_added="r")
    np.testing.assert_array_equal(column(again, "stat"), column(result(small), "stat"))
    again.X[0, 5] += 1
    with pytest.raises(InputError, match="has changed since the fit"):
        dex.tl.contrast(again, contrast, key_added="r")


def test_options_are_checked(small):
    for options in (
        {"prior_count": -1.0},
        {"dispersion": np.nan},
        {"robust": "yes"},
        {"legacy": 2},
        {"null": "nearer"},
    ):
        with pytest.raises(InputError, match=next(iter(options))):
            result(small, **options)


def test_logs_are_refused(small):
    logs = small.copy()
    logs.X = np.log1p(logs.X)
    with pytest.raises(InputError, match="counts"):
        result(logs)

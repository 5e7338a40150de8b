import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import dex
from dex.errors import InputError

PRIORS = ["apeglm", "normal", "ash"]
SMALLER = {"apeglm": 0.98, "normal": 0.85, "ash": 0.98}
"""Share of genes whose effect shrinks; normal priors pull the other coefficients too."""
APEGLM = 1e-3  # log2; apeglm's optimiser and DESeq2's own digits of dispersions


@pytest.fixture(scope="module")
def fitted():
    adata = dex.datasets.simulate_counts(n_genes=120, n_per_group=3, groups=("a", "b", "c"), seed=3)
    adata.X[:, 7] = 0
    dex.tl.fit(adata, "~ condition", method="deseq2")
    return adata


def shrunk(adata, contrast, prior, **options):
    dex.tl.contrast(adata, contrast, shrink=prior, key_added="r", **options)
    return dex.get.rank_genes_df(adata, key="r").set_index("gene").sort_index()


@pytest.mark.parametrize("prior", PRIORS)
def test_effects_are_pulled_to_zero_and_kept_beside(fitted, prior):
    table = shrunk(fitted, ("condition", "b", "a"), prior)
    dex.tl.contrast(fitted, ("condition", "b", "a"), key_added="plain")
    plain = dex.get.rank_genes_df(fitted, key="plain").set_index("gene").sort_index()
    pd.testing.assert_frame_equal(table[plain.columns], plain)
    known = plain["log2fc"].notna() & (plain["log2fc"].abs() > 1e-6)
    pulled, effect = table["log2fc_shrunk"][known], plain["log2fc"][known]
    assert (pulled.abs() < effect.abs() + 1e-3).mean() > SMALLER[prior]
    assert (np.sign(pulled) == np.sign(effect)).mean() > 0.9
    assert table["svalue"].dropna().between(0, 0.5).all()
    assert fitted.uns["r"]["params"]["shrink"] == prior


@pytest.mark.parametrize("prior", PRIORS)
def test_swapped_contrast_has_the_other_sign(fitted, prior):
    there = shrunk(fitted, ("condition", "c", "b"), prior)
    back = shrunk(fitted, ("condition", "b", "c"), prior)
    for name, sign in (("log2fc_shrunk", -1), ("log2fc_shrunk_sd", 1)):
        np.testing.assert_allclose(there[name], sign * back[name], atol=1e-6)


@pytest.mark.parametrize("prior", PRIORS)
def test_all_contrasts_at_once_are_each_by_itself(fitted, prior):
    contrasts = [("condition", "b", "a"), ("condition", "c", "b")]
    dex.tl.contrast(fitted, contrasts, shrink=prior, key_added="both")
    for t, contrast in enumerate(contrasts):
        dex.tl.contrast(fitted, contrast, shrink=prior, key_added="one")
        both, one = (fitted.varm[f"{key}_log2fc_shrunk"] for key in ("both", "one"))
        np.testing.assert_array_equal(both[:, t], one[:, 0])


def test_gene_without_counts_has_no_shrunk_effect(fitted):
    for prior in PRIORS:
        dex.tl.contrast(fitted, ("condition", "b", "a"), shrink=prior, key_added="r")
        assert np.isnan(fitted.varm["r_log2fc_shrunk"][7, 0])


def test_threshold_makes_signs_less_sure(fitted):
    plain = shrunk(fitted, ("condition", "b", "a"), "apeglm")
    least = shrunk(fitted, ("condition", "b", "a"), "apeglm", lfc=0.5)
    np.testing.assert_array_equal(plain["log2fc_shrunk"], least["log2fc_shrunk"])
    known = plain["svalue"].notna()
    assert (least["svalue"] >= plain["svalue"])[known].all()


def test_refusals(fitted):
    with pytest.raises(InputError, match="'apeglm', 'normal'"):
        dex.tl.contrast(fitted, shrink="ashr")
    with pytest.raises(InputError, match=r"leave out .* shrink="):
        dex.tl.contrast(fitted, groupby="condition", test="any", shrink="ash")


def test_ma_plot_of_shrunk_effects(fitted):
    dex.tl.contrast(fitted, ("condition", "b", "a"), shrink="ash", key_added="r")
    axes = dex.pl.ma(fitted, key="r", value="log2fc_shrunk")
    assert "shrunken" in getattr(axes, "get_ylabel", lambda: "shrunken")()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "design"),
    [("single_factor", "~ condition"), ("multi_factor", "~ group + condition")],
)
def test_counts_to_shrunk_effects_are_apeglms(realdata, name, design):
    root = realdata.parent / "reference" / "deseq2_1.34_apeglm"
    inputs = root / "datasets" / "synthetic"
    counts = pd.read_csv(inputs / "test_counts.csv", index_col=0).T
    samples = pd.read_csv(inputs / "test_metadata.csv", index_col=0)
    adata = AnnData(counts.to_numpy(float), samples, pd.DataFrame(index=counts.columns))
    dex.tl.rank_genes(
        adata,
        design=design,
        contrasts=("condition", "B", "A"),
        method="deseq2",
        shrink="apeglm",
        refit_outliers=None,
    )
    theirs = pd.read_csv(root / "tests" / "data" / name / "r_test_lfc_shrink_res.csv", index_col=0)
    ours = adata.var["rank_genes_log2fc_shrunk"]
    np.testing.assert_allclose(ours, theirs["log2FoldChange"], atol=APEGLM)
    np.testing.assert_allclose(adata.var["rank_genes_log2fc_shrunk_sd"], theirs["lfcSE"], rtol=2e-3)

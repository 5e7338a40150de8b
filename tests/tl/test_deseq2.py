"""DESeq2 through the door: R's answers on small data, statuses, options, invariance."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix

import dex
from dex.errors import InputError
from dex.results.schema import Status

FOLDER = Path(__file__).parents[1] / "reference" / "deseq2"
FIT_TYPE = {"thousand": "mean"}
RIDGE_MOVES = 1e-4
"""DESeq2's ridge of 1e-6 pulls at the intercept, which is another with another reference."""
TREND_MOVES = 5e-3
"""Of statistics: R's ascent stops short in some genes, which moves the trend for all."""


def adata_of(run, **columns):
    adata = ad.AnnData(run.counts.copy(), obs=pd.DataFrame(columns, index=names(run.counts)))
    adata.uns["design"] = pd.DataFrame(
        run.design, adata.obs_names, [f"x{i}" for i in range(run.design.shape[1])]
    )
    return adata


def names(counts):
    return [f"s{i}" for i in range(len(counts))]


def rank(adata, contrast, **options):
    dex.tl.rank_genes(
        adata, design=adata.uns["design"], contrasts=contrast, method="deseq2", **options
    )
    return {
        name: np.asarray(adata.varm[f"rank_genes_{name}"])[:, 0]
        for name in map(str, adata.uns["rank_genes"]["columns"])
    }


def last(run):
    return np.eye(run.design.shape[1])[-1]


@pytest.mark.parametrize("name", ["df2", "df3", "df4", "wide", "thousand", "rising", "interaction"])
def test_answers_are_those_of_deseq2(deseq2_run, name):
    run = deseq2_run(name)
    found = rank(adata_of(run), last(run), fit_type=FIT_TYPE.get(name, "parametric"))
    theirs = run.tight
    for ours, column in (("pval", "pvalue"), ("padj", "padj")):
        np.testing.assert_array_equal(
            np.isnan(found[ours]), theirs[f"last.{column}"].isna(), err_msg=column
        )
    stat = theirs["last.stat"].to_numpy()
    error = np.abs(found["stat"] - stat) / np.maximum(np.abs(stat), 1)
    assert np.nanquantile(error, 0.93) < (
        0.05 if name in {"df2", "df3", "interaction"} else TREND_MOVES
    )
    both = (found["padj"] < 0.05) == (theirs["last.padj"] < 0.05)
    assert both.mean() > 0.98


def test_outliers_have_no_p_value_and_say_so(deseq2_run):
    run = deseq2_run("six")
    found = rank(adata_of(run), last(run))
    theirs = run.tight["last.pvalue"].isna() & (run.tight["baseMean"] > 0)
    assert (found["status"] == Status.OUTLIER).sum() == 17
    np.testing.assert_array_equal(found["status"] == Status.OUTLIER, theirs)
    kept = rank(adata_of(run), last(run), cooks=False)
    assert not (kept["status"] == Status.OUTLIER).any()
    assert np.isfinite(kept["pval"][theirs]).all()


def test_filtered_genes_have_a_p_value_but_no_padj(deseq2_run):
    run = deseq2_run("six")
    found = rank(adata_of(run), last(run), cooks=False)
    low = found["status"] == Status.LOW_COUNT
    assert np.isfinite(found["pval"][low]).all()
    np.testing.assert_array_equal(low, np.isnan(found["padj"]) & np.isfinite(found["pval"]))
    unfiltered = rank(adata_of(run), last(run), cooks=False, independent_filtering=False)
    assert not (unfiltered["status"] == Status.LOW_COUNT).any()


def test_outliers_among_seven_are_replaced(deseq2_run):
    run = deseq2_run("seven")
    adata = adata_of(run)
    found = rank(adata, last(run))
    theirs = pd.read_csv(FOLDER / "seven_replaced.csv.gz")
    fit = dex.get.fit_df(adata)
    np.testing.assert_array_equal(fit["n_replaced"] > 0, theirs["replace"].fillna(0) > 0)
    said = f"Fitted again with outliers replaced: {(fit['n_replaced'] > 0).sum()} genes"
    assert any(note.startswith(said) for note in adata.uns["rank_genes"]["notes"])
    known = theirs["baseMean"].to_numpy() > 0
    for ours, column in (("log2fc", "log2FoldChange"), ("log2fc_se", "lfcSE")):
        error = np.abs(found[ours] / theirs[f"last.{column}"] - 1)[known]
        assert np.nanquantile(error, 0.98) < 1e-3
    np.testing.assert_array_equal(np.isnan(found["padj"]), theirs["last.padj"].isna())
    as_they_are = rank(adata_of(run), last(run), refit_outliers=None)
    assert (as_they_are["status"] == Status.OUTLIER).sum() > 10


def test_a_gene_silent_in_both_groups_does_not_change(deseq2_run):
    run = deseq2_run("additive")
    condition = np.repeat(["a", "b", "c"], 4)
    adata = adata_of(run, condition=condition, batch=np.tile(["x", "y"], 6))
    dex.tl.rank_genes(
        adata,
        design="~ batch + condition",
        contrasts=[("condition", "c", "b"), "c - b", ("condition", "b", "a")],
        method="deseq2",
    )
    for column, expected in (("log2fc", 0.0), ("pval", 1.0), ("stat", 0.0)):
        assert adata.varm[f"rank_genes_{column}"][3, :2].tolist() == [expected, expected]
    assert adata.varm["rank_genes_log2fc"][3, 2] < -5
    table = run.tight
    np.testing.assert_allclose(
        adata.varm["rank_genes_log2fc"][:, 0], table["c_b.log2FoldChange"], atol=0.05
    )


def test_thresholds(deseq2_run):
    run = deseq2_run("additive")
    vector = np.eye(4)[2]
    for options, column in (
        ({"lfc": 0.5}, "greaterAbs"),
        ({"lfc": 0.5, "alternative": "greater"}, "greater"),
        ({"lfc": 0.5, "alternative": "less"}, "less"),
        ({"lfc": 0.5, "equivalence": True}, "lessAbs"),
    ):
        found = rank(adata_of(run), vector, **options)
        theirs = run.tight[f"{column}.pvalue"].to_numpy()
        assert np.quantile(np.abs(found["pval"] - theirs), 0.95) < 0.02


def test_likelihood_ratios_are_those_of_deseq2(deseq2_run):
    run = deseq2_run("lrt")
    found = rank(adata_of(run), np.eye(4)[2:], test="any")
    stat = run.tight["last.stat"].to_numpy()
    assert np.quantile(np.abs(found["stat"] - stat) / np.maximum(stat, 1), 0.95) < 0.05
    assert (found["df"] == 2).all()


def test_likelihood_ratio_of_a_fit_and_of_one_call(deseq2_run):
    run = deseq2_run("seven")
    adata = adata_of(run)
    whole = rank(adata, last(run)[None], test="any")
    dex.tl.fit(adata, adata.uns["design"], method="deseq2")
    dex.tl.contrast(adata, last(run)[None], test="any")
    np.testing.assert_array_equal(adata.varm["rank_genes_stat"][:, 0], whole["stat"])


@pytest.mark.parametrize("shrink", ["apeglm", "normal", "ash"])
def test_shrunken_effects_are_nearer_to_zero(deseq2_run, shrink):
    run = deseq2_run("wide")
    found = rank(adata_of(run), last(run), shrink=shrink)
    size = np.abs(found["log2fc"])
    assert (np.abs(found["log2fc_shrunk"]) <= size * 1.001 + 1e-6).mean() > 0.95
    assert ((found["svalue"] >= 0) & (found["svalue"] <= 1)).all()
    sure = found["pval"] < 1e-6
    np.testing.assert_allclose(found["log2fc_shrunk"][sure], found["log2fc"][sure], rtol=0.2)


def test_order_form_and_threads_do_not_matter(deseq2_run):
    run = deseq2_run("six")
    expected = rank(adata_of(run), last(run))
    genes, obs = np.random.default_rng(0).permutation(160), np.random.default_rng(1).permutation(12)
    permuted = rank(adata_of(run)[obs, genes].copy(), last(run), n_threads=2)
    for form in (csr_matrix, csc_matrix):
        adata = adata_of(run)
        adata.X = form(adata.X)
        np.testing.assert_allclose(rank(adata, last(run))["stat"], expected["stat"], rtol=1e-9)
    adata = adata_of(run)[obs][:, genes].copy()
    adata.uns["design"] = adata.uns["design"].iloc[obs]
    permuted = rank(adata, last(run), n_threads=2)
    np.testing.assert_allclose(permuted["stat"], expected["stat"][genes], rtol=1e-6)
    np.testing.assert_array_equal(permuted["status"], expected["status"][genes])


def test_the_other_reference_has_the_other_sign():
    adata = dex.datasets.simulate_counts(200, n_per_group=4, seed=0)
    for key, reference in (("one", "control"), ("other", "treated")):
        dex.tl.rank_genes(adata, "condition", reference=reference, method="deseq2", key_added=key)
    ours, theirs = adata.varm["one_log2fc"][:, 0], adata.varm["other_log2fc"][:, 0]
    np.testing.assert_allclose(ours, -theirs, rtol=RIDGE_MOVES, atol=RIDGE_MOVES)


def test_estimated_counts_are_rounded_and_that_is_said():
    adata = dex.datasets.simulate_counts(200, n_per_group=4, seed=0)
    whole = adata.copy()
    dex.tl.rank_genes(whole, "condition", method="deseq2")
    adata.X = adata.X + np.float32(0.25)
    adata.layers["counts"] = adata.X
    dex.tl.rank_genes(
        adata,
        "condition",
        method="deseq2",
        layer="counts",
        scale="counts",
        size_factors="true_size_factor",
    )
    assert any("rounded" in note for note in adata.uns["rank_genes"]["notes"])


def test_what_cannot_be_is_refused():
    adata = dex.datasets.simulate_counts(100, n_per_group=3, seed=0)
    ask = {"groupby": "condition", "method": "deseq2"}
    for options, words in (
        ({"padj_scope": "global"}, "independent_filtering=False"),
        ({"fit_type": "loess"}, "fit_type"),
        ({"alpha": 2}, "alpha"),
        ({"equivalence": True}, "lfc"),
        ({"shrink": "lasso"}, "shrink"),
        ({"prior_var": -1.0}, "prior_var"),
        ({"refit_outliers": 2}, "refit_outliers"),
    ):
        with pytest.raises(InputError, match=words):
            dex.tl.rank_genes(adata, **ask, **options)
    dex.tl.rank_genes(adata, **ask, padj_scope="global", independent_filtering=False)


def test_without_replicates_there_are_fold_changes_only():
    adata = dex.datasets.simulate_counts(100, n_per_group=1, seed=0)
    dex.tl.rank_genes(adata, "condition", method="deseq2")
    assert np.isfinite(adata.var["rank_genes_log2fc"][adata.X.sum(axis=0) > 0]).all()
    assert adata.var["rank_genes_pval"].isna().all()

"""Single cells of several people and animals, each cell type by itself: R's numbers on the sums."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex

pytestmark = pytest.mark.realdata

FOLDER = Path(__file__).parent / "reference" / "pseudobulk_real"
QUESTIONS = {
    "kang_muscat": ("group_id", "ctrl", "sample_id", "cluster_id"),
    "small_airway_cf": ("Genotype", "WT", "orig.ident", "celltype"),
}
PRINTED = 1e-8
"""R's numbers have ten digits."""
MOMENTS = 2e-3
"""Of F and of log10 p: edgeR approximates the moments of unit deviances, by up to 0.1%."""
GLM_STOPS = 2e-4
"""Of log2 fold changes: edgeR's Newton steps end at a change of 1e-6 in the deviance."""
FLAT = 0.015
"""Of DESeq2's standard errors: where its ascent of flat likelihoods ends moves the trend by 0.1%,
and the prior variance by a step of its grid."""
LOST = 0.96
"""Of the genes: in the others, R's ascent ends somewhere else altogether."""
NAMED = ["ISG15", "IFIT1", "IFIT3", "ISG20"]


@pytest.fixture(scope="module")
def ranked(realdata):
    """Both sets, tested by three methods; and what R says."""

    def rank(name):
        if name not in done:
            groupby, reference, replicate, per = QUESTIONS[name]
            cells = ad.read_h5ad(realdata / name / f"{name}.h5ad")
            options = {"reference": reference, "replicate": replicate, "per": per}
            for method in ("edger", "limma_voom", "deseq2"):
                dex.tl.rank_genes(cells, groupby, method=method, key_added=method, **options)
            done[name] = cells
        return done[name]

    done: dict[str, ad.AnnData] = {}
    return rank


def reference(name):
    numbers = pd.read_csv(FOLDER / "numbers.csv")
    genes = pd.read_csv(FOLDER / "genes.csv.gz")
    return (table[table["data"] == name].set_index("stratum") for table in (numbers, genes))


def pairs(cells, name, method):
    """Our table of a cell type beside R's, gene by gene, and R's counts of genes."""
    numbers, genes = reference(name)
    for stratum, row in numbers.iterrows():
        theirs = genes.loc[stratum]
        table = dex.get.rank_genes_df(cells, key=method, per=stratum)
        yield table, table.set_index("gene").loc[theirs["gene"]], theirs, row


@pytest.mark.parametrize("name", QUESTIONS)
def test_edger(ranked, name):
    for table, ours, theirs, row in pairs(ranked(name), name, "edger"):
        assert table["pval"].notna().sum() == row["n_kept"]
        assert (table["padj"] < 0.05).sum() == row["edger_005"]
        error = np.abs(ours["log10_pval"].to_numpy() - theirs["edger_log10_pval"].to_numpy())
        assert error.max() < MOMENTS
        np.testing.assert_allclose(ours["log2fc"], theirs["edger_log2fc"], atol=GLM_STOPS)
        np.testing.assert_allclose(ours["df"], theirs["edger_df"], rtol=MOMENTS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_limma_voom(ranked, name):
    for table, ours, theirs, row in pairs(ranked(name), name, "limma_voom"):
        assert (table["padj"] < 0.05).sum() == row["voom_005"]
        np.testing.assert_allclose(ours["stat"], theirs["voom_t"], atol=PRINTED, rtol=PRINTED)
        np.testing.assert_allclose(ours["log2fc"], theirs["voom_log2fc"], atol=PRINTED)
        np.testing.assert_allclose(ours["log10_pval"], theirs["voom_log10_pval"], atol=PRINTED)


@pytest.mark.parametrize("name", QUESTIONS)
def test_deseq2(ranked, name):
    for table, every, answers, row in pairs(ranked(name), name, "deseq2"):
        known = answers["deseq2_stat"].notna().to_numpy()
        ours, theirs = every[known], answers[known]
        near = np.isclose(ours["log2fc"], theirs["deseq2_log2fc"], atol=5e-3, rtol=1e-3)
        near &= np.isclose(ours["log2fc_se"], theirs["deseq2_se"], atol=0, rtol=FLAT)
        near &= np.isclose(ours["stat"], theirs["deseq2_stat"], atol=0.02, rtol=FLAT)
        assert near.mean() > LOST
        n, n_theirs = (table["padj"] < 0.05).sum(), row["deseq2_005"]
        assert abs(n - n_theirs) <= max(1, FLAT * n_theirs)


def test_interferon_in_every_cell_type(ranked):
    cells = ranked("kang_muscat")
    for table, _, theirs, _ in pairs(cells, "kang_muscat", "edger"):
        named = table.set_index("gene").loc[NAMED]
        assert (named["padj"] < 0.05).all()
        assert (named["padj_global"] < 0.05).all()
        assert (named["log2fc"] > 0).all()
        place = {gene: rank for rank, gene in enumerate(table["gene"], start=1)}
        best = theirs[theirs["edger_rank"] <= 20].set_index("gene")["edger_rank"]
        ranks = pd.Series(place)[best.index]
        assert (
            ranks - best
        ).abs().max() <= 1  # neighbours whose p-values differ by less than MOMENTS
        named_too = best.index.intersection(NAMED)
        assert (ranks[named_too] == best[named_too]).all()


def test_animals_decide_and_not_cells(ranked, caplog):
    cells = ranked("small_airway_cf")
    assert (cells.n_obs, len(dex.get.obs_df(cells, key="edger"))) == (2722, 21)
    tests = dex.get.tests_df(cells, key="edger")
    assert tests[["n_group", "n_reference"]].to_numpy().tolist() == [[3, 4]] * 3
    dex.tl.rank_genes(cells, "Genotype", reference="WT", per="celltype", key_added="auto")
    assert dex.get.params(cells, key="auto")["replicate"] == "orig.ident"
    np.testing.assert_array_equal(cells.varm["auto_stat"], cells.varm["edger_stat"])
    options = {"reference": "WT", "method": "wilcoxon", "key_added": "cells"}
    dex.tl.rank_genes(cells, "Genotype", per="celltype", **options)
    assert "Cells are tested as if each were a replicate" in caplog.text
    found = {key: (cells.varm[f"{key}_padj"] < 0.05).sum() for key in ("auto", "cells")}
    assert found["auto"] == 1
    assert found["cells"] > 100

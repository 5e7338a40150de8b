"""Hallmark sets on real data, as limma's camera and fry have them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dex

pytestmark = pytest.mark.realdata

REFERENCE = Path(__file__).parent / "reference" / "enrich_real"
LIMMA = 1e-6  # of log10 p: what is asked for
QUESTIONS = {
    "airway": ("~ celltype + dex", ("dex", "treated", "control")),
    "macrophage": ("~ line_id + condition_name", ("condition_name", "IFNg", "naive")),
}
R_LEVELS = {
    "celltype": ["N052611", "N061011", "N080611", "N61311"],
    "condition_name": ["naive", "IFNg", "IFNg_SL1344", "SL1344"],
}
"""With weights of every value, axes of residuals depend on the order of the design's columns."""


@pytest.fixture(scope="module", params=list(QUESTIONS))
def ranked(request, realdata):
    """Genes of filterByExpr, with symbols in ``var``, by limma-voom."""
    folder = realdata / request.param
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    symbols = pd.read_csv(realdata / "hapmap_lcl" / "genes.csv.gz", index_col="gene")["Symbol"]
    adata.var["symbol"] = symbols.reindex(adata.var_names)
    for column in R_LEVELS.keys() & set(adata.obs):
        adata.obs[column] = pd.Categorical(adata.obs[column], categories=R_LEVELS[column])
    design, contrast = QUESTIONS[request.param]
    dex.pp.filter_genes(adata, design=design)
    dex.tl.rank_genes(adata, design=design, contrasts=contrast, method="limma_voom")
    return request.param, adata


@pytest.fixture(scope="module")
def hallmark(realdata):
    return realdata / "genesets" / "h.all.v7.0.symbols.gmt.gz"


def both(ranked, hallmark, **options):
    name, adata = ranked
    dex.tl.enrich(adata, hallmark, min_size=1, **options)
    table = dex.get.enrich_df(adata).set_index("gene_set")
    expected = pd.read_csv(REFERENCE / f"{name}.csv", index_col="set")
    assert set(table.index) == set(expected.index)
    assert (table["n_genes"] == expected["n"].reindex(table.index)).all()
    return table, expected.reindex(table.index)


def test_camera_with_estimated_correlation(ranked, hallmark):
    """inter.gene.cor=NA, allow.neg.cor=FALSE: every set where limma puts it."""
    table, expected = both(ranked, hallmark)
    np.testing.assert_allclose(
        table["log10_pval"], np.log10(expected["camera_na"]), rtol=0, atol=LIMMA
    )
    np.testing.assert_allclose(table["correlation"], expected["correlation"], atol=LIMMA)
    assert (table["direction"] == expected["direction"].str.lower()).all()
    assert expected["camera_na"].is_monotonic_increasing


def test_camera_with_fixed_correlation(ranked, hallmark):
    """inter.gene.cor=0.01."""
    table, expected = both(ranked, hallmark, method="camera", inter_gene_cor=0.01)
    np.testing.assert_allclose(table["log10_pval"], np.log10(expected["camera_0.01"]), atol=LIMMA)


def test_fry(ranked, hallmark):
    table, expected = both(ranked, hallmark, method="fry")
    np.testing.assert_allclose(table["log10_pval"], np.log10(expected["fry"]), atol=LIMMA)
    assert (table["direction"] == expected["fry_direction"].str.lower()).all()


@pytest.mark.parametrize("method", ["edger", "deseq2", "limma_voom"])
def test_interferon_sets_are_first_under_interferon(method, ranked, hallmark):
    name, adata = ranked
    if name != "macrophage":
        pytest.skip("of macrophages")
    design, contrast = QUESTIONS[name]
    dex.tl.rank_genes(adata, design=design, contrasts=contrast, method=method, key_added=method)
    for test in ("camera", "fry", "ora"):
        dex.tl.enrich(adata, hallmark, method=test, key=method)
        first = dex.get.enrich_df(adata, direction="up")["gene_set"][:5].tolist()
        assert "HALLMARK_INTERFERON_GAMMA_RESPONSE" in first
        assert "HALLMARK_INTERFERON_ALPHA_RESPONSE" in first


def test_interferon_sets_are_first_in_stimulated_blood_cells(realdata, hallmark):
    cells = dex.io.read_h5ad(realdata / "kang_muscat" / "kang_muscat.h5ad")
    of_type = cells[cells.obs["cluster_id"] == "CD4 T cells"].copy()
    dex.tl.rank_genes(of_type, "group_id", reference="ctrl", replicate="sample_id")
    for method in ("camera", "fry", "ora", "gsea"):
        dex.tl.enrich(of_type, hallmark, method=method)
        assert set(dex.get.enrich_df(of_type)["gene_set"][:2]) == {
            "HALLMARK_INTERFERON_ALPHA_RESPONSE",
            "HALLMARK_INTERFERON_GAMMA_RESPONSE",
        }

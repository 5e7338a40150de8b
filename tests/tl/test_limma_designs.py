"""limma on real designs against R's statistics of some genes (tests/reference/limma_designs).

A paired two-by-two factorial with its interaction, two factors crossed, a batch, and 170 samples of
people some of whom are in two studies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dex

FOLDER = Path(__file__).parents[1] / "reference" / "limma_designs"
AIRWAY = {"FKBP5": 69, "DUSP1": 3, "KLF15": 44, "PER1": 21, "CRISPLD2": 127}
ENSEMBL = ["ENSG00000096060", "ENSG00000120129", "ENSG00000163884", "ENSG00000179094"]
ENSEMBL.append("ENSG00000103196")
SAME = 1e-8  # ten digits are written
CORRELATED = 1e-4  # restricted likelihoods of 1,142 genes: R takes slow steps, and the nearer mode
NO_LODS = 1e-7  # where they cross 0

pytestmark = pytest.mark.realdata


def load(realdata, name, *, filtered=True):
    folder = realdata / name
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    return adata[:, (adata.X >= 10).sum(axis=0) >= 4].copy() if filtered else adata


def check(adata, name, columns, rtol=SAME):
    """Compare tests, in their order, with the columns of R, and how many genes are significant."""
    limma = pd.read_csv(FOLDER / f"{name}.csv", dtype={"gene": str}).set_index("gene")
    summary = pd.read_csv(FOLDER / f"{name}_summary.csv").set_index("test")
    at = adata.var_names.get_indexer(limma.index)
    for t, column in enumerate(columns):
        for statistic in ("log2fc", "stat", "log10_pval", "lods"):
            ours = adata.varm[f"rank_genes_{statistic}"][at, t]
            np.testing.assert_allclose(
                ours, limma[f"{column}.{statistic}"], rtol=rtol, atol=max(rtol, NO_LODS)
            )
        significant = adata.varm["rank_genes_padj"][:, t] < 0.05
        up = significant & (adata.varm["rank_genes_stat"][:, t] > 0)
        assert (significant.sum(), up.sum()) == tuple(summary.loc[column])


@pytest.fixture(scope="module")
def macrophage(realdata):
    return load(realdata, "macrophage")


class TestMacrophage:
    """Four treatments of six donors: an interaction is a contrast of treatments."""

    design = "~ line_id + condition_name"
    contrasts = {
        "interaction": "IFNg_SL1344 - IFNg - SL1344 + naive",
        "ifng": ("condition_name", "IFNg", "naive"),
    }

    @pytest.mark.parametrize(
        ("options", "columns"),
        [
            ({"method": "limma_voom"}, ["voom_interaction", "voom_ifng"]),
            ({"method": "limma"}, ["trend_interaction"]),
            ({"method": "limma", "robust": True}, ["robust_interaction"]),
        ],
    )
    def test_interaction(self, macrophage, options, columns):
        adata = macrophage.copy()
        dex.tl.rank_genes(adata, design=self.design, contrasts=self.contrasts, **options)
        check(adata, "macrophage", columns)

    def test_factorial_formula(self, macrophage):
        adata = macrophage.copy()
        for name, label in (("ifng", "IFNg"), ("salmonella", "SL1344")):
            adata.obs[name] = (
                adata.obs["condition_name"].astype(str).str.contains(label).astype(int)
            )
        design = "~ line_id + ifng * salmonella"
        contrasts = ["ifng:salmonella", "ifng"]
        dex.tl.rank_genes(adata, design=design, contrasts=contrasts, method="limma_voom")
        check(adata, "macrophage", ["voom_interaction", "voom_ifng"])


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ({"method": "limma_voom"}, ["voom_luminal_lactating", "voom_luminal_pregnant"]),
        ({"method": "limma_voom", "sample_weights": True}, ["quality_luminal_lactating"]),
        ({"method": "limma", "robust": True}, ["robust_luminal_lactating"]),
    ],
)
def test_mammary(realdata, options, columns):
    adata = load(realdata, "gse60450_mammary")
    adata.obs["status"] = pd.Categorical(adata.obs["status"], ["virgin", "lactating", "pregnant"])
    adata.obs["cell_type"] = pd.Categorical(adata.obs["cell_type"], ["basal", "luminal"])
    contrasts = [
        "cell_type[T.luminal]:status[T.lactating]",
        "cell_type[T.luminal]:status[T.pregnant]",
    ]
    dex.tl.rank_genes(adata, design="~ cell_type * status", contrasts=contrasts, **options)
    check(adata, "gse60450_mammary", columns)


@pytest.mark.parametrize(("method", "column"), [("limma_voom", "voom"), ("limma", "trend")])
def test_pasilla(realdata, method, column):
    adata = load(realdata, "pasilla")
    contrast = ("condition", "untreated", "treated")  # the levels as R sorts them
    dex.tl.rank_genes(adata, design="~ type + condition", contrasts=contrast, method=method)
    check(adata, "pasilla", [column])


@pytest.mark.parametrize(
    ("method", "columns"), [("limma", ["trend_sex"]), ("limma_voom", ["voom_sex", "voom_study"])]
)
def test_repeated_people(realdata, method, columns):
    adata = load(realdata, "hapmap_lcl")[:, ::8].copy()  # R takes long over a gene
    contrasts = [("sex", "male", "female"), ("study", "Montgomery", "Cheung")]
    dex.tl.fit(adata, "~ study + sex", method=method, block="individual")
    correlations = (FOLDER / "hapmap_lcl_correlations.txt").read_text().split()
    correlation = float(correlations[0 if method == "limma" else 1])
    np.testing.assert_allclose(adata.uns["fit"]["shared"]["correlation"], correlation, atol=1e-5)
    dex.tl.contrast(adata, contrasts)
    check(adata, "hapmap_lcl", columns, rtol=CORRELATED)


def test_airway_ranks_by_limma_trend(realdata):
    """Of the genes that edgeR's filter keeps, in counts per million of the library."""
    adata = load(realdata, "airway", filtered=False)
    dex.pp.filter_genes(adata, groupby="dex")
    contrast = ("dex", "treated", "control")
    options = {"method": "limma", "size_factors": "library"}
    dex.tl.rank_genes(adata, design="~ celltype + dex", contrasts=contrast, **options)
    ranks = pd.Series(adata.var["rank_genes_log10_pval"]).rank()
    assert ranks[ENSEMBL].tolist() == list(AIRWAY.values())


SETS = {
    "airway": ("airway", "dextreated"),
    "pasilla": ("pasilla", "conditiontreated"),
    "macrophage_ifng": ("macrophage", "condition_nameIFNg"),
    "gse60450_basal": ("gse60450_mammary", "statuspregnant"),
    "hapmap_sex": ("hapmap_lcl", "sexmale"),
}


@pytest.mark.parametrize("name", SETS)
def test_every_gene_of_voom(realdata, name):
    """R's whole tables, of its own designs and genes."""
    data, coef = SETS[name]
    folder = realdata.parent / "reference" / "R" / name
    limma = pd.read_csv(folder / "limma_voom.csv.gz", dtype={"gene": str}).set_index("gene")
    design = pd.read_csv(folder / "design.csv", index_col="sample")
    adata = load(realdata, data, filtered=False)[design.index, limma.index].copy()
    dex.tl.rank_genes(adata, design=design, contrasts=coef, method="limma_voom")
    for ours, theirs in {"log2fc": "logFC", "stat": "t", "lods": "B", "log2": "AveExpr"}.items():
        values = adata.var["rank_genes_mean_log2" if ours == "log2" else f"rank_genes_{ours}"]
        np.testing.assert_allclose(values, limma[theirs], rtol=SAME, atol=NO_LODS)
    np.testing.assert_allclose(
        adata.var["rank_genes_log10_pval"], np.log10(limma["P.Value"]), rtol=1e-8, atol=1e-9
    )
    np.testing.assert_allclose(adata.var["rank_genes_padj"], limma["adj.P.Val"], rtol=1e-7)

"""scanpy's own readers of ``rank_genes_groups`` work on our results."""

from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scanpy as sc

import dex

KEY = "rank_genes"
MATRIX = {"dendrogram": False}
PLOTS = {
    "panels": (sc.pl.rank_genes_groups, {}),
    "violin": (sc.pl.rank_genes_groups_violin, {"groups": ["Dendritic"]}),
    "dotplot": (sc.pl.rank_genes_groups_dotplot, MATRIX),
    "dotplot of fold changes": (
        sc.pl.rank_genes_groups_dotplot,
        MATRIX | {"values_to_plot": "logfoldchanges"},
    ),
    "heatmap": (sc.pl.rank_genes_groups_heatmap, MATRIX),
    "matrixplot": (sc.pl.rank_genes_groups_matrixplot, MATRIX),
    "matrixplot of log p": (
        sc.pl.rank_genes_groups_matrixplot,
        MATRIX | {"values_to_plot": "log10_pvals_adj"},
    ),
    "stacked violin": (sc.pl.rank_genes_groups_stacked_violin, MATRIX),
    "tracks": (sc.pl.rank_genes_groups_tracksplot, MATRIX),
}
TYPES = ("Dendritic", "CD56+ NK", "CD4+/CD25 T Reg")
AS_IN_SCANPY = 1e-6  # scanpy keeps scores as float32
pytestmark = [  # of scanpy 1.12's plots
    pytest.mark.filterwarnings("ignore:set_ticklabels.. should only be used with:UserWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def _agg():
    before = mpl.get_backend()
    mpl.use("Agg")
    plt.close("all")  # scanpy draws into a figure that other tests have left
    yield
    plt.close("all")
    mpl.use(before)


@pytest.fixture(scope="module")
def ranked():
    """Cells of three types, one with a slash in its name; 60 genes."""
    cells = dex.datasets.pbmc68k()
    cells = cells[cells.obs["bulk_labels"].isin(TYPES), :60].copy()
    dex.tl.rank_genes(cells, groupby="bulk_labels", method="t-test")
    return cells


@pytest.fixture(scope="module")
def read_back(ranked, tmp_path_factory):
    path = tmp_path_factory.mktemp("scanpy") / "cells.h5ad"
    ranked.write_h5ad(path)
    return ad.read_h5ad(path)


@pytest.fixture(params=["as made", "from a file"])
def cells(request, ranked, read_back):
    return ranked if request.param == "as made" else read_back


@pytest.mark.parametrize("plot", PLOTS)
def test_plots_draw(cells, plot):
    draw, options = PLOTS[plot]
    draw(cells, key=KEY, n_genes=2, show=False, **options)
    drawn = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
    plt.close("all")
    assert any(ax.has_data() or ax.texts for ax in drawn)


def test_tables_are_read(cells):
    for group in cells.obs["bulk_labels"].cat.categories:
        theirs = sc.get.rank_genes_groups_df(cells, group, key=KEY).set_index("names")
        ours = dex.get.rank_genes_df(cells, group).set_index("gene").loc[theirs.index]
        np.testing.assert_array_equal(theirs["scores"], ours["stat"])
        np.testing.assert_array_equal(theirs["logfoldchanges"], ours["log2fc"])
        np.testing.assert_array_equal(theirs["pvals"], ours["pval"])
        np.testing.assert_array_equal(theirs["pvals_adj"], ours["padj"])


def test_all_groups_at_once_are_read(cells):
    everything = sc.get.rank_genes_groups_df(cells, None, key=KEY)
    assert len(everything) == cells.n_vars * cells.obs["bulk_labels"].nunique()
    few = sc.get.rank_genes_groups_df(cells, None, key=KEY, pval_cutoff=0.01, log2fc_min=1)
    assert 0 < len(few) < len(everything)


def test_scores_are_those_of_scanpys_own_test(ranked):
    theirs = ranked.copy()
    sc.tl.rank_genes_groups(theirs, "bulk_labels", method="t-test")
    for group in ranked.obs["bulk_labels"].cat.categories:
        expected = sc.get.rank_genes_groups_df(theirs, group).set_index("names")["scores"]
        found = sc.get.rank_genes_groups_df(ranked, group, key=KEY).set_index("names")["scores"]
        tested = found.notna()
        assert tested.sum() > 40
        np.testing.assert_allclose(
            found[tested], expected.loc[found.index][tested], rtol=AS_IN_SCANPY, atol=AS_IN_SCANPY
        )


def test_plots_work_again_after_genes_were_left_out(ranked):
    fewer = ranked[:, ranked.var_names[30:]].copy()
    with pytest.raises(KeyError):
        sc.pl.rank_genes_groups_matrixplot(fewer, key=KEY, n_genes=30, show=False, **MATRIX)
    plt.close("all")
    dex.tl.refresh_view(fewer)
    axes = sc.pl.rank_genes_groups_matrixplot(fewer, key=KEY, n_genes=2, show=False, **MATRIX)
    labels = {label.get_text() for label in axes["mainplot_ax"].get_xticklabels()}
    plt.close("all")
    assert labels
    assert labels <= set(fewer.var_names)


def test_two_groups_and_a_reference_are_drawn(ranked):
    two = ranked[ranked.obs["bulk_labels"].isin(["Dendritic", "CD56+ NK"])].copy()
    dex.tl.rank_genes(two, groupby="bulk_labels", reference="CD56+ NK", method="t-test")
    assert two.uns[KEY]["names"].dtype.names == ("Dendritic",)
    axes = sc.pl.rank_genes_groups_dotplot(two, key=KEY, n_genes=3, show=False, **MATRIX)
    best = [label.get_text() for label in axes["mainplot_ax"].get_xticklabels()]
    plt.close("all")
    assert best == two.uns[KEY]["names"]["Dendritic"][:3].tolist()

"""What every plot promises: given axes, hostile names, and settings left as they were."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import dex

HOSTILE = {"control": r"$\alpha_{$", "treated": "$a$ <b> & \\frac"}
OPTIONS = {
    "expression": {"genes": ["$x_{$"]},
    "compare": {"key": ["rank_genes", "ranks"]},
    "mean_variance": {"key": "voom"},
    "cooks": {"key": "deseq2"},
    "panel_size": {"key": "signature"},
    "stability": {"key": "signature"},
}
PLOTS = sorted(dex.pl.__all__)


@pytest.fixture(scope="module")
def hostile():
    """Names that would be formulas, were they read as TeX."""
    adata = dex.datasets.simulate_counts(120, n_per_group=4, seed=1)
    names = list(adata.var_names)
    names[:2] = ["$x_{$", "$y$"]
    adata.var_names = names
    adata.obs_names = [f"${name}_{{$" for name in adata.obs_names]
    adata.obs["$condition_{$"] = adata.obs.pop("condition").cat.rename_categories(HOSTILE)
    dex.tl.rank_genes(adata, groupby="$condition_{$")
    dex.tl.rank_genes(adata, groupby="$condition_{$", method="wilcoxon", key_added="ranks")
    for method, key in (("limma_voom", "voom"), ("deseq2", "deseq2")):
        dex.tl.rank_genes(adata, groupby="$condition_{$", method=method, key_added=key)
    dex.tl.pca(adata)
    dex.tl.mds(adata)
    dex.tl.classify(adata, "$condition_{$", n_permutations=19, repeats=1)
    dex.tl.signature(adata, "$condition_{$", sizes=(1, 3), repeats=1, n_subsamples=5)
    dex.tl.cluster(adata, 2, n_null=10, n_resamples=10)
    put_modules(adata)
    put_priorities(adata)
    sets = {"$a_{$": names[:20], r"\frac{": names[10:40], "$b$ <i> & c": names[60:90]}
    dex.tl.enrich(adata, sets, method="gsea", n_threads=1)
    return adata


def put_modules(adata):
    adata.obsm["modules_eigengenes"] = np.random.default_rng(0).normal(size=(8, 2))
    adata.uns["modules"] = {
        "made_by": "dex.tl.modules",
        "modules": np.array(["M1", "M2"], dtype=object),
        "sizes": np.array([30, 10]),
        "explained": np.array([0.5, 0.6]),
    }


def put_priorities(adata):
    numbers = ("auc", "null_mean", "null_sd", "pval", "padj", "n_group", "n_reference")
    adata.uns["prioritize"] = {
        "made_by": "dex.tl.prioritize",
        "params": {"group": "$a_{$", "reference": "$b$", "n_cells": 20},
        "types": np.array(["$T_{$", "B"], dtype=object),
        **{name: np.array([0.7, 0.4]) for name in (*numbers, "n_possible")},
    }


@pytest.mark.parametrize("name", PLOTS)
def test_names_are_no_formulas(hostile, name, tmp_path):
    figure = getattr(dex.pl, name)(
        hostile, return_fig=True, save=tmp_path / "a.png", **OPTIONS.get(name, {})
    )
    figure.savefig(tmp_path / "b.svg")
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("name", PLOTS)
def test_given_axes_are_drawn_in(hostile, name):
    figure, axes = plt.subplots(1, 2, figsize=(8, 4))
    settings = dict(mpl.rcParams)
    before = len(plt.get_fignums())
    getattr(dex.pl, name)(hostile, ax=axes[1], **OPTIONS.get(name, {}))
    figure.canvas.draw()
    drawn = axes[1].get_children() + axes[1].child_axes
    assert len(drawn) > len(axes[0].get_children())
    assert dict(mpl.rcParams) == settings
    assert len(plt.get_fignums()) == before
    plt.close(figure)


def test_names_in_the_report_are_no_formulas(hostile, tmp_path):
    dex.report.write(hostile, tmp_path / "report.html", max_figures=1)
    page = (tmp_path / "report.html").read_text()
    assert "not drawn" not in page
    assert hostile.obs_names[0] in page

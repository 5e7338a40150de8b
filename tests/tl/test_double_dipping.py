from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

LEIDEN = {"resolution": 1.0, "random_state": 0, "n_iterations": 2}
"""As scanpy's leiden leaves them; louvain leaves the first two or all."""


@pytest.fixture
def noise():
    """Cells that differ by nothing."""
    return dex.datasets.simulate_counts(
        200, 2, cells_per_replicate=60, mean_count=2.0, de_fraction=0.0, replicate_sd=0.0,
        replicate_condition_sd=0.0, seed=1,
    )  # fmt: skip


def graph_clusters(adata, key):
    adata.obs[key] = pd.Categorical((np.arange(adata.n_obs) % 3).astype(str))
    adata.uns[key] = {"params": LEIDEN, "modularity": 0.4}


def warnings_of(caplog):
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_clusters_made_of_noise_differ_and_that_is_said(noise, caplog):
    """The reason for the warning: most genes that lead the clusters are called."""
    dex.tl.cluster(noise, 2, method="kmeans", n_null=5, n_comps=2)
    caplog.clear()
    dex.tl.rank_genes(noise, "cluster", replicate=None)
    ranked = dex.get.rank_genes_df(noise)
    assert (ranked["padj"] < 0.05).sum() > 5
    (said,) = warnings_of(caplog)
    assert "obs['cluster'] are clusters of these very values" in said
    assert "\n" not in said
    for valid in ("within clusters", "other data", "dex.pp.split_counts", "double_dipping='allow'"):
        assert valid in said
    assert said in list(noise.uns["rank_genes"]["notes"])


@pytest.mark.parametrize("key", ["leiden", "leiden_0.5", "louvain"])
def test_labels_of_scanpy_are_known(noise, caplog, key):
    graph_clusters(noise, key)
    dex.tl.rank_genes(noise, key)
    assert len(warnings_of(caplog)) == 1
    caplog.clear()
    dex.tl.rank_genes(noise, key, double_dipping="allow")
    assert not warnings_of(caplog)


def test_real_labels_of_scanpy(noise, caplog):
    pytest.importorskip("igraph")
    import scanpy as sc

    sc.pp.normalize_total(noise)
    sc.pp.log1p(noise)
    sc.pp.pca(noise, n_comps=5)
    sc.pp.neighbors(noise, method="gauss")  # umap would be compiled first
    sc.tl.leiden(noise, flavor="igraph", n_iterations=2, directed=False)
    dex.tl.rank_genes(noise, "leiden")
    assert len(warnings_of(caplog)) == 1


def test_contrasts_of_a_fit_are_warned_of_too(noise, caplog):
    graph_clusters(noise, "leiden")
    noise.obs["leiden"] = noise.obs["leiden"].cat.rename_categories({"0": "a", "1": "b", "2": "c"})
    dex.tl.fit(noise, "~ leiden", method="ols")
    caplog.clear()
    dex.tl.contrast(noise, ("leiden", "b", "a"))
    assert len(warnings_of(caplog)) == 1
    caplog.clear()
    dex.tl.contrast(noise, "b - a", double_dipping="allow")
    assert not warnings_of(caplog)


def test_conserved_markers_are_warned_of_too(noise, caplog):
    graph_clusters(noise, "leiden")
    dex.tl.conserved_markers(noise, "leiden", block="condition")
    (said,) = warnings_of(caplog)
    assert said in list(noise.uns["conserved_markers"]["notes"])
    caplog.clear()
    dex.tl.conserved_markers(noise, "leiden", block="condition", double_dipping="allow")
    assert not warnings_of(caplog)


def test_split_counts_are_no_double_dipping(caplog):
    """Poisson noise: on the counts that were clustered far too many genes are called, on the other
    part p at most 0.05 is had by 5% of the genes.
    """
    poisson = {"dispersion": 0.0, "extra_dispersion": 0.0, "replicate_sd": 0.0}
    noise = dex.datasets.simulate_counts(
        300, 1, cells_per_replicate=100, mean_count=4.0, mean_count_sd=0.5, de_fraction=0.0,
        library_size_sd=0.1, replicate_condition_sd=0.0, seed=2, **poisson,
    )  # fmt: skip
    dex.pp.split_counts(noise, seed=1)
    dex.tl.cluster(noise, 2, method="kmeans", n_null=5, n_comps=2, layer="split_train")
    caplog.clear()
    share = {}
    for layer in ("split_train", "split_test"):
        dex.tl.rank_genes(noise, "cluster", layer=layer, replicate=None, key_added=layer)
        pval = dex.get.rank_genes_df(noise, key=layer)["pval"].dropna()
        share[layer] = (pval <= 0.05).mean()
    error = np.sqrt(0.05 * 0.95 / 300)
    assert share["split_train"] > 0.15
    assert share["split_test"] < 0.05 + 4 * error
    (said,) = warnings_of(caplog)
    assert said in list(noise.uns["split_train"]["notes"])
    assert said not in list(noise.uns["split_test"]["notes"])
    graph_clusters(noise, "leiden")
    caplog.clear()
    dex.tl.rank_genes(noise, "leiden", layer="split_test", replicate=None)
    assert not warnings_of(caplog)


def test_other_questions_are_quiet(noise, caplog):
    graph_clusters(noise, "leiden")
    noise.obs["cell_type"] = noise.obs["leiden"]
    dex.tl.cluster(noise, 3, method="kmeans", axis="var", key_added="condition_genes", n_null=5)
    noise.uns["condition"] = {"params": {"resolution": 1}}  # not what scanpy leaves
    caplog.clear()
    dex.tl.rank_genes(noise, "cell_type")
    dex.tl.rank_genes(noise, "condition", replicate=None, method="wilcoxon")
    dex.tl.rank_genes(noise, design="~ leiden + condition", method="ols", replicate=None)
    assert not warnings_of(caplog)


def test_other_words_are_refused(noise):
    with pytest.raises(InputError, match="double_dipping='never' is not known"):
        dex.tl.rank_genes(noise, "condition", double_dipping="never")
    assert "rank_genes" not in noise.uns

from __future__ import annotations

import numpy as np
import pytest

import dex
from dex.errors import InputError


@pytest.fixture(scope="module")
def clustered():
    adata = dex.datasets.simulate_counts(150, 5, groups=("a", "b", "c"), log2fc_sd=3, seed=1)
    dex.tl.cluster(adata, n_null=20, n_resamples=20)
    dex.tl.cluster(adata, 2, axis="var", key_added="genes", n_top_genes=40, n_null=9)
    dex.tl.cluster(adata, 2, method="kmeans", key_added="means", n_null=9)
    return adata


def names_of(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def test_the_gap_is_that_of_the_table(clustered):
    ax = dex.pl.gap(clustered)
    table = dex.get.gap_df(clustered)
    (chosen,) = [line for line in ax.lines if line.get_label() == "chosen"]
    assert chosen.get_xdata().tolist() == [3]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points[0].get_ydata(), table["gap"])
    assert ax.get_title().startswith("3 clusters (p = 0.048")


def test_the_consensus_is_that_of_the_names(clustered):
    ax = dex.pl.consensus(clustered, "condition")
    names = names_of(ax)
    expected = dex.get.consensus_df(clustered).loc[names, names].to_numpy()
    drawn = np.ma.filled(ax.images[0].get_array(), 1.0)
    np.testing.assert_allclose(drawn, expected)
    labels = [other.get_label() for other in ax.figure.axes]
    assert "bar of cluster" in labels
    assert "bar of condition" in labels
    part = clustered.obs.loc[names, "cluster"].to_numpy()
    assert (part[1:] != part[:-1]).sum() == 2, "clusters are in one piece each"


def test_genes_are_drawn_too(clustered):
    ax = dex.pl.consensus(clustered, key="genes")
    assert len(ax.get_yticklabels()) == 40
    assert set(names_of(ax)) <= set(clustered.var_names)


def test_clusters_without_consensus_are_refused(clustered):
    with pytest.raises(InputError, match="has no consensus"):
        dex.pl.consensus(clustered, key="means")
    with pytest.raises(InputError, match="key_added='other'"):
        dex.pl.gap(clustered, key="other")

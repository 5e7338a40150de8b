"""The plot of Cook's distances draws those of the fit, sample by sample."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dex
from dex.errors import InputError


@pytest.fixture(scope="module")
def adata():
    adata = dex.datasets.simulate_counts(400, n_per_group=5, seed=4)
    adata.X[2, ::3] *= 20  # a sample that disagrees with its group
    adata.X[4, 11] = 60 * adata.X[:5, 11].max()
    dex.tl.rank_genes(adata, groupby="condition", method="deseq2")
    dex.tl.fit(adata, "~ condition", method="deseq2")
    dex.tl.fit(adata, "~ condition", method="edger", key_added="edger")
    return adata


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def drawn(ax, label):
    (found,) = (artist for artist in ax.get_children() if artist.get_label() == label)
    return found


def test_boxes_are_those_of_the_fit(adata):
    ax = dex.pl.cooks(adata, return_fig=True).axes[0]
    quantiles = adata.uns["rank_genes"]["shared"]["cooks_quantiles"]
    medians = [line[0, 1] for line in drawn(ax, "median").get_segments()]
    np.testing.assert_allclose(medians, quantiles[:, 2])
    assert [label.get_text() for label in ax.get_xticklabels()] == list(adata.obs_names)
    assert np.argmax(quantiles[:, 3]) == 2


def test_counts_beyond_the_cutoff_are_marked(adata):
    ax = dex.pl.cooks(adata, key="fit", return_fig=True).axes[0]
    largest = drawn(ax, "largest").get_offsets()
    assert 4 in largest[:, 0]
    frame = dex.get.fit_df(adata, "fit")
    assert largest[:, 1].max() == pytest.approx(frame["max_cooks"].max())
    said = " ".join(text.get_text() for text in ax.texts)
    assert f"{len(largest)} of 10 samples hold a count beyond the cutoff" in said


def test_distances_survive_h5ad_and_a_choice_of_samples(adata, tmp_path):
    dex.io.write_h5ad(adata, tmp_path / "fit.h5ad")
    again = dex.io.read_h5ad(tmp_path / "fit.h5ad")[:3].copy()
    ax = dex.pl.cooks(again, return_fig=True).axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == list(adata.obs_names)


def test_many_samples_are_not_named():
    many = dex.datasets.simulate_counts(50, n_per_group=30, seed=1)
    dex.tl.rank_genes(many, groupby="condition", method="deseq2")
    ax = dex.pl.cooks(many, return_fig=True).axes[0]
    assert ax.get_xlabel() == "60 samples, in their order"
    assert "largest" in [text.get_text() for text in ax.texts]


def test_other_methods_have_none(adata):
    with pytest.raises(InputError, match="method='edger' has left no Cook's distances"):
        dex.pl.cooks(adata, key="edger")

"""The mean-variance plots draw what the fit knows."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dex
from dex.errors import InputError


@pytest.fixture(scope="module")
def adata():
    adata = dex.datasets.simulate_counts(300, n_per_group=5, outlier_fraction=0.02, seed=4)
    adata.X[:, 5] = 0
    dex.tl.fit(adata, "~ condition", method="limma_voom", key_added="voom")
    dex.tl.fit(adata, "~ condition", method="limma", robust=True, key_added="trend")
    dex.tl.fit(adata, "~ condition", method="ols", key_added="plain")
    dex.tl.rank_genes(adata, "condition", method="limma_voom", trend=True)
    return adata


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def drawn(ax, label):
    (found,) = (artist for artist in ax.get_children() if artist.get_label() == label)
    return found


def test_voom(adata):
    ax = dex.pl.mean_variance(adata, key="voom", return_fig=True).axes[0]
    frame, shared = dex.get.fit_df(adata, "voom"), adata.uns["voom"]["shared"]
    points = drawn(ax, "genes").get_offsets()
    known = frame["voom_root_sd"].notna().to_numpy()
    assert len(points) == known.sum() < 300  # genes without counts have none
    np.testing.assert_allclose(points[:, 0], frame["mean_log2"][known] + shared["log2_depth"])
    np.testing.assert_allclose(points[:, 1], frame["voom_root_sd"][known])
    np.testing.assert_allclose(drawn(ax, "trend").get_ydata(), shared["voom_y"])
    assert ax.get_xlabel() == "average log₂ count"
    said = " ".join(text.get_text() for text in ax.texts)
    assert f"{300 - known.sum()} genes without a variance not drawn" in said


def test_prior(adata):
    ax = dex.pl.mean_variance(adata, key="trend", return_fig=True).axes[0]
    frame = dex.get.fit_df(adata, "trend")
    np.testing.assert_allclose(drawn(ax, "genes").get_offsets()[:, 1], frame["var"] ** 0.25)
    order = np.argsort(frame["mean_log2"].to_numpy(), kind="stable")
    prior = frame["var_prior"].to_numpy()[order] ** 0.25
    np.testing.assert_allclose(drawn(ax, "prior").get_ydata(), prior)
    less = (frame["df_prior"] < 0.9 * frame["df_prior"].max()).sum()
    assert less > 0
    assert len(drawn(ax, "outlier").get_offsets()) == less


def test_results_and_either_kind(adata):
    assert dex.pl.mean_variance(adata).get_title() == "~ condition"
    ax = dex.pl.mean_variance(adata, kind="prior", title="mine")
    assert (ax.get_title(), ax.get_xlabel()) == ("mine", "average log₂ expression")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": "trend", "kind": "voom"}, "method='limma' has no mean-variance trend"),
        ({"key": "plain"}, "method='ols' has no prior of the variances"),
        ({"kind": "sa"}, "kind='sa' is not known"),
        ({"key": "nothing"}, "nothing"),
    ],
)
def test_what_cannot_be_drawn(adata, options, words):
    with pytest.raises(InputError) as error:
        dex.pl.mean_variance(adata, **options)
    assert words in str(error.value)

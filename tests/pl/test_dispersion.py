"""The plot of dispersions: what is drawn of edgeR's and DESeq2's, and what is refused."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dex
from dex.errors import InputError
from dex.pl._dispersion_drawing import dispersions, quasi_dispersions

N_ZERO = 3


@pytest.fixture(scope="module")
def adata():
    adata = dex.datasets.simulate_counts(300, n_per_group=4, seed=2)
    adata.X[:, :N_ZERO] = 0
    for method in ("edger", "edger_lrt", "deseq2", "ols"):
        dex.tl.rank_genes(adata, "condition", method=method, key_added=method)
    dex.tl.fit(adata, "~ condition", method="edger")
    return adata


def offsets(ax, label):
    (found,) = (one for one in ax.collections if one.get_label() == label)
    drawn = np.ma.filled(found.get_offsets(), np.nan)
    return drawn[np.isfinite(drawn[:, 1])]


def words(ax):
    return " ".join(text.get_text() for text in ax.texts)


@pytest.mark.parametrize("key", ["edger", "fit"])
def test_quasi_dispersions_own_squeezed_and_their_trend(adata, key):
    ax = dex.pl.dispersion(adata, key=key)
    frame = dex.get.fit_df(adata, key)
    known = np.isfinite(frame["quasi_dispersion"])
    np.testing.assert_array_equal(
        offsets(ax, "own"), frame.loc[known, ["abundance", "quasi_dispersion"]]
    )
    np.testing.assert_array_equal(
        offsets(ax, "used"), frame[["abundance", "quasi_dispersion_post"]]
    )
    (line,) = (one for one in ax.lines if one.get_label() == "trend")
    np.testing.assert_array_equal(
        np.sort(frame["quasi_dispersion_trend"]), np.sort(line.get_ydata())
    )
    assert (np.diff(line.get_xdata()) >= 0).all()
    assert ax.get_ylabel() == "quasi-dispersion"
    assert ax.get_title() == "~ condition"
    assert "BCV of the model that all genes share" in words(ax)
    assert "degrees of freedom of the trend" in words(ax)
    plt.close("all")


def test_the_axis_is_of_fourth_roots(adata):
    ax = dex.pl.dispersion(adata, key="edger")
    low, half, high = ax.transData.transform([(0, 0), (0, 1), (0, 16)])[:, 1]
    assert (high - low) == pytest.approx(2 * (half - low))
    plt.close("all")


@pytest.mark.parametrize(
    ("key", "x", "label"),
    [
        ("edger_lrt", "abundance", "average log₂ CPM"),
        ("deseq2", "base_mean", "mean of normalised counts"),
    ],
)
def test_dispersions_against_abundance(adata, key, x, label):
    ax = dex.pl.dispersion(adata, key=key)
    frame = dex.get.fit_df(adata, key)
    shown = frame[np.isfinite(frame["dispersion"]) & np.isfinite(frame[x])]
    if key == "deseq2":
        shown = shown[shown[x] > 0]
    drawn = offsets(ax, "used")
    np.testing.assert_array_equal(drawn[:, 0], shown[x])
    low = ax.get_ylim()[0]
    inside = (shown["dispersion"] > 1.5 * low).to_numpy()
    np.testing.assert_array_equal(drawn[inside, 1], shown["dispersion"][inside])
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == label
    plt.close("all")


def test_outliers_are_ringed(adata):
    frame = dex.get.fit_df(adata, "deseq2")
    frame.loc[frame.index[10:13], "dispersion_outlier"] = 1.0
    spread = dispersions(frame)
    assert spread.outlier.sum() >= 3
    ax = dex.pl.dispersion(adata, key="deseq2")
    rings = [one for one in ax.collections if one.get_label() == "outlier"]
    assert len(rings) == int((dex.get.fit_df(adata, "deseq2")["dispersion_outlier"] == 1).any())
    plt.close("all")


def test_genes_without_a_dispersion_are_counted(adata):
    n_zero = int((~adata.X.any(axis=0)).sum())
    assert n_zero >= N_ZERO
    spread = dispersions(dex.get.fit_df(adata, "deseq2"))
    assert spread.n_not_drawn == n_zero
    assert quasi_dispersions(dex.get.fit_df(adata, "edger")).n_not_drawn == 0
    ax = dex.pl.dispersion(adata, key="deseq2")
    assert f"{n_zero} genes without a dispersion not drawn" in words(ax)
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "ols"}, "kind='dispersion': method='ols' has no dispersion of the genes"),
        ({"key": "deseq2", "kind": "quasi"}, "method='deseq2' has no quasi-dispersion"),
        ({"key": "edger", "kind": "bcv"}, "kind='bcv' is not known; it is 'dispersion' or 'quasi'"),
        ({"key": "nothing"}, "key='nothing': is not there"),
    ],
)
def test_what_cannot_be_drawn(adata, options, message):
    with pytest.raises(InputError, match=message):
        dex.pl.dispersion(adata, **options)


def test_the_dispersion_of_a_quasi_likelihood_fit_is_one(adata):
    ax = dex.pl.dispersion(adata, key="edger", kind="dispersion")
    assert len(np.unique(offsets(ax, "used")[:, 1])) == 1
    plt.close("all")

"""Scores of gene sets in every observation."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError

METHODS = ("mean_z", "ssgsea", "gsva", "aucell")


def planted():
    """Samples of two groups; 30 genes are up in the second."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(1, 20, 400), (8, 400)).astype(float)
    counts[4:, :30] *= 3
    obs = pd.DataFrame({"group": list("aaaabbbb")}, index=[f"o{i}" for i in range(8)])
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"g{j}" for j in range(400)]))


def sets_of(adata):
    names = list(adata.var_names)
    return {"up/in b": names[:30], "null": names[100:160], "few": names[:2]}


@pytest.mark.parametrize("method", METHODS)
def test_planted_sets_score_higher(method):
    adata = planted()
    counts = adata.X.copy()
    dex.tl.score_sets(adata, sets_of(adata), method=method, top=0.2) if method == "aucell" else (
        dex.tl.score_sets(adata, sets_of(adata), method=method)
    )
    scores = adata.obsm[f"score_{method}"]
    assert list(scores.columns) == ["up|in b", "null"]
    assert list(scores.index) == list(adata.obs_names)
    up = scores["up|in b"].to_numpy()
    assert up[4:].min() > up[:4].max()
    null = scores["null"].to_numpy()
    assert abs(null[4:].mean() - null[:4].mean()) < 0.5 * (up[4:].mean() - up[:4].mean())
    assert np.array_equal(adata.X, counts)
    entry = adata.uns[f"score_{method}"]
    assert entry["n_genes"].tolist() == [30, 60]
    assert entry["params"]["method"] == method


@pytest.mark.parametrize("method", METHODS)
def test_form_of_the_matrix_does_not_matter(method):
    dense = planted()
    dex.tl.score_sets(dense, sets_of(dense), method=method)
    wanted = dense.obsm[f"score_{method}"]
    for form in (sparse.csr_matrix, sparse.csc_matrix):
        other = planted()
        other.X = form(other.X)
        dex.tl.score_sets(other, sets_of(other), method=method, n_threads=2)
        pd.testing.assert_frame_equal(other.obsm[f"score_{method}"], wanted, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_order_does_not_matter(method):
    adata = planted()
    dex.tl.score_sets(adata, sets_of(adata), method=method)
    rng = np.random.default_rng(2)
    mixed = planted()[rng.permutation(8), rng.permutation(400)].copy()
    dex.tl.score_sets(mixed, sets_of(adata), method=method)
    key = f"score_{method}"
    # gsva takes genes of equal rank in their order, so it is left a little room
    pd.testing.assert_frame_equal(
        mixed.obsm[key].loc[adata.obs_names],
        adata.obsm[key],
        rtol=0.02 if method == "gsva" else 1e-9,
    )


def test_blocks_of_observations_do_not_matter(monkeypatch):
    adata = planted()
    dex.tl.score_sets(adata, sets_of(adata), method="ssgsea")
    whole = adata.obsm["score_ssgsea"].copy()
    monkeypatch.setattr("dex.tl._score_sets._VALUES_AT_A_TIME", 800)
    dex.tl.score_sets(adata, sets_of(adata), method="ssgsea", n_threads=2)
    pd.testing.assert_frame_equal(adata.obsm["score_ssgsea"], whole)


def test_ssgsea_is_within_a_range_of_one_unless_not_wanted():
    adata = planted()
    dex.tl.score_sets(adata, sets_of(adata), method="ssgsea")
    assert np.ptp(adata.obsm["score_ssgsea"].to_numpy()) == pytest.approx(1)
    dex.tl.score_sets(adata, sets_of(adata), method="ssgsea", normalize=False, key_added="raw")
    assert np.ptp(adata.obsm["raw"].to_numpy()) > 1


def test_scores_travel(tmp_path):
    adata = planted()
    dex.tl.score_sets(adata, sets_of(adata), key_added="sets")
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    assert np.array_equal(back.obsm["sets"].to_numpy(), adata.obsm["sets"].to_numpy())
    assert list(back.obsm["sets"].columns) == ["up|in b", "null"]
    dex.tl.score_sets(back, sets_of(adata), key_added="sets")  # what dex has made is replaced


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "zscore"}, "method='zscore'"),
        ({"top": 0.1}, "top=0.1"),
        ({"method": "aucell", "top": 0}, "top=0"),
        ({"min_size": 100}, "none of the 3 sets"),
        ({"key_added": "mine"}, "holds something else"),
    ],
)
def test_what_cannot_be_done_changes_nothing(options, words):
    adata = planted()
    adata.obsm["mine"] = np.zeros((8, 2))
    with pytest.raises(InputError, match=words):
        dex.tl.score_sets(adata, sets_of(adata), **options)
    assert list(adata.obsm) == ["mine"]
    assert not [key for key in adata.uns if key != "dex_layers"]


def test_gsva_of_too_many_cells_is_refused(monkeypatch):
    monkeypatch.setattr("dex.tl._score_sets._MOST_OBS_FOR_GSVA", 7)
    adata = planted()
    with pytest.raises(InputError, match="takes 7"):
        dex.tl.score_sets(adata, sets_of(adata), method="gsva")

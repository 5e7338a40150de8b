"""Marker scores of an AnnData, against loops over pairs of groups."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import scanpy as sc
from scipy import sparse, stats

import dex
from dex.errors import InputError
from dex.results import Status

CLOSE = {"rtol": 1e-11, "atol": 1e-12}
KEY = "score_markers"


@pytest.fixture
def clusters(cells):
    """Logs of 150 cells in four clusters of unequal size and two batches; gene 7 is all zero."""
    rng = np.random.default_rng(4)
    cells.X = np.log1p(cells.X.toarray().astype(float))
    cells.X[:, 7] = 0
    cells.obs["cluster"] = rng.choice(list("abcd"), cells.n_obs, p=[0.5, 0.3, 0.15, 0.05])
    cells.obs["batch"] = rng.choice(["x", "y"], cells.n_obs)
    return cells


def pairwise(X, labels, group):
    """AUC, Cohen's d and difference of detection against each other group, ``(n_vars, 3)``."""
    x = X[labels == group]
    for other in sorted(set(labels) - {group}):
        y = X[labels == other]
        auc = stats.mannwhitneyu(x, y, axis=0).statistic / (len(x) * len(y))
        sd = np.sqrt((x.var(axis=0, ddof=1) + y.var(axis=0, ddof=1)) / 2)
        with np.errstate(invalid="ignore"):
            d = np.nan_to_num((x.mean(axis=0) - y.mean(axis=0)) / sd)
        yield auc, d, (x > 0).mean(axis=0) - (y > 0).mean(axis=0)


def test_scores_are_those_of_a_loop_over_pairs(clusters, column):
    dex.tl.score_markers(clusters, "cluster")
    expressed = clusters.X.any(axis=0)
    labels = clusters.obs["cluster"].to_numpy()
    for g, group in enumerate("abcd"):
        effects = np.stack(list(pairwise(clusters.X, labels, group)), axis=2)
        for name, own in zip(("auc", "cohens_d", "pct_diff"), effects, strict=True):
            for words, summary in (
                ("min", own.min(axis=1)),
                ("mean", own.mean(axis=1)),
                ("median", np.median(own, axis=1)),
                ("max", own.max(axis=1)),
            ):
                stored = column(clusters, f"{name}_{words}", KEY)[:, g]
                np.testing.assert_allclose(stored[expressed], summary[expressed], **CLOSE)
                assert np.isnan(stored[~expressed]).all()
            ranks = stats.rankdata(-np.round(own[expressed], 9), method="min", axis=0).min(axis=1)
            stored = column(clusters, f"{name}_min_rank", KEY)[expressed, g]
            np.testing.assert_array_equal(stored, ranks)


def test_means_and_fractions_are_of_the_other_groups_alike(clusters, column):
    dex.tl.score_markers(clusters, "cluster")
    linear = np.expm1(clusters.X)
    labels = clusters.obs["cluster"].to_numpy()
    means = np.column_stack([linear[labels == one].mean(axis=0) for one in "abcd"])
    detected = np.column_stack([(linear[labels == one] > 0).mean(axis=0) for one in "abcd"])
    for g in range(4):
        others = np.delete(means, g, axis=1).mean(axis=1)
        np.testing.assert_allclose(column(clusters, "mean_reference", KEY)[:, g], others, **CLOSE)
        others = np.delete(detected, g, axis=1).mean(axis=1)
        np.testing.assert_allclose(column(clusters, "pct_reference", KEY)[:, g], others, **CLOSE)
    pseudocount = dex.get.params(clusters, key=KEY)["pseudocount"]
    sides = [column(clusters, f"mean_{side}", KEY) + pseudocount for side in ("group", "reference")]
    expected = np.log2(sides[0] / sides[1])
    kept = np.arange(clusters.n_vars) != 7
    np.testing.assert_allclose(column(clusters, "log2fc", KEY)[kept], expected[kept], **CLOSE)


def test_blocks_threads_passes_and_formats_give_the_same(
    clusters, column, small_blocks, monkeypatch
):
    dex.tl.score_markers(clusters, "cluster", n_threads=1)
    monkeypatch.setattr(import_module("dex.tl._score_markers"), "_BUDGET", 1)
    clusters.X = sparse.csr_matrix(clusters.X)
    dex.tl.score_markers(clusters, "cluster", n_threads=2, key_added="again")
    names = clusters.uns[KEY]["columns"].tolist()
    assert len(names) == 22
    for name in names:
        np.testing.assert_array_equal(
            column(clusters, name, KEY), column(clusters, name, "again"), err_msg=name
        )


def test_groups_scored_and_groups_left_out(clusters, column):
    dex.tl.score_markers(clusters, "cluster")
    dex.tl.score_markers(clusters, "cluster", groups=["c", "a"], key_added="some")
    assert dex.get.tests_df(clusters, key="some")["group"].tolist() == ["c", "a"]
    for name in ("auc_min", "cohens_d_median", "auc_min_rank", "mean_reference"):
        some, every = column(clusters, name, "some"), column(clusters, name, KEY)
        np.testing.assert_array_equal(some, every[:, [2, 0]])
    gone = clusters[clusters.obs["cluster"] != "d"].copy()
    dex.tl.score_markers(clusters, "cluster", exclude=["d"], scale="ln1p", unit="cells")
    dex.tl.score_markers(gone, "cluster", scale="ln1p", unit="cells")
    np.testing.assert_array_equal(column(clusters, "auc_mean", KEY), column(gone, "auc_mean", KEY))


def test_a_block_that_shifts_everything_is_taken_out(clusters, column):
    dex.tl.score_markers(clusters, "cluster", block="batch")
    shifted = clusters.copy()
    shifted.X = shifted.X + 2.0 * (shifted.obs["batch"] == "y").to_numpy()[:, None]
    dex.tl.score_markers(shifted, "cluster", block="batch", scale="ln1p", unit="cells")
    kept = np.arange(clusters.n_vars) != 7
    np.testing.assert_allclose(
        column(shifted, "auc_mean", KEY)[kept], column(clusters, "auc_mean", KEY)[kept], **CLOSE
    )
    assert dex.get.params(clusters, key=KEY)["block"] == "batch"


def test_the_result_is_read_as_others_are(clusters, tmp_path):
    dex.tl.score_markers(clusters, "cluster")
    table = dex.get.rank_genes_df(clusters, "b", key=KEY)
    scores = table["auc_mean"].dropna()
    assert scores.is_monotonic_decreasing
    assert table["status"].iloc[-1] == "all_zero"
    assert table["auc_min_rank"].min() == 1
    tests = dex.get.tests_df(clusters, key=KEY)
    assert (tests["n_tested"] == 119).all()
    assert (tests["n_group"] + tests["n_reference"] == 150).all()
    theirs = sc.get.rank_genes_groups_df(clusters, "b", key=KEY)
    assert theirs["names"].tolist()[:5] == table["gene"].tolist()[:5]
    dex.pl.heatmap(clusters, key=KEY, return_fig=True)
    dex.io.write_h5ad(clusters, tmp_path / "scored.h5ad")
    again = dex.io.read_h5ad(tmp_path / "scored.h5ad")[:, :60].copy()
    dex.tl.refresh_view(again, KEY)
    assert len(sc.get.rank_genes_groups_df(again, "b", key=KEY)) == 60


def test_masked_genes_are_filtered_and_do_not_rank(clusters, column):
    mask = np.arange(clusters.n_vars) % 2 == 0
    dex.tl.score_markers(clusters, "cluster", mask_var=mask, stats=["auc_min_rank", "status"])
    names = clusters.uns[KEY]["columns"].tolist()
    assert names == ["log2fc", "auc_mean", "auc_min_rank", "status"]
    assert (column(clusters, "status", KEY)[~mask] == Status.FILTERED).all()
    ranks = column(clusters, "auc_min_rank", KEY)
    assert np.isnan(ranks[~mask]).all()
    assert np.nanmax(ranks) <= mask.sum()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"groups": ["e"]}, "groups='e' is not in obs"),
        ({"groups": []}, "names no group"),
        ({"block": "cluster"}, "is the column compared"),
        ({"block": "donor"}, "block='donor' is not in obs"),
        ({"stats": ["auc_low"]}, "no columns of a result"),
        ({"key_added": "a/b"}, "cannot be written"),
    ],
)
def test_what_cannot_be_scored_is_refused(clusters, options, says, unchanged):
    with unchanged(clusters), pytest.raises(InputError, match=says):
        dex.tl.score_markers(clusters, "cluster", **options)


def test_readers_that_need_p_values_say_so(clusters):
    dex.tl.score_markers(clusters, "cluster")
    with pytest.raises(InputError, match="no p-values"):
        dex.pl.volcano(clusters, "a", key=KEY)
    with pytest.raises(InputError, match="no p-values"):
        dex.get.rank_genes_df(clusters, "a", key=KEY, padj=0.05)

"""Preranked GSEA by the door, and its table."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

KEYS = ["contrast", "gene_set"]


@pytest.fixture(scope="module")
def ranked():
    adata = dex.datasets.simulate_counts(500, 4, groups=("a", "b", "c"), de_fraction=0.2, seed=3)
    dex.tl.rank_genes(adata, "condition", reference="a", method="limma")
    return adata


@pytest.fixture(scope="module")
def sets(ranked):
    rng = np.random.default_rng(1)
    best = dex.get.rank_genes_df(ranked, "b vs a")
    names = list(ranked.var_names)
    found = {f"s{i}": list(rng.choice(names, 12 + i, replace=False)) for i in range(12)}
    up = best.loc[best["log2fc"] > 0, "gene"]
    return found | {"up": list(up[:20]), "down": list(best.loc[best["log2fc"] < 0, "gene"][:20])}


@pytest.fixture
def tested(ranked, sets):
    dex.tl.enrich(ranked, sets, method="gsea", n_threads=1)
    return ranked


def test_planted_sets_are_found_on_their_side(tested):
    table = dex.get.enrich_df(tested, "b vs a").set_index("gene_set")
    assert set(table.index[:2]) == {"up", "down"}
    assert table.loc["up", ["score", "nes"]].min() > 0
    assert table.loc["down", ["score", "nes"]].max() < 0
    assert table.loc["up", "direction"] == "up"
    assert table.loc[["up", "down"], "log10_padj"].max() < -6
    assert table["log2err"].gt(0).all()


def test_leading_edges_are_ordered_and_of_the_set(tested, sets):
    table = dex.get.enrich_df(tested, "b vs a").set_index("gene_set")
    order = list(dex.get.ranked_genes_df(tested, "b vs a")["gene"])
    for name, side in (("up", 1), ("down", -1)):
        genes = table.loc[name, "leading_edge"].split(";")
        places = [side * order.index(gene) for gene in genes]
        assert places == sorted(places)
        assert set(genes) <= set(sets[name])


def test_threads_change_nothing(tested, sets):
    one = dex.get.enrich_df(tested)
    dex.tl.enrich(tested, sets, method="gsea", n_threads=2, key_added="two")
    pd.testing.assert_frame_equal(one, dex.get.enrich_df(tested, key="two"))


def test_order_of_genes_changes_nothing(tested, sets):
    one = dex.get.enrich_df(tested).set_index(KEYS)
    turned = tested[:, ::-1].copy()
    dex.tl.enrich(turned, sets, method="gsea")
    other = dex.get.enrich_df(turned).set_index(KEYS).loc[one.index]
    pd.testing.assert_frame_equal(one[["score", "pval"]], other[["score", "pval"]])


def test_another_seed_is_within_the_error_told(tested, sets):
    one = dex.get.enrich_df(tested).set_index(KEYS)
    dex.tl.enrich(tested, sets, method="gsea", seed=4, key_added="seed")
    other = dex.get.enrich_df(tested, key="seed").set_index(KEYS).loc[one.index]
    gap = np.abs(one["log10_pval"] - other["log10_pval"]) / np.log10(2)
    assert gap.gt(0).any()
    assert (gap < 5 * np.hypot(one["log2err"], other["log2err"])).all()


def test_null_is_marked_and_warned_of(ranked, sets, caplog):
    dex.tl.enrich(ranked, sets, method="gsea")
    assert dex.get.enrich_params(ranked)["null"] == "gene-label"
    assert any(
        record.levelname == "WARNING" and "never sees the samples" in record.message
        for record in caplog.records
    )


def test_table_travels(tested, tmp_path):
    tested.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    pd.testing.assert_frame_equal(dex.get.enrich_df(tested), dex.get.enrich_df(back))
    pd.testing.assert_frame_equal(
        dex.get.running_score_df(tested, "up", "b vs a"),
        dex.get.running_score_df(back, "up", "b vs a"),
    )


@pytest.mark.parametrize("options", [{"exponent": -1}, {"seed": -1}, {"padj": 0.1}])
def test_options_that_there_are_not(ranked, sets, options):
    with pytest.raises(InputError, match=next(iter(options))):
        dex.tl.enrich(ranked, sets, method="gsea", **options)


def test_running_scores_are_those_of_the_test(tested):
    table = dex.get.enrich_df(tested, "c vs a").set_index("gene_set")
    sums = dex.get.running_score_df(tested, list(table.index), "c vs a")
    for name, own in sums.groupby("gene_set"):
        heights = own[["before", "after"]].to_numpy().ravel()
        assert heights[np.abs(heights).argmax()] == pytest.approx(table.loc[name, "score"])
        leading = set(own.loc[own["leading"], "gene"])
        assert leading == set(table.loc[name, "leading_edge"].split(";"))


def test_lists_that_cannot_be_had(tested):
    with pytest.raises(InputError, match="choose with contrast="):
        dex.get.ranked_genes_df(tested)
    with pytest.raises(InputError, match="was not tested"):
        dex.get.ranked_genes_df(tested, "d vs a")
    with pytest.raises(InputError, match="none of the"):
        dex.get.running_score_df(tested, "nothing", "b vs a")

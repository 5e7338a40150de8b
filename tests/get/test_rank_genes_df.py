"""The ranked genes as a table: filters, tests, symbols, order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

TESTS = ["ctrl vs rest", "dex vs rest", "a/b vs rest"]


def test_every_gene_and_test_has_a_row(ranked):
    table = dex.get.rank_genes_df(ranked)
    assert len(table) == 8 * 3
    assert table["test"].unique().tolist() == TESTS
    assert table.columns[:3].tolist() == ["gene", "test", "log2fc"]
    assert table.index.equals(pd.RangeIndex(24))


def test_rows_are_what_varm_holds(ranked):
    table = dex.get.rank_genes_df(ranked, "dex").set_index("gene").loc[list(ranked.var_names)]
    for column in ("log2fc", "stat", "pval", "padj", "mean_diff", "df", "base_mean"):
        np.testing.assert_array_equal(table[column], ranked.varm[f"rank_genes_{column}"][:, 1])


def test_best_comes_first_and_what_was_not_tested_last(ranked):
    for test in TESTS:
        table = dex.get.rank_genes_df(ranked, test)
        assert table["log10_pval"][:7].is_monotonic_increasing
        assert table["gene"].iloc[-1] == "gene7"
        assert table["status"].iloc[-1] == "constant"


def test_underflow_does_not_lose_the_order(ranked):
    log10_pval = np.array([-1.0, -500, -400, -700, -2, -600, np.nan, 0])
    for name in ("log10_pval", "log10_padj"):
        ranked.varm[f"rank_genes_{name}"][:, 0] = log10_pval
    ranked.varm["rank_genes_pval"][:, 0] = 10**log10_pval
    table = dex.get.rank_genes_df(ranked, 0)
    assert (table["pval"][:4] == 0).all()
    assert table["gene"].tolist() == [f"gene{j}" for j in (3, 5, 1, 2, 4, 0, 7, 6)]
    assert len(dex.get.rank_genes_df(ranked, 0, padj=1e-300)) == 4


@pytest.mark.parametrize("test", ["dex vs rest", "dex", 1, -2, np.int64(1)])
def test_one_test_by_name_group_or_number(ranked, test):
    assert dex.get.rank_genes_df(ranked, test)["test"].unique().tolist() == ["dex vs rest"]


@pytest.mark.parametrize(
    "tests", [["a/b", 0], ("a/b vs rest", "ctrl"), np.array([2, 0]), pd.Index(["a/b", "ctrl"])]
)
def test_several_tests_in_the_order_asked(ranked, tests):
    table = dex.get.rank_genes_df(ranked, tests)
    assert table["test"].unique().tolist() == ["a/b vs rest", "ctrl vs rest"]


@pytest.mark.parametrize("test", ["dxe", 3, ["ctrl", "dxe"]])
def test_an_unknown_test_names_those_that_there_are(ranked, test):
    with pytest.raises(InputError, match=r"test=.* not one of the 3 tests.*'dex vs rest'"):
        dex.get.rank_genes_df(ranked, test)


def test_an_unknown_test_is_guessed(ranked):
    with pytest.raises(InputError, match=r"did you mean 'dex'"):
        dex.get.rank_genes_df(ranked, "dxe")


def test_no_test_at_all_is_an_error(ranked):
    with pytest.raises(InputError, match=r"test=\[\] names no test"):
        dex.get.rank_genes_df(ranked, [])


def test_filters_keep_the_rows_that_qualify(ranked):
    table = dex.get.rank_genes_df(ranked)
    found = dex.get.rank_genes_df(ranked, padj=0.05, log2fc=1.5, direction="down")
    keep = (table["padj"] <= 0.05) & (table["log2fc"] <= -1.5)
    assert 0 < keep.sum() < len(table)
    pd.testing.assert_frame_equal(found, table[keep].reset_index(drop=True))


def test_a_threshold_is_met_by_what_equals_it(ranked):
    table = dex.get.rank_genes_df(ranked, "dex")
    size = abs(table["log2fc"].iloc[2])
    found = dex.get.rank_genes_df(ranked, "dex", log2fc=size)
    assert table["gene"].iloc[2] in set(found["gene"])
    at = table["padj"].iloc[2]
    assert table["gene"].iloc[2] in set(dex.get.rank_genes_df(ranked, "dex", padj=at)["gene"])


@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1)])
def test_directions(ranked, direction, sign):
    table = dex.get.rank_genes_df(ranked, direction=direction)
    assert len(table)
    assert (np.sign(table["log2fc"]) == sign).all()


def test_directions_part_the_genes_that_change(ranked):
    both = dex.get.rank_genes_df(ranked, "dex", direction="both")
    parts = [dex.get.rank_genes_df(ranked, "dex", direction=way) for way in ("up", "down")]
    changed = both["log2fc"].notna() & (both["log2fc"] != 0)
    assert sum(map(len, parts)) == changed.sum()


def test_nothing_left_is_an_empty_table(ranked):
    table = dex.get.rank_genes_df(ranked, padj=1e-200)
    assert table.empty
    assert table.columns.equals(dex.get.rank_genes_df(ranked).columns)


@pytest.mark.parametrize("options", [{"padj": -0.1}, {"padj": 5}, {"padj": np.nan}])
def test_a_padj_that_is_no_probability_is_an_error(ranked, options):
    with pytest.raises(InputError, match=r"padj=.* between 0 and 1"):
        dex.get.rank_genes_df(ranked, **options)


def test_padj_of_zero_keeps_nothing(ranked):
    assert dex.get.rank_genes_df(ranked, padj=0).empty


def test_a_direction_that_there_is_not_is_an_error(ranked):
    with pytest.raises(InputError, match=r"direction='upp'.*'up', 'down' or 'both'"):
        dex.get.rank_genes_df(ranked, direction="upp")


def test_symbols_are_shown_and_ids_kept(ranked):
    table = dex.get.rank_genes_df(ranked, "dex", gene_symbols="symbol")
    assert table.columns[:3].tolist() == ["gene", "gene_id", "test"]
    shown = dict(zip(table["gene_id"], table["gene"], strict=True))
    assert shown == {
        "gene0": "FKBP5",
        "gene1": "gene1",
        "gene2": "gene2",
        "gene3": "DUSP1",
        "gene4": "DUSP1",
        "gene5": "gene5",
        "gene6": "gene0",
        "gene7": "PER1",
    }
    plain = dex.get.rank_genes_df(ranked, "dex")
    assert table["gene_id"].tolist() == plain["gene"].tolist()
    pd.testing.assert_frame_equal(
        table.drop(columns=["gene", "gene_id"]), plain.drop(columns="gene")
    )


@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_symbols_of_any_type(ranked, dtype):
    ranked.var["symbol"] = ranked.var["symbol"].astype(dtype)
    table = dex.get.rank_genes_df(ranked, 1, gene_symbols="symbol")
    assert set(table["gene"]) >= {"FKBP5", "gene1"}


def test_symbols_and_filters_agree(ranked):
    table = dex.get.rank_genes_df(ranked, gene_symbols="symbol", padj=0.05)
    plain = dex.get.rank_genes_df(ranked, padj=0.05)
    assert len(plain)
    assert table["gene_id"].tolist() == plain["gene"].tolist()


def test_unknown_symbols_name_the_columns(ranked):
    with pytest.raises(InputError, match=r"gene_symbols='name'.*it has 'symbol'"):
        dex.get.rank_genes_df(ranked, gene_symbols="name")


def test_genes_of_one_name_keep_their_own_rows(ranked):
    ranked.var_names = ["same", "same", *ranked.var_names[2:]]
    table = dex.get.rank_genes_df(ranked, "dex")
    rows = table.loc[table["gene"] == "same", "stat"]
    assert set(rows) == set(ranked.varm["rank_genes_stat"][:2, 1])


def test_no_result_is_an_error(ranked):
    with pytest.raises(InputError, match=r"key='other'.*results under \['rank_genes'\]"):
        dex.get.rank_genes_df(ranked, key="other")


def test_another_key(ranked):
    dex.tl.rank_genes(ranked, "drug", method="ols", scale="log2", key_added="fit")
    assert "log2fc_se" in dex.get.rank_genes_df(ranked, key="fit")
    assert "mean_diff" not in dex.get.rank_genes_df(ranked, key="fit")


def test_the_table_is_the_users_own(ranked):
    before = ranked.varm["rank_genes_stat"].copy()
    table = dex.get.rank_genes_df(ranked)
    table["stat"] = 0.0
    np.testing.assert_array_equal(ranked.varm["rank_genes_stat"], before)

"""Tests side by side: each column is what its result holds."""

from __future__ import annotations

import numpy as np
import pytest

import dex
from dex.errors import InputError
from dex.get._compare import compared_tests


@pytest.fixture
def twice(ranked):
    """``drug`` by two methods; the second has one test, and a name that the first has too."""
    dex.tl.rank_genes(
        ranked, groupby="drug", reference="ctrl", method="wilcoxon", scale="log2", key_added="w"
    )
    return ranked


def test_columns_are_the_tests_of_one_key(ranked):
    table = dex.get.compare_df(ranked, column="padj")
    assert list(table.columns) == ["ctrl vs rest", "dex vs rest", "a/b vs rest"]
    assert list(table.index) == list(ranked.var_names)
    np.testing.assert_array_equal(table, ranked.varm["rank_genes_padj"])


def test_tests_of_several_keys_have_the_key_before_their_name(twice):
    table = dex.get.compare_df(twice, key=["w", "rank_genes"])
    assert list(table.columns[:2]) == ["w: dex vs ctrl", "w: a/b vs ctrl"]
    assert table.shape == (8, 5)
    expected = np.hstack([twice.varm["w_log2fc"], twice.varm["rank_genes_log2fc"]])
    np.testing.assert_array_equal(table, expected)


def test_a_test_is_looked_for_under_every_key(twice):
    keys = ["rank_genes", "w"]
    assert list(dex.get.compare_df(twice, "dex", key=keys).columns) == [
        "rank_genes: dex vs rest",
        "w: dex vs ctrl",
    ]
    assert list(dex.get.compare_df(twice, ["ctrl", "w: a/b vs ctrl"], key=keys).columns) == [
        "rank_genes: ctrl vs rest",
        "w: a/b vs ctrl",
    ]
    chosen = compared_tests(twice, ["dex", 1], key=keys)
    assert chosen["label"].is_unique
    assert chosen["position"].tolist() == [1, 0, 1]


def test_symbols_are_the_index(ranked):
    assert dex.get.compare_df(ranked, gene_symbols="symbol").index[:2].tolist() == [
        "FKBP5",
        "gene1",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": "nope", "key": ["rank_genes", "w"]}, "test='nope' is not one of"),
        ({"test": []}, "names no test"),
        ({"key": []}, "names no result"),
        ({"key": ["rank_genes", "x"]}, "key='x' holds no result"),
        ({"column": "nope"}, "column 'nope' is not in the result"),
    ],
)
def test_what_is_not_there(twice, options, message):
    with pytest.raises(InputError, match=message):
        dex.get.compare_df(twice, **options)

"""The tests of a result as a table."""

from __future__ import annotations

import pytest

import dex
from dex.errors import InputError


def test_a_row_per_test(ranked):
    tests = dex.get.tests_df(ranked)
    assert tests["name"].tolist() == ["ctrl vs rest", "dex vs rest", "a/b vs rest"]
    assert tests["kind"].unique().tolist() == ["group"]
    assert tests["group"].tolist() == ["ctrl", "dex", "a/b"]
    assert tests["reference"].unique().tolist() == ["rest"]
    assert tests["per"].unique().tolist() == [""]
    assert tests["n_group"].tolist() == [3, 3, 3]
    assert tests["n_reference"].tolist() == [6, 6, 6]
    assert tests["n_tested"].tolist() == [7, 7, 7]


def test_an_omnibus_test_has_no_sides(ranked):
    dex.tl.rank_genes(ranked, "drug", method="wilcoxon", test="any", scale="log2")
    tests = dex.get.tests_df(ranked)
    assert tests["kind"].tolist() == ["omnibus"]
    assert tests[["group", "reference"]].to_numpy().tolist() == [["", ""]]
    assert tests["n_group"].tolist() == [9]
    assert tests["n_reference"].tolist() == [0]


def test_numbers_follow_the_genes(ranked):
    assert dex.get.tests_df(ranked[:, ["gene7", "gene1"]])["n_tested"].tolist() == [1, 1, 1]


def test_no_result_is_an_error(ranked):
    with pytest.raises(InputError, match=r"key='other'"):
        dex.get.tests_df(ranked, key="other")

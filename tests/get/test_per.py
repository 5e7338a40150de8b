"""Tests of several strata under one key, found by stratum and by contrast."""

from __future__ import annotations

import numpy as np
import pytest

import dex
from dex.errors import InputError
from dex.results import StoredResult


@pytest.fixture(scope="module")
def adata():
    """Two tissues, three conditions: each against the first."""
    adata = dex.datasets.simulate_counts(50, n_per_group=8, groups=("ctrl", "a", "b"), seed=3)
    adata.obs["tissue"] = np.where(np.arange(24) % 2, "skin", "gut")
    dex.tl.rank_genes(adata, "condition", reference="ctrl", per="tissue", method="ols")
    dex.tl.rank_genes(adata, "condition", reference="ctrl", method="ols", key_added="all")
    return adata


@pytest.mark.parametrize(
    ("test", "per", "found"),
    [
        (None, None, [0, 1, 2, 3]),
        (None, "skin", [2, 3]),
        (None, ["skin", "gut"], [2, 3, 0, 1]),
        ("skin: a vs ctrl", None, [2]),
        ("a vs ctrl", None, [0, 2]),
        ("a", None, [0, 2]),
        ("b", "skin", [3]),
        (1, "skin", [3]),
        (3, None, [3]),
        (-1, "gut", [1]),
    ],
)
def test_tests_are_found(adata, test, per, found):
    stored = StoredResult.from_adata(adata, "rank_genes")
    assert stored.positions(test, per=per) == found
    names = dex.get.tests_df(adata)["name"]
    table = dex.get.rank_genes_df(adata, test, per=per)
    assert table["test"].unique().tolist() == names[found].tolist()
    compared = dex.get.compare_df(adata, test, per=per)
    assert set(compared.columns) == set(names[found])


def test_the_table_says_which_stratum(adata):
    table = dex.get.rank_genes_df(adata, per="gut")
    assert table.columns[:3].tolist() == ["gene", "test", "per"]
    assert set(table["per"]) == {"gut"}
    assert "per" not in dex.get.rank_genes_df(adata, key="all")
    several = dex.get.rank_genes_df(adata, ["a", "b"], per="gut", padj=0.05)
    assert set(several["test"]) <= {"gut: a vs ctrl", "gut: b vs ctrl"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"per": "gutt"}, r"per='gutt' is not in the result 'rank_genes'; it has 'gut', 'skin'"),
        ({"per": "gut", "key": "all"}, "the result 'all' is of all observations together"),
        ({"per": "gut", "test": "skin: a vs ctrl"}, "is not one of the 2 tests"),
    ],
)
def test_what_is_not_there(adata, options, words):
    with pytest.raises(InputError, match=words):
        dex.get.rank_genes_df(adata, **options)


def test_one_test_must_be_one(adata):
    with pytest.raises(InputError, match="test='a' is not one of"):
        dex.get.pvalue_shape(adata, "a")
    assert dex.get.pvalue_shape(adata, "gut: a vs ctrl").n == 50


def test_fits_of_strata_are_not_kept(adata):
    with pytest.raises(InputError, match="every level of 'tissue' has a fit of its own"):
        dex.get.fit_df(adata)

"""One cell, no cell, no label: such tests get a status, the others the numbers they would have."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError
from dex.results import Status

METHODS = ("wilcoxon", "t-test", "t-test-student")
DECIMALS = {"rtol": 1e-12, "atol": 1e-13}
"""Means of the rest are summed in another order when a group is not there."""


def screen(labels) -> ad.AnnData:
    """Logs of cells with these guides x 20 genes, the categories ``a b c lone empty``."""
    rng = np.random.default_rng(5)
    X = np.log1p(rng.poisson(2.0, (len(labels), 20)))
    guides = pd.Categorical(labels, categories=["a", "b", "c", "lone", "empty"])
    obs = pd.DataFrame({"guide": guides}, index=[f"cell{i}" for i in range(len(labels))])
    return ad.AnnData(X, obs=obs)


LABELS = ["a"] * 30 + ["b"] * 25 + ["c"] * 20 + ["lone"] + [None] * 10


def rank(adata, method, **options):
    options = {"scale": "ln1p", "unit": "cells", "replicate": None} | options
    dex.tl.rank_genes(adata, "guide", method=method, **options)
    return dex.get.tests_df(adata).set_index("group")


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_group_that_is_named_gets_a_status(method, column):
    adata = screen(LABELS)
    tests = rank(adata, method, groups=["a", "empty", "lone", "b"])
    assert tests.index.tolist() == ["a", "empty", "lone", "b"]
    assert tests["n_group"].tolist() == [30, 0, 1, 25]
    assert (column(adata, "status")[:, 1] == Status.NO_REPLICATES).all()
    for name in ("stat", "log10_pval", "log10_padj", "log2fc"):
        assert np.isnan(column(adata, name)[:, 1]).all()
    without = screen(LABELS)
    rank(without, method, groups=["a", "lone", "b"])
    for name in ("stat", "log10_pval", "log10_padj", "log2fc", "status"):
        np.testing.assert_array_equal(
            column(adata, name)[:, [0, 2, 3]], column(without, name), err_msg=name
        )


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_reference_gives_no_number(method, column):
    adata = screen(LABELS)
    dex.tl.rank_genes(
        adata,
        contrasts=[("guide", "a", "b"), ("guide", "a", "empty")],
        method=method,
        scale="ln1p",
        unit="cells",
        replicate=None,
    )
    assert np.isfinite(column(adata, "log10_pval")[:, 0]).all()
    assert np.isnan(column(adata, "log10_pval")[:, 1]).all()
    assert (column(adata, "status")[:, 1] == Status.NO_REPLICATES).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_cell_has_a_status_or_a_number(method, column):
    adata = screen(LABELS)
    rank(adata, method)
    lone, others = column(adata, "status")[:, 3], column(adata, "status")[:, :3]
    assert (others == Status.TESTED).all()
    assert (lone == (Status.NO_REPLICATES if method == "t-test" else Status.TESTED)).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["missing", "exclude"])
def test_cells_without_a_label_are_not_in_the_rest(method, how, column):
    adata = screen(LABELS)
    if how == "exclude":
        adata.obs["guide"] = adata.obs["guide"].cat.add_categories("NT").fillna("NT")
    adata.X[-10:] += 5.0  # they would be seen
    tests = rank(adata, method, **({"exclude": ["NT"]} if how == "exclude" else {}))
    assert tests.loc["a", "n_reference"] == 46
    gone = screen(LABELS)[:76].copy()
    rank(gone, method)
    for name in ("stat", "log10_pval", "log2fc", "mean_reference"):
        np.testing.assert_allclose(
            column(adata, name), column(gone, name), **DECIMALS, err_msg=name
        )


@pytest.mark.parametrize("method", ["wilcoxon", "ols"])
def test_levels_left_out_are_as_if_their_cells_were_not_there(method, column):
    adata, gone = screen(LABELS), screen(LABELS)
    gone = gone[~gone.obs["guide"].isin(["b"])].copy()
    tests = rank(adata, method, exclude=["b"])
    rank(gone, method)
    assert tests.index.tolist() == ["a", "c", "lone"]
    for name in ("stat", "log10_pval", "log10_padj", "log2fc"):
        np.testing.assert_allclose(column(adata, name), column(gone, name), **DECIMALS)
    notes = adata.uns["rank_genes"]["notes"].tolist()
    assert "exclude='b': 25 observations count as having no label." in notes


def test_levels_left_out_of_pseudobulk(cells, column):
    cells.obs["condition"] = cells.obs["condition"].astype(object)
    third = np.arange(cells.n_obs) % 25 < 8
    cells.obs.loc[third, "condition"] = "third"
    gone = cells[~third].copy()
    dex.tl.rank_genes(cells, "condition", exclude="third", replicate="replicate", method="ols")
    dex.tl.rank_genes(gone, "condition", replicate="replicate", method="ols")
    np.testing.assert_allclose(column(cells, "stat"), column(gone, "stat"), **DECIMALS)


def test_levels_of_numbers_keep_their_order(column):
    adata = screen(LABELS)
    adata.obs["guide"] = np.repeat([2, 10, 1, 30], [30, 25, 20, 11])
    tests = rank(adata, "wilcoxon", exclude=["30"])
    assert tests.index.tolist() == ["1", "2", "10"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"exclude": ["x"]}, "exclude='x' is not in obs"),
        ({"exclude": ["a"], "groups": ["a"]}, "also to be tested"),
        ({"exclude": ["a"], "reference": "a"}, "also to be tested"),
        ({"exclude": ["a", "b", "lone"]}, "has one group only"),
        ({"groups": ["x"]}, "is not in obs"),
    ],
)
def test_what_cannot_be_left_out_is_refused(options, says, unchanged):
    adata = screen(LABELS)
    with unchanged(adata), pytest.raises(InputError, match=says):
        rank(adata, "wilcoxon", **options)


def test_a_column_is_needed():
    adata = screen(LABELS)
    with pytest.raises(InputError, match="give groupby= too"):
        dex.tl.rank_genes(adata, contrasts=("guide", "a", "b"), exclude=["c"], method="wilcoxon")

"""Markers of every block are those of each block tested by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import dex
from dex.errors import InputError
from dex.results import Status

LOG10_P = {"rtol": 1e-9, "atol": 1e-9}
CLOSE = {"rtol": 1e-10, "atol": 1e-12}
KEY = "conserved_markers"
KNOWN = {"scale": "ln1p", "unit": "cells"}


@pytest.fixture
def blocks(cells):
    """Logs of 150 cells, clusters ``a b c`` in donors ``x y z``; ``z`` has no ``c``."""
    rng = np.random.default_rng(6)
    cells.X = np.log1p(cells.X.toarray().astype(float))
    donor = rng.choice(list("xyz"), cells.n_obs)
    cluster = np.where(donor == "z", rng.choice(list("ab"), 150), rng.choice(list("abc"), 150))
    cells.X[:, 7] = 0  # in no donor
    cells.X[donor == "y", 8] = 0
    cells.X[cluster == "a", :4] += 2.0
    cells.X[(cluster == "b") & (donor == "x"), 4] += 2.0
    cells.X[(cluster == "b") & (donor != "x"), 4] = 0.0
    cells.obs["cluster"], cells.obs["donor"] = cluster, donor
    return cells


def by_itself(adata, donor, method, column):
    """log10 p, sign and log2fc of each cluster against the rest in one donor."""
    one = adata[adata.obs["donor"] == donor].copy()
    reference = {"reference": "rest"}
    dex.tl.rank_genes(one, "cluster", method=method, replicate=None, **reference, **KNOWN)
    groups = dex.get.tests_df(one)["group"].tolist()
    at = [groups.index(group) if group in groups else -1 for group in "abc"]
    found = []
    for name in ("log10_pval", "stat", "log2fc"):
        values = np.column_stack([column(one, name), np.full(one.n_vars, np.nan)])
        found.append(values[:, at])
    return found


@pytest.mark.parametrize("method", ["wilcoxon", "t-test"])
def test_p_is_that_of_the_worst_block(blocks, method, column):
    dex.tl.conserved_markers(blocks, "cluster", block="donor", method=method, **KNOWN)
    parts = [by_itself(blocks, donor, method, column) for donor in "xyz"]
    log10_pval, stat, log2fc = (np.stack(part) for part in zip(*parts, strict=True))
    there = ~np.isnan(log10_pval)
    made = np.array([[True, True, True], [True, True, True], [True, True, False]])
    somewhere = there.any(axis=0)
    # A donor that has the cluster and not the gene has a p of 1.
    filled = np.where(made[:, None, :] & ~there, 0.0, log10_pval)
    signs = np.where(made[:, None, :] & ~there, 0.0, np.sign(stat))
    agree = (np.nanmin(np.where(made[:, None], signs, 1), axis=0) > 0) | (
        np.nanmax(np.where(made[:, None], signs, -1), axis=0) < 0
    )
    worst = np.where(made[:, None, :], filled, -np.inf).max(axis=0)
    expected = np.where(somewhere, np.where(agree, worst, 0.0), np.nan)
    np.testing.assert_allclose(column(blocks, "log10_pval", KEY), expected, **LOG10_P)
    assert agree[[0, 2, 3], 0].all()
    assert not agree[4, 1]
    np.testing.assert_array_equal(column(blocks, "n_blocks", KEY), there.sum(axis=0))
    up, down = (signs > 0).sum(axis=0), (signs < 0).sum(axis=0)
    np.testing.assert_array_equal(column(blocks, "n_agreeing", KEY), np.maximum(up, down))
    usual = there.sum(axis=0) == made.sum(axis=0)
    for name, best in (("min", np.fmin.reduce), ("max", np.fmax.reduce)):
        stored = column(blocks, f"log2fc_{name}", KEY)
        np.testing.assert_allclose(stored[usual], best(log2fc)[usual], **CLOSE)


def test_the_combined_p_is_stouffers(blocks, column):
    dex.tl.conserved_markers(blocks, "cluster", block="donor", **KNOWN)
    parts = [by_itself(blocks, donor, "wilcoxon", column) for donor in "xyz"]
    sizes = blocks.obs.groupby("donor")["cluster"].value_counts().unstack(fill_value=0)
    m = sizes.loc[list("xyz"), "a"].to_numpy()
    n = sizes.loc[list("xyz")].sum(axis=1).to_numpy() - m
    weights = np.sqrt(m * n / (m + n))
    gene = 2
    z = [np.sign(s[gene, 0]) * stats.norm.isf(10 ** p[gene, 0] / 2) for p, s, _ in parts]
    combined = np.dot(weights, z) / np.sqrt((weights**2).sum())
    p = 2 * stats.norm.sf(abs(combined))
    np.testing.assert_allclose(column(blocks, "pval_combined", KEY)[gene, 0], p, rtol=1e-8)
    kept = ~np.isnan(column(blocks, "pval_combined", KEY)[:, 0])
    padj = stats.false_discovery_control(column(blocks, "pval_combined", KEY)[kept, 0])
    np.testing.assert_allclose(column(blocks, "padj_combined", KEY)[kept, 0], padj, rtol=1e-9)


def test_blocks_without_the_group_are_said(blocks, column):
    dex.tl.conserved_markers(blocks, "cluster", block="donor", **KNOWN)
    notes = blocks.uns[KEY]["notes"].tolist()
    assert any(
        "'c vs rest' is not tested in 1 of 3 levels" in note and "'z'" in note for note in notes
    )
    assert np.nanmax(column(blocks, "n_blocks", KEY)[:, 2]) == 2
    assert (column(blocks, "status", KEY)[7] == Status.ALL_ZERO).all()


def test_a_group_too_small_everywhere_has_a_status(blocks, column):
    blocks.obs["cluster"] = blocks.obs["cluster"].astype(object)
    blocks.obs.iloc[0, blocks.obs.columns.get_loc("cluster")] = "lone"
    dex.tl.conserved_markers(blocks, "cluster", block="donor", method="t-test", **KNOWN)
    lone = dex.get.tests_df(blocks, key=KEY)["group"].tolist().index("lone")
    status = column(blocks, "status", KEY)
    expressed = np.arange(blocks.n_vars) != 7
    assert (status[expressed, lone] == Status.NO_REPLICATES).all()
    assert (status[expressed, 0] == Status.TESTED).all()
    assert np.isnan(column(blocks, "log2fc", KEY)[:, lone]).all()


def test_against_one_reference_and_without_some_levels(blocks, column):
    options = {"block": "donor", "reference": "b", **KNOWN}
    dex.tl.conserved_markers(blocks, "cluster", exclude=["c"], **options)
    gone = blocks[blocks.obs["cluster"] != "c"].copy()
    dex.tl.conserved_markers(gone, "cluster", **options)
    assert dex.get.tests_df(blocks, key=KEY)["name"].tolist() == ["a vs b"]
    np.testing.assert_array_equal(column(blocks, "stat", KEY), column(gone, "stat", KEY))


def test_cells_without_a_block_take_no_part(blocks, column):
    gone = blocks[20:].copy()
    blocks.obs["donor"] = blocks.obs["donor"].where(np.arange(150) >= 20, None)
    dex.tl.conserved_markers(blocks, "cluster", block="donor", **KNOWN)
    dex.tl.conserved_markers(gone, "cluster", block="donor", **KNOWN)
    np.testing.assert_array_equal(column(blocks, "stat", KEY), column(gone, "stat", KEY))
    assert any("20 observations without a label" in one for one in blocks.uns[KEY]["notes"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "ols"}, "not a test of two groups within a block"),
        ({"block": "one"}, "has one level only"),
        ({"block": "cluster"}, "is the column compared"),
        ({"reference": "d"}, "is not in obs"),
        ({"exclude": ["a"], "groups": "a"}, "also to be tested"),
    ],
)
def test_what_cannot_be_tested_is_refused(blocks, options, says, unchanged):
    blocks.obs["one"] = "one"
    with unchanged(blocks), pytest.raises(InputError, match=says):
        dex.tl.conserved_markers(blocks, "cluster", **({"block": "donor"} | options))

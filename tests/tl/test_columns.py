"""Means, fold changes, fractions and thresholds, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

import dex

BY_HAND = {"rtol": 1e-12}  # the same formula in another order of operations
LOGS_UNDONE = {"rtol": 1e-10}  # a log and its inverse lie between
METHODS = ("t-test", "t-test-student", "wilcoxon")


def treated(adata):
    return (adata.obs["condition"] == "treated").to_numpy()


def fold_change(group, reference, c):
    return np.log2((group + c) / (reference + c))


@pytest.mark.parametrize("method", METHODS)
def test_samples_counts(samples, column, libraries, method):
    dex.tl.rank_genes(samples, "condition", method=method)
    totals = libraries(samples.X)
    cpm = samples.X / totals * 1e6
    group, reference = cpm[treated(samples)].mean(axis=0), cpm[~treated(samples)].mean(axis=0)
    c = samples.uns["rank_genes"]["params"]["pseudocount"]
    assert c == pytest.approx(1e6 / totals.mean())
    some = cpm.any(axis=0)
    np.testing.assert_allclose(column(samples, "mean_group")[:, 0], group, **BY_HAND)
    np.testing.assert_allclose(column(samples, "mean_reference")[:, 0], reference, **BY_HAND)
    np.testing.assert_allclose(column(samples, "base_mean")[:, 0], cpm.mean(axis=0), **BY_HAND)
    np.testing.assert_allclose(
        column(samples, "log2fc")[some, 0], fold_change(group, reference, c)[some], rtol=1e-10
    )
    expressed = samples.X > 0
    np.testing.assert_allclose(
        column(samples, "pct_group")[:, 0], expressed[treated(samples)].mean(axis=0), **BY_HAND
    )
    np.testing.assert_allclose(
        column(samples, "pct_reference")[:, 0], expressed[~treated(samples)].mean(axis=0), **BY_HAND
    )


@pytest.mark.parametrize("method", METHODS)
def test_cells_counts(cells, column, method):
    dex.tl.rank_genes(cells, "condition", method=method, replicate=None)
    counts = cells.X.toarray().astype(float)
    totals = counts.sum(axis=1)
    normalised = counts / (totals / np.median(totals[totals > 0]))[:, None]
    group = normalised[treated(cells)].mean(axis=0)
    reference = normalised[~treated(cells)].mean(axis=0)
    params = cells.uns["rank_genes"]["params"]
    assert (params["scale"], params["source_scale"], params["unit"]) == ("ln1p", "counts", "cells")
    assert params["pseudocount"] == 1, "a count of one in the median library"
    some = counts.any(axis=0)
    np.testing.assert_allclose(column(cells, "mean_group")[:, 0], group, **LOGS_UNDONE)
    expected = fold_change(group, reference, 1.0)
    np.testing.assert_allclose(column(cells, "log2fc")[some, 0], expected[some], rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_scanpys_logs_of_cells_are_scanpys_counts(cells, column, method):
    """A log made before and one made on the way: the same but for the number c."""
    counts = cells.X.toarray().astype(float)
    totals = counts.sum(axis=1)
    logs = cells.copy()
    logs.X = sparse.csr_matrix(np.log1p(counts / (totals / np.median(totals))[:, None]))
    logs.uns["log1p"] = {"base": None}
    for adata in (cells, logs):
        dex.tl.rank_genes(adata, "condition", method=method, replicate=None)
    same = ["stat", "log10_pval", "mean_group", "pct_group", "base_mean"]
    for name in same:
        np.testing.assert_allclose(column(cells, name), column(logs, name), rtol=1e-9, atol=1e-12)
    smallest = [row[row > 0].min() for row in counts / (totals / np.median(totals))[:, None]]
    c = logs.uns["rank_genes"]["params"]["pseudocount"]
    assert c == float(f"{np.median(smallest):.0e}"), "to one digit"
    group, reference = column(logs, "mean_group"), column(logs, "mean_reference")
    some = ~np.isnan(column(logs, "log2fc"))
    np.testing.assert_allclose(
        column(logs, "log2fc")[some], fold_change(group, reference, c)[some], rtol=1e-10
    )


def test_a_gene_that_is_off_on_one_side_has_a_moderate_fold_change(cells, column):
    X = cells.X.toarray()
    X[~treated(cells), 0], X[treated(cells), 0] = 0, 1
    cells.X = sparse.csr_matrix(X)
    dex.tl.rank_genes(cells, "condition", method="wilcoxon", replicate=None)
    assert 0.5 < column(cells, "log2fc")[0, 0] < 2.5
    assert column(cells, "pct_group")[0, 0] == 1
    assert column(cells, "pct_reference")[0, 0] == 0
    assert column(cells, "auc")[0, 0] == 1


@pytest.mark.parametrize("method", METHODS)
def test_the_error_of_the_fold_change_is_the_delta_methods(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, scale="log2")
    linear = np.exp2(np.asarray(logs.X))
    sides = (linear[treated(logs)], linear[~treated(logs)])
    of_logs = [x.var(axis=0, ddof=1) / len(x) / (x.mean(axis=0) + 1) ** 2 for x in sides]
    expected = np.sqrt(sum(of_logs)) / np.log(2)
    np.testing.assert_allclose(column(logs, "log2fc_se")[:, 0], expected, rtol=1e-9)


def test_zeros_that_are_hidden_have_no_fractions(logs):
    dex.tl.rank_genes(logs, "condition", method="t-test", scale="logcpm")
    assert "pct_group" not in logs.uns["rank_genes"]["columns"]


def test_means_of_a_model_are_those_of_the_groups(samples, column, libraries):
    dex.tl.rank_genes(samples, "condition", design="~ batch + condition", method="ols")
    cpm = samples.X / libraries(samples.X) * 1e6
    np.testing.assert_allclose(
        column(samples, "mean_group")[:, 0], cpm[treated(samples)].mean(axis=0), **BY_HAND
    )
    np.testing.assert_allclose(
        column(samples, "pct_reference")[:, 0], (cpm[~treated(samples)] > 0).mean(axis=0), **BY_HAND
    )


def treat_log10_p(effect, se, df, lfc):
    """McCarthy & Smyth (2009), equation 3: P(T > t1) + P(T > t2) at the border of the null."""
    upper = stats.t.sf((np.abs(effect) - lfc) / se, df)
    return np.log10(upper + stats.t.sf((np.abs(effect) + lfc) / se, df))


@pytest.mark.parametrize("method", ["t-test", "t-test-student", "ols"])
def test_a_threshold_in_the_null(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm", key_added="zero")
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm", lfc=0.5)
    effect = "log2fc" if method == "ols" else "mean_diff"
    estimate, se, df = (column(logs, name) for name in (effect, f"{effect}_se", "df"))
    np.testing.assert_array_equal(estimate, column(logs, effect, "zero"))
    expected = treat_log10_p(estimate, se, df, 0.5)
    np.testing.assert_allclose(column(logs, "log10_pval"), expected, rtol=0, atol=1e-9)
    stat = np.sign(estimate) * np.maximum(np.abs(estimate) - 0.5, 0) / se
    np.testing.assert_allclose(column(logs, "stat"), stat, rtol=1e-12)
    np.testing.assert_allclose(
        column(logs, "log10_pval", "zero"), treat_log10_p(estimate, se, df, 0), atol=1e-9
    )
    assert logs.uns["rank_genes"]["params"]["lfc"] == 0.5


@pytest.mark.parametrize("method", ["t-test", "ols"])
def test_a_threshold_is_in_log2_for_natural_logs(samples, column, method):
    normalised = samples.X / samples.X.sum(axis=1, keepdims=True, dtype=float) * 1e4
    samples.layers["ln"], samples.layers["log2"] = np.log1p(normalised), np.log2(1 + normalised)
    for layer, scale in (("ln", "ln1p"), ("log2", "log2p1")):
        options = {"method": method, "layer": layer, "scale": scale, "lfc": 1, "key_added": layer}
        dex.tl.rank_genes(samples, "condition", **options)
    np.testing.assert_allclose(
        column(samples, "log10_pval", "ln"), column(samples, "log10_pval", "log2"), atol=1e-9
    )

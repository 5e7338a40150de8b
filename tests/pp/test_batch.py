"""dex.pp.remove_batch_effect: a layer for plots."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import DesignError, InputError
from dex.stats.batch_effect import batch_columns, remove_batch_effect


@pytest.fixture
def adata():
    made = dex.datasets.simulate_counts(n_genes=150, n_per_group=4, seed=3)
    made.obs["day"] = pd.Categorical(["mon", "tue"] * 4)
    made.obs["age"] = np.arange(8.0) ** 2
    made.obs["lane"] = pd.Categorical(list("aabbabab"))
    return made


def test_layer_holds_the_logs_without_batches(adata):
    counts = adata.X.copy()
    dex.pp.remove_batch_effect(adata, "day", design="~ condition")
    dex.pp.normalize(adata, size_factors="tmm")
    condition = (adata.obs["condition"] == adata.obs["condition"].iloc[0]).to_numpy(float)
    kept = np.column_stack([np.ones(8), condition])
    expected = remove_batch_effect(adata.layers["logcpm"], kept, batch_columns(np.tile([0, 1], 4)))
    np.testing.assert_allclose(adata.layers["batch_removed"], expected, atol=1e-10)
    np.testing.assert_array_equal(adata.X, counts)
    record = adata.uns["dex_layers"]["batch_removed"]
    assert record["scale"] == "logcpm"
    assert (record["batch"], record["design"]) == ("day", "~ condition")
    assert record["method"] == "remove_batch_effect"


def test_effects_of_the_design_stay_and_those_of_batches_go(adata):
    dex.pp.normalize(adata)
    dex.pp.remove_batch_effect(adata, ["day", "lane", "age"], design="~ condition", layer="logcpm")
    of_logs, of_rest = (
        np.linalg.lstsq(
            np.column_stack(
                [
                    np.ones(8),
                    adata.obs["condition"].cat.codes,
                    adata.obs["day"].cat.codes,
                    adata.obs["lane"].cat.codes,
                    adata.obs["age"],
                ]
            ).astype(float),
            adata.layers[name],
        )[0]
        for name in ("logcpm", "batch_removed")
    )
    np.testing.assert_allclose(of_rest[1], of_logs[1], atol=1e-9)
    np.testing.assert_allclose(of_rest[2:], 0, atol=1e-9)


def test_sparse_counts_give_the_same(adata):
    dex.pp.remove_batch_effect(adata, "day")
    dense = adata.layers["batch_removed"].copy()
    adata.X = sparse.csr_matrix(adata.X)
    dex.pp.remove_batch_effect(adata, "day", n_threads=2)
    np.testing.assert_allclose(adata.layers["batch_removed"], dense, atol=1e-12)


def test_it_says_that_the_layer_is_for_plots(adata, caplog):
    with caplog.at_level(logging.INFO, "dex"):
        dex.pp.remove_batch_effect(adata, "day")
    assert "for plots only" in caplog.text


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"batch": "dya"}, InputError, "Did you mean 'day'"),
        ({"batch": "condition", "design": "~ condition"}, DesignError, "cannot be told"),
        ({"batch": "one"}, InputError, "one value"),
        ({"batch": "gaps"}, InputError, "misses 1 value"),
        ({"batch": "day", "design": "~ gaps"}, InputError, "miss a value"),
        ({"batch": "day", "key_added": "X"}, InputError, "key_added"),
    ],
)
def test_what_cannot_be_done_is_refused(adata, words, error, message):
    adata.obs["one"] = "a"
    adata.obs["gaps"] = [np.nan, *range(7)]
    with pytest.raises(error, match=message):
        dex.pp.remove_batch_effect(adata, **words)
    assert not list(filter(None, adata.layers))

"""One of thousands of tests is read by itself."""

from __future__ import annotations

import tracemalloc

import anndata as ad
import numpy as np

import dex
from dex.design.tests import TestInfo
from dex.results import Result
from dex.results.store import store

N_TESTS, N_VARS = 5000, 2000


def peak(function):
    """Bytes that a call takes at most, after a first call has filled the caches."""
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_table_of_one_test_takes_the_memory_of_one_test():
    values = np.random.default_rng(0).uniform(-3, 0, (N_VARS, N_TESTS))
    names = ("log2fc", "stat", "log10_pval", "log10_padj")
    infos = tuple(TestInfo(f"p{i} vs ctrl", "group", f"p{i}", "ctrl") for i in range(N_TESTS))
    sizes = ((5,) * N_TESTS, (9,) * N_TESTS)
    params = {"groupby": "guide", "reference": "ctrl"}
    adata = ad.AnnData(np.zeros((2, N_VARS), dtype=np.float32))
    store(adata, Result(dict.fromkeys(names, values), infos, *sizes, params), key="rank_genes")
    one_test = 8 * N_VARS * len(names)
    for test in ("p77", "p4999 vs ctrl", 123):
        table = dex.get.rank_genes_df(adata, test)
        assert len(table) == N_VARS
        assert peak(lambda test=test: dex.get.rank_genes_df(adata, test)) < 30 * one_test
    first = dex.get.rank_genes_df(adata, "p77")
    np.testing.assert_array_equal(first["log10_pval"], np.sort(values[:, 77]))
    assert 30 * one_test < values.nbytes / 30

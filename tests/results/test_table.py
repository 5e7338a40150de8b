"""The tidy table: best first, also where p underflows."""

from __future__ import annotations

import numpy as np

from dex.results import COLUMNS, StoredResult, results_frame
from dex.results.store import store


def test_rows_are_best_first_and_untested_last(adata, make_result):
    result = make_result(("NK",))
    log10_pval = np.array([-400, -3, -500, np.nan, -1, -400, 0, -2, np.nan, -3.5])[:, None]
    stat = np.array([9, 3, 10, np.nan, 1, -9.5, 0.1, 2, np.nan, -3])[:, None]
    log2fc = np.arange(10.0)[:, None]
    result.columns.update(log10_pval=log10_pval, stat=stat, pval=10**log10_pval, log2fc=log2fc)
    assert (result.columns["pval"] == 0).sum() == 3, "the case that log10_pval is there for"
    store(adata, result, key="rank_genes")
    stored = StoredResult.from_adata(adata, "rank_genes")
    frame = results_frame(stored, [0], list(adata.var_names))
    order = [2, 5, 0, 9, 1, 7, 4, 6, 8, 3]  # without p by the size of log2fc
    assert frame["gene"].tolist() == [f"gene{j}" for j in order]


def test_columns_and_order_of_the_tests(adata, make_result):
    store(adata, make_result(), key="rank_genes")
    stored = StoredResult.from_adata(adata, "rank_genes")
    frame = results_frame(stored, [3, 0], list(adata.var_names))
    assert frame.columns[:2].tolist() == ["gene", "test"]
    assert frame.columns[2:].tolist() == [name for name in COLUMNS if name in stored.columns]
    assert frame["test"].unique().tolist() == ["monocytes vs rest", "CD4/CD8 T vs rest"]
    assert frame.index.tolist() == list(range(20))


def test_every_row_holds_the_numbers_of_its_gene(adata, make_result):
    result = make_result()
    store(adata, result, key="rank_genes")
    frame = results_frame(StoredResult.from_adata(adata, "rank_genes"), [1], range(10))
    positions = frame["gene"].to_numpy(dtype=int)
    for name, values in result.columns.items():
        if name != "status":
            np.testing.assert_array_equal(frame[name], values[positions, 1])


def test_status_is_in_words(adata, make_result):
    store(adata, make_result(("NK",)), key="rank_genes")
    frame = results_frame(StoredResult.from_adata(adata, "rank_genes"), [0], adata.var_names)
    words = frame.set_index("gene")["status"]
    assert words["gene3"] == "all_zero"
    assert (words.drop("gene3") == "tested").all()

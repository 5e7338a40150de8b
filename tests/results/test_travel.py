"""A result goes where its AnnData goes: subsets, copies, concatenation, files."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.design.tests import TestInfo
from dex.results.schema import FORMAT_VERSION
from dex.results.store import store

LEVELS = ("CD4/CD8 T", "B cells (naïve)", "NK", "monocytes")
pytestmark = pytest.mark.filterwarnings(
    "ignore:Writing zarr v2 data will no longer be the default:UserWarning"  # anndata 0.12
)


@pytest.fixture(params=["one test", "four tests", "omnibus"])
def stored(adata, make_result, request):
    if request.param == "omnibus":
        info = TestInfo("any difference in cell_type", "omnibus")
        effects = {"NK/T vs rest": np.arange(10.0), "B vs rest": -np.arange(10.0)}
        result = make_result(("",), infos=(info,), effects=effects)
    else:
        result = make_result(("CD4/CD8 T",) if request.param == "one test" else LEVELS)
    store(adata, result, key="rank_genes")
    return adata


def table(adata):
    return dex.get.rank_genes_df(adata)


def assert_same_result(found, expected):
    pd.testing.assert_frame_equal(table(found), table(expected))
    pd.testing.assert_frame_equal(dex.get.tests_df(found), dex.get.tests_df(expected))
    for name in expected.varm:
        np.testing.assert_array_equal(found.varm[name], expected.varm[name])
    for name in expected.var:
        np.testing.assert_array_equal(found.var[name], expected.var[name])


def test_a_result_follows_its_genes(stored):
    genes = ["gene7", "gene3", "gene0"]
    before = table(stored)
    fewer = table(stored[:, genes])
    expected = before[before["gene"].isin(genes)].reset_index(drop=True)
    pd.testing.assert_frame_equal(fewer, expected)


def test_a_result_stays_with_fewer_observations(stored):
    assert_same_result(stored[[1, 4, 5]], stored)


def test_a_copy_has_the_result(stored):
    copy = stored.copy()
    assert_same_result(copy, stored)
    copy.varm["rank_genes_stat"][:] = 0
    assert not (stored.varm["rank_genes_stat"] == 0).any()


def test_concatenation_over_observations_keeps_the_result(stored):
    halves = [stored[:6].copy(), stored[6:].copy()]
    whole = ad.concat(halves, merge="same", uns_merge="same")
    assert whole.n_obs == stored.n_obs
    assert_same_result(whole, stored)


@pytest.mark.parametrize("form", ["h5ad", "zarr"])
def test_a_result_survives_a_file(stored, tmp_path, form):
    path = tmp_path / f"cells.{form}"
    getattr(stored, f"write_{form}")(path)
    back = getattr(ad, f"read_{form}")(path)
    assert_same_result(back, stored)
    entry, before = back.uns["rank_genes"], stored.uns["rank_genes"]
    assert set(entry) == set(before)
    assert entry["format_version"] == FORMAT_VERSION
    assert dict(entry["versions"]) == before["versions"]
    assert list(entry["notes"]) == list(before["notes"])
    for field in {"names", "scores", "pvals_adj"} & set(before):
        assert entry[field].dtype.names == before[field].dtype.names
        for group in before[field].dtype.names:
            np.testing.assert_array_equal(entry[field][group], before[field][group])


def test_a_result_from_a_file_is_replaced_whole(adata, make_result, tmp_path):
    store(adata, make_result(("NK",)), key="rank_genes")
    adata.write_h5ad(tmp_path / "cells.h5ad")
    back = ad.read_h5ad(tmp_path / "cells.h5ad")
    store(back, make_result(columns=("stat", "log10_pval")), key="rank_genes")
    assert [name for name in back.var if name.startswith("rank_genes_")] == ["rank_genes_foo"]
    names = {name for name in back.varm if name.startswith("rank_genes_")}
    assert names == {"rank_genes_bar", "rank_genes_stat", "rank_genes_log10_pval"}


def test_many_tests_with_any_name(adata, make_result, tmp_path):
    names = tuple(f"drug {i}/{'µ' if i % 2 else '%'} [x] 'q'" for i in range(300))
    store(adata, make_result(names), key="rank_genes")
    adata.write_h5ad(tmp_path / "screen.h5ad")
    back = ad.read_h5ad(tmp_path / "screen.h5ad")
    assert dex.get.tests_df(back)["group"].tolist() == list(names)
    one = dex.get.rank_genes_df(back, names[17])
    np.testing.assert_array_equal(
        np.sort(one["stat"]), np.sort(adata.varm["rank_genes_stat"][:, 17])
    )

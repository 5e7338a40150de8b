"""Scanpy's view of a result is derived, and only where scanpy can read it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.results import refresh_view
from dex.results.schema import FORMAT_VERSION
from dex.results.store import store

FIELDS = {
    "logfoldchanges": "log2fc",
    "scores": "stat",
    "pvals": "pval",
    "pvals_adj": "padj",
}


def stored_entry(adata, result):
    store(adata, result, key="rank_genes")
    return adata.uns["rank_genes"]


def assert_no_view(entry):
    assert not {"names", *FIELDS} & set(entry)


def assert_view_is_of(adata, entry):
    """Every field says of every gene what varm says, best score first and NaN last."""
    groups = entry["tests"]["group"].tolist()
    assert list(entry["names"].dtype.names) == groups
    for i, group in enumerate(groups):
        rows = adata.var_names.get_indexer(entry["names"][group])
        assert sorted(rows) == list(range(adata.n_vars))
        for field, column in FIELDS.items():
            np.testing.assert_array_equal(
                entry[field][group], adata.varm[f"rank_genes_{column}"][rows, i]
            )
        scores = entry["scores"][group]
        n_tested = int(np.isfinite(scores).sum())
        assert np.isnan(scores[n_tested:]).all()
        assert (np.diff(scores[:n_tested]) <= 0).all()


def test_fields_are_the_categories_and_records_the_genes(adata, make_result):
    entry = stored_entry(adata, make_result())
    assert list(entry["names"].dtype.names) == list(adata.obs["cell_type"].cat.categories)
    assert np.isnan(entry["scores"]["NK"][-1])
    assert_view_is_of(adata, entry)


def test_names_of_the_params_are_scanpys(adata, make_result):
    params = stored_entry(adata, make_result())["params"]
    assert params["groupby"] == "cell_type"
    assert params["reference"] == "rest"
    assert params["use_raw"] is False


def test_plain_strings_have_a_view(adata, make_result):
    adata.obs["cell_type"] = adata.obs["cell_type"].astype(str)
    assert_view_is_of(adata, stored_entry(adata, make_result()))


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("numbers", {"params": {"groupby": "age"}}),
        ("no column", {"params": {}}),
        ("a column that is gone", {"params": {"groupby": "gone"}}),
        ("strata", {"infos": (TestInfo("NK in a", "group", "NK", "rest", "a"),)}),
        ("no group", {"infos": (TestInfo("any", "omnibus"),)}),
        ("no level", {"infos": (TestInfo("NKT vs rest", "group", "NKT", "rest"),)}),
    ],
)
def test_no_view_of_what_scanpy_cannot_read(adata, make_result, why, changes):
    adata.obs["age"] = np.arange(12)
    assert_no_view(stored_entry(adata, make_result(("NK",), **changes)))


def test_no_view_of_one_group_against_two_references(adata, make_result):
    infos = tuple(TestInfo(f"NK vs {other}", "group", "NK", other) for other in ("a", "b"))
    assert_no_view(stored_entry(adata, make_result(("NK", "NK"), infos=infos)))


def test_no_view_of_a_large_result(adata, make_result, monkeypatch):
    monkeypatch.setattr("dex.results.view._LARGEST_VIEW", 39)
    assert_no_view(stored_entry(adata, make_result()))
    monkeypatch.setattr("dex.results.view._LARGEST_VIEW", 40)
    assert_view_is_of(adata, stored_entry(adata, make_result()))


def test_no_view_without_fold_changes(adata, make_result):
    assert_no_view(stored_entry(adata, make_result(columns=("stat", "pval", "padj", "log10_pval"))))


def test_the_view_is_refreshed_after_genes_were_left_out(adata, make_result):
    store(adata, make_result(), key="rank_genes")
    fewer = adata[:, ["gene8", "gene2", "gene3"]].copy()
    assert len(fewer.uns["rank_genes"]["names"]) == 10, "it cannot follow"
    refresh_view(fewer)
    entry = fewer.uns["rank_genes"]
    assert len(entry["names"]) == 3
    assert_view_is_of(fewer, entry)
    assert len(adata.uns["rank_genes"]["names"]) == 10, "the parent's is its own"


def test_the_view_of_a_view_is_refreshed_and_the_parent_stays(adata, make_result, fingerprint):
    store(adata, make_result(), key="rank_genes")
    before = fingerprint(adata)
    view = adata[:, 2:6]
    refresh_view(view)
    assert_view_is_of(view, view.uns["rank_genes"])
    assert fingerprint(adata) == before


def test_a_view_that_has_become_impossible_goes(adata, make_result):
    store(adata, make_result(), key="rank_genes")
    adata.obs = adata.obs.drop(columns="cell_type")
    refresh_view(adata)
    assert_no_view(adata.uns["rank_genes"])
    assert adata.uns["rank_genes"]["format_version"] == FORMAT_VERSION


def test_refreshing_what_is_not_there_is_an_error(adata):
    with pytest.raises(InputError, match=r"key='other' holds no result"):
        refresh_view(adata, "other")  # somebody else's entry, with columns of its own


def test_missing_labels_have_no_field(adata, make_result):
    labels = adata.obs["cell_type"].astype(object)
    labels.iloc[2] = None
    adata.obs["cell_type"] = pd.Categorical(labels)
    assert_view_is_of(adata, stored_entry(adata, make_result()))


@pytest.mark.parametrize("width", [4, 7, 40])
def test_a_view_has_no_more_fields_than_h5ad_can_hold(make_result, tmp_path, width):
    """HDF5 refuses tables whose fields' names and types fill more than 64 KiB."""
    found = set()
    for n_groups in (400, 650, 950, 1100):
        levels = [f"{i:04d}".ljust(width, "x") for i in range(n_groups)]
        obs = pd.DataFrame({"cell_type": pd.Categorical(levels)}, index=levels)
        screen = AnnData(np.zeros((n_groups, 10), dtype=np.float32), obs=obs)
        screen.var_names = [f"gene{j}" for j in range(10)]
        entry = stored_entry(screen, make_result(levels))
        found.add("names" in entry)
        screen.write_h5ad(tmp_path / f"{n_groups}.h5ad")
    assert found == {True, False}


def test_no_view_of_a_level_without_a_name(adata, make_result):
    labels = adata.obs["cell_type"].cat.rename_categories({"NK": ""})
    adata.obs["cell_type"] = labels
    infos = tuple(
        TestInfo(f"{level} vs rest", "group", level, "rest") for level in ("", "monocytes")
    )
    assert_no_view(stored_entry(adata, make_result(("", "monocytes"), infos=infos)))

"""A result lies in ``varm``, ``var`` and ``uns``, whole or not at all."""

from __future__ import annotations

from importlib import import_module, metadata
from itertools import count

import numpy as np
import pytest
from anndata import AnnData, read_h5ad

from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.results.schema import FORMAT_VERSION, SHORT_COLUMNS
from dex.results.store import store

STORE = import_module("dex.results.store")


def result_names(mapping, key="rank_genes"):
    return sorted(name for name in mapping if str(name).startswith(f"{key}_"))


def listed(adata, key="rank_genes"):
    return sorted(f"{key}_{name}" for name in adata.uns[key]["columns"])


def test_several_tests_lie_in_varm_alone(adata, make_result):
    result = make_result()
    var_before = list(adata.var)
    store(adata, result, key="rank_genes")
    assert list(adata.var) == var_before
    assert result_names(adata.varm) == sorted([*listed(adata), "rank_genes_bar"])
    for name, values in result.columns.items():
        np.testing.assert_array_equal(adata.varm[f"rank_genes_{name}"], values)


def test_one_test_lies_in_varm_and_is_mirrored_in_var(adata, make_result):
    result = make_result(("NK",))
    store(adata, result, key="rank_genes")
    for name, values in result.columns.items():
        column = f"rank_genes_{name}"
        assert adata.varm[column].shape == (10, 1)
        np.testing.assert_array_equal(adata.varm[column], values)
        np.testing.assert_array_equal(adata.var[column], values[:, 0])
        assert adata.var[column].dtype == values.dtype
    assert result_names(adata.var) == sorted([*listed(adata), "rank_genes_foo"])


def test_columns_are_in_the_order_of_the_schema(adata, make_result):
    columns = ("status", "stat", "log2fc", "log10_pval")
    store(adata, make_result(columns=columns), key="rank_genes")
    stored = adata.uns["rank_genes"]["columns"].tolist()
    assert stored == ["log2fc", "stat", "log10_pval", "status"]


def test_a_new_result_deletes_exactly_what_the_old_one_listed(adata, make_result):
    store(adata, make_result(("NK",)), key="rank_genes")
    fewer = make_result(("NK",), columns=("stat", "log10_pval", "mean_diff"))
    store(adata, fewer, key="rank_genes")
    left = ["rank_genes_log10_pval", "rank_genes_mean_diff", "rank_genes_stat"]
    assert result_names(adata.varm) == sorted(["rank_genes_bar", *left])
    assert result_names(adata.var) == sorted(["rank_genes_foo", *left])
    np.testing.assert_array_equal(adata.var["rank_genes_foo"], np.arange(10.0))


def test_a_result_of_two_tests_leaves_no_mirror_of_one(adata, make_result):
    store(adata, make_result(("NK",)), key="rank_genes")
    store(adata, make_result(("NK", "monocytes")), key="rank_genes")
    assert result_names(adata.var) == ["rank_genes_foo"]
    assert adata.varm["rank_genes_stat"].shape == (10, 2)


def test_an_omnibus_result_leaves_nothing_behind(adata, make_result):
    omnibus = make_result(
        ("",),
        infos=(TestInfo("any difference in cell_type", "omnibus"),),
        effects={"NK vs rest": np.arange(10.0), "B vs rest": -np.arange(10.0)},
    )
    store(adata, omnibus, key="rank_genes")
    assert adata.varm["rank_genes_effects"].shape == (10, 2)
    assert "rank_genes_effects" not in adata.var
    assert adata.uns["rank_genes"]["effects"].tolist() == ["NK vs rest", "B vs rest"]
    assert "names" not in adata.uns["rank_genes"]
    store(adata, make_result(), key="rank_genes")
    assert "rank_genes_effects" not in adata.varm
    assert "effects" not in adata.uns["rank_genes"]


def test_keys_do_not_disturb_each_other(adata, make_result):
    store(adata, make_result(seed=1), key="rank")
    store(adata, make_result(seed=2), key="rank_genes")
    before = {name: adata.varm[name].copy() for name in result_names(adata.varm, "rank_genes")}
    store(adata, make_result(("NK",), seed=3), key="rank")
    for name, values in before.items():
        np.testing.assert_array_equal(adata.varm[name], values)


def test_scanpys_own_result_is_replaced_where_it_lies(adata, make_result):
    adata.uns["rank_genes_groups"] = {"params": {}, "names": np.rec.array([("gene1",)])}
    store(adata, make_result(), key="rank_genes_groups")
    assert adata.uns["rank_genes_groups"]["names"].dtype.names[2] == "NK"


def test_the_entry_says_what_was_done(adata, make_result):
    store(adata, make_result(), key="rank_genes")
    entry = adata.uns["rank_genes"]
    assert entry["format_version"] == FORMAT_VERSION
    assert entry["tests"]["name"][0] == "CD4/CD8 T vs rest"
    assert set(entry["tests"]) == {
        "name",
        "kind",
        "group",
        "reference",
        "per",
        "n_obs",
        "df",
        "n_group",
        "n_reference",
    }
    assert entry["notes"].tolist() == ["one note", "another, with ü"]
    assert entry["versions"]["anndata"] == metadata.version("anndata")
    assert "layer" not in entry["params"], "None does not survive every h5ad"


@pytest.mark.parametrize("key", ["a/b", "", "/", 3])
def test_a_key_that_h5ad_cannot_hold_is_refused(adata, make_result, fingerprint, key):
    before = fingerprint(adata)
    with pytest.raises(InputError, match=f"key_added={key!r} .*without '/'"):
        store(adata, make_result(), key=key)
    assert fingerprint(adata) == before


def test_a_column_outside_the_schema_is_a_mistake_of_ours(adata, make_result, fingerprint):
    result = make_result()
    result.columns["zscore"] = result.columns["stat"]
    before = fingerprint(adata)
    with pytest.raises(KeyError, match=r"zscore"):
        store(adata, result, key="rank_genes")
    assert fingerprint(adata) == before


def test_a_large_result_is_stored_in_short(adata, make_result, monkeypatch, caplog):
    monkeypatch.setattr(STORE, "LARGE_RESULT", 39)
    store(adata, make_result(), key="rank_genes")
    assert adata.uns["rank_genes"]["columns"].tolist() == list(SHORT_COLUMNS)
    assert "10 genes x 4 tests: only log2fc, stat, log10_pval, log10_padj are stored" in caplog.text
    assert "names" not in adata.uns["rank_genes"], "scanpy's view needs pvals"


def test_a_result_at_the_limit_is_stored_whole(adata, make_result, monkeypatch):
    monkeypatch.setattr(STORE, "LARGE_RESULT", 40)
    store(adata, make_result(), key="rank_genes")
    assert len(adata.uns["rank_genes"]["columns"]) == len(make_result().columns)


# What may be interrupted: any assignment to varm, the one to var, the one to uns.


def _fails_once(function, error, *, after=0):
    """Return ``function``, but its call number ``after`` raises ``error``."""
    calls = count()

    def wrapper(*args):
        if next(calls) == after:
            raise error
        return function(*args)

    return wrapper


class _Uns(dict):
    fail = None

    def __setitem__(self, name, value):
        error, self.fail = self.fail, None
        if error is not None:
            raise error
        super().__setitem__(name, value)


def _break_varm(adata, monkeypatch, error, *, after):
    kind = type(adata.varm)
    broken = _fails_once(kind.__setitem__, error, after=after)
    monkeypatch.setattr(kind, "__setitem__", broken)


def _break_var(adata, monkeypatch, error):
    var = AnnData.var
    monkeypatch.setattr(AnnData, "var", property(var.fget, _fails_once(var.fset, error)))


def _break_uns(adata, monkeypatch, error):
    uns = _Uns(adata.uns)
    uns.fail = error
    monkeypatch.setattr(adata, "_uns", uns)


BREAKS = {
    "first array": lambda *args: _break_varm(*args, after=0),
    "fourth array": lambda *args: _break_varm(*args, after=3),
    "var": _break_var,
    "uns": _break_uns,
}


@pytest.mark.parametrize("error", [RuntimeError("disk"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("place", BREAKS)
@pytest.mark.parametrize("earlier", ["nothing", "one test", "four tests"])
def test_an_interrupted_store_leaves_adata_as_it_was(
    adata, make_result, fingerprint, monkeypatch, earlier, place, error
):
    if earlier != "nothing":
        groups = ("NK",) if earlier == "one test" else ("NK", "B", "T", "M")
        store(adata, make_result(groups, seed=5), key="rank_genes")
    before = fingerprint(adata)
    BREAKS[place](adata, monkeypatch, error)
    with pytest.raises(type(error)):
        store(adata, make_result(("NK",)), key="rank_genes")
    assert fingerprint(adata) == before


def test_a_view_becomes_a_copy_and_its_parent_stays(adata, make_result, fingerprint, caplog):
    adata.uns["dex"] = "the user's own"
    before = fingerprint(adata)
    view = adata[:, :7]
    assert view.is_view
    store(view, make_result(n_vars=7), key="rank_genes")
    assert fingerprint(adata) == before
    assert not view.is_view
    assert view.uns["dex"] == "the user's own"
    assert view.varm["rank_genes_stat"].shape == (7, 4)
    assert len(caplog.messages) == 1
    assert "its parent is unchanged" in caplog.text


def test_what_a_view_gets_is_its_own(adata, make_result):
    store(adata, make_result(seed=1), key="rank_genes")
    view = adata[:, :7]
    store(view, make_result(n_vars=7, seed=2), key="mine")
    view.uns["rank_genes"]["params"]["groupby"] = "changed"
    assert adata.uns["rank_genes"]["params"]["groupby"] == "cell_type"


def test_a_view_of_a_file_is_refused(adata, make_result, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = read_h5ad(tmp_path / "cells.h5ad", backed="r")
    with pytest.raises(InputError, match=r"view of a backed file.*to_memory\(\)"):
        store(backed[:, :7], make_result(n_vars=7), key="rank_genes")
    store(backed, make_result(), key="rank_genes")
    assert backed.varm["rank_genes_stat"].shape == (10, 4)
    backed.file.close()


def test_only_what_is_asked_is_kept(adata, make_result, caplog):
    store(adata, make_result(), key="rank_genes", stats=["base_mean", "auc"])
    kept = [*SHORT_COLUMNS[:2], "log10_pval", "log10_padj", "base_mean"]
    assert adata.uns["rank_genes"]["columns"].tolist() == kept
    assert "the method gives no auc" in caplog.text
    assert "names" not in adata.uns["rank_genes"]
    store(adata, make_result(), key="rank_genes", stats=())
    assert sorted(adata.uns["rank_genes"]["columns"]) == sorted(SHORT_COLUMNS)
    assert result_names(adata.varm) == sorted([*listed(adata), "rank_genes_bar"])


def test_a_large_result_keeps_what_is_asked(adata, make_result, monkeypatch):
    monkeypatch.setattr(STORE, "LARGE_RESULT", 39)
    store(adata, make_result(), key="rank_genes", stats=["status"])
    assert adata.uns["rank_genes"]["columns"].tolist() == [*SHORT_COLUMNS, "status"]

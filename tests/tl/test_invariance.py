"""What must not matter does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import anndata
import numpy as np
import pandas as pd
import pytest
import zarr
from anndata import AnnData, read_h5ad
from scipy import sparse

import dex

METHODS = ("t-test", "t-test-student", "wilcoxon", "ols")
ORDER = {"rtol": 1e-9, "atol": 1e-11}  # sums in another order; p through stat
NUMBERS = ("log2fc", "log2fc_se", "stat", "log10_pval", "log10_padj", "base_mean", "mean_group")


def rank(adata, method, **options):
    options = {"replicate": None, "unit": "cells"} | options
    dex.tl.rank_genes(adata, "condition", method=method, **options)
    return {name: np.asarray(adata.varm[f"rank_genes_{name}"]) for name in written(adata)}


def written(adata):
    return list(adata.uns["rank_genes"]["columns"])


def assert_same(found, expected, *, exact=False, names=None):
    assert set(found) == set(expected)
    for name in names or expected:
        if exact:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        else:
            np.testing.assert_allclose(found[name], expected[name], **ORDER, err_msg=name)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_genes(cells, method):
    order = np.random.default_rng(0).permutation(cells.n_vars)
    expected = rank(cells.copy(), method)
    found = rank(cells[:, order].copy(), method)
    assert_same(found, {name: values[order] for name, values in expected.items()})


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_observations(cells, method):
    order = np.random.default_rng(0).permutation(cells.n_obs)
    expected = rank(cells.copy(), method)
    assert_same(rank(cells[order].copy(), method), expected)


@pytest.mark.parametrize("method", METHODS)
def test_names_of_the_groups(cells, method):
    expected = rank(cells.copy(), method, reference="control")
    cells.obs["condition"] = cells.obs["condition"].cat.rename_categories(
        {"control": "CD4/CD8 T", "treated": "B"}
    )
    assert_same(rank(cells, method, reference="CD4/CD8 T"), expected, exact=True)
    assert dex.get.tests_df(cells)["name"].tolist() == ["B vs CD4/CD8 T"]


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_categories(cells, method):
    expected = rank(cells.copy(), method)
    cells.obs["condition"] = cells.obs["condition"].cat.reorder_categories(["treated", "control"])
    assert_same(rank(cells, method, reference="control"), expected)


@pytest.mark.parametrize("method", METHODS)
def test_the_other_reference_is_the_negative(cells, method):
    there = rank(cells.copy(), method, reference="control")
    back = rank(cells.copy(), method, reference="treated")
    for name in ("log2fc", "stat"):
        np.testing.assert_allclose(back[name], -there[name], **ORDER)
    for name in ("log10_pval", "log10_padj", "log2fc_se", "base_mean"):
        np.testing.assert_allclose(back[name], there[name], **ORDER)
    np.testing.assert_array_equal(back["mean_group"], there["mean_reference"])
    np.testing.assert_array_equal(back["pct_group"], there["pct_reference"])
    if method == "wilcoxon":
        np.testing.assert_allclose(back["auc"], 1 - there["auc"], **ORDER)


def backed(adata, path, form):
    adata.X = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix}.get(form, as_dense)(adata.X)
    adata.write_h5ad(path)
    return read_h5ad(path, backed="r")


def as_dense(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else matrix


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "form",
    [as_dense, sparse.csc_matrix, sparse.csr_array, sparse.csc_array],
    ids=lambda f: f.__name__,
)
def test_form_of_the_matrix(cells, small_blocks, method, form):
    expected = rank(cells.copy(), method)
    cells.X = form(cells.X)
    assert_same(rank(cells, method), expected, exact=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_on_disk(cells, small_blocks, tmp_path, method, form):
    expected = rank(cells.copy(), method)
    on_disk = backed(cells, tmp_path / "cells.h5ad", form)
    assert on_disk.isbacked
    assert_same(rank(on_disk, method), expected, exact=True)
    assert on_disk.isbacked
    on_disk.file.close()


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")  # anndata 0.12
@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_zarr_within_little_memory(cells, tmp_path, form, monkeypatch):
    expected = rank(cells.copy(), "wilcoxon")
    monkeypatch.setattr("dex.data.memory.SMALLEST", 1)
    backed(cells, tmp_path / "cells.h5ad", form).to_memory().write_zarr(tmp_path / "cells.zarr")
    stored = zarr.open(tmp_path / "cells.zarr")["X"]
    matrix = stored if form == "dense" else anndata.io.sparse_dataset(stored)
    on_disk = AnnData(matrix, obs=cells.obs, var=cells.var)
    assert_same(rank(on_disk, "wilcoxon", max_memory=30_000), expected, exact=True)
    assert_same(rank(on_disk, "wilcoxon", max_memory="1 GB"), expected, exact=True)


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_some_observations_on_disk(cells, tmp_path, form):
    labels = cells.obs["condition"].astype(object)
    labels.iloc[[0, 3, 70, 149]] = None
    cells.obs["condition"] = pd.Categorical(labels)
    mask = np.arange(cells.n_vars) % 3 == 0
    expected = rank(cells.copy(), "t-test", mask_var=mask)
    on_disk = backed(cells, tmp_path / "cells.h5ad", form)
    assert_same(rank(on_disk, "t-test", mask_var=mask), expected, exact=True)
    on_disk.file.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.uint16])
def test_type_of_the_counts(cells, method, dtype):
    expected = rank(cells.copy(), method)
    cells.X = cells.X.astype(dtype)
    assert_same(rank(cells, method), expected, exact=True)


@pytest.mark.parametrize("method", METHODS)
def test_threads(cells, small_blocks, method):
    one, two, many = (rank(cells.copy(), method, n_threads=n) for n in (1, 2, 5))
    assert_same(two, one, exact=True)
    assert_same(many, one, exact=True)


@pytest.mark.parametrize("method", METHODS)
def test_blocks(cells, monkeypatch, method):
    whole = rank(cells.copy(), method)

    def one_by_one(self, _reader):
        return np.array_split(self.genes, len(self.genes))

    monkeypatch.setattr("dex.data.blocks.GeneBlocks._pieces", one_by_one)
    assert_same(rank(cells, method), whole)


def test_calls_at_once(cells, small_blocks):
    expected = {method: rank(cells.copy(), method) for method in METHODS}
    with ThreadPoolExecutor(2) as pool:
        jobs = [(method, pool.submit(rank, cells.copy(), method)) for method in METHODS * 3]
        for method, job in jobs:
            assert_same(job.result(), expected[method], exact=True)


@pytest.mark.parametrize("method", METHODS)
def test_unused_categories(cells, method):
    expected = rank(cells.copy(), method)
    cells.obs["condition"] = cells.obs["condition"].cat.add_categories(["aaa", "vehicle"])
    assert_same(rank(cells, method), expected, exact=True)
    assert cells.uns["rank_genes"]["names"].dtype.names == ("treated",)


@pytest.mark.parametrize("method", METHODS)
def test_missing_labels_are_a_subset(cells, caplog, method):
    labels = cells.obs["condition"].astype(object)
    gone = [2, 5, 77, 140]
    labels.iloc[gone] = [None, np.nan, None, np.nan]
    cells.obs["condition"] = pd.Categorical(labels)
    expected = rank(cells[cells.obs["condition"].notna()].copy(), method)
    assert_same(rank(cells, method), expected, exact=True)
    assert any("4" in line and "left out" in line for line in caplog.messages)


@pytest.mark.parametrize("method", METHODS)
def test_type_of_the_labels(cells, method):
    expected = rank(cells.copy(), method)
    cells.obs["condition"] = cells.obs["condition"].astype(str).astype(object)
    assert_same(rank(cells, method), expected, exact=True)
    cells.obs["condition"] = cells.obs["condition"].astype("string")
    assert_same(rank(cells, method), expected, exact=True)


@pytest.mark.parametrize("method", METHODS)
def test_labels_that_are_booleans_or_numbers(cells, method):
    expected = rank(cells.copy(), method, reference="control")
    treated = (cells.obs["condition"] == "treated").to_numpy()
    for labels in (treated, treated.astype(int)):
        numbered = cells.copy()
        numbered.obs["condition"] = labels
        assert_same(rank(numbered, method), expected, exact=True)
        assert "names" not in numbered.uns["rank_genes"], "scanpy needs categories"


@pytest.mark.parametrize("method", METHODS)
def test_twice_is_once(cells, method):
    first = rank(cells, method)
    columns = [set(cells.var), set(cells.varm), set(cells.uns)]
    assert_same(rank(cells, method), first, exact=True)
    assert [set(cells.var), set(cells.varm), set(cells.uns)] == columns


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
@pytest.mark.parametrize("method", METHODS)
def test_a_view_is_ranked_and_its_parent_stays(cells, fingerprint, caplog, method, form):
    if form != "csr":
        cells.X = cells.X.toarray() if form == "dense" else sparse.csc_matrix(cells.X)
    expected = rank(cells[:, :50].copy(), method)
    before = fingerprint(cells)
    view = cells[:, :50]
    caplog.clear()
    assert_same(rank(view, method), expected, exact=True)
    assert fingerprint(cells) == before
    assert sum("its parent is unchanged" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("method", ["t-test-student", "ols"])
def test_a_scale_of_all_logs(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm")
    stretched = AnnData(np.asarray(logs.X) * 4, obs=logs.obs[["condition"]])
    dex.tl.rank_genes(stretched, "condition", method=method, scale="logcpm")
    np.testing.assert_allclose(column(stretched, "stat"), column(logs, "stat"), **ORDER)

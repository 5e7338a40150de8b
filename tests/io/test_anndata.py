"""h5ad and zarr: there and back, and one plain line for a file that is something else."""

from __future__ import annotations

import subprocess
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import zarr

import dex
from dex.errors import InputError

LABELS = ["CD4/CD8 T", "B", "B", "NK"]


@pytest.fixture
def adata():
    return anndata.AnnData(
        sp.csr_matrix(np.arange(12, dtype=np.float32).reshape(4, 3)),
        obs=pd.DataFrame({"cell_type": pd.Categorical(LABELS)}, index=list("wxyz")),
        var=pd.DataFrame(index=["NA", "nan", "007"]),
        uns={"log1p": {"base": None}},
    )


@pytest.fixture
def h5ad(adata, tmp_path):
    path = tmp_path / "a.h5ad"
    dex.io.write_h5ad(adata, path)
    return path


def assert_same(back, adata):
    np.testing.assert_array_equal(back.X.toarray(), adata.X.toarray())
    assert list(back.var_names) == list(adata.var_names)
    assert list(back.obs["cell_type"]) == list(adata.obs["cell_type"])
    assert back.uns["log1p"]["base"] is None


@pytest.mark.parametrize("kind", ["h5ad", "zarr"])
def test_round_trip_and_replacement(adata, tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    write = {"h5ad": dex.io.write_h5ad, "zarr": dex.io.write_zarr}[kind]
    read = {"h5ad": dex.io.read_h5ad, "zarr": dex.io.read_zarr}[kind]
    for _ in range(2):
        write(adata, path)
        assert_same(read(str(path)), adata)
        assert list(tmp_path.iterdir()) == [path]


def test_compression(adata, tmp_path):
    dex.io.write_h5ad(adata, tmp_path / "a.h5ad", compression="gzip")
    with h5py.File(tmp_path / "a.h5ad") as store:
        assert store["X/data"].compression == "gzip"


def test_backed_reads_and_writes_to_its_own_file(adata, h5ad, tmp_path):
    backed = dex.io.read_h5ad(h5ad, backed="r")
    assert backed.isbacked
    backed.obs["new"] = [1, 2, 3, 4]
    dex.io.write_h5ad(backed, tmp_path / "b.h5ad")
    assert backed.filename == h5ad
    assert_same(dex.io.read_h5ad(tmp_path / "b.h5ad"), adata)
    dex.io.write_h5ad(backed, h5ad)
    backed.file.close()
    back = dex.io.read_h5ad(h5ad)
    assert_same(back, adata)
    assert list(back.obs["new"]) == [1, 2, 3, 4]


def test_a_failed_write_leaves_the_old_file(adata, h5ad):
    before = h5ad.read_bytes()
    adata.uns["unwritable"] = object()
    with pytest.raises(Exception, match=r"unwritable|object"):
        dex.io.write_h5ad(adata, h5ad)
    assert h5ad.read_bytes() == before
    assert list(h5ad.parent.iterdir()) == [h5ad]


def test_zarr_does_not_replace_another_folder(adata, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "only_copy.doc").write_text("years of work")
    with pytest.raises(InputError, match="is not a zarr store; it is not replaced"):
        dex.io.write_zarr(adata, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "only_copy.doc").exists()


def test_write_into_a_missing_folder(adata, tmp_path):
    for write in (dex.io.write_h5ad, dex.io.write_zarr):
        with pytest.raises(InputError, match="create the folder"):
            write(adata, tmp_path / "nowhere" / "a.h5ad")


# One line for what is wrong


def error_of(read, path):
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_missing(tmp_path):
    assert "does not exist" in error_of(dex.io.read_h5ad, tmp_path / "a.h5ad")
    assert "does not exist" in error_of(dex.io.read_zarr, tmp_path / "a.zarr")


@pytest.mark.parametrize("kept", [0, 4, 1000, 0.5, 0.95])
def test_truncated(h5ad, kept):
    content = h5ad.read_bytes()
    h5ad.write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    message = error_of(dex.io.read_h5ad, h5ad)
    assert any(word in message for word in ("incomplete", "is empty", "not an h5ad"))


def test_damaged_in_the_middle(h5ad):
    content = bytearray(h5ad.read_bytes())
    content[600 : len(content) // 2] = bytes(len(content) // 2 - 600)
    h5ad.write_bytes(content)
    error_of(dex.io.read_h5ad, h5ad)


def test_text_and_folder(tmp_path):
    (tmp_path / "counts.h5ad").write_text("gene,s1\na,1\n")
    assert "dex.io.read_counts" in error_of(dex.io.read_h5ad, tmp_path / "counts.h5ad")
    assert "is a folder" in error_of(dex.io.read_h5ad, tmp_path)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["matrix/features"], "scanpy.read_10x_h5"),
        (["matrix", "row_attrs", "col_attrs"], "read_loom"),
        (["model_weights"], "HDF5 with model_weights in it"),
        ([], "HDF5 with nothing in it"),
    ],
)
def test_other_hdf5(tmp_path, groups, message):
    path = tmp_path / "a.h5ad"
    with h5py.File(path, "w") as store:
        for group in groups:
            store.create_group(group)
    assert message in error_of(dex.io.read_h5ad, path)


@pytest.mark.filterwarnings("ignore::anndata.OldFormatWarning")
def test_an_h5ad_with_wrong_contents(tmp_path):
    path = tmp_path / "a.h5ad"
    with h5py.File(path, "w") as store:
        store.attrs["encoding-type"], store.attrs["encoding-version"] = "anndata", "0.1.0"
        for name in ("obs", "var"):
            anndata.io.write_elem(store, name, 3)
    assert "cannot be read as h5ad" in error_of(dex.io.read_h5ad, path)


def test_not_a_zarr_store(tmp_path, h5ad):
    (tmp_path / "empty.zarr").mkdir()
    assert "without zarr metadata" in error_of(dex.io.read_zarr, tmp_path / "empty.zarr")
    assert "is a file, not a zarr store" in error_of(dex.io.read_zarr, h5ad)
    zarr.open_group(tmp_path / "group.zarr", mode="w")
    assert "holds no AnnData" in error_of(dex.io.read_zarr, tmp_path / "group.zarr")


@pytest.mark.parametrize("write", [dex.io.write_h5ad, dex.io.write_zarr])
def test_nullable_strings_are_written(adata, tmp_path, write):
    adata.obs["note"] = pd.array(["a", None] * (adata.n_obs // 2), dtype="string")
    adata.obs_names = adata.obs_names.astype("string")
    write(adata, tmp_path / "a")
    assert (tmp_path / "a").exists()


def test_import_is_light():
    code = "import sys, dex.io; sys.exit('scanpy' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

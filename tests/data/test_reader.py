"""Every kind of matrix gives the same genes."""

import anndata as ad
import h5py
import numpy as np
import pytest
from scipy import sparse

from dex.data import reader
from dex.errors import InputError

N_OBS, N_VARS = 40, 25


@pytest.fixture
def dense():
    rng = np.random.default_rng(0)
    return rng.poisson(0.7, size=(N_OBS, N_VARS)).astype(np.float32)


@pytest.fixture(params=["dense", "fortran", "csr", "csc", "csr-unsorted", "h5", "h5-csr", "h5-csc"])
def matrix(request, dense, tmp_path):
    match request.param:
        case "dense":
            yield dense
        case "fortran":
            yield np.asfortranarray(dense)
        case "csr":
            yield sparse.csr_matrix(dense)
        case "csc":
            yield sparse.csc_array(dense)
        case "csr-unsorted":
            unsorted = sparse.csr_matrix(dense)
            for i in range(N_OBS):
                row = slice(unsorted.indptr[i], unsorted.indptr[i + 1])
                unsorted.indices[row] = unsorted.indices[row][::-1]
                unsorted.data[row] = unsorted.data[row][::-1]
            unsorted.has_sorted_indices = False
            yield unsorted
        case backed:
            form = {"h5": dense, "h5-csr": sparse.csr_matrix(dense)}
            path = tmp_path / "x.h5ad"
            ad.AnnData(form.get(backed, sparse.csc_matrix(dense))).write_h5ad(path)
            adata = ad.read_h5ad(path, backed="r")
            yield adata.X
            adata.file.close()


@pytest.mark.parametrize(
    "genes", [np.arange(N_VARS), np.arange(3, 9), np.array([0, 4, 5, 24]), np.array([7])]
)
@pytest.mark.parametrize("rows", [np.arange(N_OBS), np.arange(5, 30), np.array([1, 2, 17, 39])])
def test_reads_any_genes_of_any_observations(matrix, dense, genes, rows):
    block = reader.reader_for(matrix, rows).read(genes)
    assert block.dtype == np.float64
    assert block.flags.f_contiguous
    np.testing.assert_array_equal(block, dense[np.ix_(rows, genes)])


def test_rows_of_a_csr_file_are_streamed_in_pieces(dense, tmp_path, monkeypatch):
    monkeypatch.setattr("dex.data.stream._CHUNK_BYTES", 100)
    ad.AnnData(sparse.csr_matrix(dense)).write_h5ad(tmp_path / "x.h5ad")
    adata = ad.read_h5ad(tmp_path / "x.h5ad", backed="r")
    rows, genes = np.array([0, 6, 7, 8, 20, 39]), np.arange(2, 20)
    block = reader.reader_for(adata.X, rows).read(genes)
    np.testing.assert_array_equal(block, dense[np.ix_(rows, genes)])
    adata.file.close()


def test_repeated_entries_add_up(dense):
    twice = sparse.csr_matrix(
        (np.ones(2), np.array([3, 3]), np.array([0, 2, 2])), shape=(2, N_VARS)
    )
    block = reader.reader_for(twice, np.arange(2)).read(np.arange(N_VARS))
    assert block[0, 3] == 2
    assert block.sum() == 2


def test_sample_is_evenly_spaced_rows(matrix, dense):
    sample = reader.sample_rows(matrix, n_rows=5)
    np.testing.assert_array_equal(sample, dense[[0, 9, 19, 29, 39]])


def test_unknown_matrix_is_refused_by_type():
    with pytest.raises(InputError, match=r"type .*coo.* cannot be read; dex reads NumPy"):
        reader.reader_for(sparse.coo_matrix(np.eye(2)), np.arange(2))


def test_plain_hdf5_dataset_is_read(dense, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=dense)
        block = reader.reader_for(stored, np.array([2, 5])).read(np.array([1, 3]))
    np.testing.assert_array_equal(block, dense[np.ix_([2, 5], [1, 3])])

"""Files that are stored by rows stream by in chunks, and a block takes what it may."""

import anndata as ad
import numpy as np
import pytest
import zarr
from scipy import sparse

from dex.data import stream
from dex.data.stream import StreamedCSR, StreamedDense

pytestmark = pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")  # anndata 0.12

N_OBS, N_VARS = 50, 30


@pytest.fixture
def dense():
    return np.random.default_rng(2).poisson(0.6, (N_OBS, N_VARS)).astype(np.float32)


@pytest.fixture(params=["h5ad", "zarr"])
def stored(request, tmp_path):
    def store(matrix):
        path = tmp_path / f"{type(matrix).__name__}.{request.param}"
        adata = ad.AnnData(matrix)
        if request.param == "h5ad":
            adata.write_h5ad(path)
            return ad.read_h5ad(path, backed="r").X
        adata.write_zarr(path)
        group = zarr.open(path)["X"]
        return ad.io.sparse_dataset(group) if sparse.issparse(matrix) else group

    return store


@pytest.mark.parametrize("chunk_bytes", [1, 200, 10**6])
def test_chunks_are_all_rows_once(stored, dense, monkeypatch, chunk_bytes):
    monkeypatch.setattr(stream, "_CHUNK_BYTES", chunk_bytes)
    dense[[0, 7, 8, -1]] = 0
    rows = np.array([0, 3, 7, 8, 9, 31, 49])
    reader = StreamedCSR(stored(sparse.csr_matrix(dense)), rows, 10**6)
    seen = [(first, chunk[own].toarray()) for first, own, chunk in reader.chunks()]
    np.testing.assert_array_equal(np.vstack([part for _, part in seen]), dense[rows])
    assert [first for first, _ in seen] == np.cumsum([0, *(len(p) for _, p in seen[:-1])]).tolist()


def test_blocks_take_at_most_so_much(stored, dense):
    reader = StreamedCSR(stored(sparse.csr_matrix(dense)), np.arange(N_OBS), 800)
    blocks = reader.split(np.arange(N_VARS))
    sizes = [8 * len(reader.read(genes).values) for genes in blocks]
    assert len(blocks) > 3
    assert max(sizes) <= 800 + 8 * (dense > 0).sum(axis=0).max()
    np.testing.assert_array_equal(np.concatenate(blocks), np.arange(N_VARS))
    dense_reader = StreamedDense(stored(dense), np.arange(N_OBS), 4000)
    assert max(map(len, dense_reader.split(np.arange(N_VARS)))) == 4000 // (N_OBS * 12)


def test_repeated_entries_of_a_file_add_up(stored):
    twice = sparse.csr_matrix((np.ones(3), np.array([3, 3, 1]), np.array([0, 2, 3])), shape=(2, 5))
    genes = StreamedCSR(stored(twice), np.arange(2), 100).read(np.arange(5))
    np.testing.assert_array_equal(genes.to_dense(), [[0, 0, 0, 2, 0], [0, 1, 0, 0, 0]])


def test_an_empty_file(stored):
    reader = StreamedCSR(stored(sparse.csr_matrix((4, 5))), np.arange(4), 100)
    assert len(reader.read(np.arange(5)).values) == 0

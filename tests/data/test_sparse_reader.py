"""Lists of non-zeros are the same from every kind of matrix."""

import anndata as ad
import h5py
import numpy as np
import pytest
from scipy import sparse

from dex.data import sparse_reader
from dex.data.blocks import GeneBlocks
from dex.data.reader import read_rows, sparse_reader_for
from dex.data.source import Source
from dex.data.sparse_reader import CSRReader

N_OBS, N_VARS = 45, 70
FORMS = ["dense", "csr", "csc", "csr-array", "h5", "h5-csr", "h5-csc"]


@pytest.fixture
def dense():
    return np.random.default_rng(1).poisson(0.5, size=(N_OBS, N_VARS)).astype(np.float32)


@pytest.fixture(params=FORMS)
def matrix(request, dense, tmp_path):
    forms = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "csr-array": sparse.csr_array}
    stored = forms.get(request.param.removeprefix("h5-"), np.asarray)(dense)
    if not request.param.startswith("h5"):
        yield stored
        return
    ad.AnnData(stored).write_h5ad(tmp_path / "x.h5ad")
    adata = ad.read_h5ad(tmp_path / "x.h5ad", backed="r")
    yield adata.X
    adata.file.close()


def assert_lists(genes, expected):
    assert genes.n_obs == len(expected)
    assert genes.rows.dtype == np.int32
    for j, column in enumerate(expected.T):
        listed = slice(genes.starts[j], genes.starts[j + 1])
        np.testing.assert_array_equal(genes.rows[listed], np.flatnonzero(column))
        np.testing.assert_array_equal(genes.values[listed], column[column != 0])


@pytest.mark.parametrize("rows", [np.arange(N_OBS), np.arange(5, 30), np.array([1, 17, 44])])
@pytest.mark.parametrize(
    "genes", [np.arange(N_VARS), np.arange(12, 19), np.array([0, 31, 32, 69]), np.array([7])]
)
def test_any_genes_of_any_observations(matrix, dense, rows, genes):
    reader = sparse_reader_for(matrix, rows, 3)
    for _ in range(2):  # the second time from what the first has found out
        block = reader.read(genes)
        assert block.values.dtype == np.float32
        assert_lists(block, dense[np.ix_(rows, genes)])


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, bool, np.float64])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_other_types_are_read_as_float64(dense, form, dtype):
    stored = dense.astype(dtype)
    block = sparse_reader_for(form(stored), np.arange(N_OBS), 1).read(np.arange(N_VARS))
    assert block.values.dtype == np.float64
    assert_lists(block, stored.astype(np.float64))


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix])
def test_repeated_and_unsorted_entries_are_put_right_in_a_copy(form):
    rows, columns, data = np.array([0, 0, 2, 2, 2]), np.array([4, 1, 3, 3, 0]), np.arange(5.0) + 1
    order = np.argsort(rows if form is sparse.csr_matrix else columns, kind="stable")
    main = (rows if form is sparse.csr_matrix else columns)[order]
    other = (columns if form is sparse.csr_matrix else rows)[order]
    n_main = 3 if form is sparse.csr_matrix else 5
    starts = np.searchsorted(main, np.arange(n_main + 1))
    given = form((data[order], other, starts), shape=(3, 5))
    before = given.indices.copy(), given.data.copy()
    expected = np.zeros((3, 5))
    np.add.at(expected, (rows, columns), data)
    assert_lists(sparse_reader_for(given, np.arange(3), 1).read(np.arange(5)), expected)
    for kept, now in zip(before, (given.indices, given.data), strict=True):
        np.testing.assert_array_equal(kept, now)


@pytest.mark.parametrize("ascending", [True, False])
def test_indices_may_be_of_another_type_than_where_rows_start(dense, ascending):
    """As in large files: 32 bits are enough for genes, and not for all values."""
    matrix = sparse.csr_matrix(dense)
    if not ascending:
        first = slice(matrix.indptr[0], matrix.indptr[1])
        matrix.indices[first] = matrix.indices[first][::-1].copy()
        matrix.data[first] = matrix.data[first][::-1].copy()
    matrix.indptr, matrix.has_sorted_indices = matrix.indptr.astype(np.int64), ascending
    rows = np.array([0, 3, 44])
    block = sparse_reader_for(matrix, rows, 1).read(np.arange(N_VARS))
    assert_lists(block, dense[rows])
    np.testing.assert_array_equal(read_rows(matrix, rows), dense[rows])


def test_what_a_thread_reads_is_put_over_what_it_read_before(dense):
    """Memory is taken once; what is read of a chunk by a worker stays."""
    reader = sparse_reader_for(sparse.csr_matrix(dense), np.arange(N_OBS), 1)
    first, second = reader.read(np.arange(N_VARS)), reader.read(np.arange(3))
    assert np.shares_memory(first.values, second.values)
    kept = CSRReader(sparse.csr_matrix(dense), np.arange(N_OBS), 10)
    first, second = kept.read(np.arange(N_VARS)), kept.read(np.arange(3))
    assert not np.shares_memory(first.values, second.values)
    assert_lists(first, dense)


def test_a_plain_dataset_is_listed(dense, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=dense)
        block = sparse_reader_for(stored, np.array([2, 5]), 1).read(np.array([1, 3]))
    assert_lists(block, dense[np.ix_([2, 5], [1, 3])])


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_blocks_and_their_parts_cover_all_genes(matrix, dense, monkeypatch, n_threads):
    monkeypatch.setattr("dex.data.blocks._PART_VALUES", 40)
    monkeypatch.setattr("dex.data.blocks._PART_TESTS", 4)
    monkeypatch.setattr("dex.data.blocks._FEWEST_GENES", 5)
    monkeypatch.setattr(sparse_reader, "_BLOCK_BYTES", 4000)
    monkeypatch.setattr("dex.data.reader.DEFAULT_STREAMED", 9000)
    source = Source.from_adata(ad.AnnData(dense), scale="counts", unit="cells")
    rows, genes = np.arange(3, 40), np.flatnonzero(np.arange(N_VARS) % 7)
    blocks = GeneBlocks(source, rows, genes)
    object.__setattr__(source, "matrix", matrix)
    parts = blocks.map_sparse(lambda raw, place: (place, raw.to_dense()), n_threads, "x")
    assert len(parts) > 3
    for place, part in parts:
        np.testing.assert_array_equal(part, dense[np.ix_(rows, genes[place])])
    np.testing.assert_array_equal(np.hstack([genes[place] for place, _ in parts]), genes)
    whole = np.hstack(blocks.map(lambda raw: raw, n_threads, "x"))
    np.testing.assert_array_equal(whole, dense[np.ix_(rows, genes)])


@pytest.mark.parametrize("gaps", [False, True])
def test_what_was_checked_is_known_to_have_no_nan(matrix, dense, gaps):
    source = Source.from_adata(ad.AnnData(dense), scale="counts", unit="cells")
    blocks = GeneBlocks(source, np.arange(N_OBS), np.arange(N_VARS), gaps=gaps)
    object.__setattr__(source, "matrix", matrix)
    known = blocks.map_sparse(
        lambda raw, _: (raw.no_nan, raw.map(np.sqrt).no_nan, raw.divided_by(np.ones(N_OBS)).no_nan),
        1,
        "x",
    )
    assert set(known) == {(not gaps, False, False)}

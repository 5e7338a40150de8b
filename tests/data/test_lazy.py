"""Dask arrays give the same genes as what they are made of, however they are chunked."""

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

from dex.data import lazy
from dex.data.blocks import GeneBlocks
from dex.data.source import Source
from dex.data.sums import Sums
from dex.errors import InputError

da = pytest.importorskip("dask.array")

N_OBS, N_VARS = 45, 30
CHUNKS = [(45, 30), (10, 30), (45, 7), (8, 11)]
FORMS = {"dense": np.asarray, "csr": sparse.csr_matrix, "csc": sparse.csc_matrix}


@pytest.fixture
def dense():
    return np.random.default_rng(1).poisson(0.5, size=(N_OBS, N_VARS)).astype(np.float32)


@pytest.fixture(params=CHUNKS, ids=str)
def chunks(request):
    return request.param


@pytest.fixture(params=FORMS)
def array(request, dense, chunks):
    form = FORMS[request.param]
    return da.from_array(dense, chunks=chunks).map_blocks(form)


def source_of(matrix, dense, **options):
    source = Source.from_adata(ad.AnnData(dense), scale="counts", unit="cells", **options)
    object.__setattr__(source, "matrix", matrix)
    return source


@pytest.mark.parametrize("rows", [np.arange(N_OBS), np.arange(9, 30), np.array([1, 17, 44])])
@pytest.mark.parametrize("genes", [np.arange(N_VARS), np.array([0, 6, 7, 29])])
def test_any_genes_of_any_observations(array, dense, rows, genes):
    blocks = GeneBlocks(source_of(array, dense), rows, genes)
    parts = blocks.map_sparse(lambda raw, place: (place, raw.to_dense()), 2, "x")
    for place, part in parts:
        np.testing.assert_array_equal(part, dense[np.ix_(rows, genes[place])])
    np.testing.assert_array_equal(np.hstack([genes[place] for place, _ in parts]), genes)
    np.testing.assert_array_equal(
        np.hstack(blocks.map(lambda raw: raw, 2, "x")), dense[np.ix_(rows, genes)]
    )


def test_little_memory_makes_more_passes(array, dense, monkeypatch):
    passes = []
    compute = lazy._Chunks.tasks

    def counted(self, work, genes, places):
        passes.append(len(places))
        return compute(self, work, genes, places)

    monkeypatch.setattr(lazy._Chunks, "tasks", counted)
    monkeypatch.setattr(lazy, "DEFAULT_STREAMED", 4000)
    blocks = GeneBlocks(source_of(array, dense), np.arange(N_OBS), np.arange(N_VARS))
    parts = blocks.map(lambda raw: raw, 2, "x")
    np.testing.assert_array_equal(np.hstack(parts), dense)
    assert len(passes) > 2
    assert max(passes) <= 8


def test_totals_are_reduced_over_chunks(array, dense):
    rows = np.array([0, 3, 4, 30, 44])
    sums = Sums.of(source_of(array, dense), rows)
    np.testing.assert_array_equal(sums.totals, dense[rows].sum(axis=1))
    np.testing.assert_array_equal(sums.expressed, (dense[rows] > 0).any(axis=0))


def test_a_value_that_cannot_be_used_is_named(dense, chunks):
    dense[20, 7] = -3
    source = source_of(da.from_array(dense, chunks=chunks), dense)
    blocks = GeneBlocks(source, np.arange(N_OBS), np.arange(N_VARS))
    for work in (blocks.map, lambda f, n, label: Sums.of(source, blocks.rows)):
        with pytest.raises(InputError, match="is -3, gene '7' in '20'"):
            work(lambda raw: raw, 1, "x")


def test_the_sample_is_of_a_few_chunks(dense):
    rows = lazy.sampled_rows(da.from_array(dense, chunks=(2, 30)), 16)
    assert len(np.unique(rows // 2)) == lazy._SAMPLED_CHUNKS
    assert rows.max() == N_OBS - 1


def test_unknown_chunks_and_unreadable_ones_are_refused(dense):
    array = da.from_array(dense, chunks=(9, 30))
    unknown = array[array[:, 0] > 0]
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        lazy.sampled_rows(unknown, 3)
    with pytest.raises(InputError, match=r"chunks of type .*list.* cannot be read"):
        lazy._split([[1.0]], np.arange(1), [np.arange(1)])

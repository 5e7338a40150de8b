"""Small data of every kind, and what it takes to show that nothing was changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import dex
from dex.data import Source
from dex.data.size_factors import estimate_factors

if TYPE_CHECKING:
    from anndata import AnnData


@pytest.fixture
def samples() -> AnnData:
    """Counts of 5 control and 5 treated samples in two batches x 60 genes; one gene all zero."""
    adata = dex.datasets.simulate_counts(60, n_per_group=5, n_batches=2, seed=11)
    adata.X[:, 7] = 0
    return adata


@pytest.fixture
def three_groups() -> AnnData:
    """Counts of 4, 5 and 6 samples of three groups x 40 genes."""
    return dex.datasets.simulate_counts(
        40, n_per_group=(4, 5, 6), groups=("a", "b", "c"), mean_count_sd=1, seed=12
    )


@pytest.fixture
def cells() -> AnnData:
    """Counts of 6 replicates x 25 cells, half of them treated, x 120 genes, CSR."""
    return dex.datasets.simulate_counts(
        120, n_per_group=3, cells_per_replicate=25, mean_count=0.4, seed=13
    )


def libraries(counts) -> np.ndarray:
    """Effective library sizes by TMM, ``(n_obs, 1)``; tests/data shows that they are edgeR's."""
    source = Source.from_adata(ad.AnnData(np.asarray(counts, dtype=np.float64)), unit="samples")
    return estimate_factors(source, np.arange(len(counts)), "tmm").effective[:, None]


@pytest.fixture(name="libraries")
def _libraries():
    return libraries


def log_cpm(counts) -> np.ndarray:
    """edgeR's ``cpm(log=TRUE, prior.count=2)`` after TMM, from its help page."""
    counts = np.asarray(counts, dtype=np.float64)
    totals = libraries(counts)
    prior = 2 * totals / totals.mean()
    return np.log2((counts + prior) / (totals + 2 * prior) * 1e6)


@pytest.fixture(name="log_cpm")
def _log_cpm():
    return log_cpm


@pytest.fixture
def logs(samples) -> AnnData:
    """The samples' log2 CPM as ``X``, without a gene that is constant."""
    adata = samples[:, samples.X.any(axis=0)].copy()
    adata.X = log_cpm(adata.X)
    return adata


def column(adata, name, key="rank_genes"):
    return np.asarray(adata.varm[f"{key}_{name}"])


@pytest.fixture(name="column")
def _column():
    return column


def _matrix_bytes(matrix):
    if matrix is None:
        return None
    if sparse.issparse(matrix):
        parts = (matrix.data, matrix.indices, matrix.indptr)
        return matrix.format, matrix.shape, [(part.dtype.str, part.tobytes()) for part in parts]
    return matrix.shape, matrix.dtype.str, np.asarray(matrix).tobytes()


def fingerprint(adata: AnnData) -> dict[str, object]:
    """All of an AnnData, comparable by ``==``."""
    layers = dict(adata.layers.items())
    layers.pop(None, None)  # anndata 0.13 lists X
    with np.printoptions(threshold=10**9, precision=17):
        return {
            "X": _matrix_bytes(adata.X),
            "layers": {name: _matrix_bytes(layers[name]) for name in layers},
            "obs": adata.obs.to_csv() + str(adata.obs.dtypes.to_dict()),
            "var": adata.var.to_csv() + str(adata.var.dtypes.to_dict()),
            "varm": {name: np.asarray(array).tobytes() for name, array in adata.varm.items()},
            "obsm": sorted(adata.obsm),
            "uns": {name: repr(value) for name, value in adata.uns.items()},
        }


@contextmanager
def unchanged(adata):
    """Fail if the block changes ``adata``."""
    before = fingerprint(adata)
    yield
    assert fingerprint(adata) == before


@pytest.fixture(name="unchanged")
def _unchanged():
    return unchanged


@pytest.fixture(name="fingerprint")
def _fingerprint():
    return fingerprint


@pytest.fixture
def small_blocks(monkeypatch):
    """Read genes in seven blocks, so that there is something to hand to threads."""

    def pieces(self, _reader):
        return np.array_split(self.genes, 7)

    monkeypatch.setattr("dex.data.blocks.GeneBlocks._pieces", pieces)

"""Cells are added up alike from every form of matrix."""

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

from dex.data import sample_sums
from dex.data.sample_sums import add_up_rows
from dex.errors import InputError

N_CELLS, N_VARS, N_SAMPLES = 200, 30, 7


@pytest.fixture(scope="module")
def counts():
    return np.random.default_rng(0).poisson(0.4, size=(N_CELLS, N_VARS)).astype(np.float32)


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(1).integers(-1, N_SAMPLES - 1, N_CELLS)  # the last has no cell


def backed(counts, folder, form):
    path = folder / "cells.h5ad"
    ad.AnnData(form(counts)).write_h5ad(path)
    return ad.read_h5ad(path, backed="r").X


FORMS = {
    "dense": lambda counts, _: counts,
    "fortran": lambda counts, _: np.asfortranarray(counts),
    "int": lambda counts, _: counts.astype(np.int32),
    "csr": lambda counts, _: sparse.csr_matrix(counts),
    "csr_array64": lambda counts, _: sparse.csr_array(counts.astype(np.int64)),
    "csc": lambda counts, _: sparse.csc_matrix(counts),
    "backed dense": lambda counts, folder: backed(counts, folder, np.asarray),
    "backed csr": lambda counts, folder: backed(counts, folder, sparse.csr_matrix),
    "backed csc": lambda counts, folder: backed(counts, folder, sparse.csc_matrix),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_sums(counts, labels, form, n_threads, tmp_path, monkeypatch):
    monkeypatch.setattr(sample_sums, "_VALUES_PER_FILE_READ", 170)
    monkeypatch.setattr(sample_sums, "_VALUES_PER_READ", 17 * N_VARS)
    matrix = FORMS[form](counts, tmp_path)
    sums = add_up_rows(matrix, labels, N_SAMPLES, n_threads=n_threads)
    expected = np.zeros((N_SAMPLES, N_VARS))
    np.add.at(expected, labels[labels >= 0], counts[labels >= 0].astype(np.float64))
    np.testing.assert_array_equal(sums, expected)


@pytest.mark.parametrize("form", ["dense", "csr", "csc"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_what_cannot_be_a_count(counts, labels, form, value, tmp_path):
    wrong = counts.copy()
    wrong[np.flatnonzero(labels >= 0)[0], 3] = value
    with pytest.raises(InputError, match="finite and not negative"):
        add_up_rows(FORMS[form](wrong, tmp_path), labels, N_SAMPLES)
    of_nobody = counts.copy()
    of_nobody[np.flatnonzero(labels < 0)[0], 3] = value
    assert np.isfinite(add_up_rows(FORMS[form](of_nobody, tmp_path), labels, N_SAMPLES)).all()

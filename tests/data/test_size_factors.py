"""Size factors equal to edgeR's and DESeq2's, from every kind of matrix."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.data import Source
from dex.data.size_factors import SIZE_FACTORS, estimate_factors
from dex.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "normalize"
LIKE_R = {"rtol": 1e-12}  # R prints 17 digits; sums and logs differ in the last
NORM_FACTORS = {"tmm": "tmm", "upper_quartile": "upper_quartile"}
BY_HAND = {  # edgeR 4.4.2 and DESeq2 1.46.0 on airway, printed with 7 digits
    "tmm": [1.0553567, 1.0291947, 0.9832690, 0.9490081, 1.0255871, 0.9729022, 1.0308785, 0.9592055],
    "median_ratio": [
        1.0236476,
        0.8961667,
        1.1794861,
        0.6700538,
        1.1776714,
        1.3990365,
        0.9207787,
        0.9445141,
    ],
}


@pytest.fixture(scope="module")
def counts():
    return pd.read_csv(REFERENCE / "counts.csv").to_numpy(dtype=np.float64)


@pytest.fixture(scope="module")
def expected():
    return pd.read_csv(REFERENCE / "size_factors.csv")


def factors(values, method, *, rows=None, unit="samples", **options):
    source = Source.from_adata(ad.AnnData(values), unit=unit)
    rows = np.arange(values.shape[0]) if rows is None else rows
    return estimate_factors(source, rows, method, **options)


@pytest.mark.parametrize("method", NORM_FACTORS)
def test_norm_factors_are_edgers(counts, expected, method):
    found = factors(counts, method)
    np.testing.assert_allclose(found.norm_factors, expected[NORM_FACTORS[method]], **LIKE_R)
    np.testing.assert_array_equal(found.totals, expected["library"])
    assert found.size_factors.mean() == pytest.approx(1)


@pytest.mark.parametrize("method", ["median_ratio", "poscounts"])
def test_size_factors_are_deseq2s(counts, expected, method):
    found = factors(counts, method)
    np.testing.assert_allclose(found.size_factors, expected[method], **LIKE_R)
    # the library that counts are per million of is in proportion to them
    ratio = found.effective / found.size_factors
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert np.log(found.norm_factors).mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.realdata
@pytest.mark.parametrize("method", BY_HAND)
def test_airway(realdata, method):
    counts = dex.io.read_counts(realdata / "airway" / "counts.csv.gz").X
    found = factors(counts, method)
    values = found.norm_factors if method == "tmm" else found.size_factors
    np.testing.assert_allclose(values, BY_HAND[method], atol=1e-7)


@pytest.mark.parametrize("method", SIZE_FACTORS)
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, "backed"])
def test_every_kind_of_matrix_gives_the_same(counts, tmp_path, monkeypatch, method, form):
    monkeypatch.setattr("dex.data.reader.BLOCK_BYTES", 1)  # a row at a time
    whole = factors(counts, method)
    if form == "backed":
        ad.AnnData(sparse.csc_matrix(counts)).write_h5ad(tmp_path / "counts.h5ad")
        source = Source.from_adata(ad.read_h5ad(tmp_path / "counts.h5ad", backed="r"))
        some = estimate_factors(source, np.arange(len(counts)), method, n_threads=2)
    else:
        some = factors(form(counts), method, n_threads=2)
    np.testing.assert_array_equal(whole.size_factors, some.size_factors)


@pytest.mark.parametrize("method", SIZE_FACTORS)
def test_observations_left_out_do_not_matter(counts, method):
    rows = np.array([0, 2, 3, 5])
    some = factors(counts, method, rows=rows)
    alone = factors(counts[rows], method)
    np.testing.assert_array_equal(some.size_factors, alone.size_factors)


DEPTH_TELLS = {"poscounts", "tmmwsp", "iterative"}


@pytest.mark.parametrize("method", [m for m in SIZE_FACTORS if m not in DEPTH_TELLS])
def test_depth_divides_out(counts, method):
    # poscounts takes zeros for ones, which do not double; TMMwsp adds a constant to variances;
    # and the likelihood of iterative ones knows that twice the counts are more certain
    rows = np.array([0, 2, 3, 5])
    alone = factors(counts[rows], method)
    doubled = factors(2 * counts[rows], method)
    np.testing.assert_allclose(doubled.norm_factors, alone.norm_factors, rtol=1e-12)


@pytest.mark.parametrize("method", SIZE_FACTORS)
def test_permuted_genes(counts, method):
    genes = np.random.default_rng(0).permutation(counts.shape[1])
    found = factors(counts[:, genes], method).size_factors
    np.testing.assert_allclose(found, factors(counts, method).size_factors, rtol=1e-12)


def test_every_gene_with_a_zero_has_no_median_ratio():
    values = np.tile(np.eye(3) * 5, (1, 4))
    with pytest.raises(InputError, match=r"every gene has a zero .* take 'poscounts', or 'tmm'"):
        factors(values, "median_ratio")
    assert np.isfinite(factors(values, "poscounts").size_factors).all()


def test_a_cell_without_counts_has_a_library_size_only(counts):
    counts = np.vstack([counts, np.zeros(counts.shape[1])])
    assert factors(counts, "library", unit="cells").size_factors[-1] == 1
    with pytest.raises(InputError, match=r"1 of \d+ cells have no counts"):
        factors(counts, "tmm", unit="cells")


def test_a_column_of_obs(counts):
    obs = pd.DataFrame({"mine": np.arange(1.0, len(counts) + 1), "word": "x"})
    found = factors(counts, "mine", obs=obs)
    np.testing.assert_array_equal(found.size_factors, obs["mine"])
    np.testing.assert_allclose(np.ptp(found.effective / obs["mine"]), 0, atol=1e-6)
    with pytest.raises(InputError, match="'word' is not known; it is one of library, tmm"):
        factors(counts, "word", obs=obs)

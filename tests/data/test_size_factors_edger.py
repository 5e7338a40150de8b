"""TMMwsp, RLE, control genes and average transcript lengths equal to edgeR's and DESeq2's."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from dex.data import Source
from dex.data.blocks import GeneBlocks
from dex.data.depths import Depths
from dex.data.expression import Expression
from dex.data.size_factors import estimate_factors
from dex.errors import InputError
from dex.stats.length_offsets import edger_offsets, normalization_factors

REFERENCE = Path(__file__).parents[1] / "reference" / "size_factors"
LOOSE_ROUNDS = 5e-3  # R stops when squared changes of their logs add up to less than 1e-4
LIKE_R = {"rtol": 1e-12}  # R prints 15 digits; sums and logs differ in the last


def matrix(name):
    return np.ascontiguousarray(pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(float).T)


@pytest.fixture(scope="module")
def expected():
    return pd.read_csv(REFERENCE / "factors.csv")


@pytest.fixture(scope="module")
def counts():
    return matrix("counts")


def factors(values, method, **options):
    source = Source.from_adata(ad.AnnData(values), unit="samples")
    return estimate_factors(source, np.arange(values.shape[0]), method, **options)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_tmmwsp_is_edgers(counts, expected, form):
    found = factors(form(counts), "tmmwsp")
    np.testing.assert_allclose(found.norm_factors, expected["tmmwsp"], **LIKE_R)
    many_zeros = pd.read_csv(REFERENCE / "sparse_factors.csv")["tmmwsp"]
    found = factors(form(matrix("sparse")), "tmmwsp")
    np.testing.assert_allclose(found.norm_factors, many_zeros, **LIKE_R)


def test_rle_is_edgers(counts, expected):
    found = factors(counts, "rle")
    np.testing.assert_allclose(found.norm_factors, expected["rle"], **LIKE_R)
    np.testing.assert_allclose(found.size_factors, found.effective / found.effective.mean())


@pytest.mark.parametrize("method", ["median_ratio", "poscounts"])
def test_control_genes_are_deseq2s(counts, expected, method):
    control = (np.arange(counts.shape[1]) + 1) % 3 == 0
    found = factors(counts, method, control_genes=control)
    np.testing.assert_allclose(found.size_factors, expected[f"{method}_controls"], **LIKE_R)
    everything = factors(counts, method, control_genes=np.ones(counts.shape[1], dtype=bool))
    np.testing.assert_array_equal(everything.size_factors, factors(counts, method).size_factors)


def test_iterative_factors_are_deseq2s(counts, expected):
    found = factors(counts, "iterative").size_factors
    np.testing.assert_allclose(found, expected["iterative"], rtol=LOOSE_ROUNDS)
    assert np.exp(np.log(found).mean()) == pytest.approx(1, abs=1e-12)


def test_control_genes_of_other_methods_or_none(counts):
    control = np.ones(counts.shape[1], dtype=bool)
    with pytest.raises(InputError, match=r"are of size_factors='median_ratio' .* not of 'tmm'"):
        factors(counts, "tmm", control_genes=control)
    with pytest.raises(InputError, match="is a mask over 150 genes with some of them"):
        factors(counts, "poscounts", control_genes=~control)


@pytest.mark.parametrize("genes", [slice(0, 150), slice(20, 23)])
def test_depths_of_blocks_of_genes(counts, genes):
    source = Source.from_adata(ad.AnnData(counts), unit="samples")
    rows, lengths = np.arange(len(counts)), matrix("lengths")
    blocks = GeneBlocks.all_genes(source, rows)
    for method, unit, name in (
        ("tmm", "library", "edger_offsets"),
        ("median_ratio", "size_factor", "normalization_factors"),
    ):
        plain = estimate_factors(source, rows, method)
        shared = Depths(blocks, plain, unit).of(genes)
        same = plain.effective if unit == "library" else plain.size_factors
        np.testing.assert_array_equal(shared, same)
        scaled = estimate_factors(source, rows, method, lengths=lengths)
        np.testing.assert_allclose(scaled.take(rows[1:3]).lib_sizes, counts.sum(axis=1)[1:3])
        found = Depths(blocks, scaled, unit, np.asfortranarray(lengths)).of(genes)
        expected = matrix(name)[:, genes]
        if unit == "library":
            expected = np.exp(expected)
        np.testing.assert_allclose(found, expected, **LIKE_R)


def test_counts_to_be_modelled_have_depths(counts):
    source = Source.from_adata(ad.AnnData(counts), unit="samples")
    rows, genes, lengths = np.arange(len(counts)), np.arange(10, 20), matrix("lengths")
    made = Expression.of_counts(source, rows, genes, size_factors="tmm", lengths=lengths)
    expected = np.exp(matrix("edger_offsets")[:, 13:16])
    np.testing.assert_allclose(made.depths("library").of(slice(3, 6)), expected, **LIKE_R)
    plain = Expression.of_counts(source, rows, genes, size_factors="tmm")
    np.testing.assert_array_equal(plain.depths("library").of(slice(0, 2)), plain.factors.effective)
    with pytest.raises(InputError, match=r"lengths have the shape \(7, 3\), the counts \(7, 150\)"):
        Expression.of_counts(source, rows, genes, size_factors="tmm", lengths=lengths[:, :3])


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_lengths_are_divided_out_as_in_tximport(counts, expected, monkeypatch, form):
    monkeypatch.setattr("dex.data.reader.BLOCK_BYTES", 1)  # a row at a time
    lengths = matrix("lengths")
    found = factors(form(counts), "tmm", lengths=lengths)
    np.testing.assert_allclose(found.norm_factors, expected["tmm_lengths"], **LIKE_R)
    np.testing.assert_allclose(found.totals, expected["totals_lengths"], **LIKE_R)
    offsets = edger_offsets(lengths, found.effective, counts.sum(axis=1))
    np.testing.assert_allclose(offsets, matrix("edger_offsets"), **LIKE_R)
    # edgeR's cpm() of a DGEList with offsets is of counts over exp(offset)
    np.testing.assert_allclose(counts / np.exp(offsets) * 1e6, matrix("edger_cpm"), **LIKE_R)


def test_normalization_factors_are_deseq2s(counts):
    lengths = matrix("lengths")
    found = factors(counts, "median_ratio", lengths=lengths)
    divisors = normalization_factors(lengths, found.size_factors)
    np.testing.assert_allclose(divisors, matrix("normalization_factors"), **LIKE_R)


def test_a_length_in_common_does_not_matter(counts):
    lengths = np.tile(np.linspace(100, 9000, counts.shape[1]), (len(counts), 1))
    plain, scaled = factors(counts, "tmm"), factors(counts, "tmm", lengths=lengths)
    np.testing.assert_allclose(scaled.effective, plain.effective, rtol=1e-12)
    offsets = edger_offsets(lengths, scaled.effective, plain.totals)
    np.testing.assert_allclose(offsets.std(axis=1), 0, atol=1e-10)
    lengths[1, 2] = 0
    with pytest.raises(InputError, match="1 of 1050 average transcript lengths are not positive"):
        factors(counts, "tmm", lengths=lengths)

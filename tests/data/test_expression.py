"""Blocks: lazily normalised, checked, and the same however they are cut."""

import anndata as ad
import numpy as np
import pytest

from dex.data.expression import Expression
from dex.data.scale import Scale
from dex.data.source import Source
from dex.errors import InputError

CLOSE = {"rtol": 1e-12, "atol": 1e-12}  # the same few operations in another order


@pytest.fixture
def counts():
    return np.random.default_rng(3).poisson(3.0, size=(12, 50)).astype(np.float32)


def expression(values, *, rows=None, genes=None, **options):
    source = Source.from_adata(ad.AnnData(values), **options)
    rows = np.arange(len(values)) if rows is None else rows
    genes = np.arange(values.shape[1]) if genes is None else genes
    return Expression.from_source(source, rows, genes)


def test_counts_of_cells_become_logs_per_median_library(counts):
    made = expression(counts, unit="cells")
    totals = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    expected = np.log1p(counts / totals * np.median(totals))
    np.testing.assert_allclose(made.values(), expected, **CLOSE)
    assert (made.scale, made.pseudocount) == (Scale.LN1P, 1.0)


def test_counts_of_samples_become_log_cpm(counts):
    made = expression(counts, unit="samples")
    size = made.factors.effective[:, None]  # test_size_factors.py says what they are
    prior = 2 * size / size.mean()
    expected = np.log2((counts + prior) / (size + 2 * prior) * 1e6)
    np.testing.assert_allclose(made.values(), expected, **CLOSE)
    assert made.pseudocount == pytest.approx(1e6 / size.mean())


def test_library_sizes_are_over_all_genes_and_observations_used(counts):
    rows, genes = np.array([0, 3, 4, 9]), np.array([2, 30, 31])
    some = expression(counts, rows=rows, genes=genes, unit="samples")
    whole = expression(counts[rows], unit="samples")
    np.testing.assert_array_equal(some.values(), whole.values()[:, genes])


def test_linear_values_are_logged_and_that_is_said(counts):
    made = expression(counts * 7.25, scale="linear")
    np.testing.assert_allclose(made.values(), np.log2(counts * 7.25 + 1.0, dtype=float), **CLOSE)
    assert "taken as log2(x + 1)" in made.notes[-1]


def test_counts_of_a_named_layer_are_normalised_unless_they_are_called_linear(counts):
    adata = ad.AnnData(np.log1p(counts), layers={"counts": counts})
    rows, genes = np.arange(12), np.arange(50)
    made = Expression.from_source(Source.from_adata(adata, layer="counts"), rows, genes)
    np.testing.assert_array_equal(made.values(), expression(counts).values())
    as_they_are = Source.from_adata(adata, layer="counts", scale="linear")
    made = Expression.from_source(as_they_are, rows, genes)
    np.testing.assert_array_equal(made.values(), counts)
    assert "taken as they are: not logged" in made.notes[-1]


def test_blocks_hold_values_linear_means_and_who_expresses(counts):
    made = expression(counts, unit="cells")
    size = counts.sum(axis=1, keepdims=True, dtype=np.float64)

    def columns(block):
        assert block.values.flags.f_contiguous
        return {"mean": block.linear.mean(axis=0), "pct": (block.abundance > 0).mean(axis=0)}

    got = made.map_blocks(columns, n_threads=1, label="x")
    linear = counts / size * np.median(size)
    np.testing.assert_allclose(got["mean"], linear.mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(got["pct"], (counts > 0).mean(axis=0))


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_blocks_of_any_size_and_threads_give_the_same_bits(counts, monkeypatch, n_threads):
    made = expression(np.tile(counts, (1, 4)), unit="samples")

    def columns(block):
        return {"var": block.values.var(axis=0), "mean": block.linear.mean(axis=0)}

    whole = made.map_blocks(columns, n_threads=1, label="x")
    monkeypatch.setattr("dex.data.reader.BLOCK_BYTES", 1)
    monkeypatch.setattr("dex.data.blocks._FEWEST_GENES", 7)
    cut = made.map_blocks(columns, n_threads=n_threads, label="x")
    for name, values in whole.items():
        np.testing.assert_array_equal(values, cut[name])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -2.0])
def test_bad_values_are_located_and_counted(counts, bad):
    counts[4, 17] = counts[2, 17] = counts[3, 40] = bad
    with pytest.raises(InputError, match=r"X has 3 values .* gene '17' in '2'\); counts must be"):
        expression(counts, scale="counts")


def test_bad_values_among_genes_left_out_do_not_matter_to_logs(counts):
    logs = np.log1p(counts)
    logs[4, 17] = np.nan
    genes = np.arange(17)
    assert np.isfinite(expression(logs, genes=genes, scale="ln1p").values()).all()
    with pytest.raises(InputError, match=r"X has 1 value not finite .*gene '17' in '4'"):
        expression(logs, scale="ln1p").values()


def test_a_sample_without_counts_is_refused_and_a_cell_is_not(counts):
    counts[5] = 0
    with pytest.raises(InputError, match=r"1 of 12 samples have no counts .* '5'\); drop them"):
        expression(counts, unit="samples")
    assert not expression(counts, unit="cells").values()[5].any()

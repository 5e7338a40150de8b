"""Which matrix is measured, and what is refused."""

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

from dex.data.scale import Scale
from dex.data.source import Source, counts_layer, counts_source, layer_names
from dex.errors import InputError


@pytest.fixture
def counts():
    return np.random.default_rng(0).poisson(0.6, size=(120, 30)).astype(np.float32)


@pytest.fixture
def adata(counts):
    adata = ad.AnnData(np.log1p(counts), layers={"counts": counts, "z": _z_scores(counts)})
    adata.uns["log1p"] = {"base": None}
    return adata


def _z_scores(counts):
    logs = np.log1p(counts)
    return (logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-9)


def test_layers_are_listed_without_x(adata):
    assert layer_names(adata) == ["counts", "z"]


def test_x_is_the_default_and_a_layer_is_obeyed(adata):
    assert Source.from_adata(adata).scale is Scale.LN1P
    named = Source.from_adata(adata, layer="counts")
    assert (named.scale, named.explicit, named.where) == (Scale.COUNTS, True, "layers['counts']")


def test_scale_in_words_wins_over_record_and_values(adata):
    adata.uns["dex_layers"] = {"X": {"scale": "log2p1"}}
    assert Source.from_adata(adata).scale is Scale.LOG2P1
    assert Source.from_adata(adata, scale="linear").scale is Scale.LINEAR


@pytest.mark.parametrize(
    ("n_obs", "rate", "unit"), [(120, 0.3, "cells"), (99, 0.3, "samples"), (120, 5, "samples")]
)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_cells_are_many_and_mostly_zero(n_obs, rate, unit, form):
    values = np.random.default_rng(0).poisson(rate, size=(n_obs, 30)).astype(np.float32)
    assert Source.from_adata(ad.AnnData(form(values))).unit == unit
    assert Source.from_adata(ad.AnnData(form(values)), unit="samples").unit == "samples"


def test_genes_that_nobody_expresses_do_not_make_cells(counts):
    bulk = np.random.default_rng(0).poisson(50, size=(120, 10)).astype(np.float32)
    padded = np.hstack([bulk, np.zeros((120, 40), dtype=np.float32)])
    assert Source.from_adata(ad.AnnData(padded)).unit == "samples"


def test_z_scores_in_x_are_refused_and_usable_layers_named(adata):
    adata.X = adata.layers["z"].copy()
    with pytest.raises(InputError, match=r"X holds z-scores .* say layer='counts'\."):
        Source.from_adata(adata)
    assert Source.from_adata(adata, layer="z").scale is Scale.ZSCORE


def test_z_scores_without_layers_point_to_raw(adata):
    scaled = ad.AnnData(adata.layers["z"])
    with pytest.raises(InputError, match="give counts or logs"):
        Source.from_adata(scaled)
    scaled.raw = adata
    with pytest.raises(InputError, match=r"rank adata\.raw\.to_adata\(\)"):
        Source.from_adata(scaled)


def test_negative_logs_are_taken_when_declared(counts):
    logs = ad.AnnData(np.log2(counts + 0.01))
    with pytest.raises(InputError, match=r"negative values.*scale='logcpm'"):
        Source.from_adata(logs)
    assert Source.from_adata(logs, scale="logcpm").scale is Scale.LOGCPM


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "count"}, r"layer='count' is not in adata\.layers; it has 'counts', 'z'"),
        ({"scale": "log"}, r"scale='log' is not known; .* 'ln1p'"),
        ({"unit": "cell"}, r"unit='cell' is not known; .* 'cells' or 'samples'"),
    ],
)
def test_unknown_words_are_refused(adata, options, message):
    with pytest.raises(InputError, match=message):
        Source.from_adata(adata, **options)


def test_nothing_to_test_is_said():
    with pytest.raises(InputError, match="0 observations and 3 genes"):
        Source.from_adata(ad.AnnData(np.zeros((0, 3))))
    empty = ad.AnnData(shape=(3, 2), layers={"counts": np.ones((3, 2))})
    with pytest.raises(InputError, match=r"X is empty; name one of the layers .*'counts'"):
        Source.from_adata(empty)


def test_pseudocount_is_recorded_or_one_count_of_a_typical_library(counts):
    cp10k = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 1e4
    logs = ad.AnnData(np.log1p(cp10k))
    positive = counts.sum(axis=1) > 0
    one_count = np.median(1e4 / counts.sum(axis=1)[positive])
    assert Source.from_adata(logs).pseudocount == float(f"{one_count:.0e}")
    smooth = ad.AnnData(np.random.default_rng(0).gamma(0.5, size=(120, 30)))
    assert Source.from_adata(smooth, scale="ln1p").pseudocount == 1.0
    logs.uns["dex_layers"] = {"X": {"scale": "ln1p", "pseudocount": 3.0}}
    assert Source.from_adata(logs).pseudocount == 3.0


def test_counts_layer_is_the_one_of_that_name(adata):
    adata.layers["spliced"] = adata.layers["counts"].copy()
    assert counts_layer(adata) == "counts"
    del adata.layers["counts"]
    assert counts_layer(adata) is None  # whole numbers by another name may be anything
    adata.layers["counts"] = adata.X
    assert counts_layer(adata) is None


def test_what_is_called_logs_and_is_not_is_refused(counts):
    with pytest.raises(InputError, match="called ln1p, and one is 500: they are not logs"):
        Source.from_adata(ad.AnnData(np.full_like(counts, 500)), scale="ln1p")


def test_counts_are_found_in_a_layer_when_x_holds_logs(adata):
    found = counts_source(adata, Source.from_adata(adata), need="")
    assert found.layer == "counts"
    assert found.notes == ("X holds logs (ln1p); counts are taken from layers['counts'].",)
    named = Source.from_adata(adata, layer="counts")
    assert counts_source(adata, named, need="") is named


@pytest.mark.parametrize("layer", [None, "z"])
def test_without_counts_it_says_what_they_are_for(adata, layer):
    without = ad.AnnData(adata.X, layers={"z": adata.layers["z"]})
    source = Source.from_adata(without, layer=layer)
    with pytest.raises(InputError, match=r"holds .*, and this models counts\.$"):
        counts_source(without, source, need="this models counts")

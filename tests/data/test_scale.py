"""The scale is told from declarations first, then from the values."""

import numpy as np
import pytest

from dex.data.scale import Scale, declared_scale, detect_scale
from dex.errors import InputError


@pytest.fixture
def counts():
    rng = np.random.default_rng(1)
    return rng.negative_binomial(2, 0.1, size=(50, 30)).astype(float)


@pytest.fixture
def normalised(counts):
    totals = counts.sum(axis=1, keepdims=True)
    return counts / totals * np.median(totals)


def detect(values, *, uns=None, layer=None, unit="cells"):
    return detect_scale(values, uns or {}, layer=layer, unit=unit)


def test_integers_are_counts(counts):
    assert detect(counts).scale is Scale.COUNTS


@pytest.mark.parametrize("scale", [Scale.LN1P, Scale.LOG2P1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_totals_give_the_base_away(normalised, scale, dtype):
    logs = np.log1p(normalised) if scale is Scale.LN1P else np.log2(normalised + 1)
    found = detect(logs.astype(dtype).astype(float))
    assert found.scale is scale
    assert not found.note


@pytest.mark.parametrize("scale", [Scale.LN1P, Scale.LOG2P1])
def test_multiples_of_one_count_give_the_base_away_in_some_genes(normalised, scale):
    logs = np.log1p(normalised) if scale is Scale.LN1P else np.log2(normalised + 1)
    few = np.random.default_rng(0).poisson(1.5, size=(50, 30)) / np.linspace(0.5, 2, 50)[:, None]
    logs = np.log1p(few) if scale is Scale.LN1P else np.log2(few + 1)
    assert detect(np.round(logs[:, :10], 4), unit="samples").scale is scale


def test_estimated_counts_may_be_whole_for_the_most_part():
    rng = np.random.default_rng(0)
    counts = rng.negative_binomial(1, 0.02, size=(8, 500)).astype(float)
    some = rng.random(counts.shape) < 0.2
    counts[some] *= rng.uniform(size=some.sum())
    assert detect(counts, unit="samples").scale is Scale.COUNTS
    assert detect(np.round(counts, 2), unit="samples").scale is Scale.COUNTS
    counts[:, 0] = 1e-6
    assert detect(counts, unit="samples").scale is Scale.COUNTS


def test_normalised_values_without_a_log_are_linear(normalised):
    assert detect(normalised / normalised.sum(axis=1, keepdims=True)).scale is Scale.LINEAR
    few = (
        np.random.default_rng(0).poisson(1.5, size=(50, 30)) / np.linspace(0.01, 0.04, 50)[:, None]
    )
    assert detect(few).scale is Scale.LINEAR


def test_other_bases_of_the_log_are_refused(normalised):
    some = np.log1p(normalised[:, :10])
    with pytest.raises(InputError, match=r"logs of base 10; .*multiply X by log2\(10\)"):
        detect(some, uns={"log1p": {"base": 10}})


@pytest.mark.parametrize(
    ("record", "scale"), [({"base": None}, "ln1p"), ({}, "ln1p"), ({"base": 2}, "log2p1")]
)
def test_scanpy_record_tells_the_base_of_x_only(normalised, record, scale):
    some_genes = np.log1p(normalised[:, :10])  # totals are no longer equal
    assert detect(some_genes, uns={"log1p": record}, unit="samples").scale == scale
    layer = detect(some_genes, uns={"log1p": {"base": 2}}, layer="mine")
    assert layer.scale is Scale.LN1P
    assert "layers['mine'] looks logged, base unknown" in layer.note


@pytest.mark.parametrize(("unit", "scale"), [("cells", "ln1p"), ("samples", "log2p1")])
def test_base_that_nothing_tells_is_guessed_and_said(normalised, unit, scale):
    found = detect(np.log1p(normalised[:, :10]), unit=unit)
    assert found.scale == scale
    assert f"taken as {scale} (else say scale=" in found.note


def test_large_fractions_are_linear_if_totals_are_equal_else_estimated_counts(normalised):
    assert detect(normalised * 10).scale is Scale.LINEAR
    estimated = detect(normalised * np.linspace(1, 2, 50)[:, None] * 10)
    assert estimated.scale is Scale.COUNTS
    assert "taken as estimated counts (else say scale='linear')" in estimated.note


def test_negative_values_are_z_scores_or_unknown(normalised):
    logs = np.log1p(normalised)
    z = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    assert detect(z).scale is Scale.ZSCORE
    assert detect(np.clip(z, None, 2)).scale is Scale.ZSCORE
    assert detect(logs - 5).scale is Scale.SIGNED


def test_declared_scale_is_read_by_layer():
    uns = {"dex_layers": {"X": {"scale": "counts"}, "mine": {"scale": "logcpm"}}}
    assert declared_scale(uns, None) is Scale.COUNTS
    assert declared_scale(uns, "mine") is Scale.LOGCPM
    assert declared_scale(uns, "other") is None
    assert declared_scale({}, None) is None


@pytest.mark.parametrize(
    ("scale", "forward"),
    [
        (Scale.COUNTS, lambda x: x),
        (Scale.LINEAR, lambda x: x),
        (Scale.LN1P, np.log1p),
        (Scale.LOG2P1, lambda x: np.log2(x + 1)),
        (Scale.LOG2, np.log2),
        (Scale.LOGCPM, np.log2),
    ],
)
def test_to_linear_undoes_the_log(scale, forward):
    linear = np.array([0.5, 1.0, 100.0])
    np.testing.assert_allclose(scale.to_linear(forward(linear)), linear, rtol=1e-12)


def test_z_scores_have_no_linear_counterpart_and_no_fold_change():
    assert np.isnan(Scale.ZSCORE.to_linear(np.ones(2))).all()
    assert np.isnan(Scale.ZSCORE.log2_per_unit)
    assert Scale.LN1P.log2_per_unit == pytest.approx(1.4426950408889634, rel=1e-15)

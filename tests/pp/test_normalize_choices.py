"""What pp.normalize takes, chooses, says and refuses."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError
from dex.stats.normalize import library_size_factors, ln1p, log_cpm

CLOSE = {"rtol": 1e-12, "atol": 1e-12}  # the same operations in another order


@pytest.fixture
def samples():
    return dex.datasets.simulate_counts(80, n_per_group=3, library_size_sd=1, seed=1)


@pytest.fixture
def cells():
    X = np.random.default_rng(5).poisson(np.linspace(0.05, 1, 40), size=(120, 40)).astype(float)
    X[30] = 0
    return ad.AnnData(X)


def said(caplog):
    return "\n".join(record.getMessage() for record in caplog.records)


def logged(adata):
    """Logs in X, counts beside them."""
    adata = adata.copy()
    adata.layers["counts"] = adata.X.copy()
    adata.X = np.log1p(adata.X / library_size_factors(adata.X.sum(axis=1))[:, None])
    return adata


class TestAuto:
    def test_samples(self, samples, caplog):
        dex.pp.normalize(samples)
        expected = samples.copy()
        dex.pp.normalize(expected, "logcpm", size_factors="tmm")
        np.testing.assert_array_equal(samples.layers["logcpm"], expected.layers["logcpm"])
        assert "method='auto': these are samples, so logcpm." in said(caplog)
        assert "layers['logcpm'] holds log2 counts per million of X (TMM)." in said(caplog)

    def test_cells(self, cells, caplog):
        dex.pp.normalize(cells)
        expected = ln1p(cells.X, library_size_factors(cells.X.sum(axis=1)))
        np.testing.assert_allclose(cells.layers["log1p"], expected, **CLOSE)
        assert (cells.layers["log1p"][30] == 0).all()
        assert "these are cells, so log1p" in said(caplog)

    def test_linear_values(self, samples, caplog):
        samples.X = samples.X / samples.X.sum(axis=1, keepdims=True) * 1e6
        dex.pp.normalize(samples)
        np.testing.assert_allclose(samples.layers["log2"], np.log2(samples.X + 1), rtol=1e-6)
        assert "these are linear values, so log2" in said(caplog)

    def test_logs_are_normalised_already(self, samples):
        samples.X = np.log1p(samples.X)
        with pytest.raises(InputError, match=r"X holds logs .*'cyclic_loess', 'zscore' take logs"):
            dex.pp.normalize(samples)

    def test_other_size_factors(self, cells):
        cells.X[30] = 1
        dex.pp.normalize(cells, size_factors="poscounts")
        record = cells.uns["dex_layers"]["log1p"]
        assert record["size_factor_method"] == "poscounts"

    def test_another_name(self, samples):
        dex.pp.normalize(samples, key_added="mine")
        assert samples.uns["dex_layers"]["mine"]["method"] == "logcpm"
        assert "mine_size_factors" in samples.obs


class TestWhichMatrix:
    def test_counts_beside_logs_are_taken_and_that_is_said(self, samples, caplog):
        both = logged(samples)
        dex.pp.normalize(both, "median_ratio")
        dex.pp.normalize(samples, "median_ratio")
        np.testing.assert_array_equal(both.layers["median_ratio"], samples.layers["median_ratio"])
        assert "X holds logs (ln1p); counts are taken from layers['counts']" in said(caplog)
        assert both.uns["dex_layers"]["median_ratio"]["source"] == "counts"

    @pytest.mark.parametrize("X", ["zscores", "empty"])
    def test_counts_beside_what_cannot_be_used(self, cells, X, caplog):
        both = logged(cells)
        both.X = None if X == "empty" else (both.X - both.X.mean(axis=0)) / both.X.std(axis=0)
        dex.pp.normalize(both)
        dex.pp.normalize(cells)
        np.testing.assert_allclose(both.layers["log1p"], cells.layers["log1p"], **CLOSE)
        assert "X cannot be used; counts are taken from layers['counts']" in said(caplog)

    def test_logs_without_counts(self, samples):
        samples.X = np.log1p(samples.X)
        with pytest.raises(InputError, match=r"X holds logs .*'cpm' takes counts; name the layer"):
            dex.pp.normalize(samples, "cpm")

    def test_a_layer_that_was_named_is_obeyed(self, samples):
        samples.layers["counts"] = samples.X.copy()
        samples.layers["logs"] = np.log1p(samples.X)
        with pytest.raises(InputError, match=r"layers\['logs'\] holds logs"):
            dex.pp.normalize(samples, "cpm", layer="logs")

    def test_scale_is_believed(self, samples):
        samples.X = samples.X / 7
        dex.pp.normalize(samples, "logcpm", scale="counts")
        expected = log_cpm(samples.X, samples.X.sum(axis=1, dtype=float))
        np.testing.assert_allclose(samples.layers["logcpm"], expected, **CLOSE)

    def test_estimated_counts(self, samples, caplog):
        estimated = np.random.default_rng(0).uniform(0.5, 1, samples.shape) * samples.X
        samples.X = estimated * (1 + np.arange(samples.n_obs))[:, None]
        dex.pp.normalize(samples, "tmm")
        assert "taken as estimated counts" in said(caplog)

    def test_log2_of_values_as_they_are(self, samples):
        dex.pp.normalize(samples, "log2")
        expected = np.log2(samples.X.astype(float) + 1)
        np.testing.assert_allclose(samples.layers["log2"], expected, **CLOSE)
        assert list(samples.obs) == ["condition", "true_size_factor"]
        dex.pp.normalize(samples, "cpm")
        dex.pp.normalize(samples, "log2", layer="cpm", key_added="log2cpm")
        cpm = samples.layers["cpm"]
        np.testing.assert_allclose(samples.layers["log2cpm"], np.log2(cpm + 1), **CLOSE)
        records = samples.uns["dex_layers"]
        assert records["log2cpm"]["pseudocount"] == records["cpm"]["pseudocount"] != 1
        assert records["log2cpm"]["source"] == "cpm"

    def test_zscores_of_a_layer(self, samples):
        dex.pp.normalize(samples)
        dex.pp.normalize(samples, "zscore", layer="logcpm", key_added="first")
        dex.pp.normalize(samples, "zscore")
        np.testing.assert_array_equal(samples.layers["first"], samples.layers["zscore"])
        records = samples.uns["dex_layers"]
        assert (records["first"]["logs"], records["zscore"]["logs"]) == ("logcpm", "logcpm")
        np.testing.assert_allclose(samples.layers["zscore"].mean(axis=0), 0, atol=1e-12)

    def test_zscores_of_zscores_are_refused(self, cells):
        both = logged(cells)
        dex.pp.normalize(both, "zscore")
        with pytest.raises(InputError, match=r"layers\['zscore'\] holds z-scores, and .* takes"):
            dex.pp.normalize(both, "zscore", layer="zscore", key_added="again")
        both.X = both.layers["zscore"]
        with pytest.raises(InputError, match=r"X holds z-scores .* say layer='counts'"):
            dex.pp.normalize(both, "zscore", key_added="again")

    def test_missing_values_of_logs_stay_missing(self, samples):
        logs = np.log2(samples.X.astype(float) + 1)
        logs[2, 5] = np.nan
        samples.X = logs
        for method in ("zscore", "quantile"):
            dex.pp.normalize(samples, method)
            layer = samples.layers[method]
            np.testing.assert_array_equal(np.isnan(layer), np.isnan(logs))

    def test_quantiles_of_natural_logs_are_in_log2(self, samples):
        natural = samples.copy()
        samples.X = np.log2(samples.X.astype(float) + 1)
        natural.X = np.log1p(natural.X.astype(float))
        dex.pp.normalize(samples, "quantile", scale="log2p1")
        dex.pp.normalize(natural, "quantile", scale="ln1p")
        layers = natural.layers["quantile"], samples.layers["quantile"]
        np.testing.assert_allclose(*layers, **CLOSE)


class TestSizeFactors:
    def test_a_column_of_obs(self, samples):
        samples.obs["mine"] = np.linspace(1, 2, samples.n_obs)
        for method in ("log1p", "log2"):
            dex.pp.normalize(samples, method, size_factors="mine")
            linear = samples.X / samples.obs[["mine"]].to_numpy()
            log = np.log1p if method == "log1p" else np.log2
            expected = log(linear) if method == "log1p" else log(linear + 1)
            np.testing.assert_allclose(samples.layers[method], expected, **CLOSE)
            column = samples.obs[f"{method}_size_factors"]
            np.testing.assert_array_equal(column, samples.obs["mine"])
            record = samples.uns["dex_layers"][method]
            assert record["size_factor_method"] == "mine"
            assert record["pseudocount"] == pytest.approx(1 / 1.5)

    def test_a_column_gives_effective_libraries(self, samples):
        dex.pp.normalize(samples, "median_ratio")
        samples.obs["mine"] = samples.obs["median_ratio_size_factors"] * 3
        dex.pp.normalize(samples, "logcpm", size_factors="mine", key_added="by_column")
        dex.pp.normalize(samples, "logcpm", size_factors="median_ratio")
        layers = samples.layers["by_column"], samples.layers["logcpm"]
        np.testing.assert_allclose(*layers, **CLOSE)

    @pytest.mark.parametrize(
        ("size_factors", "match"),
        [
            ("nothing", r"size_factors='nothing' is not known; .*median_ratio.* column of obs"),
            ("condition", "numeric column of obs"),
            ("negative", r"obs\['negative'\] holds values that are not positive"),
            (np.ones(6), r"size_factors= is a name; put factors of your own into a column"),
        ],
    )
    def test_columns_that_cannot_be(self, samples, size_factors, match):
        samples.obs["negative"] = -1.0
        with pytest.raises(InputError, match=match):
            dex.pp.normalize(samples, "cpm", size_factors=size_factors)

    def test_methods_that_are_size_factors_take_no_others(self, samples):
        with pytest.raises(InputError, match=r"method='tmm' is the name of .* take method='cpm'"):
            dex.pp.normalize(samples, "tmm", size_factors="library")
        dex.pp.normalize(samples, "tmm", size_factors="tmm")

    @pytest.mark.parametrize("method", ["log2", "zscore", "quantile"])
    def test_they_are_of_counts(self, samples, method):
        samples.X = np.log1p(samples.X)
        with pytest.raises(InputError, match=r"X holds logs .* size_factors='tmm' are of counts"):
            dex.pp.normalize(samples, method, size_factors="tmm")

    def test_cells_without_counts_stay_zero(self, cells):
        for method in ("log1p", "cpm", "log2"):
            dex.pp.normalize(cells, method)
            assert (cells.layers[method][30] == 0).all()
        factors = cells.obs["cpm_size_factors"]
        assert factors.iloc[30] == np.median(factors.drop(cells.obs_names[30]))


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"method": "logcmp"}, r"method='logcmp' is not known; .* Did you mean 'logcpm'\?"),
            ({"dtype": "int32"}, "dtype='int32' is not possible; it is 'float64' or 'float32'"),
            ({"prior_count": 0}, "prior_count=0 is not possible; give a positive number"),
            ({"prior_count": np.nan}, "prior_count=nan is not possible"),
            ({"method": "zscore", "max_value": -1}, "max_value=-1 is not possible"),
            ({"method": "zscore", "max_value": "ten"}, "max_value='ten' is not possible"),
            ({"max_value": 10}, "max_value= clips z-scores; method='auto' has no use of it"),
            ({"n_threads": 0}, "n_threads=0 is not a number of threads"),
            ({"layer": "none"}, "layer='none' is not in adata.layers"),
            ({"key_added": "a/b"}, "key_added='a/b' cannot be the name of a layer"),
            ({"layer": "mine", "key_added": "mine"}, "is what would be normalised"),
            ({"key_added": "mine"}, r"layers\['mine'\] was not made by dex"),
            ({"key_added": "other"}, r"obs\['other_size_factors'\] was not made by dex"),
        ],
    )
    def test_options(self, samples, options, match):
        samples.layers["mine"] = samples.X.copy()
        samples.obs["other_size_factors"] = 1.0
        before = samples.copy()
        with pytest.raises(InputError, match=match):
            dex.pp.normalize(samples, **options)
        assert_unchanged(samples, before)

    @pytest.mark.parametrize("method", ["log1p", "log2", "cpm", "logcpm", "tmm", "quantile"])
    @pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_values_that_are_no_counts(self, samples, method, form, bad):
        X = samples.X.astype(float)
        X[1, 3] = bad
        samples.X = form(X)
        before = samples.copy()
        match = rf"X has 1 value negative or not finite \(the first is {bad:g}, gene 'gene0004'"
        with pytest.raises(InputError, match=match):
            dex.pp.normalize(samples, method, scale="counts")
        assert_unchanged(samples, before)

    @pytest.mark.parametrize("method", ["quantile", "zscore"])
    def test_infinite_logs(self, samples, method):
        samples.X = np.log2(samples.X + 1)
        samples.X[0, 0] = -np.inf
        before = samples.copy()
        with pytest.raises(InputError, match="X has infinite values; logs are finite, or NaN"):
            dex.pp.normalize(samples, method, scale="log2")
        assert_unchanged(samples, before)

    @pytest.mark.parametrize("method", ["auto", "log1p", "cpm", "logcpm", "median_ratio", "zscore"])
    def test_a_sample_without_counts(self, samples, method):
        samples.X[4] = 0
        name = samples.obs_names[4]
        with pytest.raises(InputError, match=rf"1 of 6 samples have no counts .* '{name}'\); drop"):
            dex.pp.normalize(samples, method)

    def test_cells_without_counts_have_no_log_cpm(self, cells):
        with pytest.raises(InputError, match="1 observations have no counts"):
            dex.pp.normalize(cells, "logcpm")

    @pytest.mark.parametrize("part", [slice(None), slice(3)])
    def test_a_file(self, samples, tmp_path, part):
        samples.write_h5ad(tmp_path / "a.h5ad")
        backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
        with pytest.raises(InputError, match=r"backed by a file, .* use adata\.to_memory\(\)"):
            dex.pp.normalize(backed[part])
        backed.file.close()


class TestReplacing:
    def test_a_layer_of_ours_is_replaced_with_its_columns(self, samples):
        dex.pp.normalize(samples, "cpm", size_factors="tmm")
        assert "cpm_norm_factors" in samples.obs
        dex.pp.normalize(samples, "cpm")
        assert "cpm_norm_factors" not in samples.obs
        np.testing.assert_allclose(samples.layers["cpm"].sum(axis=1), 1e6, rtol=1e-12)

    def test_all_layers_live_side_by_side(self, samples):
        methods = ["log1p", "log2", "cpm", "logcpm", "median_ratio", "poscounts", "tmm"]
        X = samples.X.copy()
        for method in [*methods, "quantile", "zscore"]:
            dex.pp.normalize(samples, method)
        assert set(samples.uns["dex_layers"]) == {*methods, "quantile", "zscore"}
        np.testing.assert_array_equal(samples.X, X)

    def test_the_next_step_reads_the_record(self, samples):
        dex.pp.normalize(samples, "log2", size_factors="median_ratio")
        dex.tl.rank_genes(samples, "condition", layer="log2")
        assert samples.uns["rank_genes"]["params"]["pseudocount"] == 1.0


def assert_unchanged(adata, before):
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    assert adata.uns == before.uns
    assert set(adata.layers.keys()) == set(before.layers.keys())
    assert type(adata.X) is type(before.X)
    parts = [X.toarray() if sparse.issparse(X) else X for X in (adata.X, before.X)]
    np.testing.assert_array_equal(*parts)

"""Layers that pp.normalize makes: R's and scanpy's numbers, whatever the matrix is kept as."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import sparse

import dex
from dex.stats.cyclic_loess import cyclic_loess
from dex.stats.quantiles import mean_quantiles, set_quantiles

REFERENCE = Path(__file__).parents[1] / "reference" / "normalize"
EQUAL_R = 1e-10  # relative: a handful of roundings in another order
EQUAL_SCANPY = {"rtol": 1e-10, "atol": 1e-12}
FIFTEEN_DIGITS = 1e-13  # as R's answers were written
SAME = {"rtol": 1e-12, "atol": 1e-12}  # the same operations in another order
METHODS = ("log1p", "log2", "cpm", "logcpm", "median_ratio", "poscounts", "tmm", "quantile")
ALL = (*METHODS, "zscore")
SPARSE = ("log1p", "log2", "cpm", "median_ratio", "poscounts", "tmm")
LINEAR = ("cpm", "median_ratio", "poscounts", "tmm")
FORMS = {
    "integers": lambda X: X.astype(np.int64),
    "float32": lambda X: X.astype(np.float32),
    "Fortran": np.asfortranarray,
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
    "csr array": sparse.csr_array,
    "csc of integers": lambda X: sparse.csc_array(X.astype(np.int32)),
}
zarr_warning = pytest.mark.filterwarnings(
    "ignore:Writing zarr v2 data will no longer be the default:UserWarning"  # anndata 0.12
)


def read(name):
    return pd.read_csv(REFERENCE / f"{name}.csv")


@pytest.fixture
def counts():
    table = read("counts")
    obs = pd.DataFrame({"group": ["a"] * 4 + ["b"] * 3}, [f"s{i}" for i in range(1, 8)])
    return ad.AnnData(table.to_numpy(np.float64), obs, pd.DataFrame(index=table.columns))


@pytest.fixture
def cells():
    rng = np.random.default_rng(5)
    depth = rng.gamma(3, 0.5, size=(150, 1))
    X = rng.poisson(depth * rng.gamma(0.3, 1.5, size=60)).astype(float)
    X[17] = 0
    X[:, 9] = 0
    return ad.AnnData(X)


def dense(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def made(adata, method, **options):
    adata = adata.copy()
    dex.pp.normalize(adata, method, **options)
    return dense(adata.layers[options.get("key_added") or method])


class TestEqualToR:
    @pytest.mark.parametrize(
        ("method", "options", "expected"),
        [
            ("cpm", {}, "cpm"),
            ("logcpm", {}, "logcpm"),
            ("logcpm", {"size_factors": "tmm"}, "logcpm_tmm"),
            ("cpm", {"size_factors": "tmm"}, "tmm"),
            ("tmm", {}, "tmm"),
            ("median_ratio", {}, "median_ratio"),
            ("log2", {"size_factors": "median_ratio"}, "log2_median_ratio"),
            ("poscounts", {}, "poscounts"),
            ("quantile", {}, "quantile"),
        ],
    )
    def test_layers(self, counts, method, options, expected):
        ours = made(counts, method, **options)
        np.testing.assert_allclose(ours, read(expected), rtol=EQUAL_R, atol=0)

    def test_quantiles_of_logs_with_missing_values(self):
        logs = ad.AnnData(read("missing").to_numpy())
        ours = made(logs, "quantile", scale="logcpm")
        np.testing.assert_allclose(ours, read("quantile_missing"), rtol=EQUAL_R)

    @pytest.mark.parametrize("method", ["median_ratio", "poscounts"])
    def test_size_factors(self, counts, method):
        dex.pp.normalize(counts, method)
        ours, expected = counts.obs[f"{method}_size_factors"], read("size_factors")[method]
        np.testing.assert_allclose(ours, expected, rtol=EQUAL_R)

    @pytest.mark.parametrize(
        ("method", "edger"),
        [("tmm", "tmm"), ("upper_quartile", "upper_quartile"), ("median_ratio", "rle")],
    )
    def test_effective_libraries(self, counts, method, edger):
        dex.pp.normalize(counts, "cpm", size_factors=method, key_added="made")
        table = read("size_factors")
        libraries = table["library"] * table[edger] / 1e6
        np.testing.assert_allclose(counts.obs["made_size_factors"], libraries, rtol=EQUAL_R)
        assert ("made_norm_factors" in counts.obs) == (method != "median_ratio")
        if method != "median_ratio":
            ours = counts.obs["made_norm_factors"]
            np.testing.assert_allclose(ours, table[edger], rtol=EQUAL_R)


class TestEqualToScanpy:
    @pytest.mark.filterwarnings("ignore:Some cells have zero counts:UserWarning")
    @pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
    def test_log1p(self, cells, form):
        theirs = cells.copy()  # dense: scanpy 1.11 counts empty cells in the median of sparse
        cells.X = form(cells.X)
        sc.pp.normalize_total(theirs)
        sc.pp.log1p(theirs)
        np.testing.assert_allclose(made(cells, "log1p"), theirs.X, **EQUAL_SCANPY)

    @pytest.mark.parametrize("max_value", [None, 2.0])
    def test_zscores_of_logs(self, cells, max_value):
        cells.X = np.log1p(cells.X)
        theirs = sc.pp.scale(cells.X.copy(), max_value=max_value)
        ours = made(cells, "zscore", max_value=max_value)
        np.testing.assert_allclose(ours, theirs, **EQUAL_SCANPY)
        assert (ours[:, 9] == 0).all()


class TestMatrices:
    @pytest.mark.parametrize("method", ALL)
    @pytest.mark.parametrize("form", FORMS)
    def test_any_form_gives_the_same(self, counts, method, form):
        expected = made(counts, method)
        counts.X = FORMS[form](counts.X)
        before = counts.copy()
        dex.pp.normalize(counts, method)
        layer = counts.layers[method]
        np.testing.assert_allclose(dense(layer), expected, **SAME)
        assert layer.dtype == np.float64
        if sparse.issparse(before.X) and method in SPARSE:
            assert type(layer) is type(before.X)
            assert layer.nnz == before.X.nnz
        else:
            assert isinstance(layer, np.ndarray)
        assert counts.X.dtype == before.X.dtype
        np.testing.assert_array_equal(dense(counts.X), dense(before.X))

    @pytest.mark.parametrize("form", ["csr", "csc"])
    def test_the_layer_shares_no_memory_with_x(self, counts, form):
        counts.X = FORMS[form](counts.X)
        dex.pp.normalize(counts, "log2")
        for part in ("data", "indices", "indptr"):
            layer, X = getattr(counts.layers["log2"], part), getattr(counts.X, part)
            assert not np.shares_memory(layer, X)

    @pytest.mark.parametrize("method", ["log1p", "logcpm", "quantile"])
    def test_small_pieces(self, counts, method, monkeypatch):
        expected = made(counts, method)
        monkeypatch.setattr("dex.pp._matrices._STORED_PER_PIECE", 50)
        monkeypatch.setattr("dex.pp._matrices._FEWEST_GENES", 7)
        monkeypatch.setattr("dex.data.reader.BLOCK_BYTES", 1)
        for form in ("float32", "csr", "csc"):
            counts.X = FORMS[form](dense(counts.X))
            np.testing.assert_allclose(made(counts, method, n_threads=3), expected, **SAME)

    def test_entries_stored_in_parts_are_added_up(self, counts):
        expected = made(counts, "log2")
        whole = sparse.coo_array(counts.X)
        halves = np.concatenate([np.floor(whole.data / 2), np.ceil(whole.data / 2)])
        i, j = np.tile(whole.row, 2), np.tile(whole.col, 2)
        order = np.argsort(i, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=7))])
        counts.X = sparse.csr_array((halves[order], j[order], indptr), shape=whole.shape)
        np.testing.assert_allclose(made(counts, "log2"), expected, **SAME)
        assert counts.X.nnz == 2 * whole.nnz

    @pytest.mark.parametrize("form", ["float32", "csr", "csc"])
    @pytest.mark.parametrize("method", ["tmm", "quantile"])
    def test_a_view_gets_its_own_and_its_parent_stays(self, counts, method, form, caplog):
        counts.X = FORMS[form](counts.X)
        expected = made(counts[:, 20:].copy(), method)
        view = counts[:, 20:]
        dex.pp.normalize(view, method)
        np.testing.assert_allclose(dense(view.layers[method]), expected, **SAME)
        assert "View" not in type(view.layers[method]).__name__
        assert not view.is_view
        assert method not in counts.layers
        assert "dex_layers" not in counts.uns
        assert list(counts.obs) == ["group"]
        assert "its parent is unchanged" in caplog.text

    @pytest.mark.parametrize("method", ["log1p", "quantile"])
    def test_half_the_memory(self, counts, method):
        dex.pp.normalize(counts, method, dtype="float32")
        assert counts.layers[method].dtype == np.float32
        expected = made(counts, method)
        np.testing.assert_allclose(counts.layers[method], expected, rtol=1e-6)

    def test_a_large_dense_layer_of_sparse_is_announced(self, counts, monkeypatch, caplog):
        counts.X = sparse.csr_matrix(counts.X)
        monkeypatch.setattr("dex.pp._making._LARGE_BYTES", counts.n_obs * counts.n_vars * 8 - 1)
        dex.pp.normalize(counts, "log1p")
        assert "is dense" not in caplog.text
        dex.pp.normalize(counts, "logcpm")
        assert "layers['logcpm'] of 7 x 120 is dense and takes 0.0 GB" in caplog.text


class TestInvariance:
    @pytest.mark.parametrize("method", ALL)
    def test_genes_in_another_order(self, counts, method):
        order = np.random.default_rng(1).permutation(counts.n_vars)
        other = made(counts[:, order].copy(), method)
        np.testing.assert_allclose(other, made(counts, method)[:, order], **SAME)

    @pytest.mark.parametrize("method", ALL)
    def test_observations_in_another_order(self, counts, method):
        order = np.random.default_rng(1).permutation(counts.n_obs)
        other = made(counts[order].copy(), method)
        np.testing.assert_allclose(other, made(counts, method)[order], rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("method", ["cpm", "tmm"])
    def test_twice_the_counts_are_the_same_counts_per_million(self, counts, method):
        expected = made(counts, method)
        counts.X = 2 * counts.X
        # The weights of the trimmed mean of M values are those of counts, and hardly change.
        tolerance = {"rtol": 1e-4} if method == "tmm" else SAME
        np.testing.assert_allclose(made(counts, method), expected, **tolerance)

    def test_twice_the_counts_and_prior_are_the_same_logs(self, counts):
        expected = made(counts, "logcpm")
        counts.X = 2 * counts.X
        np.testing.assert_allclose(made(counts, "logcpm", prior_count=4), expected, **SAME)

    @pytest.mark.parametrize("method", ["median_ratio", "poscounts"])
    def test_twice_the_counts_are_twice_the_counts_over_size_factors(self, counts, method):
        expected = made(counts, method)
        counts.X = 2 * counts.X
        ours = made(counts, method)
        # "poscounts" takes the log of a zero for that of a one, which does not double.
        tolerance = {"rtol": 0.2} if method == "poscounts" else SAME
        np.testing.assert_allclose(ours, 2 * expected, **tolerance)

    @pytest.mark.parametrize("method", LINEAR)
    def test_counts_are_the_layer_times_its_size_factors(self, counts, method):
        counts.X = sparse.csr_matrix(counts.X)
        dex.pp.normalize(counts, method)
        factors = counts.obs[f"{method}_size_factors"].to_numpy()
        expected = dense(counts.X) / factors[:, None]
        np.testing.assert_array_equal(dense(counts.layers[method]), expected)

    def test_quantiles_are_the_same_in_every_sample(self, counts):
        logs = made(counts, "logcpm")
        ours = made(counts, "quantile")
        expected = set_quantiles(logs, mean_quantiles(logs))
        np.testing.assert_allclose(ours, expected, **SAME)


class TestRecord:
    @pytest.mark.parametrize(
        ("method", "scale"),
        [
            ("log1p", "ln1p"),
            ("log2", "log2p1"),
            ("cpm", "linear"),
            ("logcpm", "logcpm"),
            ("median_ratio", "linear"),
            ("poscounts", "linear"),
            ("tmm", "linear"),
            ("quantile", "log2"),
            ("zscore", "zscore"),
        ],
    )
    def test_scale(self, counts, method, scale):
        dex.pp.normalize(counts, method)
        record = counts.uns["dex_layers"][method]
        assert (record["scale"], record["method"], record["source"]) == (scale, method, "X")
        column = f"{method}_size_factors"
        assert record["size_factors"] == ("" if method == "log2" else column)
        assert (column in counts.obs) == (method != "log2")

    @pytest.mark.parametrize("method", ["log1p", "median_ratio", "poscounts"])
    def test_one_count_over_size_factors(self, counts, method):
        dex.pp.normalize(counts, method)
        assert counts.uns["dex_layers"][method]["pseudocount"] == 1.0

    @pytest.mark.parametrize("method", ["cpm", "logcpm", "tmm", "quantile"])
    def test_one_count_per_million(self, counts, method):
        dex.pp.normalize(counts, method)
        mean = counts.obs[f"{method}_size_factors"].mean()
        one = counts.uns["dex_layers"][method]["pseudocount"]
        assert one == pytest.approx(1 / mean, rel=1e-12)

    def test_options(self, counts):
        dex.pp.normalize(counts, "zscore", max_value=3, prior_count=0.5)
        record = counts.uns["dex_layers"]["zscore"]
        assert record["logs"] == "logcpm"
        assert record["size_factor_method"] == "tmm"
        assert (record["max_value"], record["prior_count"]) == (3.0, 0.5)

    @zarr_warning
    @pytest.mark.parametrize("form", ["h5ad", "zarr"])
    def test_all_of_it_survives_a_file(self, counts, tmp_path, form):
        for method in ALL:
            dex.pp.normalize(counts, method)
        getattr(counts, f"write_{form}")(tmp_path / f"a.{form}")
        back = getattr(ad, f"read_{form}")(tmp_path / f"a.{form}")
        pd.testing.assert_frame_equal(back.obs, counts.obs, check_dtype=False)
        for method in ALL:
            np.testing.assert_array_equal(back.layers[method], counts.layers[method])
            assert dict(back.uns["dex_layers"][method]) == counts.uns["dex_layers"][method]
        dex.pp.normalize(back, "tmm")
        np.testing.assert_array_equal(back.layers["tmm"], counts.layers["tmm"])

    @zarr_warning
    @pytest.mark.parametrize(("form", "file"), [("float32", "h5ad"), ("csr", "zarr")])
    @pytest.mark.parametrize("method", ["ols", "t-test"])
    def test_ranking_the_layer_is_ranking_the_counts(self, counts, tmp_path, form, file, method):
        counts.X = FORMS[form](counts.X)
        dex.tl.rank_genes(counts, "group", method=method)
        lazy = dex.get.rank_genes_df(counts).set_index("gene")
        dex.pp.normalize(counts)
        getattr(counts, f"write_{file}")(tmp_path / f"a.{file}")
        back = getattr(ad, f"read_{file}")(tmp_path / f"a.{file}")
        dex.tl.rank_genes(back, "group", method=method, layer="logcpm")
        layer = dex.get.rank_genes_df(back).set_index("gene")
        assert lazy.drop(index="gene0008").equals(lazy[lazy["status"] == "tested"])
        assert layer.loc["gene0008", "status"] == "constant"  # all zero, which logs do not show
        # The fold change of a model is what is tested; that of a t-test is of means without logs,
        # which have the prior count in them.
        columns = ["log2fc", "log2fc_se"] if method == "ols" else ["mean_diff", "mean_diff_se"]
        columns += ["stat", "df", "pval", "padj", "log10_pval"]
        layer, lazy = (table.drop(index="gene0008")[columns] for table in (layer, lazy))
        pd.testing.assert_frame_equal(layer, lazy)

    def test_ranking_the_layer_is_ranking_the_cells(self, cells):
        cells.obs["group"] = pd.Categorical(np.arange(cells.n_obs) % 2 == 0).rename_categories(
            ["a", "b"]
        )
        dex.tl.rank_genes(cells, "group", method="wilcoxon")
        lazy = dex.get.rank_genes_df(cells)
        dex.pp.normalize(cells)
        dex.tl.rank_genes(cells, "group", method="wilcoxon", layer="log1p")
        pd.testing.assert_frame_equal(dex.get.rank_genes_df(cells), lazy)


@pytest.mark.realdata
class TestRealData:
    @pytest.fixture(params=["airway", "pasilla"])
    def real(self, realdata, request):
        folder = realdata / request.param
        adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
        adata.X = sparse.csr_matrix(adata.X)
        return adata, realdata.parent / "reference" / "R" / request.param

    def test_size_factors_of_r(self, real):
        adata, answers = real
        design = {"dex": "~ celltype + dex", "condition": "~ type + condition"}
        dex.pp.filter_genes(
            adata, design=next(design[name] for name in design if name in adata.obs)
        )
        dex.pp.normalize(adata, "median_ratio")
        dex.pp.normalize(adata, "tmm")
        deseq2 = pd.read_csv(answers / "deseq2_sizefactors.csv")
        edger = pd.read_csv(answers / "edger_tmm.csv")
        ours = adata.obs["median_ratio_size_factors"]
        np.testing.assert_allclose(ours, deseq2["sf"], rtol=FIFTEEN_DIGITS)
        ours = adata.obs["tmm_norm_factors"]
        np.testing.assert_allclose(ours, edger["tmm"], rtol=FIFTEEN_DIGITS)
        np.testing.assert_array_equal(adata.X.toarray().sum(axis=1, dtype=float), edger["lib.size"])

    def test_size_factors_centre_the_log_ratios(self, real):
        adata, _ = real
        dex.pp.normalize(adata, "median_ratio")
        layer = adata.layers["median_ratio"].toarray()
        logs = np.log(layer[:, (layer > 0).all(axis=0)])
        medians = np.median(logs - logs.mean(axis=0), axis=1)
        # They are centred for the means of counts, and those of the layer are 1/f of them.
        factors = adata.obs["median_ratio_size_factors"]
        np.testing.assert_allclose(medians, np.log(factors).mean(), atol=EQUAL_R)

    def test_every_method_on_sparse_and_dense(self, real):
        adata, _ = real
        adata = adata[:, :20_000].copy()
        other = adata.copy()
        other.X = np.asfortranarray(adata.X.toarray().astype(np.int32))
        for method in ALL:
            expected = made(adata, method)
            assert np.isfinite(expected).all()
            np.testing.assert_allclose(made(other, method), expected, **SAME)


def test_cyclic_loess_is_that_of_the_logs(counts):
    dex.pp.normalize(counts, "logcpm")
    dex.pp.normalize(counts, "cyclic_loess")
    expected = cyclic_loess(counts.layers["logcpm"])
    np.testing.assert_allclose(counts.layers["cyclic_loess"], expected, **SAME)
    assert counts.uns["dex_layers"]["cyclic_loess"]["scale"] == "log2"
    dex.pp.normalize(counts, "cyclic_loess", layer="logcpm", key_added="again", dtype="float32")
    np.testing.assert_allclose(counts.layers["again"], expected, rtol=1e-5)

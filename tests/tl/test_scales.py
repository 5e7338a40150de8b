"""Which matrix is tested, on what scale, and that it is left alone."""

from __future__ import annotations

import numpy as np
import pytest
import scanpy as sc
from anndata import read_h5ad
from scipy import sparse

import dex
from dex.errors import InputError

METHODS = ("t-test", "wilcoxon", "ols")
ALL_COLUMNS = ("stat", "log2fc", "log10_padj")


def scales(adata):
    params = adata.uns["rank_genes"]["params"]
    return params["source_scale"], params["scale"]


@pytest.mark.parametrize("method", METHODS)
def test_counts_are_normalised_on_the_way(samples, libraries, fingerprint, caplog, method):
    before = fingerprint(samples)
    dex.tl.rank_genes(samples, "condition", method=method)
    assert scales(samples) == ("counts", "logcpm")
    assert (
        "X holds counts: taken as log2 CPM (prior count 2, TMM), made on the way."
        in caplog.messages
    )
    samples.obsm.pop("rank_genes_design", None)
    after = fingerprint(samples)
    for part in ("X", "layers", "obsm"):
        assert after[part] == before[part]
    divisors = samples.obs.pop("rank_genes_size_factors")
    np.testing.assert_allclose(divisors, libraries(samples.X)[:, 0] / 1e6, rtol=1e-12)
    assert fingerprint(samples)["obs"] == before["obs"]


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_sparse_counts_are_left_alone(cells, fingerprint, form):
    cells.X = form(cells.X)
    before = fingerprint(cells)
    dex.tl.rank_genes(cells, "condition", method="wilcoxon", replicate=None)
    after = fingerprint(cells)
    assert after["X"] == before["X"]
    assert after["layers"] == {}


def test_unsorted_indices_are_read_and_left_alone(cells, column, fingerprint):
    dex.tl.rank_genes(cells, "condition", method="t-test", replicate=None)
    expected = column(cells, "stat")
    X = cells.X.tocsr()
    for i in range(X.shape[0]):
        row = slice(X.indptr[i], X.indptr[i + 1])
        X.indices[row], X.data[row] = X.indices[row][::-1].copy(), X.data[row][::-1].copy()
    X.has_sorted_indices = False
    cells.X = X
    before = fingerprint(cells)["X"]
    dex.tl.rank_genes(cells, "condition", method="t-test", replicate=None)
    assert fingerprint(cells)["X"] == before
    np.testing.assert_array_equal(column(cells, "stat"), expected)


@pytest.mark.parametrize("method", METHODS)
def test_a_log_made_before_is_the_one_made_on_the_way(samples, log_cpm, column, method):
    dex.tl.rank_genes(samples, "condition", method=method)
    samples.layers["logcpm"] = log_cpm(samples.X)
    options = {"layer": "logcpm", "scale": "logcpm", "key_added": "layer"}
    dex.tl.rank_genes(samples, "condition", method=method, **options)
    tested = samples.X.any(axis=0)
    for name in ("stat", "log10_pval"):
        np.testing.assert_allclose(
            column(samples, name, "layer")[tested],
            column(samples, name)[tested],
            rtol=1e-8,
            atol=1e-9,
        )


@pytest.mark.parametrize("method", METHODS)
def test_logs_are_used_as_they_are(logs, column, method):
    dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm")
    logs.layers["logs"] = logs.X.copy()
    logs.X = np.zeros(logs.shape)
    options = {"layer": "logs", "scale": "logcpm", "key_added": "layer"}
    dex.tl.rank_genes(logs, "condition", method=method, **options)
    for name in ALL_COLUMNS:
        np.testing.assert_array_equal(column(logs, name), column(logs, name, "layer"))


def test_counts_of_a_named_layer_are_normalised(samples, column, caplog):
    samples.layers["raw"] = samples.X.copy()
    dex.tl.rank_genes(samples, "condition", method="ols")
    samples.X = np.log1p(samples.X)
    dex.tl.rank_genes(samples, "condition", method="ols", layer="raw", key_added="layer")
    np.testing.assert_array_equal(column(samples, "stat"), column(samples, "stat", "layer"))
    assert "layers['raw'] holds counts: taken as log2 CPM" in caplog.text


def test_a_layer_that_is_called_linear_is_tested_as_it_is(samples, column, caplog):
    samples.layers["raw"] = samples.X.copy()
    options = {"layer": "raw", "scale": "linear"}
    dex.tl.rank_genes(samples, "condition", method="t-test-student", **options)
    assert scales(samples) == ("linear", "linear")
    assert "layers['raw'] holds linear values, taken as they are: not logged." in caplog.text
    treated = (samples.obs["condition"] == "treated").to_numpy()
    X = samples.X.astype(float)
    difference = X[treated].mean(axis=0) - X[~treated].mean(axis=0)
    tested = X.any(axis=0)
    np.testing.assert_allclose(
        column(samples, "mean_diff")[tested, 0], difference[tested], rtol=1e-9, atol=1e-11
    )
    assert samples.uns["rank_genes"]["params"]["layer"] == "raw"


def test_linear_values_are_logged(samples, column, caplog):
    cpm = samples.X / samples.X.sum(axis=1, keepdims=True, dtype=float) * 1e6
    samples.X = cpm
    dex.tl.rank_genes(samples, "condition", method="ols")
    assert scales(samples) == ("linear", "log2p1")
    assert "taken as log2(x + 1)" in caplog.text
    logs = np.log2(1 + cpm)
    treated = (samples.obs["condition"] == "treated").to_numpy()
    expected = logs[treated].mean(axis=0) - logs[~treated].mean(axis=0)
    tested = cpm.any(axis=0)
    np.testing.assert_allclose(column(samples, "log2fc")[tested, 0], expected[tested], rtol=1e-9)


def test_estimated_counts_are_counts(samples, caplog):
    samples.X = samples.X * np.random.default_rng(0).uniform(0.9, 1.1, size=samples.shape)
    dex.tl.rank_genes(samples, "condition", method="ols")
    assert scales(samples) == ("counts", "logcpm")
    assert "taken as estimated counts (else say scale='linear')" in caplog.text


def test_estimated_counts_are_counts_if_said(samples):
    samples.X = samples.X * np.random.default_rng(0).uniform(0.9, 1.1, size=samples.shape)
    dex.tl.rank_genes(samples, "condition", method="ols", scale="counts")
    assert scales(samples) == ("counts", "logcpm")


# What tells the scale: scale=, else uns["dex_layers"], else uns["log1p"], else the values.


@pytest.fixture
def ambiguous(samples):
    """Logs of a few genes, so that their totals do not give the base away."""
    totals = samples.X.sum(axis=1, keepdims=True, dtype=float)
    samples.X = np.log1p(samples.X / totals * 1e4)
    return samples[:, :20].copy()


def test_values_alone_are_a_guess_that_is_said(ambiguous, caplog):
    dex.tl.rank_genes(ambiguous, "condition", method="t-test")
    assert scales(ambiguous)[0] == "log2p1"
    assert (
        "X looks logged, base unknown: taken as log2p1 (else say scale='ln1p')." in caplog.messages
    )


def test_scanpys_record_comes_before_the_values(ambiguous, caplog):
    ambiguous.uns["log1p"] = {"base": None}
    dex.tl.rank_genes(ambiguous, "condition", method="t-test")
    assert scales(ambiguous)[0] == "ln1p"
    assert "base unknown" not in caplog.text
    ambiguous.uns["log1p"] = {"base": 2}
    dex.tl.rank_genes(ambiguous, "condition", method="t-test")
    assert scales(ambiguous)[0] == "log2p1"


def test_our_record_comes_before_scanpys(ambiguous):
    ambiguous.uns["log1p"] = {"base": 2}
    ambiguous.uns["dex_layers"] = {"X": {"scale": "ln1p", "pseudocount": 0.25}}
    dex.tl.rank_genes(ambiguous, "condition", method="t-test")
    assert scales(ambiguous)[0] == "ln1p"
    assert ambiguous.uns["rank_genes"]["params"]["pseudocount"] == 0.25


def test_what_is_said_comes_before_all_records(ambiguous):
    ambiguous.uns["dex_layers"] = {"X": {"scale": "ln1p"}}
    dex.tl.rank_genes(ambiguous, "condition", method="t-test", scale="log2p1")
    assert scales(ambiguous)[0] == "log2p1"


def test_a_layers_record_is_its_own(ambiguous):
    ambiguous.layers["norm"] = ambiguous.X.copy()
    ambiguous.uns["dex_layers"] = {"norm": {"scale": "ln1p"}}
    ambiguous.uns["log1p"] = {"base": 2}
    dex.tl.rank_genes(ambiguous, "condition", method="t-test", layer="norm")
    assert scales(ambiguous)[0] == "ln1p"
    dex.tl.rank_genes(ambiguous, "condition", method="t-test")
    assert scales(ambiguous)[0] == "log2p1"


def test_equal_totals_give_the_base_away(samples):
    totals = samples.X.sum(axis=1, keepdims=True, dtype=float)
    samples.X = np.log1p(samples.X / totals * 1e4)
    dex.tl.rank_genes(samples, "condition", method="t-test")
    assert scales(samples)[0] == "ln1p"


@pytest.mark.parametrize("base", [None, 2])
def test_scanpys_own_log(cells, column, base):
    sc.pp.normalize_total(cells)
    sc.pp.log1p(cells, base=base)
    dex.tl.rank_genes(cells, "condition", method="ols", replicate=None)
    assert scales(cells)[0] == ("ln1p" if base is None else "log2p1")
    X = cells.X.toarray().astype(float) * (1 / np.log(2) if base is None else 1)
    treated = (cells.obs["condition"] == "treated").to_numpy()
    expected = X[treated].mean(axis=0) - X[~treated].mean(axis=0)
    np.testing.assert_allclose(column(cells, "log2fc")[:, 0], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("form", ["dense", "csr", "csc", "csc on disk"])
@pytest.mark.parametrize("kind", ["ln1p", "log2p1", "linear", "counts"])
def test_the_scale_is_told_alike_whatever_the_form(tmp_path, form, kind):
    adata = dex.datasets.simulate_counts(1200, n_per_group=4, seed=6)
    linear = adata.X / adata.X.sum(axis=1, keepdims=True, dtype=float) * 1e4
    make = {"ln1p": np.log1p, "log2p1": lambda x: np.log2(1 + x), "linear": lambda x: x * 7}
    X = adata.X if kind == "counts" else make[kind](linear)
    adata.X = (
        X if form == "dense" else sparse.csr_matrix(X) if form == "csr" else sparse.csc_matrix(X)
    )
    if form == "csc on disk":
        adata.write_h5ad(tmp_path / "a.h5ad")
        adata = read_h5ad(tmp_path / "a.h5ad", backed="r")
    dex.tl.rank_genes(adata, "condition", method="t-test")
    assert scales(adata)[0] == kind


# z-scores


@pytest.fixture
def scaled(cells):
    cells.layers["counts"] = cells.X.copy()
    sc.pp.normalize_total(cells)
    sc.pp.log1p(cells)
    cells.layers["lognorm"] = cells.X.copy()
    cells.X = cells.X.toarray()
    sc.pp.scale(cells)
    return cells


def test_z_scores_are_refused_with_the_layers_that_would_do(scaled, unchanged):
    with unchanged(scaled), pytest.raises(InputError) as error:
        dex.tl.rank_genes(scaled, "condition", method="wilcoxon", replicate=None)
    message = str(error.value)
    assert "X holds z-scores" in message
    assert "layer='counts'" in message
    assert "'lognorm'" in message


def test_z_scores_without_a_layer_point_to_raw(scaled, unchanged):
    scaled.raw = scaled.copy()
    del scaled.layers["counts"], scaled.layers["lognorm"]
    with unchanged(scaled), pytest.raises(InputError, match=r"adata.raw.to_adata\(\)"):
        dex.tl.rank_genes(scaled, "condition")


def test_z_scores_that_are_named_can_be_ranked(scaled, column):
    scaled.layers["z"] = scaled.X
    dex.tl.rank_genes(scaled, "condition", method="wilcoxon", layer="z", replicate=None)
    assert np.isfinite(column(scaled, "pval")).any()
    assert np.isnan(column(scaled, "log2fc")).all()
    assert set(dex.get.rank_genes_df(scaled)["status"]) <= {"tested", "constant"}


def test_a_layer_for_z_scores_that_is_named_works(scaled, column):
    options = {"method": "wilcoxon", "replicate": None}
    dex.tl.rank_genes(scaled, "condition", layer="lognorm", **options)
    assert scales(scaled) == ("ln1p", "ln1p")
    assert np.isfinite(column(scaled, "log2fc")).any()


def test_replicates_take_the_counts_where_x_is_logged(scaled, column, caplog):
    scaled.X = scaled.layers["lognorm"]
    dex.tl.rank_genes(scaled, "condition", replicate="replicate")
    assert "counts are taken from layers['counts']." in caplog.text
    found = column(scaled, "stat").copy()
    scaled.X = scaled.layers["counts"]
    del scaled.uns["log1p"]
    dex.tl.rank_genes(scaled, "condition", replicate="replicate")
    np.testing.assert_array_equal(found, column(scaled, "stat"))


def test_a_shift_of_all_genes_is_said(caplog):
    adata = dex.datasets.simulate_counts(300, 4, de_fraction=0, seed=3)
    dex.tl.rank_genes(adata, "condition", method="ols")
    assert "The median gene" not in caplog.text
    treated = (adata.obs["condition"] == "treated").to_numpy()
    adata.X[treated, 0] += 2 * adata.X[treated].sum(axis=1)
    dex.tl.rank_genes(adata, "condition", method="ols", size_factors="library")
    assert "The median gene has a log2fc of -1." in caplog.text
    assert "normalisation by library size has not removed" in caplog.text


@pytest.mark.parametrize("size_factors", ["auto", "tmm", "median_ratio", "poscounts", "truth"])
def test_a_gene_that_fills_the_libraries_does_not_shift_the_others(size_factors):
    adata = dex.datasets.simulate_counts(1000, 6, de_fraction=0, seed=3)
    treated = (adata.obs["condition"] == "treated").to_numpy()
    adata.X[treated, 0] += 2 * adata.X[treated].sum(axis=1)
    adata.obs["truth"] = adata.obs["true_size_factor"]
    dex.tl.rank_genes(adata, "condition", method="ols", size_factors=size_factors)
    stored = adata.uns["rank_genes"]["params"]["size_factors"]
    assert stored == ("tmm" if size_factors == "auto" else size_factors)
    log2fc = adata.var["rank_genes_log2fc"].to_numpy()
    assert abs(np.nanmedian(log2fc[1:])) < 0.05  # 1000 genes of s.d. about 0.4: s.e. of 0.016
    assert log2fc[0] > 5


@pytest.mark.parametrize("method", METHODS)
def test_size_factors_do_not_touch_logs(logs, method):
    with pytest.raises(InputError, match="size_factors='tmm' normalises counts, and X holds logs"):
        dex.tl.rank_genes(logs, "condition", method=method, scale="logcpm", size_factors="tmm")


def test_size_factors_of_cells(cells, column):
    options = {"method": "t-test", "replicate": None}
    dex.tl.rank_genes(cells, "condition", **options)
    dex.tl.rank_genes(cells, "condition", size_factors="library", key_added="same", **options)
    np.testing.assert_array_equal(column(cells, "stat"), column(cells, "stat", "same"))
    totals = np.asarray(cells.X.sum(axis=1), dtype=float).ravel()
    cells.obs["depth"] = 3 * totals
    dex.tl.rank_genes(cells, "condition", size_factors="depth", key_added="given", **options)
    assert not np.allclose(column(cells, "stat"), column(cells, "stat", "given"), equal_nan=True)


@pytest.mark.parametrize(
    ("column", "words"),
    [("size", "size_factors='size' is not known; it is one of library, tmm"), ("bad", "positive")],
)
def test_size_factors_that_there_are_not(samples, unchanged, column, words):
    samples.obs["bad"] = 0.0
    with unchanged(samples), pytest.raises(InputError, match=words):
        dex.tl.rank_genes(samples, "condition", size_factors=column)

"""Weights of observations, gene by gene, through the door, against edgeR 4.4.2 and limma 3.62.2."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "edger"
TIGHT = 1e-8
GRID = 2e-7  # tests with dispersions that are interpolated on a grid
MOMENTS = 2e-3  # edgeR's tables of the moments of unit deviances; ours are exact
MOMENTS_AT_WORST = 2e-2
LOOSE = 1e-4  # the correlation of repeated measures, whose likelihood R maximises loosely


def read(name):
    return pd.read_csv(REFERENCE / f"weighted{name}.csv.gz")


@pytest.fixture(scope="module")
def weighted():
    obs = pd.DataFrame({"group": list("aaaaabbbbb"), "donor": [f"d{i}" for i in [*range(5)] * 2]})
    adata = ad.AnnData(read("_counts").to_numpy(float), obs=obs.set_index(obs.index.map(str)))
    adata.layers["weights"] = read("_weights").to_numpy()
    return adata


def ranked(adata, method, weights="weights", **options):
    adata = adata.copy()
    options |= {"method": method, "observation_weights": weights, "key_added": "r"}
    dex.tl.rank_genes(adata, design="~ group", **options)
    return dex.get.rank_genes_df(adata, key="r").set_index("gene").loc[adata.var_names]


def off(found, expected):
    return np.abs(found.to_numpy() / expected.to_numpy() - 1)


@pytest.mark.parametrize(
    ("method", "options", "column", "expected", "tolerance"),
    [
        ("edger", {"legacy": True}, "stat", "F_legacy", GRID),
        ("edger_lrt", {}, "stat", "lr", GRID),
        ("edger_lrt", {}, "dispersion", "tagwise", TIGHT),
        ("edger_lrt", {}, "dispersion_trend", "trended", TIGHT),
        ("edger", {}, "abundance", "abundance", TIGHT),
        ("limma", {}, "stat", "limma", TIGHT),
        ("limma", {"sample_weights": True}, "stat", "limma_samples", TIGHT),
        ("limma", {"block": "donor"}, "stat", "limma_block", LOOSE),
    ],
)
def test_results_are_rs(weighted, method, options, column, expected, tolerance):
    adata = weighted.copy()
    dex.tl.rank_genes(
        adata,
        design="~ group",
        method=method,
        observation_weights="weights",
        key_added="r",
        **options,
    )
    name = f"r_{column}"
    found = adata.varm[name][:, 0] if name in adata.varm else adata.var[name].to_numpy()
    np.testing.assert_allclose(found, read("")[expected], rtol=tolerance)


@pytest.mark.parametrize(
    ("column", "expected"), [("stat", "F"), ("df", "df"), ("log2fc", "log2fc")]
)
def test_quasi_likelihood_is_edgers_but_for_its_tables(weighted, column, expected):
    differ = off(ranked(weighted, "edger")[column], read("")[expected])
    assert np.median(differ) < MOMENTS
    assert differ.max() < MOMENTS_AT_WORST


def test_threshold_is_tested_with_weights(weighted):
    differ = off(ranked(weighted, "edger", lfc=0.5)["pval"], read("")["treat"])
    assert np.median(differ) < MOMENTS
    assert differ.max() < MOMENTS_AT_WORST


@pytest.mark.parametrize("method", ["limma", "edger", "edger_lrt"])
def test_weights_of_one_are_none(weighted, method):
    weighted.layers["one"] = np.ones(weighted.shape)
    columns = ["log2fc", "stat", "pval"]
    same = ranked(weighted, method, "one")[columns], ranked(weighted, method, None)[columns]
    pd.testing.assert_frame_equal(*same, rtol=1e-10)


@pytest.mark.parametrize("method", ["limma", "edger"])
def test_weights_go_with_their_genes_whatever_the_form(weighted, method):
    few = weighted[:, ::3].copy()
    few.var["kept"] = np.arange(few.n_vars) % 2 == 0
    some = few[:, few.var["kept"]].copy()
    few.layers["weights"] = sparse.csr_matrix(few.layers["weights"])
    masked = ranked(few, method, mask_var="kept", size_factors="library")
    again = ranked(some, method, size_factors="library")
    assert masked["pval"].notna().sum() == some.n_vars
    if method == "edger":  # libraries are of all genes: fold changes but for these
        assert np.corrcoef(masked["log2fc"].dropna(), again["log2fc"])[0, 1] > 0.9


def test_a_weight_of_zero_is_a_missing_value_of_logs(weighted):
    logs = weighted.copy()
    logs.X = np.log2(logs.X + 1)
    logs.layers["weights"] = np.ones(logs.shape)
    logs.layers["weights"][0, :5] = 0
    zero = ranked(logs, "limma", trend=False)
    logs.X[0, :5] = np.nan
    missing = ranked(logs, "limma", None, trend=False)
    pd.testing.assert_frame_equal(zero[["log2fc", "pval"]], missing[["log2fc", "pval"]], rtol=1e-9)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, 0.0])
def test_what_is_no_weight_is_refused(weighted, bad):
    weighted.layers["bad"] = np.ones(weighted.shape)
    weighted.layers["bad"][3, 4] = bad
    with pytest.raises(InputError, match=r"observation_weights= must be numbers above 0; one is"):
        ranked(weighted, "edger", "bad")


def test_unknown_layer_and_methods_without_weights_are_refused(weighted):
    with pytest.raises(InputError, match=r"'nothing' is not in adata\.layers"):
        ranked(weighted, "limma", "nothing")
    with pytest.raises(InputError, match="no place in the exact test"):
        ranked(weighted, "edger_exact")
    with pytest.raises(InputError, match="goes with method='edger' or 'edger_lrt' or"):
        ranked(weighted, "deseq2")


def test_tests_of_a_stored_fit_have_the_weights(weighted):
    adata = weighted.copy()
    dex.tl.fit(adata, design="~ group", method="edger", observation_weights="weights")
    dex.tl.contrast(adata, contrasts="group[T.b]", key_added="r")
    stored = dex.get.rank_genes_df(adata, key="r").set_index("gene").loc[adata.var_names]
    assert np.array_equal(stored["stat"], ranked(weighted, "edger")["stat"])

"""Samples made of cells, as an AnnData that can be tested and written."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError


@pytest.fixture
def cells():
    rng = np.random.default_rng(0)
    n = 400
    donor = rng.choice(["d1", "d2", "d3", "d4"], n)
    obs = pd.DataFrame(
        {
            "donor": donor,
            "condition": rng.choice(["ctrl", "stim"], n),
            "cell_type": rng.choice(["B", "T"], n),
            "sex": np.where(np.isin(donor, ["d1", "d2"]), "f", "m"),
            "quality": rng.normal(size=n),
        },
        index=[f"c{i}" for i in range(n)],
    )
    counts = sparse.csr_matrix(rng.poisson(0.5, size=(n, 20)).astype(np.float32))
    genes = [f"g{j}" for j in range(20)]
    var = pd.DataFrame({"symbol": [f"s{j}" for j in range(20)]}, index=genes)
    return ad.AnnData(counts, obs=obs, var=var)


def test_samples_by_replicate_group_and_stratum(cells, caplog):
    made = dex.pp.pseudobulk(cells, "donor", groupby="condition", per="cell_type")
    assert made.shape == (16, 20)
    assert list(made.obs) == ["donor", "condition", "cell_type", "sex", "n_cells"]
    assert "Left out, as they vary within a sample: 'quality'." in caplog.text
    dense = pd.DataFrame(cells.X.toarray())
    by = [cells.obs[name].to_numpy() for name in ("donor", "condition", "cell_type")]
    np.testing.assert_array_equal(made.X, dense.groupby(by).sum().to_numpy())
    np.testing.assert_array_equal(made.obs["n_cells"], dense.groupby(by).size())
    assert made.var["symbol"].tolist() == cells.var["symbol"].tolist()


def test_means(cells):
    sums = dex.pp.pseudobulk(cells, "donor")
    means = dex.pp.pseudobulk(cells, "donor", func="mean")
    np.testing.assert_allclose(means.X * sums.obs["n_cells"].to_numpy()[:, None], sums.X)


def test_small_samples_are_left_out(cells, caplog):
    few = cells[(cells.obs["donor"] != "d4") | (np.arange(400) < 12)].copy()
    made = dex.pp.pseudobulk(few, "donor", min_cells=12)
    assert made.obs["donor"].tolist() == ["d1", "d2", "d3"]
    assert "left out for having fewer than 12 cells: 1" in caplog.text


def test_the_samples_are_tested_as_the_cells_are(cells):
    made = dex.pp.pseudobulk(cells, "donor", groupby="condition")
    dex.tl.rank_genes(made, "condition", method="ols", mask_var=np.ones(20, dtype=bool))
    dex.tl.rank_genes(cells, "condition", method="ols", replicate="donor")
    tested = cells.varm["rank_genes_status"][:, 0] == 0
    assert tested.sum() > 10
    np.testing.assert_allclose(
        made.varm["rank_genes_stat"][tested], cells.varm["rank_genes_stat"][tested], rtol=1e-10
    )


def test_it_goes_into_a_file(cells, tmp_path):
    made = dex.pp.pseudobulk(cells, "donor", groupby="condition")
    made.write_h5ad(tmp_path / "samples.h5ad")
    again = ad.read_h5ad(tmp_path / "samples.h5ad")
    np.testing.assert_array_equal(again.X, made.X)
    assert list(again.uns["pseudobulk"]["by"]) == ["donor", "condition"]


def test_a_backed_file_is_added_up_as_it_is(cells, tmp_path):
    cells.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    np.testing.assert_array_equal(
        dex.pp.pseudobulk(backed, "donor").X, dex.pp.pseudobulk(cells, "donor").X
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"replicate": "person"}, "replicate='person' is not in obs"),
        ({"replicate": "donor", "per": "type"}, "per='type' is not in obs"),
        ({"replicate": "donor", "func": "median"}, "func='median' is not known"),
        ({"replicate": "donor", "min_cells": 1000}, "0 samples have 1000 cells or more"),
    ],
)
def test_what_cannot_be(cells, options, words):
    with pytest.raises(InputError) as error:
        dex.pp.pseudobulk(cells, **options)
    assert words in str(error.value)


def test_logs_are_not_added_up(cells):
    logs = ad.AnnData(np.log1p(cells.X.toarray()), obs=cells.obs)
    with pytest.raises(InputError, match=r"put raw counts into adata\.layers\['counts'\]\.$"):
        dex.pp.pseudobulk(logs, "donor")


@pytest.mark.parametrize("form", ["dense", "csc", "csr on disk", "csc on disk", "dask"])
def test_form_of_the_matrix(cells, form, tmp_path):
    """Sums of small counts are exact in any order."""
    expected = dex.pp.pseudobulk(cells, "donor", groupby="condition", per="cell_type").X
    if form == "dense":
        cells.X = cells.X.toarray()
    elif form.startswith("csc"):
        cells.X = sparse.csc_matrix(cells.X)
    if form.endswith("on disk"):
        cells.write_h5ad(tmp_path / "cells.h5ad")
        cells = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    if form == "dask":
        array = pytest.importorskip("dask.array")
        cells.X = array.from_array(cells.X.toarray(), chunks=(90, 20))
    made = dex.pp.pseudobulk(cells, "donor", groupby="condition", per="cell_type")
    np.testing.assert_array_equal(made.X, expected)


def test_columns_come_along_as_they_are(cells):
    """Categories keep their order, also those of nobody; a missing value is a value."""
    grades = pd.CategoricalDtype(["low", "high", "none"], ordered=True)
    cells.obs["grade"] = pd.Categorical(
        np.where(cells.obs["sex"] == "f", "high", "low"), dtype=grades
    )
    cells.obs["died"] = np.where(cells.obs["donor"] == "d1", 1.0, np.nan)
    cells.obs["seen"] = np.where(np.arange(400) == 7, 1.0, np.nan)
    cells.obs["alive"] = cells.obs["donor"] != "d1"
    made = dex.pp.pseudobulk(cells, "donor")
    assert made.obs["grade"].dtype == grades
    assert made.obs["died"].isna().tolist() == [False, True, True, True]
    assert made.obs["alive"].dtype == bool
    assert "seen" not in made.obs


def test_what_is_left_out_is_said(cells, caplog):
    cells.obs.loc[cells.obs_names[:5], "donor"] = None
    few = np.flatnonzero(cells.obs["donor"] == "d4")[3:]
    cells.obs.loc[cells.obs_names[few], "donor"] = "d3"
    made = dex.pp.pseudobulk(cells, "donor", min_cells=4)
    assert "left out for having fewer than 4 cells: 1 ('d4')" in caplog.text
    assert "cells without a label in one of these: 5" in caplog.text
    assert made.obs["n_cells"].sum() == 400 - 5 - 3


def test_a_gene_more_and_a_cell_twice(cells):
    """Every cell twice is every sum twice; genes do not see each other."""
    made = dex.pp.pseudobulk(cells, "donor", groupby="condition")
    twice = ad.concat([cells, cells], index_unique="-")
    np.testing.assert_array_equal(
        dex.pp.pseudobulk(twice, "donor", groupby="condition").X, 2 * made.X
    )
    some = dex.pp.pseudobulk(cells[:, ::-3].copy(), "donor", groupby="condition")
    np.testing.assert_array_equal(some.X, made.X[:, ::-3])


def test_samples_are_tested_apart_as_the_cells_are(cells):
    """The samples know their strata; one cell type after the other, by hand."""
    made = dex.pp.pseudobulk(cells, "donor", groupby="condition", per="cell_type", min_cells=5)
    options = {"per": "cell_type", "method": "ols", "design": "~ donor + condition"}
    dex.tl.rank_genes(made, "condition", replicate="donor", **options)
    dex.tl.rank_genes(cells, "condition", replicate="donor", min_cells=5, **options)
    np.testing.assert_allclose(
        made.varm["rank_genes_stat"], cells.varm["rank_genes_stat"], rtol=1e-10
    )
    assert dex.get.tests_df(made)["per"].tolist() == ["B", "T"]

"""What a model knows of the genes, from a fit or from a result."""

import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError
from dex.get._fit import shared_of


@pytest.fixture
def adata():
    adata = dex.datasets.simulate_counts(n_genes=30, n_per_group=4, seed=3)
    adata.var["symbol"] = [f"S{i}" for i in range(30)]
    adata.var["some"] = np.arange(30) > 2
    return adata


def test_a_fit_and_a_result_tell_the_same(adata):
    dex.tl.fit(adata, "~ condition", method="ols", mask_var="some")
    dex.tl.rank_genes(adata, design="~ condition", method="ols", mask_var="some")
    of_fit = dex.get.fit_df(adata, "fit", gene_symbols="symbol")
    assert of_fit.columns.tolist() == ["gene", "base_mean", "var"]
    assert of_fit["gene"].tolist() == adata.var["symbol"].tolist()
    assert of_fit["var"].isna().tolist() == (~adata.var["some"]).tolist()
    pd.testing.assert_frame_equal(dex.get.fit_df(adata, gene_symbols="symbol"), of_fit)
    assert shared_of(adata, "rank_genes") == shared_of(adata, "fit")


def test_they_go_with_the_result(adata):
    dex.tl.rank_genes(adata, design="~ condition", method="ols")
    assert "rank_genes_var" in adata.var
    dex.tl.rank_genes(adata, "condition", method="t-test")
    assert "rank_genes_var" not in adata.var


def test_what_has_no_model(adata):
    dex.tl.rank_genes(adata, "condition", method="t-test")
    with pytest.raises(InputError, match="was made without a model"):
        dex.get.fit_df(adata)
    with pytest.raises(InputError, match="key='no': is not there"):
        dex.get.fit_df(adata, "no")

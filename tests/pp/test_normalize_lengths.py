"""RPKM is edgeR's; lengths that cannot be used are refused."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dex
from dex.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "size_factors"


def matrix(name):
    return np.ascontiguousarray(pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(float).T)


@pytest.fixture
def adata():
    made = ad.AnnData(matrix("counts"))
    made.var["bases"] = matrix("lengths").mean(axis=0)
    made.var["biotype"] = "x"
    return made


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_rpkm_is_edgers(adata, form):
    adata.X = form(adata.X)
    dex.pp.normalize(adata, "rpkm", lengths="bases", size_factors="tmm")
    layer = adata.layers["rpkm"]
    assert sparse.issparse(layer) == sparse.issparse(adata.X)
    dense = layer.toarray() if sparse.issparse(layer) else layer
    np.testing.assert_allclose(dense, matrix("rpkm"), rtol=1e-12)
    record = adata.uns["dex_layers"]["rpkm"]
    assert record["scale"] == "linear"
    # about a count of a typical gene in a typical library
    counts = matrix("counts")
    pseudocount = np.median(dense[counts > 0] / counts[counts > 0])
    assert 0.3 < record["pseudocount"] / pseudocount < 3


def test_an_array_is_the_same(adata):
    dex.pp.normalize(adata, "rpkm", lengths="bases")
    dex.pp.normalize(adata, "rpkm", lengths=list(adata.var["bases"]), key_added="again")
    np.testing.assert_array_equal(adata.layers["rpkm"], adata.layers["again"])
    dex.pp.normalize(adata, "cpm")
    kilobases = adata.var["bases"].to_numpy() / 1000
    np.testing.assert_allclose(adata.layers["rpkm"] * kilobases, adata.layers["cpm"])


@pytest.mark.parametrize(
    ("method", "lengths", "message"),
    [
        ("rpkm", None, "needs lengths="),
        ("cpm", "bases", "has no use of lengths=; 'rpkm' has"),
        ("rpkm", "biotype", r"is not a numeric column of var; these are: .*bases"),
        ("rpkm", np.ones(3), r"has the shape \(3,\); it is one number for each of 150"),
        ("rpkm", np.zeros(150), "150 of 150 genes have no positive length"),
    ],
)
def test_lengths_that_cannot_be_used(adata, method, lengths, message):
    with pytest.raises(InputError, match=message):
        dex.pp.normalize(adata, method, lengths=lengths)
    assert "rpkm" not in adata.layers

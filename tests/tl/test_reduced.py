"""A reduced design asks for all that it lacks, whichever model is fitted."""

import numpy as np
import pytest

import dex
from dex.errors import InputError


@pytest.fixture
def adata(three_groups):
    three_groups.obs["batch"] = np.where(np.arange(three_groups.n_obs) % 2, "x", "y")
    return three_groups


@pytest.mark.parametrize("method", ["ols", "edger", "deseq2", "limma"])
def test_it_is_the_test_of_the_terms_left_out(adata, method):
    design = "~ batch + condition"
    dex.tl.rank_genes(adata, design=design, reduced="~ batch", method=method, key_added="whole")
    dex.tl.rank_genes(
        adata,
        design=design,
        contrasts=["condition[T.b]", "condition[T.c]"],
        test="any",
        method=method,
        key_added="terms",
    )
    dex.tl.fit(adata, design, method=method)
    dex.tl.contrast(adata, reduced="~ batch", key_added="later")
    for key in ("terms", "later"):
        for column in ("stat", "log10_pval", "effects"):
            np.testing.assert_array_equal(
                adata.varm[f"{key}_{column}"], adata.varm[f"whole_{column}"]
            )
    assert dex.get.tests_df(adata, key="whole")["kind"].item() == "omnibus"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"groupby": "condition"}, "reduced= says what is tested; leave out groupby="),
        ({"design": None}, "reduced='~ batch' goes with design="),
        ({"design": "~ condition"}, "has 'batch', which design='~ condition' lacks"),
    ],
)
def test_what_it_does_not_go_with(adata, question, words, unchanged):
    asked = {"design": "~ batch + condition", "reduced": "~ batch", **question}
    with unchanged(adata), pytest.raises(InputError) as error:
        dex.tl.rank_genes(adata, **asked)
    assert words in str(error.value)

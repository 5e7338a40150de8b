"""Genes of sets are found among those of an AnnData."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from dex.data.gene_sets import given_sets, match_sets
from dex.errors import InputError


def adata_of(names, **columns):
    var = pd.DataFrame(columns, index=pd.Index(names))
    return AnnData(np.ones((2, len(names))), var=var)


def found(matched):
    return [matched.index[i].tolist() for i in range(matched.index.n_sets)]


def test_names_are_found_as_they_are():
    matched = match_sets(adata_of(["A", "B", "C"]), {"x": ["C", "A", "Q"], "y": ["B"]})
    assert found(matched) == [[0, 2], [1]]
    assert matched.n_given.tolist() == [3, 1]
    assert matched.column is None
    assert matched.notes == ("3 of the 4 genes in the sets are in var_names.",)


def test_versions_of_identifiers_do_not_matter():
    adata = adata_of(["ENSG00000000003.15", "ENSG00000000005", "AC0123.4"])
    sets = {"x": ["ENSG00000000003", "ENSG00000000005.2", "AC0123.9"]}
    matched = match_sets(adata, sets)
    assert found(matched) == [[0, 1]]
    assert "2 without their version" in matched.notes[0]


def test_case_does_not_matter_where_nothing_else_is_found():
    adata = adata_of(["C1orf43", "TP53", "tp53", "MYC"])
    matched = match_sets(adata, {"x": ["C1ORF43", "TP53", "MYC"]})
    assert found(matched) == [[0, 1, 3]]
    assert "1 without regard to case" in matched.notes[0]
    assert not matched.warnings
    mouse = match_sets(adata_of(["Tnf", "Myc"]), {"x": ["TNF", "MYC"]})
    assert "another species" in mouse.warnings[0]


def test_the_column_with_most_genes_is_taken():
    adata = adata_of(
        ["ENSG1", "ENSG2", "ENSG3"],
        length=[1.0, 2, 3],
        symbol=["A", None, "B"],
        other=["A", "", ""],
    )
    matched = match_sets(adata, {"x": ["A", "B"]})
    assert matched.column == "symbol"
    assert found(matched) == [[0, 2]]
    assert found(match_sets(adata, {"x": ["A", "B"]}, gene_symbols="other")) == [[0]]


def test_a_symbol_of_several_rows_is_all_of_them():
    matched = match_sets(adata_of(["e1", "e2", "e3"], symbol=["A", "A", "B"]), {"x": ["A"]})
    assert found(matched) == [[0, 1]]
    assert "1 of several rows" in matched.notes[0]


def test_sets_of_tables_and_lists():
    table = pd.DataFrame({"Source": ["a", "b", "a"], "target": ["X", "Y", "Z"], "weight": 1.0})
    assert given_sets(table) == {"a": ["X", "Z"], "b": ["Y"]}
    assert given_sets({"a": ["X", " X ", None, ""], "b": []}) == {"a": ["X"]}


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["A"], "is a list"),
        ({"x": "ABC"}, "give a list of genes"),
        ({"x": 3}, "give a list of genes"),
        ({}, "no sets"),
        (pd.DataFrame({"a": [1], "gene": ["X"]}), "'gene_set' and 'gene'"),
    ],
)
def test_other_things_are_refused(sets, said):
    with pytest.raises(InputError, match=said):
        given_sets(sets)


def test_nothing_found_says_what_was_looked_for():
    adata = adata_of(["A", "B"], symbol=["a1", "b1"])
    with pytest.raises(InputError, match=r"Q, .*var_names or var\['symbol'\]"):
        match_sets(adata, {"x": ["Q"]})
    with pytest.raises(InputError, match="gene_symbols='no' is not a column"):
        match_sets(adata, {"x": ["A"]}, gene_symbols="no")

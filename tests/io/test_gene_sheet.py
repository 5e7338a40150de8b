"""A table of genes beside the counts: found by name, complete or not."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

COUNTS = "gene,s1,s2\nENSG00000000003.15,1,2\nENSG00000000005.6,4,5\nENSG00000000419.14,7,8\n"
GENES = "id,symbol,length\nENSG00000000419,DPM1,1207\nENSG00000000003,TSPAN6,2206\n"


@pytest.fixture
def read(tmp_path):
    def reader(genes, counts=COUNTS):
        path = tmp_path / "counts.csv"
        path.write_text(counts)
        if isinstance(genes, str):
            (tmp_path / "genes.csv").write_text(genes)
            genes = tmp_path / "genes.csv"
        return dex.io.read_counts(path, groups=["a", "b"], genes=genes)

    return reader


def test_matched_by_name_without_versions_and_said(read, caplog):
    caplog.set_level("INFO", logger="dex")
    var = read(GENES).var
    assert list(var.index) == ["ENSG00000000003.15", "ENSG00000000005.6", "ENSG00000000419.14"]
    assert list(var.columns) == ["symbol", "length"]
    assert var["symbol"].astype(object).fillna("").tolist() == ["TSPAN6", "", "DPM1"]
    np.testing.assert_array_equal(var["length"], [2206, np.nan, 1207])
    assert "column 'id' of" in caplog.text
    assert "missing values: 1 of 3." in caplog.text


def test_names_with_their_versions_come_first(read):
    both = "id,symbol\nENSG00000000003.1,old\nENSG00000000003.15,new\n"
    assert read(both).var["symbol"].iloc[0] == "new"


def test_spikes_that_match_as_they_are_leave_the_others_to_match_without_versions(read, caplog):
    counts = COUNTS + "ERCC-00002,9,9\n"
    var = read(GENES + "ERCC-00002,spike,1061\n", counts).var
    assert var["symbol"].astype(object).fillna("").tolist() == ["TSPAN6", "", "DPM1", "spike"]
    read("id,symbol\nERCC-00002,spike\n", counts)
    (warned,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warned.endswith("missing values: 3 of 4.")


def test_levels_of_an_index_may_hold_the_names(read):
    levels = [("TSPAN6", "ENSG00000000003.15"), ("DPM1", "ENSG00000000419.14")]
    index = pd.MultiIndex.from_tuples(levels, names=["symbol", "id"])
    assert read(pd.DataFrame({"n": [1, 2]}, index=index)).var["symbol"].iloc[2] == "DPM1"


def test_the_first_row_of_a_gene_counts(read, caplog):
    caplog.set_level("INFO", logger="dex")
    twice = GENES + "ENSG00000000003,OTHER,1\n"
    assert read(twice).var["symbol"].iloc[0] == "TSPAN6"
    assert "the first of which counts: 1." in caplog.text


def test_a_data_frame_by_its_index_keeps_its_types_and_can_be_stored(read, tmp_path):
    index = ["ENSG00000000005.6", "ENSG00000000003.15"]
    frame = pd.DataFrame({"coding": [True, False], "n": [1, 2]}, index=index)
    adata = read(frame)
    assert adata.var["coding"].tolist() == [False, True, pd.NA]
    np.testing.assert_array_equal(adata.var["n"], [2, 1, np.nan])
    adata.write_h5ad(tmp_path / "a.h5ad")
    assert ad.read_h5ad(tmp_path / "a.h5ad").var["coding"].tolist() == [False, True, pd.NA]


def test_it_has_the_last_word_over_columns_of_the_counts(read):
    counts = "gene,symbol,s1,s2\nA,x,1,2\nB,y,4,5\n"
    assert read("gene,symbol\nB,two\nA,one\n", counts).var["symbol"].tolist() == ["one", "two"]


def test_a_table_of_other_genes(read):
    with pytest.raises(InputError, match=r"does not name the genes.*'ENSG.*It has 'a'"):
        read("id,symbol\na,b\n")

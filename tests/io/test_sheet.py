"""The sample sheet: matched by name, whatever its order, or an error that lists what differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

COUNTS = "gene,s1,s2,s3\na,1,2,3\nb,4,5,6\n"
SHEET = "sample,condition,dose\ns3,treated,10\ns1,control,0\ns2,control,\n"


@pytest.fixture
def counts(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text(COUNTS)
    return path


@pytest.fixture
def read(counts, tmp_path):
    def reader(sheet, **options):
        if isinstance(sheet, str):
            path = tmp_path / "sheet.csv"
            path.write_text(sheet)
            sheet = path
        return dex.io.read_counts(counts, samples=sheet, **options)

    return reader


def test_matched_by_name_in_the_order_of_the_table(read, caplog):
    caplog.set_level("INFO", logger="dex")
    adata = read(SHEET)
    assert list(adata.obs_names) == ["s1", "s2", "s3"]
    assert list(adata.obs["condition"]) == ["control", "control", "treated"]
    np.testing.assert_array_equal(adata.obs["dose"], [0, np.nan, 10])
    assert "sample" not in adata.obs
    assert "column 'sample' of" in caplog.text


@pytest.mark.parametrize("sep", ["\t", ";", "|"])
def test_other_separators_and_row_names_of_r(read, sep):
    for sheet in (SHEET, SHEET.replace("sample,", "", 1)):
        adata = read(sheet.replace(",", sep))
        assert list(adata.obs["condition"]) == ["control", "control", "treated"]


def test_any_column_may_hold_the_names(read):
    adata = read("n,condition,id\n3,treated,s3\n1,control,s1\n2,control,s2\n")
    assert list(adata.obs.columns) == ["n", "condition"]
    assert list(adata.obs["n"]) == [1, 2, 3]


def test_a_data_frame_keeps_its_types(read):
    frame = pd.DataFrame(
        {"condition": pd.Categorical(["t", "c", "c"], categories=["c", "t"], ordered=True)},
        index=["s3", "s1", "s2"],
    )
    before = frame.copy()
    adata = read(frame)
    assert list(adata.obs["condition"]) == ["c", "c", "t"]
    assert adata.obs["condition"].cat.ordered
    pd.testing.assert_frame_equal(frame, before)


def test_a_data_frame_with_names_in_a_column(read):
    frame = pd.DataFrame({"id": ["s3", "s1", "s2"], "condition": ["t", "c", "c"]})
    assert list(read(frame).obs["condition"]) == ["c", "c", "t"]


def test_names_that_are_numbers(counts, read):
    counts.write_text("gene,101,102\na,1,2\n")
    frame = pd.DataFrame({"id": [102, 101], "condition": ["t", "c"]})
    assert list(read(frame).obs["condition"]) == ["c", "t"]
    assert list(read("id,condition\n102,t\n101,c\n").obs["condition"]) == ["c", "t"]


def test_leading_zeros_match_as_text(counts, read):
    counts.write_text("gene,01,1\na,1,2\n")
    adata = read("id,condition\n1,t\n01,c\n")
    assert list(adata.obs["condition"]) == ["c", "t"]


def test_types_of_a_text_sheet(read):
    adata = read(
        "sample,group,code,n,x,flag,note,id\n"
        "s1,b,01,1,1.5,TRUE,NA,p\ns2,a,02,2,NA,FALSE,hi,q\ns3,b,01,3,2.5,TRUE,,r\n"
    )
    obs = adata.obs
    assert list(obs["group"].cat.categories) == ["b", "a"]  # in order of appearance
    assert list(obs["code"]) == ["01", "02", "01"]
    assert obs["n"].dtype.kind == "i"
    assert obs["x"].dtype.kind == "f"
    assert obs["flag"].tolist() == [True, False, True]
    assert obs["note"].isna().tolist() == [True, False, True]
    assert list(obs["id"]) == ["p", "q", "r"]


def test_decimal_comma_in_the_sheet(read):
    np.testing.assert_array_equal(
        read("id;rin\ns1;8,5\ns2;9\ns3;NA\n").obs["rin"], [8.5, 9, np.nan]
    )


def test_the_sheet_can_be_stored(read, tmp_path):
    adata = read("sample,group,note\ns1,b,NA\ns2,a,hi\ns3,b,yo\n")
    dex.io.write_h5ad(adata, tmp_path / "a.h5ad")
    back = dex.io.read_h5ad(tmp_path / "a.h5ad")
    assert list(back.obs["group"]) == ["b", "a", "b"]
    assert back.obs["note"].isna().tolist() == [True, False, False]


def test_a_sheet_of_names_only(read):
    assert read("sample\ns3\ns1\ns2\n").obs.shape == (3, 0)


def test_both_lists_of_a_mismatch(read):
    with pytest.raises(InputError, match="by name") as error:
        read("sample,condition\ns1,a\ns2,b\ns4,c\n")
    assert "1 samples of the count table are not in it: 's3'" in str(error.value)
    assert "1 of its samples are not in the count table: 's4'" in str(error.value)


def test_long_lists_are_cut(counts, read):
    counts.write_text(f"gene,{','.join(f's{i}' for i in range(20))}\na{',1' * 20}\n")
    with pytest.raises(InputError, match=r"18 samples .* and 13 more"):
        read("sample,c\ns0,a\ns1,b\n")


def test_no_sample_in_common(read):
    with pytest.raises(
        InputError, match=r"has 3 samples: 's1', 's2', 's3'. The sheet has 'x', 'y'"
    ):
        read("sample,condition\nx,c\ny,t\n")


def test_a_sample_twice_in_the_sheet(read):
    with pytest.raises(InputError, match="not unique: 's1'"):
        read("sample,c\ns1,a\ns1,b\ns2,c\ns3,a\n")


def test_the_same_column_twice(read):
    with pytest.raises(InputError, match="several columns called 'c'"):
        read("sample,c,c\ns1,a,a\ns2,a,b\ns3,c,c\n")


def test_the_other_orientation_is_named(counts, read):
    counts.write_text("sample,a,b\ns1,1,4\ns2,2,5\ns3,3,6\n")
    with pytest.raises(InputError, match="pass orientation='samples_x_genes'"):
        read(SHEET)
    assert read(SHEET, orientation="samples_x_genes").shape == (3, 2)
    counts.write_text(COUNTS)
    with pytest.raises(InputError, match="pass orientation='genes_x_samples'"):
        read(SHEET, orientation="samples_x_genes")


def test_the_sheet_tells_a_bad_sample_from_an_annotation(counts, read):
    counts.write_text("gene,s1,s2,s3\na,1,2,x\nb,4,5,y\n")
    with pytest.raises(
        InputError, match=r"2 of 6 cells are not numbers.*'x', gene 'a', sample 's3'"
    ):
        read(SHEET)


def test_a_sample_may_be_called_length(counts, read):
    counts.write_text("gene,s1,length\na,1,2\n")
    assert read("sample,c\ns1,a\nlength,b\n").n_obs == 2


def test_groups_beside_a_sheet(read):
    adata = read(SHEET, groups=["a", "b", "a"], groupby="arm")
    assert list(adata.obs["arm"]) == ["a", "b", "a"]
    with pytest.raises(InputError, match="would replace the column 'condition'"):
        read(SHEET, groups=["a", "b", "a"])


def test_empty_data_frame(read):
    with pytest.raises(InputError, match="does not name the samples"):
        read(pd.DataFrame())


def test_missing_sheet(counts):
    with pytest.raises(InputError, match=r"nosheet\.csv' does not exist"):
        dex.io.read_counts(counts, samples=counts.with_name("nosheet.csv"))

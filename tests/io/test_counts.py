"""Every layout of a table reads to the same matrix, and nothing is read wrongly in silence."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

GENES = ["FKBP5", "DUSP1", "007"]
SAMPLES = ["s1", "s2", "s3"]
COUNTS = np.array([[3, 4, 90], [0, 1, 2], [700, 690, 711]])


def table(sep=",", header=None, rows=None, cell=str, end="\n"):
    lines = [header if header is not None else sep.join(["gene", *SAMPLES])]
    names = GENES if rows is None else rows
    lines += [
        sep.join([name, *map(cell, row)]) for name, row in zip(names, COUNTS.tolist(), strict=True)
    ]
    return end.join(lines) + end


@pytest.fixture
def write(tmp_path):
    def writer(content, name="counts.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return writer


@pytest.fixture
def said(caplog):
    caplog.set_level("INFO", logger="dex")
    return lambda: "\n".join(record.getMessage() for record in caplog.records)


def assert_is_the_table(adata):
    assert list(adata.obs_names) == SAMPLES
    assert list(adata.var_names) == GENES
    np.testing.assert_array_equal(adata.X, COUNTS.T)
    assert adata.X.dtype == np.float32
    assert adata.X.flags.c_contiguous
    assert adata.var_names.name is None
    assert adata.obs_names.name is None


@pytest.mark.parametrize("sep", [",", "\t", ";", "|", " ", "   "])
@pytest.mark.parametrize("given", [False, True])
def test_every_separator(write, sep, given):
    path = write(table(sep))
    assert_is_the_table(dex.io.read_counts(path, sep=sep[0] if given else None))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom", "latin-1"])
def test_encodings(write, encoding):
    if encoding == "utf-16-le-bom":
        content = b"\xff\xfe" + table().encode("utf-16-le")
    else:
        content = table().encode(encoding)
    assert_is_the_table(dex.io.read_counts(write(content)))


def test_latin_1_names_are_read(write, said):
    path = write(table(rows=["Gène", "b", "c"]), encoding="latin-1")
    assert dex.io.read_counts(path).var_names[0] == "Gène"
    assert "Latin-1" in said()


def test_latin_1_far_down_the_file(write):
    rows = "".join(f"g{i},1,2\n" for i in range(20_000))
    path = write(f"gene,a,b\n{rows}Gène,3,4\n", encoding="latin-1")
    assert dex.io.read_counts(path).var_names[-1] == "Gène"


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".csv"])
def test_compression_is_told_from_the_content(write, compress, suffix):
    path = write(compress(table().encode()), f"counts.csv{suffix}")
    assert_is_the_table(dex.io.read_counts(str(path)))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends(write, end):
    assert_is_the_table(dex.io.read_counts(write(table(end=end))))


def test_quotes(write):
    header = '"gene","s1","s2","s3"'
    path = write(table(header=header, rows=[f'"{g}"' for g in GENES], cell=lambda c: f'"{c}"'))
    assert_is_the_table(dex.io.read_counts(path))


@pytest.mark.parametrize("sep", [",", "\t", " ", ";"])
def test_header_of_r_write_table(write, sep):
    assert_is_the_table(dex.io.read_counts(write(table(sep, header=sep.join(SAMPLES)))))


def test_header_of_one_sample_in_r_style(write):
    adata = dex.io.read_counts(write("s1\ng1\t3\ng2\t4\n"))
    assert adata.X.tolist() == [[3, 4]]
    assert list(adata.obs_names) == ["s1"]


@pytest.mark.parametrize("sep", [",", ";"])
def test_separators_at_the_end_of_lines_are_no_column(write, sep):
    in_both = table(sep).replace("\n", f"{sep}\n")
    header, body = in_both.split("\n", 1)
    for content in (in_both, f"{header[:-1]}\n{body}"):
        assert_is_the_table(dex.io.read_counts(write(content)))


def test_blank_rows_of_a_spreadsheet_are_dropped(write):
    assert_is_the_table(dex.io.read_counts(write(table() + ",,,\n,,,\n\n")))


def test_comments_before_the_header(write):
    assert_is_the_table(dex.io.read_counts(write("# made by hand\n\n#\n" + table())))


def test_header_that_begins_with_a_hash(write):
    assert_is_the_table(dex.io.read_counts(write("# made by hand\n#" + table())))


def test_spaces_around_names_and_numbers(write):
    content = table(", ", header="gene , s1 ,s2 , s3", rows=[f"{g} " for g in GENES])
    assert_is_the_table(dex.io.read_counts(write(content)))


@pytest.mark.parametrize("sep", [";", "\t"])
def test_decimal_comma(write, said, sep):
    lines = ["gene;s1;s2", "a;1,5;2", "b;0;1200,25", "c;1,125e2;3"]
    adata = dex.io.read_counts(write("\n".join(lines).replace(";", sep)))
    np.testing.assert_array_equal(adata.X, [[1.5, 0, 112.5], [2, 1200.25, 3]])
    assert adata.X.dtype == np.float64
    assert "decimal comma" in said()
    assert "not whole" in said()


def test_decimal_comma_in_one_sample(write):
    adata = dex.io.read_counts(write("gene;s1\na;1,5\nb;2,25\n"))
    np.testing.assert_array_equal(adata.X, [[1.5, 2.25]])


def test_commas_that_may_be_thousands_are_not_guessed(write):
    path = write("gene\ts1\ts2\na\t1,234\t5\nb\t7\t2\n")
    with pytest.raises(InputError, match=r"'1,234' may be 1234 or 1\.234.*decimal=','"):
        dex.io.read_counts(path)
    assert dex.io.read_counts(path, decimal=",").X[0, 0] == 1.234


def test_quoted_thousands_in_a_csv(write):
    with pytest.raises(InputError, match=r"not numbers.*'1,234', gene 'a', sample 's1'"):
        dex.io.read_counts(write('gene,s1,s2\na,"1,234",5\n'))


def test_transposed_table(write):
    lines = [",".join(["", *GENES])]
    lines += [f"{s},{a},{b},{c}" for s, (a, b, c) in zip(SAMPLES, COUNTS.T.tolist(), strict=True)]
    adata = dex.io.read_counts(write("\n".join(lines)), orientation="samples_x_genes")
    assert_is_the_table(adata)


def test_text_beside_samples_in_rows_describes_them(write):
    path = write("sample,condition,g1,g2\na,ctl,1,2\nb,ctl,3,4\nc,trt,5,6\n")
    adata = dex.io.read_counts(path, orientation="samples_x_genes")
    assert list(adata.obs["condition"]) == ["ctl", "ctl", "trt"]
    np.testing.assert_array_equal(adata.X, [[1, 2], [3, 4], [5, 6]])


def test_feature_counts(write, said):
    content = (
        '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "genes.gtf"\n'
        "Geneid\tChr\tStart\tEnd\tStrand\tLength\ta.bam\tb.bam\n"
        "g1\tchr1;chr1\t1;50\t9;70\t+;+\t30\t5\t6\n"
        "g2\tchr2\t100\t200\t-\t101\t0\t1\n"
    )
    adata = dex.io.read_counts(write(content, "counts.txt"))
    assert list(adata.var.columns) == ["Chr", "Start", "End", "Strand", "Length"]
    assert adata.var["Length"].tolist() == [30, 101]
    np.testing.assert_array_equal(adata.X, [[5, 0], [6, 1]])
    assert "moved to var" in said()
    assert "'Length'" in said()


def test_start_and_end_are_samples_without_a_chromosome(write):
    assert list(dex.io.read_counts(write("g,start,end\na,1,2\n")).obs_names) == ["start", "end"]


def test_annotation_by_text_by_name_and_declared(write):
    content = "id,symbol,entrezid,score,s1\na,NA,12,3,1\nb,Foo,NA,4,2\n"
    adata = dex.io.read_counts(write(content), annotation=["score"])
    assert list(adata.obs_names) == ["s1"]
    assert adata.var["symbol"].tolist() == ["NA", "Foo"]
    np.testing.assert_array_equal(adata.var["entrezid"], [12, np.nan])
    assert adata.var["score"].tolist() == [3, 4]


def test_annotation_that_is_not_there(write):
    with pytest.raises(InputError, match=r"annotation='width' is not in the table.*'s1'"):
        dex.io.read_counts(write(table()), annotation=["width"])


def test_row_numbers_are_not_gene_names(write, said):
    content = '"","gene","s1","s2"\n"1","Actb",3,4\n"2","Fkbp5",5,6\n'
    adata = dex.io.read_counts(write(content))
    assert list(adata.var_names) == ["Actb", "Fkbp5"]
    assert "column 'gene'" in said()


def test_entrez_ids_stay_gene_names(write):
    adata = dex.io.read_counts(write('"","gene","s1"\n"1","A1BG",3\n"10","NAT2",5\n'))
    assert list(adata.var_names) == ["1", "10"]


def test_gene_column(write):
    path = write("id,symbol,s1\na,X,1\nb,Y,2\n")
    assert list(dex.io.read_counts(path, gene_column="symbol").var_names) == ["X", "Y"]
    with pytest.raises(InputError, match=r"no column 'name'; it has 'id', 'symbol', 's1'"):
        dex.io.read_counts(path, gene_column="name")
    with pytest.raises(InputError, match="no meaning"):
        dex.io.read_counts(path, gene_column="symbol", orientation="samples_x_genes")


def test_summary_rows_are_left_out(write, said):
    content = table() + "__no_feature,9,9,9\nN_unmapped,1,1,1\n"
    assert_is_the_table(dex.io.read_counts(write(content)))
    assert "'__no_feature', 'N_unmapped'" in said()


def test_genes_with_names_like_missing_values(write):
    names = ["NA", "nan", "null", "None", "N/A"]
    content = "gene,s1,s2\n" + "".join(f"{name},1,2\n" for name in names)
    adata = dex.io.read_counts(write(content))
    assert list(adata.var_names) == names
    assert not adata.var_names.isna().any()


def test_leading_zeros_of_samples(write):
    content = "gene,001,01\na,1,2\n"
    assert list(dex.io.read_counts(write(content)).obs_names) == ["001", "01"]
    adata = dex.io.read_counts(write("s,g\n001,1\n01,2\n"), orientation="samples_x_genes")
    assert list(adata.obs_names) == ["001", "01"]


@pytest.mark.parametrize(
    ("largest", "dtype"), [(2**24, np.float32), (2**24 + 1, np.float64), (2**53 - 1, np.float64)]
)
def test_counts_are_exact(write, largest, dtype):
    adata = dex.io.read_counts(write(f"gene,s1,s2\na,{largest},1\n"))
    assert adata.X.dtype == dtype
    assert int(adata.X[0, 0]) == largest


def test_whole_numbers_with_decimals_are_whole(write, said):
    assert dex.io.read_counts(write("gene,s1,s2\na,3.0,1.0\n")).X.dtype == np.float32
    assert "not whole" not in said()


def test_groups_by_order(write):
    adata = dex.io.read_counts(write(table()), groups=["treated", "control", "treated"])
    condition = adata.obs["condition"]
    assert list(condition) == ["treated", "control", "treated"]
    assert list(condition.cat.categories) == ["treated", "control"]
    assert not condition.cat.ordered


def test_groups_may_be_numbers_or_missing(write):
    adata = dex.io.read_counts(write(table()), groups=[1, None, 2], groupby="dose")
    assert list(adata.obs["dose"].cat.categories) == ["1", "2"]
    assert adata.obs["dose"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("groups", [["a", "b"], "abc"])
def test_groups_that_do_not_fit(write, groups):
    with pytest.raises(InputError, match="the table has 3 samples: 's1', 's2', 's3'"):
        dex.io.read_counts(write(table()), groups=groups)


# What cannot be read


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("gene,s1,s2\n", "has a header but no rows"),
        ("gene\ns1\ns2\n", "No separator .* begins with 'gene'"),
        ("gene,s1,s2\na,1,2\nb,1,2,3\n", "not a regular table: Expected 3 fields in line 3, saw 4"),
        ("gene,s1,s2\na,1,2\nb,1\n", "1 of 4 cells are missing.*gene 'b', sample 's2'.*too short"),
        ("gene,s1,s2\na,1,2\nb,x,3\nc,4,?\n", "2 of 6 .* not numbers.*'x', gene 'b', sample 's1'"),
        ("gene,s1,s2\na,1,2\nb,NA,3\n", r"1 of 4 cells are missing.*'NA', gene 'b', sample 's1'"),
        ("gene,s1,s2\na,1,\nb,2,\n", r"2 of 4 cells are missing.*'', gene 'a', sample 's2'"),
        ("gene,s1,s2\na,1,inf\nb,2,3\n", r"1 of 4 cells are not finite.*gene 'a', sample 's2'"),
        ("gene,s1,s2\na,1,2\nb,-3,4\n", "1 of 4 .* negative.*-3, gene 'b', sample 's1'.*logs"),
        ("gene,s1,s1\na,1,2\n", "Sample names .* not unique: 's1'"),
        ("TSPAN6,0,0\nTNMD,0,3\n", "not unique: '0'.*header"),
        ("gene,s1,\na,1,2\n", "1 columns beside the row names have no name"),
        ("gene,kind\na,x\nb,y\n", "no column of numbers.*'kind'"),
        ('gene,s1\na,1\nb,"2\n', "not a regular table: EOF inside string"),
        ("%%MatrixMarket matrix\n1 1 1\n", "Matrix Market"),
    ],
)  # fmt: skip
def test_bad_tables(write, content, message):
    path = write(content)
    with pytest.raises(InputError, match=message) as error:
        dex.io.read_counts(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("sep", [";", ",", "|"])
def test_wrong_separator_is_an_error_that_names_the_right_one(write, sep):
    with pytest.raises(InputError, match=r"does not cut .* looks tab-separated"):
        dex.io.read_counts(write(table("\t")), sep=sep)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"sep": "::"}, "sep='::' is not one character"),
        ({"decimal": "'"}, 'decimal="\'" is not possible'),
        ({"orientation": "wide"}, "orientation='wide' is not possible.*samples_x_genes"),
    ],
)
def test_bad_options(write, option, message):
    with pytest.raises(InputError, match=message):
        dex.io.read_counts(write(table()), **option)


def test_missing_file_names_a_near_one(write):
    path = write(table(), "counts.csv")
    with pytest.raises(InputError, match=r"count\.csv' does not exist. Did you mean 'counts.csv'"):
        dex.io.read_counts(path.with_name("count.csv"))
    with pytest.raises(InputError, match="there is no folder"):
        dex.io.read_counts(path.parent / "nowhere" / "counts.csv")
    with pytest.raises(InputError, match="is a folder"):
        dex.io.read_counts(path.parent)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("n_rows", [3, 50_000])
def test_truncated_compressed_file(write, compress, n_rows):
    rows = np.random.default_rng(0).integers(0, 10_000, (n_rows, 2))
    content = "gene,a,b\n" + "".join(f"g{i},{a},{b}\n" for i, (a, b) in enumerate(rows.tolist()))
    whole = compress(content.encode())
    with pytest.raises(InputError, match="damaged or incomplete"):
        dex.io.read_counts(write(whole[: len(whole) * 2 // 3]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5 file; read an .h5ad with dex.io.read_h5ad"),
        (b"PK\x03\x04" + bytes(100), "Excel"),
        (gzip.compress(b"X\n\0\0\0\2" + bytes(100), mtime=0), "a binary file"),
    ],
    ids=["HDF5", "Excel", "gzip"],
)
def test_binary_files(write, content, message):
    with pytest.raises(InputError, match=f"is not a text table but .*{message}"):
        dex.io.read_counts(write(content))


# What is read, with a word


def test_duplicate_genes_are_kept(write, said):
    adata = dex.io.read_counts(write(table(rows=["a", "b", "a"])))
    assert list(adata.var_names) == ["a", "b", "a"]
    assert "1 gene names repeat an earlier one ('a')" in said()


@pytest.mark.parametrize("name", ["2-Sep", "1-Mar", "Sep-02", "2.31E+13", "01-DEC", "2002-09-02"])
def test_names_that_excel_made(write, said, name):
    adata = dex.io.read_counts(write(table(rows=[name, "MARCH1", "HLA-A"])))
    assert adata.var_names[0] == name
    assert f"Excel had made dates or numbers of them: '{name}'." in said()


def test_ordinary_names_are_not_suspected(write, said):
    dex.io.read_counts(write(table(rows=["SEPT2", "NKX2-1", "ENSG00000000003.14"])))
    assert said() == ""


def test_nameless_genes_are_kept(write, said):
    assert dex.io.read_counts(write(table(rows=["", "b", "c"]))).shape == (3, 3)
    assert "1 rows have no gene name" in said()


def test_slash_in_a_column_name_can_be_stored(write, tmp_path, said):
    adata = dex.io.read_counts(write("id,gene/symbol,s1\na,x,1\nb,y,2\n"))
    assert list(adata.var.columns) == ["gene_symbol"]
    assert "'gene/symbol'" in said()
    dex.io.write_h5ad(adata, tmp_path / "a.h5ad")


def test_many_more_samples_than_genes_are_mentioned(write, said):
    header = ",".join(["sample", *(f"g{i}" for i in range(1001))])
    adata = dex.io.read_counts(write(f"{header}\ns1{',1' * 1001}\n"))
    assert adata.shape == (1001, 1)
    assert "1 genes x 1001 samples" in said()


# Real tables


@pytest.mark.realdata
def test_airway(realdata):
    folder = realdata / "airway"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    assert adata.shape == (8, 64_102)
    assert adata[:, "ENSG00000000003"].X.ravel().tolist() == [
        679,
        448,
        873,
        408,
        1138,
        1047,
        770,
        572,
    ]
    assert list(adata.obs["dex"].cat.categories) == ["control", "treated"]
    assert adata.obs.loc["SRR1039512", "celltype"] == "N052611"


@pytest.mark.realdata
def test_every_real_table_equals_pandas(realdata):
    for path in sorted(realdata.glob("*/*counts.csv.gz")):
        adata = dex.io.read_counts(path, samples=path.with_name("samples.csv"))
        expected = pd.read_csv(path, index_col=0, keep_default_na=False, low_memory=False)
        np.testing.assert_array_equal(
            adata.X, expected.to_numpy().T, err_msg=Path(path).parent.name
        )
        assert adata.var_names.tolist() == expected.index.astype(str).tolist()
        assert adata.obs_names.tolist() == expected.columns.tolist()

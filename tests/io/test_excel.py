"""Workbooks: read back by another program, cell by cell."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import dex
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.io import _excel
from dex.io._excel import sheet_names
from dex.results import COLUMNS, Result
from dex.results.store import store

pytest.importorskip("xlsxwriter")
openpyxl = pytest.importorskip("openpyxl")

SIXTEEN_DIGITS = 1e-15  # XlsxWriter rounds to 16 digits; Excel shows 15
GENES = ["MARCH1", "SEPT2", "1-Mar", "=1+1", "+x", "-", "@A1", "2E5", "007", "TRUE", "<b>&", "z z"]
TESTS = ["CD4/CD8 [a] vs rest", "History", "x" * 40, "x" * 40 + "y", "Tests"]


@pytest.fixture
def ranked():
    rng = np.random.default_rng(0)
    shape = (len(GENES), len(TESTS))
    log10_pval = -rng.exponential(3, shape)
    log10_pval[0], log10_pval[1] = -500, -310  # no double, and none that Excel has
    log2fc = rng.normal(0, 2, shape)
    log2fc[2] = np.nan
    log2fc[3, 0] = np.inf
    columns = {
        "log2fc": log2fc,
        "stat": log2fc * 3,
        "pval": 10**log10_pval,
        "log10_pval": log10_pval,
        "log10_padj": log10_pval + 0.1,
        "status": np.zeros(shape, dtype=np.int8),
    }
    adata = AnnData(np.zeros((2, len(GENES))), var=pd.DataFrame(index=GENES))
    infos = tuple(TestInfo(name, "contrast") for name in TESTS)
    params = {"method": "ols", "design": "=evil", "contrasts": np.eye(2), "long": "n" * 40_000}
    store(adata, Result(columns, infos, (3,) * 5, (4,) * 5, params, ("said",)), key="rank_genes")
    return adata


@pytest.fixture
def book(ranked, tmp_path):
    dex.io.write_results(ranked, tmp_path / "x.xlsx")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.xlsx"]
    return openpyxl.load_workbook(tmp_path / "x.xlsx")


def rows_of(page):
    header, *rows = page.iter_rows(values_only=True)
    return pd.DataFrame(rows, columns=header)


def test_every_test_has_a_sheet_and_the_sheet_of_tests_says_which(book):
    assert book.sheetnames[5:] == ["tests", "columns", "parameters"]
    tests = rows_of(book["tests"])
    assert tests["name"].tolist() == TESTS
    assert tests["sheet"].tolist() == book.sheetnames[:5]
    link = book["tests"]["A2"].hyperlink
    assert link.location == "'CD4_CD8 _a_ vs rest'!A1"
    assert tests["n_reference"].tolist() == [4] * 5


def test_numbers_read_back_and_nothing_is_an_empty_cell(ranked, book):
    for page, test in zip(book.worksheets, TESTS, strict=False):
        table, back = dex.get.rank_genes_df(ranked, test), rows_of(page)
        assert back.columns.tolist() == table.drop(columns="test").columns.tolist()
        assert back["gene"].tolist() == table["gene"].tolist()
        for column in ("stat", "log10_pval", "log10_padj"):
            finite = np.isfinite(table[column])
            np.testing.assert_allclose(
                back[column][finite].astype(float), table[column][finite], rtol=SIXTEEN_DIGITS
            )
            assert back[column][table[column].isna()].isna().all()
        assert (back["pval"][:2] == 0).all()
        assert (back["status"] == "tested").all()
    assert rows_of(book.worksheets[0]).set_index("gene")["log2fc"]["=1+1"] == "inf"


def test_names_stay_text(book):
    for page in book.worksheets:
        for row in page.iter_rows():
            assert not any(cell.data_type == "f" for cell in row)
    cells = {cell.value: cell for cell in book.worksheets[0]["A"][1:]}
    assert set(cells) == set(GENES)
    assert {cell.data_type for cell in cells.values()} == {"s"}
    assert {cell.number_format for cell in cells.values()} == {"@"}
    quoted = {value for value, cell in cells.items() if cell.quotePrefix}
    assert quoted == {"=1+1", "+x", "-", "@A1"}


def test_header_stays_in_sight_and_filters(book):
    page = book.worksheets[0]
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == "A1:G13"
    formats = {
        cell.value: below.number_format for cell, below in zip(page[1], page[2], strict=True)
    }
    assert formats["pval"] == "0.00E+00"
    assert formats["log2fc"] == "0.000"
    widths = [dimension.width for dimension in page.column_dimensions.values()]
    assert all(8 <= width <= 61 for width in widths)


def test_columns_are_defined_as_in_the_schema(book):
    words = rows_of(book["columns"]).set_index("column")
    assert set(words.index) == {cell.value for cell in book.worksheets[0][1]}
    assert words.loc["log2fc"].tolist() == [
        COLUMNS["log2fc"].meaning,
        "log2",
        "logfoldchanges",
        "log2FoldChange",
    ]


def test_parameters_are_text_however_long(book):
    words = rows_of(book["parameters"])
    known = dict(zip(words["parameter"], words["value"], strict=True))
    assert known["key"] == "rank_genes"
    assert known["method"] == "ols"
    assert known["design"] == "=evil"
    assert known["contrasts"] == "[[1.0, 0.0], [0.0, 1.0]]"
    assert known["note"] == "said"
    assert known["version of numpy"] == np.__version__
    assert "".join(words["value"][words["parameter"] == "long"]) == "n" * 40_000


def test_the_same_result_is_the_same_file(ranked, tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        dex.io.write_results(ranked, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_options_choose_tests_and_rows(ranked, tmp_path):
    path = tmp_path / "x.xlsx"
    dex.io.write_results(ranked, path, test=[1, 0], padj=1e-300)
    sheets = pd.read_excel(path, sheet_name=None)
    assert list(sheets)[:2] == ["History (2)", "CD4_CD8 _a_ vs rest"]
    assert [len(sheets[name]) for name in list(sheets)[:3]] == [2, 2, 2]
    dex.io.write_results(ranked, path, padj=0.0)
    assert all(len(frame) == 0 for frame in list(pd.read_excel(path, sheet_name=None).values())[:5])


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        (["a'", "'a", " A "], ["a", "a (2)", "A (3)"]),
        (["", "[]", "??"], ["test", "__", "__ (2)"]),
        (["HISTORY", "Columns", "parameters"], ["HISTORY (2)", "Columns (2)", "parameters (2)"]),
        (["y" * 31, "Y" * 32], ["y" * 31, "Y" * 27 + " (2)"]),
    ],
)
def test_sheet_names(tests, expected):
    assert sheet_names(tests) == expected


def test_hundreds_of_long_names_are_all_different():
    names = sheet_names(f"{'perturbation ' * 4}{i}" for i in range(300))
    assert len({name.lower() for name in names}) == 300
    assert max(map(len, names)) <= 31


def test_more_rows_than_a_sheet_holds(ranked, tmp_path, monkeypatch):
    monkeypatch.setattr(_excel, "MOST_ROWS", 11)
    with pytest.raises(InputError, match=r"12 rows.*Excel holds 11.*\.csv or \.parquet"):
        dex.io.write_results(ranked, tmp_path / "x.xlsx")
    assert not list(tmp_path.iterdir())


def test_without_xlsxwriter(ranked, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InputError, match=r"pip install \"dex-de\[excel\]\""):
        dex.io.write_results(ranked, tmp_path / "x.xlsx")


def test_a_failure_leaves_the_old_file(ranked, tmp_path, monkeypatch):
    path = tmp_path / "x.xlsx"
    path.write_text("old")

    def dies(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_excel, "_write_sheet", dies)
    with pytest.raises(OSError, match="No space"):
        dex.io.write_results(ranked, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_of_no_genes_is_refused(tmp_path):
    adata = dex.datasets.simulate_counts(n_genes=20, seed=0)
    dex.tl.rank_genes(adata, groupby="condition")
    with pytest.raises(InputError, match="there is no gene in the result"):
        dex.io.write_results(adata[:, []].copy(), tmp_path / "empty.xlsx")
    assert not list(tmp_path.iterdir())

"""Tables out: read back to the same numbers."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.io._tables import write_parquet, write_table

VALUES = np.array([0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, np.pi, -0.0, np.inf, np.nan])


@pytest.fixture
def frame():
    names = ["NA", "007", "a,b", 'q"q', "µ", "tab\there", "x", "y"]
    return pd.DataFrame({"gene": names, "pval": VALUES, "n": range(8)}, index=range(10, 18))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".CSV"])
def test_round_trip(frame, tmp_path, suffix):
    path = tmp_path / f"results.v1{suffix}"
    write_table(frame, path)
    back = pd.read_csv(
        path,
        sep="," if ".csv" in suffix.lower() else "\t",
        keep_default_na=False,
        na_values={"pval": ""},
        dtype={"gene": str, "pval": str},
    )
    assert list(back.columns) == ["gene", "pval", "n"]
    assert back["gene"].tolist() == frame["gene"].tolist()
    np.testing.assert_array_equal(back["pval"].astype(float), VALUES)
    assert list(tmp_path.iterdir()) == [path]


def test_random_floats_come_back_bit_by_bit(tmp_path):
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(0, 100, 2000))
    write_table(pd.DataFrame({"x": values}), tmp_path / "x.csv")
    text = (tmp_path / "x.csv").read_text().splitlines()[1:]
    np.testing.assert_array_equal([float(cell) for cell in text], values)


def test_the_same_table_is_the_same_file(frame, tmp_path):
    write_table(frame, tmp_path / "a.csv.gz")
    first = (tmp_path / "a.csv.gz").read_bytes()
    write_table(frame, tmp_path / "a.csv.gz")
    assert (tmp_path / "a.csv.gz").read_bytes() == first


def test_what_a_spreadsheet_would_run_gets_an_apostrophe(tmp_path):
    risky = ["=1+1", "+x", "-", "@SUM(A1)", "\t=1", "\r=1"]
    plain = ["-0.5", "+3", "-inf", "MARCH1", "a=b", "", None]
    frame = pd.DataFrame({"gene": risky + plain, "log2fc": np.arange(-6.0, 7.0)})
    write_table(frame, tmp_path / "x.csv")
    back = pd.read_csv(tmp_path / "x.csv", keep_default_na=False, dtype={"gene": str})
    assert back["gene"].tolist() == [f"'{text}" for text in risky] + [*plain[:-1], ""]
    np.testing.assert_array_equal(back["log2fc"], frame["log2fc"])
    frame["gene"] = frame["gene"].astype("category")
    write_table(frame, tmp_path / "y.csv")
    assert (tmp_path / "y.csv").read_bytes() == (tmp_path / "x.csv").read_bytes()


@pytest.mark.parametrize("name", ["results.parquet", "results.xlsx"])
def test_text_only(frame, tmp_path, name):
    with pytest.raises(InputError, match=r"no table of text.*\.csv, \.tsv, \.txt"):
        write_table(frame, tmp_path / name)


def test_parquet_reads_back_equal_with_what_is_said_about_it(frame, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    frame = frame.assign(test=pd.Categorical(["b", "a"] * 4, categories=["b", "a", "c"]))
    write_parquet(frame, path, metadata={"lfc": np.float64(0.5), "contrasts": np.eye(2)})
    back = pd.read_parquet(path)
    assert list(back["test"].cat.categories) == ["b", "a", "c"]
    assert back["gene"].tolist() == frame["gene"].tolist()
    np.testing.assert_array_equal(back["pval"], VALUES)
    said = json.loads(parquet.read_schema(path).metadata[b"dex"])
    assert said == {"lfc": 0.5, "contrasts": [[1, 0], [0, 1]]}
    first = path.read_bytes()
    write_parquet(frame, path, metadata={"lfc": np.float64(0.5), "contrasts": np.eye(2)})
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_without_pyarrow(frame, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="pip install pyarrow"):
        write_parquet(frame, tmp_path / "x.parquet", metadata={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["results", "results.xlsx.gz", "results.xls", "results.gz", "results.csv.bz2"]
)
def test_unknown_suffix(frame, tmp_path, name):
    with pytest.raises(InputError, match=r"\.csv, \.tsv, \.txt, \.csv\.gz.*\.parquet, \.xlsx"):
        write_table(frame, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_table(frame, tmp_path, monkeypatch):
    path = tmp_path / "results.csv"
    path.write_text("old")

    def dies(self, stream, **options):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", dies)
    with pytest.raises(OSError, match="No space"):
        write_table(frame, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

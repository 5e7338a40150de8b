"""Tables out: read back to the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.io._tables import write_table

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


@pytest.mark.parametrize("name", ["results", "results.xlsx", "results.gz", "results.csv.bz2"])
def test_unknown_suffix(frame, tmp_path, name):
    with pytest.raises(InputError, match=r"\.csv, \.tsv, \.txt, \.csv\.gz"):
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

"""Gene sets in files."""

import gzip
import logging

import pytest

import dex
from dex.errors import InputError


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "sets.gmt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_what_is_untidy_is_cleaned_and_told(written, caplog):
    text = (
        "\ufeffA\t\tX\tY\t\tX\t\n"
        "\n"
        "B\thttp://b\tMYC,1.0\tHLA-A,0.5\tT, cell\n"
        "EMPTY\tnothing\t\t\n"
        "A\tagain\tY\tX\r\n"
    )
    with caplog.at_level(logging.INFO, logger="dex"):
        sets = dex.io.read_gmt(written(text))
    assert sets == {"A": ["X", "Y"], "B": ["MYC", "HLA-A", "T, cell"]}
    for said in (
        "1 genes that a set names twice",
        "2 weights",
        "1 sets without genes, left out (EMPTY)",
        "1 sets written twice, kept once (A)",
    ):
        assert said in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A\t\tX\nno tabs here\n", "line 2 has no tab: 'no tabs here'"),
        ("A\t\tX\n\n\tX\tY\n", "line 3 begins with a tab"),
        ("A\t\tX\nB\t\tY\nA\t\tZ\n", "lines 1 and 3: 'A' names two sets"),
        ("A\tonly a description\n", "has no gene sets"),
        ("", "has no gene sets"),
    ],
)
def test_what_is_no_set_is_refused_with_its_line(text, said, written):
    with pytest.raises(InputError, match=said):
        dex.io.read_gmt(written(text))


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        dex.io.read_gmt(tmp_path / "none.gmt")
    (tmp_path / "x.gmt").write_bytes(b"A\t\tX\nB\t\t\xff\xfe\n")
    with pytest.raises(InputError, match="line 2 is no UTF-8"):
        dex.io.read_gmt(tmp_path / "x.gmt")
    (tmp_path / "x.gmt").write_bytes(gzip.compress(b"A\t\tX\n")[:-4])
    with pytest.raises(InputError, match="cannot be read"):
        dex.io.read_gmt(tmp_path / "x.gmt")
    damaged = bytearray(gzip.compress(b"A\t\tX\tY\n" * 200))
    damaged[12:20] = b"\xff" * 8
    (tmp_path / "x.gmt").write_bytes(damaged)
    with pytest.raises(InputError, match="cannot be read"):
        dex.io.read_gmt(tmp_path / "x.gmt")


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\x0b", "\x0c"])
def test_lines_end_at_line_feeds_and_carriage_returns_only(character, tmp_path):
    path = tmp_path / "sets.gmt"
    dex.io.write_gmt({"A": ["X", "Y"]}, path, descriptions={"A": f"one{character}two"})
    assert dex.io.read_gmt(path) == {"A": ["X", "Y"]}


@pytest.mark.parametrize("name", ["sets.gmt", "sets.gmt.gz"])
def test_written_sets_are_read_again(name, tmp_path):
    sets = {"A b": ["X", "Y"], "C/D": ["Z"]}
    dex.io.write_gmt(sets, tmp_path / name, descriptions={"A b": "of X"})
    assert dex.io.read_gmt(tmp_path / name) == sets
    raw = (tmp_path / name).read_bytes()
    assert (gzip.decompress(raw) if name.endswith("gz") else raw).startswith(b"A b\tof X\tX\tY\n")


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ({"A": "XYZ"}, "one string"),
        ({"A": []}, "no genes"),
        ({"": ["X"]}, "empty name"),
        ({"A": ["X\tY"]}, "a tab"),
    ],
)
def test_what_gmt_cannot_hold_is_refused(sets, said, tmp_path):
    with pytest.raises(InputError, match=said):
        dex.io.write_gmt(sets, tmp_path / "sets.gmt")
    assert not list(tmp_path.iterdir())

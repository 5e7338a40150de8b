"""The words and numbers that are in people's files."""

from __future__ import annotations

import pytest

from dex.results import COLUMNS, Status
from dex.results.schema import EFFECTS, FORMAT_VERSION, LARGE_RESULT, SHORT_COLUMNS

CODES_IN_FILES = {
    "TESTED": 0,
    "FILTERED": 1,
    "ALL_ZERO": 2,
    "NOT_ESTIMABLE": 3,
    "NO_REPLICATES": 4,
    "CONSTANT": 5,
    "NO_CONVERGENCE": 6,
    "SINGULAR": 7,
    "OUTLIER": 8,
    "LOW_COUNT": 9,
}


@pytest.mark.parametrize(("name", "code"), CODES_IN_FILES.items())
def test_status_codes_never_change(name, code):
    assert Status[name] == code


def test_new_status_codes_are_appended():
    assert [status.value for status in Status] == list(range(len(Status)))
    assert len(Status) >= len(CODES_IN_FILES)


def test_columns_are_known_by_their_names():
    assert all(name == column.name for name, column in COLUMNS.items())
    assert all(column.meaning.endswith(".") for column in COLUMNS.values())
    assert not any("/" in name for name in [*COLUMNS, EFFECTS])


def test_columns_have_scanpys_names():
    theirs = {column.scanpy: name for name, column in COLUMNS.items() if column.scanpy}
    assert theirs == {
        "logfoldchanges": "log2fc",
        "scores": "stat",
        "pvals": "pval",
        "pvals_adj": "padj",
    }


def test_the_short_form_of_a_large_result():
    assert set(SHORT_COLUMNS) <= set(COLUMNS)
    assert (LARGE_RESULT, FORMAT_VERSION) == (100_000_000, 2)

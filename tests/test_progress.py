"""Bars are for who watches."""

from __future__ import annotations

import io
import sys

import pytest

from dex import _progress


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "notebook", "shown"),
    [(_Terminal, False, True), (io.StringIO, False, False), (io.StringIO, True, True)],
)
def test_a_bar_in_terminals_and_notebooks_only(monkeypatch, stream, notebook, shown):
    monkeypatch.setattr(_progress, "_SECONDS_BEFORE_BAR", 0)
    monkeypatch.setattr(sys, "stderr", stream())
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    else:
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(_progress.progress([1, 2], total=2, label="genes")) == [1, 2]
    assert ("genes" in sys.stderr.getvalue()) is shown

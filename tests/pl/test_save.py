from __future__ import annotations

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from PIL import Image

import dex.pl
from dex.errors import InputError

_MORE_THAN_PYPLOT_LIKES = 22
"""It warns of more than 20 figures, and a warning is an error here."""


@pytest.mark.parametrize("draw", [dex.pl.volcano, dex.pl.heatmap])
@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
)
def test_saves_by_suffix_and_leaves_nothing_else(bulk, tmp_path, draw, suffix, start):
    path = tmp_path / f"picture.{suffix}"
    draw(bulk, save=path)
    assert path.read_bytes().startswith(start)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_png_is_85_mm_at_300_dpi(bulk, tmp_path):
    dex.pl.volcano(bulk, save=tmp_path / "v.PNG")
    with Image.open(tmp_path / "v.PNG") as image:
        assert image.width == int(85 / 25.4 * 300)


def test_text_stays_text(bulk, tmp_path):
    dex.pl.volcano(bulk, genes=["gene3"], save=tmp_path / "v.svg")
    assert re.search(r"<text[^>]*>gene3</text>", (tmp_path / "v.svg").read_text())
    dex.pl.volcano(bulk, save=tmp_path / "v.pdf")
    assert b"/Type3" not in (tmp_path / "v.pdf").read_bytes()


@pytest.mark.parametrize("draw", [dex.pl.volcano, dex.pl.heatmap])
def test_refuses_a_missing_folder_or_another_format_before_drawing(bulk, tmp_path, draw):
    with pytest.raises(InputError, match="there is no folder"):
        draw(bulk, save=tmp_path / "none" / "v.png")
    with pytest.raises(InputError, match=r"\.png, \.pdf, \.svg"):
        draw(bulk, save=tmp_path / "v.xlsx")
    assert plt.get_fignums() == []


def test_a_failed_save_leaves_the_old_file(bulk, tmp_path, monkeypatch):
    path = tmp_path / "v.png"
    path.write_text("old")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OSError, match="No space left"):
        dex.pl.volcano(bulk, save=path)
    assert path.read_text() == "old"


@pytest.mark.parametrize("draw", [dex.pl.volcano, dex.pl.heatmap])
def test_many_calls_leave_one_figure(bulk, draw):
    kept = [
        draw(bulk, genes=["gene1", "gene2"], **no_labels(draw))
        for _ in range(_MORE_THAN_PYPLOT_LIKES)
    ]
    assert len(plt.get_fignums()) == 1  # and no warning, which would be an error here
    assert plt.gcf() is kept[-1].figure
    assert kept[0].figure.axes  # a figure that left pyplot's list is whole


def no_labels(draw) -> dict[str, int]:
    return {"n_labels": 0} if draw is dex.pl.volcano else {}


def test_pyplot_finds_the_figure_unless_it_is_returned(bulk):
    ax = dex.pl.heatmap(bulk)
    assert plt.gca() is ax
    plt.close("all")
    dex.pl.volcano(bulk, return_fig=True)
    assert plt.get_fignums() == []


def test_other_figures_stay_open(bulk):
    mine = plt.figure()
    dex.pl.volcano(bulk)
    dex.pl.volcano(bulk)
    assert mine.number in plt.get_fignums()


def test_show_does_nothing_without_a_window(bulk):
    assert dex.pl.volcano(bulk, show=True) is not None


def test_shows_where_there_is_one(bulk, monkeypatch):
    shown = []
    monkeypatch.setattr("dex.pl._save.can_show", lambda: True)
    monkeypatch.setattr(plt, "show", lambda: shown.append(len(plt.get_fignums())))
    for _ in range(_MORE_THAN_PYPLOT_LIKES):
        dex.pl.volcano(bulk, n_labels=0)
    assert shown == []
    assert (
        len(plt.get_fignums()) == _MORE_THAN_PYPLOT_LIKES
    )  # all of a notebook's cell, without a warning
    dex.pl.volcano(bulk, show=True)
    dex.pl.volcano(bulk, show=True, return_fig=True)
    assert shown == [_MORE_THAN_PYPLOT_LIKES + 1]
    assert mpl.rcParams["figure.max_open_warning"] == 20

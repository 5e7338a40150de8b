from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import dex.pl
from dex.pl._strips import Levels, Numbers, palette, strip_of


@pytest.mark.parametrize("n", [1, 8, 9, 24, 25, 60])
def test_colours_differ(n):
    assert len(set(palette(n))) == n


def test_further_colours_are_shades_of_the_first_eight():
    colours = np.array([to_rgb(colour) for colour in palette(24)])
    np.testing.assert_allclose(colours[8:16], colours[:8] / 2, atol=0.01)
    np.testing.assert_allclose(colours[16:], (colours[:8] + 1) / 2, atol=0.01)


def test_columns_are_levels_or_numbers(bulk):
    assert isinstance(strip_of(bulk, "age"), Numbers)
    batch = strip_of(bulk, "batch")
    assert isinstance(batch, Levels)
    assert batch.codes.tolist() == [0, 1] * 4
    assert [name for name, _ in batch.legend()] == ["a", "b"]


def test_missing_values_are_white(bulk):
    bulk.obs["arm"] = ["x", None, "y", "y", "x", "x", np.nan, "y"]
    arm = strip_of(bulk, "arm")
    assert (arm.rgb()[[1, 6]] == 1).all()
    assert arm.legend()[-1] == ("missing", "#ffffff")


def test_colours_of_a_column_are_the_same_in_all_figures(bulk):
    bulk.obsm["X_pca"] = np.random.default_rng(0).normal(0, 1, (8, 2))
    expected = {to_rgb(colour) for _, colour in strip_of(bulk, "batch").legend()}
    ax = dex.pl.pca(bulk, "batch")
    drawn = [c for c in ax.collections if c.get_label() == "points"]
    assert {tuple(rgb[:3]) for c in drawn for rgb in c.get_facecolor()} == expected
    for order in (["age", "batch"], ["batch", "age"]):
        figure = dex.pl.heatmap(bulk, annotations=order, return_fig=True)
        bar = next(ax for ax in figure.axes if ax.get_label() == "bar of batch")
        rgb = np.vstack([np.asarray(image.get_array())[0] for image in bar.images])
        assert {tuple(one) for one in rgb} == expected


def test_columns_have_colours_of_their_own_unless_given(bulk):
    first, second = (strip_of(bulk, name).colours[0] for name in ("condition", "batch"))
    assert first != second
    bulk.uns["batch_colors"] = ["#111111", "#222222"]
    assert strip_of(bulk, "batch").colours == ("#111111", "#222222")


def test_text_is_in_natural_order(bulk):
    bulk.obs["time"] = ["t10", "t2", "t1", "t10", "t2", "t1", "t10", "t2"]
    bulk.obs["cluster"] = ["10", "9", "-1", "9", "10", "2", "2", "2"]
    assert strip_of(bulk, "time").names == ("t1", "t2", "t10")
    assert strip_of(bulk, "cluster").names == ("-1", "2", "9", "10")


@pytest.mark.parametrize("offset", range(7))
def test_grey_comes_last(offset):
    assert palette(8, offset=offset)[-1] == "#999999"
    assert len(set(palette(8, offset=offset))) == 8

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from dex.pl._strips import Levels, Numbers, palette, strip_of


@pytest.mark.parametrize("n", [1, 8, 9, 24, 25, 60])
def test_colours_differ(n):
    assert len(set(palette(n))) == n


def test_further_colours_are_shades_of_the_first_eight():
    colours = np.array([to_rgb(colour) for colour in palette(24)])
    np.testing.assert_allclose(colours[8:16], colours[:8] / 2, atol=0.01)
    np.testing.assert_allclose(colours[16:], (colours[:8] + 1) / 2, atol=0.01)


def test_columns_are_levels_or_numbers(bulk):
    assert isinstance(strip_of(bulk, "age", offset=0), Numbers)
    batch = strip_of(bulk, "batch", offset=0)
    assert isinstance(batch, Levels)
    assert batch.codes.tolist() == [0, 1] * 4
    assert [name for name, _ in batch.legend()] == ["a", "b"]


def test_missing_values_are_white(bulk):
    bulk.obs["arm"] = ["x", None, "y", "y", "x", "x", np.nan, "y"]
    arm = strip_of(bulk, "arm", offset=0)
    assert (arm.rgb()[[1, 6]] == 1).all()
    assert arm.legend()[-1] == ("missing", "#ffffff")

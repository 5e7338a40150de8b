"""Codes are checked once, and sides are counted."""

import numpy as np
import pytest

from dex.errors import InputError
from dex.stats.grouping import Grouping
from dex.typing import REST


def test_sizes_and_sides():
    grouping = Grouping.of(np.array([0, 1, 1, -1, 2, 2]), 4, 6)
    assert grouping.codes.dtype == np.int32
    assert grouping.sizes.tolist() == [1, 2, 2, 0]
    tests = np.array([[1, 0], [0, REST], [3, 2]])
    assert grouping.of_sides(tests).tolist() == [[2, 1], [1, 4], [0, 2]]


def test_what_was_checked_is_measured_only():
    grouping = Grouping.of(np.zeros(3, np.intp), 1, 3)
    assert Grouping.of(grouping, 1, 3) is grouping
    with pytest.raises(InputError, match="4 observations need"):
        Grouping.of(grouping, 1, 4)


@pytest.mark.parametrize(("codes", "says"), [([0, 2], "0 to 1"), ([-2, 0], "0 to 1")])
def test_codes_out_of_range(codes, says):
    with pytest.raises(InputError, match=says):
        Grouping.of(np.array(codes), 2, 2)

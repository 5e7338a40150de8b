import numpy as np
import pandas as pd
import pytest

from dex.design.matrix import Design
from dex.errors import DesignError, InputError

OBS = pd.DataFrame({"drug": list("aabb")}, index=["s0", "s1", "s2", "s3"])
MATRIX = np.array([[1, 0.0], [1, 0], [1, 1], [1, 1]])


def test_array():
    design = Design.from_obs(OBS, MATRIX)
    assert design.columns == ("x0", "x1")
    np.testing.assert_array_equal(design.matrix, MATRIX)
    assert design.formula is None
    assert design.terms == {"x0": (0,), "x1": (1,)}


def test_data_frame_is_matched_by_name():
    frame = pd.DataFrame(MATRIX, index=OBS.index, columns=["one", "b"])
    shuffled = frame.iloc[[3, 1, 0, 2]]
    np.testing.assert_array_equal(Design.from_obs(OBS, shuffled).matrix, MATRIX)
    np.testing.assert_array_equal(Design.from_obs(OBS, frame.reset_index(drop=True)).matrix, MATRIX)
    with pytest.raises(InputError, match=r"not that of obs; it lacks 's3'"):
        Design.from_obs(OBS, frame.rename({"s3": "t3"}))


def test_missing_and_boolean():
    frame = pd.DataFrame(
        {
            "one": [1, 1, 1, 1],
            "b": pd.array([0, None, 1, 1], dtype="Int64"),
            "c": [True, True, True, False],
        },
        index=OBS.index,
    )
    design = Design.from_obs(OBS, frame)
    assert design.kept.tolist() == [True, False, True, True]
    assert design.matrix.tolist() == [[1, 0, 1], [1, 1, 1], [1, 1, 0]]
    assert design.notes == ("1 of 4 observations miss 'b' and were left out.",)


def test_rank_deficient():
    assert Design.from_obs(OBS, np.hstack([MATRIX, MATRIX[:, :1]])).aliased == ("x2",)


@pytest.mark.parametrize(
    ("design", "error", "message"),
    [
        (MATRIX[:3], InputError, "3 rows, and obs has 4 observations"),
        (MATRIX[:, 0], InputError, "2 dimensions"),
        (np.array([["a"]] * 4), InputError, "matrix of numbers"),
        (np.where(MATRIX == 0, np.inf, 1), InputError, "columns 'x1' of the design matrix are inf"),
        (np.eye(4, 5), DesignError, "5 coefficients for 4 observations"),
        (np.empty((4, 0)), DesignError, "has no column"),
        (OBS, InputError, "columns 'drug' of the design matrix hold labels; write a formula"),
    ],
)
def test_errors(design, error, message):
    with pytest.raises(error, match=message):
        Design.from_obs(OBS, design)


def test_references_belong_to_a_formula():
    with pytest.raises(InputError, match="coded already"):
        Design.from_obs(OBS, MATRIX, references={"drug": "a"})

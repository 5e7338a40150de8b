import numpy as np
import pandas as pd
import pytest

from dex.design.matrix import Design
from dex.design.reduced import dropped_coefficients
from dex.errors import InputError

OBS = pd.DataFrame(
    {"drug": ["a", "b", "c"] * 4, "batch": list("xxxxxxyyyyyy"), "age": np.arange(12.0)}
)


@pytest.mark.parametrize(
    ("full", "reduced", "dropped"),
    [
        ("~ batch + drug", "~ batch", ["drug[T.b]", "drug[T.c]"]),
        ("~ batch + drug", "~ 1", ["batch[T.y]", "drug[T.b]", "drug[T.c]"]),
        ("~ batch * drug", "~ batch + drug", ["batch[T.y]:drug[T.b]", "batch[T.y]:drug[T.c]"]),
        ("~ age + batch", "~ batch", ["age"]),
    ],
)
def test_what_is_dropped(full, reduced, dropped):
    design = Design.from_obs(OBS, full)
    assert dropped_coefficients(OBS, design, reduced) == dropped
    rank = np.linalg.matrix_rank(Design.from_obs(OBS, reduced).matrix)
    assert rank + len(dropped) == design.matrix.shape[1]


@pytest.mark.parametrize(
    ("reduced", "words"),
    [
        ("~ age", "reduced='~ age' has 'age', which design='~ batch + drug' lacks"),
        ("~ drug + batch", "has all terms of design='~ batch + drug'"),
        (["batch"], "is no formula"),
    ],
)
def test_what_is_no_reduced_design(reduced, words):
    with pytest.raises(InputError) as error:
        dropped_coefficients(OBS, Design.from_obs(OBS, "~ batch + drug"), reduced)
    assert words in str(error.value)

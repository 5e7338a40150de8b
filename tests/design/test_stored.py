"""A design survives being taken apart."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from dex.design.contrasts import contrast_set
from dex.design.matrix import Design
from dex.design.stored import StoredDesign

OBS = pd.DataFrame(
    {
        "drug": ["ctrl", "a", "b"] * 4,
        "C57BL/6J": list("xxxxxxyyyyyy"),
        "age": [*np.arange(10.0), np.nan, 3.0],
    }
)
OBS["copy"] = OBS["drug"]


@pytest.mark.parametrize(
    "formula",
    [
        "~ drug",
        "~ 0 + drug + age",
        "~ drug * `C57BL/6J`",
        "~ drug + copy",
        "~ drug:age",
        "~ poly(age, 2) + drug",
    ],
)
def test_round_trip(formula):
    design = Design.from_obs(OBS, formula)
    again = StoredDesign.of(design).design()
    for field in fields(Design):
        ours, theirs = getattr(again, field.name), getattr(design, field.name)
        if field.name == "notes":
            assert ours == ()
        elif isinstance(theirs, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
        elif field.name == "factors":
            for one, other in zip(ours, theirs, strict=True):
                for part in fields(one):
                    np.testing.assert_array_equal(
                        getattr(one, part.name), getattr(other, part.name)
                    )
        else:
            assert ours == theirs


def test_contrasts_are_read_as_before():
    design = Design.from_obs(OBS, "~ drug * `C57BL/6J` + age")
    again = StoredDesign.of(design).design()
    for contrast in [("drug", "a", "b"), "(a + b)/2 - ctrl", "age"]:
        before, after = contrast_set(design, contrast), contrast_set(again, contrast)
        np.testing.assert_array_equal(after.vectors, before.vectors)
        assert after.infos == before.infos

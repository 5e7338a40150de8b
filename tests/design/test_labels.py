import numpy as np
import pandas as pd
import pytest

from dex.design.labels import Labels, column_of, is_numeric
from dex.errors import InputError


def labels(values, **kwargs):
    return Labels.from_column(pd.Series(values, name="x", **kwargs))


def test_strings_are_sorted_naturally():
    found = labels(["c10", "c9", "c10", "c1"])
    assert found.levels == ("c1", "c9", "c10")
    assert found.codes.tolist() == [2, 1, 2, 0]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([True, False, True], ("False", "True")),
        ([10, 9, 1], ("1", "9", "10")),
        ([2.0, 1.0, np.nan], ("1", "2")),
        (pd.array([3, 1, None], dtype="Int64"), ("1", "3")),
        (pd.array([True, None, False], dtype="boolean"), ("False", "True")),
        (pd.array(["b", None, "a"], dtype="string"), ("a", "b")),
        (pd.Categorical([2, 1, 2], categories=[2, 1, 7]), ("2", "1")),
        (pd.Categorical(["b", None, "a"], categories=["b", "z", "a"]), ("b", "a")),
        (pd.Categorical([0.5, 1.5]), ("0.5", "1.5")),
    ],
)
def test_every_kind_of_column_becomes_strings(values, levels):
    found = labels(values)
    assert found.levels == levels
    plain = [None if pd.isna(value) else value for value in values]
    back = [None if code < 0 else found.levels[code] for code in found.codes]
    assert [value is None for value in back] == [value is None for value in plain]
    assert all(
        text in {str(value), str(value).removesuffix(".0")}
        for text, value in zip(back, plain, strict=True)
        if value is not None
    )


def test_order_is_known():
    assert labels(pd.Categorical(["a", "b"], ordered=True)).ordered
    assert not labels(["a", "b"]).ordered


def test_values_that_read_alike_are_refused():
    with pytest.raises(InputError, match=r"obs\['x'\] holds different values that read alike: '1'"):
        labels([1, "1"], dtype=object)


def test_column_of():
    obs = pd.DataFrame([[1, 2, 3]], columns=["drug", "twin", "twin"])
    assert column_of(obs, "drug", argument="groupby").tolist() == [1]
    with pytest.raises(InputError) as error:
        column_of(obs, "drugs", argument="groupby")
    assert str(error.value) == (
        "groupby='drugs' is not in obs; it has 'drug', 'twin', 'twin'. Did you mean 'drug'?"
    )
    with pytest.raises(InputError, match="2 columns called 'twin'"):
        column_of(obs, "twin", argument="groupby")
    with pytest.raises(InputError, match="must be the name of one column"):
        column_of(obs, ["drug"], argument="groupby")


def test_numbers_in_an_object_column_are_numbers():
    obs = pd.DataFrame({"age": pd.Series([1, 2.5], dtype=object)})
    assert is_numeric(column_of(obs, "age", argument="design"))
    assert not is_numeric(pd.Series([True]))
    assert not is_numeric(pd.Series(pd.Categorical([1, 2])))

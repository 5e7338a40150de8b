import numpy as np
import pandas as pd
import pytest

from dex.design.groups import Groups, two_sample_tests
from dex.errors import InputError
from dex.typing import REST


def groups(values, **kwargs):
    return Groups.from_obs(pd.DataFrame({"drug": values}), "drug", **kwargs)


def names(found, **kwargs):
    return [info.name for info in two_sample_tests(found, **kwargs).infos]


def test_unused_categories_are_gone():
    found = groups(pd.Categorical(["b", "a"], categories=["z", "b", "a"]))
    assert found.levels == ("b", "a")
    assert found.codes.tolist() == [0, 1]
    assert found.codes.dtype == np.intp


def test_missing_labels_are_left_out_and_said():
    found = groups(["a", None, "b", np.nan, "a"])
    assert found.codes.tolist() == [0, -1, 1, -1, 0]
    assert found.sizes.tolist() == [2, 1]
    assert found.kept.tolist() == [True, False, True, False, True]
    assert "2 of 5 observations have no label in obs['drug'] and were left out." in found.notes


def test_direction_is_said_for_two_levels():
    assert groups(["dex", "ctrl"]).notes == (
        "Positive log2fc = higher in 'dex'; the reference is 'ctrl' (its name means control).",
    )
    assert groups(["a", "b", "c"]).notes == ()


def test_unknown_column_lists_columns():
    with pytest.raises(InputError) as error:
        Groups.from_obs(pd.DataFrame({"drug": ["a"], "donor": ["b"]}), "Drugs")
    assert "groupby='Drugs' is not in obs; it has 'drug', 'donor'." in str(error.value)
    assert "Did you mean 'drug'?" in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "a", None], r"one group only, 'a' \(2 observations\); a comparison needs two"),
        ([], "no observation"),
        ([None, None], "missing values only"),
    ],
)
def test_too_few_groups(values, message):
    with pytest.raises(InputError, match=message):
        groups(pd.Series(values, dtype=object))


def test_continuous_column_is_refused():
    ages = np.linspace(20.5, 60, 12)
    with pytest.raises(InputError, match=r"continuous \(12 different .* use design='~ drug'"):
        groups(ages)
    assert groups(np.repeat([0.5, 1.0], 3)).levels == ("0.5", "1")
    assert groups([0.0, 1.0]).levels == ("0", "1")


def test_two_levels_make_one_test():
    found = groups(["ctrl", "dex"])
    tests = two_sample_tests(found)
    assert tests.tests.tolist() == [[1, 0]]
    info = tests.infos[0]
    assert (info.name, info.kind, info.group, info.reference) == (
        "dex vs ctrl", "group", "dex", "ctrl",
    )  # fmt: skip


def test_more_levels_are_tested_against_the_rest():
    tests = two_sample_tests(groups(["a", "ctrl", "c"]))
    assert tests.tests.tolist() == [[0, REST], [1, REST], [2, REST]]
    assert tests.infos[0].reference == "rest"


def test_reference_given():
    found = groups(["a", "b", "c"], reference="b")
    tests = two_sample_tests(found, reference="b")
    assert tests.tests.tolist() == [[0, 1], [2, 1]]
    assert names(found, reference="b") == ["a vs b", "c vs b"]


def test_rest_given():
    found = groups(["a", "b"], reference="rest")
    assert found.reference is None
    assert two_sample_tests(found, reference="rest").tests.tolist() == [[0, REST], [1, REST]]


def test_groups_tested():
    found = groups(["a", "b", "c"])
    assert names(found, groups_tested=["c", "a"]) == ["c vs rest", "a vs rest"]
    assert names(found, groups_tested=["c", "a"], reference="a") == ["c vs a"]
    with pytest.raises(
        InputError, match=r"groups='d' is not in obs\['drug'\]; it has 'a', 'b', 'c'"
    ):
        names(found, groups_tested=["d"])
    with pytest.raises(InputError, match="only the reference"):
        names(found, groups_tested=["a"], reference="a")


def test_a_level_called_rest():
    two = groups(["T", "rest"])
    assert names(two) == ["rest vs T"]
    assert names(groups(["T", "rest"], reference="rest"), reference="rest") == ["T vs rest"]
    three = groups(["B", "T", "rest"])
    assert names(three, reference="B") == ["T vs B", "rest vs B"]
    for reference in (None, "rest"):
        with pytest.raises(InputError, match="a level called 'rest'"):
            names(three, reference=reference)


def test_ten_thousand_groups():
    found = groups([f"g{i}" for i in range(10_000)])
    assert found.levels[2] == "g2"
    assert len(two_sample_tests(found).infos) == 10_000


def test_numbers_that_are_taken_for_groups_are_said():
    assert "holds numbers, and each of the 3 is a group" in groups([1, 2, 4]).notes[0]
    assert "design='~ drug' fits a slope" in groups([1, 2, 4]).notes[0]
    for labels in ([1, 2, 1], ["1", "2", "4"], pd.Categorical([1, 2, 4])):
        assert not any("holds numbers" in note for note in groups(labels).notes)

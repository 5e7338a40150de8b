import pandas as pd
import pytest

from dex.design.labels import Labels
from dex.design.reference import choose_reference, means_control
from dex.errors import InputError


def choose(values, given=None):
    labels = Labels.from_column(pd.Series(values))
    chosen = choose_reference(labels, column="drug", given=given)
    return labels.levels[chosen.index], chosen


@pytest.mark.parametrize(
    "name",
    """control|Ctrl|CTL|con|Untreated|unstim|un-stimulated|untrt|WT|wild type|Wild-Type|wildtype|
    vehicle|veh|DMSO|mock|non-targeting|nontargeting|Non_Targeting|NT|NTC|scramble|scrambled|
    placebo|Healthy|normal|baseline|naive|Sham|uninfected|unexposed|none|PBS|empty vector|EV|neg|
    negative control|+/+|healthy control|safe-targeting""".replace("\n", "").split("|"),
)
def test_control_names(name):
    assert means_control(name.strip())
    assert choose(["a", name, "b"])[0] == name


@pytest.mark.parametrize("name", ["controlled", "treated", "normalised", "CD4 naive", "-/-", "x"])
def test_other_names(name):
    assert not means_control(name)


def test_given_wins():
    assert choose(["ctrl", "a"], given="a")[0] == "a"
    assert choose([0, 1, 2], given=1)[0] == "1"


def test_given_must_be_there():
    with pytest.raises(InputError) as error:
        choose(["ctrl", "a", "b"], given="ctl")
    assert str(error.value) == (
        "reference='ctl' is not in obs['drug']; it has 'a', 'b', 'ctrl'. Did you mean 'ctrl'?"
    )


def test_unused_category_is_not_there():
    with pytest.raises(InputError, match="'z' is not in"):
        choose(pd.Categorical(["a", "b"], categories=["z", "a", "b"]), given="z")


def test_order_wins_over_names():
    ordered = pd.Categorical(["low", "ctrl"], categories=["low", "ctrl"], ordered=True)
    level, chosen = choose(ordered)
    assert level == "low"
    assert "ordered" in chosen.reason


def test_name_wins_over_place():
    level, chosen = choose(pd.Categorical(["a", "DMSO"], categories=["a", "DMSO"]))
    assert level == "DMSO"
    assert chosen.reason == "its name means control"


def test_first_level_where_nothing_speaks():
    level, chosen = choose(["b", "a"])
    assert (level, chosen.reason, chosen.notes) == ("a", "the first level", ())


def test_two_controls_are_said():
    level, chosen = choose(["drug", "healthy", "untreated"])
    assert level == "drug"
    assert "'healthy' and 'untreated'" in chosen.notes[0]
    assert "reference=" in chosen.notes[0]


@pytest.mark.parametrize("weak", "NC NT EV con none neg naive hc normal baseline ref".split())  # noqa: SIM905 - as above
@pytest.mark.parametrize("strong", ["WT", "control", "vehicle", "+/+", "untreated"])
def test_a_name_that_means_nothing_else_wins(weak, strong):
    level, chosen = choose([weak, strong, "a"])
    assert (level, chosen.reason, chosen.notes) == (strong, "its name means control", ())


def test_ambiguous_names_among_themselves():
    assert choose(["a", "NC", "x"])[0] == "NC"
    level, chosen = choose(["A", "EV", "none"])
    assert level == "A"
    assert "'EV' and 'none'" in chosen.notes[0]
    assert "'WT' and 'ctrl'" in choose(["EV", "WT", "ctrl"])[1].notes[0]


def test_a_disease_is_no_control():
    assert not means_control("HD")
    assert choose(["HD", "WT"])[0] == "WT"

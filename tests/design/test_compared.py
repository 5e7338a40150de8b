import numpy as np
import pandas as pd
import pytest

from dex.design.compared import compared_columns
from dex.design.comparison import Comparison


@pytest.fixture(scope="module")
def obs():
    n = 48
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "drug": pd.Categorical(np.resize(["b", "ctrl", "a", "5"], n)),
            "sex": np.repeat(["f", "m"], n // 2),
            "donor": np.resize([f"d{i}" for i in range(5)], n),
            "batch": np.resize([1, 1, 2, 2, 3, 3, 3], n),
            "age": np.where(np.arange(n) == 3, np.nan, rng.normal(50, 9, n)),
            "cell type": np.resize(["CD4/CD8 T", "B", "B"], n),
        }
    )


def compared(obs, *, groupby=None, design=None, contrasts=None):
    return compared_columns(obs, groupby=groupby, design=design, contrasts=contrasts)


def test_groupby_wins(obs):
    assert compared(obs, groupby="drug", design="~ drug + sex") == ("drug",)
    assert compared(obs, groupby="age") == ("age",)
    assert compared(obs, groupby="drug", contrasts=("sex", "f", "m")) == ("drug",)


@pytest.mark.parametrize("design", [None, "~ donor + drug + sex"])
def test_tuples(obs, design):
    one, other = ("drug", "a", "ctrl"), ("sex", "f", "m")
    for form in (one, [one], [one, ("drug", "b", "rest")], {"mine": one}, [{"x": [one]}]):
        assert compared(obs, design=design, contrasts=form) == ("drug",)
    assert compared(obs, design=design, contrasts=[one, other]) == ("drug", "sex")
    assert compared(obs, design=design, contrasts={"x": other, "y": one}) == ("sex", "drug")


@pytest.mark.parametrize(
    ("design", "contrasts", "expected"),
    [
        ("~ donor + drug", "a - ctrl", ("drug",)),
        ("~ donor + drug", "(a + b)/2 - ctrl", ("drug",)),
        ("~ donor + drug", "0.5*a + 0.5*b - ctrl", ("drug",)),
        ("~ donor + drug", "drug[T.a]", ("drug",)),
        ("~ donor + drug", ["d1 - d0", "a - b"], ("donor", "drug")),
        ("~ donor + drug", {"x": "a - b"}, ("drug",)),
        ("~ 0 + drug + sex", "a - 5", ("drug",)),
        ("~ drug * sex", "drug[T.a]:sex[T.m]", ("drug", "sex")),
        ("~ drug + age", "age", ("age",)),
        ("~ drug + poly(age, 3)", "poly(age, 3)[2]", ("age",)),
        ("~ donor + `cell type`", "`CD4/CD8 T` - B", ("cell type",)),
        ("~ donor + C(batch)", "3 - 1", ("batch",)),
        ("~ donor + C(batch)", ("C(batch)", "3", "1"), ("batch",)),
        ("~ sex + drug", [0, 0, 1, 0, 0], ("drug",)),
        ("~ sex + drug", np.eye(5)[1:3], ("sex", "drug")),
        ("~ sex + drug", [np.eye(5)[1], "a - b"], ("sex", "drug")),
        ("~ sex + drug", {"x": np.eye(5)[4]}, ("drug",)),
        ("~ sex + drug", tuple(np.eye(5, dtype=np.intp)[4]), ("drug",)),
    ],
)
def test_expressions_and_vectors(obs, design, contrasts, expected):
    assert compared(obs, design=design, contrasts=contrasts) == expected
    Comparison.from_obs(obs, model=True, design=design, contrasts=contrasts)  # they can be read


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("~ donor + drug", ("drug",)),
        ("~ drug + bs(age, df=4)", ("age",)),
        ("~ drug * sex", ("drug", "sex")),
        ("~ sex + C(batch)", ("batch",)),
        ("~ I(age * batch)", ("age", "batch")),
        ("~ 1", ()),
    ],
)
def test_the_last_term(obs, design, expected):
    assert compared(obs, design=design) == expected


def test_levels_in_use_only(obs):
    missing = obs.assign(age=obs["age"].where(obs["drug"] != "5"))
    assert compared(missing, design="~ drug + age", contrasts=[0, 0, 1, 0]) == ("drug",)


def test_all_labels_where_only_the_design_could_tell():
    obs = pd.DataFrame({"cell": [f"c{i}" for i in range(5000)], "x": np.arange(5000.0)})
    obs["drug"] = np.resize(["a", "b"], 5000)
    assert compared(obs, design="~ cell + x + drug", contrasts="b - a") == ("cell", "drug")


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"groupby": "nothing"},
        {"groupby": ["drug"]},
        {"design": "~ nothing"},
        {"design": "~ ("},
        {"design": "~ 0"},
        {"design": np.ones((48, 1))},
        {"design": np.ones((48, 1)), "contrasts": [1]},
        {"design": "~ drug", "contrasts": "nothing - a"},
        {"design": "~ drug", "contrasts": "a"},
        {"design": "~ drug", "contrasts": [1, 2]},
        {"design": "~ drug", "contrasts": []},
        {"design": "~ drug", "contrasts": {}},
        {"design": "~ drug", "contrasts": np.empty((0, 4))},
        {"design": "~ drug", "contrasts": object()},
        {"design": "~ drug", "contrasts": [[[]]]},
        {"design": "~ drug", "contrasts": "(" * 5000},
        {"design": "~ I(" + "-" * 1900 + "age)"},
        {"design": "~ drug", "contrasts": 3},
        {"design": "~ drug", "contrasts": [None]},
        {"design": "~ drug", "contrasts": ["drug", "a", "b"]},
        {"design": "~ drug", "contrasts": ("nothing", "a", "b")},
        {"contrasts": "a - b"},
        {"contrasts": ("drug", "a")},
        {"design": "~ log(drug)", "contrasts": "a - b"},
    ],
)
def test_never_raises(obs, question):
    assert compared(obs, **question) == ()


def test_reads_no_values_where_none_are_needed(obs):
    assert compared(obs.iloc[:0], design="~ sex + drug") == ("drug",)
    assert compared(obs.iloc[:0], design="~ sex + drug", contrasts="a - b") == ()
    assert compared(obs.assign(one="x"), design="~ one + drug", contrasts="a - b") == ()

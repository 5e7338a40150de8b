import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dex.design.contrasts import LevelPair, contrast_set
from dex.design.matrix import Design
from dex.errors import DesignError, InputError
from dex.typing import REST

SOLVED = 1e-8
"""An estimate by lstsq of a well-conditioned design."""


@pytest.fixture(scope="module")
def obs():
    rng = np.random.default_rng(1)
    n = 60
    return pd.DataFrame(
        {
            "drug": rng.choice(["ctrl", "a", "b"], n),
            "genotype": pd.Categorical(rng.choice(["wt", "ko"], n), ["wt", "ko"]),
            "age": rng.normal(50, 9, n),
            "y": rng.normal(size=n),
        }
    )


def estimate(design, contrasts, y):
    beta = np.linalg.lstsq(design.matrix, y[design.kept], rcond=None)[0]
    return contrast_set(design, contrasts).vectors @ beta


def names(found):
    return [info.name for info in found.infos]


def test_tuple_string_coefficient_and_vector_agree(obs):
    design = Design.from_obs(obs, "~ age + genotype + drug")
    y = obs["y"].to_numpy()
    unit = [0, 0, 0, 0, 1]
    spellings = [("drug", "b", "ctrl"), "b - ctrl", "`b` - ctrl", "drug[T.b]", unit, np.array(unit)]
    values = [estimate(design, spelling, y) for spelling in spellings]
    for value in values:
        assert value == pytest.approx(values[0], abs=SOLVED)
    for spelling in spellings:
        found = contrast_set(design, spelling)
        assert (found.infos[0].group, found.infos[0].reference) == ("b", "ctrl")
        assert found.pairs == (LevelPair("drug", 2, 0),)


def test_the_same_in_every_coding(obs):
    y = obs["y"].to_numpy()
    codings = [
        "~ age + drug",
        "~ 0 + drug + age",
        "~ age + C(drug, Treatment('b'))",
        "~ 0 + age + drug",
    ]
    for contrast in (("drug", "a", "b"), "(a + b)/2 - ctrl", ("drug", "a", "rest")):
        values = [estimate(Design.from_obs(obs, text), contrast, y)[0] for text in codings]
        np.testing.assert_allclose(values, values[0], atol=SOLVED)


def test_difference_of_means(obs):
    design = Design.from_obs(obs, "~ drug")
    means = obs.groupby("drug")["y"].mean()
    y = obs["y"].to_numpy()
    found = estimate(design, [("drug", "a", "b"), ("drug", "a", "rest")], y)
    rest = (means["b"] + means["ctrl"]) / 2
    np.testing.assert_allclose(found, [means["a"] - means["b"], means["a"] - rest], atol=SOLVED)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    formula=st.sampled_from(["~ x", "~ 0 + x", "~ z + x", "~ x * z"]),
)
def test_swapping_the_sides_flips_the_sign(seed, formula):
    rng = np.random.default_rng(seed)
    obs = pd.DataFrame({"x": np.resize(["p", "q", "r"], 24), "z": rng.normal(size=24)})
    y = rng.normal(size=24)
    design = Design.from_obs(obs, formula)
    one, other = estimate(design, [("x", "p", "q"), ("x", "q", "p")], y)
    assert one == pytest.approx(-other, abs=SOLVED)
    releveled = Design.from_obs(obs, formula, references={"x": "r"})
    assert estimate(releveled, ("x", "p", "q"), y)[0] == pytest.approx(one, abs=SOLVED)


def test_kinds_and_names(obs):
    design = Design.from_obs(obs, "~ age + drug")
    found = contrast_set(
        design,
        [
            "age",
            "drug[T.a]",
            ("drug", "b", "a"),
            ("drug", "b", "rest"),
            "a + age - ctrl",
            [0, 1, 0, -2],
        ],
    )
    assert [(i.name, i.kind, i.group, i.reference) for i in found.infos] == [
        ("age", "coefficient", "", ""),
        ("drug[T.a]", "coefficient", "a", "ctrl"),
        ("b vs a", "group", "b", "a"),
        ("b vs rest", "group", "b", "rest"),
        ("a + age - ctrl", "contrast", "", ""),
        ("age - 2*drug[T.b]", "contrast", "", ""),
    ]
    assert found.pairs[3] == LevelPair("drug", 2, REST)
    assert found.vectors[3].tolist() == [0, 0, -0.5, 1]


def test_dict_and_matrix(obs):
    design = Design.from_obs(obs, "~ drug")
    found = contrast_set(
        design, {"one": ("drug", "a", "b"), "two": "drug[T.b]", "three": [0, 1, 1]}
    )
    assert names(found) == ["one", "two", "three"]
    assert found.vectors.tolist() == [[0, 1, -1], [0, 0, 1], [0, 1, 1]]
    rows = contrast_set(design, np.array([[0, 1, -1], [0, 0, 1.5]]))
    assert names(rows) == ["drug[T.a] - drug[T.b]", "1.5*drug[T.b]"]
    with pytest.raises(
        InputError, match="'pair' must be a name, a string, of one contrast; it has 2"
    ):
        contrast_set(design, {"pair": ["drug[T.a]", "drug[T.b]"]})


def test_interaction_notes_say_where(obs):
    design = Design.from_obs(obs, "~ genotype * drug + age:drug")
    found = contrast_set(design, ("drug", "a", "ctrl"))
    assert found.notes == (
        "'a vs ctrl' is the effect where genotype = wt and age = 0, as the design has it.",
    )
    in_ko = contrast_set(design, "drug[T.a] + genotype[T.ko]:drug[T.a]")
    assert in_ko.notes == ()
    y = obs["y"].to_numpy()
    crossed = Design.from_obs(obs, "~ genotype * drug")
    means = obs.groupby(["genotype", "drug"], observed=True)["y"].mean()
    value = estimate(crossed, ["a - ctrl", "drug[T.a] + genotype[T.ko]:drug[T.a]"], y)
    wanted = [means[g, "a"] - means[g, "ctrl"] for g in ("wt", "ko")]
    np.testing.assert_allclose(value, wanted, atol=SOLVED)


def test_a_mean_is_no_difference(obs):
    found = contrast_set(Design.from_obs(obs, "~ 0 + drug"), "drug[a]")
    assert found.notes == ("'drug[a]' tests a mean of 'drug' against 0, not a difference.",)


@pytest.mark.parametrize(
    ("contrasts", "message"),
    [
        (("drug", "x", "ctrl"), r"group='x' is not in obs\['drug'\]; it has 'ctrl', 'a', 'b'"),
        (("drug", "a", "ctl"), r"reference='ctl' is not in .* Did you mean 'ctrl'"),
        (("drug", "a", "a"), "compares 'a' with itself"),
        (("drug", "a"), r"is not \(column, group, reference\)"),
        (
            ("dose", "a", "b"),
            "'dose' is not a factor of design='~ age . drug'; its factors are 'drug'",
        ),
        (("age", "a", "b"), r"'age' is numeric .* C\(age\) .* contrasts='age'"),
        (["drug", "a", "b"], r"a list of three contrasts; one is a tuple, \('drug', 'a', 'b'\)"),
        ([0, 1], r"4 columns 'Intercept', 'age', 'drug\[T.a\]', 'drug\[T.b\]'; .* shape \(2,\)"),
        (np.zeros((2, 3)), r"shape \(3,\)"),
        (np.array([0, np.nan, 0, 1]), "not finite"),
        ([0, 0, 0, 0], "tests nothing"),
        ("a - a", "tests nothing"),
        (["a - b", "a - b"], "same name: 'a - b'"),
        ([], "is none of"),
        (3, "is none of"),
        (None, "is none of"),
    ],
)
def test_errors(obs, contrasts, message):
    with pytest.raises(InputError, match=message):
        contrast_set(Design.from_obs(obs, "~ age + drug"), contrasts)


@pytest.mark.parametrize("formula", ["~ site + drug", "~ drug + site"])
def test_confounding_is_shown(formula):
    obs = pd.DataFrame({"drug": list("aabb"), "site": ["north", "north", "south", "south"]})
    with pytest.raises(DesignError) as error:
        contrast_set(Design.from_obs(obs, formula), ("drug", "b", "a"))
    text = str(error.value)
    assert text.startswith(f"'b vs a' cannot be estimated from design={formula!r}, because '")
    assert "drug[T.b]" in text
    assert "site[T.south]" in text
    table = text.split("Observations per level:\n")[1]
    assert {"drug", "site", "north", "south"} <= set(table.split())
    assert [line.split()[-2:] for line in table.splitlines()[-2:]] == [["2", "0"], ["0", "2"]]


def test_an_empty_cell_is_named():
    obs = pd.DataFrame({"g": list("wwwkkk"), "d": list("xxyxxx")})
    design = Design.from_obs(obs, "~ g * d")
    with pytest.raises(DesignError, match=r"'g\[T.w\]:d\[T.y\]'"):
        contrast_set(design, "g[T.w]:d[T.y]")
    assert contrast_set(design, ("g", "w", "k")).vectors.shape == (1, 3)


def test_goes_on_where_the_contrast_can_be_estimated():
    obs = pd.DataFrame({"drug": list("ababab"), "site": list("nnssww"), "region": list("uuvvvv")})
    found = contrast_set(Design.from_obs(obs, "~ site + region + drug"), ("drug", "b", "a"))
    assert found.vectors.tolist() == [[0, 0, 0, 1]]
    assert "'region[T.v]' of design='~ site + region + drug' follow" in found.notes[0]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    weights=st.lists(st.integers(-2, 2), min_size=6, max_size=6).filter(lambda w: any(w[:2])),
    follows=st.booleans(),
)
def test_estimable_if_and_only_if_every_solution_agrees(seed, weights, follows):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(12, 4))
    matrix = np.column_stack([base, base[:, 0] + base[:, 1], np.zeros(12)])
    if follows:
        weights = [*weights[:4], weights[0] + weights[1], 0]
    columns = rng.permutation(6)
    matrix, contrast = matrix[:, columns], np.array(weights, dtype=float)[columns]
    null_space = np.linalg.svd(matrix)[2][4:]
    design = Design.from_obs(pd.DataFrame(index=range(12)), matrix)
    if np.abs(null_space @ contrast).max() > SOLVED:
        assert not follows
        with pytest.raises(DesignError, match="cannot be estimated"):
            contrast_set(design, contrast)
    else:
        y = rng.normal(size=12)
        any_solution = np.linalg.pinv(matrix) @ y
        assert estimate(design, contrast, y)[0] == pytest.approx(
            contrast @ any_solution, abs=SOLVED
        )


def test_units_do_not_decide_what_can_be_estimated():
    rng = np.random.default_rng(3)
    reads = 1e7 + 1e6 * rng.normal(size=8)
    obs = pd.DataFrame({"drug": list("aabbaabb"), "site": list("nnssnnss"), "reads": reads})
    obs["millions"] = obs["reads"] / 1e6
    design = Design.from_obs(obs, "~ reads + drug + millions")
    assert contrast_set(design, "drug[T.b]").vectors.tolist() == [[0, 0, 1]]
    with pytest.raises(DesignError, match=r"'millions' = 1e-06\*'reads'"):
        contrast_set(design, "reads")

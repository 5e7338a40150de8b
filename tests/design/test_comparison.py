import numpy as np
import pandas as pd
import pytest

from dex.design.comparison import NO_GROUP, Comparison, ModelComparison, TwoSampleComparison
from dex.errors import DesignError, InputError
from dex.typing import REST

SOLVED = 1e-10
"""A mean by lstsq."""


@pytest.fixture(scope="module")
def obs():
    n = 36
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "drug": pd.Categorical(np.resize(["b", "ctrl", "a"], n), ["z", "b", "ctrl", "a"]),
            "sex": np.resize(["f", "f", "f", "m", "m", "m"], n),
            "batch": np.resize([1, 1, 2, 2, 3, 3, 3], n),
            "age": rng.normal(50, 9, n),
            "cell type": np.resize(["CD4/CD8 T", "B"], n),
            "y": rng.normal(size=n),
        },
        index=[f"s{i}" for i in range(n)],
    )


def two(obs, **kwargs):
    return Comparison.from_obs(obs, model=False, **kwargs)


def model(obs, **kwargs):
    return Comparison.from_obs(obs, model=True, **kwargs)


def names(found):
    return [info.name for info in found.infos]


# Without a model


def test_two_sample(obs):
    found = two(obs, groupby="sex")
    assert isinstance(found, TwoSampleComparison)
    assert (found.groupby, found.reference, found.omnibus) == ("sex", "f", False)
    assert found.tests.tolist() == [[1, 0]]
    assert found.infos == found.effects
    assert found.kept.all()
    assert found.notes[0].startswith("Positive log2fc = higher in 'm'")


def test_two_sample_against_rest_and_reference(obs):
    found = two(obs, groupby="drug")
    assert found.groups.levels == ("b", "ctrl", "a")
    assert names(found) == ["b vs rest", "ctrl vs rest", "a vs rest"]
    assert found.reference == "rest"
    assert names(two(obs, groupby="drug", reference="ctrl")) == ["b vs ctrl", "a vs ctrl"]
    assert names(two(obs, groupby="drug", groups=["a"])) == ["a vs rest"]


def test_two_sample_omnibus(obs):
    found = two(obs, groupby="drug", test="any")
    assert [(info.name, info.kind) for info in found.infos] == [
        ("any difference in drug", "omnibus")
    ]
    assert [info.name for info in found.effects] == ["b vs ctrl", "a vs ctrl"]
    assert found.tests.tolist() == [[0, 1], [2, 1]]
    assert found.omnibus


def test_two_sample_contrasts(obs):
    found = two(obs, contrasts=("drug", "a", "b"))
    assert (found.groupby, found.reference, found.tests.tolist()) == ("drug", "b", [[2, 0]])
    several = two(obs, contrasts=[("drug", "a", "b"), ("drug", "b", "rest")], groupby="drug")
    assert several.tests.tolist() == [[2, 0], [0, REST]]
    assert several.reference is None
    assert names(two(obs, contrasts={"mine": ("drug", "a", "b")})) == ["mine"]


def test_two_sample_missing_labels(obs):
    frame = obs.assign(sex=obs["sex"].where(obs["sex"].index != "s3"))
    found = two(frame, groupby="sex")
    assert np.flatnonzero(~found.kept).tolist() == [3]
    assert "1 of 36 observations have no label in obs['sex']" in found.notes[0]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "nothing says who is compared: give groupby="),
        ({"groupby": "drug", "design": "~ drug"}, "cannot adjust for covariates; use method='ols'"),
        ({"groupby": "drugs"}, "'drugs' is not in obs; .* Did you mean 'drug'"),
        ({"groupby": "drug", "reference": "ctl"}, "it has 'b', 'ctrl', 'a'. Did you mean 'ctrl'"),
        ({"groupby": "drug", "reference": "z"}, r"reference='z' is not in obs\['drug'\]"),
        ({"groupby": "drug", "groups": ["q"]}, r"groups='q' is not in obs\['drug'\]"),
        ({"groupby": "age"}, "continuous"),
        ({"contrasts": "a - b"}, r"compares two groups, contrasts=\(column, group, reference\)"),
        ({"contrasts": ("drug", "a", "a")}, "'a' with itself"),
        ({"contrasts": ("drug", "q", "a")}, "group='q' is not in"),
        ({"contrasts": ("drug", "a", "b"), "groupby": "sex"}, "of one column"),
        ({"contrasts": ("drug", "a", "b"), "groups": ["a"]}, r"without reference= and groups="),
        ({"contrasts": [("drug", "a", "b")] * 2}, "same name"),
        ({"groupby": "drug", "test": "all"}, "test='all' is not known; it is 'each' or 'any'"),
    ],
)
def test_two_sample_errors(obs, kwargs, message):
    with pytest.raises(InputError, match=message):
        two(obs, **kwargs)


# With a model


def test_groupby_alone(obs):
    found = model(obs, groupby="sex")
    assert isinstance(found, ModelComparison)
    assert found.design.formula == "~ sex"
    assert names(found) == ["m vs f"]
    assert (found.groupby, found.reference) == ("sex", "f")
    assert found.tests.tolist() == [[1, 0]]
    assert "Positive log2fc = higher in 'm'; the reference is 'f' (the first level)." in found.notes
    assert model(obs, groupby="cell type").design.formula == "~ `cell type`"
    assert model(obs, groupby="batch").design.formula == "~ C(batch)"


def test_each_level_against_the_mean_of_the_others(obs):
    found = model(obs, groupby="drug")
    assert names(found) == ["b vs rest", "ctrl vs rest", "a vs rest"]
    beta = np.linalg.lstsq(found.design.matrix, obs["y"].to_numpy(), rcond=None)[0]
    means = obs.groupby("drug", observed=True)["y"].mean()
    wanted = [means[level] - means.drop(level).mean() for level in ("b", "ctrl", "a")]
    np.testing.assert_allclose(found.contrasts.vectors @ beta, wanted, atol=SOLVED)
    assert found.tests.tolist() == [[0, REST], [1, REST], [2, REST]]
    assert found.reference == "rest"
    assert found.groups.levels == ("b", "ctrl", "a")


def test_reference_given(obs):
    found = model(obs, groupby="drug", design="~ age + drug", reference="b")
    assert names(found) == ["ctrl vs b", "a vs b"]
    assert found.design.columns == ("Intercept", "age", "drug[T.ctrl]", "drug[T.a]")
    assert found.contrasts.vectors.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    assert found.tests.tolist() == [[1, 0], [2, 0]]
    assert names(model(obs, groupby="drug", reference="ctrl", groups=["a"])) == ["a vs ctrl"]
    two_levels = model(obs, groupby="sex", reference="m")
    assert names(two_levels) == ["f vs m"]


def test_rest_of_two_levels(obs):
    found = model(obs, groupby="sex", reference="rest")
    assert names(found) == ["f vs rest", "m vs rest"]
    assert found.contrasts.vectors.tolist() == [[0, -1], [0, 1]]


def test_adjusted_for_the_rest(obs):
    found = model(obs, groupby="sex", design="~ sex + age")
    assert found.contrasts.vectors.tolist() == [[0, 1, 0]]
    interaction = model(obs, groupby="sex", design="~ sex * drug")
    assert "'m vs f' is the effect where drug = ctrl, as the design has it." in interaction.notes
    numeric = model(obs, groupby="batch", design="~ C(batch) + age", reference=3)
    assert names(numeric) == ["1 vs 3", "2 vs 3"]


def test_design_alone(obs):
    found = model(obs, design="~ age + sex")
    assert names(found) == ["m vs f"]
    assert found.infos[0].kind == "coefficient"
    assert (found.groupby, found.reference) == ("sex", "f")
    assert found.tests.tolist() == [[1, 0]]
    assert found.notes == (
        "design='~ age + sex' was given by itself, so its last coefficient is tested: 'sex[T.m]'.",
        "Positive log2fc = higher in 'm'; the reference is 'f' (the first level).",
    )
    slope = model(obs, design="~ sex + age")
    assert slope.groups is None
    assert slope.tests.tolist() == [[NO_GROUP, NO_GROUP]]
    assert slope.groupby is None


def test_contrasts_of_a_design(obs):
    found = model(
        obs,
        design="~ sex + drug",
        contrasts=[("drug", "a", "b"), ("sex", "m", "f"), "(a + b)/2 - ctrl"],
    )
    assert found.groups.column == "drug"
    assert found.tests.tolist() == [[2, 0], [NO_GROUP] * 2, [NO_GROUP] * 2]
    assert (found.groupby, found.reference) == (None, None)
    same = model(obs, design="~ sex + drug", contrasts=[("drug", "a", "b"), "ctrl - b"])
    assert (same.groupby, same.reference) == ("drug", "b")
    assert same.tests.tolist() == [[2, 0], [1, 0]]
    alone = model(obs, groupby="drug", contrasts=("drug", "a", "b"))
    assert alone.design.formula == "~ drug"


def test_design_matrix(obs):
    matrix = np.column_stack([np.ones(36), obs["age"]])
    found = model(obs, design=matrix, contrasts=[0, 1])
    assert names(found) == ["x1"]
    assert names(model(obs, design=matrix)) == ["x1"]


def test_dropped_rows_are_in_no_group(obs):
    frame = obs.assign(age=obs["age"].where(obs["drug"] != "b"))
    found = model(frame, groupby="drug", design="~ age + drug")
    assert found.kept.sum() == 24
    assert found.groups.levels == ("ctrl", "a")
    assert (found.groups.codes >= 0).tolist() == found.kept.tolist()
    assert names(found) == ["a vs ctrl"]
    assert found.notes[0] == "12 of 36 observations miss 'age' and were left out."


def test_omnibus_of_a_factor(obs):
    found = model(obs, groupby="drug", design="~ age + drug", test="any")
    assert [(i.name, i.kind) for i in found.infos] == [("any difference in drug", "omnibus")]
    assert [info.name for info in found.effects] == ["b vs ctrl", "a vs ctrl"]
    assert found.contrasts.vectors.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    full = model(obs, groupby="drug", design="~ 0 + drug", test="any")
    assert full.contrasts.vectors.tolist() == [[-1, 1, 0], [-1, 0, 1]]


def test_omnibus_of_some_groups_names_them(obs):
    four = obs.assign(drug=np.resize(["b", "ctrl", "a", "c"], len(obs)))
    some = model(four, groupby="drug", groups=["c", "a"], test="any")
    assert names(some) == ["any difference among a, c, ctrl in drug"]
    assert names(model(four, groupby="drug", groups=["a", "b", "c"], test="any")) == [
        "any difference in drug"
    ]
    many = obs.assign(drug=np.resize([f"g{i}" for i in range(9)], len(obs)))
    found = model(many, groupby="drug", groups=[f"g{i}" for i in range(1, 8)], test="any")
    assert names(found) == ["any difference among g0, g1, g2, g3, g4, g5, ... (8 in all) in drug"]


def test_omnibus_of_contrasts(obs):
    found = model(obs, design="~ drug + sex", contrasts=["a - b", "m - f"], test="any")
    assert names(found) == ["any of 2 contrasts"]
    assert [info.name for info in found.effects] == ["a - b", "m - f"]


def test_omnibus_of_the_last_term(obs):
    found = model(obs, design="~ sex + bs(age, df=4)", test="any")
    assert names(found) == ["any effect of bs(age, df=4)"]
    np.testing.assert_array_equal(found.contrasts.vectors, np.eye(6)[2:])
    assert "all of its last term is tested: 'bs(age, df=4)'" in found.notes[0]
    factor = model(obs, design="~ 0 + drug", test="any")
    assert factor.contrasts.vectors.tolist() == [[-1, 1, 0], [-1, 0, 1]]
    crossed = model(obs, design="~ sex * drug", test="any")
    np.testing.assert_array_equal(crossed.contrasts.vectors, np.eye(6)[4:])


def test_omnibus_leaves_an_empty_cell_out():
    obs = pd.DataFrame({"g": list("kkkkkkwwwwww"), "d": list("xyzxyzxyxyxy")})
    found = model(obs, design="~ g * d", test="any")
    assert found.contrasts.vectors.shape == (1, 5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "nothing says who is compared"),
        (
            {"groupby": "drug", "design": "~ sex"},
            "not in design='~ sex'; write design='~ sex . drug'",
        ),
        ({"groupby": "cell type", "design": "~ sex"}, "write design='~ sex . `cell type`'"),
        ({"groupby": "batch", "design": "~ batch"}, r"'batch' is numeric .* write C\(batch\)"),
        ({"groupby": "batch", "design": "~ batch", "reference": 1}, r"numeric .* write C\(batch\)"),
        ({"groupby": "age"}, "continuous .* use design='~ age'"),
        ({"groupby": "drug", "design": np.ones((36, 1))}, "cannot be found in a design matrix"),
        ({"groupby": "drug", "reference": "ctl"}, r"reference='ctl' is not in obs\['drug'\]"),
        ({"groupby": "drug", "groups": ["q"]}, r"groups='q' is not in obs\['drug'\]"),
        ({"design": "~ drug", "reference": "a"}, "a level of groupby=, which is not given"),
        ({"design": "~ drug", "groups": ["a"]}, "groups= picks levels of groupby="),
        ({"design": "~ dex"}, "'dex' is not a column of obs"),
        ({"design": "~ 1"}, "'Intercept', is a mean"),
        ({"design": "~ 0 + drug"}, r"'drug\[a\]', is a mean and no difference; give groupby="),
        ({"design": "~ 0 + drug:sex", "test": "any"}, "is means, no difference"),
        ({"design": "~ drug:sex", "groupby": "drug"}, "no main effect"),
    ],
)
def test_model_errors(obs, kwargs, message):
    with pytest.raises(InputError, match=message):
        model(obs, **kwargs)


def test_confounded(obs):
    frame = obs.assign(site=obs["sex"].map({"f": "north", "m": "south"}))
    with pytest.raises(DesignError, match="Observations per level"):
        model(frame, groupby="sex", design="~ site + sex")


def test_obs_is_not_changed(obs):
    before = obs.copy(deep=True)
    model(obs, groupby="drug", design="~ age + drug")
    two(obs, groupby="drug")
    pd.testing.assert_frame_equal(obs, before)


def test_a_level_called_rest():
    obs = pd.DataFrame({"cell": np.resize(["B", "T", "rest"], 9)})
    assert names(model(obs, groupby="cell", reference="B")) == ["T vs B", "rest vs B"]
    with pytest.raises(InputError, match="a level called 'rest'"):
        model(obs, groupby="cell")


@pytest.mark.parametrize("contrasts", [[], {}])
@pytest.mark.parametrize("model", [True, False])
def test_no_contrasts_are_refused(contrasts, model):
    obs = pd.DataFrame({"drug": list("abab")})
    with pytest.raises(InputError, match=r"contrasts=(\[\]|\{\})"):
        Comparison.from_obs(obs, groupby="drug", contrasts=contrasts, model=model)

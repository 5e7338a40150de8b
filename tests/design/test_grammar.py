import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dex.design.grammar import read_expression
from dex.design.matrix import Design
from dex.errors import InputError


def design_of(levels, formula="~ 0 + x", **columns):
    n = 3 * len(levels)
    data = {"x": pd.Categorical(list(levels) * 3, categories=levels)}
    data |= {name: np.resize(values, n) for name, values in columns.items()}
    return Design.from_obs(pd.DataFrame(data), formula)


def weights(text, levels, **kwargs):
    """Level weights, in the order of ``levels``."""
    design = design_of(levels, **kwargs)
    found = read_expression(text, design)
    of_level = dict(
        zip(design.factors[0].levels, found[design.factors[0].main_effect], strict=True)
    )
    return [of_level[level] for level in levels]


@pytest.mark.parametrize(
    ("text", "levels", "expected"),
    [
        ("A - B", ["A", "B"], [1, -1]),
        ("A-B", ["A", "B"], [1, -1]),
        ("A-B - C", ["A", "B", "A-B", "C"], [0, 0, 1, -1]),
        ("(A + B)/2 - C", ["A", "B", "C"], [0.5, 0.5, -1]),
        ("A/2 + 0.5*B - C", ["A", "B", "C"], [0.5, 0.5, -1]),
        ("-(A - B)*2", ["A", "B"], [-2, 2]),
        ("`C57BL/6J` - `DBA/2J`", ["C57BL/6J", "DBA/2J"], [1, -1]),
        ("C57BL/6J - DBA/2J", ["C57BL/6J", "DBA/2J"], [1, -1]),
        ("T cell - T cells", ["T cell", "T cells"], [1, -1]),
        ("CD4+ T - CD8+ T", ["CD4+ T", "CD8+ T"], [1, -1]),
        ("CD4+ - CD4", ["CD4", "CD4+"], [-1, 1]),
        ("non-targeting - a.b", ["non-targeting", "a.b", "a"], [1, -1, 0]),
        ("1 - 0", ["0", "1"], [-1, 1]),
        ("10 - 1", ["1", "10"], [-1, 1]),
        ("0.5 - 0", ["0", "0.5"], [-1, 1]),
        ("2*`1` - 2*`0`", ["0", "1", "2"], [-2, 2, 0]),
        ("(1 + 2)/2 - 0", ["0", "1", "2"], [-1, 0.5, 0.5]),
        ("`+` - `-`", ["-", "+"], [-1, 1]),
        ("γδ T - αβ T", ["αβ T", "γδ T"], [-1, 1]),
        ("`a b` - a", ["a", "a b"], [-1, 1]),
    ],
)
def test_levels(text, levels, expected):
    np.testing.assert_allclose(weights(text, levels), expected)


def test_coefficients():
    design = design_of(["a", "b"], "~ x * age", age=[1.0, 2, 4, 8])
    assert design.columns == ("Intercept", "x[T.b]", "age", "x[T.b]:age")
    assert read_expression("x[T.b] + 3*x[T.b]:age", design).tolist() == [0, 1, 0, 3]
    assert read_expression("age", design).tolist() == [0, 0, 1, 0]
    assert read_expression("2*age - Intercept", design).tolist() == [-1, 0, 2, 0]
    assert read_expression("b - a + age", design).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("treatd - ctrl", "'treatd' is neither a level nor a coefficient. Did you mean 'treated'?"),
        ("treated", "weights of the levels of 'x' sum to 1, not to 0; .*'treated - ctrl'"),
        ("treated + ctrl", "sum to 2"),
        ("treated * ctrl", "only be added"),
        ("treated ** 2", "only be added"),
        ("1 / treated", "only be added"),
        ("treated / 0", "divides by 0"),
        ("treated - ctrl + 1", "has the constant 1"),
        ("treated -", "not a linear expression"),
        ("treated ctrl", "not a linear expression"),
        ("(treated", "not a linear expression"),
        ("", "not a linear expression"),
        ("treated > ctrl", "'>' is neither"),
        ("print(1)", "'print' is neither"),
        ("treated.x", "'treated.x' is neither"),
        ("`treated", "'`' is neither"),
        ("1e400*(treated - ctrl)", "not finite"),
        ("treated - 2ctrl", "'2ctrl' is neither"),
    ],
)
def test_errors(text, message):
    with pytest.raises(InputError, match=message) as error:
        read_expression(text, design_of(["ctrl", "treated"], "~ x"))
    assert repr(text) in str(error.value)


def test_unknown_names_list_levels_and_coefficients():
    with pytest.raises(
        InputError, match=r"Levels of x: 'ctrl', 'b'. Coefficients: 'Intercept', 'x\[T.b\]'"
    ):
        read_expression("q", design_of(["ctrl", "b"], "~ x"))


def test_a_level_of_two_factors_is_ambiguous():
    design = design_of(["a", "b"], "~ x + y", y=["a", "a", "b", "b"])
    with pytest.raises(InputError, match=r"'a' is a level of 'x' and 'y'; write the tuple"):
        read_expression("a - b", design)


def test_a_level_named_like_a_coefficient_is_ambiguous():
    design = design_of(["age", "b"], "~ x + age", age=[1.0, 2, 4])
    with pytest.raises(InputError, match="level of 'x' and is a coefficient"):
        read_expression("age - b", design)


def test_a_factor_without_main_effect():
    design = design_of(["a", "b"], "~ x:y", y=["u", "u", "v", "v"])
    with pytest.raises(
        InputError, match=r"'x' has no main effect in the design, only x:y.*add '\+ x'"
    ):
        read_expression("a - b", design)


characters = st.characters(blacklist_characters="`", blacklist_categories=("Cs", "Cc"))
name = st.text(characters, min_size=1, max_size=8).filter(lambda text: text.strip() == text)
names = st.lists(name, min_size=2, max_size=5, unique=True)


@given(levels=names)
def test_any_name_works_in_backticks(levels):
    assert weights(f"`{levels[0]}` - `{levels[1]}`", levels)[:2] == [1, -1]


@given(levels=names, text=st.text(max_size=20))
def test_any_text_gives_weights_or_an_input_error(levels, text):
    design = design_of(levels)
    try:
        found = read_expression(text, design)
    except InputError:
        return
    assert np.isfinite(found).all()
    assert found.shape == (len(levels),)

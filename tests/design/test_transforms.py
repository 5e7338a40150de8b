import ast

import numpy as np
import pytest

from dex.design.expression import read_expression
from dex.design.transforms import evaluate, literal
from dex.errors import FormulaError

X = np.array([1.0, 2.0, 4.0, 9.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log(x)", np.log(X)),
        ("log2(x + 1)", np.log2(X + 1)),
        ("log10(2 * x)", np.log10(2 * X)),
        ("log1p(x)", np.log1p(X)),
        ("sqrt(x)", np.sqrt(X)),
        ("exp(-x)", np.exp(-X)),
        ("I(x**2 / (3 - +x))", X**2 / (3 - X)),
        ("center(x)", X - X.mean()),
        ("scale(x)", (X - X.mean()) / X.std(ddof=1)),
        ("log(center(x) + 10)", np.log(X - X.mean() + 10)),
    ],
)
def test_values(text, expected):
    tree = read_expression(text, ["x"]).tree
    np.testing.assert_allclose(evaluate(tree, {"x": X}), expected, rtol=1e-14)


def test_bad_arguments():
    for text in ("bs(x, df=4, nonsense=1)", "poly(x, 2, 3, 4)", "poly(x, 4)", "poly(x, 0)"):
        with pytest.raises(FormulaError, match="cannot be computed"):
            evaluate(read_expression(text, ["x"]).tree, {"x": X})


def test_an_unchecked_tree_does_nothing():
    for text in ("x if x else x", "f'{x}'", "(lambda: 1)()"):
        with pytest.raises(FormulaError, match="not understood"):
            evaluate(ast.parse(text, mode="eval").body, {"x": X})


def test_literals():
    assert literal(ast.parse("[1, 2.5]", mode="eval").body) == [1, 2.5]
    with pytest.raises(ValueError, match="malformed"):
        literal(ast.parse("open('f')", mode="eval").body)
    with pytest.raises(ValueError, match="no number"):
        literal(ast.parse("b'x'", mode="eval").body)


@pytest.mark.parametrize(
    "text",
    ["bs(x, df=100000000)", "bs(x, 5)", "bs(x, degree=100000000)", "cr(x, df=1e8)", "cr(x, 5)"],
)
def test_no_more_columns_than_values(text):
    with pytest.raises(FormulaError, match="is more than 4, what the different values"):
        evaluate(read_expression(text, ["x"]).tree, {"x": X})


def test_no_curve_of_thousands_of_columns():
    x = np.linspace(0, 1, 50_000)
    for text in ("bs(x, df=20000)", "cr(x, df=20000)", "poly(x, 20000)"):
        with pytest.raises(FormulaError, match="is more than 100"):
            evaluate(read_expression(text, ["x"]).tree, {"x": x})
    for text in ("bs(x, df=20)", "cr(x, df=20)", "poly(x, 20)"):
        assert evaluate(read_expression(text, ["x"]).tree, {"x": x}) is not None

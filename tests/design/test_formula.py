import builtins
import os

import pytest

from dex.design.formula import read_formula
from dex.errors import FormulaError

COLUMNS = ["a", "b", "x", "my col", "orig.ident", "celltype", "log", "C"]


def terms(text):
    return [str(term) for term in read_formula(text, COLUMNS).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~ a + b", ["1", "a", "b"]),
        ("a", ["1", "a"]),
        ("~ 0 + a", ["a"]),
        ("~ a - 1", ["a"]),
        ("~ a:b + x", ["1", "x", "a:b"]),
        ("~ a*b", ["1", "a", "b", "a:b"]),
        ("~ (a + b + x)^2", ["1", "a", "b", "x", "a:b", "a:x", "b:x"]),
        ("~ a/b", ["1", "a", "a:b"]),
        ("~ `my col`", ["1", "my col"]),
        ("~ orig.ident + log(orig.ident)", ["1", "orig.ident", "log(orig.ident)"]),
        ("~ log(log) + C(C)", ["1", "log(log)", "C(C)"]),
        ("~ log(x + `my col`)", ["1", "log(x + `my col`)"]),
        ("~ I(x**2) + poly(x, 2) + bs(x, df=4)", ["1", "I(x ** 2)", "poly(x, 2)", "bs(x, df=4)"]),
        ("~ bs(x, knots=[1, 2.5])", ["1", "bs(x, knots=[1, 2.5])"]),
        ("~ 1", ["1"]),
    ],
)
def test_what_is_allowed(text, expected):
    assert terms(text) == expected


def test_variables_in_order():
    assert read_formula("~ x + log(`my col` / b)", COLUMNS).variables == ("x", "my col", "b")


def test_reference_in_the_formula():
    for text in (
        "C(a, Treatment('u'))",
        "C(a, contr.treatment('u'))",
        "C(a, Treatment(reference='u'))",
    ):
        (expression,) = read_formula(f"~ {text}", COLUMNS).expressions.values()
        assert (expression.variables, expression.categorical, expression.reference) == (
            ("a",), True, "u",
        )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "~ print(1)",
        "~ __import__('os')",
        "~ log(__import__('os'))",
        "~ poly(x, __import__('os'))",
        "~ poly(x, degree=open('f'))",
        "~ x.__class__",
        "~ I(x.__class__)",
        "~ log(x).__class__",
        "~ x[0]",
        "~ log(x)(x)",
        "~ (lambda: 1)()",
        "~ I((lambda: 1)())",
        "~ I([i for i in x])",
        "~ I(x if a else b)",
        "~ log(y := x)",
        "~ log(f'{x}')",
        "~ log(*x)",
        "~ bs(x, **x)",
        "~ bs(x, _state=1)",
        "~ log(x, where=False)",
        "~ {print(1)}",
        "~ Q('a')",
        "~ hashed(a)",
        "~ np.log(x)",
        "~ I(x and a)",
        "~ I(x < 1)",
        "~ I(x @ a)",
        "~ I('x')",
        "~ I(1j)",
    ],
)
def test_nothing_else_is_read(text):
    with pytest.raises(FormulaError, match=r"obs has 'a', 'b', 'x'"):
        terms(text)


def test_nothing_is_executed(monkeypatch):
    called = []
    for owner, name in ((builtins, "print"), (os, "system"), (builtins, "__import__")):
        original = getattr(owner, name)
        # record our own calls only; the interpreter itself goes on importing
        monkeypatch.setattr(
            owner,
            name,
            lambda *args, _original=original, **kwargs: (
                called.append(args) if "canary" in args else _original(*args, **kwargs)
            ),
        )
    for call in ("print('canary')", "__import__('canary')", "os.system('canary')"):
        for text in (
            f"~ {call}",
            f"~ log({call})",
            f"~ I(x + {call})",
            f"~ {{{call}}}",
            f"~ a[{call}]",
        ):
            with pytest.raises(FormulaError):
                terms(text)
    assert called == []


def test_a_module_of_that_name_is_not_found():
    with pytest.raises(FormulaError) as error:
        terms("~ celltype + dex")
    assert "'dex' is not a column of obs." in str(error.value)
    with pytest.raises(FormulaError, match="Did you mean 'celltype'"):
        terms("~ cell_type")
    with pytest.raises(FormulaError, match="Did you mean 'log'"):
        terms("~ lgo(x)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ x", "only a right side"),
        ("a ~ x", "only a right side"),
        ("~ a ~ b", "only a right side"),
        ("~ a | b", "random effects"),
        ("~ (1|a)", "replicate= names the unit"),
        ("~ .", "name the columns"),
        ("~ [a]", "use parentheses"),
        ("~ 2*x", r"2 cannot stand there.*I\(\.\.\.\)"),
        ("~ 2:x", "2 cannot stand there"),
        ("~ a + 0*b", "0 cannot stand there"),
        ("~ x**2", r"for a square write I\(x\*\*2\)"),
        ("~ (a + b)^99", "power 99"),
        ("~ 'a'", "'a' cannot stand there"),
        ("~ a +", "insuffient|insufficient"),
        ("~ log(x", r"Expected: \)"),
        ("~ a & b", "Unknown operator"),
        ("~ a b", "Missing operator"),
        ("~ log(2)", "names no column"),
        ("~ C(log(x))", r"C\(\) takes a column"),
        ("~ C(a, Sum)", "Treatment"),
        ("~ C(a, Sum('x'))", "the only one there is"),
        ("~ poly(x, a)", "plain numbers or text"),
        ("~ log(class)", "backticks"),
    ],
)
def test_errors_say_what_to_write(text, message):
    with pytest.raises(FormulaError, match=message) as error:
        terms(text)
    assert "cannot be read" in str(error.value)
    assert "\n" not in str(error.value)


ODD = ["a", "b", "0", "1", "", "2", "\u00b5M", "\u00b5M x", "gr\u00f6\u00dfe", "\uff41"]
"""Among them a micro sign and a full-width a, which Python reads as a mu and an a."""


@pytest.mark.parametrize("name", ["0", "1", ""])
@pytest.mark.parametrize("text", ["~ a + `{}`", "~ a - `{}`", "~ a:`{}`", "~ `{}`", "~ a*`{}` + b"])
def test_a_column_called_like_the_intercept(text, name):
    with pytest.raises(FormulaError, match=r"cannot stand in a formula.*; rename the column\."):
        read_formula(text.format(name), ODD)


def test_an_empty_name_in_a_function():
    with pytest.raises(FormulaError, match="rename the column"):
        read_formula("~ log(``)", ODD)
    assert read_formula("~ log(`1`) + `2`", ODD).variables == ("1", "2")


@pytest.mark.parametrize(
    ("text", "variables", "factors"),
    [
        ("~ \u00b5M", ["\u00b5M"], ["\u00b5M"]),
        ("~ `\u00b5M` + \u00b5M", ["\u00b5M"], ["\u00b5M"]),
        ("~ log(\u00b5M)", ["\u00b5M"], ["log(\u00b5M)"]),
        ("~ log(`\u00b5M x` + a)", ["\u00b5M x", "a"], ["log(`\u00b5M x` + a)"]),
        ("~ gr\u00f6\u00dfe*a", ["gr\u00f6\u00dfe", "a"], ["gr\u00f6\u00dfe", "a"]),
        ("~ I(\uff41) + I(a)", ["\uff41", "a"], ["I(\uff41)", "I(a)"]),
        ("~ a*\uff41", ["a", "\uff41"], ["a", "\uff41"]),
    ],
)
def test_names_are_compared_as_written(text, variables, factors):
    formula = read_formula(text, ODD)
    assert list(formula.variables) == variables
    assert list(formula.expressions) == factors


@pytest.mark.parametrize(
    "text", ["~ I(\uff42)", "~ \uff42", "~ log(\u03bcM)", "~ \uff4cog(a)", "~ I(\uff4cog(a))"]
)
def test_names_that_only_look_alike(text):
    with pytest.raises(FormulaError, match=r"is not a column of obs|calls"):
        read_formula(text, ODD)


def test_text_in_quotes_holds_no_names():
    (expression,) = read_formula("~ C(a, Treatment('`\u00b5M`'))", COLUMNS).expressions.values()
    assert expression.reference == "`\u00b5M`"


@pytest.mark.parametrize(
    "text",
    [
        "~ I(" + "-" * 3000 + "b)",
        "~ I(" + "+".join("b" * 5000) + ")",
        "~ " + "+".join("b" * 1001),
    ],
)
def test_a_formula_that_is_too_long(text):
    with pytest.raises(FormulaError, match="characters, more than 2,000") as error:
        terms(text)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    "text", ["~ I(" + "-" * 1900 + "b)", "~ I(" + "+".join("b" * 990) + ")", "~ I(" + "(" * 900]
)
def test_a_formula_that_is_nested_too_deeply(text):
    with pytest.raises(FormulaError, match="cannot be read"):
        terms(text)


def test_long_sums_are_read():
    assert terms("~ " + "+".join("b" * 900)) == ["1", "b"]
    assert terms("~ " + "(" * 100 + "b" + ")" * 100) == ["1", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "~ ((((a+b+log(x))^9)^9)^9)^9",
        "~ " + "(" * 40 + "a+b" + ")^9" * 40,
        "~ (a+b+x+log)^9",
        "~ " + "+".join(["(a+b+x)^9"] * 100),
        "~ " + "*".join(["(a + b + x)^3"] * 20),
        "~ " + "*".join("ab" * 40),
    ],
)
def test_powers_are_bounded(text):
    with pytest.raises(FormulaError, match="more than 20,000 products of terms"):
        terms(text)


@pytest.mark.parametrize("power", ["(1+1)", "(0)", "a"])
def test_a_power_is_a_number(power):
    with pytest.raises(FormulaError, match="from 1 to 9"):
        terms(f"~ (a + b)^{power}")

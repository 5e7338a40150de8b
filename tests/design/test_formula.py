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

"""One factor of a formula, as ``drug``, ``C(batch)`` or ``log2(dose + 1)``, checked by syntax."""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from dex.design.labels import label
from dex.design.transforms import OPERATORS, TRANSFORMS, WITH_OPTIONS, literal
from dex.design.wording import did_you_mean
from dex.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = re.compile(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?P<quoted>[^`]*)`|(?P<bare>[^\W\d]\w*(?:\.\w+)*)"
)
"""Names in a formula, and text in quotes, which holds none."""
_PLACEHOLDER = "_quoted_{}_"


@dataclass(frozen=True, slots=True)
class Expression:
    """What a factor of a formula computes."""

    tree: ast.expr
    """Syntax tree whose every ``Name`` that is not called is a column of ``obs``."""
    variables: tuple[str, ...]
    categorical: bool = False
    """Whether it is ``C(column)``: a factor, also if the column holds numbers."""
    reference: str | None = None
    """The level that ``C(column, Treatment("level"))`` names."""

    @property
    def column(self) -> str | None:
        """The column, where the expression is a column and nothing else, or ``C(column)``."""
        return self.tree.id if isinstance(self.tree, ast.Name) else None


def read_expression(text: str, columns: Sequence[str]) -> Expression:
    """Read and check a factor; nothing is executed.

    Raises
    ------
    FormulaError
        If it holds anything but columns, numbers, arithmetic and the functions allowed.
    """
    quoted: dict[str, str] = {}
    source = NAMES.sub(lambda match: _set_aside(match, quoted), text)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        msg = f"{text!r} is not understood; names that are no identifiers stand in `backticks`."
        raise FormulaError(msg) from error
    reader = _Reader(columns, quoted)
    return reader.factor(tree)


def is_respelled(name: str) -> bool:
    """Whether Python, which normalises names (NFKC), reads another: a mu for a micro sign."""
    return unicodedata.normalize("NFKC", name) != name


def _set_aside(match: re.Match[str], quoted: dict[str, str]) -> str:
    name = match["quoted"]
    if name is None:
        name = match["bare"]
        if name is None or not is_respelled(name):
            return match.group()
    placeholder = _PLACEHOLDER.format(len(quoted))
    quoted[placeholder] = name
    return placeholder


@dataclass(frozen=True, slots=True)
class _Reader:
    columns: Sequence[str]
    quoted: dict[str, str]

    def factor(self, node: ast.expr) -> Expression:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "C":
            return self.categorical(node)
        tree = self.number(node)
        found = (part.id for part in _columns_in(tree))
        variables = tuple(dict.fromkeys(found))
        if not variables:
            msg = f"{ast.unparse(node)} names no column."
            raise FormulaError(msg)
        return Expression(tree, variables)

    def categorical(self, node: ast.Call) -> Expression:
        match node:
            case ast.Call(args=[column], keywords=[]):
                reference = None
            case ast.Call(args=[column, ast.Call() as coding], keywords=[]):
                reference = _treatment(coding)
            case _:
                _refuse(
                    node,
                    "is not understood: C() takes a column and, if wanted, Treatment('reference')",
                )
        tree = self.number(column)
        if not isinstance(tree, ast.Name):
            _refuse(node, "is not understood: C() takes a column")
        return Expression(tree, (tree.id,), categorical=True, reference=reference)

    def number(self, node: ast.expr) -> ast.expr:  # noqa: RET503 - _refuse does not return
        """Return the same tree, with columns under their own names."""
        match node:
            case ast.Name(id=name):
                return self.column(name)
            case ast.Attribute():
                return self.column(ast.unparse(node))  # a name with a dot, as orig.ident
            case ast.Constant(value=value) if type(value) in {int, float}:
                return node
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return ast.BinOp(self.number(left), op, self.number(right))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return ast.UnaryOp(op, self.number(operand))
            case ast.Call(func=ast.Name(id=name)):
                return self.call(node, name)
            case _:
                _refuse(node, "is not allowed in a formula")

    def column(self, name: str) -> ast.Name:
        name = self.quoted.get(name, name)
        if name not in self.columns:
            msg = f"{name!r} is not a column of obs.{did_you_mean(name, self.columns)}"
            raise FormulaError(msg)
        return ast.Name(name)

    def call(self, node: ast.Call, name: str) -> ast.expr:
        if name not in TRANSFORMS:
            allowed = f"a formula may use C, {', '.join(TRANSFORMS)}"
            called = self.quoted.get(name, name)
            _refuse(node, f"calls {called!r}; {allowed}", did_you_mean(called, TRANSFORMS))
        if not node.args or any((word.arg or "_").startswith("_") for word in node.keywords):
            _refuse(node, f"is not understood: {name}() takes an expression over columns first")
        options = [*node.args[1:], *(word.value for word in node.keywords)]
        if options and name not in WITH_OPTIONS:
            _refuse(node, f"is not understood: {name}() takes one expression and no options")
        try:
            for option in options:
                literal(option)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            _refuse(node, f"is not allowed: the options of {name}() are plain numbers or text")
        data = self.number(node.args[0])
        return ast.Call(node.func, [data, *node.args[1:]], node.keywords)


def _treatment(coding: ast.Call) -> str:
    """Level in ``Treatment("a")``, ``Treatment(reference="a")`` or ``contr.treatment("a")``."""
    name = ast.unparse(coding.func)
    options = [*coding.args, *(word.value for word in coding.keywords)]
    if name not in {"Treatment", "contr.treatment"} or len(options) != 1:
        _refuse(
            coding,
            "is not available: the coding of C() is Treatment('reference'), the only one there is",
        )
    if not isinstance(options[0], ast.Constant):
        _refuse(coding, "is not understood: the reference is a level, in quotes")
    return label(options[0].value)


def _columns_in(tree: ast.expr) -> list[ast.Name]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return [node for node in names if id(node) not in called]


def _refuse(node: ast.AST, reason: str, hint: str = "") -> NoReturn:
    text = ast.unparse(node)
    msg = f"{text if len(text) < 60 else text[:57] + '...'} {reason}.{hint}"
    raise FormulaError(msg)

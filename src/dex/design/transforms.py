"""What a formula may compute: a fixed list of functions and arithmetic, and nothing else.

A formula's expressions are walked as syntax trees, never evaluated as Python: a name can only be a
column of ``obs``, a function can only be one of :data:`TRANSFORMS`.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from formulaic.transforms import TRANSFORMS as _FORMULAIC

from dex.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dex.typing import Float


_MAX_COLUMNS = 100
"""Columns that one function may make; a curve needs few, and splines of thousands hang."""


def _poly(x: Float, degree: int = 1, raw: bool = False) -> object:  # noqa: FBT001, FBT002 - as in R
    if not 0 < degree < len(np.unique(x)):
        msg = f"degree {degree} needs more than {degree} different values"
        raise ValueError(msg)  # beyond, the recurrence divides rounding errors by each other
    _require_values(x, degree, "degree")
    return _FORMULAIC["poly"](x, degree, raw)


def _bs(
    x: Float, df: int | None = None, knots: object = None, degree: int = 3, **options: object
) -> object:
    _require_values(x, df, "df")
    _require_values(x, degree, "degree")
    return _FORMULAIC["bs"](x, df, knots, degree, **options)


def _cr(x: Float, df: int | None = None, knots: object = None, **options: object) -> object:
    _require_values(x, df, "df")
    return _FORMULAIC["cr"](x, df, knots, **options)


def _ns(x: Float, df: int | None = None, knots: object = None, **options: object) -> object:
    """Natural cubic splines without the constant: they span what R's ``ns`` does."""
    _require_values(x, df, "df")
    return _FORMULAIC["cr"](x, df, knots, constraints="center", **options)


def _require_values(x: Float, size: float | None, name: str) -> None:
    """Check that a curve of ``size`` columns can be told from the values of ``x``, in time."""
    most = min(len(np.unique(x)), _MAX_COLUMNS)
    if size is not None and size > most:
        msg = f"{name} {size} is more than {most}, what the different values of its data allow"
        raise ValueError(msg)


TRANSFORMS: Final[dict[str, Callable[..., Any]]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "I": lambda x: x,
    "center": _FORMULAIC["center"],
    "scale": _FORMULAIC["scale"],
    "poly": _poly,
    "bs": _bs,
    "cr": _cr,
    "ns": _ns,
}
"""Functions of numbers; the last four, ``poly`` and splines, give several columns."""

WITH_OPTIONS: Final = frozenset({"scale", "poly", "bs", "cr", "ns"})

OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def evaluate(tree: ast.expr, numbers: Mapping[str, Float]) -> object:
    """Compute a checked expression: an array ``(n_obs,)``, or formulaic's columns.

    Raises
    ------
    FormulaError
        If a function refuses its arguments.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is found afterwards, and said
            return _value(tree, numbers)
    except (ValueError, TypeError, ArithmeticError, IndexError, np.linalg.LinAlgError) as error:
        msg = f"{ast.unparse(tree)} cannot be computed: {error}."
        raise FormulaError(msg) from error


def literal(node: ast.expr) -> object:
    """Value of an argument such as ``3``, ``[0.1, 0.5]``, ``"clip"`` or ``True``.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    value = ast.literal_eval(node)
    for item in value if isinstance(value, (list, tuple)) else (value,):
        if not isinstance(item, (bool, int, float, str)):
            msg = f"{ast.unparse(node)} is no number"
            raise ValueError(msg)
    return value


def _value(node: ast.expr, numbers: Mapping[str, Float]) -> object:
    match node:
        case ast.Name(id=name):
            return numbers[name]
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_vector(left, numbers), _vector(right, numbers))
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](_vector(operand, numbers))
        case ast.Call(func=ast.Name(id=name), args=[data, *args], keywords=keywords):
            options = {str(word.arg): literal(word.value) for word in keywords}
            return TRANSFORMS[name](_vector(data, numbers), *map(literal, args), **options)
        case _:
            msg = f"{ast.unparse(node)} is not understood"
            raise ValueError(msg)


def _vector(node: ast.expr, numbers: Mapping[str, Float]) -> Float | float:
    value = _value(node, numbers)
    if isinstance(value, float):
        return value
    if not isinstance(value, dict):  # formulaic wraps arrays, and splines are a dict of columns
        array = np.asarray(value, dtype=np.float64)
        if array.ndim == 1:
            return array
    msg = f"{ast.unparse(node)} makes several columns and can only stand by itself"
    raise ValueError(msg)

"""Contrasts as text: linear expressions over exact names of levels and coefficients."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex.design.wording import all_of, did_you_mean, in_formula, listed
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dex.design.matrix import Design
    from dex.typing import Float

_QUOTED = re.compile(r"`([^`]*)`")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_SYNTAX = frozenset("+-*/() \t\n")
_WORD = re.compile(r"[^\s()`*/+-]+|.", re.DOTALL)
_SUM_TOLERANCE: Final = 1e-9
"""Rounding of weights such as 1/3 that are to sum to zero."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name in a contrast stands for."""

    factor: int | None
    """Index of the factor if it is a level; None for a coefficient."""
    index: int
    """Of the level in the factor, or of the coefficient among the design's columns."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a contrast may use."""

    meanings: dict[str, tuple[Meaning, ...]]
    pattern: re.Pattern[str] | None
    """The longest name at a place, ending where a word ends; None if there is none to match."""

    @classmethod
    def of(cls, design: Design) -> Names:
        """Levels of all factors, and all coefficients."""
        meanings: dict[str, tuple[Meaning, ...]] = {}
        for i, factor in enumerate(design.factors):
            for j, level in enumerate(factor.levels):
                meanings[level] = (*meanings.get(level, ()), Meaning(i, j))
        for j, column in enumerate(design.columns):
            meanings[column] = (*meanings.get(column, ()), Meaning(None, j))
        plain = sorted((name for name in meanings if re.match(r"\w", name)), key=len, reverse=True)
        parts = (
            re.escape(name) + (r"(?![\w.])" if re.search(r"\w$", name) else "") for name in plain
        )
        return cls(meanings, re.compile("|".join(parts)) if plain else None)


def read_expression(text: str, design: Design, *, names: Names | None = None) -> Float:
    """Weights of the design's columns that a linear expression stands for, ``(n_columns,)``.

    Names are matched exactly and the longest first; odd ones stand in backticks. A number is a
    level if there is a level of that name and it neither multiplies nor divides.

    Raises
    ------
    InputError
        If a name is unknown or has two meanings, if the expression is not linear, or if the
        weights of a factor's levels do not sum to zero (a level by itself is no contrast).

    Examples
    --------
    >>> import pandas as pd
    >>> from dex.design.matrix import Design
    >>> design = Design.from_obs(pd.DataFrame({"dose": list("abcabc")}), "~ dose")
    >>> design.columns
    ('Intercept', 'dose[T.b]', 'dose[T.c]')
    >>> read_expression("(b + c)/2 - a", design).tolist()
    [0.0, 0.5, 0.5]
    """
    names = Names.of(design) if names is None else names
    found: list[Meaning] = []
    source = "".join(_substituted(text, names, design, found))
    try:
        tree = ast.parse(source.strip(), mode="eval").body
        with np.errstate(all="ignore"):  # 1e400 is said below
            weights, constant = _Linear(len(found)).read(tree)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        reason = "" if isinstance(error, SyntaxError) else f": {error}"
        msg = (
            f"contrast {text!r} is not a linear expression over names{reason}. Write 'A - B' or "
            "'(A + B)/2 - C'; names with odd characters stand in `backticks`."
        )
        raise InputError(msg) from error
    if not np.isfinite([*weights, constant]).all():
        msg = f"contrast {text!r} has a weight that is not finite."
        raise InputError(msg)
    if constant:
        msg = f"contrast {text!r} has the constant {constant:g} in it. {_known(design)}"
        raise InputError(msg)
    return _columns(text, weights, found, design)


def _substituted(text: str, names: Names, design: Design, found: list[Meaning]) -> Iterator[str]:
    """Yield the expression with a placeholder for every name, which ``found`` collects."""
    place = 0
    while place < len(text):
        piece = _piece(text, place, names)
        if piece.name is None:
            yield text[place : piece.end]
        else:
            yield f" _{len(found)} "
            found.append(_meaning(piece.name, text, names, design))
        place = piece.end


@dataclass(frozen=True, slots=True)
class _Piece:
    end: int
    name: str | None = None
    """None for a number or a sign, which stays as it is."""


def _piece(text: str, place: int, names: Names) -> _Piece:
    if quoted := _QUOTED.match(text, place):
        return _Piece(quoted.end(), quoted.group(1))
    number = _NUMBER.match(text, place)
    named = names.pattern.match(text, place) if names.pattern else None
    if named and not (number and number.group() == named.group() and _scales(text, named)):
        return _Piece(named.end(), named.group())
    if number:
        return _Piece(number.end())
    if text[place] in _SYNTAX:
        return _Piece(place + 1)
    word = _WORD.match(text, place)
    assert word is not None
    return _Piece(word.end(), word.group())


def _scales(text: str, number: re.Match[str]) -> bool:
    """Whether the number multiplies or divides."""
    before, after = text[: number.start()].rstrip(), text[number.end() :].lstrip()
    return before.endswith(("*", "/")) or after.startswith(("*", "/"))


def _meaning(name: str, text: str, names: Names, design: Design) -> Meaning:
    meanings = names.meanings.get(name, ())
    if len(meanings) == 1:
        return meanings[0]
    if not meanings:
        hint = did_you_mean(name, names.meanings)
        msg = f"contrast {text!r}: {name!r} is neither a level nor a coefficient.{hint} "
        raise InputError(msg + _known(design))
    factors = [design.factors[m.factor] for m in meanings if m.factor is not None]
    where = all_of([factor.variable for factor in factors])
    also = " and is a coefficient" if len(factors) < len(meanings) else ""
    msg = (
        f"contrast {text!r}: {name!r} is a level of {where}{also}; write the tuple "
        f"({factors[0].variable!r}, group, reference), or the name of the coefficient."
    )
    raise InputError(msg)


def _known(design: Design) -> str:
    levels = "; ".join(f"{factor.variable}: {listed(factor.levels)}" for factor in design.factors)
    of_factors = f"Levels of {levels}. " if levels else ""
    return f"{of_factors}Coefficients: {listed(design.columns)}."


@dataclass(frozen=True, slots=True)
class _Linear:
    """Reads a syntax tree as (weights of the placeholders, constant)."""

    n_names: int

    def read(self, node: ast.expr) -> tuple[Float, float]:
        match node:
            case ast.Name(id=placeholder):
                weights = np.zeros(self.n_names)
                weights[int(placeholder[1:])] = 1.0
                return weights, 0.0
            case ast.Constant(value=int() | float() as value):
                return np.zeros(self.n_names), float(value)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                weights, constant = self.read(operand)
                return (-weights, -constant) if isinstance(op, ast.USub) else (weights, constant)
            case ast.BinOp(left=left, op=op, right=right):
                return self.combine(self.read(left), op, self.read(right))
            case _:
                raise SyntaxError

    def combine(
        self, left: tuple[Float, float], op: ast.operator, right: tuple[Float, float]
    ) -> tuple[Float, float]:
        (x, a), (y, b) = left, right
        match op:
            case ast.Add():
                return x + y, a + b
            case ast.Sub():
                return x - y, a - b
            case ast.Mult() if not (x.any() and y.any()):
                return a * y + b * x, a * b
            case ast.Div() if not y.any():
                return x / b if b else _divided_by_zero(), a / b
            case _:
                msg = "names can only be added, subtracted, and multiplied or divided by numbers"
                raise ValueError(msg)


def _divided_by_zero() -> Float:
    msg = "it divides by 0"
    raise ValueError(msg)


def _columns(text: str, weights: Float, found: list[Meaning], design: Design) -> Float:
    vector = np.zeros(len(design.columns))
    levels = [np.zeros(len(factor.levels)) for factor in design.factors]
    for weight, meaning in zip(weights, found, strict=True):
        if meaning.factor is None:
            vector[meaning.index] += weight
        else:
            levels[meaning.factor][meaning.index] += weight
    for factor, of_levels in zip(design.factors, levels, strict=True):
        if not of_levels.any():
            continue
        total = of_levels.sum()
        if abs(total) > _SUM_TOLERANCE and not factor.coded_in_full:
            msg = (
                f"contrast {text!r}: the weights of the levels of {factor.variable!r} sum to "
                f"{total:g}, not to 0; compare with a level, as in "
                f"'{_spelled(factor.levels[-1])} - {_spelled(factor.levels[0])}'."
            )
            raise InputError(msg)
        vector += factor.vector(of_levels, n_columns=len(vector))
    return vector


def _spelled(name: str) -> str:
    return name if re.fullmatch(r"[\w.]+", name) else in_formula(name)

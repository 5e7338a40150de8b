"""Formulas, read by formulaic after every name, function and number in them was checked.

Formulaic would evaluate Python found in a formula, and look unknown names up among the caller's
variables. Here it only sees formulas whose every token is known to be harmless, and only parses
them; what the terms hold is computed by :mod:`dex.design.transforms`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from formulaic.errors import FormulaicError
from formulaic.formula import SimpleFormula
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import Factor as FormulaicFactor
from formulaic.parser.types import Term as FormulaicTerm
from formulaic.parser.types import Token

from dex.design.expression import Expression, read_expression
from dex.design.wording import listed
from dex.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_POWER = 9
_NO_FEATURES: Final = DefaultFormulaParser.FeatureFlags.NONE
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that is safe to compute."""

    text: str
    terms: SimpleFormula
    """Formulaic's terms, ordered by degree; each factor is looked up by its text."""
    expressions: dict[str, Expression]
    """What each factor computes, by its text."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns of ``obs`` that the formula uses, in the order of their appearance."""
        names = (name for expression in self.expressions.values() for name in expression.variables)
        return tuple(dict.fromkeys(names))


def read_formula(text: str, columns: Sequence[str]) -> Formula:
    """Read a formula such as ``~ batch + log2(dose) * condition``; nothing in it is executed.

    ``columns`` are the names that it may use. Odd ones stand in backticks.

    Raises
    ------
    FormulaError
        If it cannot be parsed, has a left-hand side, or holds a name, function or construct that is
        not allowed.

    Examples
    --------
    >>> formula = read_formula("~ batch + log2(dose) * drug", ["batch", "dose", "drug"])
    >>> [str(term) for term in formula.terms], formula.variables
    (['1', 'batch', 'log2(dose)', 'drug', 'log2(dose):drug'], ('batch', 'dose', 'drug'))
    """
    try:
        _check_characters(text)
        _check_tokens(text, columns)
        parsed = DefaultFormulaParser(feature_flags=_NO_FEATURES).get_terms(text)
        expressions = {
            factor.expr: read_expression(_source(factor), columns)
            for term in parsed.root
            for factor in term.factors
            if factor.eval_method is not FormulaicFactor.EvalMethod.LITERAL
        }
    except (FormulaicError, SyntaxError) as error:  # SyntaxError: a column called `class`, in log()
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise FormulaError(_because(text, f"{reason}.", columns)) from error
    except FormulaError as error:
        raise FormulaError(_because(text, str(error), columns)) from None
    return Formula(text, SimpleFormula([_as_lookup(term) for term in parsed.root]), expressions)


def _check_characters(text: str) -> None:
    bare = _QUOTED.sub("", text).strip()
    if bare.rfind("~") > 0:
        msg = (
            "only a right side, '~ ...', is wanted: the left side is the expression of every gene."
        )
    elif "|" in bare:
        msg = "'|' (random effects, several parts) is not available; replicate= names the unit."
    elif "{" in bare or "}" in bare:
        msg = "braces are not allowed; write I(...) around arithmetic."
    else:
        return
    raise FormulaError(msg)


def _check_tokens(text: str, columns: Sequence[str]) -> None:
    tokens = [None, *tokenize(text), None]
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token is not None:
            _check_token(before, token, after, columns)


def _check_token(
    before: Token | None, token: Token, after: Token | None, columns: Sequence[str]
) -> None:
    match token.kind:
        case Token.Kind.NAME:
            read_expression(f"`{token.token}`", columns)
        case Token.Kind.PYTHON:
            read_expression(token.token, columns)
        case Token.Kind.VALUE:
            _check_value(before, token, after)
        case Token.Kind.OPERATOR:
            _check_operator(before, token)
        case _ if token.token == "[":
            msg = "square brackets are not allowed; use parentheses."
            raise FormulaError(msg)


def _check_value(before: Token | None, token: Token, after: Token | None) -> None:
    if before is not None and before.token in {"^", "**"}:
        if token.token.isdecimal() and int(token.token) <= _MAX_POWER:
            return
        msg = f"the power {token.token} must be a whole number up to {_MAX_POWER}."
        raise FormulaError(msg)
    if token.token == ".":
        msg = "'.' (all other columns) is not available; name the columns."
        raise FormulaError(msg)
    opens = before is None or before.token == "(" or set(before.token) <= set("~+-")
    closes = after is None or after.token == ")" or set(after.token) <= set("+-")
    if not (opens and closes and token.token in {"0", "1"}):
        msg = (
            f"{token.token} cannot stand there: outside of functions the only numbers are 1 and 0, "
            "with and without an intercept; write I(...) around arithmetic."
        )
        raise FormulaError(msg)


def _check_operator(before: Token | None, token: Token) -> None:
    if token.token in {"^", "**"} and (before is None or before.token != ")"):
        msg = f"'{token.token}' crosses terms, as in (a + b)^2; for a square write I(x**2)."
        raise FormulaError(msg)


def _source(factor: FormulaicFactor) -> str:
    """Return the factor as an expression: a looked-up name gets its backticks back."""
    if factor.eval_method is FormulaicFactor.EvalMethod.LOOKUP:
        return f"`{factor.expr}`"
    return str(factor.expr)


def _as_lookup(term: FormulaicTerm) -> FormulaicTerm:
    literals = FormulaicFactor.EvalMethod.LITERAL
    return FormulaicTerm(
        [
            factor if factor.eval_method is literals else FormulaicFactor(factor.expr)
            for factor in term.factors
        ]
    )


def _because(text: str, reason: str, columns: Sequence[str]) -> str:
    return f"design={text!r} cannot be read: {reason} obs has {listed(columns)}."

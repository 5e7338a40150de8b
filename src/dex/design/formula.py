"""Formulas, read by formulaic after every name, function and number in them was checked.

Formulaic would evaluate Python found in a formula, and look unknown names up among the caller's
variables. Here it only sees formulas whose every token is known to be harmless, and only parses
them; what the terms hold is computed by :mod:`dex.design.transforms`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from formulaic.errors import FormulaicError
from formulaic.formula import SimpleFormula
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import ASTNode, Token
from formulaic.parser.types import Factor as FormulaicFactor
from formulaic.parser.types import Term as FormulaicTerm

from dex.design.expression import NAMES, Expression, is_respelled, read_expression
from dex.design.wording import in_formula, listed
from dex.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MAX_POWER = 9
_MAX_LENGTH = 2000
"""Characters; Python's and formulaic's parsers are slow or stop in formulas far longer."""
_MAX_SHOWN = 300
"""Characters of a formula in a message."""
_MAX_PRODUCTS = 20_000
"""Products of terms that formulaic forms one by one, a fraction of a second."""
_NO_FEATURES: Final = DefaultFormulaParser.FeatureFlags.NONE
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
_ALIAS = "_alias_{}_"
_NO_NAME = "``"
_READ_AS_NUMBERS: Final = frozenset({"0", "1"})
"""What formulaic takes for the intercept, also in backticks."""


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
        terms = _parsed(text)
        expressions = {
            factor.expr: read_expression(_source(factor), columns)
            for term in terms
            for factor in term.factors
            if factor.eval_method is not FormulaicFactor.EvalMethod.LITERAL
        }
    except (FormulaicError, SyntaxError) as error:  # SyntaxError: a column called `class`, in log()
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise FormulaError(_because(text, f"{reason}.", columns)) from error
    except FormulaError as error:
        raise FormulaError(_because(text, str(error), columns)) from None
    except (RecursionError, MemoryError) as error:
        raise FormulaError(_because(text, "it is nested too deeply.", columns)) from error
    return Formula(text, SimpleFormula([_as_lookup(term) for term in terms]), expressions)


def _parsed(text: str) -> list[FormulaicTerm]:
    names: dict[str, str] = {}
    source = _in_aliases(text, names)
    parser = DefaultFormulaParser(feature_flags=_NO_FEATURES)
    _check_size(parser.get_ast(source))
    return [
        FormulaicTerm([_restored(factor, names) for factor in term.factors])
        for term in parser.get_terms(source).root
    ]


def _check_characters(text: str) -> None:
    bare = _QUOTED.sub("", text).strip()
    if len(text) > _MAX_LENGTH:
        msg = (
            f"it has {len(text):,} characters, more than {_MAX_LENGTH:,}; make the columns first "
            "and name them, or give the design as a matrix."
        )
    elif _NO_NAME in text:
        msg = "an empty name in backticks cannot stand in a formula; rename the column."
    elif bare.rfind("~") > 0:
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


def _in_aliases(text: str, names: dict[str, str]) -> str:
    """Replace the names that Python would respell; ``names`` collects them by their aliases."""

    def replaced(match: re.Match[str]) -> str:
        name = match["quoted"] or match["bare"]
        if name is None or not is_respelled(name):
            return match.group()
        alias = next((key for key, known in names.items() if known == name), None)
        alias = alias or _ALIAS.format(len(names))
        names[alias] = name
        return alias

    return NAMES.sub(replaced, text)


def _restored(parsed: FormulaicFactor, names: Mapping[str, str]) -> FormulaicFactor:
    """Give a factor its names back."""
    expr = names.get(parsed.expr, parsed.expr)
    for alias, name in names.items():
        expr = expr.replace(alias, in_formula(name))
    return FormulaicFactor(expr, eval_method=parsed.eval_method)


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
            _check_name(token.token)
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


def _check_name(name: str) -> None:
    if name in _READ_AS_NUMBERS:
        msg = (
            f"a column called {name!r} cannot stand in a formula, where 0 and 1 are the intercept; "
            "rename the column."
        )
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


def _check_size(tree: object) -> None:
    """Bound the products of terms that formulaic forms, and forms again, to expand a formula."""
    nodes = [tree]
    for node in nodes:  # it grows: parts come after what they are part of
        nodes.extend(node.args if isinstance(node, ASTNode) else ())
    sizes: dict[int, int] = {}
    for node in reversed(nodes):
        sizes[id(node)] = _n_products(node, sizes) if isinstance(node, ASTNode) else 1
        if sizes[id(node)] > _MAX_PRODUCTS:
            msg = (
                f"its powers and products make more than {_MAX_PRODUCTS:,} products of terms; "
                "write out the interactions that are wanted."
            )
            raise FormulaError(msg)


def _n_products(node: ASTNode[Token], sizes: Mapping[int, int]) -> int:
    parts = [sizes[id(part)] for part in node.args]
    match node.operator.symbol:
        case "^" | "**":
            return int(parts[0] ** _power(node.args[1]))
        case "+" | "-" | "~":
            return sum(parts)
        case _:
            return math.prod(size + 1 for size in parts) - 1


def _power(node: object) -> int:
    if isinstance(node, Token) and node.token.isdecimal() and 0 < int(node.token) <= _MAX_POWER:
        return int(node.token)
    msg = f"a power must be a whole number from 1 to {_MAX_POWER}."
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
    shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
    return f"design={shown!r} cannot be read: {reason} obs has {listed(columns)}."

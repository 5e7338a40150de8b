"""Errors that say what was given, what is possible, and what to do."""

from __future__ import annotations


class DexError(Exception):
    """Base of every error that ``dex`` raises on purpose."""


class InputError(DexError, ValueError):
    """A value, column, level, file or matrix that cannot be used as asked."""


class FormulaError(InputError):
    """A formula that cannot be read, or that names what is not there."""


class DesignError(InputError):
    """A design or contrast that the observations cannot answer."""

"""Limits of what counts as significant."""

from __future__ import annotations

from numbers import Real

import numpy as np

from dex.errors import InputError


def check_limits(*, padj: object, log2fc: object = 0.0) -> None:
    """Refuse what is no limit of adjusted p-values, or no size of fold changes.

    Raises
    ------
    InputError
        If ``padj`` is not a number above 0 and at most 1, or ``log2fc`` not one of 0 or more.
    """
    if not (_is_number(padj) and 0 < padj <= 1):  # type: ignore[operator]
        msg = (
            f"padj={padj!r} is not a limit of adjusted p-values; it lies between 0 and 1, above 0."
        )
        raise InputError(msg)
    if not (_is_number(log2fc) and 0 <= log2fc < np.inf):  # type: ignore[operator]
        msg = f"log2fc={log2fc!r} is not a size of fold changes; it must be 0 or more."
        raise InputError(msg)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

"""Lengths of genes, for counts per kilobase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pandas.api.types import is_numeric_dtype

from dex.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from dex.typing import Float

PER_LENGTH = "rpkm"
"""Method that takes lengths."""


def gene_lengths(lengths: str | ArrayLike | None, var: pd.DataFrame, method: str) -> Float | None:
    """Lengths in bases, from a column of ``var`` or an array.

    Raises
    ------
    InputError
        If the method takes none, or needs some; if there is no such column, if the array is not of
        the genes, or if a length is not positive.
    """
    if (lengths is None) != (method != PER_LENGTH):
        msg = f"method={method!r} has no use of lengths=; {PER_LENGTH!r} has."
        if lengths is None:
            msg = f"method={method!r} needs lengths=, a column of var or an array, in bases."
        raise InputError(msg)
    if lengths is None:
        return None
    if isinstance(lengths, str):
        if lengths not in var or not is_numeric_dtype(var[lengths]):
            numeric = [repr(name) for name in var if is_numeric_dtype(var[name])]
            msg = f"lengths={lengths!r} is not a numeric column of var; these are: {numeric}."
            raise InputError(msg)
        lengths = var[lengths].to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.asarray(lengths, dtype=np.float64)
    if values.shape != (len(var),):
        msg = (
            f"lengths= has the shape {values.shape}; it is one number for each of {len(var)} genes."
        )
        raise InputError(msg)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        msg = (
            f"lengths=: {bad.sum()} of {len(var)} genes have no positive length (the first is "
            f"{var.index[bad][0]!r}); drop them, or fill the lengths in."
        )
        raise InputError(msg)
    return values


def divide_genes(matrix: Any, divisors: Float) -> None:
    """Divide the columns of a new matrix in place: dense, CSR or CSC."""
    if isinstance(matrix, np.ndarray):
        matrix /= divisors
    elif matrix.format == "csr":
        matrix.data /= divisors[matrix.indices]
    else:
        matrix.data /= np.repeat(divisors, np.diff(matrix.indptr))

"""Names of genes and samples: what software adds to them and what Excel does to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from dex._logging import logger
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec"
_EXCEL = (
    rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{1,2}}|\d(?:\.\d+)?e\+\d+"
    r"|\d{4}-\d{2}-\d{2}(?: 00:00:00)?"
)
_SUMMARY_ROWS = frozenset({"N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"})
"""Written by STAR; those of HTSeq begin with two underscores."""


def few(names: Iterable[object], n_shown: int = 5) -> str:
    """Return the first few names in quotes, and the number of the others.

    >>> few(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    listed = [f"'{name}'" for name in names]
    if len(listed) <= n_shown:
        return ", ".join(listed)
    return f"{', '.join(listed[:n_shown])} and {len(listed) - n_shown} more"


def check_samples_unique(samples: pd.Index, source: str) -> None:
    """Raise InputError naming the sample names that occur twice."""
    twice = samples[samples.duplicated()].unique()
    if len(twice):
        hint = " Is its first row the header?" if all(map(_is_number, samples)) else ""
        msg = f"Sample names in {source} are not unique: {few(twice)}. Rename them.{hint}"
        raise InputError(msg)


def warn_about_genes(genes: pd.Index) -> None:
    """Warn about genes without a name, twice the same name, or names that Excel made into dates."""
    n_unnamed = int((genes == "").sum())
    if n_unnamed:
        logger.warning("%d rows have no gene name; they are kept.", n_unnamed)
    n_twice = int(genes.duplicated().sum())
    if n_twice:
        twice = genes[genes.duplicated()].unique()
        logger.warning(
            "%d gene names repeat an earlier one (%s); all are kept, as they are.",
            n_twice,
            few(twice),
        )
    mangled = genes[np.asarray(genes.str.fullmatch(_EXCEL, flags=re.IGNORECASE), dtype=bool)]
    if len(mangled):
        logger.warning(
            "%d gene names look as if Excel had made dates or numbers of them: %s. "
            "Take the names from a table that Excel has not saved.",
            len(mangled),
            few(mangled, 10),
        )


def summary_rows(genes: pd.Index[str]) -> pd.Index[str]:
    """Names of rows that are no genes but HTSeq's or STAR's numbers of uncounted reads."""
    return genes[[name.startswith("__") or name in _SUMMARY_ROWS for name in genes]]


def storable(columns: pd.Index[str]) -> pd.Index[str]:
    """Column names that an h5ad can hold: ``/`` becomes ``_``, and that is said."""
    slashed = [name for name in columns if "/" in name]
    if slashed:
        logger.warning("'/' in the column names %s is written as '_'.", few(slashed))
    return columns.str.replace("/", "_")


def _is_number(name: str) -> bool:
    return re.fullmatch(r"\d+([.,]\d+)?", name) is not None

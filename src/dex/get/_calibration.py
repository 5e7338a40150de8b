"""Whether tests in which nothing changes say so: the empirical null of a screen."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get._pvalues import inflation
from dex.results import StoredResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.typing import Float, Int

LEVELS = (0.05, 0.01, 0.001)
"""p-values at which the rates are given."""


def calibration_df(
    adata: AnnData, *, key: str = "rank_genes", tests: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Rates of small p-values in tests in which nothing should change.

    In a screen these are the non-targeting guides, each against the other ones::

        guides = ["NT1", "NT2", "NT3"]
        dex.tl.rank_genes(adata, "guide", groups=guides, exclude=perturbations, reference="rest")

    A calibrated test has 5 of 100 genes at p <= 0.05 and an inflation of 1. Cells of one guide,
    batch or replicate resemble each other, so that tests of cells find too many: on one screen at
    p <= 0.001, 6.9 times the nominal rate with Welch's test, 2.3 times with Wilcoxon's. A factor
    well above 1 at 0.001 says that the list of hits holds false ones beyond its rate, and that
    replicates are needed (``replicate=``).

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    key
        Where the result is.
    tests
        One or several tests, by name, by group, or by a pattern of either, as ``"NT*"``. The
        default is all of them.

    Returns
    -------
    pandas.DataFrame
        A row for each test: ``test``, ``group``, ``reference``, ``n_group``, ``n_reference``,
        ``n`` (genes with a p-value), ``inflation`` (median chi-square over that of the null), and
        ``rate_0.05``, ``rate_0.01``, ``rate_0.001``, the fractions of genes with a p-value of at
        most that; NaN where there is none. Genes of one test are not independent: the rate of one
        test varies more than that of as many coins.

    Raises
    ------
    InputError
        If there is no such result, if it has no p-values, or if a pattern fits no test.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=2000, n_per_group=8, de_fraction=0, seed=3)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> table = dex.get.calibration_df(adata, tests="treated*")
    >>> bool(abs(table["rate_0.05"].item() - 0.05) < 0.02)
    True
    """
    stored = StoredResult.from_adata(adata, key)
    chosen = matching_tests(stored, tests)
    fields = {name: np.array(stored.field(name))[chosen] for name in ("name", "group", "reference")}
    sizes = {name: np.array(stored.counts(name))[chosen] for name in ("n_group", "n_reference")}
    every = stored.values("log10_pval")
    rows = [_rates(every[:, test]) for test in chosen]
    frame = pd.DataFrame({**fields, **sizes}).rename(columns={"name": "test"})
    return frame.join(pd.DataFrame(rows))


def matching_tests(stored: StoredResult, tests: str | Sequence[str] | None) -> Int:
    """Positions of the tests whose name or group is one of ``tests`` or fits one of them.

    Raises
    ------
    InputError
        If one fits no test.
    """
    if tests is None:
        return np.arange(len(stored.names))
    names = list(zip(stored.names, stored.field("group"), strict=True))
    chosen: dict[int, None] = {}
    for one in [tests] if isinstance(tests, str) else tests:
        found = [i for i, words in enumerate(names) if one in words]
        found = found or [i for i, words in enumerate(names) if _fits(words, str(one))]
        if not found:
            have = ", ".join(repr(name) for name, _ in names[:5])
            msg = f"tests={one!r} fits none of the {len(names)} tests under {stored.key!r}: {have}"
            raise InputError(msg + (", ..." if len(names) > 5 else "."))
        chosen.update(dict.fromkeys(found))
    if not chosen:
        msg = "tests= names no test; leave it out for all of them."
        raise InputError(msg)
    return np.array(list(chosen), dtype=np.intp)


def _fits(words: Sequence[str], pattern: str) -> bool:
    return any(fnmatchcase(word, pattern) for word in words)


def _rates(log10_pval: Float) -> dict[str, float]:
    known = log10_pval[~np.isnan(log10_pval)]
    row: dict[str, float] = {"n": len(known), "inflation": inflation(10**known)}
    for level in LEVELS:
        below = known <= np.log10(level)
        row[f"rate_{level:g}"] = float(below.mean()) if len(known) else np.nan
    return row

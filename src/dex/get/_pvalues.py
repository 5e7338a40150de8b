"""What the shape of a histogram of p-values says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import chdtri

from dex.design.replicates import looks_like_clusters
from dex.errors import InputError
from dex.results import StoredResult

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.typing import Float

Shape = Literal["few", "uniform", "peak at 0", "peak at 1", "hill", "both ends"]

_FEWEST = 100
_N_BINS = 20
_FACTOR = 1.3
"""How much higher or lower than the middle an end must be to be worth a word."""
_STANDARD_ERRORS = 4.0
_LAMBDA = 0.5
_SENTENCES: dict[Shape, str] = {
    "few": "Too few p-values to judge their shape.",
    "uniform": (
        "Uniform: no sign of genes that change, or too few samples to see them; the p-values "
        "themselves look right."
    ),
    "peak at 0": (
        "Peak at 0 on a level floor, as it should be: an estimated {changed:.0f} % of genes change."
    ),
    "peak at 1": (
        "Too many large p-values: low counts whose tests are discrete{filter}, or a variance "
        "that is too large (a batch or pairing that the design leaves out). p is conservative."
    ),
    "hill": (
        "Hill away from 0: the variance is too large, as when the design leaves out a batch or a "
        "pairing, or the test does not suit the data. p is conservative."
    ),
    "both ends": (
        "Peaks at 0 and at 1: beside genes that change there are genes whose tests are discrete "
        "or one-sided, often low counts{filter}."
    ),
}
_THRESHOLDED = (
    "Tested against |log2 FC| of at most {lfc:g}: p-values near 1 are genes well within it, as "
    "they should be."
)

_FILTER = " (filter them)"
_FILTERED = "dex_filter"
"""``uns`` key of what :func:`dex.pp.filter_genes` has left out."""
_CELLS = (
    "P-values of cells are too small: the height of a peak at 0 says nothing about how many genes "
    "change."
)
_CLUSTERS = (
    "Groups made from the same data, and p-values of cells are too small: they rank markers, and "
    "count nothing."
)


@dataclass(frozen=True, slots=True)
class PvalueShape:
    """The distribution of one test's p-values."""

    n: int
    """Genes with a p-value."""
    pi0: float
    """Estimated fraction of genes that do not change [Storey2002]_; NaN without p-values."""
    inflation: float
    """Median of the chi-square quantiles of p over that of the null; 1 if nothing changes and the
    test is calibrated [Devlin1999]_."""
    shape: Shape
    sentence: str
    """What the shape means and what to do."""


def pvalue_shape(
    adata: AnnData, test: str | int | None = None, *, key: str = "rank_genes"
) -> PvalueShape:
    """Describe the distribution of the p-values of one test.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    test
        The test, by name, group or number; the only one by default.
    key
        Where the result is.

    Returns
    -------
    PvalueShape
        Number of p-values, null fraction, inflation, and the shape, as a word and as a sentence.

    Raises
    ------
    InputError
        If there is no such result or test.

    References
    ----------
    .. [Storey2002] Storey (2002). A direct approach to false discovery rates. Journal of the Royal
       Statistical Society B 64, 479-498. pi0 at lambda = 0.5.
    .. [Devlin1999] Devlin, Roeder (1999). Genomic control for association studies. Biometrics 55,
       997-1004.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=1000, n_per_group=5, de_fraction=0.3, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.get.pvalue_shape(adata).shape
    'peak at 0'
    """
    stored = StoredResult.from_adata(adata, key)
    log10_pval = stored.values("log10_pval")[:, stored.position(test)]
    params = stored.params
    found = describe(
        10 ** log10_pval[~np.isnan(log10_pval)],
        lfc=params.get("lfc", 0.0),
        filtered=_FILTERED in adata.uns or params.get("replicate") is not None,
    )
    if params.get("unit") != "cells" or found.shape == "few":
        return found
    made_of_data = looks_like_clusters(str(params.get("groupby") or ""))
    return replace(found, sentence=_CLUSTERS if made_of_data else _CELLS)


def describe(pval: Float, *, lfc: float = 0.0, filtered: bool = False) -> PvalueShape:
    """Describe p-values, ``(n,)``, of a test whose null holds changes of up to ``lfc``.

    Where low counts were ``filtered`` already, the sentence does not ask for it.

    Raises
    ------
    InputError
        If a value is not between 0 and 1.
    """
    if not ((pval >= 0) & (pval <= 1)).all():
        msg = "p-values lie between 0 and 1; some of these do not."
        raise InputError(msg)
    if not len(pval):
        return PvalueShape(0, np.nan, np.nan, "few", "No gene has a p-value.")
    pi0 = min(1.0, float((pval > _LAMBDA).mean() / (1 - _LAMBDA)))
    shape = _shape(pval)
    sentence = _SENTENCES[shape].format(changed=100 * (1 - pi0), filter="" if filtered else _FILTER)
    if lfc > 0 and shape in {"peak at 1", "both ends", "hill"}:
        sentence = _THRESHOLDED.format(lfc=lfc)
    return PvalueShape(len(pval), pi0, inflation(pval), shape, sentence)


def inflation(pval: Float) -> float:
    """Median of the chi-square quantiles of p-values, ``(n,)``, over that of uniform ones."""
    if not len(pval):
        return np.nan
    return float(chdtri(1, np.median(pval)) / chdtri(1, 0.5))


def _shape(pval: Float) -> Shape:
    if len(pval) < _FEWEST:
        return "few"
    counts = np.histogram(pval, bins=_N_BINS, range=(0, 1))[0].astype(np.float64)
    left, right = counts[0], counts[-1]
    middle = counts[_N_BINS // 2 : -1]
    floor = float(np.median(middle))
    low, high = _clearly_over(left, floor), _clearly_over(right, floor)
    if low and high:
        return "both ends"
    if low:
        return "peak at 0"
    if high:
        return "peak at 1"
    quarter = _N_BINS // 4
    early, late = counts[:quarter].sum(), counts[-quarter:].sum()
    central = counts[(_N_BINS - quarter) // 2 :][:quarter].sum()
    if not _clearly_over(max(central, late), early):
        return "uniform"
    return "peak at 1" if late > central else "hill"


def _clearly_over(count: float, other: float) -> bool:
    """Whether a count is higher by the factor, and by more than chance."""
    return bool(
        count > _FACTOR * other and count - other > _STANDARD_ERRORS * np.sqrt(count + other)
    )

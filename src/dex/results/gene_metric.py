"""What genes are ranked by, positive for up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.results.stored import StoredResult
    from dex.typing import Bool, Float

_LARGEST = 1e6
"""In place of an infinite score."""


def gene_metric(stored: StoredResult, test: int, genes: Bool, metric: str = "zscore") -> Float:
    """Score of some genes in a test, ``(n_genes,)``; NaN throughout where it has no direction.

    Parameters
    ----------
    stored
        The result.
    test
        Position of the test.
    genes
        Which genes, ``(n_vars,)``; each has a p.
    metric
        ``"zscore"``, the normal score of the two-sided p with the sign of the effect, or a column.

    Raises
    ------
    InputError
        If there is no such column, or a gene has no value in it.
    """
    if metric != "zscore":
        values = np.asarray(stored.values(metric)[genes, test], dtype=np.float64)
        if not np.isfinite(values).all():
            n = int((~np.isfinite(values)).sum())
            msg = f"metric={metric!r} is not finite in {n} of {len(values)} genes."
            raise InputError(msg)
        return values
    if stored.field("kind")[test] == "omnibus":
        return np.full(int(genes.sum()), np.nan)
    stat = np.asarray(stored.values("stat")[genes, test], dtype=np.float64)
    if stored.params.get("alternative", "two-sided") != "two-sided":
        return stat
    effects = stat if (stat < 0).any() else _effects(stored, test, genes)
    log10_pval = np.asarray(stored.values("log10_pval")[genes, test], dtype=np.float64)
    log_half = log10_pval * np.log(10.0) - np.log(2.0)
    size = np.minimum(-special.ndtri_exp(log_half), _LARGEST)
    return np.asarray(np.sign(effects) * size)


def _effects(stored: StoredResult, test: int, genes: Bool) -> Float:
    name = "log2fc" if "log2fc" in stored.columns else "mean_diff"
    return np.asarray(stored.values(name)[genes, test], dtype=np.float64)

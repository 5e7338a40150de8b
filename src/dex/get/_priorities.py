"""Cell types in the order of their response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.get._learning import learnt

if TYPE_CHECKING:
    from anndata import AnnData

_COLUMNS = (
    "auc",
    "null_mean",
    "null_sd",
    "pval",
    "padj",
    "n_group",
    "n_reference",
    "n_possible",
)


def priorities_df(adata: AnnData, *, key: str = "prioritize") -> pd.DataFrame:
    """Cell types, those first whose cells tell the conditions apart best.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.prioritize`.
    key
        Where its result is.

    Returns
    -------
    pandas.DataFrame
        A row for each cell type: ``type``; ``auc``; ``null_mean`` and ``null_sd`` of it under
        permutation; ``pval`` and ``padj``; ``n_group`` and ``n_reference`` donors; and the number
        ``n_possible`` of ways to deal the conditions to them. Types that were not ranked are last.

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(
    ...     60, 4, cells_per_replicate=80, mean_count=1, log2fc_sd=2, de_fraction=0.3
    ... )
    >>> adata.obs["type"] = ["T" if i % 2 else "B" for i in range(adata.n_obs)]
    >>> dex.tl.prioritize(adata, "condition", per="type", replicate="replicate", repeats=2)
    >>> dex.get.priorities_df(adata)["n_possible"].tolist()
    [70.0, 70.0]
    """
    entry = learnt(adata, key, need="null_mean")
    table = pd.DataFrame({"type": [str(name) for name in entry["types"]]})
    for name in _COLUMNS:
        table[name] = np.asarray(entry[name])
    return table.sort_values("auc", ascending=False, kind="stable").reset_index(drop=True)

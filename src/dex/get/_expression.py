"""Expression of some genes, as plots need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.data import Expression, Source
from dex.get._symbols import find_genes, gene_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData


def expression_df(
    adata: AnnData,
    genes: str | Sequence[str],
    *,
    layer: str | None = None,
    scale: str | None = None,
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Log expression of some genes, observations in rows.

    Parameters
    ----------
    adata
        AnnData with counts or logs.
    genes
        One or several ``var_names``, or values of the column ``gene_symbols``.
    layer
        Layer to read; None is ``X``. Counts are normalised on the way, as
        :func:`dex.tl.rank_genes` does.
    scale
        What the values are, where that is not recorded and they do not show it, as for
        :func:`dex.tl.rank_genes`.
    gene_symbols
        Column of ``adata.var`` whose values name the columns of the table.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_obs, n_genes)``, in the order of ``genes``.

    Raises
    ------
    InputError
        If a gene, the layer or the column is not there, or if ``X`` holds z-scores.
    """
    wanted = [genes] if isinstance(genes, str) else list(genes)
    positions = np.array(find_genes(adata, wanted, gene_symbols), dtype=np.intp)
    source = Source.from_adata(adata, layer=layer, scale=scale)
    unique, inverse = np.unique(positions, return_inverse=True)
    expression = Expression.from_source(source, np.arange(adata.n_obs), unique)
    values = expression.values()[:, inverse]
    labels = gene_labels(adata, gene_symbols)
    return pd.DataFrame(values, index=adata.obs_names, columns=[labels[j] for j in positions])

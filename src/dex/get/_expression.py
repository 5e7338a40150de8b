"""Expression of some genes, as plots need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.data import Source
from dex.data.source import obs_of
from dex.errors import InputError
from dex.get._symbols import find_genes, gene_labels
from dex.get._tested import Tested, samples_of
from dex.results import StoredResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData


def expression_df(
    adata: AnnData,
    genes: str | Sequence[str],
    *,
    layer: str | None = None,
    scale: str | None = None,
    key: str | None = None,
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
    key
        Read what the result under this key was made of, in place of ``layer`` and ``scale``: the
        same matrix, normalised in the same way over all observations. Where cells were added up by
        ``replicate``, the rows are the samples made of them.
    gene_symbols
        Column of ``adata.var`` whose values name the columns of the table.

    Returns
    -------
    pandas.DataFrame
        Shape ``(n_obs, n_genes)``, in the order of ``genes``; rows as in :func:`obs_df`.

    Raises
    ------
    InputError
        If a gene, the layer, the column or the result is not there, if ``X`` holds z-scores, or
        if ``key`` is given with ``layer`` or ``scale``.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=1)
    >>> dex.get.expression_df(adata, ["gene0001", "gene0003"]).shape
    (8, 2)
    """
    wanted = [genes] if isinstance(genes, str) else list(genes)
    positions = np.array(find_genes(adata, wanted, gene_symbols), dtype=np.intp)
    unique, inverse = np.unique(positions, return_inverse=True)
    if key is None:
        tested = Tested(Source.from_adata(adata, layer=layer, scale=scale), obs_of(adata))
    elif layer is not None or scale is not None:
        msg = f"key={key!r} says which matrix to read; leave out layer= and scale=, or key=."
        raise InputError(msg)
    else:
        tested = Tested.by(StoredResult.from_adata(adata, key))
    values = tested.expression(unique).values()[:, inverse]
    labels = gene_labels(adata, gene_symbols)
    return pd.DataFrame(values, index=tested.obs.index, columns=[labels[j] for j in positions])


def obs_df(adata: AnnData, *, key: str = "rank_genes") -> pd.DataFrame:
    """Return the observations that a result was made of, a row each.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    key
        Where the result is.

    Returns
    -------
    pandas.DataFrame
        ``adata.obs``; or, where cells were added up by ``replicate``, a row per sample, with its
        number of cells (``n_cells``) and the columns of ``obs`` that are constant within samples.
        Observations that a test has left out are in it too.

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> cells = dex.datasets.simulate_counts(50, 3, cells_per_replicate=20, mean_count=1, seed=1)
    >>> dex.tl.rank_genes(cells, "condition", replicate="replicate")
    >>> len(cells.obs), len(dex.get.obs_df(cells))
    (120, 6)
    """
    stored = StoredResult.from_adata(adata, key)
    samples = samples_of(stored)
    return obs_of(adata) if samples is None else samples.obs

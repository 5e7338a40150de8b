"""Modules of co-expressed genes as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.get._learning import learnt
from dex.get._symbols import gene_labels

if TYPE_CHECKING:
    from anndata import AnnData


def modules_df(
    adata: AnnData, *, key: str = "modules", gene_symbols: str | None = None
) -> pd.DataFrame:
    """Genes of the modules, hubs first.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.modules`.
    key
        Where its result is.
    gene_symbols
        Column of ``adata.var`` to show as ``gene``; ``var_names`` are then in ``gene_id``.

    Returns
    -------
    pandas.DataFrame
        A row for each gene in a module: ``gene``, ``module``, ``membership`` (its correlation with
        the module's eigengene) and ``connectivity``.

    Raises
    ------
    InputError
        If there is no such result or column.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(300, 10, log2fc_sd=2, de_fraction=0.3, seed=1)
    >>> dex.tl.modules(adata)
    >>> dex.get.modules_df(adata)["module"].unique().tolist()
    ['M1', 'M2']
    """
    learnt(adata, key, need="explained")
    codes = adata.var[f"{key}_module"].cat.codes.to_numpy()
    used = np.flatnonzero(codes >= 0)
    membership = np.empty(0)
    if len(used):
        membership = np.asarray(adata.varm[f"{key}_membership"])[used, codes[used]]
    table = pd.DataFrame(
        {
            "gene": np.array(gene_labels(adata, gene_symbols), dtype=object)[used],
            "module": adata.var[f"{key}_module"].astype(str).to_numpy()[used],
            "membership": membership,
            "connectivity": adata.var[f"{key}_connectivity"].to_numpy()[used],
        }
    )
    if gene_symbols is not None:
        table["gene_id"] = np.asarray(adata.var_names, dtype=object)[used]
    order = np.lexsort((-table["connectivity"].to_numpy(), codes[used]))
    return table.iloc[order].reset_index(drop=True)


def eigengenes_df(adata: AnnData, *, key: str = "modules") -> pd.DataFrame:
    """Eigengenes of the modules in every observation.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.modules`.
    key
        Where its result is.

    Returns
    -------
    pandas.DataFrame
        A row for each observation, a column for each module.

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(300, 10, log2fc_sd=2, de_fraction=0.3, seed=1)
    >>> dex.tl.modules(adata)
    >>> dex.get.eigengenes_df(adata).shape
    (20, 2)
    """
    names = [str(name) for name in learnt(adata, key, need="explained")["modules"]]
    values = adata.obsm[f"{key}_eigengenes"] if names else np.empty((adata.n_obs, 0))
    return pd.DataFrame(np.asarray(values), index=adata.obs_names, columns=names)
